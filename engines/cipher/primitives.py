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
from engines.compiled import aside, copied, step

# Script comparisons carry this absolute tolerance.
TOLERANCE = 1e-10
# A deviation or range below this share of its values is rounding noise.
NOISE = 1e-12
# Windows up to this long are summed afresh for every candle.
SHORT = 8

Floats = NDArray[np.float64]
Masks = NDArray[np.int64]
EmaState = tuple[int, float]
# Open, high, low and close.
Candles = tuple[Floats, Floats, Floats, Floats]


@aside
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


@aside
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


@aside
def ema_pass(x: Floats, state: Floats, length: int, average: Floats) -> None:
    """Exponential average as `ema_step`; two slots of state. `average` may be `x`."""
    carried = int(state[0]), state[1]
    for t in range(len(x)):
        average[t], carried = ema_step(x[t], carried, length)
    state[0], state[1] = carried


@copied
def macd_pass(x: Floats, state: Floats, lengths: tuple[int, int], macd: Floats) -> None:
    """Fast less slow exponential average of defined values, as `ema_step`; four slots of state."""
    fast, slow = (int(state[0]), state[1]), (int(state[2]), state[3])
    t = 0
    while t < len(x) and (fast[0] < lengths[0] or slow[0] < lengths[1] or min(lengths) == 1):
        quick, fast = ema_step(x[t], fast, lengths[0])
        calm, slow = ema_step(x[t], slow, lengths[1])
        macd[t] = quick - calm
        t += 1
    state[0], state[2] = fast[0], slow[0]
    quick, calm = fast[1], slow[1]
    quick_weight, calm_weight = 2.0 / (lengths[0] + 1), 2.0 / (lengths[1] + 1)
    for k in range(t, len(x)):
        quick, calm = quick + quick_weight * (x[k] - quick), calm + calm_weight * (x[k] - calm)
        macd[k] = quick - calm
    state[1], state[3] = quick, calm


@copied
def mean_pass(x: Floats, state: Floats, length: int, mean: Floats) -> None:
    """Mean of the last `length` defined values; repeats itself on an undefined one. `mean` must not be `x`.

    Three defined values in a row, which is what panels smooth over, need no window: the same sums, side by side.
    """
    gaps, count = 0, len(x)
    for t in range(count):
        gaps += 1 if np.isnan(x[t]) else 0
    if length != 3 or gaps > 0 or state[1] < 3.0:
        window_means(x, state, length, mean)
        return
    position = int(state[0])
    window = state[MEAN_HEAD:]
    before = window[position + 1 if position < 2 else 0]
    last = window[position - 1 if position > 0 else 2]
    oldest = before
    for t in range(min(2, count)):
        oldest, before, last = before, last, x[t]
        mean[t] = (oldest + before + last) / 3.0
    # Asked for although the loop would not run: t - 2 is then known not to be negative, and the sums go side by side.
    if count > 2:
        for t in range(2, count):
            mean[t] = (x[t - 2] + x[t - 1] + x[t]) / 3.0
        oldest, before, last = x[count - 3], x[count - 2], x[count - 1]
    state[0], window[0], window[1], window[2] = 0.0, oldest, before, last


@aside
def window_means(x: Floats, state: Floats, length: int, mean: Floats) -> None:
    """`mean_pass` for any length, gaps and a beginning.

    Short windows are summed afresh for every candle, oldest first. The rolling sum of a long one is replaced by a fresh
    sum each time the window comes round, so rounding errors cannot pile up.
    """
    if length > SHORT:
        rolling_means(x, state, length, mean)
        return
    position, filled = int(state[0]), int(state[1])
    window = state[MEAN_HEAD:]
    for t in range(len(x)):
        if not np.isnan(x[t]):
            window[position] = x[t]
            filled = min(filled + 1, length)
            position = position + 1 if position + 1 < length else 0
        total = window[position]
        for k in range(position + 1, length):
            total += window[k]
        for k in range(position):
            total += window[k]
        mean[t] = total / length if filled == length else np.nan
    state[0], state[1] = position, filled


@aside
def rolling_means(x: Floats, state: Floats, length: int, mean: Floats) -> None:
    """`window_means` for a long window."""
    position, filled, total, fresh = int(state[0]), int(state[1]), state[2], state[3]
    window = state[MEAN_HEAD:]
    for t in range(len(x)):
        value = x[t]
        if not np.isnan(value):
            total += value - window[position]
            fresh += value
            window[position] = value
            filled += 1 if filled < length else 0
            position += 1
            if position == length:
                position, total, fresh = 0, fresh, 0.0
        mean[t] = total if filled == length else np.nan
    for t in range(len(x)):
        mean[t] /= length
    state[0], state[1], state[2], state[3] = position, filled, total, fresh


@copied
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
    before = last
    for t in range(len(x)):
        change = x[t] - before
        before = x[t]
        gain[t] = change if not change <= 0.0 else 0.0
        loss[t] = -change if not change >= 0.0 else 0.0


@copied
def strength_pass(gain: Floats, loss: Floats, price: Floats, strength: Floats) -> None:
    """Relative strength in 0..100; 100 where nothing was lost, so also where nothing moved at all.

    An average is nothing at 1e-10, or at that share of the price where the price is below one.
    """
    for t in range(len(gain)):
        nothing = TOLERANCE * min(1.0, price[t])
        value = 100.0 - 100.0 / (1.0 + gain[t] / loss[t])
        value = 0.0 if gain[t] <= nothing else value
        strength[t] = 100.0 if loss[t] <= nothing else value


