"""A chart as the desk sends it, small enough to reason about."""

from __future__ import annotations

from typing import Any

import pytest

HOUR = 3_600_000
START = 1_795_341_600_000  # 2026-11-22 10:00 UTC


@pytest.fixture
def chart() -> dict[str, Any]:
    """Five hourly candles, a green dot on the fourth, a divergence between two others, and a profile of three rows."""
    times = [START + number * HOUR for number in range(5)]
    return {
        "symbol": "BTC/USDT",
        "timeframe": "1h",
        "market": "demo",
        "simulated": True,
        "as_of": times[-1] + HOUR,
        "tick_size": "0.1",
        "candles": {
            "open_time": times,
            "open": [100.0, 102.0, 101.0, 99.0, 100.0],
            "high": [103.0, 104.0, 102.0, 101.0, 105.0],
            "low": [99.0, 100.0, 98.0, 97.0, 99.5],
            "close": [102.0, 101.0, 99.0, 100.0, 104.0],
            "volume": [10.0, 20.0, 30.0, 20.0, 2500.0],
        },
        "cipher": {
            "wt1": [None, -60.0, -58.0, -50.0, -40.0],
            "wt2": [None, -55.0, -57.0, -54.0, -48.0],
            "vwap": [None, -5.0, -1.0, 4.0, 8.0],
            "money_flow": [None, -2.0, -1.0, 0.5, 3.1],
            "rsi": [None, 40.0, 38.0, 45.0, 55.0],
            "stoch_k": [None, 20.0, 10.0, 30.0, 60.0],
            "stoch_d": [None, 25.0, 15.0, 20.0, 40.0],
            "stc": [0.0, 10.0, 20.0, 30.0, 40.0],
            "levels": {"overbought": [53.0, 60.0, 100.0], "oversold": [-53.0, -60.0, -75.0], "rsi": [30.0, 60.0]},
            "drawn_divergences": ["wt"],
            "divergences": [
                {
                    "source": "wt",
                    "bias": "bull",
                    "hidden": False,
                    "time": times[4],
                    "confirmed_time": times[4] + HOUR,
                    "pivot": {"time": times[2], "value": -57.0, "price": 98.0},
                    "previous": {"time": times[0] - HOUR, "value": -70.0, "price": 98.5},
                }
            ],
            "missing": "",
            "events": [{"name": "green_dot", "time": times[3], "confirmed_time": times[4]}],
        },
        "volume_profile": {
            "rows": [
                {"from": 97.0, "to": 100.0, "volume": 30.0, "up": 10.0, "down": 20.0},
                {"from": 100.0, "to": 102.0, "volume": 60.0, "up": 40.0, "down": 20.0},
                {"from": 102.0, "to": 105.0, "volume": 10.0, "up": 10.0, "down": 0.0},
            ],
            "poc": 101.0,
            "val": 99.0,
            "vah": 103.0,
            "hvn": [{"price": 101.0, "volume": 60.0}],
            "lvn": [{"price": 103.5, "volume": 10.0}],
            "naked_pocs": [{"price": 98.5, "born_time": times[1], "session": "2026-11-21"}],
            "developing_poc": [None, 101.0, 101.0, 99.0, 101.0],
            "built_from": "5m",
        },
        "vwap": {"anchor": "day", "values": [101.3, 101.5, 100.9, 100.4, 102.8], "starts": [times[3]]},
    }
