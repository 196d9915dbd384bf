"""The panel's arithmetic, one candle at a time: laws of the primitives, and the kernel that fuses them.

A primitive is a step `(x, state, ...) -> (value, state)`; undefined is NaN. Order of operations and seeds are those
of the charting language the panel comes from, bit for bit, so they are not simplified. Loading this module loads numba.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numpy.typing import NDArray

from engines.compiled import FLOATS_IN, kernel, step, tuple_of

# Script comparisons carry this absolute tolerance.
TOLERANCE = 1e-10
# A deviation or range below this share of its values is rounding noise.
NOISE = 1e-12

Floats = NDArray[np.float64]
EmaState = tuple[int, float]
SmaState = tuple[int, int, float, float]
RsiState = tuple[float, EmaState, EmaState]

EMPTY_EMA: EmaState = (0, 0.0)
EMPTY_SMA: SmaState = (0, 0, 0.0, 0.0)
EMPTY_RSI: RsiState = (np.nan, (0, 0.0), (0, 0.0))


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
def sma_step(x: float, oldest: float, state: SmaState, length: int) -> tuple[float, float, SmaState]:
    """Mean of the last `length` defined values; repeats itself on an undefined one once there are enough.

    `oldest` is the caller's ring at `state`'s position, and what is returned in second place belongs there: handing
    the ring itself to a step would count references once per candle. The rolling sum is replaced by a fresh one each
    time the ring comes round, so rounding errors cannot pile up.
    """
    position, count, total, fresh = state
    if not np.isnan(x):
        total += x - oldest
        fresh += x
        oldest = x
        count += 1
        position += 1
        if position == length:
            position, total, fresh = 0, fresh, 0.0
    return (total / length if count >= length else np.nan), oldest, (position, count, total, fresh)


@step
def rsi_step(x: float, state: RsiState, length: int) -> tuple[float, RsiState]:
    """Relative strength in 0..100; 100 where nothing was lost, so also where nothing moved at all."""
    last, gains, losses = state
    if np.isnan(x):
        return np.nan, state
    if np.isnan(last):
        return np.nan, (x, gains, losses)
    change = x - last
    gain, gains = rma_step(max(0.0, change), gains, length)
    loss, losses = rma_step(-change if change < 0.0 else 0.0, losses, length)
    if np.isnan(gain):
        strength = np.nan
    elif loss <= TOLERANCE:
        strength = 100.0
    elif gain <= TOLERANCE:
        strength = 0.0
    else:
        strength = 100.0 - 100.0 / (1.0 + gain / loss)
    return strength, (x, gains, losses)


@step
def stoch_value(x: float, highest: float, lowest: float) -> float:
    """Place of x in its range in percent, not clamped; undefined where the range is no more than rounding noise."""
    span = highest - lowest
    if not span > NOISE * max(1.0, abs(highest)):
        return np.nan
    return 100.0 * (x - lowest) / span


@step
def cross_step(difference: float, side: int) -> tuple[bool, int]:
    """Whether the difference has changed sign since it last clearly had one (`side`: -1, 1, or 0 for not yet)."""
    # Bitwise, because crosses come at random and a mispredicted branch costs more than both comparisons.
    crossed = ((side > 0) & (difference < 0.0)) | ((side < 0) & (difference > 0.0))
    return crossed, 1 if difference > TOLERANCE else (-1 if difference < -TOLERANCE else side)


@step
def wave_pass(
    high: Floats, low: Floats, close: Floats, channel: int, average: int, wt1: Floats, flat: NDArray[np.bool_]
) -> None:
    """Distance of the typical price from its mean in mean deviations, smoothed; `flat` where those are noise."""
    mean_state, spread_state, wave_state = EMPTY_EMA, EMPTY_EMA, EMPTY_EMA
    for t in range(len(close)):
        typical = (high[t] + low[t] + close[t]) / 3.0
        mean, mean_state = ema_step(typical, mean_state, channel)
        spread, spread_state = ema_step(abs(typical - mean), spread_state, channel)
        wt1[t], wave_state = ema_step((typical - mean) / (0.015 * spread), wave_state, average)
        flat[t] = spread <= NOISE * mean


@step
def dot_pass(
    wt1: Floats, wt2: Floats, overbought: float, oversold: float, vwap: Floats, events: NDArray[np.bool_]
) -> None:
    """Crosses of the waves, and the dots where they cross beyond a level."""
    side = 0
    for t in range(len(wt1)):
        difference = wt1[t] - wt2[t]
        vwap[t] = difference
        crossed, side = cross_step(difference, side)
        up, down = crossed & (-difference <= TOLERANCE), crossed & (-difference >= -TOLERANCE)
        events[0, t], events[1, t] = up, down
        events[2, t] = up & (wt2[t] <= oversold + TOLERANCE)
        events[3, t] = down & (wt2[t] >= overbought - TOLERANCE)


@step
def mean_pass(x: Floats, length: int, mean: Floats) -> None:
    """Simple average of every candle's window; `mean` may be `x`."""
    state, ring = EMPTY_SMA, np.zeros(length)
    for t in range(len(x)):
        mean[t], ring[state[0]], state = sma_step(x[t], ring[state[0]], state, length)


