"""Tags of price levels: every one legible, beside the axis, near its price and in its pane, however many there are."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.charts import drawing

Chart = dict[str, Any]
# Pixels from one line of a tag to the next.
LINE = 14
prices = st.floats(min_value=90.0, max_value=112.0)


def pane(layout: Chart) -> float:
    """Height of the price pane, pixels."""
    margin, (bottom, top) = layout["margin"], layout["yaxis"]["domain"]
    return float((layout["height"] - margin["t"] - margin["b"]) * (top - bottom))


def places(drawn: Chart) -> list[tuple[str, float]]:
    """Words of each tag, and its middle in pixels under the upper edge of its pane, from the top down."""
    layout = drawn["layout"]
    low, high = layout["yaxis"]["range"]
    scale = pane(layout) / (high - low)
    found = [
        (each["text"], (high - each["y"]) * scale - each["yshift"])
        for each in layout["annotations"]
        if each["yref"] == "y"
    ]
    for trace in drawn["data"]:
        if trace["name"] == "names of naked POCs":
            found += [(text.strip(), (high - y) * scale) for text, y in zip(trace["text"], trace["y"], strict=True)]
    return sorted(found, key=lambda pair: pair[1])


def shown(chart: Chart, *, narrow: bool = False, **levels: Any) -> Chart:
    profile = {**chart["volume_profile"], **levels}
    return drawing({**chart, "volume_profile": profile}, dark=True, narrow=narrow)


def naked(chart: Chart, *at: float) -> list[Chart]:
    (level,) = chart["volume_profile"]["naked_pocs"]
    return [{**level, "price": price} for price in at]


def assert_legible(drawn: Chart) -> None:
    found = [place for _, place in places(drawn)]
    assert all(below - above >= LINE - 1e-6 for above, below in itertools.pairwise(found))
    assert found[0] >= LINE / 2 - 1e-6
    assert found[-1] <= pane(drawn["layout"]) - LINE / 2 + 1e-6


def test_a_level_apart_from_all_others_has_its_tag_at_its_price(chart: Chart) -> None:
    drawn = drawing(chart, dark=True)
    low, high = drawn["layout"]["yaxis"]["range"]
    scale = pane(drawn["layout"]) / (high - low)
    expected = {"POC 101.0": 101.0, "VAH 103.0": 103.0, "VAL 99.0": 99.0, "<b>104.0</b>": 104.0}
    assert {text: high - place / scale for text, place in places(drawn) if text in expected} == {
        text: pytest.approx(price) for text, price in expected.items()
    }


@pytest.mark.parametrize("narrow", [False, True])
def test_levels_at_the_ends_of_the_prices_have_their_tags_inside_the_pane(chart: Chart, narrow: bool) -> None:
    chart["candles"]["close"][-1] = 105.0
    drawn = shown(chart, narrow=narrow, vah=105.2, poc=105.1, val=96.8, naked_pocs=naked(chart, 96.9, 97.0, 105.0))
    assert len(places(drawn)) == 7
    assert_legible(drawn)


@given(
    found=st.lists(prices, max_size=12),
    close=st.floats(min_value=97.0, max_value=105.0),
    poc=prices,
    vah=prices,
    val=prices,
)
@pytest.mark.parametrize("narrow", [False, True])
def test_no_two_tags_overlap_and_none_leaves_its_pane(
    tags_chart: Chart, narrow: bool, found: list[float], close: float, poc: float, vah: float, val: float
) -> None:
    candles = {**tags_chart["candles"], "close": [*tags_chart["candles"]["close"][:-1], close]}
    chart = {**tags_chart, "candles": candles}
    profile = {"poc": poc, "vah": vah, "val": val, "naked_pocs": naked(chart, *sorted(set(found)))}
    assert_legible(shown(chart, narrow=narrow, **profile))


def test_tags_keep_the_order_of_their_prices(chart: Chart) -> None:
    close_together = naked(chart, 100.9, 101.1, 101.2, 100.8)
    order = [text for text, _ in places(shown(chart, naked_pocs=close_together))]
    assert order[2:7] == ["nPOC 101.2", "nPOC 101.1", "POC 101.0", "nPOC 100.9", "nPOC 100.8"]


def test_of_tags_too_close_together_the_last_close_moves_least(chart: Chart) -> None:
    chart["candles"]["close"][-1] = 101.0
    layout = shown(chart, poc=101.02, naked_pocs=[])["layout"]
    lifts = {each["text"]: abs(each["yshift"]) for each in layout["annotations"] if each["yref"] == "y"}
    assert lifts["<b>101.0</b>"] < 1 < lifts["POC 101.0"]


def test_the_margin_holds_the_longest_tag_and_the_numbers_of_the_axis(chart: Chart) -> None:
    margin = drawing(chart, dark=True)["layout"]["margin"]["r"]
    for name in ("open", "high", "low", "close"):
        chart["candles"][name] = [price * 1e6 for price in chart["candles"][name]]
    assert drawing({**chart, "volume_profile": None}, dark=True)["layout"]["margin"]["r"] > margin


def test_the_numbers_of_a_narrow_axis_are_even_and_beside_no_tag(chart: Chart) -> None:
    drawn = drawing(chart, dark=True, narrow=True)
    low, high = drawn["layout"]["yaxis"]["range"]
    numbers = drawn["layout"]["yaxis"]["tickvals"]
    assert numbers == [int(number) for number in numbers]
    scale = pane(drawn["layout"]) / (high - low)
    beside = [abs((high - number) * scale - place) for number in numbers for _, place in places(drawn)]
    assert min(beside) >= LINE
    # As many again beyond both ends, for whoever moves the prices.
    assert min(numbers) < low - 4
    assert max(numbers) > high + 4


def test_levels_of_fewer_candles_than_are_shown_begin_with_the_first_of_them(chart: Chart) -> None:
    def areas(**levels: Any) -> list[tuple[Any, Any, Any]]:
        shapes = shown(chart, **levels)["layout"]["shapes"]
        return [(shape["xref"], shape["x0"], shape["x1"]) for shape in shapes if shape["type"] == "rect"]

    assert areas(lookback=5) == areas(lookback=200) == [("paper", 0, 1)]
    assert areas(lookback=2) == [("x", "2026-11-22 12:30", "2026-11-22 14:30"), ("paper", 0.84, 1)]


@pytest.fixture(scope="module")
def tags_chart() -> Chart:
    """Candles between 97 and 105 whose panel is still warming up."""
    times = [1_795_341_600_000 + number * 3_600_000 for number in range(3)]
    columns = ("wt1", "wt2", "vwap", "money_flow", "rsi", "stoch_k", "stoch_d")
    panel: Chart = {name: [None] * 3 for name in columns}
    candles = {
        "open": [100.0, 98.0, 101.0],
        "high": [102.0, 103.0, 105.0],
        "low": [97.0, 98.0, 100.0],
        "close": [98.0, 101.0, 102.0],
        "volume": [1.0, 2.0, 3.0],
    }
    return {
        "symbol": "BTC/USDT",
        "timeframe": "1h",
        "market": "demo",
        "simulated": True,
        "as_of": times[-1] + 3_600_000,
        "tick_size": "0.01",
        "candles": {"open_time": times, **candles},
        "cipher": {**panel, "stc": None, "levels": None, "divergences": [], "events": [], "missing": "Too few."},
        "volume_profile": {
            "rows": [{"from": 97.0, "to": 105.0, "volume": 6.0, "up": 5.0, "down": 1.0}],
            "hvn": [],
            "lvn": [],
            "naked_pocs": [{"price": 98.5, "born_time": times[0], "session": "2026-11-21"}],
        },
        "vwap": None,
    }
