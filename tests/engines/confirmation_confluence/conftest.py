"""A market whose candles a test can alter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from engines.domain.candles import CandleFrame
from engines.domain.clock import ManualClock
from engines.domain.timeframe import Timeframe
from engines.market.demo import DemoMarket

Change = Callable[[CandleFrame], CandleFrame]
NOW = datetime(2026, 3, 11, 17, 20, tzinfo=UTC)


class AlteredMarket(DemoMarket):
    """The demo market at a fixed time, with a change made to every series it serves."""

    def __init__(self, change: Change) -> None:
        super().__init__(ManualClock(NOW))
        self._change = change

    def closed_candles(
        self, symbol: str, timeframe: Timeframe, *, count: int = 500, as_of: datetime | None = None
    ) -> CandleFrame:
        return self._change(super().closed_candles(symbol, timeframe, count=count, as_of=as_of))


@pytest.fixture
def market() -> DemoMarket:
    return DemoMarket(ManualClock(NOW))


@pytest.fixture
def altered() -> Callable[[Change], DemoMarket]:
    return AlteredMarket
