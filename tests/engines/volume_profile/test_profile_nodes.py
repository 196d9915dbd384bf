"""High and low volume nodes against a literal search."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engines.volume_profile.nodes import LOW_SHARE, MOST_NODES, PROMINENCE, find_nodes


def middles(count: int) -> NDArray[np.float64]:
    return np.arange(count, dtype=np.float64) + 0.5


def prominences(rows: list[float]) -> dict[int, float]:
    """Of every inner maximum: its height over the higher of the two lowest points on the way to higher ground."""
    found = {}
    for row in range(1, len(rows) - 1):
        left, right = row, row
        while left > 0 and rows[left - 1] == rows[row]:
            left -= 1
        while right < len(rows) - 1 and rows[right + 1] == rows[row]:
            right += 1
        peak = left > 0 and right < len(rows) - 1 and rows[left - 1] < rows[row] > rows[right + 1]
        if not peak or row != (left + right) // 2:
            continue
        lows = []
        for steps in (range(row, -1, -1), range(row, len(rows))):
            low = rows[row]
            for step in steps:
                if rows[step] > rows[row]:
                    break
                low = min(low, rows[step])
            lows.append(low)
        found[row] = rows[row] - max(lows)
    return found


@settings(max_examples=300, deadline=None)
@given(rows=st.lists(st.integers(0, 12), min_size=1, max_size=60))
def test_high_nodes_are_the_most_prominent_inner_maxima(rows: list[int]) -> None:
    volume = np.array(rows, dtype=float)
    high, _ = find_nodes(volume, middles(len(rows)))
    expected = {row: rise for row, rise in prominences(volume.tolist()).items() if rise >= PROMINENCE * volume.max()}
    best = sorted(sorted(expected), key=lambda row: -expected[row])[:MOST_NODES]
    assert {node.row: node.prominence for node in high} == {row: expected[row] for row in best}
    assert [node.row for node in high] == sorted(best)
    assert all((node.price, node.volume) == (node.row + 0.5, rows[node.row]) for node in high)


@settings(max_examples=300, deadline=None)
@given(rows=st.lists(st.integers(0, 12), min_size=1, max_size=60))
def test_low_nodes_are_the_lowest_rows_between_high_ones_where_they_are_low_enough(rows: list[int]) -> None:
    high, low = find_nodes(np.array(rows, dtype=float), middles(len(rows)))
    places = {node.row: node for node in low}
    for left, right in pairwise(high):
        between = rows[left.row + 1 : right.row]
        inside = [row for row in places if left.row < row < right.row]
        if min(between) <= LOW_SHARE * min(left.volume, right.volume):
            (row,) = inside
            assert rows[row] == min(between)
            assert places[row].prominence == min(left.volume, right.volume) - rows[row]
        else:
            assert inside == []
    assert len(low) <= max(0, len(high) - 1)


def test_a_plateau_is_told_by_its_middle_row_rounded_down() -> None:
    rows = np.array([1, 8, 8, 8, 8, 0, 0, 0, 0, 9, 9, 1], dtype=float)
    high, low = find_nodes(rows, middles(12))
    assert [node.row for node in high] == [2, 9]
    assert [node.row for node in low] == [6]


def test_rows_that_differ_by_rounding_only_are_a_plateau() -> None:
    rows = np.array([1.0, 7.0, 7.0 * (1 + 1e-15), 7.0, 1.0])
    (node,), _ = find_nodes(rows, middles(5))
    assert node.row == 2


def test_smoothing_joins_neighbours_and_keeps_the_rows_it_tells() -> None:
    rows = np.array([0, 2, 10, 7, 9, 2, 0, 0, 0, 0, 1, 3, 8, 3, 1, 0], dtype=float)
    rough, _ = find_nodes(rows, middles(16))
    smooth, low = find_nodes(rows, middles(16), smoothing=1.0)
    assert [node.row for node in rough] == [2, 4, 12]
    assert [node.row for node in smooth] == [3, 12]
    assert [node.volume for node in smooth] == [7.0, 8.0]
    assert len(low) == 1


def test_smoothing_pulls_no_edge_down() -> None:
    assert find_nodes(np.full(30, 5.0), middles(30), smoothing=3.0) == ((), ())
