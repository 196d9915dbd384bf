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
    for t in range(2, count):
        mean[t] = (x[t - 2] + x[t - 1] + x[t]) / 3.0
    if count > 2:
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


@step
def rolling_means(x: Floats, state: Floats, length: int, mean: Floats) -> None:
    """`window_means` for a long window."""
    position, filled, total, fresh = int(state[0]), int(state[1]), state[2], state[3]
    window = state[MEAN_HEAD:]
    gaps = 0
    for t in range(len(x)):
        gaps += 1 if np.isnan(x[t]) else 0
    # A full window and no gap leave nothing to ask: the same additions.
    whole = gaps == 0 and filled == length
    for t in range(len(x)):
        value = x[t]
        if whole or not np.isnan(value):
            total += value - window[position]
            fresh += value
            window[position] = value
            filled = filled if whole else min(filled + 1, length)
            position += 1
            if position == length:
                position, total, fresh = 0, fresh, 0.0
        mean[t] = total if whole or filled == length else np.nan
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


@step
def wave_averages(state: Floats) -> tuple[EmaState, EmaState, EmaState]:
    """Mean of the price, its mean deviation and the wave, from six slots of state."""
    return (int(state[0]), state[1]), (int(state[2]), state[3]), (int(state[4]), state[5])


@step
def keep_averages(averages: tuple[EmaState, EmaState, EmaState], state: Floats) -> None:
    """Leave them in their six slots."""
    (state[0], state[1]), (state[2], state[3]), (state[4], state[5]) = averages


@aside
def seeding_wave_step(
    typical: float, averages: tuple[EmaState, EmaState, EmaState], channel: int, average: int
) -> tuple[float, int, tuple[EmaState, EmaState, EmaState]]:
    """Wave and flat bit of one candle, the averages being seeded or not."""
    mean, mean_state = ema_step(typical, averages[0], channel)
    spread, spread_state = ema_step(abs(typical - mean), averages[1], channel)
    wave, wave_state = ema_step((typical - mean) / (0.015 * spread), averages[2], average)
    return wave, FLAT if spread <= NOISE * mean else 0, (mean_state, spread_state, wave_state)


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
    seeding = wave_averages(state)
    t = 0
    # An average over one value is that value, which the short form of a seeded one misses by rounding.
    while t < len(typical) and (seeding[2][0] < average or channel == 1 or average == 1):
        wt1[t], masks[t], seeding = seeding_wave_step(typical[t], seeding, channel, average)
        t += 1
    keep_averages(seeding, state)
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
    count, up, down = int(state[0]), state[1], state[2]
    t = 0
    while t < len(gain) and count < length:
        gain[t], (_, up) = rma_step(gain[t], (count, up), length)
        loss[t], (count, down) = rma_step(loss[t], (count, down), length)
        t += 1
    span = float(length)
    for k in range(t, len(gain)):
        up, down = wilder_step(up, gain[k], span), wilder_step(down, loss[k], span)
        gain[k], loss[k] = up, down
    state[0], state[1], state[2] = count, up, down


@aside
def chain_head(
    typical: Floats,
    changes: tuple[Floats, Floats, Floats, Floats],
    wave_state: Floats,
    strength_state: Floats,
    lengths: tuple[int, int, int, int],
    wt1: Floats,
    masks: Masks,
) -> int:
    """Do the work of `chain_pass` until every average is seeded; returns how many candles that took."""
    channel, average, length, other_length = lengths
    gain, loss, other_gain, other_loss = changes
    waves = wave_averages(wave_state)
    (a_count, a), (b_count, b) = (
        (int(strength_state[0]), strength_state[1]),
        (int(strength_state[0]), strength_state[2]),
    )
    (c_count, c), (d_count, d) = (
        (int(strength_state[3]), strength_state[4]),
        (int(strength_state[3]), strength_state[5]),
    )
    t = 0
    # An average over one value is that value, which the short form of a seeded one misses by rounding.
    alone = channel == 1 or average == 1
    while t < len(typical) and (alone or waves[2][0] < average or a_count < length or c_count < other_length):
        wt1[t], masks[t], waves = seeding_wave_step(typical[t], waves, channel, average)
        gain[t], (a_count, a) = rma_step(gain[t], (a_count, a), length)
        loss[t], (b_count, b) = rma_step(loss[t], (b_count, b), length)
        other_gain[t], (c_count, c) = rma_step(other_gain[t], (c_count, c), other_length)
        other_loss[t], (d_count, d) = rma_step(other_loss[t], (d_count, d), other_length)
        t += 1
    keep_averages(waves, wave_state)
    strength_state[0], strength_state[1], strength_state[2] = a_count, a, b
    strength_state[3], strength_state[4], strength_state[5] = c_count, c, d
    return t


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
    begin = 0
    unseeded = wave_state[4] < average or strength_state[0] < length or strength_state[3] < other_length
    # An average over one value is that value, which the short form of a seeded one misses by rounding.
    if unseeded or min(channel, average) == 1:
        begin = chain_head(typical, changes, wave_state, strength_state, lengths, wt1, masks)
    mean, spread, wave = wave_state[1], wave_state[3], wave_state[5]
    weight, wave_weight = 2.0 / (channel + 1), 2.0 / (average + 1)
    a, b, c, d = strength_state[1], strength_state[2], strength_state[4], strength_state[5]
    span, other_span = float(length), float(other_length)
    for t in range(begin, len(typical)):
        wt1[t], masks[t], (mean, spread, wave) = wave_step(typical[t], (mean, spread, wave), weight, wave_weight)
        a, b = wilder_step(a, gain[t], span), wilder_step(b, loss[t], span)
        c, d = wilder_step(c, other_gain[t], other_span), wilder_step(d, other_loss[t], other_span)
        gain[t], loss[t], other_gain[t], other_loss[t] = a, b, c, d
    wave_state[1], wave_state[3], wave_state[5] = mean, spread, wave
    strength_state[1], strength_state[2], strength_state[4], strength_state[5] = a, b, c, d


@step
def flow_pass(candles: Candles, multiplier: float, flow: Floats) -> None:
    """Body as a share of the range; undefined where a candle has no range."""
    open_, high, low, close = candles
    for t in range(len(close)):
        flow[t] = (close[t] - open_[t]) / (high[t] - low[t]) * multiplier
