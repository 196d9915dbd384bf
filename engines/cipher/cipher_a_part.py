"""Cipher A's passes: the ribbon of eight averages and the symbols read off it; and their kernel. Loads numba."""

from __future__ import annotations

import numpy as np

from engines.cipher import calls, cipher_a_layout, layout, primitives, reach, windows
from engines.cipher.cipher_a_layout import (
    AT_FLOW,
    AT_SIGNAL,
    AVERAGE,
    BEAR_CANDLE,
    BLOOD_DIAMOND,
    BLUE_TRIANGLE_DOWN,
    BLUE_TRIANGLE_UP,
    BODY,
    BULL_CANDLE,
    CHANNEL,
    CIRCLE,
    CROSS,
    DOWN_RSI_HIGH,
    DOWN_RSI_LOW,
    DOWN_WAVE_HIGH,
    DOWN_WAVE_LOW,
    FLOW_LENGTH,
    FLOW_MULTIPLIER,
    FLOW_SHIFT,
    GREEN_DIAMOND,
    GREEN_X,
    LONG_CIRCLE,
    LONGEST,
    MONEY_FLOW,
    MOON_DIAMOND,
    RED_DIAMOND,
    RED_X,
    RIBBON_BULLISH,
    RIBBON_LENGTHS,
    RIBBON_STATE,
    RSI,
    RSI_LENGTH,
    SHORT_CIRCLE,
    SIGNAL,
    STRENGTH,
    TRIANGLE,
    UP_RSI_HIGH,
    UP_RSI_LOW,
    UP_WAVE_HIGH,
    UP_WAVE_LOW,
    WAVE,
    WT1,
    WT2,
    YELLOW_X_DOWN,
    YELLOW_X_DOWN_ABOVE,
    YELLOW_X_UP,
    X,
)
from engines.cipher.layout import Wholes
from engines.cipher.primitives import (
    TOLERANCE,
    Floats,
    Masks,
    change_pass,
    cross_step,
    flow_pass,
    mean_pass,
    strength_pass,
    wave_pass,
    wilder_pass,
    window_means,
)
from engines.cipher.reach import call_at, candles_of, column_of, masks_of, scratch_of, settings_of, state_of, values_of
from engines.compiled import part, step


@step
def ribbon_pass(close: Floats, lengths: Wholes, longest: int, state: Floats, begin: int, ribbon: Floats) -> None:
    """Eight exponential averages of the close, seeded as `ema_step`, in one loop: their chains then overlap.

    Args:
        longest: the greatest of the lengths.
        state: candles seen (counted to `longest`), and the eight sums or averages.
        ribbon: receives them in its first eight rows from column `begin` on; NaN until one is seeded.
    """
    seen, count = int(state[0]), len(close)
    head = min(count, longest - seen)
    for k in range(8):
        average = state[1 + k]
        for t in range(head):
            if seen + t >= lengths[k]:
                average = average + 2.0 / (lengths[k] + 1) * (close[t] - average)
            else:
                average += close[t]
                if seen + t + 1 == lengths[k]:
                    average /= lengths[k]
            ribbon[k, begin + t] = average if seen + t + 1 >= lengths[k] else np.nan
        state[1 + k] = average
    state[0] = seen + head
    w1, w2, w3, w4 = 2.0 / (lengths[0] + 1), 2.0 / (lengths[1] + 1), 2.0 / (lengths[2] + 1), 2.0 / (lengths[3] + 1)
    w5, w6, w7, w8 = 2.0 / (lengths[4] + 1), 2.0 / (lengths[5] + 1), 2.0 / (lengths[6] + 1), 2.0 / (lengths[7] + 1)
    e1, e2, e3, e4 = state[1], state[2], state[3], state[4]
    e5, e6, e7, e8 = state[5], state[6], state[7], state[8]
    for t in range(head, count):
        x, row = close[t], begin + t
        e1, e2, e3, e4 = e1 + w1 * (x - e1), e2 + w2 * (x - e2), e3 + w3 * (x - e3), e4 + w4 * (x - e4)
        e5, e6, e7, e8 = e5 + w5 * (x - e5), e6 + w6 * (x - e6), e7 + w7 * (x - e7), e8 + w8 * (x - e8)
        ribbon[0, row], ribbon[1, row], ribbon[2, row], ribbon[3, row] = e1, e2, e3, e4
        ribbon[4, row], ribbon[5, row], ribbon[6, row], ribbon[7, row] = e5, e6, e7, e8
    state[1], state[2], state[3], state[4] = e1, e2, e3, e4
    state[5], state[6], state[7], state[8] = e5, e6, e7, e8
    for k in range(8):
        # An average over one candle is that candle, which the step above would reach but for the last digit.
        for t in range(count if lengths[k] == 1 else 0):
            ribbon[k, begin + t] = close[t]