@step
def rsi_pass(x: Floats, length: int, strength: Floats) -> None:
    """Relative strength of every candle; `strength` may be `x`."""
    state = EMPTY_RSI
    for t in range(len(x)):
        strength[t], state = rsi_step(x[t], state, length)


@step
def stoch_pass(x: Floats, high: Floats, low: Floats, length: int, first: int, place: Floats) -> None:
    """Place of x in its range over the last `length` candles, from candle `first` on; undefined candles do not count.

    A window is the end of one block and the beginning of the next: it needs the extremes of the new block so far and
    the suffix extremes of the old one. Constant work per candle, without a branch on the data.
    """
    old_highest, old_lowest = np.full(length + 1, -np.inf), np.full(length + 1, np.inf)
    for start in range(0, len(x), length):
        end = min(start + length, len(x))
        highest, lowest = -np.inf, np.inf
        for t in range(start, end):
            highest = max(highest, high[t])
            lowest = min(lowest, low[t])
            old_high, old_low = old_highest[t - start + 1], old_lowest[t - start + 1]
            top, bottom = max(highest, old_high), min(lowest, old_low)
            place[t] = stoch_value(x[t], top, bottom) if t >= first else np.nan
        highest, lowest = -np.inf, np.inf
        for t in range(end - 1, start - 1, -1):
            highest = max(highest, high[t])
            lowest = min(lowest, low[t])
            old_highest[t - start], old_lowest[t - start] = highest, lowest


@kernel(
    *[FLOATS_IN] * 4,
    tuple_of(types.int64, 9),
    tuple_of(types.float64, 4),
    types.boolean,
    types.float64[:, ::1],
    types.boolean[:, ::1],
)
def panel_kernel(
    open_: Floats,
    high: Floats,
    low: Floats,
    close: Floats,
    lengths: tuple[int, int, int, int, int, int, int, int, int],
    levels: tuple[float, float, float, float],
    pine_warmup: bool,
    values: Floats,
    events: NDArray[np.bool_],
) -> None:
    """Fill `values` (7, n) and `events` (5, n), rows as in `panel.VALUE_COLUMNS` and `panel.EVENT_COLUMNS`.

    One short loop per quantity: a single loop over all needs more registers than there are and takes twice as long.
    """
    channel, average, signal, flow_length, rsi_length, stoch_rsi_length, stoch_length, k_length, d_length = lengths
    overbought, oversold, flow_multiplier, flow_shift = levels
    wt1, wt2, vwap, flow = values[0], values[1], values[2], values[3]
    rsi, stoch_k, stoch_d = values[4], values[5], values[6]
    wave_pass(high, low, close, channel, average, wt1, events[4])
    mean_pass(wt1, signal, wt2)
    dot_pass(wt1, wt2, overbought, oversold, vwap, events)
    for t in range(len(close)):
        flow[t] = (close[t] - open_[t]) / (high[t] - low[t]) * flow_multiplier
    mean_pass(flow, flow_length, flow)
    flow -= flow_shift
    rsi_pass(close, rsi_length, rsi)
    for t in range(len(close)):
        stoch_d[t] = np.log(close[t])
    rsi_pass(stoch_d, stoch_rsi_length, stoch_d)
    first = stoch_length - 1 if pine_warmup else stoch_rsi_length + stoch_length - 1
    stoch_pass(stoch_d, stoch_d, stoch_d, stoch_length, first, stoch_k)
    mean_pass(stoch_k, k_length, stoch_k)
    mean_pass(stoch_k, d_length, stoch_d)
