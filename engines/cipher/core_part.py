"""The panel's core: waves, money flow, RSI and Stoch RSI of a chunk; and averaged candles. Loads numba."""

from __future__ import annotations

import numpy as np

from engines.cipher import calls, layout, logarithm, primitives, reach, scratch, windows
from engines.cipher.calls import COLUMNS, WORK, WORK_WIDTH
from engines.cipher.layout import (
    AT_D,
    AT_FLOW,
    AT_K,
    AT_SIGNAL,
    AT_STOCH,
    AVERAGE,
    AVERAGED,
    CANDLES,
    CHANNEL,
    CORE_COLUMNS,
    D_LENGTH,
    FLOW_LENGTH,
    FLOW_MULTIPLIER,
    FLOW_SHIFT,
    HEIKIN_ASHI,
    K_LENGTH,
    RSI_LENGTH,
    SIGNAL,
    STOCH_AVERAGE,
    STOCH_FIRST,
    STOCH_LENGTH,
    STOCH_ON_LOG,
    STOCH_RSI_LENGTH,
    STRENGTH,
    WAVE,
    Wholes,
)
from engines.cipher.logarithm import log_pass
from engines.cipher.primitives import (
    Candles,
    Floats,
    chain_pass,
    change_pass,
    flow_pass,
    mean_pass,
    range_pass,
    stoch_pass,
    strength_pass,
    window_means,
)
from engines.cipher.reach import (
    call_at,
    candles_of,
    core_columns_of,
    masks_of,
    scratch_bits_of,
    scratch_of,
    settings_of,
    state_of,
)
from engines.cipher.scratch import AVERAGED_CANDLE, LOGGED, TYPICAL, UP
from engines.compiled import aside, floats_at, part, step

# Columns of a panel that has no events.
CORE = len(CORE_COLUMNS)


@step
def averaged_candles(call: Wholes, count: int) -> Candles:
    """The averaged candles in the scratch."""
    first, last = scratch_of(call, AVERAGED_CANDLE, count), scratch_of(call, AVERAGED_CANDLE + 3, count)
    return first, scratch_of(call, AVERAGED_CANDLE + 1, count), scratch_of(call, AVERAGED_CANDLE + 2, count), last


@aside
def average_candles(candles: Candles, state: Floats, averaged: Candles) -> None:
    """Heikin-Ashi candles; `state` holds the last one's open and close."""
    open_, high, low, close = candles
    first, last = state[0], state[1]
    for t in range(len(close)):
        first = (open_[t] + close[t]) / 2.0 if np.isnan(first) else (first + last) / 2.0
        last = (open_[t] + high[t] + low[t] + close[t]) / 4.0
        averaged[0][t], averaged[3][t] = first, last
        averaged[1][t], averaged[2][t] = max(high[t], first, last), min(low[t], first, last)
    state[0], state[1] = first, last


@step
def core_scratch(call: Wholes, count: int) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats]:
    """Rows of the scratch from `TYPICAL` on."""
    first, step = call[WORK] + 8 * TYPICAL * call[WORK_WIDTH], 8 * call[WORK_WIDTH]
    typical, logged, up = floats_at(first, count), floats_at(first + step, count), floats_at(first + 2 * step, count)
    down, log_up = floats_at(first + 3 * step, count), floats_at(first + 4 * step, count)
    return typical, logged, up, down, log_up, floats_at(first + 5 * step, count)


@part(inlines=(calls, layout, logarithm, primitives, reach, scratch, windows))
def core_part(address: int, symbol: int, begin: int, end: int) -> None:
    """Columns of the core; sets the masks to whether the market is flat."""
    call = call_at(address)
    count, candles = end - begin, candles_of(call, begin, end)
    (plan, levels), state = settings_of(call), state_of(call, symbol)
    if plan[HEIKIN_ASHI]:
        averaged = averaged_candles(call, count)
        average_candles(candles, state[AVERAGED:], averaged)
        candles = averaged
    _, high, low, close = candles
    # Without events there are masks for one chunk only.
    masks = masks_of(call, begin, end) if call[COLUMNS] > CORE else masks_of(call, 0, count)
    wt1, wt2, vwap, flow, rsi, stoch_k, stoch_d = core_columns_of(call, begin, end)
    typical, logged, up, down, log_up, log_down = core_scratch(call, count)
    for t in range(count):
        typical[t], logged[t] = (high[t] + low[t] + close[t]) / 3.0, close[t]
    if plan[STOCH_ON_LOG]:
        log_pass(logged, scratch_bits_of(call, LOGGED, count), up, scratch_bits_of(call, UP, count))
    change_pass(close, state[STRENGTH], up, down)
    change_pass(logged, state[STRENGTH + 1], log_up, log_down)
    state[STRENGTH], state[STRENGTH + 1] = close[count - 1], logged[count - 1]
    lengths = plan[CHANNEL], plan[AVERAGE], plan[RSI_LENGTH], plan[STOCH_RSI_LENGTH]
    chain_pass(typical, (up, down, log_up, log_down), state[WAVE:], state[STRENGTH + 2 :], lengths, wt1, masks)
    mean_pass(wt1, state[plan[AT_SIGNAL] :], plan[SIGNAL], wt2)
    for t in range(count):
        vwap[t] = wt1[t] - wt2[t]
    flow_pass(candles, levels[FLOW_MULTIPLIER], typical)
    window_means(typical, state[plan[AT_FLOW] :], plan[FLOW_LENGTH], flow)
    for t in range(count):
        flow[t] -= levels[FLOW_SHIFT]
    strength_pass(up, down, close, rsi)
    strength_pass(log_up, log_down, close, logged)
    highest, lowest, skip = up, down, plan[STOCH_FIRST] - int(state[CANDLES])
    range_pass(logged, state[plan[AT_STOCH] :], plan[STOCH_LENGTH], skip, highest, lowest)
    stoch_pass(logged, highest, lowest, typical)
    mean_pass(typical, state[plan[AT_K] :], plan[K_LENGTH], stoch_k)
    mean_pass(stoch_k, state[plan[AT_D] :], plan[D_LENGTH], stoch_d)
    if plan[STOCH_AVERAGE]:
        for t in range(count):
            stoch_k[t] = (stoch_k[t] + stoch_d[t]) / 2.0
