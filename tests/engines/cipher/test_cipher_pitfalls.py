"""Markets that have fooled indicators: tiny prices, gaps, spikes, silence, noise; and laws that hold on all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.cipher import (
    CORE_COLUMNS,
    VUMANCHU_B,
    CipherParams,
    compute_cipher_a,
    compute_core,
    compute_panel,
    preset,
)
from engines.cipher.primitives import stoch_pass
from engines.domain.candles import CandleFrame
from engines.errors import InvalidRequest

Build = Callable[..., CandleFrame]
PRICES = ("open", "high", "low", "close")


def scaled(candles: CandleFrame, factor: float) -> CandleFrame:
    return replace(candles, **{name: getattr(candles, name) * factor for name in PRICES})


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), power=st.integers(-90, 60))
def test_prices_in_another_unit_make_the_same_panel(seed: int, power: int, random_frame: Build) -> None:
    candles = random_frame(seed, still=seed % 50)
    panel, other = compute_panel(candles), compute_panel(scaled(candles, 2.0**power))
    for name in ("wt1", "wt2", "vwap", "money_flow", "rsi", "htf_vwap"):
        assert panel.values[name].tobytes() == other.values[name].tobytes(), name
    # Logarithms and the tolerance of a range round differently.
    for name in ("stoch_k", "stoch_d", "stc"):
        moving = ~panel.flat & ~np.isnan(panel.values[name] + other.values[name])
        settled = np.flatnonzero(moving)[200:]
        assert np.median(np.abs(panel.values[name] - other.values[name])[settled]) < 1e-9, name
    names = [name for name in panel.event_names if not name.startswith("stoch")]
    assert panel.events(names=names) == other.events(names=names)


def test_rsi_of_tiny_prices_is_not_taken_for_a_still_market(random_frame: Build) -> None:
    candles = random_frame(8)
    tiny = compute_panel(scaled(candles, 1e-12))
    assert 5 < np.nanmin(tiny.rsi) < np.nanmax(tiny.rsi) < 95
    assert np.nanmax(np.abs(tiny.rsi - compute_panel(candles).rsi)) < 1e-6
    assert tiny.flags("wt_hidden_bull_div").any()


def test_gaps_in_time_move_no_value_and_are_not_filled(random_frame: Build) -> None:
    candles = random_frame(5)
    times = candles.open_time + np.where(np.arange(len(candles)) >= 300, 7 * 24 * 3_600_000, 0)
    whole, gapped = compute_panel(candles), compute_panel(replace(candles, open_time=times))
    for name in (*CORE_COLUMNS, "stc"):
        assert whole.values[name].tobytes() == gapped.values[name].tobytes(), name
    assert len(gapped.wt1) == len(candles)


def test_candles_without_volume_make_the_same_panel(random_frame: Build) -> None:
    candles = random_frame(3)
    silent = compute_panel(replace(candles, volume=np.zeros(len(candles))))
    assert silent.masks.tobytes() == compute_panel(candles).masks.tobytes()
    assert compute_core(candles).tobytes() == compute_core(replace(candles, volume=candles.volume * 1e9)).tobytes()


def test_a_spike_is_forgotten_by_every_window(random_frame: Build) -> None:
    candles = random_frame(7, count=4_000)
    spiked = replace(candles, high=candles.high.copy(), open=candles.open.copy())
    spiked.high[100] *= 1e9
    spiked.open[100] *= 1e9
    clean, dirty = compute_core(candles), compute_core(spiked)
    flow = CORE_COLUMNS.index("money_flow")
    assert np.max(np.abs(clean[flow, 220:] - dirty[flow, 220:])) < 1e-11
    assert np.max(np.abs(clean[:, -1_000:] - dirty[:, -1_000:])) < 1e-9


def test_a_market_that_only_rises_has_no_stoch_made_of_noise(random_frame: Build) -> None:
    candles = random_frame(1, count=400)
    close = 100.0 * 1.001 ** np.arange(400.0)
    open_ = np.concatenate((close[:1], close[:-1]))
    candles = replace(candles, open=open_, high=close, low=open_, close=close)
    panel = compute_panel(candles)
    assert (panel.rsi[14:] == 100.0).all()
    assert np.isnan(panel.stoch_k).all()
    assert not panel.flags("stoch_bear_div").any()


def test_a_place_over_a_hundred_by_rounding_is_shown_as_it_is() -> None:
    span = np.random.default_rng(1).uniform(1, 100, 100_000)
    over = span[100.0 * span / span > 100.0]
    assert len(over) > 0
    place = np.empty(len(over))
    stoch_pass(over, over, np.zeros(len(over)), place)
    assert place.min() == place.max() == 100.00000000000001


def test_candles_without_a_range_leave_the_money_flow_where_it_was(random_frame: Build) -> None:
    candles = random_frame(4)
    points = replace(candles, **{name: getattr(candles, name).copy() for name in PRICES})
    for name in PRICES:
        getattr(points, name)[300:305] = points.close[299]
    flow = compute_panel(points).money_flow
    assert (flow[300:305] == flow[299]).all()


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_core_alone_is_the_panels_columns_bit_for_bit(seed: int, random_frame: Build) -> None:
    candles = random_frame(seed, still=seed % 90)
    panel, out = compute_panel(candles), np.full((len(CORE_COLUMNS), len(candles)), -1.0)
    core, reused = compute_core(candles), compute_core(candles, out=out)
    assert core.tobytes() == reused.tobytes() == out.tobytes()
    assert np.shares_memory(reused, out)
    assert not reused.flags.writeable
    assert core.tobytes() == np.array([panel.values[name] for name in CORE_COLUMNS]).tobytes()


@pytest.mark.parametrize(
    "out",
    [
        np.empty((7, 5)),
        np.empty((7, 700), dtype=np.float32),
        np.empty((700, 7)).T,
        np.broadcast_to(np.zeros(700), (7, 700)),
    ],
)
def test_a_place_for_the_core_that_does_not_fit_is_refused(out: np.ndarray, random_frame: Build) -> None:
    with pytest.raises(InvalidRequest, match=r"out is .* of shape"):
        compute_core(random_frame(1), out=out)


def test_smoothed_candles_are_computed_as_if_they_were_given(random_frame: Build) -> None:
    candles = random_frame(6)
    close = (candles.open + candles.high + candles.low + candles.close) / 4.0
    open_ = np.empty(len(close))
    open_[0] = (candles.open[0] + candles.close[0]) / 2.0
    for t in range(1, len(close)):
        open_[t] = (open_[t - 1] + close[t - 1]) / 2.0
    high, low = np.maximum.reduce([candles.high, open_, close]), np.minimum.reduce([candles.low, open_, close])
    averaged = replace(candles, open=open_, high=high, low=low, close=close)
    fork = preset("mcb_fixed")
    assert isinstance(fork, CipherParams)
    ours, theirs = compute_panel(candles, fork), compute_panel(averaged, replace(fork, heikin_ashi=False))
    for name in (*CORE_COLUMNS, "stc"):
        assert ours.values[name].tobytes() == theirs.values[name].tobytes(), name
    names = [name for name in ours.event_names if "sommi" not in name]
    assert ours.events(names=names) == theirs.events(names=names)
    assert ours.events(names=names) != compute_panel(candles).events(names=names)


def test_columns_and_masks_cannot_be_written_to(random_frame: Build) -> None:
    for panel in (compute_panel(random_frame(1)), compute_cipher_a(random_frame(1))):
        arrays = [*panel.values.values(), panel.masks, panel.flat, panel.flags(panel.event_names[0])]
        assert not any(array.flags.writeable for array in arrays)
    assert compute_panel(random_frame(1)).params == VUMANCHU_B
