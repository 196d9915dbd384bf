"""Settings are checked when they are given, and the presets are what their names promise."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from engines.cipher import PRESETS, VUMANCHU_A, VUMANCHU_B, CipherAParams, CipherParams, preset
from engines.errors import InvalidRequest

NONSENSE = {
    "int": (0, -3, 2.0, True, 10**9, "9", None),
    "float": (float("nan"), float("inf"), 1e7, True, "5", None),
    "bool": (1, "yes", None),
    "str": (5, None),
    "tuple[int, ...]": ((0, 1, 2, 3, 4, 5, 6, 7), (1.5,) * 8, (5, 11), None),
}


@pytest.mark.parametrize("kind", [CipherParams, CipherAParams])
def test_every_setting_is_checked_and_named_when_it_makes_no_sense(
    kind: type[CipherParams] | type[CipherAParams],
) -> None:
    for setting in fields(kind):
        for value in NONSENSE[str(setting.type)]:
            with pytest.raises(InvalidRequest, match=setting.name) as refused:
                kind(**{setting.name: value})  # type: ignore[arg-type]
            assert refused.value.remedy


@pytest.mark.parametrize("kind", [CipherParams, CipherAParams])
def test_every_setting_is_described(kind: type[CipherParams] | type[CipherAParams]) -> None:
    told = kind.__doc__ or ""
    assert [setting.name for setting in fields(kind) if setting.name not in told] == []


@pytest.mark.parametrize(
    "settings",
    [
        {"oversold": 60.0},
        {"rsi_oversold": 60.0},
        {"wt_divergence_bottom": 45.0},
        {"wt_divergence_2_top": -41.0},
        {"rsi_divergence_top": 30.0},
        {"stc_fast": 50},
        {"macd_slow": 28},
        {"money_flow_multiplier": 0.0},
        {"stc_factor": 0.0},
        {"stc_factor": 1.5},
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(InvalidRequest, match=next(iter(settings))):
        CipherParams(**settings)  # type: ignore[arg-type]


def test_presets_are_the_originals_and_their_forks() -> None:
    assert preset("vumanchu_b") is VUMANCHU_B
    assert preset("vumanchu_a") is VUMANCHU_A
    assert CipherParams(name="vumanchu_b") == VUMANCHU_B
    smoothed, wide = preset("mcb_fixed"), preset("wide_flow")
    assert isinstance(smoothed, CipherParams)
    assert isinstance(wide, CipherParams)
    assert (smoothed.heikin_ashi, smoothed.overbought, smoothed.overbought_2, smoothed.oversold_3) == (
        True,
        60.0,
        53.0,
        -100.0,
    )
    assert (wide.money_flow_multiplier, wide.gold_fall, wide.gold_rsi) == (250.0, -7.0, 25.0)
    assert all(name == params.name for name, params in PRESETS.items())
    assert [name for name, params in PRESETS.items() if params.repaints] == ["vumanchu_b_tv_parity"]
    with pytest.raises(InvalidRequest, match="'vumanchu_c' is not a preset") as refused:
        preset("vumanchu_c")
    assert "wide_flow" in refused.value.remedy


def test_settings_are_plain_json() -> None:
    for params in PRESETS.values():
        assert json.loads(json.dumps(params.to_plain())) == params.to_plain()
