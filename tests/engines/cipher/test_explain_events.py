"""Every event is there exactly when its table of conditions says so, and every flip named really turns it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from engines.cipher import VUMANCHU_B, CipherParams, compute_panel
from engines.cipher.explain import conditions_of, explain_event, explainable_events, panel_of
from engines.cipher.explained import Explanation
from engines.cipher.params import VUMANCHU_A
from engines.domain.candles import CandleFrame
from engines.domain.timeframe import from_ms
from engines.errors import InsufficientData, InvalidRequest

Build = Callable[..., CandleFrame]
HOUR = timedelta(hours=1)
EVERY_SWITCH = replace(
    VUMANCHU_B,
    name="every switch",
    show_rsi_divergences=True,
    show_stoch_divergences=True,
    hidden_ignores_limits=False,
    pine_zero_falsy=False,
)
NO_DIVERGENCE = replace(VUMANCHU_B, name="none shown", show_wt_divergences=False)
HEIKIN_ASHI = replace(VUMANCHU_B, name="averaged", heikin_ashi=True, gold_rsi=60.0, oversold_3=-55.0)
SETTINGS = [VUMANCHU_B, EVERY_SWITCH, NO_DIVERGENCE, HEIKIN_ASHI, VUMANCHU_A]


def closes(candles: CandleFrame, row: int) -> datetime:
    return from_ms(int(candles.open_time[row])) + HOUR


def altered(candles: CandleFrame, row: int, name: str, price: float) -> CandleFrame:
    """The candles up to `row`, with one price of that one, or of the pivot's two before, changed."""
    known = candles[: row + 1]
    column = getattr(known, name.removeprefix("pivot_")).copy()
    column[row - 2 if name.startswith("pivot_") else row] = price
    changed: dict[str, Any] = {name.removeprefix("pivot_"): column}
    return replace(known, **changed)


def fires(candles: CandleFrame, explanation: Explanation, row: int, name: str, value: float) -> bool:
    """Whether the event is there with one input changed, by the whole panel."""
    params = VUMANCHU_A if explanation.event in explainable_events(VUMANCHU_A) else VUMANCHU_B
    if name.removeprefix("pivot_") in {"open", "high", "low", "close"}:
        return bool(panel_of(altered(candles, row, name, value), params).flags(explanation.event)[row])
    setting: dict[str, Any] = {name: value}
    return bool(panel_of(candles[: row + 1], replace(params, **setting)).flags(explanation.event)[row])


@pytest.mark.parametrize("params", SETTINGS, ids=lambda params: params.name)
def test_an_event_is_there_exactly_when_every_condition_passed(params: CipherParams, btc_hourly: CandleFrame) -> None:
    panel = panel_of(btc_hourly, params)
    random = np.random.default_rng(0)
    seen = 0
    for name in explainable_events(params):
        flags = panel.flags(name)
        rows = [*np.flatnonzero(flags)[:60].tolist(), *random.integers(0, len(flags), 60).tolist()]
        for row in rows:
            conditions = conditions_of(panel, name, row)
            assert all(condition.passed for condition in conditions) == flags[row], (name, row, conditions)
        seen += int(flags[rows].sum())
    assert seen > 400


def test_it_is_so_where_a_candle_is_smaller_than_the_tolerance_of_points(btc_hourly: CandleFrame) -> None:
    # Some coins cost a billionth; dividing by a power of two keeps every digit.
    names = ("open", "high", "low", "close")
    tiny: dict[str, Any] = {name: getattr(btc_hourly, name) / 2.0**44 for name in names}
    panel = compute_panel(replace(btc_hourly, **tiny))
    seen = 0
    for name in ("sommi_bull_diamond", "sommi_bear_diamond", "cross_up"):
        flags = panel.flags(name)
        for row in [*np.flatnonzero(flags)[:40].tolist(), *range(100, len(flags), 97)]:
            assert all(condition.passed for condition in conditions_of(panel, name, row)) == flags[row], (name, row)
            seen += int(flags[row])
    assert seen > 80


@pytest.mark.parametrize("seed", range(3))
def test_it_is_so_on_random_candles_with_still_ones_too(seed: int, random_frame: Build) -> None:
    panel = compute_panel(random_frame(seed, still=40))
    for name in explainable_events():
        for row in range(3, 700, 5):
            passed = all(condition.passed for condition in conditions_of(panel, name, row))
            assert passed == panel.flags(name)[row], (name, row)


