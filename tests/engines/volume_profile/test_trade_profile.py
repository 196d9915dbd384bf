"""Profiles of single trades, whose sides are known."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from engines.domain.trades import TradeFrame
from engines.errors import InsufficientData, InvalidRequest
from engines.volume_profile import LiveProfile, ProfileParams, compute_trade_profile
from engines.volume_profile.params import Spread


def frame(prices: list[float], quantities: list[float], sides: list[int]) -> TradeFrame:
    times = np.arange(len(prices), dtype=np.int64) * 1000
    return TradeFrame(
        symbol="XRP/ETH",
        market="files",
        simulated=False,
        time_ms=times,
        price=np.array(prices, dtype=float),
        quantity=np.array(quantities, dtype=float),
        side=np.array(sides, dtype=np.int8),
    )


@pytest.fixture(scope="session")
def real_rows(shared: Path) -> list[dict[str, str]]:
    with gzip.open(shared / "data" / "xrpeth-trades.csv.gz", "rt") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def real_trades(real_rows: list[dict[str, str]]) -> TradeFrame:
    return TradeFrame(
        symbol="XRP/ETH",
        market="files",
        simulated=False,
        time_ms=np.array([row["time_ms"] for row in real_rows], dtype=np.int64),
        price=np.array([row["price"] for row in real_rows], dtype=float),
        quantity=np.array([row["quantity"] for row in real_rows], dtype=float),
        side=np.array([1 if row["side"] == "buy" else -1 for row in real_rows], dtype=np.int8),
    )


def test_rows_of_real_trades_equal_sums_over_whole_ticks(
    real_rows: list[dict[str, str]], real_trades: TradeFrame
) -> None:
    params = ProfileParams(rows=None, ticks_per_row=20, tick_size=1e-8)
    profile = compute_trade_profile(real_trades, params)
    sums: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for row in real_rows:
        sums[int(Decimal(row["price"]) / Decimal("0.00000020")), row["side"]] += Decimal(row["quantity"])
    first, last = min(place for place, _ in sums), max(place for place, _ in sums)
    assert profile.base == pytest.approx(first * 2e-7, rel=1e-12)
    count = len(profile.volume_by_row)
    assert last - first <= count
    for side, found in (("buy", profile.up_by_row), ("sell", profile.down_by_row)):
        expected = [float(sums[first + row, side]) for row in range(count)]
        expected[-1] += float(sums[first + count, side])
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-6)
    assert profile.total_volume == pytest.approx(float(sum(sums.values())), rel=1e-12)
    assert profile.volume_by_row.argmax() == profile.poc_row


def test_up_is_what_buyers_took_and_delta_the_rest_after_sellers() -> None:
    profile = compute_trade_profile(frame([1.0, 2.0, 2.0, 3.0], [1, 5, 2, 4], [1, 1, -1, -1]), ProfileParams(rows=2))
    assert profile.up_by_row.tolist() == [1.0, 5.0]
    assert profile.down_by_row.tolist() == [0.0, 6.0]
    assert profile.delta_by_row.tolist() == [1.0, -1.0]
    assert (profile.poc, profile.total_volume) == (2.5, 12.0)


def test_ways_to_spread_candles_change_nothing_for_trades() -> None:
    trades = frame([1.0, 2.5, 2.0, 3.0], [1, 5, 2, 4], [1, 1, -1, -1])
    plain = compute_trade_profile(trades, ProfileParams(rows=5))
    for other in (ProfileParams(rows=5, spread="triangle"), ProfileParams(rows=5, split="range", spread="close")):
        profile = compute_trade_profile(trades, other)
        assert np.array_equal(profile.up_by_row, plain.up_by_row)
        assert np.array_equal(profile.down_by_row, plain.down_by_row)


def test_trades_of_one_moment_are_fine_and_a_time_that_falls_is_not() -> None:
    trades = frame([1.0, 2.0, 3.0], [1, 1, 1], [1, -1, 1])
    together = replace(trades, time_ms=np.array([5, 5, 5], dtype=np.int64))
    assert compute_trade_profile(together).total_volume == 3.0
    with pytest.raises(InvalidRequest, match=r"row 2 .* comes before the row over it"):
        compute_trade_profile(replace(trades, time_ms=np.array([5, 6, 5], dtype=np.int64)))


@pytest.mark.parametrize(
    ("column", "wrong", "words"),
    [
        ("price", 0.0, "price that is not above zero"),
        ("price", float("nan"), "price that is not above zero"),
        ("price", float("inf"), "price that is not above zero"),
        ("quantity", -1.0, "quantity that is not zero or more"),
        ("quantity", float("nan"), "quantity that is not zero or more"),
        ("side", 0, "neither 1 nor -1"),
    ],
)
def test_a_trade_that_cannot_be_is_refused_with_its_row(column: str, wrong: float, words: str) -> None:
    trades = frame([1.0, 2.0, 3.0], [1, 1, 1], [1, -1, 1])
    values = getattr(trades, column).copy()
    values[1] = wrong
    with pytest.raises(InvalidRequest, match=rf"row 1 .*{words}"):
        compute_trade_profile(replace(trades, **{column: values}))


def test_columns_of_trades_that_differ_in_length_are_refused() -> None:
    trades = frame([1.0, 2.0, 3.0], [1, 1, 1], [1, -1, 1])
    with pytest.raises(InvalidRequest, match="differ in length"):
        compute_trade_profile(replace(trades, side=trades.side[:2]))


def test_no_trade_and_no_quantity_are_refused() -> None:
    trades = frame([1.0, 2.0], [0.0, 0.0], [1, -1])
    with pytest.raises(InsufficientData, match="XRP/ETH has no volume in its 2 trades"):
        compute_trade_profile(trades)
    with pytest.raises(InsufficientData, match="XRP/ETH has no trades"):
        compute_trade_profile(trades[:0])


@pytest.mark.parametrize("spread", ["uniform", "ticks", "close", "typical", "triangle"])
def test_a_trade_goes_whole_into_one_row_whatever_is_said_of_candles(spread: Spread) -> None:
    # Three rows over five ticks or six: their edges lie between ticks.
    trades = frame([1.0, 1.25, 1.5, 1.75, 2.25], [1.0, 2.0, 4.0, 8.0, 16.0], [1, -1, 1, -1, 1])
    params = ProfileParams(rows=3, tick_size=0.25, spread=spread)
    profile = compute_trade_profile(trades, params)
    rows = np.searchsorted(profile.edges[1:-1], trades.price, side="right")
    assert profile.volume_by_row.tolist() == np.bincount(rows, trades.quantity, minlength=3).tolist()
    live = LiveProfile(params)
    for row in range(len(trades)):
        live.add_trade(row, float(trades.price[row]), float(trades.quantity[row]), int(trades.side[row]))
    assert live.profile().up_by_row.tolist() == profile.up_by_row.tolist()
