"""Refuse candles that cannot be: every engine asks this before it computes."""

from __future__ import annotations

from typing import Final

import numpy as np

from engines.domain.candles import CandleFrame, Floats, Times
from engines.domain.timeframe import from_ms
from engines.errors import InsufficientData, InvalidRequest

Columns = tuple[Floats, Floats, Floats, Floats, Floats]

_SHOWN: Final = 5


def sound_columns(candles: CandleFrame, *, volume: bool = False) -> Columns:
    """Open, high, low, close and volume as contiguous float64 arrays, when every candle is possible.

    Args:
        candles: n >= 0 candles, in any order and shape of damage.
        volume: check volumes as well; engines that do not use them leave it.

    Raises:
        InvalidRequest: a price (or volume) is undefined, infinite or negative, a high or low lies inside its candle's
            body, or times do not rise. The message names the first rows, counted from 0, and what is wrong there.
    """
    from engines.soundness_kernel import first_unsound

    times, columns = contiguous_columns(candles)
    if first_unsound(times, *columns, volume) >= 0:
        raise unsound(candles, volume=volume)
    return columns


def contiguous_columns(candles: CandleFrame) -> tuple[Times, Columns]:
    """Open times, and the columns as `sound_columns` gives them, but unchecked: for kernels that check by themselves.

    Raises:
        InvalidRequest: the columns differ in length.
    """
    columns = (candles.open, candles.high, candles.low, candles.close, candles.volume)
    if any(len(column) != len(candles) for column in columns):
        raise InvalidRequest(f"{candles.symbol} {candles.timeframe}: the columns differ in length.")
    open_, high, low, close, traded = (np.ascontiguousarray(column, dtype=np.float64) for column in columns)
    return np.ascontiguousarray(candles.open_time, dtype=np.int64), (open_, high, low, close, traded)


def unsound(candles: CandleFrame, *, volume: bool = False) -> InvalidRequest:
    """The error that says which rows of these candles cannot be, and why; at least one must be such a row."""
    faults = _faults(candles, volume=volume)
    shown = "; ".join(
        f"row {row} ({from_ms(int(candles.open_time[row])):%Y-%m-%d %H:%M} UTC) {what}" for row, what in faults
    )
    return InvalidRequest(
        f"{candles.symbol} {candles.timeframe} has candles that cannot be: {shown}.",
        remedy="Correct or drop these rows and import them again.",
    )


def require_count(candles: CandleFrame, needed: int, *, what: str) -> None:
    """Return when there are at least `needed` candles.

    Raises:
        InsufficientData: there are fewer; the message says how many there are and how many `what` needs.
    """
    if len(candles) < needed:
        raise InsufficientData(
            f"{candles.symbol} has {len(candles)} closed {candles.timeframe} candles; {what} needs {needed}."
        )


def _faults(candles: CandleFrame, *, volume: bool) -> list[tuple[int, str]]:
    open_, high, low, close = candles.open, candles.high, candles.low, candles.close
    rules = [
        (~np.isfinite(open_ + high + low + close), "has an undefined or infinite price"),
        (np.minimum(np.minimum(open_, close), low) <= 0, "has a price that is not above zero"),
        (high < np.maximum(open_, close), "has a high below its open or close"),
        (low > np.minimum(open_, close), "has a low above its open or close"),
        (np.diff(candles.open_time, prepend=candles.open_time[0] - 1) <= 0, "does not come after the row before it"),
    ]
    if volume:
        rules.append((~(np.isfinite(candles.volume) & (candles.volume >= 0)), "has a volume that is not zero or more"))
    found = [(int(row), what) for wrong, what in rules for row in np.flatnonzero(wrong)[:_SHOWN]]
    return sorted(found)[:_SHOWN]
