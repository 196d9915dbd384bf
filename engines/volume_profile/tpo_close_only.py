"""The simplest of profiles, by closes alone: what older programs print, kept to compare with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from engines.domain.candles import CandleFrame, Floats
from engines.errors import InsufficientData, InvalidRequest
from engines.soundness import require_count, sound_columns

_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True, eq=False)
class CloseOnlyProfile:
    """What `compute_close_only` found; prices in quote units, each a row's label and not its edge.

    Attributes:
        labels: shape (rows,), rows that hold a close, ascending; read-only.
        values: shape (rows,), volume (base units) or number of candles; read-only.
        initial_balance: low and high of the candles that open within an hour of the first.
    """

    labels: Floats
    values: Floats
    poc: float
    val: float
    vah: float
    initial_balance: tuple[float, float]

    @property
    def balanced_target(self) -> float:
        """The further end of the labels, mirrored at the point of control."""
        low, high = float(self.labels[0]), float(self.labels[-1])
        return 2 * self.poc - (high if high - self.poc >= self.poc - low else low)


def compute_close_only(
    candles: CandleFrame,
    row_height: float,
    *,
    by: Literal["volume", "time"] = "volume",
    value_area_fraction: float = 0.7,
) -> CloseOnlyProfile:
    """Put every candle whole into the row of its close and grow the value area row by row.

    Not for decisions: a candle's range is ignored, and empty rows are no rows. Nothing after the last candle is used.

    Args:
        candles: n >= 1 closed candles, ascending open_time.
        row_height: quote units; a row is called by its upper edge, to which closes are rounded up.
        by: count volume, or candles.
        value_area_fraction: share of the total inside the value area, in (0, 1].

    Returns:
        Point of control (of equal rows the one nearest to the middle, then the lower) and value area, which grows by
        the larger neighbour, the upper when equal, while it holds the fraction or less.

    Raises:
        InsufficientData: there is no candle, or none with volume to count.
        InvalidRequest: a candle cannot be, or a setting is out of its range.

    Source: the behaviour of py-market-profile 0.2, for comparison with it.
    """
    if not 0 < row_height < 1e18 or not 0 < value_area_fraction <= 1:
        raise InvalidRequest(
            f"row_height is {row_height!r} and value_area_fraction {value_area_fraction!r}.",
            remedy="Use a price difference above zero, and a share above 0 and up to 1.",
        )
    require_count(candles, 1, what="a profile of closes")
    _, high, low, close, volume = sound_columns(candles, volume=True)
    per_unit = 1.0 / row_height
    labels, row = np.unique(np.ceil(close * per_unit) / per_unit, return_inverse=True)
    values = np.bincount(row, weights=volume if by == "volume" else None).astype(np.float64)
    if values.sum() <= 0:
        raise InsufficientData(f"{candles.symbol} has no volume in its {len(candles)} {candles.timeframe} candles.")
    # The middle is half the number of rows here, half a row above the true one.
    largest = np.flatnonzero(values == values.max())
    poc = int(largest[np.argmin(np.abs(largest - len(values) / 2))])
    bottom, top = _value_area(values, poc, value_area_fraction)
    first_hour = candles.open_time <= candles.open_time[0] + _HOUR_MS
    labels.flags.writeable = values.flags.writeable = False
    return CloseOnlyProfile(
        labels,
        values,
        poc=float(labels[poc]),
        val=float(labels[bottom]),
        vah=float(labels[top]),
        initial_balance=(float(low[first_hour].min()), float(high[first_hour].max())),
    )


def _value_area(values: Floats, poc: int, fraction: float) -> tuple[int, int]:
    bottom = top = poc
    held, target = values[poc], fraction * values.sum()
    while held <= target and (bottom > 0 or top < len(values) - 1):
        above = values[top + 1] if top < len(values) - 1 else -1.0
        below = values[bottom - 1] if bottom > 0 else -1.0
        if above >= below:
            top += 1
        else:
            bottom -= 1
        held += max(above, below)
    return bottom, top
