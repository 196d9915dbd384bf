"""Enter candles and trades into the rows of a grid, in one go or as they come."""

from __future__ import annotations

from typing import Final

import numpy as np

from engines.domain.candles import Floats, Times
from engines.soundness import Columns
from engines.volume_profile.grid import RowGrid
from engines.volume_profile.params import ProfileParams

_NO_TIMES: Final = np.empty(0, dtype=np.int64)


class RowSums:
    """Volume by row, growing candle by candle; not safe for use from two threads.

    Candles may come in any number of calls: the sums, and the rows made of them, are the same bit for bit.

    Attributes:
        grid: where the rows lie.
        rows: shape (2, rows), up and down volume by row.
    """

    __slots__ = ("_entered", "_params", "_strands", "_sums", "grid", "rows")

    def __init__(self, grid: RowGrid, params: ProfileParams) -> None:
        from engines.volume_profile.kernels import COPIES, PLANES, STRANDS

        self.grid = grid
        self.rows: Floats = np.zeros((2, grid.count))
        self._params = params
        self._sums: Floats = np.zeros((PLANES, COPIES, 2 * (grid.count + 1)))
        self._strands: Floats = np.zeros(STRANDS)
        self._entered = 0

    @property
    def total(self) -> float:
        """Volume of everything entered."""
        return float(self._strands.sum())

    def on(self, grid: RowGrid) -> RowSums:
        """A copy of these sums on the same grid, or on one that reaches further over the same multiples."""
        other = RowSums(grid, self._params)
        moved, width = 2 * (self.grid.first - grid.first), self._sums.shape[2]
        other._sums[:, :, moved : moved + width] = self._sums
        other._strands[:] = self._strands
        other._entered = self._entered
        nothing = np.empty(0)
        other._spread((nothing,) * 8, None)
        return other

    def add_trades(self, price: Floats, quantity: Floats, side: Floats) -> None:
        """Enter trades, each whole at its price; those with a side above zero are up."""
        # A trade has no body to tell up from down, so its side stands for it; and it reaches over no tick but its own.
        self._spread((np.zeros(len(price)), price, price, side, quantity, price, price, price), None, reach=0.0)

    def add(self, columns: Columns, times: Times | None = None) -> bool:
        """Enter candles; with `times`, check them on the way, where `checks_on_the_way` says so.

        Returns:
            False when a candle cannot be: these sums are of no use any more.
        """
        spread = lower_upper(columns, self._params)
        if self._params.split == "candle":
            return self._spread((*columns, *spread), times)
        open_, high, low, close, volume = columns
        span = high - low
        share = np.where(span > 0, (close - low) / np.where(span > 0, span, 1.0), close >= open_)
        # Every candle twice: its volume below the close as a rising one, the rest as a falling one.
        up = volume * share
        parts = np.column_stack((up, volume - up)).ravel()
        blank, sides = np.zeros(len(parts)), np.tile((1.0, -1.0), len(share))
        doubled = (np.repeat(prices, 2) for prices in spread)
        return self._spread((blank, blank, blank, sides, parts, *doubled), None)

    def _spread(self, columns: tuple[Floats, ...], times: Times | None, *, reach: float | None = None) -> bool:
        from engines.volume_profile.kernels import spread_kernel

        *place, own = self.grid.numbers
        sound = spread_kernel(
            _NO_TIMES if times is None else times,
            columns,
            (*place, own if reach is None else reach),
            self._params.spread == "triangle",
            times is not None,
            self._entered,
            self._sums,
            self._strands,
            self.rows,
        )
        self._entered += len(columns[4])
        return sound


def checks_on_the_way(params: ProfileParams) -> bool:
    """Whether candles can be checked while they are spread."""
    return params.split == "candle"


def lower_upper(columns: Columns, params: ProfileParams) -> tuple[Floats, Floats, Floats]:
    """Between which prices each candle's volume goes, and where most of it."""
    _, high, low, close, _ = columns
    match params.spread:
        case "close":
            return close, close, close
        case "typical":
            typical = np.asarray((high + low + close) / 3)
            return typical, typical, typical
    return low, high, close
