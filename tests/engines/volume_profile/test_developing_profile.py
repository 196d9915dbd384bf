"""Levels after every candle, as they were known then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from engines.domain.candles import CandleFrame
from engines.errors import InsufficientData, InvalidRequest
from engines.volume_profile import ProfileParams, compute_volume_profile, developing_profile

Build = Callable[..., CandleFrame]
SETTINGS = [
    ProfileParams(rows=None, row_height=0.5),
    ProfileParams(rows=None, row_height=0.5, tick_size=0.01, spread="ticks"),
    ProfileParams(rows=None, ticks_per_row=30, tick_size=0.01, value_area_fraction=0.5),
    ProfileParams(rows=None, row_height=0.5, spread="triangle"),
    ProfileParams(rows=None, row_height=0.5, spread="typical"),
    ProfileParams(rows=40),
    ProfileParams(rows=40, spread="close"),
    ProfileParams(rows=40, tick_size=0.01, tv_rows=True),
    ProfileParams(rows=40, tick_size=0.01, spread="ticks"),
    ProfileParams(rows=1),
]


@pytest.mark.parametrize("params", SETTINGS)
@pytest.mark.parametrize("seed", [2, 77])
def test_every_moment_equals_the_profile_of_the_candles_up_to_it(
    seed: int, params: ProfileParams, random_frame: Build
) -> None:
    candles = random_frame(seed, count=240)
    developing = developing_profile(candles, params)
    checked = 0
    for row in range(len(candles)):
        found = (developing.poc[row], developing.val[row], developing.vah[row])
        if not candles.volume[: row + 1].any():
            assert np.isnan(found).all()
            continue
        profile = compute_volume_profile(candles[: row + 1], params)
        assert found == (profile.poc, profile.val, profile.vah)
        checked += 1
    assert checked > 230


@pytest.mark.parametrize("params", SETTINGS)
def test_later_candles_change_nothing_before_them_whatever_they_hold(
    params: ProfileParams, random_frame: Build
) -> None:
    candles = random_frame(31, count=300)
    wild = random_frame(32, count=300, scale=7.0)
    whole = developing_profile(candles, params)
    for cut in range(1, 300, 13):
        early = developing_profile(candles[:cut], params)
        later = np.arange(300) >= cut
        mixed = {
            name: np.where(later, getattr(wild, name), getattr(candles, name))
            for name in ("open", "high", "low", "close", "volume")
        }
        poisoned = developing_profile(replace(candles, **mixed), params)
        for name in ("poc", "val", "vah"):
            assert getattr(early, name).tobytes() == getattr(whole, name)[:cut].tobytes()
            assert getattr(poisoned, name)[:cut].tobytes() == getattr(early, name).tobytes()


@pytest.mark.parametrize("params", SETTINGS)
def test_levels_wanted_after_some_candles_only_are_those_of_all(params: ProfileParams, random_frame: Build) -> None:
    candles = random_frame(5, count=200)
    whole = developing_profile(candles, params)
    for rows in (np.array([199]), np.array([0, 3, 3, 90]), np.arange(11, 200, 17), np.empty(0, dtype=np.int64)):
        some = developing_profile(candles, params, rows=rows)
        for name in ("poc", "val", "vah"):
            assert getattr(some, name)[rows].tobytes() == getattr(whole, name)[rows].tobytes()


def test_levels_are_undefined_until_something_is_traded(random_frame: Build) -> None:
    candles = random_frame(8)
    silent = replace(candles, volume=np.where(np.arange(120) < 10, 0.0, 1.0))
    developing = developing_profile(silent, ProfileParams(rows=None, row_height=0.5))
    assert np.isnan(developing.poc[:10]).all()
    assert np.isfinite(np.stack((developing.poc, developing.val, developing.vah))[:, 10:]).all()
    assert np.all(developing.val[10:] <= developing.poc[10:])
    assert np.all(developing.poc[10:] <= developing.vah[10:])


def test_results_cannot_be_written(random_frame: Build) -> None:
    developing = developing_profile(random_frame(8))
    with pytest.raises(ValueError, match="read-only"):
        developing.poc[0] = 1.0


def test_candles_that_cannot_be_and_none_at_all_are_refused(random_frame: Build) -> None:
    candles = random_frame(8)
    high = candles.high.copy()
    high[7] = 0.5
    with pytest.raises(InvalidRequest, match="row 7"):
        developing_profile(replace(candles, high=high))
    with pytest.raises(InsufficientData):
        developing_profile(candles[:0])
