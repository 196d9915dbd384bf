"""Weeks of the simulated market: where trends, ranges and quiet or wild months come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from engines.market.demo_path import Nodes, Noise, reach
from engines.market.noise import Counters, Floats, exact_exp

# Weeks that the price remembers and how much of a week's move is left after one more: the price returns
# half-way to its level within a quarter, so it stays within a factor of a few for ever.
_MEMORY: Final = 100
_KEPT: Final = 0.95
# The same for volatility: wild months and quiet ones.
_MOOD_MEMORY: Final = 30
_MOOD_KEPT: Final = 0.85
_MOOD_DEVIATION: Final = 0.16
# A regime of some weeks drifts up, down or nowhere, in weekly deviations.
_REGIME_WEEKS: Final = 6
_REGIME_DRIFT: Final = 0.55


@dataclass(frozen=True, slots=True)
class WeekModel:
    """Level and liveliness of one symbol.

    Attributes:
        log_level: natural logarithm of the price it returns to, quote units.
        deviation: standard deviation of the logarithmic price over an average week.
        turnover: average weekly notional over the volume unit, so that turnover / price counts volume units.
    """

    log_level: float
    deviation: float
    turnover: float


def weekly(model: WeekModel, noise: Noise, first: int, last: int) -> Nodes:
    """Nodes of the weeks first..last (weeks since the Monday anchor), computed from the weeks they remember only."""
    index = np.arange(first, last + 1)
    levels = _levels(model, noise, first - 1, last)
    opens, closes = levels[:-1], levels[1:]
    deviation = _deviation(model, noise, index)
    draw = noise.draw("week", index)
    high = np.maximum(opens, closes) + reach(opens, closes, deviation, draw.above, draw.above_too)
    low = np.minimum(opens, closes) - reach(opens, closes, deviation, draw.below, draw.below_too)
    # More is traded in wild weeks, fewer coins of a dearer price.
    flow = exact_exp(draw.volume * 0.2 - closes) * (deviation / model.deviation)
    return Nodes(index, opens, high, low, closes, deviation, np.floor(flow * model.turnover))


def _levels(model: WeekModel, noise: Noise, first: int, last: int) -> Floats:
    """Logarithm of the price at the end of each week: a fading sum of the moves of the weeks before it."""
    weeks = np.arange(first - _MEMORY + 1, last + 1)
    drift = noise.draw("regime", weeks // _REGIME_WEEKS).step * _REGIME_DRIFT
    moves = (noise.draw("week", weeks).step + drift) * _deviation(model, noise, weeks)
    return model.log_level + _fading_sum(moves, _WEIGHTS)


def _deviation(model: WeekModel, noise: Noise, index: Counters) -> Floats:
    weeks = np.arange(index[0] - _MOOD_MEMORY + 1, index[-1] + 1)
    return exact_exp(_fading_sum(noise.draw("week", weeks).burst, _MOOD_WEIGHTS)) * model.deviation


def _fading_sum(values: Floats, weights: Floats) -> Floats:
    """Sum of weights[j] * values[i + j] for every i that has them all, added in the same order for every window."""
    windows = np.lib.stride_tricks.sliding_window_view(values, len(weights))
    return np.asarray(np.cumsum(windows * weights, axis=1)[:, -1])


def _fading(kept: float, memory: int, scale: float) -> Floats:
    """Weights scale * kept^(memory - 1), ..., scale * kept, scale."""
    factors = np.array([scale] + [kept] * (memory - 1), dtype=np.float64)
    return np.asarray(np.cumprod(factors)[::-1])


_WEIGHTS: Final = _fading(_KEPT, _MEMORY, 1.0)
_MOOD_WEIGHTS: Final = _fading(_MOOD_KEPT, _MOOD_MEMORY, _MOOD_DEVIATION)