@aside
def seed_wave(typical: Floats, t: int, state: Floats, channel: int, average: int, wt1: Floats, masks: Masks) -> None:
    """Wave and flat bit of one candle, the averages in their six slots being seeded or not."""
    mean, (state[0], state[1]) = ema_step(typical[t], (int(state[0]), state[1]), channel)
    spread, (state[2], state[3]) = ema_step(abs(typical[t] - mean), (int(state[2]), state[3]), channel)
    place = (typical[t] - mean) / (0.015 * spread)
    wt1[t], (state[4], state[5]) = ema_step(place, (int(state[4]), state[5]), average)
    masks[t] = FLAT if spread <= NOISE * mean else 0


@aside
def seed_wilder(gain: Floats, loss: Floats, t: int, state: Floats, length: int) -> None:
    """Wilder's averages of one gain and loss, in place, being seeded or not; a count and two averages of state."""
    count = int(state[0])
    gain[t], (_, state[1]) = rma_step(gain[t], (count, state[1]), length)
    loss[t], (state[0], state[2]) = rma_step(loss[t], (count, state[2]), length)


@step
def wave_step(
    typical: float, averages: tuple[float, float, float], weight: float, wave_weight: float
) -> tuple[float, int, tuple[float, float, float]]:
    """Wave and flat bit of one candle, all averages being seeded: mean of the price, its mean deviation, the wave."""
    mean, spread, wave = averages
    mean = mean + weight * (typical - mean)
    deviation = typical - mean
    spread = spread + weight * (abs(deviation) - spread)
    place = deviation / (0.015 * spread)
    flat = FLAT if spread <= NOISE * mean else 0
    if np.isnan(place):
        return np.nan, flat, (mean, spread, wave)
    wave = wave + wave_weight * (place - wave)
    return wave, flat, (mean, spread, wave)


@aside
def wave_pass(typical: Floats, state: Floats, channel: int, average: int, wt1: Floats, masks: Masks) -> None:
    """Distance of the typical price from its mean in mean deviations, smoothed; flat where those are noise."""
    t = 0
    # An average over one value is that value, which the short form of a seeded one misses by rounding.
    while t < len(typical) and (state[4] < average or channel == 1 or average == 1):
        seed_wave(typical, t, state, channel, average, wt1, masks)
        t += 1
    averages = state[1], state[3], state[5]
    weight, wave_weight = 2.0 / (channel + 1), 2.0 / (average + 1)
    for k in range(t, len(typical)):
        wt1[k], masks[k], averages = wave_step(typical[k], averages, weight, wave_weight)
    state[1], state[3], state[5] = averages


@step
def wilder_step(average: float, x: float, length: float) -> float:
    """Wilder's average that is seeded, one value on."""
    return (average * (length - 1.0) + x) / length


@step
def wilder_pass(gain: Floats, loss: Floats, state: Floats, length: int) -> None:
    """Wilder's averages of gains and losses, in place and in one loop; a count and two averages of state."""
    t = 0
    while t < len(gain) and state[0] < length:
        seed_wilder(gain, loss, t, state, length)
        t += 1
    up, down, span = state[1], state[2], float(length)
    for k in range(t, len(gain)):
        up, down = wilder_step(up, gain[k], span), wilder_step(down, loss[k], span)
        gain[k], loss[k] = up, down
    state[1], state[2] = up, down


@copied
def chain_pass(
    typical: Floats,
    changes: tuple[Floats, Floats, Floats, Floats],
    wave_state: Floats,
    strength_state: Floats,
    lengths: tuple[int, int, int, int],
    wt1: Floats,
    masks: Masks,
) -> None:
    """`wave_pass`, and `wilder_pass` of two series, in one loop: each waits for its own last result, so all overlap.

    Args:
        changes: gains and losses of both series, replaced by their averages.
        lengths: channel and average of the wave, and those of the two series.
    """
    channel, average, length, other_length = lengths
    gain, loss, other_gain, other_loss = changes
    # An average over one value is that value, which the short form of a seeded one misses by rounding.
    alone, t = min(channel, average) == 1, 0
    while t < len(typical) and (
        alone or wave_state[4] < average or strength_state[0] < length or strength_state[3] < other_length
    ):
        seed_wave(typical, t, wave_state, channel, average, wt1, masks)
        seed_wilder(gain, loss, t, strength_state, length)
        seed_wilder(other_gain, other_loss, t, strength_state[3:], other_length)
        t += 1
    mean, spread, wave = wave_state[1], wave_state[3], wave_state[5]
    weight, wave_weight = 2.0 / (channel + 1), 2.0 / (average + 1)
    a, b, c, d = strength_state[1], strength_state[2], strength_state[4], strength_state[5]
    span, other_span = float(length), float(other_length)
    for k in range(t, len(typical)):
        wt1[k], masks[k], (mean, spread, wave) = wave_step(typical[k], (mean, spread, wave), weight, wave_weight)
        a, b = wilder_step(a, gain[k], span), wilder_step(b, loss[k], span)
        c, d = wilder_step(c, other_gain[k], other_span), wilder_step(d, other_loss[k], other_span)
        gain[k], loss[k], other_gain[k], other_loss[k] = a, b, c, d
    wave_state[1], wave_state[3], wave_state[5] = mean, spread, wave
    strength_state[1], strength_state[2], strength_state[4], strength_state[5] = a, b, c, d


@step
def flow_pass(candles: Candles, multiplier: float, flow: Floats) -> None:
    """Body as a share of the range; undefined where a candle has no range."""
    open_, high, low, close = candles
    for t in range(len(close)):
        flow[t] = (close[t] - open_[t]) / (high[t] - low[t]) * multiplier
