"""How compiled code reaches the arrays of a call, see `calls`, in a chunk of a symbol's candles. Loads numba."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.cipher.calls import (
    CLOSE,
    COLUMNS,
    HIGH,
    LEVELS,
    LEVELS_SIZE,
    LOW,
    MASKS,
    OPEN,
    PLAN,
    PLAN_SIZE,
    ROWS,
    SIZE,
    SLOTS,
    STATES,
    TIMES,
    VALUES,
    WORK,
    WORK_ROWS,
    WORK_WIDTH,
)
from engines.cipher.layout import Wholes
from engines.cipher.primitives import Candles, Floats, Masks
from engines.compiled import bits_at, floats_at, step, wholes_at

Times = NDArray[np.int64]
Bits = NDArray[np.uint64]
# One row a column of the panel's core.
Columns = tuple[Floats, Floats, Floats, Floats, Floats, Floats, Floats]


@step
def call_at(address: int) -> Wholes:
    """The vector of a call."""
    return wholes_at(address, SIZE)


@step
def times_of(call: Wholes, begin: int, end: int) -> Times:
    """Open times of these rows."""
    return wholes_at(call[TIMES] + 8 * begin, end - begin)


@step
def candles_of(call: Wholes, begin: int, end: int) -> Candles:
    """Candles of these rows."""
    first, top = floats_at(call[OPEN] + 8 * begin, end - begin), floats_at(call[HIGH] + 8 * begin, end - begin)
    bottom, last = floats_at(call[LOW] + 8 * begin, end - begin), floats_at(call[CLOSE] + 8 * begin, end - begin)
    return first, top, bottom, last


@step
def settings_of(call: Wholes) -> tuple[Wholes, Floats]:
    """Plan and levels."""
    return wholes_at(call[PLAN], call[PLAN_SIZE]), floats_at(call[LEVELS], call[LEVELS_SIZE])


@step
def state_of(call: Wholes, symbol: int) -> Floats:
    """State of a symbol."""
    return floats_at(call[STATES] + 8 * symbol * call[SLOTS], call[SLOTS])


@step
def column_of(call: Wholes, column: int, begin: int, end: int) -> Floats:
    """Values of one column in these rows."""
    return floats_at(call[VALUES] + 8 * (column * call[ROWS] + begin), end - begin)


@step
def core_columns_of(call: Wholes, begin: int, end: int) -> Columns:
    """The seven columns of the core in these rows."""
    first, step, count = call[VALUES] + 8 * begin, 8 * call[ROWS], end - begin
    wt1, wt2, vwap = floats_at(first, count), floats_at(first + step, count), floats_at(first + 2 * step, count)
    flow, rsi = floats_at(first + 3 * step, count), floats_at(first + 4 * step, count)
    return wt1, wt2, vwap, flow, rsi, floats_at(first + 5 * step, count), floats_at(first + 6 * step, count)


@step
def values_of(call: Wholes) -> Floats:
    """Values of all columns in all rows."""
    return floats_at(call[VALUES], (call[COLUMNS], call[ROWS]))


@step
def scratch_of(call: Wholes, row: int, count: int) -> Floats:
    """Beginning of a row of the scratch."""
    return floats_at(call[WORK] + 8 * row * call[WORK_WIDTH], count)


@step
def scratch_wholes_of(call: Wholes, row: int, count: int) -> Wholes:
    """As `scratch_of`, for whole numbers."""
    return wholes_at(call[WORK] + 8 * row * call[WORK_WIDTH], count)


@step
def scratch_bits_of(call: Wholes, row: int, count: int) -> Bits:
    """As `scratch_of`, the bits of the numbers."""
    return bits_at(call[WORK] + 8 * row * call[WORK_WIDTH], count)


@step
def work_of(call: Wholes) -> Floats:
    """The whole scratch."""
    return floats_at(call[WORK], (call[WORK_ROWS], call[WORK_WIDTH]))


@step
def masks_of(call: Wholes, begin: int, end: int) -> Masks:
    """Events of these rows."""
    return wholes_at(call[MASKS] + 8 * begin, end - begin)
