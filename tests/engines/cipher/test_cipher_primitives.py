"""The primitives against values exported from TradingView, and against their laws."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.cipher import primitives
from engines.cipher.logarithm import log_pass
from engines.cipher.windows import mean_state, range_state

Floats = NDArray[np.float64]
Table = dict[str, list[str]]
NAN = float("nan")


def column(cells: Table, name: str) -> Floats:
    return np.array(cells[name], dtype=float)


def ema(x: Floats, length: int) -> Floats:
    result = np.empty(len(x))
    primitives.ema_pass(x, np.zeros(2), length, result)
    return result


def rma(x: Floats, length: int) -> Floats:
    def values() -> Iterator[float]:
        state = (0, 0.0)
        for value in x:
            result, state = primitives.rma_step(float(value), state, length)
            yield result

    return np.array(list(values()))


def sma(x: Floats, length: int) -> Floats:
    result = np.empty(len(x))
    primitives.mean_pass(x, mean_state(length), length, result)
    return result


def rsi(x: Floats, length: int) -> Floats:
    gain, loss, result = np.empty(len(x)), np.empty(len(x)), np.empty(len(x))
    primitives.change_pass(x, np.nan, gain, loss)
    primitives.wilder_pass(gain, loss, np.zeros(3), length)
    primitives.strength_pass(gain, loss, x, result)
    return result


def extremes(x: Floats, length: int) -> tuple[Floats, Floats]:
    highest, lowest = np.empty(len(x)), np.empty(len(x))
    primitives.range_pass(x, range_state(length), length, length - 1, highest, lowest)
    return highest, lowest


def stoch(x: Floats, high: Floats, low: Floats, length: int) -> Floats:
    result = np.empty(len(x))
    primitives.stoch_pass(x, extremes(high, length)[0], extremes(low, length)[1], result)
    return result


def cross(difference: Floats) -> list[int]:
    fired, side = [], 0
    for t, value in enumerate(difference):
        crossed, side = primitives.cross_step(float(value), side)
        if crossed:
            fired.append(t)
    return fired


def assert_same(values: Floats, exported: Floats, *, relative: float) -> None:
    assert np.array_equal(np.isnan(values), np.isnan(exported))
    defined = ~np.isnan(exported)
    assert defined.sum() > 50
    assert np.max(np.abs(values[defined] / exported[defined] - 1.0)) <= relative


def test_rsi_and_stoch_equal_the_exported_values_bit_for_bit(shared: Path, table: Callable[[Path], Table]) -> None:
    cells = table(shared / "data" / "tradingview" / "mfi+rsi+stoch.csv")
    close, high, low = (column(cells, name) for name in ("close", "high", "low"))
    assert np.array_equal(rsi(close, 14), column(cells, "ta.rsi(close, 14)"), equal_nan=True)
    exported = column(cells, "ta.stoch(close, high, low, 20)")
    assert np.array_equal(stoch(close, high, low, 20), exported, equal_nan=True)


@pytest.mark.parametrize(
    ("name", "average", "length", "source"),
    [
        ("ta.ema(close, 20)", ema, 20, "close"),
        ("ta.ema(ohlc4, 10)", ema, 10, "ohlc4"),
        ("ta.sma(close, 10)", sma, 10, "close"),
        ("ta.sma(hlc3, 15)", sma, 15, "hlc3"),
        ("ta.rma(high, 15)", rma, 15, "high"),
    ],
)
def test_averages_equal_the_exported_values_to_the_last_digits(
    name: str,
    average: Callable[[Floats, int], Floats],
    length: int,
    source: str,
    shared: Path,
    table: Callable[[Path], Table],
) -> None:
    cells = table(shared / "data" / "tradingview" / "ma.csv")
    open_, high, low, close = (column(cells, part) for part in ("open", "high", "low", "close"))
    sources = {
        "close": close,
        "high": high,
        "hlc3": (high + low + close) / 3,
        "ohlc4": (open_ + high + low + close) / 4,
    }
    assert_same(average(sources[source], length), column(cells, name), relative=1.5e-15)


def test_cross_fires_where_the_exported_one_does(shared: Path, table: Callable[[Path], Table]) -> None:
    cells = table(shared / "data" / "tradingview" / "cross.csv")
    exported = np.flatnonzero(column(cells, "ta.cross(ema1, ema2)")).tolist()
    close = column(cells, "close")
    # The export does not tell the two lengths; 5 and 11 on the close are the only pair below 80 with these crosses.
    assert len(exported) == 10
    assert cross(ema(close, 5) - ema(close, 11)) == exported


def test_cross_needs_a_clear_side_first_and_survives_an_equality_run() -> None:
    assert cross(np.array([0.0, 0.0, 1.0, 1.0])) == []
    assert cross(np.array([1.0, 0.0, 0.0, -1.0])) == [3]
    assert cross(np.array([1.0, 0.0, 5e-11, 1.0])) == []
    assert cross(np.array([-1.0, NAN, NAN, 2.0])) == [3]


def test_averages_skip_undefined_values_and_the_simple_one_repeats_itself() -> None:
    x = np.array([1.0, 2.0, NAN, 3.0, 4.0, NAN, 5.0])
    compact = x[~np.isnan(x)]
    for average in (ema, rma):
        skipping = average(x, 2)
        assert np.isnan(skipping[[2, 5]]).all()
        assert np.array_equal(skipping[~np.isnan(x)], average(compact, 2), equal_nan=True)
    assert sma(x, 2).tolist()[1:] == [1.5, 1.5, 2.5, 3.5, 3.5, 4.5]


def test_an_average_over_one_value_is_that_value() -> None:
    x = np.array([0.1, 0.7, 1e9, 0.3])
    assert ema(x, 1).tolist() == rma(x, 1).tolist() == sma(x, 1).tolist() == x.tolist()


def test_a_spike_leaves_no_error_in_a_simple_average() -> None:
    x = np.sin(np.arange(2_000.0))
    spiked = x.copy()
    spiked[100] = 1e12
    assert np.max(np.abs(sma(spiked, 60)[220:] - sma(x, 60)[220:])) < 1e-14


def test_a_logarithm_is_the_librarys_to_one_unit_in_the_last_place_whether_alone_or_among_many() -> None:
    random = np.random.default_rng(4)
    x = np.concatenate([np.exp(random.uniform(-300, 300, 2_000)), 1 + random.uniform(-1e-3, 1e-3, 2_000)])
    together, alone, scratch = x.copy(), x.copy(), np.empty(len(x))
    log_pass(together, together.view(np.uint64), scratch, scratch.view(np.uint64))
    for t in range(len(x)):
        one, other = alone[t : t + 1], scratch[t : t + 1]
        log_pass(one, one.view(np.uint64), other, other.view(np.uint64))
    assert np.array_equal(together, alone)
    assert np.max(np.abs(together - np.log(x)) / np.spacing(np.abs(np.log(x)))) <= 1


def test_stoch_is_undefined_without_a_range_and_where_the_range_is_rounding_noise() -> None:
    still = np.full(40, 55.0)
    noisy = still + np.where(np.arange(40) % 2 == 0, 7e-15, 0.0)
    assert np.isnan(stoch(still, still, still, 14)).all()
    assert np.isnan(stoch(noisy, noisy, noisy, 14)).all()
