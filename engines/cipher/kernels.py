"""The panel's kernel: all passes over a few hundred candles at a time, which then stay in the nearest cache.

One candle of a stream, a candle each of many symbols, and a whole history are the same call. Loading this module loads
numba.
"""

from __future__ import annotations

import numpy as np
from numba import types

from engines.cipher import (
    calls,
    candle_passes,
    divergences,
    higher_kernels,
    higher_layout,
    layout,
    logarithm,
    primitives,
    windows,
)
from engines.cipher.candle_passes import Candles, arrays_of, flow_pass, part_of, unsound_row
from engines.cipher.divergences import divergence_pass
from engines.cipher.higher_kernels import higher_pass
from engines.cipher.layout import (
    AT_D,
    AT_FLOW,
    AT_K,
    AT_SIGNAL,
    AT_STC_1,
    AT_STC_2,
    AT_STOCH,
    AVERAGE,
    AVERAGED,
    CANDLES,
    CHANNEL,
    CROSS,
    CROSS_DOWN,
    CROSS_UP,
    D_LENGTH,
    FLOW_LENGTH,
    FLOW_MULTIPLIER,
    FLOW_SHIFT,
    FRACTAL,
    GREEN_DOT,
    HEIKIN_ASHI,
    K_LENGTH,
    LAST_TIME,
    OVERBOUGHT,
    OVERSOLD,
    RECENT,
    RECENT_ROWS,
    RED_DOT,
    RSI_LENGTH,
    SIGNAL,
    STC,
    STC_FACTOR,
    STC_FAST,
    STC_LENGTH,
    STC_SLOW,
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
    TOLERANCE,
    Floats,
    Masks,
    chain_pass,
    change_pass,
    cross_step,
    macd_pass,
    mean_pass,
    range_pass,
    stoch_pass,
    strength_pass,
)
from engines.compiled import aside, kernel, step

# Rows of the scratch: recent values first (see `divergences`), then what a pass hands to the next.
_CANDLE = RECENT_ROWS
_TYPICAL = _CANDLE + 4
_LOGGED = _TYPICAL + 1
_UP, _DOWN, _LOG_UP, _LOG_DOWN = range(_LOGGED + 1, _LOGGED + 5)
_HIGHEST, _LOWEST, _CYCLE, _ONES = _UP, _DOWN, _LOG_UP, _LOG_DOWN
_KINDS, _ORDER = _UP, _DOWN
SCRATCH_ROWS = _LOG_DOWN + 1
CHUNK = 512


@step
def work_candles(work: Floats, count: int) -> Candles:
    """The averaged candles in the scratch."""
    first, top, bottom, last = _CANDLE, _CANDLE + 1, _CANDLE + 2, _CANDLE + 3
    return work[first, :count], work[top, :count], work[bottom, :count], work[last, :count]


@aside
def average_candles(candles: Candles, state: Floats, work: Floats) -> None:
    """Heikin-Ashi candles in four rows of the scratch; `state` holds the last one's open and close."""
    open_, high, low, close = candles
    first, last = state[0], state[1]
    for t in range(len(close)):
        first = (open_[t] + close[t]) / 2.0 if np.isnan(first) else (first + last) / 2.0
        last = (open_[t] + high[t] + low[t] + close[t]) / 4.0
        work[_CANDLE, t], work[_CANDLE + 3, t] = first, last
        work[_CANDLE + 1, t], work[_CANDLE + 2, t] = max(high[t], first, last), min(low[t], first, last)
    state[0], state[1] = first, last


@step
def dot_pass(vwap: Floats, wt2: Floats, levels: Floats, state: Floats, masks: Masks) -> None:
    """Crosses of the waves, and the dots where they cross beyond a level; `state` is the side they were on."""
    side = int(state[0])
    unclear = 0
    for t in range(len(vwap)):
        unclear += 0 if abs(vwap[t]) > TOLERANCE else 1
    top, bottom = levels[OVERBOUGHT] - TOLERANCE, levels[OVERSOLD] + TOLERANCE
    if unclear or side == 0:
        for t in range(len(vwap)):
            difference = vwap[t]
            crossed, side = cross_step(difference, side)
            up, down = crossed & (difference >= -TOLERANCE), crossed & (difference <= TOLERANCE)
            masks[t] |= (CROSS_UP if up else 0) | (CROSS_DOWN if down else 0)
            masks[t] |= (GREEN_DOT if up & (wt2[t] <= bottom) else 0) | (RED_DOT if down & (wt2[t] >= top) else 0)
    else:
        # Every difference has a sign: the same crosses without a memory, and so side by side.
        before = float(side)
        for t in range(len(vwap)):
            last = vwap[t - 1] if t > 0 else before
            up, down = (last < 0.0) & (vwap[t] > 0.0), (last > 0.0) & (vwap[t] < 0.0)
            bits = (CROSS_UP if up else 0) | (CROSS_DOWN if down else 0)
            bits |= (GREEN_DOT if up & (wt2[t] <= bottom) else 0) | (RED_DOT if down & (wt2[t] >= top) else 0)
            masks[t] |= bits
        side = 1 if vwap[len(vwap) - 1] > 0.0 else -1
    state[0] = side


