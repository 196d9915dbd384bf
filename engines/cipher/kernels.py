"""The kernels of both panels: check candles, then let the panel's parts work on a few hundred of them at a time.

One candle of a stream, a candle each of many symbols, and a whole history go through the same parts. Loading this
module loads numba.
"""

from __future__ import annotations

import numpy as np
from numba import types

from engines.cipher import calls, layout, reach
from engines.cipher.calls import (
    BEFORE,
    CLOSE,
    HIGH,
    LOW,
    MASKS,
    MOST_PARTS,
    OPEN,
    PARTS,
    PER_SYMBOL,
    SLOTS,
    STATES,
    SYMBOLS,
    TIMES,
    WORK_WIDTH,
)
from engines.cipher.layout import CANDLES, FRACTAL, LAST_TIME, Wholes
from engines.cipher.primitives import Candles
from engines.cipher.reach import Times, call_at, candles_of, state_of, times_of
from engines.compiled import aside, call_part, floats_at, kernel, step, wholes_at


@step
def is_sound(open_: float, high: float, low: float, close: float) -> bool:
    """Whether these can be the prices of a candle."""
    # An undefined value fails every comparison, so it fails these; an infinite high is the one left over.
    sound = (low > 0.0) & (low <= open_) & (low <= close)
    return sound & (high >= open_) & (high >= close) & (high < np.inf)


@aside
def unsound_row(times: Times, candles: Candles, last_time: float) -> int:
    """Row of the first candle that cannot be, or that does not come after the one before it; -1 without one."""
    open_, high, low, close = candles
    wrong = 0
    for t in range(len(times)):
        wrong += 0 if is_sound(open_[t], high[t], low[t], close[t]) else 1
    for t in range(1, len(times)):
        wrong += 0 if times[t] > times[t - 1] else 1
    if wrong == 0 and (len(times) == 0 or times[0] > last_time):
        return -1
    # Counted without a branch above, looked for one by one here.
    last = last_time
    for t in range(len(times)):
        if not (is_sound(open_[t], high[t], low[t], close[t]) and times[t] > last):
            return t
        last = times[t]
    return -1


@step
def work_on(call: Wholes, address: int, symbol: int, begin: int, end: int) -> None:
    """Let every part work on these rows of a symbol."""
    for k in range(PARTS, PARTS + MOST_PARTS):
        if call[k] != 0:
            call_part(call[k], address, symbol, begin, end)
    state = state_of(call, symbol)
    state[LAST_TIME] = times_of(call, begin, end)[end - begin - 1]
    state[CANDLES] += end - begin


@kernel(types.int64, inlines=(calls, layout, reach))
def advance_kernel(address: int) -> int:
    """Advance symbols by their candles; `address` is that of a call, see `calls`.

    Returns:
        -1, or the row of the first candle that cannot be. With one candle a symbol no state has changed then.
    """
    call = call_at(address)
    symbols, per_symbol, chunk = call[SYMBOLS], call[PER_SYMBOL], call[WORK_WIDTH] - FRACTAL
    if per_symbol == 1:
        times, (open_, high, low, close) = times_of(call, 0, symbols), candles_of(call, 0, symbols)
        for s in range(symbols):
            later = times[s] > state_of(call, s)[LAST_TIME]
            if not (later and is_sound(open_[s], high[s], low[s], close[s])):
                return s
    for s in range(symbols):
        for begin in range(s * per_symbol, (s + 1) * per_symbol, chunk):
            end = min(begin + chunk, (s + 1) * per_symbol)
            if per_symbol > 1:
                last_time = state_of(call, s)[LAST_TIME]
                bad = unsound_row(times_of(call, begin, end), candles_of(call, begin, end), last_time)
                if bad >= 0:
                    return begin + bad
            work_on(call, address, s, begin, end)
    return -1


@kernel(types.int64, types.int64, *[types.float64] * 4, inlines=(calls, layout, reach))
def candle_kernel(address: int, open_time: int, open_: float, high: float, low: float, close: float) -> int:
    """Advance one symbol by this candle, which is written to the arrays of the call.

    Returns:
        Its mask, or -1 where the candle cannot be; no state has changed then.
    """
    call = call_at(address)
    slots = call[SLOTS]
    state, before = floats_at(call[STATES], slots), floats_at(call[BEFORE], slots)
    wholes_at(call[TIMES], 1)[0] = open_time
    floats_at(call[OPEN], 1)[0], floats_at(call[HIGH], 1)[0] = open_, high
    floats_at(call[LOW], 1)[0], floats_at(call[CLOSE], 1)[0] = low, close
    if not (open_time > before[LAST_TIME] and is_sound(open_, high, low, close)):
        return -1
    if call[BEFORE] != call[STATES]:
        for k in range(slots):
            state[k] = before[k]
    work_on(call, address, 0, 0, 1)
    mask: int = wholes_at(call[MASKS], 1)[0]
    return mask
