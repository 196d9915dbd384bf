"""The compiled half of `engines.soundness`: one pass over the candles, which is all that sound ones cost."""

from __future__ import annotations

import numpy as np
from numba import types
from numpy.typing import NDArray

from engines.compiled import FLOATS_IN, TIMES_IN, kernel

Floats = NDArray[np.float64]


@kernel(TIMES_IN, *[FLOATS_IN] * 5, types.boolean)
def first_unsound(
    times: NDArray[np.int64], open_: Floats, high: Floats, low: Floats, close: Floats, volume: Floats, with_volume: bool
) -> int:
    """Row of the first candle that cannot be, or -1."""
    for t in range(len(times)):
        # An undefined value fails every comparison, so it fails these; an infinite high is the one left over.
        prices = (low[t] > 0.0) & (low[t] <= open_[t]) & (low[t] <= close[t])
        prices &= (high[t] >= open_[t]) & (high[t] >= close[t]) & (high[t] < np.inf)
        if not prices or (t > 0 and times[t] <= times[t - 1]):
            return t
        if with_volume and not (volume[t] >= 0.0 and volume[t] < np.inf):
            return t
    return -1
