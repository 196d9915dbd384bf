"""What the panes of a chart show beside the waves: marks, divergences, averages, nodes, and what can be hidden."""

from __future__ import annotations

from typing import Any

import pytest

from ui.charts import LAYERS, drawing, layers
from ui.charts.marks import SHAPES
from ui.charts.ribbon import LAYERS as RIBBON_LAYERS

Chart = dict[str, Any]
HOUR = 3_600_000
LABELS = [f"2026-11-22 {hour}:00" for hour in range(10, 15)]


def traces(chart: Chart, name: str, **options: Any) -> list[Chart]:
    return [trace for trace in drawing(chart, dark=True, **options)["data"] if trace["name"] == name]


def trace(chart: Chart, name: str, **options: Any) -> Chart:
    (found,) = traces(chart, name, **options)
    return found


def event(chart: Chart, name: str, row: int, **more: Any) -> Chart:
    time = chart["candles"]["open_time"][row]
    return {"name": name, "time": time, "confirmed_time": time + HOUR, **more}


def test_no_two_marks_share_a_shape() -> None:
    assert len({mark.symbol for mark in SHAPES.values()}) == len(SHAPES)


@pytest.mark.parametrize(
    ("name", "height"),
    [
        ("green_dot", -107),
        ("red_dot", 105),
        ("buy_div_dot", -106),
        ("sell_div_dot", 106),
        ("gold_dot", -106),
        ("sommi_bull", -108),
        ("sommi_bear", 108),
        ("sommi_bull_diamond", -108),
        ("sommi_bear_diamond", 108),
    ],
)
def test_each_mark_has_the_panels_own_height(chart: Chart, name: str, height: int) -> None:
    chart["cipher"]["events"] = [event(chart, name, 3)]
    assert trace(chart, name.replace("_", " "))["y"] == [height]


def test_a_divergence_dot_lies_at_its_pivot_and_was_knowable_two_candles_later(chart: Chart) -> None:
    pivot = chart["candles"]["open_time"][2]
    chart["cipher"]["events"] = [event(chart, "buy_div_dot", 4, pivot_time=pivot)]
    dot = trace(chart, "buy div dot")
    assert dot["x"] == [LABELS[2]]
    assert dot["customdata"] == ["2026-11-22 15:00"]


def test_a_divergence_of_the_second_range_alone_has_a_hollow_dot(chart: Chart) -> None:
    chart["cipher"]["events"] = [
        event(chart, "sell_div_dot", 3, second_range=False),
        event(chart, "sell_div_dot", 4, second_range=True),
    ]
    assert trace(chart, "sell div dot")["marker"]["symbol"] == ["square", "square-open"]


def test_a_divergence_joins_its_pivots_on_the_wave_and_on_the_price(chart: Chart) -> None:
    wave, price = traces(chart, "bull divergence")
    ends = ["2026-11-22 09:00", "2026-11-22 12:00"]
    assert (wave["x"], wave["y"], wave["yaxis"]) == (ends, [-70.0, -57.0], "y2")
    assert (price["x"], price["y"], price["yaxis"]) == (ends, [98.5, 98.0], "y")
    assert wave["customdata"][1] == (
        "bullish divergence: low 98.5 then 98.0, wave -70.0 then -57.0;<br>knowable since 2026-11-22 15:00 UTC"
    )


def test_hidden_divergences_are_dotted_and_hidden_until_they_are_asked_for(chart: Chart) -> None:
    chart["cipher"]["divergences"][0]["hidden"] = True
    wave, _ = traces(chart, "hidden bull divergence")
    assert (wave["line"]["dash"], wave["visible"]) == ("dot", "legendonly")
    asked = frozenset({"Hidden divergences"})
    assert all(each["visible"] is True for each in traces(chart, "hidden bull divergence", shown=asked))


def test_divergences_follow_what_the_preset_draws(chart: Chart) -> None:
    assert layers(drawing(chart, dark=True))["Divergences"] is True
    chart["cipher"]["drawn_divergences"] = []
    assert layers(drawing(chart, dark=True))["Divergences"] is False


def test_rsi_divergences_lie_on_the_rsi_alone(chart: Chart) -> None:
    chart["cipher"]["divergences"][0]["source"] = "rsi"
    assert trace(chart, "bull divergence")["yaxis"] == "y4"


def test_the_ribbon_is_solid_where_money_comes_in_and_hatched_where_it_goes_out(chart: Chart) -> None:
    (into, _), (out, _) = traces(chart, "money in"), traces(chart, "money out")
    assert (min(into["y"]), max(into["y"])) == (-99, -95)
    assert (into["x"][0], into["x"][2]) == ("2026-11-22 12:30", "2026-11-22 14:30")
    assert (out["x"][0], out["x"][2]) == ("2026-11-22 10:30", "2026-11-22 12:30")
    assert "fillpattern" not in into
    assert out["fillpattern"]["shape"] == "/"


def test_every_level_of_the_preset_is_a_line_of_the_wave_pane(chart: Chart) -> None:
    shapes = drawing(chart, dark=True)["layout"]["shapes"]
    assert {shape["y0"] for shape in shapes if shape["yref"] == "y2"} == {53, 60, 100, 0, -53, -60, -75}
    assert {shape["y0"] for shape in shapes if shape["yref"] == "y4"} == {30, 60}


def test_the_last_close_and_last_values_are_written_beside_their_panes(chart: Chart) -> None:
    texts = [annotation["text"] for annotation in drawing(chart, dark=True)["layout"]["annotations"]]
    assert "<b>104.0</b>" in texts
    assert any("wt1 -40.0" in text and "wt2 -48.0" in text for text in texts)
    assert any("RSI 55.0" in text and "Schaff 40.0" in text for text in texts)


