"""One candle as an exchange sends it, and why a row is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from engines.domain.timeframe import Timeframe, floor_ms

_CELLS: Final = 6
# Clocks differ: an exchange's candle may begin this much before ours says so.
SKEW_MS: Final = 3_000


class Row(NamedTuple):
    """Open time in milliseconds since the epoch (UTC), prices in quote units, volume in base units."""

    open_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float


def row_of(raw: Sequence[Any]) -> Row | None:
    """What an exchange sent as a row; None where it has too few cells or cells that are no numbers."""
    if len(raw) < _CELLS or not isinstance(raw[0], int) or isinstance(raw[0], bool):
        return None
    try:
        open_, high, low, close, volume = (float(cell) for cell in raw[1:_CELLS])
    except (TypeError, ValueError):
        return None
    return Row(raw[0], open_, high, low, close, volume)


def fault_of(row: Row, timeframe: Timeframe, *, now_ms: int) -> str:
    """Why a row is no candle, in one word to count by; empty for a candle. Nothing is mended."""
    if floor_ms(row.open_ms, timeframe) != row.open_ms:
        return "off_grid"
    if row.open_ms > now_ms + SKEW_MS:
        return "future"
    prices = row[1:5]
    if not all(math.isfinite(price) and price > 0 for price in prices):
        return "price"
    if row.high < max(row.open, row.close) or row.low > min(row.open, row.close):
        return "range"
    return "" if math.isfinite(row.volume) and row.volume >= 0 else "volume"
