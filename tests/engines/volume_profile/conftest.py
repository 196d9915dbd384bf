"""Candles for the profile's tests."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.domain.candles import CandleFrame
from engines.domain.timeframe import to_ms

NAMES = ("open", "high", "low", "close", "volume")


def make_frame(columns: dict[str, NDArray[np.float64]]) -> CandleFrame:
    times = np.arange(len(columns["open"]), dtype=np.int64) * 60_000
    return CandleFrame("BTC/USD", "1m", "files", simulated=False, open_time=times, **columns)


@pytest.fixture(scope="session")
def rows_frame() -> Callable[[list[dict[str, float]]], CandleFrame]:
    """Candles out of rows as the golden file writes them."""

    def build(rows: list[dict[str, float]]) -> CandleFrame:
        return make_frame({name: np.array([row[name] for row in rows]) for name in NAMES})

    return build


@pytest.fixture(scope="session")
def file_frame(shared: Path) -> Callable[[dict[str, Any]], CandleFrame]:
    """Candles out of a part of a real file."""
    whole: dict[str, CandleFrame] = {}

    def build(source: dict[str, Any]) -> CandleFrame:
        name = source["file"]
        if name not in whole:
            with gzip.open(shared / "data" / name, "rt") as file:
                rows = list(csv.DictReader(file))
            whole[name] = make_frame({column: np.array([row[column] for row in rows], dtype=float) for column in NAMES})
        return whole[name][source["first_row"] : source["first_row"] + source["row_count"]]

    return build


@pytest.fixture(scope="session")
def golden_cases() -> list[dict[str, Any]]:
    """The golden cases that carry their own candles."""
    text = (Path(__file__).parents[2] / "golden" / "volume_profile.json").read_text()
    cases: list[dict[str, Any]] = json.loads(text)["cases"]
    return cases


@pytest.fixture(scope="session")
def shared_golden(shared: Path) -> dict[str, Any]:
    """The whole golden file."""
    whole: dict[str, Any] = json.loads((shared / "golden" / "volume_profile.json").read_text())
    return whole


@pytest.fixture(scope="session")
def random_frame() -> Callable[..., CandleFrame]:
    """Candles of a random walk."""

    def build(seed: int, count: int = 120, scale: float = 1.0, shift: float = 0.0) -> CandleFrame:
        random = np.random.default_rng(seed)
        close = 100 * np.exp(np.cumsum(random.normal(0.0, 0.01, count)))
        open_ = np.concatenate(([100.0], close[:-1]))
        wick = random.uniform(0.0, 0.5, count) * random.integers(0, 2, count)
        prices = {
            "open": open_,
            "high": np.maximum(open_, close) + wick,
            "low": np.minimum(open_, close) - wick,
            "close": close,
        }
        columns = {name: column * scale + shift for name, column in prices.items()}
        return make_frame({**columns, "volume": random.exponential(5.0, count) * random.integers(0, 3, count)})

    return build


@pytest.fixture(scope="session")
def golden_small() -> dict[str, Any]:
    """The part of the golden file that rests on no market file."""
    whole: dict[str, Any] = json.loads((Path(__file__).parents[2] / "golden" / "volume_profile.json").read_text())
    return whole


@pytest.fixture(scope="session")
def timed_frame(shared: Path) -> Callable[[dict[str, Any]], CandleFrame]:
    """Minute candles out of a part of a real file, at their own times."""

    def build(source: dict[str, Any]) -> CandleFrame:
        with gzip.open(shared / "data" / source["file"], "rt") as file:
            rows = list(csv.DictReader(file))[source["first_row"] : source["first_row"] + source["row_count"]]
        times = np.array([to_ms(datetime.fromisoformat(row["open_time"])) for row in rows], dtype=np.int64)
        columns = {column: np.array([row[column] for row in rows], dtype=float) for column in NAMES}
        return replace(make_frame(columns), open_time=times)

    return build


@pytest.fixture(scope="session")
def drawn_frame(rows_frame: Callable[[list[dict[str, float]]], CandleFrame]) -> Callable[..., CandleFrame]:
    """Candles out of whole ticks: low, span, open and close over the low (modulo span + 1), volume."""

    def build(drawn: list[tuple[int, int, int, int, int]], tick: float = 0.25) -> CandleFrame:
        rows = []
        for low, span, open_, close, volume in drawn:
            prices = {
                "low": low,
                "high": low + span,
                "open": low + open_ % (span + 1),
                "close": low + close % (span + 1),
            }
            rows.append({name: price * tick for name, price in prices.items()} | {"volume": float(volume)})
        return rows_frame(rows)

    return build
