"""Stretches of time as people say them: `last week`, `this month`, `november`, `last 5 days`, `day before monday`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from engines.domain.timeframe import Timeframe, duration_ms, floor_ms, from_ms, to_ms
from engines.errors import InvalidRequest
from tools.moments import Moment, read_moment

REMEDY: Final = "Name it as `last week`, `yesterday`, `tuesday`, `2026-03-08`, `last 5 days` or `november`."
_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_CALENDAR: Final = re.compile(
    r"(?:the )?(this|current|last|previous|prior) (week|month|quarter|year|weekend)|(?:the )?(weekend)"
    r"|(week|month|quarter|year) to date"
)
_ROLLING: Final = re.compile(
    r"(?:the )?(?:last|past|previous) (?:(\d{1,4}) ?)?"
    r"(h(?:ours?)?|d(?:ays?)?|w(?:eeks?)?|m(?:in(?:ute)?s?)?|mo(?:nths?)?|months?|M)"
)
_BEFORE: Final = re.compile(r"(?:the )?(day|week|month) before (.+)")
_MONTH: Final = re.compile(
    rf"(?:in |the month of )?({'|'.join(f'{name[:3]}(?:{name[3:]})?' if name[3:] else name for name in _MONTHS)})"
    r"(?: (\d{4}))?"
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `begins` up to `ends`, aware UTC; it may end after the market's time, while it still goes on."""

    begins: datetime
    ends: datetime


def read_stretch(text: str, *, now: datetime, timeframe: Timeframe, clocks: tzinfo = UTC) -> Stretch | None:
    """The stretch of time that a text means, None where it means an instant.

    Weeks begin on Monday, days at midnight, by `clocks`. `last week` is the calendar's, `last 7 days` end now.

    Args:
        now: the market's time.
        timeframe: what `3 candles ago` counts.

    Raises:
        InvalidRequest: it is no time, can be read in two ways, or has not begun.
    """
    said = " ".join(text.strip().split())
    words = said.lower().removesuffix("'s")
    found = _before(words, now, timeframe, clocks) or _calendar(words, now, clocks)
    found = found or _rolling(said.removesuffix("'s"), now, timeframe) or _month(words, now, clocks)
    if found is None:
        moment = _moment(said, now, timeframe, clocks)
        found = None if moment.since is None else _whole(moment, now)
    if found is not None and found.begins >= now:
        raise InvalidRequest(
            f"`{text}` has not begun: this market's time is {now:%Y-%m-%d %H:%M} UTC.",
            remedy="Ask for a time that has passed.",
        )
    return found


def begin_of(text: str, *, now: datetime, timeframe: Timeframe, clocks: tzinfo = UTC) -> datetime:
    """The instant that a text means, or where the stretch it means begins.

    Raises:
        InvalidRequest: as `read_stretch`.
    """
    found = read_stretch(text, now=now, timeframe=timeframe, clocks=clocks)
    return found.begins if found else _moment(text, now, timeframe, clocks).at


def end_of(text: str, *, now: datetime, timeframe: Timeframe, clocks: tzinfo = UTC) -> datetime:
    """The instant that a text means, or where the stretch it means ends.

    Raises:
        InvalidRequest: as `read_stretch`.
    """
    found = read_stretch(text, now=now, timeframe=timeframe, clocks=clocks)
    return found.ends if found else _moment(text, now, timeframe, clocks).at


def _moment(text: str, now: datetime, timeframe: Timeframe, clocks: tzinfo) -> Moment:
    try:
        return read_moment(text, now=now, timeframe=timeframe, clocks=clocks)
    except InvalidRequest as error:
        if "can be read in one way" not in error.message:
            raise
        raise InvalidRequest(error.message, remedy=REMEDY) from error


def _whole(moment: Moment, now: datetime) -> Stretch:
    """A day or a part of one; of one under way its end is not known from here, and lies ahead."""
    assert moment.since is not None
    return Stretch(moment.since, moment.at if moment.at < now else max(now, moment.since + timedelta(microseconds=1)))


def _before(words: str, now: datetime, timeframe: Timeframe, clocks: tzinfo) -> Stretch | None:
    match = _BEFORE.fullmatch(words)
    if match is None or match[2] == "yesterday":
        return None
    later = begin_of(match[2], now=now, timeframe=timeframe, clocks=clocks)
    day = later.astimezone(clocks).date()
    if match[1] == "day":
        return _days(day - _DAY, day, clocks)
    if match[1] == "week":
        return _days(day - 7 * _DAY, day, clocks)
    first = day.replace(day=1)
    return _days((first - _DAY).replace(day=1), first, clocks)


def _calendar(words: str, now: datetime, clocks: tzinfo) -> Stretch | None:
    match = _CALENDAR.fullmatch(words)
    if match is None:
        return None
    unit = match[2] or match[3] or match[4]
    before = match[1] in {"last", "previous", "prior"}
    today = now.astimezone(clocks).date()
    if unit in {"week", "weekend"}:
        monday = today - today.weekday() * _DAY
        if unit == "week":
            return _days(monday - 7 * before * _DAY, monday + 7 * (1 - before) * _DAY, clocks)
        saturday = monday + 5 * _DAY
        # From Monday to Friday every "weekend" is the one before.
        return _days(*_weekend(saturday if today >= saturday and not before else saturday - 7 * _DAY), clocks)
    months = {"month": 1, "quarter": 3, "year": 12}[unit]
    first = today.replace(month=(today.month - 1) // months * months + 1, day=1)
    begin = _months_on(first, -months) if before else first
    return _days(begin, _months_on(begin, months), clocks)


def _weekend(saturday: date) -> tuple[date, date]:
    return saturday, saturday + 2 * _DAY


def _rolling(words: str, now: datetime, timeframe: Timeframe) -> Stretch | None:
    """ "last 5 days", up to the last close; "the past week" is seven days, "last week" the calendar's."""
    match = _ROLLING.fullmatch(words if words.endswith("M") else words.lower())
    if match is None or (match[1] is None and "past" not in words.lower()):
        return None
    count, unit = int(match[1] or 1), match[2]
    if count == 0:
        return None
    months = unit == "M" or unit.startswith("mo")
    length = 30 * _DAY if months else {"h": _HOUR, "d": _DAY, "w": 7 * _DAY, "m": timedelta(minutes=1)}[unit[0]]
    # An hour back from the last daily close would be a stretch of yesterday.
    longest = duration_ms("1d" if length >= _DAY else "1h" if length == _HOUR else "1m")
    closed = from_ms(floor_ms(to_ms(now), timeframe if duration_ms(timeframe) <= longest else "1m"))
    return Stretch(closed - count * length, closed)


def _month(words: str, now: datetime, clocks: tzinfo) -> Stretch | None:
    match = _MONTH.fullmatch(words)
    if match is None:
        return None
    today = now.astimezone(clocks).date()
    number = next(index for index, name in enumerate(_MONTHS, 1) if name.startswith(match[1]))
    year = int(match[2]) if match[2] else today.year - (number > today.month)
    if not 1900 <= year <= 9000:
        return None
    begin = date(year, number, 1)
    return _days(begin, _months_on(begin, 1), clocks)


def _months_on(first: date, count: int) -> date:
    """The first of a month so many months later, or earlier."""
    months = first.year * 12 + first.month - 1 + count
    return date(months // 12, months % 12 + 1, 1)


def _days(first: date, last: date, clocks: tzinfo) -> Stretch:
    """From midnight to midnight by the clocks; the last day is not in it."""
    begins, ends = (datetime.combine(day, time(0), clocks).astimezone(UTC) for day in (first, last))
    return Stretch(begins, ends)
