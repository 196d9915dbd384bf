"""The running weighted mean and deviation; loading this module loads numba."""

from __future__ import annotations

import numpy as np
from numba import types

from engines.compiled import FLOATS_IN, TIMES_IN, kernel
from engines.domain.candles import Floats, Times

# Stands for "before the first anchor": nothing is averaged there.
NO_PERIOD = -(2**63)
# State: volume, mean and weighted sum of squared deviations of the period so far.
STATE = 3


@kernel(FLOATS_IN, FLOATS_IN, TIMES_IN, types.int64, *[types.float64[::1]] * 3)
def vwap_pass(
    price: Floats, volume: Floats, period: Times, last_period: int, state: Floats, vwap: Floats, sigma: Floats
) -> int:
    """Carry the state of one series over any number of candles and write both columns; return the last period.

    West's incremental form of Welford's algorithm (1979): no difference of large squares, so a price of 1e9 costs no
    digits. A candle without volume repeats what stands, and is undefined while the period has no volume at all.
    """
    for t in range(len(price)):
        if period[t] != last_period:
            last_period = period[t]
            state[:] = 0.0
        if last_period != NO_PERIOD and volume[t] > 0.0:
            state[0] += volume[t]
            gap = price[t] - state[1]
            state[1] += gap * (volume[t] / state[0])
            state[2] += volume[t] * gap * (price[t] - state[1])
        defined = state[0] > 0.0
        vwap[t] = state[1] if defined else np.nan
        sigma[t] = np.sqrt(max(state[2], 0.0) / state[0]) if defined else np.nan
    return last_period
