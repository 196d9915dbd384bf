"""The panel's own events: Schaff trend cycle, crosses, dots and divergences of a chunk. Loads numba."""

from __future__ import annotations

import numpy as np

from engines.cipher import calls, divergences, layout, primitives, reach, scratch, windows
from engines.cipher.divergences import divergence_pass
from engines.cipher.layout import (
    AT_STC_1,
    AT_STC_2,
    CANDLES,
    CROSS,
    CROSS_DOWN,
    CROSS_UP,
    FRACTAL,
    GREEN_DOT,
    HEIKIN_ASHI,
    OVERBOUGHT,
    OVERSOLD,
    RECENT,
    RECENT_ROWS,
    RED_DOT,
    STC,
    STC_FACTOR,
    STC_FAST,
    STC_LENGTH,
    STC_SLOW,
    Wholes,
)
from engines.cipher.primitives import TOLERANCE, Floats, Masks, cross_step, macd_pass, range_pass
from engines.cipher.reach import (
    call_at,
    candles_of,
    column_of,
    core_columns_of,
    masks_of,
    scratch_of,
    scratch_wholes_of,
    settings_of,
    state_of,
    work_of,
)
from engines.cipher.scratch import AVERAGED_CANDLE, CYCLE, HIGHEST, KINDS, LOWEST, ONES, ORDER
from engines.compiled import copied, part


@copied
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


@copied
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


@copied
def cycle_pass(call: Wholes, close: Floats, plan: Wholes, factor: float, state: Floats, stc: Floats) -> None:
    """Schaff trend cycle: the place of a MACD in its range, smoothed, and the place of that, smoothed."""
    count, length = len(close), plan[STC_LENGTH]
    macd, ones = scratch_of(call, CYCLE, count), scratch_of(call, ONES, count)
    highest, lowest = scratch_of(call, HIGHEST, count), scratch_of(call, LOWEST, count)
    skip = length - 1 - int(state[CANDLES])
    macd_pass(close, state[STC:], (plan[STC_FAST], plan[STC_SLOW]), macd)
    range_pass(macd, state[plan[AT_STC_1] :], length, skip, highest, lowest)
    follow_pass(macd, highest, lowest, close, factor, state[STC + 4 :], macd)
    range_pass(macd, state[plan[AT_STC_2] :], length, skip, highest, lowest)
    # The second range is one of points, so the price has no say in its tolerance.
    for t in range(count):
        ones[t] = 1.0
    follow_pass(macd, highest, lowest, ones, factor, state[STC + 6 :], stc)


@part(inlines=(calls, divergences, layout, primitives, reach, scratch, windows))
def event_part(address: int, symbol: int, begin: int, end: int) -> None:
    """The column `stc`, and all events but those of higher timeframes; the core's columns must be there."""
    call = call_at(address)
    count, masks = end - begin, masks_of(call, begin, end)
    (plan, levels), state = settings_of(call), state_of(call, symbol)
    _, high, low, close = candles_of(call, begin, end)
    if plan[HEIKIN_ASHI]:
        high, low = scratch_of(call, AVERAGED_CANDLE + 1, count), scratch_of(call, AVERAGED_CANDLE + 2, count)
        close = scratch_of(call, AVERAGED_CANDLE + 3, count)
    _, wt2, vwap, _, rsi, k, _ = core_columns_of(call, begin, end)
    dot_pass(vwap, wt2, levels, state[CROSS:], masks)
    cycle_pass(call, close, plan, levels[STC_FACTOR], state, column_of(call, 7, begin, end))
    work = work_of(call)
    for row in range(RECENT_ROWS):
        for t in range(FRACTAL):
            work[row, t] = state[RECENT + FRACTAL * row + t]
    for t in range(count):
        work[0, FRACTAL + t], work[1, FRACTAL + t], work[2, FRACTAL + t] = wt2[t], rsi[t], k[t]
        work[3, FRACTAL + t], work[4, FRACTAL + t] = high[t], low[t]
    scratch = scratch_wholes_of(call, KINDS, count), scratch_wholes_of(call, ORDER, count)
    divergence_pass(work, int(state[CANDLES]), scratch, (plan, levels, state, masks))
    for row in range(RECENT_ROWS):
        for t in range(FRACTAL):
            state[RECENT + FRACTAL * row + t] = work[row, count + t]
