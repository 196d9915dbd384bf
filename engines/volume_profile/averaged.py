"""Candles behind an average price: those of a chart, and those before them back to the opening of a period."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np

from engines.domain.candles import CandleFrame
from engines.domain.timeframe import duration_ms, from_ms
from engines.errors import InsufficientData
from engines.market.data import MarketData
from engines.volume_profile.vwap_anchors import Anchors, Calendar

_COLUMNS: Final = ("open_time", "open", "high", "low", "close", "volume")


def begins_before(candles: CandleFrame, period: Calendar, *, row: int) -> bool:
    """Whether the day, week or month (UTC) of a row began before the first of n >= 1 candles."""
    return _opening(candles, period, row) < int(candles.open_time[0])


def reaching_back(market: MarketData, candles: CandleFrame, period: Calendar) -> CandleFrame:
    """The candles, with those before them back to the opening of the first one's day, week or month (UTC).

    One more is asked for: a candle before that opening shows that none of the period is missing. The same candles where
    nothing is missing, or the market has no earlier ones. No look-ahead: what is added lies before.

    Args:
        candles: n >= 1 closed candles.

    Raises:
        VenueUnavailable: the market did not answer.
    """
    first = int(candles.open_time[0])
    if not begins_before(candles, period, row=0):
        return candles
    count = -(-(first - _opening(candles, period, 0)) // duration_ms(candles.timeframe)) + 1
    try:
        before = market.closed_candles(candles.symbol, candles.timeframe, count=count, as_of=from_ms(first))
    except InsufficientData:
        return candles
    joined: dict[str, Any] = {
        name: np.concatenate((getattr(before, name), getattr(candles, name))) for name in _COLUMNS
    }
    return replace(candles, **joined)


def _opening(candles: CandleFrame, period: Calendar, row: int) -> int:
    time = candles.open_time[row]
    return int(Anchors(period).periods(np.array([time], dtype=np.int64), none=0)[0])
