"""Where the rows of a profile lie."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from engines.domain.candles import Floats
from engines.errors import InvalidRequest
from engines.volume_profile.params import MAX_ROWS, ProfileParams, whole_tick_rows

# A price this close to a whole number of units is on it: 0.3 is the third multiple of 0.1, whatever doubles say. The
# second share is of the number itself, which doubles tell no closer where units are many.
SNAP: Final = 1e-8
SNAP_SHARE: Final = 1e-15
# Adding and subtracting it rounds a double to a whole number, in kernels as well as here.
ROUNDER: Final = 1.5 * 2.0**52
# So many units are still told apart, and rounded as above.
_COUNTABLE: Final = 2.0**51


@dataclass(frozen=True, slots=True)
class RowGrid:
    """Rows of equal height; row i covers [base + i * row_height, base + (i + 1) * row_height).

    Attributes:
        base, row_height, top: quote units; `top` is the upper end of the last row, which belongs to it.
        count: number of rows.
        unit: quote units in which positions are counted, snapped to whole numbers; 0 where prices are used as they are.
        origin: position of row 0 in units, where rows do not lie on multiples of their height.
        height: height of a row in units.
        first: number of row 0 among all multiples of the height, where rows lie on them.
        reach: units added to a candle's high: 1 where ticks from low to high are counted, both included.
    """

    base: float
    row_height: float
    top: float
    count: int
    unit: float
    origin: float
    height: float
    first: int
    reach: float

    @property
    def numbers(self) -> tuple[float, float, float, float, float, float]:
        """What the kernels know of it: units per price, origin, height, rows per price, first and reach.

        Rows per price serves grids without a unit. It is a trace too large, so that a price on an edge does not fall
        short of it by the rounding of the reciprocal.
        """
        per_unit = 1 / self.unit if self.unit else 0.0
        scale = math.nextafter(math.nextafter(1 / self.height, math.inf), math.inf)
        return per_unit, self.origin, self.height, scale, float(self.first), self.reach

    @classmethod
    def over(cls, low: float, high: float, params: ProfileParams) -> Self:
        """The rows that `params` asks for between two prices, 0 < low <= high.

        Raises:
            InvalidRequest: there would be more than 10,000 rows, or a price is so many ticks or rows above zero that
                doubles cannot count them.
        """
        unit = params.tick_size or params.row_height or 0.0
        if unit and not high / unit < _COUNTABLE:
            raise InvalidRequest(
                f"A price of {high!r} cannot be counted in steps of {unit!r}.",
                remedy="Use the symbol's own price step, or higher rows.",
            )
        reach = 1.0 if params.spread == "ticks" else 0.0
        place = cls._by_count if params.rows is not None else cls._on_multiples
        grid = place(low, high, params, reach)
        # Kernels write where positions say, unchecked.
        if not 0 <= grid.position(low, 0.0) <= grid.position(high, grid.reach) < grid.count + 1:
            raise AssertionError(f"rows {grid!r} do not hold {low!r} to {high!r}")
        return grid

    def position(self, price: float, reach: float) -> float:
        """Position of a price in rows, as the kernels compute it."""
        per_unit, origin, height, scale, first, _ = self.numbers
        if per_unit:
            return (in_units(price, self.unit) + reach - origin) / height - first
        return (price - origin) * scale

    @classmethod
    def _by_count(cls, low: float, high: float, params: ProfileParams, reach: float) -> Self:
        assert params.rows is not None
        unit, rows, origin = params.tick_size or 0.0, params.rows, low
        height, top = (high - low) / rows, high
        price_height = height
        if unit:
            origin = in_units(low, unit)
            span = in_units(high, unit) - origin + reach
            height, top = span / rows, high + reach * unit
            if params.tv_rows:
                ticks, rows = whole_tick_rows(math.ceil(span), rows)
                height = float(ticks)
            price_height = height * unit
        # A range that its rows cannot resolve is one row of no height.
        if not (high > low and low + price_height > low):
            return cls(low, 0.0, low, 1, unit, origin, math.inf, 0, 0.0)
        return cls(low, price_height, top, rows, unit, origin, height, 0, reach)

    @classmethod
    def _on_multiples(cls, low: float, high: float, params: ProfileParams, reach: float) -> Self:
        if params.row_height is not None and params.tick_size is None:
            unit, height = params.row_height, 1
        else:
            assert params.tick_size is not None
            unit = params.tick_size
            height = params.ticks_per_row or round((params.row_height or 0.0) / unit)
        first = math.floor(in_units(low, unit) / height)
        count = max(1, math.ceil((in_units(high, unit) + reach) / height) - first)
        if count > MAX_ROWS:
            raise InvalidRequest(
                f"Rows of {height * unit!r} between {low!r} and {high!r} make {count:,} rows; the most is "
                f"{MAX_ROWS:,}.",
                remedy=f"Use a row height of at least {(high - low) / MAX_ROWS:.2g}.",
            )
        base, row_height = first * height * unit, height * unit
        return cls(base, row_height, base + count * row_height, count, unit, 0.0, float(height), first, reach)


def in_units(price: float, unit: float) -> float:
    """How many units a price is; a whole number where it is one within rounding."""
    counted = price * (1 / unit)
    whole = (counted + ROUNDER) - ROUNDER
    return whole if abs(counted - whole) <= SNAP + SNAP_SHARE * counted else counted


def row_edges(base: float, row_height: float, top: float, count: int) -> Floats:
    """Shape (count + 1,): lower edge of every row, and the upper end of the last."""
    edges = base + np.arange(count + 1) * row_height
    edges[-1] = top
    return np.asarray(edges)


def row_middles(base: float, row_height: float, top: float, count: int) -> Floats:
    """Shape (count,): middle of every row; of a last row that ends early, of what there is of it."""
    middles = base + (np.arange(count) + 0.5) * row_height
    begin = base + (count - 1) * row_height
    if top - begin < row_height * (1 - 1e-9):
        middles[-1] = (begin + top) / 2
    return np.asarray(middles)
