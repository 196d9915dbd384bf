"""Laws of the charting language the panels come from, as passes over any number of candles.

A pass reads its inputs, writes its outputs and leaves in `state` (its slice of a symbol's state vector) all that the
next candle depends on: cutting a series anywhere changes no bit. Undefined is NaN. Order of operations and seeds are
those of the source, so they are not simplified. Loading this module loads numba.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.cipher.layout import FLAT
from engines.cipher.windows import MEAN_HEAD, RANGE_HEAD
from engines.compiled import step

# Script comparisons carry this absolute tolerance.
TOLERANCE = 1e-10
# A deviation or range below this share of its values is rounding noise.
NOISE = 1e-12

Floats = NDArray[np.float64]
Masks = NDArray[np.int64]
EmaState = tuple[int, float]


@step
def ema_step(x: float, state: EmaState, length: int) -> tuple[float, EmaState]:
    """Exponential average, seeded with the mean of the first `length` defined values; skips undefined ones."""
    count, average = state
    if np.isnan(x):
        return np.nan, state
    if length == 1:
        return x, (1, x)
    if count == length:
        average = average + 2.0 / (length + 1) * (x - average)
        return average, (count, average)
    average += x
    if count + 1 < length:
        return np.nan, (count + 1, average)
    return average / length, (length, average / length)


@step
def rma_step(x: float, state: EmaState, length: int) -> tuple[float, EmaState]:
    """Wilder's average, seeded like `ema_step`."""
    count, average = state
    if np.isnan(x):
        return np.nan, state
    if count == length:
        average = (average * (length - 1) + x) / length
        return average, (count, average)
    average += x
    if count + 1 < length:
        return np.nan, (count + 1, average)
    return average / length, (length, average / length)


@step
def cross_step(difference: float, side: int) -> tuple[bool, int]:
    """Whether the difference has changed sign since it last clearly had one (`side`: -1, 1, or 0 for not yet)."""
    # Bitwise, because crosses come at random and a mispredicted branch costs more than both comparisons.
    crossed = ((side > 0) & (difference < 0.0)) | ((side < 0) & (difference > 0.0))
    return crossed, 1 if difference > TOLERANCE else (-1 if difference < -TOLERANCE else side)


@step
def ema_pass(x: Floats, state: Floats, length: int, average: Floats) -> None:
    """Exponential average as `ema_step`; two slots of state. `average` may be `x`."""
    carried = int(state[0]), state[1]
    for t in range(len(x)):
        average[t], carried = ema_step(x[t], carried, length)
    state[0], state[1] = carried


@step
def mean_pass(x: Floats, state: Floats, length: int, mean: Floats) -> None:
    """Mean of the last `length` defined values; repeats itself on an undefined one. `mean` may be `x`.

    The rolling sum is replaced by a fresh one each time the window comes round, so rounding errors cannot pile up.
    """
    position, count, total, fresh = int(state[0]), int(state[1]), state[2], state[3]
    window = state[MEAN_HEAD:]
    for t in range(len(x)):
        value = x[t]
        if not np.isnan(value):
            total += value - window[position]
            fresh += value
            window[position] = value
            count += 1
            position += 1
            if position == length:
                position, total, fresh = 0, fresh, 0.0
        mean[t] = total if count >= length else np.nan
    for t in range(len(mean)):
        mean[t] /= length
    state[0], state[1], state[2], state[3] = position, count, total, fresh


@step
def range_pass(x: Floats, state: Floats, length: int, skip: int, highest: Floats, lowest: Floats) -> None:
    """Highest and lowest of the last `length` values, undefined ones not counting; none for the first `skip`.

    A window is the end of one block and the beginning of the next: it needs the extremes of the new block so far and
    the extremes of the old one's ends. Constant work per candle, without a branch on the data.
    """
    position, top, bottom = int(state[0]), state[1], state[2]
    block = state[RANGE_HEAD:]
    old_top, old_bottom = state[RANGE_HEAD + length :], state[RANGE_HEAD + 2 * length + 1 :]
    for t in range(len(x)):
        value = x[t]
        block[position] = value
        top = max(top, value)
        bottom = min(bottom, value)
        position += 1
        highest[t] = max(old_top[position], top)
        lowest[t] = min(old_bottom[position], bottom)
        if position == length:
            position, top, bottom = 0, -np.inf, np.inf
            for k in range(length - 1, -1, -1):
                top = max(top, block[k])
                bottom = min(bottom, block[k])
                old_top[k], old_bottom[k] = top, bottom
            top, bottom = -np.inf, np.inf
    for t in range(min(skip, len(x))):
        highest[t], lowest[t] = -np.inf, np.inf
    state[0], state[1], state[2] = position, top, bottom