@step
def follow_pass(
    x: Floats, highest: Floats, lowest: Floats, close: Floats, factor: float, state: Floats, follows: Floats
) -> None:
    """Place of x in its range, the last one where there is none, smoothed; `follows` may be `x`, `highest` is used up.

    A range is none within the tolerance, which shrinks with `close` below one; `state` is place and smoothed place.
    """
    count = len(x)
    for t in range(count):
        span = highest[t] - lowest[t]
        share = 100.0 * (x[t] - lowest[t]) / span
        highest[t] = share if span > TOLERANCE * min(1.0, close[t]) else np.nan
    place, smooth = state[0], state[1]
    for t in range(count):
        place = place if np.isnan(highest[t]) else highest[t]
        smooth = place if np.isnan(smooth) else smooth + factor * (place - smooth)
        follows[t] = smooth
    state[0], state[1] = place, smooth


@step
def cycle_pass(close: Floats, plan: Wholes, factor: float, state: Floats, work: Floats, stc: Floats) -> None:
    """Schaff trend cycle: the place of a MACD in its range, smoothed, and the place of that, smoothed."""
    count, length = len(close), plan[STC_LENGTH]
    macd, highest, lowest = work[_CYCLE, :count], work[_HIGHEST, :count], work[_LOWEST, :count]
    skip = length - 1 - int(state[CANDLES])
    macd_pass(close, state[STC:], (plan[STC_FAST], plan[STC_SLOW]), macd)
    range_pass(macd, state[plan[AT_STC_1] :], length, skip, highest, lowest)
    follow_pass(macd, highest, lowest, close, factor, state[STC + 4 :], macd)
    range_pass(macd, state[plan[AT_STC_2] :], length, skip, highest, lowest)
    # The second range is one of points, so the price has no say in its tolerance.
    ones = work[_ONES, :count]
    ones[:] = 1.0
    follow_pass(macd, highest, lowest, ones, factor, state[STC + 6 :], stc)


@step
def core_passes(
    candles: Candles,
    plan: Wholes,
    levels: Floats,
    state: Floats,
    work: Floats,
    begin: int,
    values: Floats,
    masks: Masks,
) -> None:
    """Waves, money flow, RSI and Stoch RSI of one chunk; sets `masks` to whether the market is flat."""
    _, high, low, close = candles
    count = len(close)
    end = begin + count
    wt1, wt2, vwap = values[0, begin:end], values[1, begin:end], values[2, begin:end]
    flow, rsi = values[3, begin:end], values[4, begin:end]
    stoch_k, stoch_d = values[5, begin:end], values[6, begin:end]
    typical, logged = work[_TYPICAL, :count], work[_LOGGED, :count]
    changes = work[_UP, :count], work[_DOWN, :count], work[_LOG_UP, :count], work[_LOG_DOWN, :count]
    for t in range(count):
        typical[t] = (high[t] + low[t] + close[t]) / 3.0
    if plan[STOCH_ON_LOG]:
        log_pass(close, changes[0], logged)
    else:
        logged[:] = close
    change_pass(close, state[STRENGTH], changes[0], changes[1])
    change_pass(logged, state[STRENGTH + 1], changes[2], changes[3])
    state[STRENGTH], state[STRENGTH + 1] = close[count - 1], logged[count - 1]
    lengths = plan[CHANNEL], plan[AVERAGE], plan[RSI_LENGTH], plan[STOCH_RSI_LENGTH]
    chain_pass(typical, changes, state[WAVE:], state[STRENGTH + 2 :], lengths, wt1, masks)
    mean_pass(wt1, state[plan[AT_SIGNAL] :], plan[SIGNAL], wt2)
    for t in range(count):
        vwap[t] = wt1[t] - wt2[t]
    flow_pass(candles, levels[FLOW_MULTIPLIER], typical)
    mean_pass(typical, state[plan[AT_FLOW] :], plan[FLOW_LENGTH], flow)
    for t in range(count):
        flow[t] -= levels[FLOW_SHIFT]
    strength_pass(changes[0], changes[1], close, rsi)
    strength_pass(changes[2], changes[3], close, logged)
    highest, lowest = work[_HIGHEST, :count], work[_LOWEST, :count]
    skip = plan[STOCH_FIRST] - int(state[CANDLES])
    range_pass(logged, state[plan[AT_STOCH] :], plan[STOCH_LENGTH], skip, highest, lowest)
    stoch_pass(logged, highest, lowest, typical)
    mean_pass(typical, state[plan[AT_K] :], plan[K_LENGTH], stoch_k)
    mean_pass(stoch_k, state[plan[AT_D] :], plan[D_LENGTH], stoch_d)
    if plan[STOCH_AVERAGE]:
        for t in range(count):
            stoch_k[t] = (stoch_k[t] + stoch_d[t]) / 2.0


