"""Whether a market takes prices outside its value area or turns back from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from engines.domain.candles import CandleFrame

# A convention of traders: this many closes in a row outside value, and the market takes those prices.
ACCEPTED: Final = 3
# How far back an excursion still tells something, in candles.
RECENT: Final = 12

Place = Literal["above", "inside", "below"]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Where the last closes stand against value, and the last excursion from it.

    Attributes:
        place: where the last candle closed; on an edge is inside.
        closes: how many candles in a row closed there, the last one included.
        left: where the market last traded outside value within the last 12 candles, while it is inside now; else None.
        furthest: furthest price of that excursion, quote units; NaN without one.
        age: candles since its last one; 0 when it is the last candle itself; -1 without one.
        accepted: whether closes outside came three or more in a row, now or in that excursion.
    """

    place: Place
    closes: int
    left: Place | None
    furthest: float
    age: int
    accepted: bool


def read_acceptance(candles: CandleFrame, val: float, vah: float) -> Acceptance:
    """Compare a chart's closes and extremes with the edges of value.

    No look-ahead: the candles given, and edges found at the close of the last one or before. O(n).

    Args:
        candles: n >= 1 closed candles.
        val, vah: value area low and high, quote units.
    """
    sides = np.where(candles.close > vah, 1, np.where(candles.close < val, -1, 0))
    side = int(sides[-1])
    closes = _run(sides, len(sides) - 1)
    if side:
        return Acceptance("above" if side > 0 else "below", closes, None, np.nan, -1, accepted=closes >= ACCEPTED)
    recent = slice(max(0, len(sides) - RECENT), None)
    over, under = candles.high[recent] > vah, candles.low[recent] < val
    outside = np.flatnonzero(over | under)
    if len(outside) == 0:
        return Acceptance("inside", closes, None, np.nan, -1, accepted=False)
    last = int(outside[-1])
    # A candle that traded through both edges counts for the one further from its close.
    above = bool(over[last]) and not (under[last] and candles.close[recent][last] > (val + vah) / 2)
    first = last
    while first > 0 and (over if above else under)[first - 1]:
        first -= 1
    span = slice(recent.start + first, recent.start + last + 1)
    furthest = float(candles.high[span].max() if above else candles.low[span].min())
    wanted = 1 if above else -1
    ends = [row for row in range(span.start, span.stop) if sides[row] == wanted]
    accepted = bool(ends) and _run(sides, ends[-1]) >= ACCEPTED
    return Acceptance(
        "inside", closes, "above" if above else "below", furthest, len(sides) - span.stop, accepted=accepted
    )


def _run(sides: NDArray[np.int64], end: int) -> int:
    """How many equal sides in a row end at `end`."""
    different = np.flatnonzero(sides[: end + 1] != sides[end])
    return end - (int(different[-1]) if len(different) else -1)
