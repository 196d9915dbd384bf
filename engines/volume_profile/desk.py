"""The desk's own profiles: of a chart's last candles, built from the shorter candles behind them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from engines.domain.candles import CandleFrame
from engines.domain.timeframe import Timeframe, duration_ms
from engines.market.data import MarketData
from engines.volume_profile.averaged import begins_before, reaching_back
from engines.volume_profile.lower import lower_candles, session_candles, session_timeframe
from engines.volume_profile.naked import NakedMode, NakedPoc, naked_pocs
from engines.volume_profile.params import ProfileParams
from engines.volume_profile.profile import DESK_LOOKBACK, DESK_PROFILE, VolumeProfile, compute_volume_profile
from engines.volume_profile.sessions import SessionProfile, session_profiles
from engines.volume_profile.vwap_anchors import Calendar

_HOUR_MS: Final = 3_600_000
# Longer candles put several levels of a day into one of them.
_LONGEST_MS: Final = 4 * _HOUR_MS


@dataclass(frozen=True, slots=True, eq=False)
class DeskProfile:
    """A chart's volume profile and what it was built from.

    Attributes:
        profile: volume of `lower` by price; its own `candles` are the chart's, against whose close it is read.
        candles: the chart's closed candles.
        lower: the shorter candles that make them up, or the same ones where the market has none.
        earlier: `lower`, with those before it, where the period of its last candle began before them.
    """

    profile: VolumeProfile
    candles: CandleFrame
    lower: CandleFrame
    earlier: CandleFrame | None = None

    @property
    def timeframe(self) -> Timeframe:
        """The chart's."""
        return self.candles.timeframe

    @property
    def built_from(self) -> Timeframe:
        """Of the candles whose volume was spread."""
        return self.lower.timeframe

    @property
    def average_period(self) -> Calendar:
        """Whose average price the desk looks at; see `average_period`."""
        return average_period(self.timeframe)

    @property
    def averaged(self) -> CandleFrame:
        """Candles behind the average of the last period: all of it, where the market has it."""
        return self.lower if self.earlier is None else self.earlier


@dataclass(frozen=True, slots=True, eq=False)
class DeskSessions:
    """The session profiles of a chart's candles; rows count in `candles`, which they were built from.

    There are none where the chart's candles are longer than a day, or nothing shorter than four hours is behind them.
    """

    sessions: tuple[SessionProfile, ...]
    candles: CandleFrame

    @property
    def built_from(self) -> Timeframe:
        """Of the candles whose volume was spread."""
        return self.candles.timeframe


def average_period(timeframe: Timeframe) -> Calendar:
    """Whose average price is looked at: a day's up to an hour, a week's up to half a day, else a month's."""
    hours = duration_ms(timeframe) / _HOUR_MS
    return "session" if hours <= 1 else "week" if hours <= 12 else "month"


def desk_profile(
    market: MarketData,
    symbol: str,
    timeframe: Timeframe,
    *,
    as_of: datetime | None = None,
    count: int = DESK_LOOKBACK,
    params: ProfileParams = DESK_PROFILE,
    candles: CandleFrame | None = None,
) -> DeskProfile:
    """The volume profile of a chart's last candles, from the shorter candles that `lower_candles` finds behind them.

    No look-ahead: only candles closed at `as_of` (the market's now when None). Built anew at every call.

    Args:
        count: candles of the chart; fewer where there are fewer.
        candles: the chart's candles where they are at hand, which saves asking for them; `as_of` and `count` are
            unused then.

    Raises:
        NotFound: unknown symbol.
        InsufficientData: there is no candle, or none with volume.
        InvalidRequest: a candle cannot be.
        VenueUnavailable: the market did not answer.
    """
    if candles is None:
        candles = market.closed_candles(symbol, timeframe, count=count, as_of=as_of)
    lower = lower_candles(market, candles)
    profile = replace(compute_volume_profile(lower, params), candles=candles)
    period = average_period(candles.timeframe)
    cut = begins_before(lower, period, row=-1)
    return DeskProfile(profile, candles, lower, reaching_back(market, lower, period) if cut else None)


def desk_sessions(
    market: MarketData, desk: DeskProfile, *, timezone: str = "UTC", session_start: str = "00:00"
) -> DeskSessions:
    """A profile for each session that the chart's candles reach into, the last one perhaps still under way.

    A session's levels are the same however many candles the chart has: see `session_candles`.

    Args:
        timezone: IANA name of the zone whose days are the sessions.
        session_start: local time of day at which a session begins.

    Raises:
        InvalidRequest: there is no such time zone or time of day.
        VenueUnavailable: the market did not answer.
    """
    if duration_ms(desk.timeframe) > 24 * _HOUR_MS:
        return DeskSessions((), desk.candles)
    lower = desk.lower
    if lower.timeframe != session_timeframe(desk.timeframe):
        lower = session_candles(market, desk.candles)
    if duration_ms(lower.timeframe) > _LONGEST_MS:
        return DeskSessions((), lower)
    found = session_profiles(lower, desk.profile.params, timezone=timezone, session_start=session_start)
    return DeskSessions(found, lower)


def desk_naked_pocs(sessions: DeskSessions, *, mode: NakedMode = "strict") -> tuple[NakedPoc, ...]:
    """Points of control of completed sessions that price has not come back to, oldest first; see `naked_pocs`."""
    return tuple(each for each in naked_pocs(sessions.candles, sessions.sessions, mode) if each.naked)
