"""The panel's kernel: all passes over a few hundred candles at a time, which then stay in the nearest cache.

One candle of a stream, a candle each of many symbols, and a whole history are the same call. Loading this module loads
numba.
"""

from __future__ import annotations

import numpy as np
from numba import types

from engines.cipher import candle_passes, divergences, higher_kernels, higher_layout, layout, primitives, windows
from engines.cipher.candle_passes import Candles, Times, flow_pass, part_of, unsound_row
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
from engines.cipher.primitives import (
    TOLERANCE,
    Floats,
    Masks,
    change_pass,
    cross_step,
    ema_step,
    mean_pass,
    range_pass,
    stoch_pass,
    strength_pass,
    wave_pass,
    wilder_pass,
)
from engines.compiled import FLOATS_IN, TIMES_IN, kernel, step, tuple_of

# Rows of the scratch: recent values first (see `divergences`), then what a pass hands to the next.
_CANDLE = RECENT_ROWS
_TYPICAL = _CANDLE + 4
_LOGGED = _TYPICAL + 1
_CHANGES = _LOGGED + 1
_HIGHEST = _CHANGES
_LOWEST = _CHANGES + 1
_CYCLE = _CHANGES + 2
SCRATCH_ROWS = _CHANGES + 4
CHUNK = 256


@step
def work_candles(work: Floats, count: int) -> Candles:
    """The averaged candles in the scratch."""
    first, top, bottom, last = _CANDLE, _CANDLE + 1, _CANDLE + 2, _CANDLE + 3
    return work[first, :count], work[top, :count], work[bottom, :count], work[last, :count]


@step
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
def dot_pass(wt1: Floats, wt2: Floats, overbought: float, oversold: float, state: Floats, masks: Masks) -> None:
    """Crosses of the waves, and the dots where they cross beyond a level."""
    side = int(state[0])
    for t in range(len(wt1)):
        difference = wt1[t] - wt2[t]
        crossed, side = cross_step(difference, side)
        up, down = crossed & (-difference <= TOLERANCE), crossed & (-difference >= -TOLERANCE)
        bits = (CROSS_UP if up else 0) | (CROSS_DOWN if down else 0)
        bits |= GREEN_DOT if up & (wt2[t] <= oversold + TOLERANCE) else 0
        bits |= RED_DOT if down & (wt2[t] >= overbought - TOLERANCE) else 0
        masks[t] |= bits
    state[0] = side


