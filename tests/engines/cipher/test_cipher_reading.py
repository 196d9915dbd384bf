"""What a panel says in words: weights within their bounds, events with both their times, warnings unweighed."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.cipher import CipherPanel, compute_panel
from engines.cipher.cipher_a import compute_cipher_a
from engines.cipher.reading import panel_values, read_panel
from engines.cipher.reading_events import turn_reasons
from engines.domain.candles import CandleFrame
from engines.domain.signals import Reason, Signal
from engines.domain.timeframe import from_ms

Build = Callable[..., CandleFrame]
HOUR = timedelta(hours=1)


def after(candles: CandleFrame, row: int) -> tuple[CipherPanel, Signal]:
    """The panel of the candles up to a row, and what it says."""
    panel = compute_panel(candles[: row + 1])
    return panel, read_panel(panel)


def reason(signal: Signal, name: str) -> Reason | None:
    return next((each for each in signal.reasons if each.name == name), None)


def last_row(candles: CandleFrame, *names: str) -> int:
    """The newest candle on which one of these events was confirmed, with room before it."""
    panel = compute_panel(candles)
    return max(int(np.flatnonzero(panel.flags(name))[-1]) for name in names)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 5_000), end=st.integers(80, 700))
def test_weights_stay_within_their_bounds_and_turns_within_a_dot(seed: int, end: int, random_frame: Build) -> None:
    candles = random_frame(seed)[:end]
    signal = read_panel(compute_panel(candles), cipher_a=compute_cipher_a(candles))
    assert -0.8 <= signal.strength <= 0.8
    turns = [each.weight for each in signal.reasons if each.name in {"dot", "divergence", "sommi", "blood_diamond"}]
    assert abs(sum(turns)) <= 0.25 + 1e-12
    assert [abs(each.weight) for each in signal.reasons] == sorted(
        (abs(each.weight) for each in signal.reasons), reverse=True
    )
    for each in signal.reasons:
        assert "{" not in each.spoken()


def test_a_divergence_is_told_with_both_pivots_and_when_it_became_knowable(btc_hourly: CandleFrame) -> None:
    row = last_row(btc_hourly, "wt_bear_div")
    panel, signal = after(btc_hourly, row)
    event = panel.last_event("wt_bear_div")
    found = reason(signal, "divergence")
    assert event is not None
    assert found is not None
    assert found.values["divergence_time"].value == (from_ms(int(btc_hourly.open_time[row])) + HOUR).isoformat()
    assert found.values["divergence_pivot_time"].value == from_ms(int(btc_hourly.open_time[row - 2])).isoformat()
    assert event.previous_pivot_index is not None
    earlier = from_ms(int(btc_hourly.open_time[event.previous_pivot_index]))
    assert found.values["divergence_previous_time"].value == earlier.isoformat()
    assert found.text.startswith("bearish divergence: a higher high in price")
    assert found.values["divergence_level"].value == btc_hourly.high[row - 2]
    assert found.turns == "a close over {divergence_level}"


def test_a_divergence_is_not_told_before_the_candle_that_confirms_it(btc_hourly: CandleFrame) -> None:
    row = last_row(btc_hourly, "wt_bear_div")
    _, before = after(btc_hourly, row - 1)
    told = reason(before, "divergence")
    assert (
        told is None
        or told.values["divergence_pivot_time"].value != from_ms(int(btc_hourly.open_time[row - 2])).isoformat()
    )


def test_an_event_counts_for_twelve_candles_and_no_longer(btc_hourly: CandleFrame) -> None:
    panel = compute_panel(btc_hourly)
    confirmed = np.flatnonzero(
        panel.flags("wt_bull_div")
        | panel.flags("wt_bear_div")
        | panel.flags("wt_bull_div2")
        | panel.flags("wt_bear_div2")
    )
    row = int(next(a for a, b in itertools.pairwise(confirmed) if a > 600 and b - a > 20))
    assert reason(after(btc_hourly, row + 12)[1], "divergence") is not None
    assert reason(after(btc_hourly, row + 13)[1], "divergence") is None


def test_a_gold_dot_is_a_warning_without_weight_and_takes_it_from_its_divergence(btc_hourly: CandleFrame) -> None:
    row = last_row(btc_hourly, "gold_dot")
    _, signal = after(btc_hourly, row)
    gold, divergence = reason(signal, "gold"), reason(signal, "divergence")
    assert gold is not None
    assert divergence is not None
    assert (gold.weight, divergence.weight) == (0.0, 0.0)
    assert gold.spoken().startswith("gold dot on this candle, a warning")


def test_a_divergence_against_a_dot_takes_from_it_and_one_with_it_adds_nothing(btc_hourly: CandleFrame) -> None:
    panel, _ = after(btc_hourly, last_row(btc_hourly, "wt_bear_div"))
    weights = {}
    for dot in (0.25, -0.25, None):
        given = None if dot is None else Reason("dot", dot, "", {})
        told = turn_reasons(panel, given, None)
        weights[dot] = next(each.weight for each in told if each.name == "divergence")
    assert weights == {0.25: -0.15, -0.25: 0.0, None: -0.15}


def test_the_schaff_cycle_is_told_at_the_ends_of_its_range_only(btc_hourly: CandleFrame) -> None:
    panel = compute_panel(btc_hourly)
    for low, high, words in ((0.0, 25.0, "bottom"), (75.0, 101.0, "top"), (30.0, 70.0, "")):
        row = int(np.flatnonzero((panel.stc >= low) & (panel.stc <= high))[-1])
        found = reason(after(btc_hourly, row)[1], "schaff")
        assert (found is not None) == bool(words)
        if found is not None:
            assert found.weight == 0.0
            assert words in found.text


def test_a_blood_diamond_is_read_only_where_cipher_a_is_given(btc_hourly: CandleFrame) -> None:
    diamonds = np.flatnonzero(compute_cipher_a(btc_hourly).flags("blood_diamond"))
    row = int(diamonds[-1])
    candles = btc_hourly[: row + 1]
    panel = compute_panel(candles)
    found = reason(read_panel(panel, cipher_a=compute_cipher_a(candles)), "blood_diamond")
    assert found is not None
    assert found.weight <= 0.0
    assert found.turns == "a moon diamond"
    assert reason(read_panel(panel), "blood_diamond") is None


def test_a_sommi_symbol_is_told_with_what_would_end_it(btc_hourly: CandleFrame) -> None:
    row = last_row(btc_hourly, "sommi_bear")
    found = reason(after(btc_hourly, row)[1], "sommi")
    assert found is not None
    assert found.spoken().startswith("bearish Sommi")
    assert found.turns.startswith("a bullish Sommi")


def test_values_hold_every_column_of_the_chart_with_its_words(btc_hourly: CandleFrame) -> None:
    values = panel_values(compute_panel(btc_hourly))
    assert list(values) == ["wt1", "wt2", "vwap", "money_flow", "rsi", "stoch_k", "stoch_d", "stc"]
    assert values["stc"].label == "Schaff trend cycle"


def test_a_market_that_does_not_move_is_said_to_be_flat(random_frame: Build) -> None:
    signal = read_panel(compute_panel(random_frame(1, count=900, still=300)[:700]))
    assert signal.reasons == ()
    assert "has not moved for so long" in signal.caveat
