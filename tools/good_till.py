"""Until when an order is good, as people say it: `friday`, `tomorrow 18:00`, `27 nov`, `27th`, `3h`. UTC throughout."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from engines.errors import InvalidRequest

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
SPAN: Final = re.compile(r"(\d{1,3})([mhdw])")
"""A time from now on, such as `3h`."""
ORDINAL: Final = re.compile(r"(\d{1,2})(?:st|nd|rd|th)")
"""A day of the month, such as `27th`."""

_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_OF_MONTH: Final = re.compile(rf"(\d{{1,2}}) ({'|'.join(MONTHS)})")
_UNITS: Final = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?")
_HALF_DAY: Final = re.compile(r"(1[0-2]|[1-9]) ?([ap])\.?m")


def end_of(words: str, now: datetime) -> datetime:
    """The instant that these words name, seen from `now`; a day without a time is good to its end.

    A weekday or a day of the month is the next one, today included; a time alone is the next one that comes; weeks
    end with Sunday; `30m`, `3h`, `2d` and `1w` count from now. An ISO 8601 instant is itself, in UTC where it names no
    offset.

    Raises:
        InvalidRequest: the words name none.
    """
    said = " ".join(words.lower().split()).removesuffix(" utc")
    instant = _instant(said)
    if instant is not None:
        return instant
    span = SPAN.fullmatch(said)
    if span and int(span[1]):
        return now + int(span[1]) * _UNITS[span[2]]
    head, _, last = said.rpartition(" ")
    clock = _time_of_day(last) or _time_of_day(said)
    if clock is None:
        day = _day(said, now)
        if day is not None:
            return _midnight(day) + timedelta(days=1)
    elif _time_of_day(said) is not None:
        today = _midnight(now.date()) + clock
        return today if today > now else today + timedelta(days=1)
    else:
        day = _day(head, now)
        if day is not None:
            return _midnight(day) + clock
    raise InvalidRequest(
        f"{words!r} is no time that an order could be good till.",
        remedy="Say a day or a time in UTC: friday, tomorrow 18:00, 27th, 2026-11-27, end of week, 3h.",
    )


def _instant(said: str) -> datetime | None:
    """A whole ISO 8601 instant; a bare date is a day, which is another thing."""
    if "t" not in said or not said[:4].isdigit():
        return None
    try:
        told = datetime.fromisoformat(said.upper())
    except ValueError:
        return None
    return told.astimezone(UTC) if told.tzinfo else told.replace(tzinfo=UTC)


def _time_of_day(said: str) -> timedelta | None:
    if said == "noon":
        return timedelta(hours=12)
    clock = _CLOCK.fullmatch(said)
    if clock:
        return timedelta(hours=int(clock[1]), minutes=int(clock[2]))
    half = _HALF_DAY.fullmatch(said)
    return timedelta(hours=int(half[1]) % 12 + 12 * (half[2] == "p")) if half else None


def _day(said: str, now: datetime) -> date | None:
    today = now.date()
    if said in {"today", "midnight", "tomorrow"}:
        return today + timedelta(days=said == "tomorrow")
    if said == "end of week":
        return today + timedelta(days=6 - today.weekday())
    if said == "end of month":
        return today.replace(day=calendar.monthrange(today.year, today.month)[1])
    ordinal = ORDINAL.fullmatch(said)
    if ordinal:
        return _next_numbered(int(ordinal[1]), today)
    if said in WEEKDAYS:
        return today + timedelta(days=(WEEKDAYS.index(said) - today.weekday()) % 7)
    iso, of_month = _ISO.fullmatch(said), _OF_MONTH.fullmatch(said)
    try:
        if iso:
            return date(int(iso[1]), int(iso[2]), int(iso[3]))
        if of_month:
            month, day = MONTHS.index(of_month[2]) + 1, int(of_month[1])
            this_year = date(today.year, month, day)
            return this_year if this_year >= today else date(today.year + 1, month, day)
    except ValueError:
        return None
    return None


def _next_numbered(number: int, today: date) -> date | None:
    """The next day of that number, which not every month has."""
    ahead = (today + timedelta(days=days) for days in range(62))
    return next((day for day in ahead if day.day == number), None)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
