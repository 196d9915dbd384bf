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
from engines.domain.timeframe import Timeframe, duration_ms, to_ms
from engines.errors import InvalidRequest, NotFound
from engines.market.demo import DemoMarket
from engines.volume_profile.desk import desk_naked_pocs, desk_profile, desk_sessions
from engines.volume_profile.summary import desk_levels, weighed_levels

Alter = Callable[[Callable[[CandleFrame], CandleFrame]], DemoMarket]
COLUMNS = ("wt1", "wt2", "vwap", "money_flow", "rsi", "stoch_k", "stoch_d", "stc")
FOUR_HOURS = 4 * 3_600_000


def test_a_chart_is_plain_json_and_agrees_with_the_engines(market: DemoMarket) -> None:
    chart = json.loads(json.dumps(chart_data(market, "BTC/USDT", "1h", count=150), allow_nan=False))
    candles = market.closed_candles("BTC/USDT", "1h", count=650)
    panel = compute_panel(candles)
    for name in COLUMNS:
        assert chart["cipher"][name] == panel.values[name][-150:].tolist(), name
    assert chart["candles"]["open_time"] == candles.open_time[-150:].tolist()
    assert chart["candles"]["close"] == candles.close[-150:].tolist()
    assert (chart["market"], chart["simulated"]) == ("demo", True)


def test_the_levels_of_a_chart_are_those_the_desk_speaks_of(market: DemoMarket) -> None:
    drawn = chart_data(market, "BTC/USDT", "4h", count=200)["volume_profile"]
    desk = desk_profile(market, "BTC/USDT", "4h", count=200)
    profile = desk.profile
    assert (drawn["poc"], drawn["val"], drawn["vah"]) == (profile.poc, profile.val, profile.vah)
    assert (drawn["built_from"], drawn["lookback"]) == (desk.built_from, 200)
    assert duration_ms(desk.built_from) < duration_ms("4h")
    assert [row["volume"] for row in drawn["rows"]] == profile.volume_by_row.tolist()
    assert all(row["up"] + row["down"] == pytest.approx(row["volume"]) for row in drawn["rows"])
    assert [row["delta"] for row in drawn["rows"]] == profile.delta_by_row.tolist()
    for kind in ("hvn", "lvn"):
        assert [node["price"] for node in drawn[kind]] == [node.price for node in getattr(profile, kind)]
    naked = desk_naked_pocs(desk_sessions(market, desk))
    assert [(each["session"], each["price"]) for each in drawn["naked_pocs"]] == [
        (each.session, each.price) for each in naked
    ]
    assert drawn["naked_pocs"]
    assert drawn["developing_poc"][-1] == pytest.approx(profile.poc)


@pytest.mark.parametrize(("timeframe", "anchor"), [("1h", "day"), ("4h", "week"), ("1d", "month")])
def test_the_average_price_ends_where_the_desks_levels_have_it(
    market: DemoMarket, timeframe: Timeframe, anchor: str
) -> None:
    chart = chart_data(market, "BTC/USDT", timeframe, count=120)
    desk = desk_profile(market, "BTC/USDT", timeframe, count=120)
    spoken = weighed_levels(desk, market.instrument("BTC/USDT")).average
    assert spoken is not None
    average = chart["vwap"]
    assert (average["anchor"], average["values"][-1]) == (anchor, spoken.vwap)
    assert len(average["values"]) == 120
    assert set(average["starts"]) <= set(chart["candles"]["open_time"])


@pytest.mark.parametrize("timeframe", ["1h", "4h", "1d"])
def test_an_average_that_began_before_the_first_candle_is_there_from_it_on(
    market: DemoMarket, timeframe: Timeframe
) -> None:
    few = chart_data(market, "BTC/USDT", timeframe, count=100, lookback=400)["vwap"]
    many = chart_data(market, "BTC/USDT", timeframe, count=400)["vwap"]
    assert None not in few["values"]
    assert few["values"] == pytest.approx(many["values"][-100:], rel=1e-12)


def test_an_average_whose_beginning_the_market_does_not_have_is_left_out(altered: Alter, market: DemoMarket) -> None:
    first = to_ms(market.now()) - 100 * 3_600_000
    chart = chart_data(
        altered(lambda candles: candles[int(np.searchsorted(candles.open_time, first)) :]), "BTC/USDT", "1h", count=100
    )
    average = chart["vwap"]
    rows = chart["candles"]["open_time"].index(average["starts"][0])
    assert rows > 0
    assert average["values"][:rows] == [None] * rows
    assert None not in average["values"][rows:]


