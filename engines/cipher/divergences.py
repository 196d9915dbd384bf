"""Divergences of price and oscillator between two pivots, and the dots that rest on them. Loads numba."""

from __future__ import annotations

from engines.cipher.layout import (
    BUY_BITS,
    BUY_DIV_DOT,
    FRACTAL,
    GOLD,
    GOLD_BITS,
    GOLD_DOT,
    GOLD_FALL,
    GOLD_LEVEL,
    GOLD_RSI,
    PIVOT_STATE,
    PIVOTS,
    SELL_BITS,
    SELL_DIV_DOT,
    SET_BITS,
    SET_LEVELS,
    SET_LIMITS,
    SET_WIDTH,
    SETS,
    Wholes,
)
from engines.cipher.primitives import TOLERANCE, Floats, Masks
from engines.compiled import step

# Bits used while a chunk is worked on: a fractal bottom, and a top, of the wave, of RSI and of K.
_FOUND = 1 << 50
_ANY_FOUND = 63 << 50
# Rows of the recent values, each with the four before the chunk in front.
_WAVE, _RSI, _K, _HIGH, _LOW = range(5)


@step
def fractal_pass(x: Floats, bottom_bit: int, masks: Masks) -> None:
    """Mark the candle two after a strict low, or high, between two values on either side; x begins four earlier."""
    for t in range(len(masks)):
        a, b, p, c, d = x[t], x[t + 1], x[t + 2], x[t + 3], x[t + 4]
        top = (p - a > TOLERANCE) & (p - b > TOLERANCE) & (p - c > TOLERANCE) & (p - d > TOLERANCE)
        bottom = (a - p > TOLERANCE) & (b - p > TOLERANCE) & (c - p > TOLERANCE) & (d - p > TOLERANCE)
        masks[t] |= (bottom_bit if bottom else 0) | (2 * bottom_bit if top else 0)


@step
def compare_pivot(
    value: float,
    price: float,
    candle: int,
    top: int,
    first: int,
    last: int,
    plan: Wholes,
    levels: Floats,
    state: Floats,
) -> int:
    """Bits of the divergences that a pivot makes with the one before it, in the sets from `first` to before `last`.

    Each set has its own limits, and its own last pivot of either kind, which this one replaces when it is within them.
    """
    bits = 0
    sign = 1.0 if top else -1.0
    # A price below one would drown in the tolerance of points.
    near = TOLERANCE * min(1.0, price)
    for k in range(first, last):
        limits = levels[SET_LEVELS + SET_LIMITS * k : SET_LEVELS + SET_LIMITS * (k + 1)]
        if not (sign * (value - limits[top]) >= -TOLERANCE and abs(value) > limits[2]):
            continue
        before = state[SETS + PIVOT_STATE * (2 * k + top) :]
        price_change, value_change = sign * (price - before[1]), sign * (value - before[0])
        if price_change > near and value_change < -TOLERANCE:
            bits |= plan[SET_BITS + SET_WIDTH * k + top]
        if price_change < -near and value_change > TOLERANCE:
            bits |= plan[SET_BITS + SET_WIDTH * k + 2 + top]
        bits |= PIVOTS << (2 * k + top)
        before[0], before[1], before[2], before[3] = value, price, candle, before[2]
    return bits


@step
def is_gold(candle: int, wave: float, levels: Floats, state: Floats) -> bool:
    """Whether the wave has left a deep bottom, knowable two candles ago at least, that RSI confirmed."""
    at = GOLD if state[GOLD + 2] <= candle - 2 else GOLD + 3
    low, rsi = state[at], state[at + 1]
    left = low - levels[GOLD_LEVEL] <= TOLERANCE and wave - levels[GOLD_LEVEL] > TOLERANCE
    return bool(left and low - wave - levels[GOLD_FALL] <= TOLERANCE and rsi - levels[GOLD_RSI] < -TOLERANCE)


@step
def divergence_pass(recent: Floats, first: int, plan: Wholes, levels: Floats, state: Floats, masks: Masks) -> None:
    """Add the bits of all divergences, pivots and divergence dots to `masks`.

    Args:
        recent: rows of slow wave, RSI, K, high and low; four columns before the first candle of `masks`.
        first: number of that candle, counted from the symbol's first.
        state: the whole vector of the symbol.
    """
    for row in range(3):
        fractal_pass(recent[row], _FOUND << (2 * row), masks)
    for t in range(len(masks)):
        found = masks[t] & _ANY_FOUND
        if found == 0:
            continue
        bits, pivot = 0, t + FRACTAL - 2
        for row in range(3):
            begin, end = (0, 3) if row == _WAVE else (3, 5) if row == _RSI else (5, 7)
            for top in range(2):
                if found & (_FOUND << (2 * row + top)):
                    price = recent[_HIGH if top else _LOW, pivot]
                    candle = first + t - 2
                    bits |= compare_pivot(recent[row, pivot], price, candle, top, begin, end, plan, levels, state)
        if bits & PIVOTS:
            state[GOLD + 3], state[GOLD + 4], state[GOLD + 5] = state[GOLD], state[GOLD + 1], state[GOLD + 2]
            state[GOLD], state[GOLD + 1] = recent[_WAVE, pivot], recent[_RSI, pivot]
            state[GOLD + 2] = first + t
        if bits & plan[GOLD_BITS] and is_gold(first + t, recent[_WAVE, t + FRACTAL], levels, state):
            bits |= GOLD_DOT
        bits |= (BUY_DIV_DOT if bits & plan[BUY_BITS] else 0) | (SELL_DIV_DOT if bits & plan[SELL_BITS] else 0)
        masks[t] = (masks[t] ^ found) | bits
