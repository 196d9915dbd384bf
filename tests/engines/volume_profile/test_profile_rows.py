"""Where rows lie: by count, by height, in ticks, and rounded to whole ticks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.candles import CandleFrame
from engines.errors import InvalidRequest
from engines.volume_profile import ProfileParams, compute_volume_profile, whole_tick_rows

Build = Callable[..., CandleFrame]


def flat(price: float, volume: float = 1.0) -> dict[str, float]:
    return {"open": price, "high": price, "low": price, "close": price, "volume": volume}


@pytest.mark.parametrize(
    "params",
    [
        ProfileParams(rows=None, row_height=0.1),
        ProfileParams(rows=None, row_height=0.1, tick_size=0.1),
        ProfileParams(rows=None, ticks_per_row=1, tick_size=0.1),
        ProfileParams(rows=9, tick_size=0.1),
        ProfileParams(rows=9, tick_size=0.1, tv_rows=True),
    ],
)
def test_a_price_on_a_tick_falls_into_the_row_over_it_although_doubles_cannot_hold_it(
    params: ProfileParams, rows_frame: Build
) -> None:
    # 0.3 / 0.1 is 2.9999999999999996; a rounded-down division would put 0.3, 0.6 and 0.7 one row too low.
    prices = [0.1 * count for count in range(1, 10)] + [1.0]
    written = [round(price, 1) for price in prices]
    for drawn in (prices, written):
        profile = compute_volume_profile(rows_frame([flat(price) for price in drawn]), params)
        assert profile.volume_by_row.tolist() == [1.0] * 8 + [2.0]


def test_prices_of_billions_of_ticks_fall_into_the_rows_over_them(rows_frame: Build) -> None:
    # Doubles tell a number of ten billion to two millionths; times 1e-5 and back it is off by as much.
    ticks = range(10_000_000_000, 10_000_000_100)
    params = ProfileParams(rows=None, ticks_per_row=1, tick_size=1e-5)
    profile = compute_volume_profile(rows_frame([flat(float(f"{count}e-5")) for count in ticks]), params)
    assert profile.volume_by_row.tolist() == [1.0] * 98 + [2.0]


@pytest.mark.parametrize(
    "params",
    [
        ProfileParams(rows=None, row_height=1e-17),
        ProfileParams(rows=24, tick_size=1e-300),
        ProfileParams(rows=24, tick_size=1e-300, tv_rows=True),
        ProfileParams(rows=24, tick_size=5e-324, spread="ticks"),
    ],
)
def test_steps_too_small_to_count_a_price_in_are_refused(params: ProfileParams, rows_frame: Build) -> None:
    with pytest.raises(InvalidRequest, match="cannot be counted in steps of"):
        compute_volume_profile(rows_frame([flat(100.0), flat(1e300)]), params)


@settings(max_examples=80, deadline=None)
@given(
    ticks=st.lists(st.integers(1, 3_000), min_size=2, max_size=40),
    tick=st.sampled_from([0.01, 0.05, 0.1, 0.025, 1e-5, 0.3]),
    per_row=st.integers(1, 60),
)
def test_rows_of_ticks_hold_exactly_what_whole_numbers_say(
    ticks: list[int], tick: float, per_row: int, rows_frame: Build
) -> None:
    params = ProfileParams(rows=None, ticks_per_row=per_row, tick_size=tick)
    profile = compute_volume_profile(rows_frame([flat(count * tick) for count in ticks]), params)
    first = min(ticks) // per_row
    rows = max(1, -(-max(ticks) // per_row) - first)
    expected = np.zeros(rows)
    for count in ticks:
        expected[min(count // per_row - first, rows - 1)] += 1
    assert profile.volume_by_row.tolist() == expected.tolist()
    assert profile.base == pytest.approx(first * per_row * tick, rel=1e-12)


@settings(max_examples=80, deadline=None)
@given(range_ticks=st.integers(1, 5_000), rows=st.integers(1, 400))
def test_whole_tick_rows_cover_the_range_and_no_other_rounding_is_closer(range_ticks: int, rows: int) -> None:
    ticks, count = whole_tick_rows(range_ticks, rows)
    assert ticks * (count - 1) < range_ticks <= ticks * count
    for other in (max(1, range_ticks // rows), max(1, -(-range_ticks // rows))):
        assert abs(count - rows) <= abs(-(-range_ticks // other) - rows)


def test_a_last_row_that_ends_early_has_its_own_edge_and_middle(rows_frame: Build) -> None:
    # 100 ticks in about 30 rows: 3 ticks a row make 34, the last of one tick.
    candle = {"open": 10.0, "high": 20.0, "low": 10.0, "close": 19.95, "volume": 100.0}
    params = ProfileParams(rows=30, tick_size=0.1, tv_rows=True)
    profile = compute_volume_profile(rows_frame([candle, flat(20.0, 500.0)]), params)
    assert len(profile.volume_by_row) == 34
    assert profile.row_height == pytest.approx(0.3)
    assert (profile.edges[-2], profile.edges[-1]) == (pytest.approx(19.9), 20.0)
    assert profile.poc_row == 33
    assert profile.poc == pytest.approx(19.95)
    assert profile.vah == 20.0
    assert profile.volume_by_row[0] == pytest.approx(3.0)
    assert profile.volume_by_row[-1] == pytest.approx(501.0)


def test_rows_of_a_height_stay_where_they_are_when_the_range_grows(random_frame: Build) -> None:
    candles = random_frame(3, count=400)
    params = ProfileParams(rows=None, row_height=0.7)
    early, late = (compute_volume_profile(part, params) for part in (candles[:150], candles))
    moved = round((early.base - late.base) / 0.7)
    assert early.base == pytest.approx(late.base + moved * 0.7)
    assert early.row_height == late.row_height == 0.7
    assert np.all(late.volume_by_row[moved : moved + len(early.volume_by_row)] >= early.volume_by_row * (1 - 1e-12))


def test_the_top_price_belongs_to_the_last_row_in_every_geometry(rows_frame: Build) -> None:
    candles = rows_frame([flat(100.0), flat(104.0, 3.0)])
    for params in (
        ProfileParams(rows=4),
        ProfileParams(rows=None, row_height=1.0),
        ProfileParams(rows=4, tick_size=0.5),
        ProfileParams(rows=4, tick_size=0.5, tv_rows=True),
        ProfileParams(rows=None, ticks_per_row=2, tick_size=0.5),
    ):
        profile = compute_volume_profile(candles, params)
        assert profile.volume_by_row.tolist() == [1.0, 0.0, 0.0, 3.0]
        assert profile.vah == 104.0


@pytest.mark.parametrize(
    ("settings_given", "words"),
    [
        ({"rows": 24, "ticks_per_row": 2, "tick_size": 0.1}, "Give exactly one"),
        ({"rows": None, "ticks_per_row": 0, "tick_size": 0.1}, "ticks_per_row is 0"),
        ({"rows": None, "ticks_per_row": 4}, "ticks_per_row needs tick_size"),
        ({"tv_rows": True}, "tv_rows needs tick_size"),
        ({"spread": "ticks"}, "needs tick_size"),
        ({"tick_size": 0.0}, "tick_size is 0.0"),
        ({"tick_size": float("nan")}, "tick_size is nan"),
        ({"rows": None, "row_height": 1.0, "tick_size": 0.1, "tv_rows": True}, "Give rows with it"),
        ({"rows": None, "row_height": 0.25, "tick_size": 0.1}, "2.5 ticks of 0.1"),
        ({"spread": "gaussian"}, "Use one of uniform, ticks, close, typical, triangle"),
        ({"split": "tick"}, "Use one of candle, range"),
        ({"smoothing": -1.0}, "smoothing is -1.0"),
        ({"smoothing": float("nan")}, "smoothing is nan"),
    ],
)
def test_settings_that_contradict_each_other_are_refused_with_what_to_do(
    settings_given: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidRequest, match=words):
        ProfileParams(**settings_given)


def test_settings_are_told_as_plain_data() -> None:
    plain = ProfileParams(rows=None, row_height=2.5, spread="close").to_plain()
    assert plain["row_height"] == 2.5
    assert plain["spread"] == "close"
    assert ProfileParams(**plain) == ProfileParams(rows=None, row_height=2.5, spread="close")


@settings(max_examples=150, deadline=None)
@given(
    prices=st.lists(st.floats(1e-6, 1e7), min_size=1, max_size=20),
    geometry=st.sampled_from(
        [
            {"rows": 1},
            {"rows": 7},
            {"rows": 10_000},
            {"rows": 333, "tick_size": 0.01},
            {"rows": 333, "tick_size": 0.01, "tv_rows": True},
            {"rows": 50, "tick_size": 1e-7, "spread": "ticks"},
            {"rows": 50, "tick_size": 0.3, "spread": "ticks", "tv_rows": True},
            {"rows": None, "row_height": 4321.1},
            {"rows": None, "ticks_per_row": 7_777, "tick_size": 0.3, "spread": "ticks"},
        ]
    ),
)
def test_every_price_finds_a_row_whatever_the_doubles(
    prices: list[float], geometry: dict[str, Any], rows_frame: Build
) -> None:
    profile = compute_volume_profile(rows_frame([flat(price) for price in prices]), ProfileParams(**geometry))
    assert profile.volume_by_row.sum() == pytest.approx(len(prices), rel=1e-11)
    slack = 1e-7 * max(prices) + 1e-7 * profile.row_height
    assert profile.base <= min(prices) + slack
    assert max(prices) <= profile.edges[-1] + slack
