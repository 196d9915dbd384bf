"""Cipher A against values that two independent implementations agreed on, and its symbols against their rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.cipher import VUMANCHU_A, VUMANCHU_B, CipherPanel, compute_cipher_a, compute_panel
from engines.domain.candles import CandleFrame
from engines.errors import InsufficientData, InvalidRequest

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Table = dict[str, list[str]]
Build = Callable[..., CandleFrame]
TOLERANCES = {f"ema{number}": 1e-11 for number in range(1, 9)} | {
    "wt1": 1e-11,
    "wt2": 1e-10,
    "rsi": 1e-11,
    "money_flow": 1e-10,
}


def before(x: Floats) -> Floats:
    return np.concatenate(([np.nan], x[:-1]))


def over(a: Floats, b: Floats) -> Flags:
    return (a > b) & (before(a) <= before(b))


def test_cipher_a_of_real_hours_equals_the_golden_values(
    btc_hourly: CandleFrame, shared: Path, table: Callable[[Path], Table]
) -> None:
    golden = table(shared / "golden" / "cipher_a.btcusd-1h.csv.gz")
    panel = compute_cipher_a(btc_hourly)
    assert (*panel.values, *panel.event_names) == tuple(golden)[1:]
    for name, tolerance in TOLERANCES.items():
        expected = np.array(golden[name], dtype=float)
        values = panel.values[name]
        assert np.array_equal(np.isnan(values), np.isnan(expected)), f"{name} is undefined elsewhere"
        assert np.nanmax(np.abs(values - expected)) <= tolerance, name
    for name in panel.event_names:
        rows = np.flatnonzero(np.array(golden[name]) == "1")
        assert len(rows) > 0
        assert np.flatnonzero(panel.flags(name)).tolist() == rows.tolist(), name


def test_the_ribbon_and_waves_are_averages_of_the_same_candles_as_in_cipher_b(btc_hourly: CandleFrame) -> None:
    own = compute_cipher_a(btc_hourly, replace(VUMANCHU_A, average_length=12))
    other = compute_panel(btc_hourly)
    for name in ("wt1", "wt2", "rsi"):
        assert np.array_equal(own.values[name], other.values[name], equal_nan=True), name
    shifted = own.values["money_flow"] - VUMANCHU_B.money_flow_shift
    assert np.array_equal(shifted, other.values["money_flow"], equal_nan=True)


def symbols(panel: CipherPanel) -> dict[str, Flags]:
    """Every symbol as the rules tell it, from the panel's values and its diamonds."""
    e1, e2, e3, e8 = (panel.values[name] for name in ("ema1", "ema2", "ema3", "ema8"))
    wt2, rsi = panel.values["wt2"], panel.values["rsi"]
    open_, close = panel.candles.open, panel.candles.close
    red, green = panel.flags("red_diamond"), panel.flags("green_diamond")
    red_x, green_x = over(e2, e1), over(e1, e2)
    top = green & (wt2 > 55) & (wt2 < 100)
    return {
        "long_circle": over(e2, e8),
        "short_circle": over(e8, e2),
        "red_x": red_x,
        "green_x": green_x,
        "blue_triangle_up": over(e2, e3),
        "blue_triangle_down": over(e3, e2),
        "yellow_x_up": red & (wt2 < 45) & (wt2 > -80) & (rsi > 15) & (rsi < 30),
        "yellow_x_down": top & (rsi < 70),
        "yellow_x_down_rsi_above_70": top & (rsi > 70) & (rsi < 85),
        "blood_diamond": red & red_x,
        "moon_diamond": green & green_x,
        "bull_candle": (open_ > e2) & (open_ > e8) & (before(close) > before(open_)) & (close > open_) & ~red & ~red_x,
        "bear_candle": (open_ < e2)
        & (open_ < e8)
        & (before(close) < before(open_))
        & (close < open_)
        & ~green
        & ~red_x,
        "ribbon_bullish": e8 < e2,
    }


@pytest.mark.parametrize("seed", range(6))
def test_every_symbol_is_as_the_rules_tell(seed: int, random_frame: Build) -> None:
    panel = compute_cipher_a(random_frame(seed, count=3_000))
    expected = symbols(panel)
    assert set(panel.event_names) == {*expected, "red_diamond", "green_diamond"}
    for name, flags in expected.items():
        assert np.array_equal(panel.flags(name), flags), name


def test_diamonds_are_the_crosses_of_the_waves(btc_hourly: CandleFrame) -> None:
    own = compute_cipher_a(btc_hourly, replace(VUMANCHU_A, average_length=12))
    other = compute_panel(btc_hourly)
    assert np.array_equal(own.flags("green_diamond"), other.flags("cross_up"))
    assert np.array_equal(own.flags("red_diamond"), other.flags("cross_down"))


def test_a_market_that_never_moved_shows_no_symbol(random_frame: Build) -> None:
    candles = random_frame(1, count=300)
    still = np.full(300, 64.0)
    panel = compute_cipher_a(replace(candles, open=still, high=still, low=still, close=still))
    assert panel.events() == ()
    assert panel.flat[-1]
    assert panel.values["rsi"][-1] == 100.0
    assert np.isnan(panel.values["wt1"]).all()
    assert (panel.values["ema8"][33:] == 64.0).all()


def test_too_few_candles_and_impossible_ones_are_refused(random_frame: Build) -> None:
    candles = random_frame(1)
    with pytest.raises(InsufficientData, match=r"59 closed 1h candles; .* needs 60"):
        compute_cipher_a(candles[:59])
    assert np.isfinite(compute_cipher_a(candles[:60]).values["money_flow"][-1])
    broken = candles.low.copy()
    broken[44] = 1e9
    with pytest.raises(InvalidRequest, match="row 44"):
        compute_cipher_a(replace(candles, low=broken))


@pytest.mark.parametrize("setting", [{"ribbon_lengths": (5, 11)}, {"ribbon_lengths": (5,) * 7 + (0,)}])
def test_a_ribbon_that_makes_no_sense_is_refused(setting: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(InvalidRequest, match="ribbon_lengths"):
        replace(VUMANCHU_A, **setting)  # type: ignore[arg-type]
