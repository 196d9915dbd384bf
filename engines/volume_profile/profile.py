"""Volume by price: where it was traded, its point of control and its value area."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import numpy as np

from engines.domain.candles import CandleFrame, Floats
from engines.domain.timeframe import from_ms, to_ms
from engines.errors import InsufficientData, InvalidRequest
from engines.soundness import Columns, require_count, sound_columns
from engines.volume_profile.grid import RowGrid, row_edges, row_middles
from engines.volume_profile.nodes import Node, find_nodes
from engines.volume_profile.params import ProfileParams
from engines.volume_profile.spreading import RowSums, checks_on_the_way

# What the desk's analyses and charts use, so that the levels in words are the levels in the picture.
DESK_PROFILE: Final = ProfileParams(rows=100, smoothing=2.0)
DESK_LOOKBACK: Final = 200


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RowProfile:
    """Volume by row, whatever it was made of; prices in quote units, volumes in base units.

    Row i covers [base + i * row_height, base + (i + 1) * row_height); the upper end of the last row belongs to it.

    Attributes:
        base: lower edge of the lowest row.
        top: upper edge of the last row, which TradingView's whole-tick rounding may make shorter than the others.
        volume_by_row: shape (rows,), row 0 is the lowest; read-only.
        up_by_row, down_by_row: shape (rows,); of candles that closed at or above, and below, their open, or of buyers
            and sellers; read-only.
        poc_row, val_row, vah_row: rows of the point of control and of the value area's ends.
        total_volume: of all candles or trades.
    """

    params: ProfileParams
    base: float
    row_height: float
    top: float
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
        return float(self.middles[self.poc_row])

    @property
    def val(self) -> float:
        """Value area low: lower edge of its lowest row."""
        return self.base + self.val_row * self.row_height

    @property
    def vah(self) -> float:
        """Value area high: upper edge of its highest row."""
        return float(self.edges[self.vah_row + 1])

    @property
    def edges(self) -> Floats:
        """Shape (rows + 1,): lower edge of every row and the upper edge of the last."""
        return row_edges(self.base, self.row_height, self.top, len(self.volume_by_row))

    @property
    def middles(self) -> Floats:
        """Shape (rows,): middle of every row."""
        return row_middles(self.base, self.row_height, self.top, len(self.volume_by_row))

    @property
    def delta_by_row(self) -> Floats:
        """Shape (rows,): up less down volume."""
        return np.asarray(self.up_by_row - self.down_by_row)

    @property
    def hvn(self) -> tuple[Node, ...]:
        """High volume nodes by row, five at most; see `nodes`."""
        return self.nodes[0]

    @property
    def lvn(self) -> tuple[Node, ...]:
        """Low volume nodes by row, between neighbouring high ones; see `nodes`."""
        return self.nodes[1]

    @property
    def nodes(self) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
        """High and low volume nodes, found anew at every call; see `find_nodes`."""
        return find_nodes(self.volume_by_row, self.middles, smoothing=self.params.smoothing)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class VolumeProfile(RowProfile):
    """What `compute_volume_profile` found.

    Attributes:
        candles: what it was made of.
    """

    candles: CandleFrame


def compute_volume_profile(candles: CandleFrame, params: ProfileParams | None = None) -> VolumeProfile:
    """Spread traded volume over price and find the value area.

    Each candle's volume is shared evenly over the rows its range touches (`params.spread` has other ways); a candle
    without a range goes whole into its row, on an edge into the upper one. Nothing after the last candle is used.
    O(n + rows).

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
    columns = _columns(candles, params)
    low, high = float(columns[2].min()), float(columns[1].max())
    if not 0 < low <= high < math.inf:
        _refuse(candles)
    sums = RowSums(RowGrid.over(low, high, params), params)
    times = np.ascontiguousarray(candles.open_time, dtype=np.int64) if checks_on_the_way(params) else None
    if not sums.add(columns, times):
        _refuse(candles)
    if sums.total <= 0:
        raise _silence(candles)
    return VolumeProfile(candles=candles, **levels(sums, params))


