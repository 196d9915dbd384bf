"""The chart's data: plain JSON that agrees with the engines."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from engines.chart import chart_data
from engines.cipher import compute_panel
from engines.domain.candles import CandleFrame
from engines.domain.timeframe import to_ms
from engines.errors import InvalidRequest, NotFound
from engines.market.demo import DemoMarket
from engines.volume_profile import DESK_PROFILE, compute_volume_profile

Alter = Callable[[Callable[[CandleFrame], CandleFrame]], DemoMarket]
COLUMNS = ("wt1", "wt2", "vwap", "money_flow", "rsi", "stoch_k", "stoch_d")


def test_a_chart_is_plain_json_and_agrees_with_the_engines(market: DemoMarket) -> None:
    chart = json.loads(json.dumps(chart_data(market, "BTC/USDT", "1h", count=150), allow_nan=False))
    candles = market.closed_candles("BTC/USDT", "1h", count=650)
    panel = compute_panel(candles)
    for name in COLUMNS:
        assert chart["cipher"][name] == getattr(panel, name)[-150:].tolist(), name
    assert chart["candles"]["open_time"] == candles.open_time[-150:].tolist()
    assert chart["candles"]["close"] == candles.close[-150:].tolist()
    profile = compute_volume_profile(candles[-150:], DESK_PROFILE)
    drawn = chart["volume_profile"]
    assert (drawn["poc"], drawn["val"], drawn["vah"]) == (profile.poc, profile.val, profile.vah)
    assert [row["volume"] for row in drawn["rows"]] == profile.volume_by_row.tolist()
    assert all(row["up"] + row["down"] == pytest.approx(row["volume"]) for row in drawn["rows"])
    assert (chart["market"], chart["simulated"], drawn["lookback"]) == ("demo", True, 150)


def test_events_lie_on_shown_candles_and_say_when_they_were_knowable(market: DemoMarket) -> None:
    chart = chart_data(market, "BTC/USDT", "4h", count=200)
    events = chart["cipher"]["events"]
    assert {"cross_up", "cross_down"} <= {event["name"] for event in events}
    assert {event["time"] for event in events} <= set(chart["candles"]["open_time"])
    assert all(event["confirmed_time"] == event["time"] + 4 * 3_600_000 for event in events)


def test_a_chart_of_the_past_knows_nothing_later(market: DemoMarket) -> None:
    as_of = market.now() - timedelta(days=3)
    chart = chart_data(market, "BTC/USDT", "1h", as_of=as_of)
    assert datetime.fromisoformat(chart["as_of"]) <= as_of
    assert chart["candles"]["open_time"][-1] + 3_600_000 <= to_ms(as_of)
    now = chart_data(market, "BTC/USDT", "1h", count=1_000)
    row = now["candles"]["open_time"].index(chart["candles"]["open_time"][-1])
    assert now["cipher"]["rsi"][row] == pytest.approx(chart["cipher"]["rsi"][-1], abs=1e-9)


def test_undefined_values_are_none(altered: Alter) -> None:
    chart = chart_data(altered(lambda candles: candles[-100:]), "BTC/USDT", "1h", count=100)
    assert chart["cipher"]["money_flow"][:59] == [None] * 59
    assert chart["cipher"]["money_flow"][59] is not None


def test_too_few_candles_leave_the_panel_empty_and_say_so(altered: Alter) -> None:
    chart = chart_data(altered(lambda candles: candles[-20:]), "BTC/USDT", "1h")
    assert chart["cipher"]["wt1"] == [None] * 20
    assert chart["cipher"]["missing"] == "BTC/USDT has 20 closed 1h candles; this panel needs 60."
    assert len(chart["candles"]["close"]) == 20


def test_without_volume_there_is_no_profile(altered: Alter) -> None:
    silent = altered(lambda candles: replace(candles, volume=np.zeros(len(candles))))
    chart = chart_data(silent, "BTC/USDT", "1h")
    assert chart["volume_profile"] is None
    assert chart["cipher"]["rsi"][-1] is not None


def test_a_chart_that_cannot_be_is_refused(market: DemoMarket) -> None:
    with pytest.raises(InvalidRequest, match="0 candles cannot be shown"):
        chart_data(market, "BTC/USDT", "1h", count=0)
    with pytest.raises(NotFound):
        chart_data(market, "NOPE/USDT", "1h")