def test_vwap_names_its_anchor_and_begins_anew_with_each_period(chart: Chart) -> None:
    average = trace(chart, "VWAP (day)")
    assert average["y"] == [101.3, 101.5, 100.9, None, 100.4, 102.8]
    assert average["x"] == [*LABELS[:3], None, *LABELS[3:]]
    assert average["customdata"][0] == "101.3"


def test_a_vwap_period_of_one_candle_is_a_dot(chart: Chart) -> None:
    assert trace(chart, "VWAP (day)")["mode"] == "lines"
    chart["vwap"]["starts"] = [chart["candles"]["open_time"][4]]
    assert trace(chart, "VWAP (day)")["mode"] == "lines+markers"


def test_only_the_naked_pocs_nearest_to_the_close_are_drawn(chart: Chart) -> None:
    (level,) = chart["volume_profile"]["naked_pocs"]
    chart["volume_profile"]["naked_pocs"] = [{**level, "price": 97.0 + step / 2} for step in range(20)]
    drawn = {price for price in trace(chart, "naked POCs")["y"] if price is not None}
    assert drawn == {102.5, 103.0, 103.5, 104.0, 104.5, 105.0}


def test_a_naked_poc_runs_from_its_sessions_end_to_the_edge(chart: Chart) -> None:
    level = trace(chart, "naked POCs")
    assert (level["x"], level["y"]) == ([LABELS[1], "2026-11-22 14:30"], [98.5, 98.5])
    assert level["customdata"][0] == "naked POC 98.5, of the session of 2026-11-21"


def test_names_of_naked_pocs_come_and_go_with_their_lines(chart: Chart) -> None:
    names, lines = trace(chart, "names of naked POCs"), trace(chart, "naked POCs")
    assert [text.strip() for text in names["text"]] == ["nPOC 98.5"]
    assert names["legendgroup"] == lines["legendgroup"] == "Naked POCs"


def test_nodes_of_high_and_low_volume_differ_in_shape_and_say_which_they_are(chart: Chart) -> None:
    high, low = trace(chart, "high volume node"), trace(chart, "low volume node")
    assert (high["marker"]["symbol"], high["x"]) == ("triangle-left", [60.0])
    assert (low["marker"]["symbol"], low["y"]) == ("triangle-left-open", [103.5])
    assert high["hovertemplate"].startswith("high volume node")
    assert low["hovertemplate"].startswith("low volume node")

    def key() -> str:
        texts = [each["text"] for each in drawing(chart, dark=True)["layout"]["annotations"]]
        return next(str(text) for text in texts if "VWAP" in text)

    assert "◀ HVN ◁ LVN" in key()
    chart["volume_profile"]["lvn"] = []
    assert "◀ HVN" in key()
    assert "LVN" not in key()


def test_every_layer_of_a_chart_is_one_that_can_be_asked_for_by_name(chart: Chart) -> None:
    (divergence,) = chart["cipher"]["divergences"]
    kinds = [(source, hidden) for source in ("wt", "rsi", "stoch") for hidden in (False, True)]
    chart["cipher"]["divergences"] = [{**divergence, "source": source, "hidden": hidden} for source, hidden in kinds]
    chart["cipher"]["events"] = [event(chart, name, 3) for name in SHAPES]
    assert tuple(layers(drawing(chart, dark=True))) == tuple(name for name in LAYERS if name not in RIBBON_LAYERS)


def test_schaff_and_developing_poc_are_there_but_hidden(chart: Chart) -> None:
    found = layers(drawing(chart, dark=True))
    assert (found["Schaff trend cycle"], found["Developing POC"], found["Stoch RSI"]) == (False, False, True)
    assert layers(drawing(chart, dark=True, shown=frozenset(["Schaff trend cycle"])))["Schaff trend cycle"] is True


def test_the_time_axis_leaves_out_stretches_without_candles(chart: Chart) -> None:
    times = chart["candles"]["open_time"]
    times[3:] = [time + 48 * HOUR for time in times[3:]]
    chart["cipher"]["events"] = []
    chart["vwap"] = None
    drawn = drawing(chart, dark=True)
    assert drawn["layout"]["xaxis"]["rangebreaks"] == [{"bounds": ["2026-11-22 13:00", "2026-11-24 13:00"]}]
    (wave,) = [each for each in drawn["data"] if each["name"] == "wt1"]
    assert wave["x"] == [*LABELS[:3], "2026-11-24 13:00", "2026-11-24 14:00"]


def test_a_narrow_page_shows_the_last_candles_first_and_fewer_words(chart: Chart) -> None:
    count = 200
    long = dict(chart, candles={name: [column[-1]] * count for name, column in chart["candles"].items()})
    long["candles"]["open_time"] = [chart["candles"]["open_time"][0] + row * HOUR for row in range(count)]
    long["cipher"] = {**chart["cipher"], **{name: [1.0] * count for name in ("wt1", "wt2", "money_flow", "rsi", "stc")}}
    long["cipher"] |= {name: [1.0] * count for name in ("vwap", "stoch_k", "stoch_d")}
    long |= {"vwap": None, "volume_profile": None}
    wide, narrow = drawing(long, dark=True)["layout"], drawing(long, dark=True, narrow=True)["layout"]
    assert wide["xaxis"]["range"][0] == "2026-11-22 09:30"
    assert narrow["xaxis"]["range"] == ["2026-11-26 23:30", wide["xaxis"]["range"][1]]
    words = [sum(len(each["text"]) for each in layout["annotations"]) for layout in (narrow, wide)]
    assert words[0] < words[1]
