"""Trading sessions: which candles belong to which, in which time zone, and the profile of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from engines.domain.candles import CandleFrame
from engines.domain.timeframe import duration_ms, from_ms
from engines.errors import InsufficientData, InvalidRequest
from engines.soundness import require_count
from engines.volume_profile.local_time import opening_ms, time_of_day, zone
from engines.volume_profile.params import ProfileParams
from engines.volume_profile.profile import VolumeProfile, compute_volume_profile

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Session:
    """Candles that belong together, of a frame they are rows of.

    Attributes:
        name: local date on which it opens, as 2026-03-02.
        first_row, last_row: rows of the frame, both included.
        opens, closes: aware UTC; a day apart, or an hour more or less where the clocks change.
        complete: its last candle has closed, and the candles reach back to its opening.
    """

    name: str
    first_row: int
    last_row: int
    opens: datetime
    closes: datetime
    complete: bool


@dataclass(frozen=True, slots=True, eq=False)
class SessionProfile(Session):
    """A session and its volume profile.

    Attributes:
        profile: None where the session has no volume.
    """

    profile: VolumeProfile | None

    @property
    def poc(self) -> float | None:
        """Point of control; None where the session has no volume."""
        return None if self.profile is None else self.profile.poc


def find_sessions(candles: CandleFrame, *, timezone: str = "UTC", session_start: str = "00:00") -> tuple[Session, ...]:
    """Cut candles into days that begin at a local time of day.

    A candle belongs to the session in which it opens. Days without candles make no session. A session is complete when
    the candles reach to its close; the first one only if a candle opens with it, since the candles before may merely
    not be there. Where the clocks skip the time of day, the session opens as much later.

    Args:
        candles: n >= 0 closed candles of a timeframe up to one day, ascending open_time.
        timezone: IANA name, as America/New_York.
        session_start: local time of day, as 09:30.

    Raises:
        InvalidRequest: unknown time zone, a time of day that is none, or candles longer than a day.
    """
    where, start = zone(timezone), time_of_day(session_start)
    if duration_ms(candles.timeframe) > _DAY.total_seconds() * 1000:
        raise InvalidRequest(
            f"{candles.timeframe} candles are longer than a session.", remedy="Use a timeframe of one day or less."
        )
    if len(candles) == 0:
        return ()
    times = candles.open_time
    day = from_ms(int(times[0])).astimezone(where).date() - _DAY
    last = from_ms(int(times[-1])).astimezone(where).date() + _DAY
    openings = [(day + count * _DAY) for count in range((last - day).days + 2)]
    bounds = np.array([opening_ms(opening, start, where) for opening in openings])
    rows = np.searchsorted(times, bounds)
    known = int(times[-1]) + duration_ms(candles.timeframe)
    return tuple(
        Session(
            name=openings[index].isoformat(),
            first_row=int(rows[index]),
            last_row=int(rows[index + 1]) - 1,
            opens=from_ms(int(bounds[index])),
            closes=from_ms(int(bounds[index + 1])),
            complete=bool(known >= bounds[index + 1] and (rows[index] > 0 or times[0] == bounds[index])),
        )
        for index in range(len(openings) - 1)
        if rows[index] < rows[index + 1]
    )


def session_profiles(
    candles: CandleFrame, params: ProfileParams | None = None, *, timezone: str = "UTC", session_start: str = "00:00"
) -> tuple[SessionProfile, ...]:
    """The volume profile of every session, each made of its own candles only.

    Args:
        candles: n >= 1 closed candles of a timeframe up to one day.
        params: rows and value area; with `row_height` the rows of all sessions lie on one grid.
        timezone, session_start: as `find_sessions` has them.

    Returns:
        Sessions by time; the last one may still run, `complete` says so.

    Raises:
        InsufficientData: there is no candle.
        InvalidRequest: as `find_sessions` and `compute_volume_profile`.
    """
    return tuple(each_session_profile(candles, params, timezone=timezone, session_start=session_start))


def each_session_profile(
    candles: CandleFrame, params: ProfileParams | None = None, *, timezone: str = "UTC", session_start: str = "00:00"
) -> Iterator[SessionProfile]:
    """As `session_profiles`, one after the other: whoever keeps only the levels of years needs little memory."""
    require_count(candles, 1, what="a session profile")
    for session in find_sessions(candles, timezone=timezone, session_start=session_start):
        part = candles[session.first_row : session.last_row + 1]
        try:
            profile = compute_volume_profile(part, params)
        except InsufficientData:
            profile = None
        yield SessionProfile(
            session.name,
            session.first_row,
            session.last_row,
            session.opens,
            session.closes,
            session.complete,
            profile,
        )
