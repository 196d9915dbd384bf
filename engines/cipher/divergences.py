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
from engines.compiled import copied, step

Vectors = tuple[Wholes, Floats, Floats, Masks]

# Rows of the recent values, each with the four before the chunk in front.
_WAVE, _RSI, _K, _HIGH, _LOW = range(5)
# Where the sets of wave, RSI and K begin, and the last ones end.
_FIRST_SET = (0, 3, 5, 7)
_BOTTOM, _TOP = 1, 2


@step
def fractal_pass(x: Floats, kinds: Wholes, order: Wholes) -> int:
    """Find strict lows and highs between two values on either side; x begins four before the first candle.

    Args:
        kinds: receives 1 for a low and 2 for a high on the candle two after it, else 0.
        order: receives the rows where it is not 0, in order.

    Returns:
        How many there are.
    """
    count = len(kinds)
    a, b, p, c, d = x[:count], x[1:], x[2:], x[3:], x[4:]
    for t in range(count):
        top = (p[t] - a[t] > TOLERANCE) & (p[t] - b[t] > TOLERANCE)
        top &= (p[t] - c[t] > TOLERANCE) & (p[t] - d[t] > TOLERANCE)
        bottom = (a[t] - p[t] > TOLERANCE) & (b[t] - p[t] > TOLERANCE)
        bottom &= (c[t] - p[t] > TOLERANCE) & (d[t] - p[t] > TOLERANCE)
        kinds[t] = _TOP if top else (_BOTTOM if bottom else 0)
    found = 0
    for t in range(count):
        # Written always and kept sometimes: where they lie is random, and a branch would be mispredicted.
        order[found] = t
        found += 1 if kinds[t] != 0 else 0
    return found


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
        at, limits, names = SETS + PIVOT_STATE * (2 * k + top), SET_LEVELS + SET_LIMITS * k, SET_BITS + SET_WIDTH * k
        counts = (sign * (value - levels[limits + top]) >= -TOLERANCE) & (abs(value) > levels[limits + 2])
        price_change, value_change = sign * (price - state[at + 1]), sign * (value - state[at])
        regular = counts & (price_change > near) & (value_change < -TOLERANCE)
        hidden = counts & (price_change < -near) & (value_change > TOLERANCE)
        bits |= (plan[names + top] if regular else 0) | (plan[names + 2 + top] if hidden else 0)
        bits |= PIVOTS << (2 * k + top) if counts else 0
        state[at + 3] = state[at + 2] if counts else state[at + 3]
        state[at + 2] = candle if counts else state[at + 2]
        state[at + 1] = price if counts else state[at + 1]
        state[at] = value if counts else state[at]
    return bits


@step
def series_pass(
    recent: Floats, row: int, sets: tuple[int, int], first: int, scratch: tuple[Wholes, Wholes], vectors: Vectors
) -> None:
    """Divergences of one oscillator in its sets; see `divergence_pass`."""
    kinds, order = scratch
    plan, levels, state, masks = vectors
    x = recent[row]
    for k in range(fractal_pass(x, kinds, order)):
        t = order[k]
        top = kinds[t] - 1
        pivot = t + FRACTAL // 2
        price = recent[_LOW - top, pivot]
        masks[t] |= compare_pivot(x[pivot], price, first + t - 2, top, sets[0], sets[1], plan, levels, state)


@step
def is_gold(candle: int, wave: float, levels: Floats, state: Floats) -> bool:
    """Whether the wave has left a deep bottom, knowable two candles ago at least, that RSI confirmed."""
    at = GOLD if state[GOLD + 2] <= candle - 2 else GOLD + 3
    low, rsi = state[at], state[at + 1]
    left = low - levels[GOLD_LEVEL] <= TOLERANCE and wave - levels[GOLD_LEVEL] > TOLERANCE
    return bool(left and low - wave - levels[GOLD_FALL] <= TOLERANCE and rsi - levels[GOLD_RSI] < -TOLERANCE)


@copied
def divergence_pass(recent: Floats, first: int, scratch: tuple[Wholes, Wholes], vectors: Vectors) -> None:
    """Add the bits of all divergences, pivots and divergence dots.

    Args:
        recent: rows of slow wave, RSI, K, high and low; four columns before the first candle.
        first: number of that candle, counted from the symbol's first.
        scratch: two rows as long as the chunk.
        vectors: plan, levels, the whole state of the symbol, and the masks to add to.
    """
    plan, levels, state, masks = vectors
    for row in range(len(_FIRST_SET) - 1):
        series_pass(recent, row, (_FIRST_SET[row], _FIRST_SET[row + 1]), first, scratch, vectors)
    buy, sell, gold = plan[BUY_BITS], plan[SELL_BITS], plan[GOLD_BITS]
    for t in range(len(masks)):
        bits = masks[t]
        if bits & (buy | sell | gold | PIVOTS) == 0:
            continue
        if bits & PIVOTS:
            state[GOLD + 3], state[GOLD + 4], state[GOLD + 5] = state[GOLD], state[GOLD + 1], state[GOLD + 2]
            pivot = t + FRACTAL // 2
            state[GOLD], state[GOLD + 1], state[GOLD + 2] = recent[_WAVE, pivot], recent[_RSI, pivot], first + t
        if bits & gold and is_gold(first + t, recent[_WAVE, t + FRACTAL], levels, state):
            bits |= GOLD_DOT
        masks[t] = bits | (BUY_DIV_DOT if bits & buy else 0) | (SELL_DIV_DOT if bits & sell else 0)
