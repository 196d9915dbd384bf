"""A store on each database, and files of candles to import into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from engines.domain.candles import CandleFrame
from engines.domain.clock import ManualClock
from engines.domain.timeframe import Timeframe, duration_ms, to_ms
from engines.market.store import CandleStore
from engines.storage.database import open_database

START = datetime(2024, 1, 1, tzinfo=UTC)
MakeCandles = Callable[..., CandleFrame]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 20, 9, 41, 17, tzinfo=UTC))


@pytest.fixture
def store(database_url: str, tmp_path: Path) -> Iterator[CandleStore]:
    """An empty store, on SQLite and on PostgreSQL in turn."""
    engine = open_database("candles", home=tmp_path / "home", url=database_url)
    yield CandleStore(engine)
    engine.dispose()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[CandleStore]:
    engine = open_database("candles", home=tmp_path / "home")
    yield CandleStore(engine)
    engine.dispose()


@pytest.fixture
def make_candles() -> MakeCandles:
    """Makes n candles of a random walk in cents, the same for the same arguments."""

    def make(
        count: int, timeframe: Timeframe = "1h", *, symbol: str = "BTC/USD", start: datetime = START, seed: int = 1
    ) -> CandleFrame:
        random = np.random.default_rng(seed)
        close = np.round(20_000 * np.exp(np.cumsum(random.normal(0, 0.004, count))), 2)
        open_ = np.concatenate([[20_000.0], close[:-1]])
        return CandleFrame(
            symbol=symbol,
            timeframe=timeframe,
            market="files",
            simulated=False,
            open_time=to_ms(start) + np.arange(count) * duration_ms(timeframe),
            open=open_,
            high=np.round(np.maximum(open_, close) + random.random(count) * 20, 2),
            low=np.round(np.minimum(open_, close) - random.random(count) * 20, 2),
            close=close,
            volume=np.round(random.random(count) * 100, 4),
        )

    return make


@pytest.fixture
def write_csv(tmp_path: Path) -> Callable[..., Path]:
    """Writes candles as CSV and returns the path."""

    def write(candles: CandleFrame, name: str = "candles.csv") -> Path:
        columns = (candles.open_time, candles.open, candles.high, candles.low, candles.close, candles.volume)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        lines = ["time,open,high,low,close,volume", *(",".join(map(repr, row)) for row in rows)]
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return path

    return write
