"""The chart of Cipher A is what its engine says, candle by candle."""

from __future__ import annotations

import numpy as np
import pytest

from engines.chart import chart_data
from engines.cipher.cipher_a import compute_cipher_a
from engines.domain.candles import CandleFrame
from engines.errors import InvalidRequest
from engines.market.demo import DemoMarket


def test_columns_and_symbols_are_those_of_the_engine(market: DemoMarket) -> None:
    panel = chart_data(market, "BTC/USDT", "4h", count=1_000, preset="vumanchu_a")["cipher"]
    candles: CandleFrame = market.closed_candles("BTC/USDT", "4h", count=1_500)
    expected = compute_cipher_a(candles)
    for name in ("ema1", "ema8", "wt1", "wt2", "rsi", "money_flow"):
        np.testing.assert_array_equal(panel[name], expected.values[name][500:])
    assert panel["ribbon_bullish"] == expected.flags("ribbon_bullish")[500:].tolist()
    names = {event["name"] for event in panel["events"]}
    assert {"blood_diamond", "moon_diamond", "yellow_x_up", "red_x", "long_circle"} <= names
    assert "ribbon_bullish" not in names
    for name in names:
        times = [event["time"] for event in panel["events"] if event["name"] == name]
        assert times == candles.open_time[500:][expected.flags(name)[500:]].tolist()
    assert all(event["confirmed_time"] == event["time"] + 4 * 3_600_000 for event in panel["events"])


def test_everything_but_the_panel_is_as_on_any_chart(market: DemoMarket) -> None:
    usual = chart_data(market, "ETH/USDT", "1h", count=100)
    ribbon = chart_data(market, "ETH/USDT", "1h", count=100, preset="vumanchu_a")
    assert {**usual, "cipher": None} == {**ribbon, "cipher": None}


def test_a_fork_of_the_panel_is_drawn_with_its_own_levels(market: DemoMarket) -> None:
    assert chart_data(market, "ETH/USDT", "1h", preset="mcb_fixed")["cipher"]["levels"]["overbought"] == [60, 53, 100]


def test_a_preset_that_repaints_is_refused(market: DemoMarket) -> None:
    with pytest.raises(InvalidRequest, match="repaints"):
        chart_data(market, "ETH/USDT", "1h", preset="vumanchu_b_tv_parity")
