"""Time zones and local times of day, as sessions and anchors are given them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from engines.domain.timeframe import to_ms
from engines.errors import InvalidRequest


def zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name.

    Raises:
        InvalidRequest: there is none of this name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidRequest(
            f"{name!r} is not a time zone known here.", remedy="Use an IANA name, as UTC or America/New_York."
        ) from error


def time_of_day(text: str) -> time:
    """A local time of day out of hours and minutes.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        hour, minute = (int(part) for part in text.split(":"))
        return time(hour, minute)
    except ValueError as error:
        raise InvalidRequest(f"{text!r} is not a time of day.", remedy="Write it as 09:30.") from error


def opening_ms(day: date, start: time, where: ZoneInfo) -> int:
    """When a local day's session opens, milliseconds since the epoch; where clocks skip the time, as much later."""
    return to_ms(datetime.combine(day, start, tzinfo=where).astimezone(UTC))
