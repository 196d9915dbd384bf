"""Candles to certify engines on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from engines.domain.candles import CandleFrame
from engines.domain.timeframe import Timeframe, duration_ms


@pytest.fixture(scope="session")
def walk() -> Callable[..., CandleFrame]:
    """Candles of a random walk that begin in the middle of a day."""

    def build(seed: int = 1, count: int = 1500, timeframe: Timeframe = "1h") -> CandleFrame:
        random = np.random.default_rng(seed)
        close = np.round(30_000 * np.exp(np.cumsum(random.normal(0.0, 0.006, count))), 2)
        open_ = np.concatenate(([30_000.0], close[:-1]))
        wick = random.uniform(0.0, 60.0, (2, count))
        return CandleFrame(
            symbol="BTC/USD",
            timeframe=timeframe,
            market="files",
            simulated=False,
            open_time=1_499_000_400_000 // duration_ms(timeframe) * duration_ms(timeframe)
            + np.arange(count, dtype=np.int64) * duration_ms(timeframe),
            open=open_,
            high=np.maximum(open_, close) + wick[0],
            low=np.minimum(open_, close) - wick[1],
            close=close,
            volume=random.uniform(0.0, 9.0, count),
        )

    return build
