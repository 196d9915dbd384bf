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

# Places in the vector: first the addresses of times, four prices, plan, levels, states, scratch, values and masks.
ADDRESSES: Final = 11
SIZE: Final = 21
(ROWS, PER_SYMBOL, SYMBOLS, SLOTS, WORK_ROWS, WORK_WIDTH, COLUMNS, MASKS, PLAN, LEVELS) = range(ADDRESSES, SIZE)


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
    states: Floats,
    work: Floats,
    outputs: tuple[Floats, Masks],
    *,
    per_symbol: int,
) -> Call:
    """Prepare a call on these arrays, to be made once, or again whenever their contents have changed.

    Args:
        times: open times in milliseconds of `per_symbol` candles of the first symbol, then of the next; `prices` are
            their open, high, low and close.
        states: shape (symbols, slots), one row a symbol; left as they are after its last candle.
        work: scratch; its columns are the candles worked on at a time, and four more.
        outputs: values of shape (columns, n), and masks of n candles, or of a chunk where none are wanted.

    Raises:
        ValueError: an array is not laid out as compiled code takes it.
    """
    values, masks = outputs
    arrays = (times, *prices, layout.plan, layout.levels, states, work, values, masks)
    wholes = (times, layout.plan, masks)
    for array in arrays:
        kind = np.int64 if any(array is whole for whole in wholes) else np.float64
        if array.dtype != kind or not array.flags.c_contiguous:
            raise ValueError(f"an array of {array.dtype} and shape {array.shape} is not contiguous {kind.__name__}")
    if any(len(price) != len(times) for price in prices) or len(times) != per_symbol * len(states):
        raise ValueError("times, prices and states do not fit each other")
    sizes = (len(times), per_symbol, *states.shape, *work.shape, len(values), len(masks), len(layout.plan))
    vector = np.array([*map(_address, arrays), *sizes, len(layout.levels)], dtype=np.int64)
    return Call(_address(vector), vector, arrays)


def _address(array: NDArray[Any]) -> int:
    address: int = array.__array_interface__["data"][0]
    return address
