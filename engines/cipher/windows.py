"""State of the passes that keep a window: the slots before it, and what is in all of them before the first candle."""

from __future__ import annotations

from typing import Final

import numpy as np

from engines.domain.candles import Floats

# Place in the window, count, rolling and fresh sum.
MEAN_HEAD: Final = 4
# Place in the block, its highest and lowest.
RANGE_HEAD: Final = 3


def mean_state(length: int) -> Floats:
    """State of a simple average over `length` values."""
    return np.zeros(MEAN_HEAD + length)


def range_state(length: int) -> Floats:
    """State of the highest and lowest of `length` values: the block, then the extremes of the old one's ends."""
    state = np.zeros(RANGE_HEAD + length + 2 * (length + 1))
    state[1], state[2] = -np.inf, np.inf
    state[RANGE_HEAD + length : RANGE_HEAD + 2 * length + 1] = -np.inf
    state[RANGE_HEAD + 2 * length + 1 :] = np.inf
    return state
