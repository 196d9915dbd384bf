"""Candles for the panel's tests: golden, real, exported and random ones."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.domain.candles import CandleFrame

Floats = NDArray[np.float64]
Table = dict[str, list[str]]
HOUR_MS = 3_600_000


def read_table(path: Path) -> Table:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


def make_frame(open_: Floats, high: Floats, low: Floats, close: Floats, volume: Floats | None = None) -> CandleFrame:
    return CandleFrame(
        symbol="BTC/USD",
        timeframe="1h",
        market="files",
        simulated=False,
        open_time=np.arange(len(close), dtype=np.int64) * HOUR_MS,
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=np.ones(len(close)) if volume is None else volume,
    )


def frame_of(table: Table) -> CandleFrame:
    return make_frame(*(np.array(table[name], dtype=float) for name in ("open", "high", "low", "close")))


@pytest.fixture(scope="session")
def table() -> Callable[[Path], Table]:
    return read_table


@pytest.fixture(scope="session")
def edge_series() -> dict[str, tuple[CandleFrame, Table]]:
    """The hand-made series of the golden edge file, each with its expected columns."""
    whole = read_table(Path(__file__).parents[2] / "golden" / "cipher_b.edge.csv.gz")
    names = np.array(whole["series"])
    series = {}
    for name in dict.fromkeys(whole["series"]):
        part = {column: list(np.array(cells)[names == name]) for column, cells in whole.items()}
        series[name] = (frame_of(part), part)
    return series


@pytest.fixture(scope="session")
def btc_hourly(shared: Path) -> CandleFrame:
    """Real BTC/USD hours, 6,000 of them."""
    cells = read_table(shared / "data" / "btcusd-1h.csv.gz")
    return frame_of({name: column[:6000] for name, column in cells.items()})


@pytest.fixture(scope="session")
def random_frame() -> Callable[..., CandleFrame]:
    """Candles of a random walk; `still` of them in the middle do not move at all."""

    def build(seed: int, count: int = 700, still: int = 0) -> CandleFrame:
        random = np.random.default_rng(seed)
        steps = random.normal(0.0, 0.004, count)
        steps[count // 2 : count // 2 + still] = 0.0
        close = np.round(30_000 * np.exp(np.cumsum(steps)), 2)
        open_ = np.concatenate(([30_000.0], close[:-1]))
        wick = np.where(steps == 0.0, 0.0, random.uniform(0.0, 40.0, count))
        return make_frame(
            open_, np.maximum(open_, close) + wick, np.minimum(open_, close) - wick, close, random.uniform(0, 9, count)
        )

    return build
