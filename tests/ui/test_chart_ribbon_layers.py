"""Cipher A on a chart: its ribbon behind the candles, and its symbols beside the candles they belong to."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from ui.chart_words import SYMBOLS, facts, title
from ui.charts import LAYERS, drawing, figure, layers
from ui.charts.ribbon import LAYERS as RIBBON_LAYERS
from ui.charts.ribbon import SHAPES

Chart = dict[str, Any]


@pytest.fixture
def ribboned(chart: Chart) -> Chart:
    """The same candles with the panel of Cipher A: the ribbon falls, and from the fourth candle on it rises."""
    averages = {f"ema{number}": [None, 102.0, 101.0, 99.0 - number / 10, 100.0] for number in range(1, 9)}
    averages |= {"ema2": [None, 101.0, 100.0, 101.0, 102.0], "ema8": [None, 102.0, 101.0, 100.0, 100.0]}
    panel = {name: chart["cipher"][name] for name in ("wt1", "wt2", "rsi", "money_flow", "missing")}
    levels = {"overbought": [55.0, 100.0], "oversold": [-80.0], "rsi": [30.0, 70.0]}
    chart["cipher"] = {
        **panel,
        **averages,
        "ribbon_bullish": [False, False, False, True, True],
        "ribbon_lengths": [5, 11, 15, 18, 21, 24, 28, 34],
        "flat": [False] * 5,
        "levels": levels,
        "events": [],
        "divergences": [],
        "drawn_divergences": [],
        "preset": "vumanchu_a",
    }
    return chart


def happen(chart: Chart, *names: str, row: int = 3) -> None:
    time = chart["candles"]["open_time"][row]
    chart["cipher"]["events"] += [
        {"name": name, "time": time, "confirmed_time": chart["candles"]["open_time"][row] + 3_600_000} for name in names
    ]


def trace(chart: Chart, name: str) -> Chart:
    (found,) = [trace for trace in drawing(chart, dark=True)["data"] if trace["name"] == name]
    return dict(found)


def test_the_drawing_is_valid_plotly(ribboned: Chart) -> None:
    happen(ribboned, *SHAPES)
    figure(ribboned, dark=True)
    figure(ribboned, dark=False, narrow=True)


def test_the_ribbon_is_a_band_for_each_direction_between_its_second_and_eighth_average(ribboned: Chart) -> None:
    falling, rising = trace(ribboned, "falling ribbon"), trace(ribboned, "rising ribbon")
    assert falling["y"] == [101.0, 100.0, 101.0, 102.0]
    # From the candle before its first one: where the averages cross.
    assert rising["y"] == [100.0, 101.0, 102.0, 100.0, 100.0, 101.0]
    assert falling["fillcolor"] != rising["fillcolor"]


def test_all_eight_averages_are_drawn_and_the_two_that_decide_are_told(ribboned: Chart) -> None:
    drawn = [trace for trace in drawing(ribboned, dark=True)["data"] if trace["name"].startswith("EMA ")]
    assert [each["name"] for each in drawn] == [f"EMA {length}" for length in (5, 11, 15, 18, 21, 24, 28, 34)]
    assert [each["name"] for each in drawn if "customdata" in each] == ["EMA 11", "EMA 34"]
    assert drawn[1]["customdata"][-1] == "102.0"
    assert drawn[1]["line"]["dash"] != drawn[7]["line"]["dash"]


def test_no_two_symbols_share_a_shape_and_each_has_words() -> None:
    assert len({symbol.shape for symbol in SHAPES.values()}) == len(SHAPES) == len(SYMBOLS)
    assert set(SHAPES) == set(SYMBOLS)


@pytest.mark.parametrize("name", SHAPES)
def test_a_symbol_lies_outside_its_candle_in_view_and_says_since_when_it_was_knowable(
    ribboned: Chart, name: str
) -> None:
    happen(ribboned, name)
    symbol, layout = trace(ribboned, name.replace("_", " ")), drawing(ribboned, dark=True)["layout"]
    low, high = layout["yaxis"]["range"]
    (place,) = symbol["y"]
    assert low < place < 97.0 if SHAPES[name].side == "below" else 101.0 < place < high
    assert symbol["x"] == ["2026-11-22 13:00"]
    assert symbol["customdata"] == ["2026-11-22 14:00"]


def test_symbols_of_one_candle_lie_one_beyond_the_other_and_all_of_them_in_view(ribboned: Chart) -> None:
    happen(ribboned, "red_x", "red_diamond", "short_circle", "blood_diamond", row=4)
    drawn = drawing(ribboned, dark=True)
    names = ("red x", "red diamond", "short circle", "blood diamond")
    places = [trace(ribboned, name)["y"][0] for name in names]
    assert places[0] > 105.0
    assert all(below < above for below, above in itertools.pairwise(places))
    assert places[-1] < drawn["layout"]["yaxis"]["range"][1]


def test_the_key_names_the_symbols_that_are_drawn_and_no_others(ribboned: Chart) -> None:
    happen(ribboned, "blood_diamond", "bull_candle")
    texts = [each["text"] for each in drawing(ribboned, dark=True)["layout"]["annotations"]]
    (key,) = [text for text in texts if "Ribbon" in text]
    assert "blood, moon" in key
    assert "yellow X" not in key
    assert "candle" not in key.split("<br>")[1]


def test_panes_have_no_trace_of_what_cipher_a_has_not(ribboned: Chart) -> None:
    names = {each["name"] for each in drawing(ribboned, dark=True)["data"]}
    assert not {"wt1 − wt2", "stoch K", "stoch D", "Schaff"} & names
    assert {"wt1", "wt2", "RSI", "money flow"} <= names


def test_every_layer_can_be_asked_for_by_name_and_bodies_are_hidden_at_first(ribboned: Chart) -> None:
    happen(ribboned, *SHAPES)
    found = layers(drawing(ribboned, dark=True))
    assert set(RIBBON_LAYERS) <= set(found) <= set(LAYERS)
    assert [name for name in RIBBON_LAYERS if not found[name]] == ["Bull and bear candles"]


def test_title_and_facts_tell_the_preset_the_ribbon_and_the_last_symbol(ribboned: Chart) -> None:
    happen(ribboned, "blood_diamond", "bull_candle")
    assert title(ribboned).endswith("<sup>as of 2026-11-22 15:00 UTC · preset vumanchu_a</sup>")
    said = facts(ribboned)
    assert "Wave trend -40.0 and -48.0, money flow 3.1, RSI 55.0." in said
    assert "The ribbon rises: EMA 11 at 102.0 is over EMA 34 at 100.0." in said
    assert (
        said[-1] == "Last mark: blood diamond: waves and ribbon turned down on one candle, knowable since 2026-11-22 "
        "14:00 UTC."
    )


def test_a_ribbon_that_is_not_there_yet_is_said_to_be_missing(ribboned: Chart) -> None:
    blank = {name: [None] * 5 for name in ribboned["cipher"] if name.startswith(("ema", "wt", "rsi", "money"))}
    ribboned["cipher"] |= {**blank, "ribbon_bullish": [None] * 5, "missing": "Cipher A needs 60 candles."}
    texts = [each["text"] for each in drawing(ribboned, dark=True)["layout"]["annotations"]]
    assert "Cipher A needs 60 candles." in texts
    assert "Cipher A needs 60 candles." in facts(ribboned)
