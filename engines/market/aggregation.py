"""Candles of a longer timeframe out of shorter ones, on UTC calendar boundaries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from engines.domain.candles import CandleFrame, Times
from engines.domain.timeframe import Timeframe, duration_ms, floor_ms


def best_source(timeframe: Timeframe, available: Iterable[Timeframe]) -> Timeframe | None:
    """The longest available timeframe whose candles fill `timeframe` exactly; None when there is none."""
    wanted = duration_ms(timeframe)
    fitting = [each for each in available if wanted % duration_ms(each) == 0]
    return max(fitting, key=duration_ms, default=None)


def aggregate(candles: CandleFrame, timeframe: Timeframe, *, complete_until_ms: int) -> CandleFrame:
    """Put candles together: open of the first, highest high, lowest low, close of the last, volume in sum.

    A candle is made only when it has closed, which is proven by data up to its end; so the newest period
    is left out while its last parts are missing, and the first when its beginning is. Holes in between
    are the market's (a weekend, no trade): such candles are made of what there is. No look-ahead. O(n).

    Args:
        candles: n closed candles whose timeframe divides `timeframe`.
        complete_until_ms: no candle that closes by then (milliseconds since the epoch) is still to come.
    """
    if len(candles) == 0:
        return replace(candles, timeframe=timeframe)
    periods = _periods(candles.open_time, timeframe)
    firsts = np.flatnonzero(np.diff(periods, prepend=periods[0] - 1))
    lasts = np.append(firsts[1:], len(periods)) - 1
    made = replace(
        candles,
        timeframe=timeframe,
        open_time=periods[firsts],
        open=candles.open[firsts],
        high=np.maximum.reduceat(candles.high, firsts),
        low=np.minimum.reduceat(candles.low, firsts),
        close=candles.close[lasts],
        volume=np.add.reduceat(candles.volume, firsts),
    )
    closed = int(np.searchsorted(made.open_time + duration_ms(timeframe), complete_until_ms, side="right"))
    begun = int(candles.open_time[0] != periods[0])
    return made[begun:closed]


def _periods(open_time: Times, timeframe: Timeframe) -> Times:
    anchor = floor_ms(0, timeframe)
    return open_time - (open_time - anchor) % duration_ms(timeframe)
