"""The simulated market's order book: a ladder on each side of the quote, a pure function of seed, symbol and second."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import numpy as np

from engines.domain.book import Level
from engines.domain.instruments import Instrument
from engines.domain.orders import Side
from engines.market.noise import hashed, key_of

LEVELS: Final = 25
# A side is about a thousandth of the price deep, which is what the busiest real books show on as many levels.
_STEP: Final = 4e-5
# The best level offers some fiftieth of what is traded in a minute, the last one eight times as much.
_BEST: Final = 0.02
_GROWTH: Final = 0.3


def ladder(
    side: Side, best: Decimal, instrument: Instrument, *, per_minute: float, moment: tuple[int, int]
) -> tuple[Level, ...]:
    """One side of a book, best price first.

    Args:
        side: of the orders that rest there: `sell` for the asks.
        best: the quote's price on that side.
        per_minute: what is traded in a minute, base units.
        moment: the market's seed, and whole seconds since the epoch.
    """
    seed, second = moment
    key = np.array([key_of(seed, instrument.symbol, "book", side)], dtype=np.uint64)
    bits = hashed(key, np.arange(LEVELS, dtype=np.int64) + second * LEVELS)
    shares = (bits & np.uint64(0xFFFF)).astype(np.float64) / 0x10000, (bits >> np.uint64(48)) / 0x10000
    best_ticks = int(best / instrument.tick_size)
    step = max(1, round(best_ticks * _STEP))
    gaps = np.floor(shares[0] * (2 * step - 1)).astype(np.int64) + 1
    away = np.concatenate(([0], np.cumsum(gaps[1:])))
    sizes = per_minute * _BEST * (0.5 + shares[1]) * (1 + _GROWTH * np.arange(LEVELS))
    lots = np.maximum(np.rint(sizes / float(instrument.lot_size)), 1)
    ticks = best_ticks + away if side == "sell" else best_ticks - away
    return tuple(
        Level(int(tick) * instrument.tick_size, int(count) * instrument.lot_size)
        for tick, count in zip(ticks, lots, strict=True)
        if tick > 0
    )
