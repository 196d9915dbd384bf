"""The panel against values that two independent implementations agreed on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engines.cipher import EVENT_NAMES, VUMANCHU_B, compute_panel
from engines.domain.candles import CandleFrame

Table = dict[str, list[str]]
TOLERANCES = {
    "wt1": 1e-11,
    "wt2": 1e-10,
    "vwap": 1e-10,
    "money_flow": 1e-10,
    "rsi": 1e-11,
    "stoch_k": 1e-9,
    "stoch_d": 1e-9,
    "stc": 1e-8,
}
EVENTS = EVENT_NAMES[: EVENT_NAMES.index("sommi_bull")]
EDGES = ("flat", "rising", "falling", "flat_then_walk", "walk_flat8_walk", "walk_no_wicks")


def assert_equals_golden(candles: CandleFrame, expected: Table) -> None:
    panel = compute_panel(candles)
    for name, tolerance in TOLERANCES.items():
        golden = np.array(expected[name], dtype=float)
        values = panel.values[name]
        assert np.array_equal(np.isnan(values), np.isnan(golden)), f"{name} is undefined elsewhere"
        if not np.isnan(golden).all():
            assert np.nanmax(np.abs(values - golden)) <= tolerance, name
    for name in EVENTS:
        golden_rows = np.flatnonzero(np.array(expected[name]) == "1")
        assert np.flatnonzero(panel.flags(name)).tolist() == golden_rows.tolist(), name
    for name in EVENTS:
        for suffix, rows in zip(("pivot_index", "prev_pivot_index"), panel.pivots(name), strict=True):
            if f"{name}_{suffix}" in expected:
                golden = np.nan_to_num(np.array(expected[f"{name}_{suffix}"], dtype=float), nan=-1)
                assert rows.tolist() == golden.tolist(), f"{name}_{suffix}"


def test_panel_of_real_hours_equals_the_golden_values(
    btc_hourly: CandleFrame, shared: Path, table: Callable[[Path], Table]
) -> None:
    assert_equals_golden(btc_hourly, table(shared / "golden" / "cipher_b.btcusd-1h.csv.gz"))


@pytest.mark.parametrize("name", EDGES)
def test_panel_of_an_edge_series_equals_the_golden_values(
    name: str, edge_series: dict[str, tuple[CandleFrame, Table]]
) -> None:
    assert_equals_golden(*edge_series[name])


def test_every_edge_series_is_tested(edge_series: dict[str, tuple[CandleFrame, Table]]) -> None:
    assert sorted(edge_series) == sorted(EDGES)


def test_full_window_warm_up_starts_later_and_is_the_same_from_there(btc_hourly: CandleFrame) -> None:
    early = compute_panel(btc_hourly)
    full = compute_panel(btc_hourly, replace(VUMANCHU_B, name="full window", pine_warmup=False))
    first = [int(np.flatnonzero(~np.isnan(panel.stoch_k))[0]) for panel in (early, full)]
    first_d = [int(np.flatnonzero(~np.isnan(panel.stoch_d))[0]) for panel in (early, full)]
    assert (first, first_d) == ([17, 29], [19, 31])
    assert np.allclose(full.stoch_k[29:], early.stoch_k[29:], rtol=0, atol=1e-9)
    assert np.allclose(full.stoch_d[31:], early.stoch_d[31:], rtol=0, atol=1e-9)
