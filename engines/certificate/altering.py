"""Other histories of the same market: another future, other dates, a later beginning."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.domain.candles import CandleFrame, Floats

# After 28 years every date falls on its weekday and in its leap-year place again; a multiple of that is whole weeks,
# days and months at once, and 56 years hold an even number of days as well.
CALENDAR_MS: Final = 56 * 1461 // 4 * 86_400_000
# Extreme against the candles there are, yet few enough rows for a profile of fixed row height.
_EXTREME: Final = 8.0


def poisoned(candles: CandleFrame, cut: int, random: np.random.Generator) -> CandleFrame:
    """The same candles up to row `cut`, and from there on extreme but possible ones, or ones that do not move at all.

    Times stay as they are: they are known before they come.
    """
    count = len(candles) - cut
    wild = random.random() < 0.8
    open_, high, low, close = _wild(candles, count, random) if wild else _still(candles, cut, count)
    volume = random.uniform(0.0, 1e6, count) * random.integers(0, 2, count)
    return replace(
        candles,
        open=_joined(candles.open, cut, open_),
        high=_joined(candles.high, cut, high),
        low=_joined(candles.low, cut, low),
        close=_joined(candles.close, cut, close),
        volume=_joined(candles.volume, cut, volume),
    )


def moved(candles: CandleFrame) -> CandleFrame:
    """The same candles 56 years later, which is a whole number of weeks: no calendar shows the difference."""
    return replace(candles, open_time=candles.open_time + CALENDAR_MS)


def _wild(candles: CandleFrame, count: int, random: np.random.Generator) -> NDArray[np.float64]:
    middle = float(np.median(candles.close))
    body = middle * _EXTREME ** random.uniform(-1.0, 1.0, (2, count))
    wick = 1.0 + random.uniform(0.0, 0.5, (2, count))
    return np.array([body[0], body.max(axis=0) * wick[0], body.min(axis=0) / wick[1], body[1]])


def _still(candles: CandleFrame, cut: int, count: int) -> NDArray[np.float64]:
    return np.full((4, count), candles.close[cut - 1])


def _joined(before: Floats, cut: int, after: Floats) -> Floats:
    return np.concatenate((before[:cut], after))
