"""Several timeframes at one instant: closed candles only, and none knows more than it may."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from engines.cipher import VUMANCHU_B, compute_panel
from engines.cipher.params import VUMANCHU_A
from engines.cipher.timeframes import panels
from engines.domain.clock import ManualClock
from engines.domain.timeframe import Timeframe, duration_ms
from engines.errors import InsufficientData, InvalidRequest
from engines.market.demo import DemoMarket

NOW = datetime(2026, 3, 2, 16, 37, tzinfo=UTC)
SEVERAL: tuple[Timeframe, ...] = ("15m", "1h", "4h", "1d")


@pytest.fixture
def demo() -> DemoMarket:
    return DemoMarket(ManualClock(NOW))


def test_every_panel_ends_at_its_last_candle_closed_at_the_same_instant(demo: DemoMarket) -> None:
    found = panels(demo, "BTC/USDT", SEVERAL)
    assert list(found) == list(SEVERAL)
    for timeframe, panel in found.items():
        assert panel.candles.timeframe == timeframe
        late = NOW - panel.candles.as_of
        assert timedelta(0) <= late < timedelta(milliseconds=duration_ms(timeframe))


def test_a_view_of_the_past_is_what_was_known_then(demo: DemoMarket) -> None:
    past = NOW - timedelta(days=3, minutes=5)
    told = panels(demo, "BTC/USDT", SEVERAL, as_of=past)
    live = panels(DemoMarket(ManualClock(past)), "BTC/USDT", SEVERAL)
    for timeframe in SEVERAL:
        assert told[timeframe].candles.as_of <= past
        assert np.array_equal(told[timeframe].wt1, live[timeframe].wt1, equal_nan=True)


def test_each_panel_is_the_one_of_its_own_candles(demo: DemoMarket) -> None:
    found = panels(demo, "ETH/USDT", ["4h"], count=600)
    alone = compute_panel(demo.closed_candles("ETH/USDT", "4h", count=600))
    assert np.array_equal(found["4h"].wt2, alone.wt2, equal_nan=True)
    assert found["4h"].params == VUMANCHU_B


def test_the_instant_is_read_from_the_market_once(demo: DemoMarket) -> None:
    class Walking(DemoMarket):
        """A market whose clock moves on whenever it is read."""

        def now(self, symbol: str | None = None) -> datetime:
            time = super().now(symbol)
            clock.advance(timedelta(hours=2))
            return time

    clock = ManualClock(NOW)
    ends = {panel.candles.as_of for panel in panels(Walking(clock), "BTC/USDT", ["15m", "30m"]).values()}
    assert ends == {NOW.replace(minute=30)}


def test_cipher_a_can_be_viewed_as_well(demo: DemoMarket) -> None:
    found = panels(demo, "BTC/USDT", ["1h"], params=VUMANCHU_A)
    assert "blood_diamond" in found["1h"].event_names


def test_no_timeframe_and_too_few_candles_are_refused(demo: DemoMarket) -> None:
    with pytest.raises(InvalidRequest, match="No timeframe is given"):
        panels(demo, "BTC/USDT", [])
    with pytest.raises(InsufficientData, match=r"BTC/USDT has 40 closed 4h candles"):
        panels(demo, "BTC/USDT", ["4h"], count=40)