@pytest.mark.parametrize("timeframe", ["4h", "1d"])
def test_a_naked_level_is_one_price_in_words_and_in_pictures_of_any_number_of_candles(
    market: DemoMarket, timeframe: Timeframe
) -> None:
    levels = desk_levels(market, desk_profile(market, "BTC/USDT", timeframe), market.instrument("BTC/USDT"))
    spoken = {each.session: each.price for each in levels.naked}
    assert spoken
    for count in (200, 1_000):
        drawn = chart_data(market, "BTC/USDT", timeframe, count=count)["volume_profile"]["naked_pocs"]
        assert spoken.items() <= {each["session"]: each["price"] for each in drawn}.items()


@pytest.mark.parametrize("count", [60, 500])
def test_a_profile_can_be_of_other_candles_than_those_shown_and_says_so(market: DemoMarket, count: int) -> None:
    usual = chart_data(market, "BTC/USDT", "4h")["volume_profile"]
    chart = chart_data(market, "BTC/USDT", "4h", count=count, lookback=200)
    profile = chart["volume_profile"]
    assert len(chart["candles"]["close"]) == len(chart["vwap"]["values"]) == count
    assert profile["lookback"] == 200
    assert [profile[name] for name in ("poc", "vah", "val", "hvn")] == [
        usual[name] for name in ("poc", "vah", "val", "hvn")
    ]
    unknown = max(0, count - 200)
    assert profile["developing_poc"][:unknown] == [None] * unknown
    assert profile["developing_poc"][unknown:] == usual["developing_poc"][max(0, 200 - count) :]


def test_events_lie_on_shown_candles_and_say_when_they_were_knowable(market: DemoMarket) -> None:
    chart = chart_data(market, "BTC/USDT", "4h", count=1_000)
    events = chart["cipher"]["events"]
    times = set(chart["candles"]["open_time"])
    assert {"cross_up", "cross_down", "green_dot", "buy_div_dot", "sell_div_dot"} <= {event["name"] for event in events}
    assert {event["time"] for event in events} <= times
    assert all(event["confirmed_time"] == event["time"] + FOUR_HOURS for event in events)
    dots = [event for event in events if event["name"].endswith("_div_dot")]
    assert all(event["pivot_time"] == event["time"] - 2 * FOUR_HOURS for event in dots)
    assert {event["second_range"] for event in dots} == {True, False}


def test_divergences_carry_the_prices_and_values_of_both_pivots(market: DemoMarket) -> None:
    chart = chart_data(market, "BTC/USDT", "4h", count=1_000)
    candles = market.closed_candles("BTC/USDT", "4h", count=1_500)
    panel = compute_panel(candles)
    row = {int(time): number for number, time in enumerate(candles.open_time)}
    columns = {"wt": panel.wt2, "rsi": panel.rsi, "stoch": panel.stoch_k}
    found = chart["cipher"]["divergences"]
    assert {(each["source"], each["hidden"], each["bias"]) for each in found} >= {
        ("wt", hidden, bias) for hidden in (True, False) for bias in ("bull", "bear")
    }
    for each in found:
        pivot, previous = each["pivot"], each["previous"]
        assert previous["time"] < pivot["time"] == each["time"] - 2 * FOUR_HOURS
        price = candles.low if each["bias"] == "bull" else candles.high
        for end in (pivot, previous):
            assert end["price"] == price[row[end["time"]]]
            assert end["value"] == columns[each["source"]][row[end["time"]]]
        higher_price, higher_value = pivot["price"] > previous["price"], pivot["value"] > previous["value"]
        assert higher_price != higher_value
        assert higher_price == (each["hidden"] == (each["bias"] == "bull"))


def test_two_pivots_are_one_divergence_though_both_ranges_of_the_waves_saw_it(market: DemoMarket) -> None:
    found = chart_data(market, "BTC/USDT", "1h", count=1_000)["cipher"]["divergences"]
    ends = [
        (each["source"], each["hidden"], each["bias"], each["previous"]["time"], each["pivot"]["time"])
        for each in found
    ]
    assert len(ends) == len(set(ends))


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
    assert (chart["cipher"]["events"], chart["cipher"]["divergences"]) == ([], [])
    assert chart["cipher"]["missing"] == "BTC/USDT has 20 closed 1h candles; this panel needs 60."
    assert len(chart["candles"]["close"]) == 20


def test_without_volume_there_is_no_profile(altered: Alter) -> None:
    silent = altered(lambda candles: replace(candles, volume=np.zeros(len(candles))))
    chart = chart_data(silent, "BTC/USDT", "1h")
    assert chart["volume_profile"] is None
    assert chart["vwap"] is None
    assert chart["cipher"]["rsi"][-1] is not None


def test_a_chart_that_cannot_be_is_refused(market: DemoMarket) -> None:
    with pytest.raises(InvalidRequest, match="0 candles cannot be shown"):
        chart_data(market, "BTC/USDT", "1h", count=0)
    with pytest.raises(NotFound):
        chart_data(market, "NOPE/USDT", "1h")