@step
def cross_pass(wt1: Floats, wt2: Floats, state: Floats, masks: Masks) -> None:
    """Diamonds: the waves cross; `state` is the side they were on."""
    side = int(state[0])
    for t in range(len(wt1)):
        difference = wt1[t] - wt2[t]
        crossed, side = cross_step(difference, side)
        bits = GREEN_DIAMOND if crossed & (-difference <= TOLERANCE) else 0
        masks[t] |= bits | (RED_DIAMOND if crossed & (-difference >= -TOLERANCE) else 0)
    state[0] = side


@step
def crossing(now: float, before: float, over: int, under: int) -> int:
    """The bit `over` where a difference comes over nothing, `under` where it comes under, by raw comparison."""
    return (over if (now > 0.0) & (before <= 0.0) else 0) | (under if (now < 0.0) & (before >= 0.0) else 0)


@step
def crossing_pass(first: Floats, second: Floats, third: Floats, eighth: Floats, state: Floats, masks: Masks) -> None:
    """Circles, X and triangles: averages of the ribbon cross; `state` is their last differences, NaN for none yet."""
    circle, x, triangle = state[CIRCLE], state[X], state[TRIANGLE]
    for t in range(len(first)):
        long, short, middle = second[t] - eighth[t], first[t] - second[t], second[t] - third[t]
        bits = crossing(long, circle, LONG_CIRCLE, SHORT_CIRCLE) | crossing(short, x, GREEN_X, RED_X)
        masks[t] |= bits | crossing(middle, triangle, BLUE_TRIANGLE_UP, BLUE_TRIANGLE_DOWN)
        circle, x, triangle = long, short, middle
    state[CIRCLE], state[X], state[TRIANGLE] = circle, x, triangle


@step
def body_pass(open_: Floats, close: Floats, fast: Floats, slow: Floats, state: Floats, masks: Masks) -> None:
    """Second candle in a row that rises from over both averages, or falls from under them; and which average is lower.

    `state` is the last body. What else a bull or bear candle must not be is `diamond_pass`'s.
    """
    before = state[0]
    for t in range(len(close)):
        # A price below one would drown in the tolerance of points.
        near = TOLERANCE * min(1.0, close[t])
        x, body = open_[t], close[t] - open_[t]
        rises = (x - fast[t] > near) & (x - slow[t] > near) & (before > near) & (body > near)
        falls = (x - fast[t] < -near) & (x - slow[t] < -near) & (before < -near) & (body < -near)
        bits = (BULL_CANDLE if rises else 0) | (BEAR_CANDLE if falls else 0)
        masks[t] |= bits | (RIBBON_BULLISH if slow[t] - fast[t] < -near else 0)
        before = body
    state[0] = before


@step
def between(x: float, lower: float, upper: float) -> bool:
    """Whether x lies clearly between the two."""
    return x - lower > TOLERANCE and x - upper < -TOLERANCE


