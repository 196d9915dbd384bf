"""Volume by price: where it was traded, its point of control and its value area."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from engines.domain.candles import CandleFrame, Floats
from engines.domain.timeframe import from_ms
from engines.errors import InsufficientData, InvalidRequest
from engines.soundness import require_count, sound_columns
from engines.volume_profile.params import MAX_ROWS, ProfileParams

# What the desk's analyses and charts use, so that the levels in words are the levels in the picture.
DESK_PROFILE: Final = ProfileParams(rows=100)
DESK_LOOKBACK: Final = 200
# A multiple of the row height is met within this share of a row: 0.3 is the third multiple of 0.1.
_GRID_TOLERANCE: Final = 1e-9
# Rows below this share of the largest one are rounding left-overs of the difference array.
_NOISE: Final = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class VolumeProfile:
    """What `compute_volume_profile` found; prices in quote units, volumes in base units.

    Row i covers [base + i * row_height, base + (i + 1) * row_height); the highest price belongs to the last row.

    Attributes:
        volume_by_row: shape (rows,), row 0 is the lowest; read-only.
        up_by_row, down_by_row: shape (rows,), volume of candles that closed at or above, and below, their open.
        poc_row, val_row, vah_row: rows of the point of control and of the value area's ends.
        total_volume: of all candles.
    """

    candles: CandleFrame
    params: ProfileParams
    base: float
    row_height: float
    volume_by_row: Floats
    up_by_row: Floats
    down_by_row: Floats
    poc_row: int
    val_row: int
    vah_row: int
    total_volume: float

    @property
    def poc(self) -> float:
        """Point of control: middle of the row with most volume."""
        return self.base + (self.poc_row + 0.5) * self.row_height

    @property
    def val(self) -> float:
        """Value area low: lower edge of its lowest row."""
        return self.base + self.val_row * self.row_height

    @property
    def vah(self) -> float:
        """Value area high: upper edge of its highest row."""
        return self.base + (self.vah_row + 1) * self.row_height

    @property
    def edges(self) -> Floats:
        """Shape (rows + 1,): lower edge of every row and the upper edge of the last."""
        return np.asarray(self.base + np.arange(len(self.volume_by_row) + 1) * self.row_height)


def compute_volume_profile(candles: CandleFrame, params: ProfileParams | None = None) -> VolumeProfile:
    """Spread traded volume over price and find the value area.

    Each candle's volume is shared evenly over the rows its range touches; a candle without a range goes whole into its
    row, on an edge into the upper one. Nothing after the last candle is used. O(n + rows).

    Args:
        candles: n >= 1 closed candles, ascending open_time; prices in quote units, volume in base units.
        params: rows and value area; 24 rows and 70 % when None.

    Returns:
        Rows that sum to the input volume, and POC, VAL, VAH in quote units, VAL <= POC <= VAH. Equal rows: the POC
        nearest to the middle, then the lower; equal pairs: the upper. Equal means within 1e-12 of the total.

    Raises:
        InsufficientData: there is no candle, or no candle has volume. The message names symbol, timeframe and range.
        InvalidRequest: a candle cannot be, or `row_height` would make more than 10,000 rows.

    Source: TradingView's published rules of its volume profiles. Deviations: a candle is spread evenly over its range
    and ties are decided as above, both of which the rules leave open.
    """
    params = params or ProfileParams()
    require_count(candles, 1, what="a volume profile")
    open_, high, low, close, volume = sound_columns(candles, volume=True)
    total = float(volume.sum())
    if total <= 0:
        raise InsufficientData(
            f"{candles.symbol} has no volume in its {len(candles)} {candles.timeframe} candles from "
            f"{from_ms(int(candles.open_time[0])):%Y-%m-%d %H:%M} to {candles.as_of:%Y-%m-%d %H:%M} UTC; "
            "a volume profile needs some."
        )
    from engines.volume_profile.kernels import spread_kernel, value_area_kernel

    base, height, count = _geometry(float(low.min()), float(high.max()), params)
    sides = np.empty((2, count))
    spread_kernel(open_, high, low, close, volume, base, height or 1.0, sides)
    sides[sides < _NOISE * sides.max()] = 0.0
    by_row = sides[0] + sides[1]
    poc, val, vah = value_area_kernel(by_row, total, params.value_area_fraction)
    sides.flags.writeable = by_row.flags.writeable = False
    return VolumeProfile(candles, params, base, height, by_row, sides[0], sides[1], poc, val, vah, total)


def _geometry(low: float, high: float, params: ProfileParams) -> tuple[float, float, int]:
    if params.row_height is None:
        assert params.rows is not None
        height = (high - low) / params.rows
        # A range that its rows cannot resolve is one row of no height.
        return (low, height, params.rows) if low + height > low else (low, 0.0, 1)
    height = params.row_height
    first = math.floor(low / height + _GRID_TOLERANCE)
    count = max(1, math.ceil(high / height - _GRID_TOLERANCE) - first)
    if count > MAX_ROWS:
        raise InvalidRequest(
            f"Rows of {height!r} between {low!r} and {high!r} make {count:,} rows; the most is {MAX_ROWS:,}.",
            remedy=f"Use a row height of at least {(high - low) / MAX_ROWS:.2g}.",
        )
    return first * height, height, count
