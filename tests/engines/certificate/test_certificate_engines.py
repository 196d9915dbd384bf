"""Every output of this desk's engines passes the certificate, and the form of diamonds that leaks does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from engines.certificate import certify
from engines.certificate.outputs import cipher_outputs, cipher_settling, profile_outputs, session_outputs
from engines.cipher import PRESETS, VUMANCHU_B
from engines.cipher.layout import EVENT_NAMES, VALUE_COLUMNS
from engines.cipher.params import VUMANCHU_A
from engines.domain.candles import CandleFrame
from engines.domain.timeframe import Timeframe
from engines.errors import InvalidRequest

Walk = Callable[..., CandleFrame]
LEAKING = {"sommi_bull_diamond", "sommi_bear_diamond"}


@pytest.mark.parametrize("name", [name for name, params in PRESETS.items() if not params.repaints])
def test_every_output_of_every_preset_is_final_at_its_close(name: str, walk: Walk) -> None:
    candles = walk(seed=4, count=2_400)
    params = PRESETS[name]
    certificate = certify(cipher_outputs(params), candles, settles=cipher_settling(params, "1h"))
    assert certificate.passed, [str(failure) for failure in certificate.failures]
    assert certificate.cuts == 200


def test_every_value_event_and_pivot_of_the_panel_is_certified(walk: Walk) -> None:
    outputs = certify(cipher_outputs(), walk(count=300), cuts=2).outputs
    assert set(outputs) >= {*VALUE_COLUMNS, *EVENT_NAMES, "wt_bull_div_pivot_index", "gold_dot_prev_pivot_index"}
    assert {"sommi_bull_rests_on", "htf_vwap_rests_on"} <= set(outputs)


def test_the_rows_compared_hold_events_of_nearly_every_kind(walk: Walk) -> None:
    found = cipher_outputs()(walk(seed=4, count=2_400))
    silent = {name for name in EVENT_NAMES if not found[name].any()}
    assert silent <= {"gold_dot", "stoch_hidden_bear_div_zero_truthy"}


@pytest.mark.parametrize("timeframe", ["5m", "4h", "1d"])
def test_other_timeframes_pass_as_well(timeframe: Timeframe, walk: Walk) -> None:
    candles = walk(seed=2, count=900, timeframe=timeframe)
    for compute, settles in (
        (cipher_outputs(), cipher_settling(VUMANCHU_B, timeframe)),
        (cipher_outputs(VUMANCHU_A), cipher_settling(VUMANCHU_A, timeframe)),
        (profile_outputs(), None),
        (session_outputs(), None),
    ):
        certificate = certify(compute, candles, cuts=40, settles=settles)
        assert certificate.passed, [str(failure) for failure in certificate.failures]


def test_levels_of_developing_profiles_averages_and_days_are_known_when_they_are_told(walk: Walk) -> None:
    candles = walk(seed=6, count=1_000)
    for compute in (profile_outputs(), session_outputs()):
        certificate = certify(compute, candles)
        assert certificate.passed, [str(failure) for failure in certificate.failures]
    levels = session_outputs()(candles)
    for name in ("session_poc", "session_hvn", "session_tpo_poc", "session_tpo_vah"):
        assert np.isfinite(levels[name][96:]).all()
    assert len(np.unique(levels["session_lvn"][np.isfinite(levels["session_lvn"])])) > 5
    assert levels["naked_pocs"].max() >= 2
    assert np.isfinite(profile_outputs()(candles)["developing_poc"]).all()


def test_a_market_with_week_ends_and_silent_hours_passes(walk: Walk) -> None:
    whole = walk(seed=3, count=1_600)
    hours = whole.open_time // 3_600_000
    open_hours = np.flatnonzero((hours % 168 < 110) & (hours % 24 != 5))
    candles = replace(
        whole,
        open_time=whole.open_time[open_hours],
        open=whole.open[open_hours],
        high=whole.high[open_hours],
        low=whole.low[open_hours],
        close=whole.close[open_hours],
        volume=np.where(open_hours % 7 == 0, 0.0, whole.volume[open_hours]),
    )
    for compute in (cipher_outputs(), profile_outputs(), session_outputs()):
        certificate = certify(compute, candles, cuts=100)
        assert certificate.passed, [str(failure) for failure in certificate.failures]


def test_diamonds_that_see_the_forming_candle_fail_and_nothing_else_does(walk: Walk) -> None:
    leaking = replace(VUMANCHU_B, name="leaking", tv_parity=True)
    certificate = certify(cipher_outputs(leaking), walk(seed=4))
    changed = {verdict.output for verdict in certificate.verdicts if verdict.failed}
    assert changed >= LEAKING
    assert {name.removesuffix("_rests_on") for name in changed} <= LEAKING
    for name in LEAKING:
        verdict = certificate.verdict(name, "cut")
        assert verdict.failed > 0
        assert 1 <= verdict.reach <= 3
        assert certificate.verdict(name, "poison").failed > 0


def test_what_a_leaking_diamond_rests_on_lies_in_the_future(walk: Walk) -> None:
    leaking = replace(VUMANCHU_B, name="leaking", tv_parity=True)
    candles = walk(seed=4, count=600)
    assert (cipher_outputs(leaking)(candles)["sommi_bull_diamond_rests_on"] < -1).any()
    honest = cipher_outputs()(candles)
    for name in (*LEAKING, "sommi_bull", "htf_vwap", "macd_wt1_colour"):
        assert (honest[f"{name}_rests_on"] >= -1).all()


def test_days_cannot_be_certified_on_weeks(walk: Walk) -> None:
    with pytest.raises(InvalidRequest, match="1w candles are longer than a session"):
        certify(session_outputs(), walk(count=100, timeframe="1w"))