def anchored_profile(candles: CandleFrame, anchor: datetime, params: ProfileParams | None = None) -> VolumeProfile:
    """The profile of what was traded from `anchor` on.

    Args:
        candles: closed candles; those that open before the anchor are left out.
        anchor: aware time.

    Raises:
        InsufficientData: no candle opens at or after the anchor, or none has volume.
        InvalidRequest: the anchor has no time zone; and as `compute_volume_profile`.
    """
    first = int(np.searchsorted(candles.open_time, to_ms(anchor)))
    if first == len(candles):
        raise InsufficientData(
            f"{candles.symbol} has no closed {candles.timeframe} candle from {anchor:%Y-%m-%d %H:%M %Z} on."
        )
    return compute_volume_profile(candles[first:], params)


def composite_profile(parts: Sequence[CandleFrame], params: ProfileParams | None = None) -> VolumeProfile:
    """One profile of several stretches of candles, which need not adjoin: all are spread over one common grid.

    Args:
        parts: candles of one market, symbol and timeframe, in order of time; for sessions give
            `session.profile.candles`.

    Raises:
        InsufficientData: there is no part, or nothing has volume.
        InvalidRequest: the parts are of different markets, symbols or timeframes, or overlap; and as
            `compute_volume_profile`.
    """
    if not parts:
        raise InsufficientData("A composite profile needs candles; there is no part.")
    first = parts[0]
    for part in parts:
        names = [f"{each.symbol} {each.timeframe} of {each.market}" for each in (first, part)]
        if names[0] != names[1] or part.simulated != first.simulated:
            raise InvalidRequest(
                f"{names[0]} and {names[1]} do not make one profile.",
                remedy="Give candles of one market, symbol and timeframe.",
            )
    columns = ("open_time", "open", "high", "low", "close", "volume")
    joined: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in columns}
    return compute_volume_profile(replace(first, **joined), params)


def levels(sums: RowSums, params: ProfileParams) -> dict[str, Any]:
    """The fields of a `RowProfile` of what was summed, which is more than nothing."""
    from engines.volume_profile.kernels import value_area_kernel

    grid, sides = sums.grid, sums.rows
    by_row = sides[0] + sides[1]
    poc, val, vah = value_area_kernel(by_row, sums.total, params.value_area_fraction)
    sides.flags.writeable = by_row.flags.writeable = False
    return {
        "params": params,
        "base": grid.base,
        "row_height": grid.row_height,
        "top": grid.top,
        "volume_by_row": by_row,
        "up_by_row": sides[0],
        "down_by_row": sides[1],
        "poc_row": poc,
        "val_row": val,
        "vah_row": vah,
        "total_volume": sums.total,
    }


def _columns(candles: CandleFrame, params: ProfileParams) -> Columns:
    """Contiguous columns, checked where that cannot be done while they are spread."""
    columns = (candles.open, candles.high, candles.low, candles.close, candles.volume)
    if not checks_on_the_way(params) or any(len(column) != len(candles) for column in columns):
        return sound_columns(candles, volume=True)
    open_, high, low, close, volume = (np.ascontiguousarray(column, dtype=np.float64) for column in columns)
    return open_, high, low, close, volume


def _refuse(candles: CandleFrame) -> None:
    sound_columns(candles, volume=True)
    raise AssertionError("candles that the check of every engine finds sound were found unsound")


def _silence(candles: CandleFrame) -> InsufficientData:
    return InsufficientData(
        f"{candles.symbol} has no volume in its {len(candles)} {candles.timeframe} candles from "
        f"{from_ms(int(candles.open_time[0])):%Y-%m-%d %H:%M} to {candles.as_of:%Y-%m-%d %H:%M} UTC; "
        "a volume profile needs some."
    )