def test_pivots_told_are_those_of_the_panel(btc_hourly: CandleFrame) -> None:
    candles = btc_hourly[:1500]
    panel = compute_panel(candles)
    for name in ("wt_bull_div2", "wt_bear_div", "rsi_bear_div", "stoch_hidden_bull_div"):
        pivots, previous = panel.pivots(name)
        row = int(np.flatnonzero(panel.flags(name))[-1])
        told = explain_event(candles, name, at=closes(candles, row))
        assert told.happened
        assert told.pivot_time == from_ms(int(candles.open_time[pivots[row]]))
        assert told.previous_pivot_time == from_ms(int(candles.open_time[previous[row]]))


@pytest.mark.parametrize("name", ["green_dot", "red_dot", "cross_up", "wt_bear_div", "buy_div_dot", "long_circle"])
def test_every_flip_turns_the_event_and_half_of_it_does_not(name: str, btc_hourly: CandleFrame) -> None:
    candles = btc_hourly[:900]
    params = VUMANCHU_A if name == "long_circle" else VUMANCHU_B
    panel = panel_of(candles, params)
    there = np.flatnonzero(panel.flags(name))[-3:].tolist()
    turned = 0
    for row in [*there, *(row - 1 for row in there), 777]:
        told = explain_event(candles, name, at=closes(candles, row))
        for flip in told.flips:
            turned += 1
            assert fires(candles, told, row, flip.input, flip.after) != told.happened, (row, flip)
            for share in (0.5, 0.9):
                nearer = flip.before + share * (flip.after - flip.before)
                assert fires(candles, told, row, flip.input, nearer) == told.happened, (row, flip, share)
    assert turned >= 3


def test_a_changed_price_is_still_one_of_a_candle_that_can_be(btc_hourly: CandleFrame) -> None:
    candles = btc_hourly[:900]
    for row in (640, 700, 777, 812):
        for flip in explain_event(candles, "cross_up", at=closes(candles, row)).flips:
            assert flip.is_price
            changed = altered(candles, row, flip.input, flip.after)
            assert changed.low[-1] <= min(changed.open[-1], changed.close[-1])
            assert changed.high[-1] >= max(changed.open[-1], changed.close[-1])


def test_no_smaller_change_of_a_price_turns_it_on_a_fine_grid(btc_hourly: CandleFrame) -> None:
    candles = btc_hourly[:900]
    row = int(np.flatnonzero(compute_panel(candles).flags("green_dot"))[-1])
    told = explain_event(candles, "green_dot", at=closes(candles, row))
    flip = told.flips[0]
    grid = flip.before + np.linspace(-1, 1, 401)[1:-1] * abs(flip.after - flip.before) * 0.999
    outside = {"close": (candles.low[row], candles.high[row])}.get(flip.input, (0.0, np.inf))
    for price in grid[(grid >= outside[0]) & (grid <= outside[1])]:
        if flip.input == "low" and price > min(candles.open[row], candles.close[row]):
            continue
        if flip.input == "high" and price < max(candles.open[row], candles.close[row]):
            continue
        assert fires(candles, told, row, flip.input, float(price)) == told.happened


def test_a_missing_green_dot_is_told_in_the_words_of_a_desk(btc_hourly: CandleFrame) -> None:
    panel = compute_panel(btc_hourly)
    missed = panel.flags("cross_up") & ~panel.flags("green_dot") & (panel.wt2 < -50) & (panel.wt2 > -53)
    row = int(np.flatnonzero(missed)[0])
    told = explain_event(btc_hourly, "green_dot", at=closes(btc_hourly, row))
    assert not told.happened
    assert [(each.name, each.passed) for each in told.conditions] == [
        ("crossed", True),
        ("direction", True),
        ("oversold", False),
        ("final", True),
    ]
    failed = told.missing[0]
    assert (failed.text, failed.operator, failed.threshold) == ("wt2 at or below -53", "<=", -53.0)
    assert failed.value == panel.wt2[row]
    setting = next(flip for flip in told.flips if not flip.is_price)
    assert (setting.input, setting.before) == ("oversold", -53.0)
    assert failed.value <= setting.after < failed.value + 0.01
    assert told.close_time == closes(btc_hourly, row)


