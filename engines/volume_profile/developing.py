"""How a profile's levels came to be: after every candle, as they were known then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.domain.candles import CandleFrame, Floats, Times
from engines.soundness import Columns, require_count, sound_columns
from engines.volume_profile.grid import RowGrid, row_edges, row_middles
from engines.volume_profile.params import ProfileParams
from engines.volume_profile.spreading import lower_upper


@dataclass(frozen=True, slots=True, eq=False)
class DevelopingProfile:
    """Levels after every candle, in quote units; undefined while no candle had volume. Arrays are read-only.

    Attributes:
        poc, val, vah: shape (n,).
    """

    candles: CandleFrame
    params: ProfileParams
    poc: Floats
    val: Floats
    vah: Floats


def developing_profile(
    candles: CandleFrame, params: ProfileParams | None = None, *, rows: NDArray[np.int64] | None = None
) -> DevelopingProfile:
    """POC, VAL and VAH after every candle, each made of the candles up to that one only.

    Value i is what `compute_volume_profile(candles[: i + 1])` tells, so later candles change nothing before them.

    Rows of a height stay where they are while the range grows, and a candle is entered once: O(n * rows) in small
    steps. With a number of rows every new high or low moves all rows, so everything before is entered again, as the
    profile of that moment has it: O(new extremes * n). Give a row height for long histories, or only some rows.

    Args:
        candles: n >= 1 closed candles, ascending open_time.
        params: rows and value area; 24 rows and 70 % when None.
        rows: ascending rows after which the levels are wanted, which saves the work for others; after those they may
            be undefined. All when None.

    Raises:
        InsufficientData: there is no candle.
        InvalidRequest: a candle cannot be, or there would be more than 10,000 rows.
    """
    params = params or ProfileParams()
    require_count(candles, 1, what="a developing profile")
    columns = sound_columns(candles, volume=True)
    lows, highs = np.minimum.accumulate(columns[2]), np.maximum.accumulate(columns[1])
    levels = np.full((3, len(candles)), np.nan)
    found, begin = np.empty((3, len(candles)), dtype=np.int64), 0
    whole = RowGrid.over(float(lows[-1]), float(highs[-1]), params)
    held, sums = np.zeros(whole.count + 1), np.zeros(2)
    wanted = np.arange(len(candles)) if rows is None else np.unique(rows)
    for tell, end, grid in _stretches(wanted, lows, highs, params):
        if not params.stable:
            begin, whole, held, sums = 0, grid, np.zeros(grid.count + 1), np.zeros(2)
        span = (begin, tell, end, grid.first - whole.first, grid.count)
        _develop(columns, whole, params, span, held, sums, found)
        _price(grid, found[:, tell:end], levels[:, tell:end])
        begin = end
    levels.flags.writeable = False
    return DevelopingProfile(candles, params, *levels)


def _stretches(
    wanted: NDArray[np.int64], lows: Floats, highs: Floats, params: ProfileParams
) -> Iterator[tuple[int, int, RowGrid]]:
    """Runs of wanted candles after which the rows lie alike: first, first not, and where they lie."""
    if len(wanted) == 0:
        return
    low, high = lows[wanted], highs[wanted]
    moved = np.flatnonzero((np.diff(low) != 0) | (np.diff(high) != 0)) + 1
    begin, grid = 0, RowGrid.over(float(low[0]), float(high[0]), params)
    for place in moved.tolist():
        other = RowGrid.over(float(low[place]), float(high[place]), params)
        if other != grid:
            yield int(wanted[begin]), int(wanted[place - 1]) + 1, grid
            begin, grid = place, other
    yield int(wanted[begin]), int(wanted[-1]) + 1, grid


def _develop(
    columns: Columns,
    grid: RowGrid,
    params: ProfileParams,
    span: tuple[int, int, int, int, int],
    held: Floats,
    sums: Floats,
    rows: Times,
) -> None:
    from engines.volume_profile.kernels import develop_kernel

    spread = (columns[4], *lower_upper(columns, params))
    develop_kernel(
        spread, grid.numbers, params.spread == "triangle", span, params.value_area_fraction, held, sums, rows
    )


def _price(grid: RowGrid, rows: Times, levels: Floats) -> None:
    known = rows[0] >= 0
    place = (grid.base, grid.row_height, grid.top, grid.count)
    edges = row_edges(*place)
    levels[0, known] = row_middles(*place)[rows[0, known]]
    levels[1, known] = edges[rows[1, known]]
    levels[2, known] = edges[rows[2, known] + 1]