@step
def event_passes(
    candles: Candles,
    plan: Wholes,
    levels: Floats,
    state: Floats,
    work: Floats,
    begin: int,
    values: Floats,
    masks: Masks,
) -> None:
    """Schaff trend cycle, crosses, dots and divergences of one chunk."""
    _, high, low, close = candles
    count = len(close)
    end = begin + count
    wt2 = values[1, begin:end]
    dot_pass(values[2, begin:end], wt2, levels, state[CROSS:], masks)
    cycle_pass(close, plan, levels[STC_FACTOR], state, work, values[7, begin:end])
    for row in range(RECENT_ROWS):
        for t in range(FRACTAL):
            work[row, t] = state[RECENT + FRACTAL * row + t]
    for t in range(count):
        work[0, FRACTAL + t], work[1, FRACTAL + t] = wt2[t], values[4, begin + t]
        work[2, FRACTAL + t], work[3, FRACTAL + t], work[4, FRACTAL + t] = values[5, begin + t], high[t], low[t]
    scratch = work[_KINDS, :count].view(np.int64), work[_ORDER, :count].view(np.int64)
    divergence_pass(work, int(state[CANDLES]), scratch, (plan, levels, state, masks))
    for row in range(RECENT_ROWS):
        for t in range(FRACTAL):
            state[RECENT + FRACTAL * row + t] = work[row, count + t]


@kernel(
    types.int64,
    inlines=(calls, layout, windows, primitives, logarithm, candle_passes, divergences, higher_layout, higher_kernels),
)
def panel_kernel(address: int) -> int:
    """Advance symbols by their candles; `address` is that of a call, see `calls`.

    `values` has rows as in `VALUE_COLUMNS`, and `masks` receives events and pivots of each candle as bits; or the seven
    rows of the core, and then no events are computed.

    Returns:
        -1, or the row of the first candle that cannot be. With one candle a symbol no state has changed then.
    """
    per_symbol, times, candles, plan, levels, states, work, values, masks = arrays_of(address)
    chunk, whole = work.shape[1] - FRACTAL, len(values) > 7
    if per_symbol == 1:
        for s in range(len(states)):
            if unsound_row(times[s : s + 1], part_of(candles, s, s + 1), states[s, LAST_TIME]) >= 0:
                return s
    for s in range(len(states)):
        state = states[s]
        for begin in range(s * per_symbol, (s + 1) * per_symbol, chunk):
            end = min(begin + chunk, (s + 1) * per_symbol)
            given = part_of(candles, begin, end)
            bad = -1 if per_symbol == 1 else unsound_row(times[begin:end], given, state[LAST_TIME])
            if bad >= 0:
                return begin + bad
            used = given
            if plan[HEIKIN_ASHI]:
                average_candles(given, state[AVERAGED:], work)
                used = work_candles(work, end - begin)
            marks = masks[begin:end] if whole else masks[: end - begin]
            core_passes(used, plan, levels, state, work, begin, values, marks)
            if whole:
                event_passes(used, plan, levels, state, work, begin, values, marks)
                higher_pass(times[begin:end], given, plan, levels, state, work, begin, values, marks)
            state[LAST_TIME] = times[end - 1]
            state[CANDLES] += end - begin
    return -1
