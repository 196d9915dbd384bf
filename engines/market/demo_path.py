"""The simulated market's price path: a tree over time that any window is cut out of.

A week is the root of a tree: 7 days, each of 2 half-days, down to the minute and the second. A node knows its
open, high, low, close and volume before its children exist; `split` makes children that add up to exactly
that. So a week's candle costs one node, a minute costs ten, and every timeframe agrees with every other.
Prices are logarithms here; volumes are whole numbers of `VOLUME_UNIT`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.market.noise import Counters, Floats, exact_exp, key_of, normal

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60_000
WEEK_MS: Final = 604_800_000
# 1970-01-05 was a Monday: weeks open there, as `engines.domain.timeframe` has it.
WEEK_ANCHOR_MS: Final = 345_600_000
# Milliseconds of a node at each level below the week: 1d 12h 4h 2h 1h 30m 15m 5m 1m 10s 1s.
SPANS: Final = tuple(s * SECOND_MS for s in (86_400, 43_200, 14_400, 7_200, 3_600, 1_800, 900, 300, 60, 10, 1))

# How unevenly variance falls on siblings: the source of volatility clusters and fat tails at every scale.
_UNEVENNESS: Final = 0.27
_OWN_VOLUME_NOISE: Final = 0.25
# Range of a Brownian path over its deviation is about 1.6 on average.
_DEVIATION_PER_RANGE: Final = 0.62
# Share of the noise that all symbols have in common: squared, it is about their correlation.
_COMMON: Final = 0.8
_OWN: Final = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """Neighbouring nodes of one level, ascending; every array has shape (n,).

    Attributes:
        index: spans of this level since the Monday anchor.
        open, high, low, close: natural logarithms of prices in quote units.
        deviation: standard deviation of the logarithmic price over the node.
        volume: whole numbers of the volume unit.
    """

    index: Counters
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    deviation: Floats
    volume: Floats

    def within(self, first: int, last: int) -> Nodes:
        """Those with first <= index <= last."""
        rows = slice(*np.searchsorted(self.index, [first, last + 1]))
        return Nodes(*(getattr(self, name)[rows] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Noise:
    """A symbol's own noise mixed with the noise all symbols share."""

    seed: int
    symbol: str

    def draw(self, level: str, index: Counters) -> Draw:
        """Every deviate that the nodes of a level need, in one pass."""
        keys = _keys(self.seed, self.symbol, level).reshape(-1, *(1 for _ in index.shape))
        common_burst, common_step, own_burst, own_step, *rest = normal(keys, index[None])
        return Draw(common_burst * _COMMON + own_burst * _OWN, common_step * _COMMON + own_step * _OWN, *rest)


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """Independent deviates with mean 0 and deviation 1; `burst` and `step` correlate between symbols."""

    burst: Floats
    step: Floats
    volume: Floats
    above: Floats
    above_too: Floats
    below: Floats
    below_too: Floats


@cache
def _keys(seed: int, symbol: str, level: str) -> NDArray[np.uint64]:
    """Keys of a level's deviates: two that all symbols share, then those of this symbol."""
    shared = [key_of(seed, level, purpose) for purpose in ("burst", "step")]
    own = [key_of(seed, symbol, level, name) for name in Draw.__slots__]
    return np.array(shared + own, dtype=np.uint64)


