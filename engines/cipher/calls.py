"""How a kernel is handed its arrays: one vector of their addresses and sizes.

Wrapping a dozen arrays for compiled code, and counting who refers to them, takes longer than computing a candle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engines.cipher.layout import Layout, Wholes
from engines.domain.candles import Floats, Times

Prices = tuple[Floats, Floats, Floats, Floats]
Masks = NDArray[np.int64]

# Places in the vector: addresses first. `BEFORE` is that of the states to go on from, `PARTS` those of a panel's parts.
(TIMES, OPEN, HIGH, LOW, CLOSE, PLAN, LEVELS, STATES, WORK, VALUES, MASKS, BEFORE, PARTS) = range(13)
MOST_PARTS: Final = 3
_SIZES: Final = PARTS + MOST_PARTS
(ROWS, PER_SYMBOL, SYMBOLS, SLOTS, WORK_ROWS, WORK_WIDTH, COLUMNS, PLAN_SIZE, LEVELS_SIZE) = range(_SIZES, _SIZES + 9)
SIZE: Final = _SIZES + 9


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """What a kernel is called with: the address of the vector. The rest is held so that addresses stay good."""

    address: int
    vector: Wholes
    arrays: tuple[Times | Floats | Masks, ...]


def call_on(
    times: Times,
    prices: Prices,
    layout: Layout,
    parts: tuple[int, ...],
    states: Floats,
    work: Floats,
    outputs: tuple[Floats, Masks],
    *,
    per_symbol: int,
    before: Floats | None = None,
) -> Call:
    """Prepare a call on these arrays, to be made once, or again whenever their contents have changed.

    Args:
        times: open times in milliseconds of `per_symbol` candles of the first symbol, then of the next; `prices` are
            their open, high, low and close.
        parts: addresses of the panel's parts, in the order in which they work on a chunk.
        states: shape (symbols, slots), one row a symbol; left as they are after its last candle.
        work: scratch; its columns are the candles worked on at a time, and four more.
        outputs: values of shape (columns, n), and masks of n candles, or of a chunk where none are wanted.
        before: the states to go on from where those are not `states`; they are left alone.

    Raises:
        ValueError: an array is not laid out as compiled code takes it.
    """
    values, masks = outputs
    before = states if before is None else before
    arrays = (times, *prices, layout.plan, layout.levels, states, work, values, masks, before)
    wholes = (times, layout.plan, masks)
    for array in arrays:
        kind = np.int64 if any(array is whole for whole in wholes) else np.float64
        if array.dtype != kind or not array.flags.c_contiguous:
            raise ValueError(f"an array of {array.dtype} and shape {array.shape} is not contiguous {kind.__name__}")
    if any(len(price) != len(times) for price in prices) or len(times) != per_symbol * len(states):
        raise ValueError("times, prices and states do not fit each other")
    if before.shape != states.shape or len(parts) > MOST_PARTS:
        raise ValueError("states do not fit those before, or there are too many parts")
    addresses = (*map(_address, arrays), *parts, *[0] * (MOST_PARTS - len(parts)))
    sizes = (len(times), per_symbol, *states.shape, *work.shape, len(values), len(layout.plan), len(layout.levels))
    vector = np.array([*addresses, *sizes], dtype=np.int64)
    return Call(_address(vector), vector, arrays)


def _address(array: NDArray[Any]) -> int:
    address: int = array.__array_interface__["data"][0]
    return address
