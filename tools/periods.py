"""The stretch of time that a profile is asked of, as an argument of tools, and what it means on a market's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from engines.domain.timeframe import Timeframe, from_ms
from engines.errors import InvalidRequest
from engines.volume_profile.local_time import opening_ms, time_of_day, zone
from tools.stretches import begin_of, end_of, read_stretch

PeriodKind = Literal["session", "range", "anchored", "composite"]
SessionName = Literal["day", "london", "new_york", "tokyo", "asia"]
USUAL_COUNT: Final = 5
MOST_SESSIONS: Final = 90
_LAST: Final = frozenset({"last", "previous", "prior"})
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """A place's business hours, by its own clocks; a `day` has none and ends with the next one's beginning."""

    words: str
    timezone: str
    opens: str
    closes: str | None


# What currency traders call the sessions. Asia is from Tokyo's 09:00 to Singapore's 17:00, which is Tokyo's 18:00.
SESSIONS: Final[dict[SessionName, Hours]] = {
    "day": Hours("day", "UTC", "00:00", None),
    "london": Hours("London session", "Europe/London", "08:00", "17:00"),
    "new_york": Hours("New York session", "America/New_York", "08:00", "17:00"),
    "tokyo": Hours("Tokyo session", "Asia/Tokyo", "09:00", "18:00"),
    "asia": Hours("Asian session", "Asia/Tokyo", "09:00", "18:00"),
}


class Period(BaseModel):
    """A stretch of time other than the usual last candles; times are read on the market's clock."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, frozen=True)

    kind: PeriodKind = Field(
        description="`session`: one day or one place's session; `range`: from one time to another, or a week or month; "
        "`anchored`: from a time until now; `composite`: the last `count` whole days or sessions as one profile."
    )
    from_: str | None = Field(
        None,
        alias="from",
        max_length=100,
        description="In the person's words or ISO 8601. Of a session its day (`yesterday`, `tuesday`, `2026-03-08`; "
        "`last` for the newest that is over; left out for the newest that has begun). Of a range where it begins, or "
        "all of it (`last week`, `this month`, `november`). Of an anchored profile where it begins (`3 nov 14:00`).",
    )
    to: str | None = Field(None, max_length=100, description="Of a range only: where it ends; its last day is in it.")
    session: SessionName | None = Field(
        None,
        description="Whose session: `london` and `new_york` 08:00 to 17:00, `tokyo` and `asia` 09:00 to 18:00 Tokyo "
        "time, each by its own clocks, or `day`.",
    )
    timezone: str | None = Field(
        None, max_length=60, description="IANA name of the zone whose days and clocks are meant; UTC when left out."
    )
    count: int | None = Field(
        None,
        description=f"Of a composite only: how many sessions, up to {MOST_SESSIONS}; {USUAL_COUNT} when left out.",
    )

    def to_plain(self) -> dict[str, Any]:
        """Plain JSON data, as it was given."""
        return self.model_dump(by_alias=True, exclude_none=True)


@dataclass(frozen=True, slots=True)
class Span:
    """What a period means.

    Attributes:
        words: what an answer calls it: `in the London session of 2026-03-09`, `since 2026-03-09 14:00 UTC`.
        begins, ends: aware UTC; it may end after the market's time, while it still goes on.
        parts: the sessions of a composite, oldest first, each from its opening to its close; else empty.
        hours: of a session or of a composite's sessions.
        day: local date of a session.
        timezone: whose clocks were meant.
    """

    words: str
    begins: datetime
    ends: datetime
    timezone: str
    parts: tuple[tuple[datetime, datetime], ...] = ()
    hours: Hours | None = None
    day: str = ""


def read_period(period: Period, *, now: datetime, timeframe: Timeframe) -> Span:
    """What a period means at the market's time.

    Args:
        timeframe: what `3 candles ago` counts.

    Raises:
        InvalidRequest: its parts do not go together, a time cannot be read, or it has not begun.
    """
    _check(period)
    match period.kind:
        case "session":
            return _session(period, now, timeframe)
        case "composite":
            return _composite(period, now)
        case "anchored":
            where = zone(period.timezone or "UTC")
            begins = begin_of(period.from_ or "", now=now, timeframe=timeframe, clocks=where)
            return Span(f"since {begins:%Y-%m-%d %H:%M} UTC", begins, now, where.key)
        case _:
            return _range(period, now, timeframe)


