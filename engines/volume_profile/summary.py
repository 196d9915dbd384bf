"""The levels around a price that a trader looks at, as figures; `reading` and `telling` put them into words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from engines.domain.instruments import Instrument
from engines.domain.timeframe import duration_ms, from_ms
from engines.market.data import MarketData
from engines.volume_profile.acceptance import Acceptance, read_acceptance
from engines.volume_profile.desk import DeskProfile, DeskSessions, desk_naked_pocs, desk_sessions
from engines.volume_profile.developing import developing_profile
from engines.volume_profile.naked import NakedPoc
from engines.volume_profile.sessions import SessionProfile
from engines.volume_profile.tpo import TpoProfile, compute_tpo
from engines.volume_profile.tpo_params import TpoParams
from engines.volume_profile.vwap import compute_vwap
from engines.volume_profile.vwap_anchors import Calendar

_MINUTE_MS: Final = 60_000
# A day's range makes this many rows of letters: single prints and poor extremes depend on the height of a row.
TPO_ROWS: Final = 40
MOST_TPO_ROWS: Final = 1_000
HALF_HOUR: Final = 30


@dataclass(frozen=True, slots=True)
class Average:
    """The volume-weighted average since the period began, and its deviation; quote units."""

    period: Calendar
    vwap: float
    sigma: float


@dataclass(frozen=True, slots=True)
class Drift:
    """How the session's point of control has moved; quote units.

    Attributes:
        poc: where it is now.
        since: when it came there, by more than a row; the session's opening when it never moved.
        before: where it was before that, None when it never moved.
    """

    poc: float
    since: datetime
    before: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """What lies around the last close of a chart.

    Attributes:
        average: None while the period has no volume.
        sessions: session profiles, the last one of the last candle; None where the candles are too long for sessions.
        naked: points of control of completed sessions that were not traded at since, oldest first.
        drift: of the session of the last candle; None where it has no volume.
        letters: its market profile, None where the candles are longer than an hour.
        letters_before: the market profile of the session before, None also where it is not whole.
    """

    desk: DeskProfile
    instrument: Instrument
    acceptance: Acceptance
    average: Average | None
    sessions: DeskSessions | None = None
    naked: tuple[NakedPoc, ...] = ()
    drift: Drift | None = None
    letters: TpoProfile | None = None
    letters_before: TpoProfile | None = None

    @property
    def close(self) -> float:
        """Last close of the chart."""
        return float(self.desk.candles.close[-1])


def desk_levels(
    market: MarketData,
    desk: DeskProfile,
    instrument: Instrument,
    *,
    timezone: str = "UTC",
    session_start: str = "00:00",
) -> Levels:
    """Everything that `Levels` holds, from the candles of a desk profile.

    No look-ahead: the desk's candles are all there is. For which charts there are sessions, see `DeskSessions`.

    Args:
        timezone: IANA name of the zone whose days are the sessions.
        session_start: local time of day at which a session begins.

    Raises:
        InvalidRequest: there is no such time zone or time of day.
        VenueUnavailable: the market did not answer.
    """
    weighed = weighed_levels(desk, instrument, timezone=timezone, session_start=session_start)
    sessions = desk_sessions(market, desk, timezone=timezone, session_start=session_start)
    if not sessions.sessions:
        return weighed
    row_height = usual_row_height(sessions, instrument)
    now, before = _last_two(sessions)
    return Levels(
        desk=desk,
        instrument=instrument,
        acceptance=weighed.acceptance,
        average=weighed.average,
        sessions=sessions,
        naked=desk_naked_pocs(sessions),
        drift=_drift(now) if now else None,
        letters=session_letters(sessions, now, row_height) if now else None,
        letters_before=session_letters(sessions, before, row_height) if before else None,
    )


def weighed_levels(
    desk: DeskProfile, instrument: Instrument, *, timezone: str = "UTC", session_start: str = "00:00"
) -> Levels:
    """Only what `reading` weighs for and against: value, acceptance and the average; asks no market.

    Raises:
        InvalidRequest: there is no such time zone or time of day.
    """
    profile = desk.profile
    return Levels(
        desk=desk,
        instrument=instrument,
        acceptance=read_acceptance(desk.candles, profile.val, profile.vah),
        average=_average(desk, timezone, session_start),
    )


def _average(desk: DeskProfile, timezone: str, session_start: str) -> Average | None:
    period = desk.average_period
    found = compute_vwap(desk.averaged, period, timezone, session_start=session_start)
    vwap, sigma = float(found.vwap[-1]), float(found.sigma[-1])
    return None if np.isnan(vwap) else Average(period, vwap, sigma)


def _last_two(sessions: DeskSessions) -> tuple[SessionProfile | None, SessionProfile | None]:
    """The session of the last candle, and the one before where its opening is among the candles."""
    found = sessions.sessions
    if not found or found[-1].last_row != len(sessions.candles) - 1:
        return None, None
    return found[-1], found[-2] if len(found) > 1 and found[-2].complete else None


def usual_row_height(sessions: DeskSessions, instrument: Instrument) -> float:
    """Height of a row of letters in whole ticks, so that a usual session's range makes 40 of them; quote units."""
    usual = float(np.median([_span(sessions, each) for each in sessions.sessions]))
    tick = float(instrument.tick_size)
    return max(1, round(usual / TPO_ROWS / tick)) * tick


def session_letters(sessions: DeskSessions, session: SessionProfile, row_height: float) -> TpoProfile | None:
    """The market profile of one of the sessions; None where their candles are longer than an hour."""
    minutes = duration_ms(sessions.built_from) // _MINUTE_MS
    if minutes > 60:
        return None
    block = HALF_HOUR if HALF_HOUR % minutes == 0 else 60
    # A range out of all proportion, of one freak candle, gets coarser rows instead of thousands.
    times = max(1, math.ceil(_span(sessions, session) / (MOST_TPO_ROWS * row_height)))
    params = TpoParams(
        rows=None, row_height=times * row_height, block_minutes=block, initial_balance_blocks=60 // block
    )
    rows = slice(session.first_row, session.last_row + 1)
    return compute_tpo(sessions.candles[rows], params, opens=session.opens)


def _span(sessions: DeskSessions, session: SessionProfile) -> float:
    rows = slice(session.first_row, session.last_row + 1)
    return float(sessions.candles.high[rows].max() - sessions.candles.low[rows].min())


def _drift(session: SessionProfile) -> Drift | None:
    profile = session.profile
    if profile is None:
        return None
    candles = profile.candles
    poc = developing_profile(candles, profile.params).poc
    moved = np.flatnonzero(~(np.abs(poc - poc[-1]) <= 1.5 * profile.row_height))
    if len(moved) == 0 or np.isnan(poc[moved[-1]]):
        return Drift(float(poc[-1]), session.opens, None)
    last = int(moved[-1])
    # Known when the candle that moved it had closed.
    since = from_ms(int(candles.open_time[last + 1]) + duration_ms(candles.timeframe))
    return Drift(float(poc[-1]), since, float(poc[last]))
