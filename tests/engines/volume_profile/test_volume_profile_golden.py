"""The profile against values that two independent implementations agreed on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engines.domain.candles import CandleFrame
from engines.errors import InsufficientData
from engines.volume_profile import ProfileParams, compute_volume_profile

Build = Callable[[Any], CandleFrame]


def params_of(case: dict[str, Any]) -> ProfileParams:
    geometry = case["geometry"]
    return ProfileParams(
        rows=geometry.get("rows"),
        row_height=geometry.get("row_height"),
        value_area_fraction=case["value_area_fraction"],
    )


def assert_equals_golden(candles: CandleFrame, params: ProfileParams, expected: dict[str, Any]) -> None:
    profile = compute_volume_profile(candles, params)
    for name in ("poc_row", "val_row", "vah_row"):
        assert getattr(profile, name) == expected[name], name
    assert len(profile.volume_by_row) == expected["row_count"]
    prices = {"base": "base", "row_height": "row_height", "poc": "poc_price", "val": "val", "vah": "vah"}
    for name, golden_name in prices.items():
        assert getattr(profile, name) == pytest.approx(expected[golden_name], rel=1e-9, abs=0), name
    largest = max(expected["histogram"])
    columns = {"volume_by_row": "histogram", "up_by_row": "up", "down_by_row": "down"}
    for name, golden_name in columns.items():
        difference = np.abs(getattr(profile, name) - np.array(expected[golden_name]))
        assert np.max(difference) <= 1e-10 * largest, name
    assert profile.total_volume == pytest.approx(expected["total_volume"], rel=1e-12)


def test_profiles_of_hand_made_candles_equal_the_golden_values(
    golden_cases: list[dict[str, Any]], rows_frame: Build
) -> None:
    checked = 0
    for case in golden_cases:
        candles = rows_frame(case["input"]["candles"])
        if case["expected"]["poc_row"] is None:
            with pytest.raises(InsufficientData, match="has no volume in its"):
                compute_volume_profile(candles, params_of(case))
        else:
            assert_equals_golden(candles, params_of(case), case["expected"])
        checked += 1
    assert checked == 13


def test_profiles_of_real_candles_equal_the_golden_values(shared_golden: dict[str, Any], file_frame: Build) -> None:
    cases = [case for case in shared_golden["cases"] if "file" in case["input"]]
    assert len(cases) == 5
    for case in cases:
        assert_equals_golden(file_frame(case["input"]), params_of(case), case["expected"])


def test_session_and_composite_profiles_equal_the_golden_values(
    shared_golden: dict[str, Any], file_frame: Build
) -> None:
    golden = shared_golden["sessions"]
    source, params = golden["input"], params_of(golden)
    assert_equals_golden(file_frame(source), params, golden["composite_all_rows"])
    assert len(golden["sessions"]) == 3
    for session in golden["sessions"]:
        count = session["last_row"] - session["first_row"] + 1
        candles = file_frame({**source, "first_row": session["first_row"], "row_count": count})
        assert_equals_golden(candles, params, session["expected"])


def test_a_profile_that_still_develops_equals_the_golden_values(
    shared_golden: dict[str, Any], file_frame: Build
) -> None:
    golden = shared_golden["sessions"]
    for expected in golden["developing_first_session"]:
        candles = file_frame({**golden["input"], "row_count": expected["after_bars"]})
        profile = compute_volume_profile(candles, params_of(golden))
        assert profile.base == expected["base"]
        assert len(profile.volume_by_row) == expected["row_count"]
        levels = (profile.poc, profile.val, profile.vah)
        assert levels == pytest.approx((expected["poc_price"], expected["val"], expected["vah"]), rel=1e-9)
        assert profile.total_volume == pytest.approx(expected["total_volume"], rel=1e-12)
