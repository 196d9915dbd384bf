"""Until when an order is good, as people say it: `friday`, `tomorrow 18:00`, `2026-11-27`, `27 nov`. UTC throughout."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from engines.errors import InvalidRequest

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_OF_MONTH: Final = re.compile(rf"(\d{{1,2}}) ({'|'.join(MONTHS)})")
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?")
_HALF_DAY: Final = re.compile(r"(1[0-2]|[1-9]) ?([ap])\.?m")


def end_of(words: str, now: datetime) -> datetime:
    """The instant that these words name, seen from `now`; a day without a time is good to its end.

    A weekday is the next one, today included; a time alone is the next one that comes. An ISO 8601 instant is itself,
    in UTC where it names no offset.

    Raises:
        InvalidRequest: the words name none.
    """
    said = " ".join(words.lower().split()).removesuffix(" utc")
    instant = _instant(said)
    if instant is not None:
        return instant
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
        remedy="Say a day or a time in UTC: friday, tomorrow 18:00, 2026-11-27.",
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
    clock = _CLOCK.fullmatch(said)
    if clock:
        return timedelta(hours=int(clock[1]), minutes=int(clock[2]))
    half = _HALF_DAY.fullmatch(said)
    return timedelta(hours=int(half[1]) % 12 + 12 * (half[2] == "p")) if half else None


def _day(said: str, now: datetime) -> date | None:
    today = now.date()
    if said in {"today", "tomorrow"}:
        return today + timedelta(days=said == "tomorrow")
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


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
