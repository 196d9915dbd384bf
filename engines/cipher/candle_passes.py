"""Passes over the chart's candles as they are: whether they can be, parts of them, and bodies as a share of ranges.

Loading this module loads numba.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.cipher.primitives import Floats
from engines.compiled import step

Times = NDArray[np.int64]
# Open, high, low and close.
Candles = tuple[Floats, Floats, Floats, Floats]


@step
def unsound_row(times: Times, candles: Candles, last_time: float) -> int:
    """Row of the first candle that cannot be, or that does not come after the one before it; -1 without one."""
    open_, high, low, close = candles
    wrong = 0
    for t in range(len(times)):
        # An undefined value fails every comparison, so it fails these; an infinite high is the one left over.
        sound = (low[t] > 0.0) & (low[t] <= open_[t]) & (low[t] <= close[t])
        sound &= (high[t] >= open_[t]) & (high[t] >= close[t]) & (high[t] < np.inf)
        wrong += 0 if sound else 1
    for t in range(1, len(times)):
        wrong += 0 if times[t] > times[t - 1] else 1
    if wrong == 0 and (len(times) == 0 or times[0] > last_time):
        return -1
    # Counted without a branch above, looked for one by one here.
    last = last_time
    for t in range(len(times)):
        sound = (low[t] > 0.0) & (low[t] <= open_[t]) & (low[t] <= close[t]) & (times[t] > last)
        sound &= (high[t] >= open_[t]) & (high[t] >= close[t]) & (high[t] < np.inf)
        if not sound:
            return t
        last = times[t]
    return -1


@step
def part_of(candles: Candles, begin: int, end: int) -> Candles:
    """The candles of these rows."""
    open_, high, low, close = candles
    return open_[begin:end], high[begin:end], low[begin:end], close[begin:end]


@step
def flow_pass(candles: Candles, multiplier: float, flow: Floats) -> None:
    """Body as a share of the range; undefined where a candle has no range."""
    open_, high, low, close = candles
    for t in range(len(close)):
        flow[t] = (close[t] - open_[t]) / (high[t] - low[t]) * multiplier
