"""A served desk whose market is streamed: its status tells how the streams stand, and it ends with none left."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]


def _until(reached: Callable[[], Any]) -> None:
    for _ in range(1_200):
        if reached():
            return
        time.sleep(0.05)
    pytest.fail("it did not come to that")


@pytest.mark.parametrize("venue", ["binance", "bybit", "kraken"])
def test_a_served_desk_streams_its_market_and_hangs_up_when_it_ends(
    venue: str, live_desk: Callable[[str], Any]
) -> None:
    desk = live_desk(venue)
    symbol = "BTC/USDT"
    desk.given.update(QTP_MODE="paper", QTP_LIVE_TRADING="", QTP_MARKET_STREAMS="true")
    desk.given = {name: value for name, value in desk.given.items() if not name.startswith(("QTP_LIVE", "QTP_VENUE"))}
    desk.venue.order("price", symbol=symbol, price="50000", quantity="5", depth=30, gap="5")
    desk.start()
    with desk.client() as client:

        def streams() -> dict[str, Any]:
            found: dict[str, Any] = client.get("/v1/status").raise_for_status().json()["market_streams"]
            return found

        def streamed() -> bool:
            desk.venue.order("crowd", symbol=symbol, side="buy", quantity="0.001")
            asked = {"symbol": symbol, "timeframe": "1m", "limit": 50}
            client.get("/v1/candles", params=asked).raise_for_status()
            return bool(streams()["alive"])

        assert streams()["alive"] == 0
        _until(streamed)
        assert streams()["trouble"] == ""
        desk.venue.order("cut")
        _until(lambda: streamed() and streams()["connections"] > 0)
    desk.running[-1].send_signal(signal.SIGTERM)
    # The server takes its own signal again once everything is closed.
    assert desk.running[-1].wait(timeout=60) in {0, -signal.SIGTERM}
    _until(lambda: desk.venue.order("sockets")["open"] == [])
    log = desk.log.read_text()
    assert [words for words in ("Traceback", "never retrieved", "do not end", "Unclosed") if words in log] == []