@step
def stoch_pass(x: Floats, highest: Floats, lowest: Floats, place: Floats) -> None:
    """Place of x in its range in percent, not clamped; undefined where the range is no more than rounding noise."""
    for t in range(len(x)):
        span = highest[t] - lowest[t]
        share = 100.0 * (x[t] - lowest[t]) / span
        place[t] = share if span > NOISE * max(1.0, abs(highest[t])) else np.nan


@step
def change_pass(x: Floats, last: float, gain: Floats, loss: Floats) -> None:
    """What x rose and what it fell since the value before it; undefined where there is none."""
    for t in range(len(x)):
        change = x[t] - (x[t - 1] if t > 0 else last)
        gain[t] = change if not change <= 0.0 else 0.0
        loss[t] = -change if not change >= 0.0 else 0.0


@step
def wilder_pass(
    gain: Floats, loss: Floats, other_gain: Floats, other_loss: Floats, state: Floats, lengths: tuple[int, int]
) -> None:
    """Wilder's averages of two series' gains and losses, in place; two counts and four averages of state.

    All four chains run in one loop, so that their divisions overlap.
    """
    length, other_length = lengths
    count, other = int(state[0]), int(state[1])
    a, b, c, d = state[2], state[3], state[4], state[5]
    head = 0
    while head < len(gain) and (count < length or other < other_length):
        gain[head], (_, a) = rma_step(gain[head], (count, a), length)
        loss[head], (count, b) = rma_step(loss[head], (count, b), length)
        other_gain[head], (_, c) = rma_step(other_gain[head], (other, c), other_length)
        other_loss[head], (other, d) = rma_step(other_loss[head], (other, d), other_length)
        head += 1
    for t in range(head, len(gain)):
        a = (a * (length - 1) + gain[t]) / length
        b = (b * (length - 1) + loss[t]) / length
        c = (c * (other_length - 1) + other_gain[t]) / other_length
        d = (d * (other_length - 1) + other_loss[t]) / other_length
        gain[t], loss[t], other_gain[t], other_loss[t] = a, b, c, d
    state[0], state[1] = count, other
    state[2], state[3], state[4], state[5] = a, b, c, d


@step
def strength_pass(gain: Floats, loss: Floats, price: Floats, strength: Floats) -> None:
    """Relative strength in 0..100; 100 where nothing was lost, so also where nothing moved at all.

    An average is nothing at 1e-10, or at that share of the price where the price is below one.
    """
    for t in range(len(gain)):
        nothing = TOLERANCE * min(1.0, price[t])
        value = 100.0 - 100.0 / (1.0 + gain[t] / loss[t])
        value = 0.0 if gain[t] <= nothing else value
        strength[t] = 100.0 if loss[t] <= nothing else value


@step
def wave_pass(typical: Floats, state: Floats, channel: int, average: int, wt1: Floats, masks: Masks) -> None:
    """Distance of the typical price from its mean in mean deviations, smoothed; flat where those are noise."""
    mean_state, spread_state = (int(state[0]), state[1]), (int(state[2]), state[3])
    wave_state = int(state[4]), state[5]
    for t in range(len(typical)):
        mean, mean_state = ema_step(typical[t], mean_state, channel)
        spread, spread_state = ema_step(abs(typical[t] - mean), spread_state, channel)
        wt1[t], wave_state = ema_step((typical[t] - mean) / (0.015 * spread), wave_state, average)
        masks[t] = FLAT if spread <= NOISE * mean else 0
    state[0], state[1] = mean_state
    state[2], state[3] = spread_state
    state[4], state[5] = wave_state
