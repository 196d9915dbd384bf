"""A profile that grows candle by candle equals one computed anew, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.candles import CandleFrame
from engines.domain.trades import TradeFrame
from engines.errors import InsufficientData, InvalidRequest
from engines.volume_profile import (
    LiveProfile,
    ProfileParams,
    RowProfile,
    compute_trade_profile,
    compute_volume_profile,
)

Build = Callable[..., CandleFrame]
SETTINGS = [
    ProfileParams(rows=None, row_height=0.5),
    ProfileParams(rows=None, row_height=0.07, split="range"),
    ProfileParams(rows=None, ticks_per_row=30, tick_size=0.01, spread="ticks"),
    ProfileParams(rows=None, row_height=0.5, spread="triangle"),
    ProfileParams(rows=40),
    ProfileParams(rows=40, tick_size=0.01, tv_rows=True),
    ProfileParams(rows=40, spread="typical", split="range"),
]


def row_of(candles: CandleFrame, row: int) -> tuple[int, float, float, float, float, float]:
    return (
        int(candles.open_time[row]),
        candles.open[row],
        candles.high[row],
        candles.low[row],
        candles.close[row],
        candles.volume[row],
    )


def assert_same(live: RowProfile, anew: RowProfile) -> None:
    for name in ("volume_by_row", "up_by_row", "down_by_row", "edges"):
        assert getattr(live, name).tobytes() == getattr(anew, name).tobytes(), name
    for name in ("base", "row_height", "poc", "val", "vah", "total_volume"):
        assert getattr(live, name) == getattr(anew, name), name
    assert live.nodes == anew.nodes


@pytest.mark.parametrize("params", SETTINGS)
def test_after_every_candle_it_equals_a_profile_computed_anew(params: ProfileParams, random_frame: Build) -> None:
    candles = random_frame(6, count=150)
    live = LiveProfile(params)
    compared = 0
    for row in range(len(candles)):
        live.add_candle(*row_of(candles, row))
        if candles.volume[: row + 1].any():
            assert_same(live.profile(), compute_volume_profile(candles[: row + 1], params))
            compared += 1
    assert len(live) == 150
    assert compared > 140


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), asked=st.lists(st.integers(1, 300), max_size=8), which=st.integers(0, 6))
def test_when_it_is_asked_changes_nothing(seed: int, asked: list[int], which: int, random_frame: Build) -> None:
    candles, params = random_frame(seed, count=300), SETTINGS[which]
    live = LiveProfile(params)
    for row in range(len(candles)):
        live.add_candle(*row_of(candles, row))
        if row in asked and candles.volume[: row + 1].any():
            live.profile()
    assert_same(live.profile(), compute_volume_profile(candles, params))


@pytest.mark.parametrize("params", SETTINGS)
def test_a_forming_candle_is_replaced_without_a_trace(params: ProfileParams, random_frame: Build) -> None:
    candles = random_frame(6, count=60)
    wild = random_frame(7, count=60, scale=3.0)
    live = LiveProfile(params)
    for row in range(len(candles)):
        time, *_ = row_of(candles, row)
        live.replace_forming(time, *row_of(wild, row)[1:5], 50.0)
        live.profile()
        live.replace_forming(*row_of(candles, row))
        if candles.volume[: row + 1].any():
            assert_same(live.profile(), compute_volume_profile(candles[: row + 1], params))
        live.add_candle(*row_of(candles, row))
    assert_same(live.profile(), compute_volume_profile(candles, params))


def test_a_hundred_thousand_replacements_leave_no_drift(random_frame: Build) -> None:
    candles = random_frame(6, count=40)
    params = ProfileParams(rows=None, row_height=0.5)
    live = LiveProfile(params)
    for row in range(39):
        live.add_candle(*row_of(candles, row))
    time, open_, high, low, close, _ = row_of(candles, 39)
    for volume in range(100_000):
        live.replace_forming(time, open_, high, low, close, volume * 0.1)
        if volume % 10_000 == 0:
            live.profile()
    live.add_candle(*row_of(candles, 39))
    assert_same(live.profile(), compute_volume_profile(candles, params))
    assert live.profile().volume_by_row.min() >= 0


def test_a_profile_once_told_does_not_change_when_more_is_added(random_frame: Build) -> None:
    candles = random_frame(6, count=60)
    live = LiveProfile(ProfileParams(rows=None, row_height=0.5))
    for row in range(30):
        live.add_candle(*row_of(candles, row))
    told = live.profile()
    kept = told.volume_by_row.copy()
    for row in range(30, 60):
        live.add_candle(*row_of(candles, row))
    live.profile()
    assert np.array_equal(told.volume_by_row, kept)


@pytest.mark.parametrize("params", [ProfileParams(rows=None, row_height=0.5), ProfileParams(rows=33)])
def test_trades_one_by_one_equal_their_profile_computed_anew(params: ProfileParams) -> None:
    random = np.random.default_rng(3)
    prices, quantities = 50 + random.normal(0, 3, 500), random.exponential(1.0, 500)
    sides = random.choice([-1, 1], 500).astype(np.int8)
    times = np.cumsum(random.integers(0, 3, 500))
    live = LiveProfile(params)
    for row in range(500):
        live.add_trade(int(times[row]), prices[row], quantities[row], int(sides[row]))
        if row % 97 == 0:
            live.profile()
    trades = TradeFrame(
        "XRP/ETH", "files", simulated=False, time_ms=times, price=prices, quantity=quantities, side=sides
    )
    assert_same(live.profile(), compute_trade_profile(trades, params))


@pytest.mark.parametrize(
    "wrong",
    [
        (0, 1.0, 2.0, 1.0, 1.5, -1.0),
        (0, 1.0, 2.0, 1.0, 1.5, float("nan")),
        (0, 1.0, 0.9, 0.5, 0.8, 1.0),
        (0, 1.0, 2.0, 1.2, 1.5, 1.0),
        (0, float("nan"), 2.0, 1.0, 1.5, 1.0),
        (0, 1.0, float("inf"), 1.0, 1.5, 1.0),
        (0, 1.0, 2.0, 0.0, 1.5, 1.0),
    ],
)
def test_a_candle_that_cannot_be_is_refused_and_changes_nothing(
    wrong: tuple[int, float, float, float, float, float],
) -> None:
    live = LiveProfile(ProfileParams(rows=None, row_height=0.5))
    live.add_candle(-60_000, 5.0, 6.0, 5.0, 5.5, 3.0)
    before = live.profile()
    for add in (live.add_candle, live.replace_forming):
        with pytest.raises(InvalidRequest, match="cannot be"):
            add(*wrong)
    assert len(live) == 1
    assert_same(live.profile(), before)


def test_candles_come_in_order_of_time_each_once() -> None:
    live = LiveProfile(ProfileParams(rows=None, row_height=0.5))
    at = datetime(2026, 1, 5, tzinfo=UTC)
    live.add_candle(at, 5.0, 6.0, 5.0, 5.5, 3.0)
    for add in (live.add_candle, live.replace_forming):
        with pytest.raises(InvalidRequest, match="does not come after the last one"):
            add(at, 5.0, 6.0, 5.0, 5.5, 3.0)


def test_trades_and_candles_are_not_mixed_and_bad_trades_are_refused() -> None:
    live = LiveProfile(ProfileParams(rows=None, row_height=0.5), symbol="XRP/ETH")
    live.add_trade(1_000, 2.0, 5.0, 1)
    with pytest.raises(InvalidRequest, match="XRP/ETH is made of trades"):
        live.add_candle(2_000, 5.0, 6.0, 5.0, 5.5, 3.0)
    with pytest.raises(InvalidRequest, match="comes before the last one"):
        live.add_trade(999, 2.0, 5.0, 1)
    for price, quantity, side in ((0.0, 1.0, 1), (2.0, -1.0, 1), (float("nan"), 1.0, 1), (2.0, 1.0, 0)):
        with pytest.raises(InvalidRequest, match="cannot be"):
            live.add_trade(2_000, price, quantity, side)
    assert live.profile().total_volume == 5.0


def test_a_profile_of_nothing_or_of_no_volume_is_refused() -> None:
    live = LiveProfile(ProfileParams(rows=None, row_height=0.5), symbol="BTC/USD")
    with pytest.raises(InsufficientData, match="BTC/USD has nothing in it yet"):
        live.profile()
    live.add_candle(0, 5.0, 6.0, 5.0, 5.5, 0.0)
    with pytest.raises(InsufficientData, match="BTC/USD has no volume in its 1 candles or trades"):
        live.profile()
