"""When the periods of an anchored average begin: sessions, weeks and months of a time zone, or events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal, get_args

import numpy as np

from engines.domain.candles import Times
from engines.domain.timeframe import from_ms, to_ms
from engines.errors import InvalidRequest
from engines.volume_profile.local_time import opening_ms, time_of_day, zone

Calendar = Literal["session", "week", "month"]
Anchor = Calendar | datetime | Sequence[datetime]
CALENDARS: Final[tuple[Calendar, ...]] = get_args(Calendar)
_DAY: Final = timedelta(days=1)
# No period of the calendar lasts longer, whatever the clocks do.
_LONGEST_MS: Final = 33 * 86_400_000


@dataclass(frozen=True, slots=True)
class Anchors:
    """Where an average starts over.

    Attributes:
        anchor: `session` (a day), `week` (from Monday) or `month` of the time zone, or one or more aware times; a
            candle belongs to the newest anchor at or before its open.
        timezone: IANA name; it moves with daylight saving time. Unused for times.
        session_start: local time of day at which a session, and the first one of a week or month, begins: `09:30`.

    Raises:
        InvalidRequest: one of them is not what it should be.
    """

    anchor: Anchor = "session"
    timezone: str = "UTC"
    session_start: str = "00:00"

    def __post_init__(self) -> None:
        if isinstance(self.anchor, str) and self.anchor not in CALENDARS:
            raise InvalidRequest(
                f"anchor is {self.anchor!r}.", remedy=f"Use {', '.join(CALENDARS)}, or a time with its zone."
            )
        zone(self.timezone)
        time_of_day(self.session_start)
        if not isinstance(self.anchor, str):
            self._events()

    def periods(self, open_time: Times, *, none: int) -> Times:
        """Start of the period that each candle belongs to.

        Args:
            open_time: shape (n,), milliseconds since the epoch, ascending.
            none: what stands for candles before the first event.

        Returns:
            Shape (n,), milliseconds since the epoch, each at or before its candle's open.
        """
        if len(open_time) == 0:
            return np.empty(0, dtype=np.int64)
        starts = self._starts(int(open_time[0]), int(open_time[-1]))
        found = np.searchsorted(starts, open_time, side="right") - 1
        return np.where(found < 0, none, starts[np.maximum(found, 0)])

    def period_at(self, open_time: int, *, none: int) -> tuple[int, int]:
        """Start of the period that a candle belongs to, and of the one after it.

        Args:
            open_time: of the candle, milliseconds since the epoch.
            none: stands for the start where the first event is still to come; as `periods` has it.

        Returns:
            Milliseconds since the epoch, start <= open_time < end; an end that never comes where the last event passed.
        """
        starts = self._starts(open_time, open_time + _LONGEST_MS)
        found = int(np.searchsorted(starts, open_time, side="right"))
        begin = none if found == 0 else int(starts[found - 1])
        return begin, int(starts[found]) if found < len(starts) else np.iinfo(np.int64).max

    def _starts(self, first_ms: int, last_ms: int) -> Times:
        if not isinstance(self.anchor, str):
            return self._events()
        where, start = zone(self.timezone), time_of_day(self.session_start)
        first, last = (from_ms(at).astimezone(where).date() for at in (first_ms, last_ms))
        days = _openings(self.anchor, first, last)
        return np.array([opening_ms(day, start, where) for day in days], dtype=np.int64)

    def _events(self) -> Times:
        anchor: Any = self.anchor
        times = [anchor] if isinstance(anchor, datetime) else list(anchor)
        if not times or not all(isinstance(each, datetime) for each in times):
            raise InvalidRequest(f"anchor is {anchor!r}.", remedy="Give at least one aware time.")
        return np.unique(np.array([to_ms(each) for each in times], dtype=np.int64))


def _openings(calendar: Calendar, first: date, last: date) -> Iterator[date]:
    """Opening days of every period that could hold the days from first to last."""
    # The first candle may lie before its own day's session start, and so in the period before.
    day = first - _DAY
    if calendar == "week":
        day -= timedelta(days=day.weekday())
    elif calendar == "month":
        day = day.replace(day=1)
    while day <= last:
        yield day
        if calendar == "month":
            day = (day + 31 * _DAY).replace(day=1)
        else:
            day += _DAY * (7 if calendar == "week" else 1)