def test_the_sentence_of_a_flip_says_which_price_how_far_which_way_and_what_then(btc_hourly: CandleFrame) -> None:
    told = [
        explain_event(btc_hourly[:900], "cross_up", at=closes(btc_hourly, row)).flip_words() for row in (640, 777, 812)
    ]
    for sentence in told:
        assert sentence.startswith(("With the close ", "With the low ", "With the high ", "No change of one price"))
        assert sentence.endswith(("it would have fired.", "it would not have fired.", "would have made it."))


def test_it_is_said_when_no_price_of_the_candle_would_have_turned_it(btc_hourly: CandleFrame) -> None:
    candles = btc_hourly[:900]
    panel = compute_panel(candles)
    row = int(np.flatnonzero(panel.wt2 > 40)[-1])
    told = explain_event(candles, "green_dot", at=closes(candles, row))
    assert not any(flip.is_price for flip in told.flips)
    assert told.flip_words().startswith("No change of one price of this candle would have made it.")


@pytest.mark.parametrize(("late", "earlier"), [(timedelta(0), 0), (-HOUR + timedelta(milliseconds=1), 0), (-HOUR, 1)])
def test_a_time_means_the_candle_that_it_lies_in_or_closes(
    late: timedelta, earlier: int, btc_hourly: CandleFrame
) -> None:
    candles = btc_hourly[:700]
    told = explain_event(candles, "cross_up", at=closes(candles, 600) + late)
    assert told.close_time == closes(candles, 600 - earlier)
    assert told.note == ""


def test_a_candle_that_is_not_closed_is_said_to_be_and_the_last_closed_one_explained(btc_hourly: CandleFrame) -> None:
    candles = btc_hourly[:700]
    told = explain_event(candles, "cross_up", at=closes(candles, 699) + timedelta(minutes=20))
    assert told.close_time == closes(candles, 699)
    assert "is not closed; this is the last closed one." in told.note
    plain = explain_event(candles, "cross_up")
    assert (plain.conditions, plain.note) == (told.conditions, "")


def test_what_came_after_the_candle_has_no_influence(btc_hourly: CandleFrame) -> None:
    for name in ("green_dot", "wt_bear_div2", "gold_dot"):
        at = closes(btc_hourly, 650)
        assert explain_event(btc_hourly[:700], name, at=at) == explain_event(btc_hourly[:651], name, at=at)


def test_a_time_before_the_candles_or_in_a_gap_is_refused_with_what_there_is(btc_hourly: CandleFrame) -> None:
    candles = btc_hourly[:700]
    gap = np.r_[0:600, 620:700]
    columns = ("open_time", "open", "high", "low", "close", "volume")
    rows: dict[str, Any] = {name: getattr(candles, name)[gap] for name in columns}
    broken = replace(candles, **rows)
    with pytest.raises(InvalidRequest, match=r"BTC/USD has no 1h candle at 1969-12-31 .* begin at 1970-01-01 00:00"):
        explain_event(candles, "cross_up", at=datetime(1969, 12, 31, tzinfo=UTC))
    with pytest.raises(InvalidRequest, match="has no 1h candle at 1970-01-26 06:00 UTC"):
        explain_event(broken, "cross_up", at=from_ms(606 * 3_600_000))


def test_too_few_candles_before_it_are_said(btc_hourly: CandleFrame) -> None:
    with pytest.raises(InsufficientData, match="BTC/USD has 31 closed 1h candles; this panel needs 60"):
        explain_event(btc_hourly, "cross_up", at=closes(btc_hourly, 30))


def test_an_unknown_event_is_answered_with_those_there_are(btc_hourly: CandleFrame) -> None:
    with pytest.raises(InvalidRequest, match=r"'purple_dot' is not an event .* green_dot.* blood_diamond"):
        explain_event(btc_hourly, "purple_dot")


def test_settings_that_repaint_are_not_explained(btc_hourly: CandleFrame) -> None:
    with pytest.raises(InvalidRequest, match="repaint"):
        explain_event(btc_hourly, "sommi_bull_diamond", params=replace(VUMANCHU_B, tv_parity=True))
