"""The figure of a chart: what is drawn, where it ends, and that no meaning hangs on colour."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from typing import Any

import pytest

from ui.chart_words import facts, title
from ui.charts import drawing, figure

Chart = dict[str, Any]


def drawn(chart: Chart, *, dark: bool = True) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(figure(chart, dark=dark).to_json())
    return parsed


def trace(chart: Chart, name: str) -> dict[str, Any]:
    (found,) = [trace for trace in drawn(chart)["data"] if trace["name"] == name]
    return dict(found)


def test_title_says_symbol_market_and_that_it_is_simulated(chart: Chart) -> None:
    assert title(chart) == "<b>BTC/USDT</b> 1h · demo, <b>simulated</b><br><sup>as of 2026-11-22 15:00 UTC</sup>"


def test_title_of_a_real_market_does_not_say_simulated(chart: Chart) -> None:
    assert "simulated" not in title({**chart, "simulated": False, "market": "kraken"})


def test_time_axis_is_utc_and_ends_half_a_candle_after_the_last(chart: Chart) -> None:
    axis = drawn(chart)["layout"]["xaxis"]
    assert axis["range"] == ["2026-11-22 09:30", "2026-11-22 14:30"]
    assert trace(chart, "price")["x"][0] == "2026-11-22 10:00"


def test_price_axis_leaves_three_percent_of_the_range_free(chart: Chart) -> None:
    low, high = drawn(chart)["layout"]["yaxis"]["range"]
    assert (low, high) == (pytest.approx(97.0 - 0.24), pytest.approx(105.0 + 0.24))


def test_panes_do_not_overlap(chart: Chart) -> None:
    layout = drawn(chart)["layout"]
    domains = sorted(layout[axis]["domain"] for axis in ("yaxis", "yaxis2", "yaxis3", "yaxis4"))
    assert all(below[1] < above[0] for below, above in itertools.pairwise(domains))


def test_rising_candles_are_hollow_and_falling_ones_filled(chart: Chart) -> None:
    price = trace(chart, "price")
    assert price["increasing"]["fillcolor"] == drawn(chart)["layout"]["plot_bgcolor"]
    assert price["decreasing"]["fillcolor"] == price["decreasing"]["line"]["color"]


def test_green_dot_points_up_under_the_waves_and_says_since_when_it_was_knowable(chart: Chart) -> None:
    dot = trace(chart, "green dot")
    assert dot["marker"]["symbol"] == "triangle-up"
    assert (dot["x"], dot["y"]) == (["2026-11-22 13:00"], [-107])
    assert dot["customdata"] == ["2026-11-22 14:00"]


def test_a_cross_lies_on_the_slower_wave_also_where_it_is_a_dot(chart: Chart) -> None:
    chart["cipher"]["events"].append({**chart["cipher"]["events"][0], "name": "cross_up"})
    assert trace(chart, "cross up")["y"] == [-54.0]
    assert trace(chart, "green dot")["y"] == [-107]


def test_a_mark_outside_the_shown_candles_is_left_out(chart: Chart) -> None:
    chart["cipher"]["events"] = [{"name": "red_dot", "time": 0, "confirmed_time": 1}]
    assert "red dot" not in [trace["name"] for trace in drawn(chart)["data"]]


def test_unknown_marks_are_left_out(chart: Chart) -> None:
    chart["cipher"]["events"] = [{**chart["cipher"]["events"][0], "name": "something_new"}]
    assert len(drawn(chart)["data"]) == len(drawn({**chart, "cipher": {**chart["cipher"], "events": []}})["data"])


def test_volume_profile_bars_fill_their_rows_and_split_rising_from_falling(chart: Chart) -> None:
    up, down = trace(chart, "volume, up candles"), trace(chart, "volume, down candles")
    assert up["width"] == [3.0, 2.0, 3.0]
    assert [a + b for a, b in zip(up["x"], down["x"], strict=True)] == [30.0, 60.0, 10.0]
    assert down["marker"]["pattern"]["shape"] == "/"


def test_value_area_is_shaded_between_its_levels_and_levels_are_named(chart: Chart) -> None:
    layout = drawn(chart)["layout"]
    (area,) = [shape for shape in layout["shapes"] if shape["type"] == "rect"]
    assert (area["y0"], area["y1"]) == (99.0, 103.0)
    texts = {annotation["text"] for annotation in layout["annotations"]}
    assert {"POC 101.0", "VAH 103.0", "VAL 99.0"} <= texts


def test_without_a_profile_the_price_takes_its_place(chart: Chart) -> None:
    layout = drawn({**chart, "volume_profile": None})["layout"]
    assert layout["xaxis"]["domain"] == [0, 1]
    assert not [shape for shape in layout["shapes"] if shape["type"] == "rect"]


def test_hover_gives_every_value_of_a_candle(chart: Chart) -> None:
    text = trace(chart, "price")["text"]
    assert "O 100.0  H 105.0  L 99.5  C 104.0" in text[-1]
    assert "volume 2.50k" in text[-1]
    for name, last in (("wt1", -40.0), ("wt2", -48.0), ("money flow", 3.1), ("RSI", 55.0), ("stoch K", 60.0)):
        line = trace(chart, name)
        assert (line["y"][0], line["y"][-1]) == (None, last)
        assert line["hovertemplate"].startswith(f"{name} %{{y:.1f}}")


def test_dark_and_light_differ_in_page_and_text(chart: Chart) -> None:
    dark, light = drawn(chart, dark=True)["layout"], drawn(chart, dark=False)["layout"]
    assert dark["paper_bgcolor"] != light["paper_bgcolor"]
    assert dark["font"]["color"] != light["font"]["color"]


def test_facts_tell_price_levels_and_panel_in_words(chart: Chart) -> None:
    assert facts(chart) == (
        "BTC/USDT 1h on demo, simulated: close 104.0 at 2026-11-22 15:00 UTC; 5 candles between 97.0 and 105.0.",
        "Point of control 101.0 (2.9 % below), value area 99.0 to 103.0: the close is above it.",
        "High volume node at 101.0; low volume node at 103.5.",
        "Naked points of control, nearest first: 98.5 (5.3 % below).",
        "VWAP of the day 102.8 (1.2 % below).",
        "Wave trend -40.0 and -48.0, money flow 3.1, RSI 55.0, stochastic 60.0 and 40.0, Schaff 40.0.",
        "Last mark: green dot: waves crossed up while oversold, knowable since 2026-11-22 14:00 UTC.",
        "Last divergence: bullish divergence: low 98.5 then 98.0, wave -70.0 then -57.0; knowable since 2026-11-22 "
        "15:00 UTC.",
    )


def test_the_last_mark_is_the_one_that_was_knowable_last(chart: Chart) -> None:
    (dot,) = chart["cipher"]["events"]
    later = {**dot, "name": "red_dot", "confirmed_time": dot["confirmed_time"] + 1}
    chart["cipher"]["events"] = [later, dot]
    assert any(fact.startswith("Last mark: red dot") for fact in facts(chart))


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ({"missing": "BTC/USDT has 5 closed 1h candles; this panel needs 60."}, "this panel needs 60."),
        ({"flat": [False, True]}, "has not moved for so long"),
    ],
)
def test_why_the_panel_is_empty_is_written_on_it_and_told(chart: Chart, part: Chart, why: str) -> None:
    chart["cipher"] |= part
    assert any(why in fact for fact in facts(chart))
    assert any(why in each["text"] for each in drawn(chart)["layout"]["annotations"])


def test_the_price_axis_names_no_price_between_two_ticks_of_the_market(chart: Chart) -> None:
    assert "dtick" not in drawn(chart)["layout"]["yaxis"]
    assert drawn({**chart, "tick_size": "2"})["layout"]["yaxis"]["dtick"] == 2


def test_one_flat_candle_still_draws(chart: Chart) -> None:
    flat = {name: [100.0] for name in ("open", "high", "low", "close", "volume")}
    values = ("wt1", "wt2", "vwap", "money_flow", "rsi", "stoch_k", "stoch_d", "stc")
    panel = {**chart["cipher"], **{name: [None] for name in values}, "divergences": []}
    single = {
        **chart,
        "candles": {**flat, "open_time": [chart["candles"]["open_time"][0]]},
        "cipher": {**panel, "events": []},
        "volume_profile": None,
        "vwap": None,
    }
    low, high = drawn(single)["layout"]["yaxis"]["range"]
    assert low < 100.0 < high


def test_the_drawing_is_valid_plotly_and_its_figure_adds_nothing(chart: Chart) -> None:
    parsed = drawn(chart)
    plain = json.loads(json.dumps(drawing(chart, dark=True)))
    del parsed["layout"]["template"]
    assert parsed == plain


def test_drawing_imports_neither_plotly_nor_pandas(chart: Chart) -> None:
    code = (
        f"import sys; from ui.charts import drawing; drawing({chart!r}, dark=True);"
        "sys.exit(bool({'plotly', 'pandas', 'numpy'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