@step
def diamond_pass(wt2: Floats, rsi: Floats, levels: Floats, masks: Masks) -> None:
    """Symbols that a diamond makes together with others, and the bull and bear candles that diamonds and X forbid."""
    for t in range(len(wt2)):
        found = masks[t]
        if found & RED_X:
            found &= ~(BULL_CANDLE | BEAR_CANDLE)
        if found & RED_DIAMOND:
            found &= ~BULL_CANDLE
            found |= BLOOD_DIAMOND if found & RED_X else 0
            if between(wt2[t], levels[UP_WAVE_LOW], levels[UP_WAVE_HIGH]):
                found |= YELLOW_X_UP if between(rsi[t], levels[UP_RSI_LOW], levels[UP_RSI_HIGH]) else 0
        if found & GREEN_DIAMOND:
            found &= ~BEAR_CANDLE
            found |= MOON_DIAMOND if found & GREEN_X else 0
            if between(wt2[t], levels[DOWN_WAVE_LOW], levels[DOWN_WAVE_HIGH]):
                weak = (rsi[t] - levels[DOWN_RSI_LOW] < -TOLERANCE) & (rsi[t] - levels[DOWN_RSI_HIGH] < -TOLERANCE)
                found |= YELLOW_X_DOWN if weak else 0
                found |= YELLOW_X_DOWN_ABOVE if between(rsi[t], levels[DOWN_RSI_LOW], levels[DOWN_RSI_HIGH]) else 0
        masks[t] = found


@step
def value_passes(call: Wholes, plan: Wholes, levels: Floats, state: Floats, begin: int, end: int) -> None:
    """Ribbon, waves, RSI and money flow of one chunk; sets the masks to whether the market is flat."""
    candles = candles_of(call, begin, end)
    _, high, low, close = candles
    count = end - begin
    wt1, wt2, flow = (
        column_of(call, WT1, begin, end),
        column_of(call, WT2, begin, end),
        column_of(call, MONEY_FLOW, begin, end),
    )
    typical, gain, loss = scratch_of(call, 0, count), scratch_of(call, 1, count), scratch_of(call, 2, count)
    ribbon_pass(close, plan[RIBBON_LENGTHS:], plan[LONGEST], state[RIBBON_STATE:], begin, values_of(call))
    for t in range(count):
        typical[t] = (high[t] + low[t] + close[t]) / 3.0
    wave_pass(typical, state[WAVE:], plan[CHANNEL], plan[AVERAGE], wt1, masks_of(call, begin, end))
    mean_pass(wt1, state[plan[AT_SIGNAL] :], plan[SIGNAL], wt2)
    change_pass(close, state[STRENGTH], gain, loss)
    state[STRENGTH] = close[count - 1]
    wilder_pass(gain, loss, state[STRENGTH + 1 :], plan[RSI_LENGTH])
    strength_pass(gain, loss, close, column_of(call, RSI, begin, end))
    flow_pass(candles, levels[FLOW_MULTIPLIER], typical)
    window_means(typical, state[plan[AT_FLOW] :], plan[FLOW_LENGTH], flow)
    for t in range(count):
        flow[t] -= levels[FLOW_SHIFT]


@part(inlines=(calls, cipher_a_layout, layout, primitives, reach, windows))
def cipher_a_part(address: int, symbol: int, begin: int, end: int) -> None:
    """All columns and symbols of Cipher A; rows of the values as in `A_COLUMNS`."""
    call = call_at(address)
    (plan, levels), state, masks = settings_of(call), state_of(call, symbol), masks_of(call, begin, end)
    value_passes(call, plan, levels, state, begin, end)
    open_, _, _, close = candles_of(call, begin, end)
    first, second, third = (
        column_of(call, 0, begin, end),
        column_of(call, 1, begin, end),
        column_of(call, 2, begin, end),
    )
    eighth, wt2 = column_of(call, 7, begin, end), column_of(call, WT2, begin, end)
    cross_pass(column_of(call, WT1, begin, end), wt2, state[CROSS:], masks)
    crossing_pass(first, second, third, eighth, state, masks)
    body_pass(open_, close, second, eighth, state[BODY:], masks)
    diamond_pass(wt2, column_of(call, RSI, begin, end), levels, masks)
