"""The desk's own profiles: of a chart's last candles, built from the shorter candles behind them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from engines.domain.candles import CandleFrame
from engines.domain.timeframe import Timeframe, duration_ms
from engines.market.data import MarketData
from engines.volume_profile.lower import lower_candles, session_timeframe
from engines.volume_profile.naked import NakedMode, NakedPoc, naked_pocs
from engines.volume_profile.params import ProfileParams
from engines.volume_profile.profile import DESK_LOOKBACK, DESK_PROFILE, VolumeProfile, compute_volume_profile
from engines.volume_profile.sessions import SessionProfile, session_profiles
from engines.volume_profile.vwap_anchors import Calendar

_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True, eq=False)
class DeskProfile:
    """A chart's volume profile and what it was built from.

    Attributes:
        profile: volume of `lower` by price; its own `candles` are the chart's, against whose close it is read.
        candles: the chart's closed candles.
        lower: the shorter candles that make them up, or the same ones where the market has none.
    """

    profile: VolumeProfile
    candles: CandleFrame
    lower: CandleFrame

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
        """Whose average price the desk looks at: a day's up to an hour, a week's up to half a day, else a month's."""
        hours = duration_ms(self.timeframe) / _HOUR_MS
        return "session" if hours <= 1 else "week" if hours <= 12 else "month"

    @property
    def has_sessions(self) -> bool:
        """Whether days can be told: longer candles than four hours put several levels of a day into one candle."""
        return duration_ms(self.built_from) <= 4 * _HOUR_MS


@dataclass(frozen=True, slots=True, eq=False)
class DeskSessions:
    """The session profiles of a chart's candles; rows count in `candles`, which they were built from."""

    sessions: tuple[SessionProfile, ...]
    candles: CandleFrame

    @property
    def built_from(self) -> Timeframe:
        """Of the candles whose volume was spread."""
        return self.candles.timeframe


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
    return DeskProfile(replace(compute_volume_profile(lower, params), candles=candles), candles, lower)


def desk_sessions(
    market: MarketData, desk: DeskProfile, *, timezone: str = "UTC", session_start: str = "00:00"
) -> DeskSessions:
    """A profile for each session that the chart's candles reach into, the last one perhaps still under way.

    The candles behind the chart's profile serve when they are as fine as sessions need; else finer ones are asked for.

    Args:
        timezone: IANA name of the zone whose days are the sessions.
        session_start: local time of day at which a session begins.

    Raises:
        InvalidRequest: there is no such time zone or time of day.
        VenueUnavailable: the market did not answer.
    """
    wanted, lower = session_timeframe(desk.timeframe), desk.lower
    if duration_ms(wanted) < duration_ms(lower.timeframe):
        lower = lower_candles(market, desk.candles, wanted=wanted)
    found = session_profiles(lower, desk.profile.params, timezone=timezone, session_start=session_start)
    return DeskSessions(found, lower)


def desk_naked_pocs(sessions: DeskSessions, *, mode: NakedMode = "strict") -> tuple[NakedPoc, ...]:
    """Points of control of completed sessions that price has not come back to, oldest first; see `naked_pocs`."""
    return tuple(each for each in naked_pocs(sessions.candles, sessions.sessions, mode) if each.naked)
