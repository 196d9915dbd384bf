"""The one place that knows ccxt.pro: how it is made, asked, and told to stop."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Awaitable, Callable
from typing import Any, Final

from engines.market.ccxt_venue import PUBLIC_OPTIONS, TIMEOUT_MS
from engines.market.streaming.keys import BOOK_DEPTHS, StreamKey

_METHODS: Final = {"candles": "ohlcv", "ticker": "ticker", "trades": "trades", "book": "order_book"}
_FEATURES: Final = {
    "candles": "watchOHLCV",
    "ticker": "watchTicker",
    "trades": "watchTrades",
    "book": "watchOrderBook",
}


def open_exchange(exchange_id: str, configure: Callable[[Any], None] | None) -> Any | None:
    """A ccxt.pro exchange without keys; None where ccxt knows no streams of it. Importing it takes seconds.

    Args:
        configure: receives the exchange before its first use, to point it elsewhere.
    """
    kind = getattr(importlib.import_module("ccxt.pro"), exchange_id, None)
    if kind is None:
        return None
    exchange = kind({"enableRateLimit": True, "timeout": TIMEOUT_MS, "options": dict(PUBLIC_OPTIONS)})
    if configure is not None:
        configure(exchange)
    return exchange


def has_stream(exchange: Any, key: StreamKey) -> bool:
    """Whether an exchange has such a stream, and one whose holes are noticed."""
    if key.kind == "book" and exchange.id not in BOOK_DEPTHS:
        return False
    return bool(exchange.has.get(_FEATURES[key.kind]))


def watch(exchange: Any, key: StreamKey) -> Awaitable[Any]:
    """Wait for the next that a stream tells, subscribing to it if need be."""
    method = getattr(exchange, f"watch_{_METHODS[key.kind]}")
    if key.kind == "candles":
        return _awaited(method(key.symbol, key.timeframe))
    if key.kind == "book":
        return _awaited(method(key.symbol, BOOK_DEPTHS[exchange.id]))
    return _awaited(method(key.symbol))


async def unsubscribe(exchange: Any, key: StreamKey) -> None:
    """Tell the exchange that a stream is not wanted any more, where ccxt can; it does no harm to go on hearing it."""
    if not exchange.has.get(f"un{_FEATURES[key.kind][0].upper()}{_FEATURES[key.kind][1:]}"):
        return
    method = getattr(exchange, f"un_watch_{_METHODS[key.kind]}")
    with contextlib.suppress(Exception):
        await _awaited(method(key.symbol, key.timeframe) if key.kind == "candles" else method(key.symbol))


def hang_up(exchange: Any, why: str) -> None:
    """Break every connection, so that whoever waits for a stream learns it and begins again."""
    for client in list(exchange.clients.values()):
        client.on_error(network_error(why))


def network_error(why: str) -> Exception:
    """What a broken connection raises."""
    error: Exception = importlib.import_module("ccxt").NetworkError(why)
    return error


async def _awaited(waiting: Awaitable[Any]) -> Any:
    """Of coroutines and futures, which ccxt both hands out, a coroutine."""
    return await waiting
