"""Where a candle's volume goes, and which part of it counts as up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.candles import CandleFrame
from engines.volume_profile import ProfileParams, compute_volume_profile
from engines.volume_profile.params import Split, Spread

Build = Callable[..., CandleFrame]
CANDLE = {"open": 10.0, "high": 18.0, "low": 10.0, "close": 16.0, "volume": 80.0}
LIMITS = {"open": 10.0, "high": 18.0, "low": 10.0, "close": 18.0, "volume": 0.0}
SPREADS: list[dict[str, Any]] = [
    {"spread": "uniform"},
    {"spread": "ticks", "tick_size": 0.25},
    {"spread": "close"},
    {"spread": "typical"},
    {"spread": "triangle"},
    {"spread": "uniform", "split": "range"},
    {"spread": "triangle", "split": "range"},
]
GEOMETRIES: list[dict[str, Any]] = [
    {"rows": 37},
    {"rows": 300, "tick_size": 0.25},
    {"rows": 50, "tick_size": 0.25, "tv_rows": True},
    {"rows": None, "row_height": 0.75},
]
DRAWN = st.lists(
    st.tuples(st.integers(1, 400), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 10**6)),
    min_size=1,
    max_size=40,
)


def test_close_and_typical_put_the_whole_candle_into_one_row(rows_frame: Build) -> None:
    by_close = compute_volume_profile(rows_frame([CANDLE]), ProfileParams(rows=8, spread="close"))
    assert by_close.volume_by_row.tolist() == [0, 0, 0, 0, 0, 0, 80, 0]
    typical = compute_volume_profile(rows_frame([CANDLE]), ProfileParams(rows=8, spread="typical"))
    assert typical.volume_by_row.tolist() == [0, 0, 0, 0, 80, 0, 0, 0]


def test_a_triangle_is_densest_at_the_close_and_empty_at_the_ends(rows_frame: Build) -> None:
    profile = compute_volume_profile(rows_frame([CANDLE]), ProfileParams(rows=8, spread="triangle"))
    # Height 2 / 8 at 16, where six rows rise and two fall: row i under the peak holds (2 i + 1) / 48 of the volume.
    rising = [80 * (2 * row + 1) / 48 for row in range(6)]
    assert profile.volume_by_row == pytest.approx([*rising, 80 * 3 / 16, 80 * 1 / 16])
    assert profile.poc_row == 5


def test_a_triangle_with_its_close_at_an_end_falls_or_rises_all_the_way(rows_frame: Build) -> None:
    for close, order in ((18.0, 1), (10.0, -1)):
        candles = rows_frame([{**CANDLE, "close": close}])
        profile = compute_volume_profile(candles, ProfileParams(rows=4, spread="triangle"))
        assert profile.volume_by_row[::order] == pytest.approx([80 * share / 16 for share in (1, 3, 5, 7)])


def test_ticks_count_every_price_from_low_to_high_once(rows_frame: Build) -> None:
    # Nine prices of 0.5 from 10 to 14, one row per price: each holds a ninth.
    candles = rows_frame([{**CANDLE, "high": 14.0, "close": 12.0, "volume": 90.0}])
    params = ProfileParams(rows=None, ticks_per_row=1, tick_size=0.5, spread="ticks")
    assert compute_volume_profile(candles, params).volume_by_row == pytest.approx([10.0] * 9)
    halves = ProfileParams(rows=None, ticks_per_row=2, tick_size=0.5, spread="ticks")
    assert compute_volume_profile(candles, halves).volume_by_row == pytest.approx([20.0] * 4 + [10.0])
    # Rows by count then reach one tick above the high, where its price ends.
    by_count = compute_volume_profile(candles, ProfileParams(rows=3, tick_size=0.5, spread="ticks"))
    assert by_count.volume_by_row == pytest.approx([30.0] * 3)
    assert by_count.edges == pytest.approx([10.0, 11.5, 13.0, 14.5])


def test_ticks_equal_trades_one_at_every_price(rows_frame: Build) -> None:
    params = ProfileParams(rows=None, ticks_per_row=3, tick_size=0.1, spread="ticks")
    ranged = [{"open": 1.0, "high": 2.3, "low": 1.0, "close": 1.4, "volume": 28.0}]
    single = [dict.fromkeys(("open", "high", "low", "close"), 1.0 + 0.1 * tick) | {"volume": 2.0} for tick in range(14)]
    spread, counted = (compute_volume_profile(rows_frame(rows), params) for rows in (ranged, single))
    assert spread.volume_by_row == pytest.approx(counted.volume_by_row)


def test_a_split_by_range_counts_the_part_below_the_close_as_up(rows_frame: Build) -> None:
    candles = rows_frame([CANDLE, {**CANDLE, "open": 16.0, "close": 12.0}, dict.fromkeys(CANDLE, 13.0)])
    profile = compute_volume_profile(candles, ProfileParams(rows=8, split="range"))
    # 6 of 8 and 2 of 8 lie below the closes; a candle without range that did not fall is up.
    assert profile.up_by_row.sum() == pytest.approx(80 * 6 / 8 + 80 * 2 / 8 + 13)
    assert profile.total_volume == pytest.approx(173.0)
    plain = compute_volume_profile(candles, ProfileParams(rows=8))
    assert profile.volume_by_row == pytest.approx(plain.volume_by_row)
    assert plain.up_by_row.sum() == pytest.approx(93.0)


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("spread", SPREADS)
@settings(max_examples=12, deadline=None)
@given(drawn=DRAWN)
def test_every_spread_keeps_the_volume_and_orders_the_levels(
    spread: dict[str, Any], geometry: dict[str, Any], drawn: list[tuple[int, int, int, int, int]], drawn_frame: Build
) -> None:
    candles = replace(drawn_frame(drawn), volume=drawn_frame(drawn).volume + 1.0)
    profile = compute_volume_profile(candles, ProfileParams(**{**geometry, **spread}))
    assert profile.volume_by_row.sum() == pytest.approx(candles.volume.sum(), rel=1e-11)
    assert profile.total_volume == pytest.approx(candles.volume.sum(), rel=1e-13)
    assert profile.volume_by_row.min() >= 0
    assert profile.base <= profile.val <= profile.poc <= profile.vah <= profile.edges[-1]
    assert np.all(np.abs(profile.delta_by_row) <= profile.volume_by_row)


@pytest.mark.parametrize("spread", SPREADS)
def test_candles_without_volume_change_nothing_in_between_others(spread: dict[str, Any], rows_frame: Build) -> None:
    params = ProfileParams(rows=16, **spread)
    with_silent = compute_volume_profile(rows_frame([CANDLE, LIMITS, {**CANDLE, "volume": 0.0}]), params)
    alone = compute_volume_profile(rows_frame([CANDLE]), params)
    assert np.array_equal(with_silent.volume_by_row, alone.volume_by_row)


def test_every_spread_and_split_there_is_was_tried() -> None:
    assert {entry["spread"] for entry in SPREADS} == set(Spread.__args__)  # type: ignore[attr-defined]
    assert {entry.get("split", "candle") for entry in SPREADS} == set(Split.__args__)  # type: ignore[attr-defined]
