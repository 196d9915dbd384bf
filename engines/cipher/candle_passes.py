"""Passes over the chart's candles as they are: whether they can be, parts of them, and bodies as a share of ranges.

Loading this module loads numba.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.cipher.calls import (
    COLUMNS,
    LEVELS,
    MASKS,
    PER_SYMBOL,
    PLAN,
    ROWS,
    SIZE,
    SLOTS,
    SYMBOLS,
    WORK_ROWS,
    WORK_WIDTH,
)
from engines.cipher.layout import Wholes
from engines.cipher.primitives import Floats, Masks
from engines.compiled import floats_at, step, wholes_at

Times = NDArray[np.int64]
# Open, high, low and close.
Candles = tuple[Floats, Floats, Floats, Floats]


@step
def arrays_of(address: int) -> tuple[int, Times, Candles, Wholes, Floats, Floats, Floats, Floats, Masks]:
    """What a kernel is called on: candles a symbol, times, candles, plan, levels, states, scratch, values and masks."""
    call = wholes_at(address, SIZE)
    rows, times = call[ROWS], wholes_at(call[0], call[ROWS])
    first, top = floats_at(call[1], rows), floats_at(call[2], rows)
    bottom, last = floats_at(call[3], rows), floats_at(call[4], rows)
    plan, levels = wholes_at(call[5], call[PLAN]), floats_at(call[6], call[LEVELS])
    states = floats_at(call[7], (call[SYMBOLS], call[SLOTS]))
    work, values = floats_at(call[8], (call[WORK_ROWS], call[WORK_WIDTH])), floats_at(call[9], (call[COLUMNS], rows))
    masks = wholes_at(call[10], call[MASKS])
    return call[PER_SYMBOL], times, (first, top, bottom, last), plan, levels, states, work, values, masks


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
