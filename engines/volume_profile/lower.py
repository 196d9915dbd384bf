"""Which shorter candles a profile is built from, and how they are had."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol, runtime_checkable

import numpy as np

from engines.domain.candles import CandleFrame
from engines.domain.timeframe import Timeframe, duration_ms, floor_ms, from_ms, to_ms
from engines.errors import InsufficientData, InvalidRequest
from engines.market.data import MarketData

# A range is built from the first of these of which it has fewer candles than `FEWER_THAN`.
RANGE_TIMEFRAMES: Final[tuple[Timeframe, ...]] = ("1m", "3m", "5m", "15m", "30m", "1h", "4h", "1d")
FEWER_THAN: Final = 5_000
# Shorter candles hold a longer one's volume when they sum to this share of it: exchanges round, holes leave out more.
_HELD: Final = 0.99
# What a market that answers in pages is asked for at most: more would keep a person waiting.
PAGES: Final = 2
# The longest chart timeframe for which a session is built from each; longer ones are built from hours. Ten minutes,
# which the rule has for charts of 31 to 60 minutes, are no timeframe of the desk: the next finer one stands in.
_SESSIONS: Final[tuple[tuple[int, Timeframe], ...]] = ((15, "1m"), (60, "5m"), (120, "15m"), (240, "30m"))
_MINUTE_MS: Final = 60_000
# Candles that sessions are built from at most: four years of a day's chart, a month of a quarter hour's.
MOST_SESSION_CANDLES: Final = 40_000
# Candles that reach back less, though the chart reaches further, would leave out the day before: longer ones are taken.
_REACH_MS: Final = 3 * 24 * 60 * _MINUTE_MS


@runtime_checkable
class PagedMarket(Protocol):
    """A market that answers in pages over a network: thousands of candles take it many requests."""

    @property
    def candles_per_request(self) -> int:
        """How many candles one request brings at most."""
        ...


def profile_timeframe(chart: Timeframe, span_ms: int, *, fewer_than: int = FEWER_THAN) -> Timeframe:
    """The timeframe that a profile over a range is built from: the finest that keeps the count of candles down.

    Args:
        chart: the range's own timeframe; never is a longer one chosen.
        span_ms: length of the range in milliseconds.
        fewer_than: the range has fewer candles than this.

    Source: TradingView's published rule for fixed, visible and anchored ranges. Deviation: a timeframe that does not
    divide the chart's is passed over, so that the range is covered exactly.
    """
    return next(iter(_finer(chart, span_ms, fewer_than)), chart)


def session_timeframe(chart: Timeframe) -> Timeframe:
    """The timeframe that session profiles on a chart of this timeframe are built from.

    Source: TradingView's published table; where it says ten minutes, five.
    """
    minutes = duration_ms(chart) // _MINUTE_MS
    return next((lower for longest, lower in _SESSIONS if minutes <= longest), "1h")


def lower_candles(market: MarketData, candles: CandleFrame, *, wanted: Timeframe | None = None) -> CandleFrame:
    """The shorter candles that make up a chart's candles.

    Where the market has none of the wanted length, or not for every candle with volume, the next longer is tried, and
    in the end the chart's own candles are given, at once where they hold no volume. A market that answers in pages is
    asked for two pages of candles at most, which makes them coarser, and for no more than it gave before: exchanges
    reach back a number of candles. No look-ahead: what is given ends with the chart's last candle.

    Args:
        market: where the candles come from.
        candles: n >= 1 closed candles of a chart.
        wanted: a timeframe at least as fine as `profile_timeframe` would choose; that when None.

    Raises:
        VenueUnavailable: the market did not answer.
    """
    first_ms, end_ms = int(candles.open_time[0]), to_ms(candles.as_of)
    span_ms = end_ms - first_ms
    if not (candles.volume > 0).any():
        return candles
    fewer_than = FEWER_THAN if wanted is None else span_ms // duration_ms(wanted) + 1
    if isinstance(market, PagedMarket):
        fewer_than = min(fewer_than, PAGES * market.candles_per_request)
    for timeframe in _finer(candles.timeframe, span_ms, fewer_than):
        count = span_ms // duration_ms(timeframe)
        if count >= fewer_than:
            continue
        try:
            found = market.closed_candles(candles.symbol, timeframe, count=count, as_of=from_ms(end_ms))
        except (InsufficientData, InvalidRequest):
            continue
        found = found[int(np.searchsorted(found.open_time, first_ms)) :]
        if _covers(found, candles):
            return found
        if isinstance(market, PagedMarket):
            fewer_than = min(fewer_than, len(found) + 1)
    return candles


def session_candles(market: MarketData, candles: CandleFrame, *, most: int = MOST_SESSION_CANDLES) -> CandleFrame:
    """The candles that the sessions of a chart are built from: as long as `session_timeframe` says, however many.

    A session's levels must not move with the number of candles on the chart. So where there are too many, or the market
    has them for a part of the chart only, the older sessions are left out instead of taking longer candles. Longer ones
    are tried where those there are do not reach back three days; in the end the chart's own candles are given, at once
    where they hold no volume. No look-ahead: what is given ends with the chart's last candle.

    Args:
        market: where the candles come from.
        candles: n >= 1 closed candles of a chart.
        most: candles asked for at most; two pages of a market that answers in pages.

    Raises:
        VenueUnavailable: the market did not answer.
    """
    first_ms, end_ms = int(candles.open_time[0]), to_ms(candles.as_of)
    if not (candles.volume > 0).any():
        return candles
    if isinstance(market, PagedMarket):
        most = min(most, PAGES * market.candles_per_request)
    shortest = duration_ms(session_timeframe(candles.timeframe))
    for timeframe in _finer(candles.timeframe, 0, 1):
        part = duration_ms(timeframe)
        count = min((end_ms - first_ms) // part, most)
        if part < shortest or count * part < min(_REACH_MS, (end_ms - first_ms) // part * part):
            continue
        try:
            found = market.closed_candles(candles.symbol, timeframe, count=count, as_of=from_ms(end_ms))
        except (InsufficientData, InvalidRequest):
            continue
        found = found[int(np.searchsorted(found.open_time, max(first_ms, _covered_since(found, candles)))) :]
        if len(found) and int(found.open_time[0]) <= max(first_ms, end_ms - _REACH_MS) + duration_ms(candles.timeframe):
            return found
    return candles


def _finer(chart: Timeframe, span_ms: int, fewer_than: int) -> Iterable[Timeframe]:
    """Timeframes shorter than the chart's of which the span has few enough candles, finest first."""
    whole = duration_ms(chart)
    for timeframe in RANGE_TIMEFRAMES:
        part = duration_ms(timeframe)
        if part < whole and whole % part == 0 and span_ms // part < fewer_than:
            yield timeframe


def _covers(found: CandleFrame, candles: CandleFrame) -> bool:
    """Whether the shorter candles hold the volume of every candle."""
    return _covered_since(found, candles) <= int(candles.open_time[0])


def _covered_since(found: CandleFrame, candles: CandleFrame) -> int:
    """Close of the last candle whose volume the shorter ones do not hold, or the first open; milliseconds."""
    span, anchor = duration_ms(candles.timeframe), floor_ms(0, candles.timeframe)
    opens = found.open_time - (found.open_time - anchor) % span
    rows = np.minimum(np.searchsorted(candles.open_time, opens), len(candles) - 1)
    inside = candles.open_time[rows] == opens
    # What is damaged is not passed over here: the engines refuse it, and say why.
    held = np.bincount(rows[inside], weights=np.abs(found.volume[inside]), minlength=len(candles))
    bare = candles.open_time[held < _HELD * candles.volume]
    return int(bare[-1]) + span if len(bare) else int(candles.open_time[0])