def descend(nodes: Nodes, noise: Noise, *, spans: tuple[int, int], window: tuple[int, int]) -> Nodes:
    """Cut the nodes that overlap a window out of the tree under `nodes`.

    O(nodes returned + levels): siblings outside the window are dropped at every level.

    Args:
        nodes: neighbours that cover the window.
        spans: milliseconds of `nodes` and of the nodes wanted, each `WEEK_MS` or one of `SPANS`.
        window: first instant and the one after the last, milliseconds since the epoch.
    """
    parent_ms, wanted_ms = spans
    for level, child_ms in enumerate(SPANS):
        if wanted_ms <= child_ms < parent_ms:
            nodes = split(nodes, noise, level, children=parent_ms // child_ms, span_ms=child_ms)
            nodes = nodes.within(*((at - WEEK_ANCHOR_MS) // child_ms for at in (window[0], window[1] - 1)))
            parent_ms = child_ms
    return nodes


def split(parents: Nodes, noise: Noise, level: int, *, children: int, span_ms: int) -> Nodes:
    """Divide each node into children that aggregate to exactly it.

    Closes are a Brownian bridge between the parent's open and close, each child reaching beyond them as a
    Brownian path would; then the excursions above and below the bridge's ends are stretched (a monotone
    map, so no candle breaks) until the highest and lowest are the parent's.
    """
    index = parents.index[:, None] * children + np.arange(children)
    season = _season(index, span_ms)
    draw = noise.draw(f"level {level}", index)
    burst = draw.burst * _UNEVENNESS
    variance = exact_exp(burst) * season
    share = variance / _row_sum(variance)
    deviation = parents.deviation[:, None] * np.sqrt(share)

    points = _bridge(parents, draw.step * deviation, share)
    opens, closes = points[:, :-1], points[:, 1:]
    above = reach(opens, closes, deviation, draw.above, draw.above_too)
    below = reach(opens, closes, deviation, draw.below, draw.below_too)
    highs, lows = np.maximum(opens, closes) + above, np.minimum(opens, closes) - below

    stretch = _Stretch.onto(parents, highs, lows)
    opens, closes, tops, bottoms = (stretch.apply(prices) for prices in (opens, closes, highs, lows))
    rows = np.arange(len(parents.index))
    tops[rows, highs.argmax(axis=1)] = parents.high
    bottoms[rows, lows.argmin(axis=1)] = parents.low

    # A child's range tells as much about its deviation as its share of the parent's does: meet in the middle,
    # or a long wick would turn into one wild second.
    seen = np.sqrt(deviation * (tops - bottoms) * _DEVIATION_PER_RANGE)
    flow = exact_exp(burst * 0.5 + draw.volume * _OWN_VOLUME_NOISE) * season
    volume = _portions(parents.volume, flow)
    columns = (opens, tops, bottoms, closes, seen, volume)
    return Nodes(index.ravel(), *(column.ravel() for column in columns))


@dataclass(frozen=True, slots=True, eq=False)
class _Stretch:
    """Maps a natural path onto its parent's range, leaving what lies between the parent's open and close."""

    upper: Floats
    lower: Floats
    up: Floats
    down: Floats
    high: Floats
    low: Floats

    @classmethod
    def onto(cls, parents: Nodes, highs: Floats, lows: Floats) -> _Stretch:
        upper, lower = np.maximum(parents.open, parents.close), np.minimum(parents.open, parents.close)
        rise, fall = highs.max(axis=1) - upper, lower - lows.min(axis=1)
        up = np.divide(parents.high - upper, rise, out=np.zeros_like(rise), where=rise > 0)
        down = np.divide(lower - parents.low, fall, out=np.zeros_like(fall), where=fall > 0)
        return cls(*(array[:, None] for array in (upper, lower, up, down, parents.high, parents.low)))

    def apply(self, prices: Floats) -> Floats:
        risen = np.where(prices > self.upper, self.upper + (prices - self.upper) * self.up, prices)
        fallen = np.where(prices < self.lower, self.lower - (self.lower - prices) * self.down, risen)
        return np.asarray(np.minimum(np.maximum(fallen, self.low), self.high))


def _bridge(parents: Nodes, steps: Floats, share: Floats) -> Floats:
    """Points (n, children + 1) from open to close; the surplus of free steps is taken back by variance share."""
    surplus = _row_sum(steps) - (parents.close - parents.open)[:, None]
    inner = parents.open[:, None] + np.cumsum(steps - share * surplus, axis=1)[:, :-1]
    return np.concatenate([parents.open[:, None], inner, parents.close[:, None]], axis=1)


def reach(opens: Floats, closes: Floats, deviation: Floats, first: Floats, second: Floats) -> Floats:
    """How far a Brownian path between two points goes beyond the farther one.

    Source: the maximum of a Brownian bridge, (|a| + sqrt(a^2 + 2 s^2 E)) / 2 - |a| with E exponential; two squared
    normals make E.
    """
    step = np.abs(closes - opens)
    twice_exponential = first * first + second * second
    return np.asarray((np.sqrt(step * step + deviation * deviation * twice_exponential) - step) * 0.5)


def _portions(volume: Floats, flow: Floats) -> Floats:
    """Whole-number portions (n, children) of each volume, in proportion to `flow`, that sum to it exactly."""
    edges = np.floor(np.cumsum(flow, axis=1) / _row_sum(flow) * volume[:, None])
    edges[:, -1] = volume
    return np.diff(edges, axis=1, prepend=0.0)


def _row_sum(values: Floats) -> Floats:
    """Sums (n, 1) in a fixed order: the order of `np.sum` depends on the machine."""
    return np.cumsum(values, axis=1)[:, -1:]


def _season(index: Counters, span_ms: int) -> Floats:
    """Relative activity of each span within its week; 1 below the minute."""
    minutes = span_ms // MINUTE_MS
    if minutes == 0:
        return np.ones(index.shape)
    start = index % (WEEK_MS // span_ms) * minutes
    return (_ACTIVITY_BEFORE[start + minutes] - _ACTIVITY_BEFORE[start]).astype(np.float64)


def _activity_before() -> Counters:
    """Activity of all minutes of the week before each, in whole numbers so that every span's is exact."""
    # Percent of the average by UTC hour: quiet after New York closes, busiest when London and New York overlap.
    hours = (95, 85, 80, 75, 70, 70, 75, 90, 105, 110, 105, 100, 110, 150, 170, 165, 150, 125, 110, 100, 95, 85, 80, 90)
    days = (100, 105, 105, 105, 100, 70, 75)
    by_minute = np.multiply.outer(np.array(days), np.repeat(np.array(hours), 60)).ravel()
    return np.concatenate([[0], np.cumsum(by_minute)]).astype(np.int64)


_ACTIVITY_BEFORE: Final = _activity_before()
