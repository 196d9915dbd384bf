"""A store on each database, files of candles to import into it, and an exchange on loopback."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from engines.domain.candles import CandleFrame
from engines.domain.clock import ManualClock
from engines.domain.timeframe import Timeframe, duration_ms, to_ms
from engines.market.store import CandleStore
from engines.storage.database import open_database

START = datetime(2024, 1, 1, tzinfo=UTC)
MakeCandles = Callable[..., CandleFrame]
Row = list[Any]
Change = Callable[[list[Row]], list[Row]]
Fault = str | int | Change | None


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


class FakeExchange:
    """A loopback HTTP server that speaks the public dialects of Binance and Kraken about BTC/USDT.

    `faults` are used up one a request for candles or prices: a callable receives the rows and returns others,
    `timeout` answers too late, `html` with a web page, a number with that status.
    """

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.faults: list[Fault] = []
        self.requests: list[str] = []
        self.page_size = 1_000
        self.ticker = {"bid": "100.10", "ask": "100.30", "last": "100.20"}
        self.listed_since = 0
        self.ahead_ms = -40
        exchange = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                exchange.answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Keep the tests' output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def configure(self, exchange: Any) -> None:
        """Point every address of a ccxt exchange at this server, and be quick about it."""
        base = f"http://127.0.0.1:{self._server.server_port}"
        if exchange.id == "binance":
            public = dict.fromkeys(("public", "private"), f"{base}/api/v3")
            exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], f"{base}/blocked") | public
        else:
            exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], base)
        exchange.timeout = 300
        exchange.enableRateLimit = False

    def candles(self, since_ms: int, limit: int, span_ms: int) -> list[Row]:
        """Rows from `since_ms` on, the forming one included."""
        now_ms = to_ms(self.clock.now())
        first = -(-max(since_ms, self.listed_since) // span_ms) * span_ms
        times = range(first, min(now_ms + 1, first + limit * span_ms), span_ms)
        return [[time, "100.10", "101.20", "99.30", f"{100 + time // span_ms % 7 / 10:.2f}", "5.5"] for time in times]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        url = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.requests.append(request.path)
        about_prices = any(word in url.path for word in ("klines", "OHLC", "icker"))
        fault = self.faults.pop(0) if self.faults and about_prices else None
        status, body = 200, json.dumps(self._body(url.path, query, fault))
        if fault == "timeout":
            time.sleep(0.5)
        elif fault == "html":
            body = "<html><body>Down for maintenance</body></html>"
        elif isinstance(fault, int):
            status, body = fault, f"<html>{fault}</html>"
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            request.send_response(status)
            request.send_header("Content-Type", "text/html" if body.startswith("<") else "application/json")
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body.encode())

    def _body(self, path: str, query: dict[str, str], fault: Fault) -> object:
        change: Change = fault if callable(fault) else list
        if path == "/api/v3/exchangeInfo":
            return {"symbols": [_binance_market("BTC"), _binance_market("ETH"), _binance_market("OLD", status="BREAK")]}
        if path == "/api/v3/klines":
            span = {"1m": 60_000, "1h": 3_600_000, "1d": 86_400_000}[query["interval"]]
            limit = min(int(query["limit"]), self.page_size)
            rows = change(self.candles(int(query.get("startTime", 0)), limit, span))
            return [[*row, row[0] + span - 1, "1", 1, "1", "1", "0"] for row in rows]
        if path == "/api/v3/ticker/24hr":
            prices = {f"{side}Price": self.ticker[side] for side in ("bid", "ask", "last")}
            return {"symbol": "BTCUSDT", **prices, "closeTime": to_ms(self.clock.now()) + self.ahead_ms}
        if path == "/0/public/AssetPairs":
            return {"error": [], "result": {"XBTUSDT": _KRAKEN_PAIR}}
        if path == "/0/public/OHLC":
            span = int(query["interval"]) * 60_000
            rows = change(self.candles(int(query.get("since", 0)) * 1000 + 1, 720, span))
            return {"error": [], "result": {"XBTUSDT": [[row[0] // 1000, *row[1:5], "1", row[5], 3] for row in rows]}}
        if path == "/0/public/Ticker":
            sides = {"b": [self.ticker["bid"]], "a": [self.ticker["ask"]], "c": [self.ticker["last"], "1"]}
            return {"error": [], "result": {"XBTUSDT": sides}}
        return {"error": [], "result": {}}


_KRAKEN_PAIR = {
    "altname": "XBTUSDT",
    "wsname": "XBT/USDT",
    "base": "XXBT",
    "quote": "USDT",
    "pair_decimals": 1,
    "lot_decimals": 8,
    "cost_decimals": 5,
    "tick_size": "0.1",
    "ordermin": "0.00005",
    "costmin": "0.5",
    "status": "online",
    "fees": [[0, 0.4]],
    "fees_maker": [[0, 0.25]],
    "leverage_buy": [],
    "leverage_sell": [],
}


def _binance_market(base: str, *, status: str = "TRADING") -> dict[str, Any]:
    return {
        "symbol": f"{base}USDT",
        "status": status,
        "baseAsset": base,
        "baseAssetPrecision": 8,
        "quoteAsset": "USDT",
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "permissions": ["SPOT"],
        "permissionSets": [["SPOT"]],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01000000"},
            {"filterType": "LOT_SIZE", "minQty": "0.00010", "maxQty": "9000", "stepSize": "0.00001000"},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000"},
        ],
    }


@pytest.fixture
def fake_exchange(clock: ManualClock) -> Iterator[FakeExchange]:
    exchange = FakeExchange(clock)
    yield exchange
    exchange.close()
