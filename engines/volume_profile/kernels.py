"""Spread volume over rows and find the value area; loading this module loads numba."""

from __future__ import annotations

import numpy as np
from numba import types
from numpy.typing import NDArray

from engines.compiled import FLOATS_IN, kernel

Floats = NDArray[np.float64]

# Rows this much of the total apart count as equal; the sums behind them differ by less than that.
TIE = 1e-12


@kernel(*[FLOATS_IN] * 5, types.float64, types.float64, types.float64[:, ::1])
def spread_kernel(
    open_: Floats, high: Floats, low: Floats, close: Floats, volume: Floats, base: float, height: float, rows: Floats
) -> None:
    """Share each candle's volume evenly over the rows its range touches: up candles in `rows[0]`, down in `rows[1]`.

    Whole rows are entered in a difference array, so a candle costs the same however many rows it spans.
    """
    count = rows.shape[1]
    change = np.zeros((2, count + 1))
    rows[:] = 0.0
    for t in range(len(close)):
        side = 1 if close[t] < open_[t] else 0
        bottom, top = (low[t] - base) / height, (high[t] - base) / height
        last = min(int(top), count - 1)
        first = min(int(bottom), last)
        if first == last:
            rows[side, first] += volume[t]
        else:
            density = volume[t] / (top - bottom)
            rows[side, first] += density * (first + 1 - bottom)
            rows[side, last] += density * (top - last)
            change[side, first + 1] += density
            change[side, last] -= density
    for side in range(2):
        whole = 0.0
        for row in range(count):
            whole += change[side, row]
            rows[side, row] += whole


@kernel(FLOATS_IN, types.float64, types.float64)
def value_area_kernel(volume: Floats, total: float, fraction: float) -> tuple[int, int, int]:
    """Rows of POC, VAL and VAH.

    POC is the largest row; of equal ones the nearest to the middle, then the lower. From there the area grows by the
    larger of the two rows above and the two below, the upper pair when equal, until it holds the fraction.
    """
    count, tie, poc = len(volume), TIE * total, 0
    largest = volume.max() - tie
    for row in range(count):
        nearer = abs(2 * row - count + 1) < abs(2 * poc - count + 1)
        if volume[row] >= largest and (volume[poc] < largest or nearer):
            poc = row
    low, high, held, target = poc, poc, volume[poc], fraction * total
    while held < target - tie and (low > 0 or high < count - 1):
        above = volume[high + 1 : high + 3].sum()
        below = volume[max(low - 2, 0) : low].sum()
        if low == 0 or (high < count - 1 and above >= below - tie):
            held += above
            high = min(high + 2, count - 1)
        else:
            held += below
            low = max(low - 2, 0)
    return poc, low, high