@step
def cycle_pass(close: Floats, plan: Wholes, factor: float, state: Floats, work: Floats, stc: Floats) -> None:
    """Schaff trend cycle: the place of a MACD in its range, smoothed, and the place of that, smoothed."""
    fast, slow = (int(state[STC]), state[STC + 1]), (int(state[STC + 2]), state[STC + 3])
    count, length = len(close), plan[STC_LENGTH]
    macd, highest, lowest = work[_CYCLE, :count], work[_HIGHEST, :count], work[_LOWEST, :count]
    skip = length - 1 - int(state[CANDLES])
    for t in range(count):
        quick, fast = ema_step(close[t], fast, plan[STC_FAST])
        calm, slow = ema_step(close[t], slow, plan[STC_SLOW])
        macd[t] = quick - calm
    state[STC], state[STC + 1] = fast
    state[STC + 2], state[STC + 3] = slow
    range_pass(macd, state[plan[AT_STC_1] :], length, skip, highest, lowest)
    place, smooth = state[STC + 4], state[STC + 5]
    for t in range(count):
        span = highest[t] - lowest[t]
        place = 100.0 * (macd[t] - lowest[t]) / span if span > TOLERANCE * min(1.0, close[t]) else place
        smooth = place if np.isnan(smooth) else smooth + factor * (place - smooth)
        macd[t] = smooth
    state[STC + 4], state[STC + 5] = place, smooth
    range_pass(macd, state[plan[AT_STC_2] :], length, skip, highest, lowest)
    place, smooth = state[STC + 6], state[STC + 7]
    for t in range(count):
        span = highest[t] - lowest[t]
        place = 100.0 * (macd[t] - lowest[t]) / span if span > TOLERANCE else place
        smooth = place if np.isnan(smooth) else smooth + factor * (place - smooth)
        stc[t] = smooth
    state[STC + 6], state[STC + 7] = place, smooth


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
    gain, loss = work[_CHANGES, :count], work[_CHANGES + 1, :count]
    log_gain, log_loss = work[_CHANGES + 2, :count], work[_CHANGES + 3, :count]
    for t in range(count):
        typical[t] = (high[t] + low[t] + close[t]) / 3.0
        logged[t] = np.log(close[t]) if plan[STOCH_ON_LOG] else close[t]
    wave_pass(typical, state[WAVE:], plan[CHANNEL], plan[AVERAGE], wt1, masks)
    mean_pass(wt1, state[plan[AT_SIGNAL] :], plan[SIGNAL], wt2)
    for t in range(count):
        vwap[t] = wt1[t] - wt2[t]
    flow_pass(candles, levels[FLOW_MULTIPLIER], flow)
    mean_pass(flow, state[plan[AT_FLOW] :], plan[FLOW_LENGTH], flow)
    for t in range(count):
        flow[t] -= levels[FLOW_SHIFT]
    change_pass(close, state[STRENGTH], gain, loss)
    change_pass(logged, state[STRENGTH + 1], log_gain, log_loss)
    state[STRENGTH], state[STRENGTH + 1] = close[count - 1], logged[count - 1]
    lengths = plan[RSI_LENGTH], plan[STOCH_RSI_LENGTH]
    wilder_pass(gain, loss, log_gain, log_loss, state[STRENGTH + 2 :], lengths)
    strength_pass(gain, loss, close, rsi)
    strength_pass(log_gain, log_loss, close, logged)
    highest, lowest = work[_HIGHEST, :count], work[_LOWEST, :count]
    skip = plan[STOCH_FIRST] - int(state[CANDLES])
    range_pass(logged, state[plan[AT_STOCH] :], plan[STOCH_LENGTH], skip, highest, lowest)
    stoch_pass(logged, highest, lowest, stoch_k)
    mean_pass(stoch_k, state[plan[AT_K] :], plan[K_LENGTH], stoch_k)
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
    wt1, wt2 = values[0, begin:end], values[1, begin:end]
    dot_pass(wt1, wt2, levels[OVERBOUGHT], levels[OVERSOLD], state[CROSS:], masks)
    cycle_pass(close, plan, levels[STC_FACTOR], state, work, values[7, begin:end])
    for row in range(RECENT_ROWS):
        for t in range(FRACTAL):
            work[row, t] = state[RECENT + FRACTAL * row + t]
    for t in range(count):
        work[0, FRACTAL + t], work[1, FRACTAL + t] = wt2[t], values[4, begin + t]
        work[2, FRACTAL + t], work[3, FRACTAL + t], work[4, FRACTAL + t] = values[5, begin + t], high[t], low[t]
    divergence_pass(work, int(state[CANDLES]), plan, levels, state, masks)
    for row in range(RECENT_ROWS):
        for t in range(FRACTAL):
            state[RECENT + FRACTAL * row + t] = work[row, count + t]


@kernel(
    TIMES_IN,
    tuple_of(FLOATS_IN, 4),
    types.int64,
    TIMES_IN,
    FLOATS_IN,
    types.float64[:, ::1],
    types.float64[:, ::1],
    types.float64[:, ::1],
    types.int64[::1],
    inlines=(layout, windows, primitives, candle_passes, divergences, higher_layout, higher_kernels),
)
def panel_kernel(
    times: Times,
    candles: Candles,
    per_symbol: int,
    plan: Wholes,
    levels: Floats,
    states: Floats,
    work: Floats,
    values: Floats,
    masks: Masks,
) -> int:
    """Advance symbols by their candles; fill `values` and `masks`.

    Args:
        times: open times in milliseconds of `per_symbol` candles of the first symbol, then of the next.
        candles: their open, high, low and close.
        plan, levels: see `layout`.
        states: shape (symbols, slots), one row a symbol; left as they are after its last candle.
        work: scratch of shape (SCRATCH_ROWS, chunk + 4).
        values: rows as in `VALUE_COLUMNS`, or the seven of the core; then no events are computed.
        masks: events and pivots of each candle as bits; with the core only, at least a chunk long and meaningless.

    Returns:
        -1, or the row of the first candle that cannot be. With one candle a symbol no state has changed then.
    """
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
            bad = unsound_row(times[begin:end], given, state[LAST_TIME])
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