def _check(period: Period) -> None:
    """Refuse what would have to be ignored."""
    kind = period.kind
    stray = [
        name
        for name, given, kinds in (
            ("to", period.to is not None, {"range"}),
            ("count", period.count is not None, {"composite"}),
            ("session", period.session is not None, {"session", "composite"}),
            ("from", period.from_ is not None, {"session", "range", "anchored"}),
            ("timezone", period.timezone is not None and period.session not in {None, "day"}, set[str]()),
        )
        if given and kind not in kinds
    ]
    if stray == ["timezone"]:
        raise InvalidRequest(
            f"The {period.session} session has clocks of its own.", remedy="Leave `timezone` out, or use session `day`."
        )
    if stray:
        raise InvalidRequest(f"A {kind} profile has no `{stray[0]}`.", remedy=f"Leave `{stray[0]}` out.")
    if period.count is not None and not 1 <= period.count <= MOST_SESSIONS:
        raise InvalidRequest(
            f"A composite of {period.count} sessions is not possible.",
            remedy=f"Use 1 to {MOST_SESSIONS}, or a range such as `this year`.",
        )
    if period.from_ is None and kind in {"range", "anchored"}:
        raise InvalidRequest(
            f"A profile of kind {kind} needs `from`.", remedy="Say where it begins, such as `monday` or `3 nov 14:00`."
        )


def _session(period: Period, now: datetime, timeframe: Timeframe) -> Span:
    hours, where = _hours(period)
    said = (period.from_ or "").strip().lower()
    if said in _LAST | {""}:
        day = now.astimezone(where).date() + _DAY
        while (_open_close(hours, where, day)[1 if said else 0]) > now - timedelta(microseconds=0 if said else 1):
            day -= _DAY
    else:
        day = begin_of(said, now=now, timeframe=timeframe, clocks=where).astimezone(where).date()
    opens, closes = _open_close(hours, where, day)
    if opens >= now:
        raise InvalidRequest(
            f"The {hours.words} of {day} opens at {opens:%Y-%m-%d %H:%M} UTC and has not begun.",
            remedy="Ask for the one before, such as `yesterday`.",
        )
    words = _called(hours, where, f"{day}") + (" so far" if closes > now else "")
    return Span(words, opens, closes, where.key, hours=hours, day=day.isoformat())


def _hours(period: Period) -> tuple[Hours, ZoneInfo]:
    hours = SESSIONS[period.session or "day"]
    return hours, zone(period.timezone or hours.timezone)


def _open_close(hours: Hours, where: ZoneInfo, day: date) -> tuple[datetime, datetime]:
    opens = opening_ms(day, time_of_day(hours.opens), where)
    if hours.closes is None:
        return from_ms(opens), from_ms(opening_ms(day + _DAY, time_of_day(hours.opens), where))
    return from_ms(opens), from_ms(opening_ms(day, time_of_day(hours.closes), where))


def _called(hours: Hours, where: ZoneInfo, day: str) -> str:
    return f"in the {hours.words} of {day}" if hours.closes else f"on {day} ({where.key})"


def _composite(period: Period, now: datetime) -> Span:
    """The newest sessions that are over."""
    hours, where = _hours(period)
    count = period.count or USUAL_COUNT
    day = now.astimezone(where).date()
    while _open_close(hours, where, day)[1] > now:
        day -= _DAY
    days = [day - back * _DAY for back in range(count)][::-1]
    parts = tuple(_open_close(hours, where, each) for each in days)
    first, last = f"{days[0]}", f"{days[-1]}"
    kind = f"the {hours.words}s of " if hours.closes else ""
    clocks = "" if hours.closes else f" ({where.key} days)"
    words = f"over {kind}{first} to {last}{clocks}" if count > 1 else _called(hours, where, last)
    return Span(words, parts[0][0], parts[-1][1], where.key, parts, hours)


def _range(period: Period, now: datetime, timeframe: Timeframe) -> Span:
    where = zone(period.timezone or "UTC")
    said = period.from_ or ""
    if period.to is None:
        found = read_stretch(said, now=now, timeframe=timeframe, clocks=where)
        if found is None:
            raise InvalidRequest(
                f"`{said}` is an instant, and a range needs an end.", remedy="Give `to`, or use kind anchored."
            )
        begins, ends = found.begins, found.ends
    else:
        begins = begin_of(said, now=now, timeframe=timeframe, clocks=where)
        ends = end_of(period.to, now=now, timeframe=timeframe, clocks=where)
    if ends <= begins:
        raise InvalidRequest(
            f"The range ends at {ends:%Y-%m-%d %H:%M} UTC, before it begins at {begins:%Y-%m-%d %H:%M} UTC.",
            remedy="Give `from` before `to`.",
        )
    local = ends.astimezone(where)
    # Midnight ends the day before: a range of whole days is called by its days.
    whole = all(each.astimezone(where).timetz().replace(tzinfo=None) == datetime.min.time() for each in (begins, ends))
    first = begins.astimezone(where)
    if whole:
        last = local - timedelta(hours=12)
        one = last.date() == first.date()
        days = f"over {first:%Y-%m-%d} to {last:%Y-%m-%d} ({where.key} days)"
        words = _called(SESSIONS["day"], where, f"{first:%Y-%m-%d}") if one else days
        words += " so far" if ends > now else ""
    else:
        words = f"from {begins:%Y-%m-%d %H:%M} to {min(ends, now).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return Span(words, begins, ends, where.key)
