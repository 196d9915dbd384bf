"""High and low volume nodes: where much was traded, and where little was between."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from engines.domain.candles import Floats

# A node stands out of its surroundings by this share of the largest row.
PROMINENCE: Final = 0.10
# So many high nodes are kept, the most prominent ones.
MOST_NODES: Final = 5
# A low node holds at most this share of the smaller of its two neighbours.
LOW_SHARE: Final = 0.7
# Rows this much of the total apart count as equal.
_TIE: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Node:
    """A row that stands out.

    Attributes:
        row: row of the profile, 0 is the lowest.
        price: middle of the row, quote units.
        volume: what the row holds, base units.
        prominence: by how much it stands out, base units, after smoothing: a high node over the higher of the two lows
            beside it, a low node under the smaller of the two high nodes beside it.
    """

    row: int
    price: float
    volume: float
    prominence: float


def find_nodes(volume: Floats, prices: Floats, *, smoothing: float = 0.0) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    """High and low volume nodes of rows, both by row.

    A high node is a row between the outermost two that is larger than its neighbours (of a plateau the middle row,
    rounded down) and stands out by 10 % of the largest row; the five most prominent are kept. A low node is the lowest
    row between two of them, where it holds at most 70 % of the smaller one. Equal means within 1e-12 of the total.
    O(rows), plus O(rows * sigma) with smoothing.

    Args:
        volume: shape (rows,), volume by row, lowest row first.
        prices: shape (rows,), middle of every row.
        smoothing: sigma in rows of a Gaussian applied first; 0 for none.

    Source: the common core of published implementations; prominence as topography defines it.
    """
    smooth = _smoothed(volume, smoothing)
    tie = _TIE * float(volume.sum())
    tops = _prominences(smooth.tolist(), tie)
    least = PROMINENCE * float(smooth.max()) - tie
    kept = sorted((row for row in tops if tops[row] >= least), key=lambda row: (-tops[row], row))[:MOST_NODES]
    kept.sort()
    high = tuple(Node(row, float(prices[row]), float(volume[row]), tops[row]) for row in kept)
    low = []
    for left, right in pairwise(kept):
        row = _lowest(smooth, left, right, tie)
        smaller = float(min(smooth[left], smooth[right]))
        if smooth[row] <= LOW_SHARE * smaller + tie:
            low.append(Node(row, float(prices[row]), float(volume[row]), smaller - float(smooth[row])))
    return high, tuple(low)


def _smoothed(volume: Floats, sigma: float) -> Floats:
    if sigma == 0:
        return volume
    reach = int(4 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    # Beyond its ends a profile holds nothing; weights that fall outside are left out, so edges are not pulled down.
    return np.asarray(
        np.convolve(volume, weights)[reach:-reach] / np.convolve(np.ones(len(volume)), weights)[reach:-reach]
    )


def _lowest(smooth: Floats, left: int, right: int, tie: float) -> int:
    between = smooth[left + 1 : right]
    equal = between <= between.min() + tie
    first = int(np.argmax(equal))
    length = int(np.argmin(np.append(equal[first:], False)))
    return left + 1 + first + (length - 1) // 2


def _prominences(rows: list[float], tie: float) -> dict[int, float]:
    """Prominence of every inner local maximum, by row.

    Two walks over runs of equal rows, each with a stack of the larger rows passed and the lowest row since each of
    them: every run is pushed and popped once.
    """
    runs = _runs(rows, tie)
    levels = [level for _, _, level in runs]
    left = _lows_beside(levels, tie)
    right = _lows_beside(levels[::-1], tie)[::-1]
    tops = {}
    for index in range(1, len(runs) - 1):
        first, last, level = runs[index]
        if levels[index - 1] < level > levels[index + 1]:
            tops[(first + last) // 2] = level - max(left[index], right[index])
    return tops


def _runs(rows: list[float], tie: float) -> list[tuple[int, int, float]]:
    """First row, last row and level of every run of equal rows."""
    runs: list[tuple[int, int, float]] = []
    for row, level in enumerate(rows):
        if runs and abs(level - runs[-1][2]) <= tie:
            runs[-1] = (runs[-1][0], row, runs[-1][2])
        else:
            runs.append((row, row, level))
    return runs


def _lows_beside(levels: list[float], tie: float) -> list[float]:
    """The lowest level between each one and the next larger one before it, or the beginning."""
    lows, stack = [], list[tuple[float, float]]()
    for level in levels:
        low = level
        while stack and stack[-1][0] <= level + tie:
            low = min(low, stack.pop()[1])
        stack.append((level, low))
        lows.append(low)
    return lows
