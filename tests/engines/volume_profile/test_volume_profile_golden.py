"""The profile against values that two independent implementations agreed on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pytest

from engines.domain.candles import CandleFrame
from engines.errors import InsufficientData
from engines.volume_profile import (
    ProfileParams,
    composite_profile,
    compute_volume_profile,
    developing_profile,
    naked_pocs,
    session_profiles,
    whole_tick_rows,
)
from engines.volume_profile.naked import NakedMode

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
    assert [node.row for node in profile.hvn] == expected["hvn"]
    assert [node.row for node in profile.lvn] == expected["lvn"]
    columns = {"volume_by_row": "histogram", "up_by_row": "up", "down_by_row": "down", "delta_by_row": "delta"}
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


def test_sessions_and_their_composite_equal_the_golden_values(
    shared_golden: dict[str, Any], timed_frame: Build
) -> None:
    golden = shared_golden["sessions"]
    source, params = golden["input"], params_of(golden)
    candles = timed_frame(source)
    found = session_profiles(candles, params)
    assert len(found) == len(golden["sessions"]) == 3
    for session, expected in zip(found, golden["sessions"], strict=True):
        assert session.name == expected["session"]
        assert session.complete
        rows = (session.first_row + source["first_row"], session.last_row + source["first_row"])
        assert rows == (expected["first_row"], expected["last_row"])
        assert session.profile is not None
        assert_equals_golden(session.profile.candles, params, expected["expected"])
    parts = [session.profile.candles for session in found if session.profile is not None]
    composite = composite_profile(parts, params)
    assert len(composite.candles) == len(candles)
    assert_equals_golden(composite.candles, params, golden["composite_all_rows"])


def test_a_profile_that_still_develops_equals_the_golden_values(
    shared_golden: dict[str, Any], timed_frame: Build
) -> None:
    golden = shared_golden["sessions"]
    developing = developing_profile(timed_frame({**golden["input"], "row_count": 1440}), params_of(golden))
    assert len(golden["developing_first_session"]) == 5
    for expected in golden["developing_first_session"]:
        row = expected["after_bars"] - 1
        found = (developing.poc[row], developing.val[row], developing.vah[row])
        assert found == pytest.approx((expected["poc_price"], expected["val"], expected["vah"]), rel=1e-9, abs=0)
        candles = timed_frame({**golden["input"], "row_count": expected["after_bars"]})
        profile = compute_volume_profile(candles, params_of(golden))
        assert (profile.base, len(profile.volume_by_row)) == (expected["base"], expected["row_count"])
        assert profile.total_volume == pytest.approx(expected["total_volume"], rel=1e-12)


@pytest.mark.parametrize("mode", ["strict", "touch_or_gap"])
def test_naked_points_of_control_of_real_sessions_equal_the_golden_values(
    mode: NakedMode, shared_golden: dict[str, Any], timed_frame: Build
) -> None:
    golden = shared_golden["sessions"]
    candles = timed_frame(golden["input"])
    found = naked_pocs(candles, session_profiles(candles, params_of(golden)), mode)
    expected = golden[f"naked_poc_{mode}"]
    assert len(found) == len(expected) == 3
    for level, told in zip(found, expected, strict=True):
        assert level.session == told["session"]
        assert level.price == pytest.approx(told["price"], rel=1e-9)
        assert (level.naked, level.age_sessions) == (told["naked"], told["age_sessions"])
        row = None if level.tagged_row is None else level.tagged_row + golden["input"]["first_row"]
        assert row == told["tagged_row"]
        at = None if told["tagged_at"] is None else datetime.fromisoformat(told["tagged_at"])
        assert level.tagged_at == at


def test_numbers_of_rows_are_rounded_to_whole_ticks_as_the_golden_values_have_it(golden_small: dict[str, Any]) -> None:
    assert len(golden_small["tick_rows"]) == 6
    for case in golden_small["tick_rows"]:
        found = whole_tick_rows(case["range_ticks"], case["rows_requested"])
        assert found == (case["ticks_per_row"], case["rows"])
