"""Bybit's WebSocket streams: market data, and the account's own events."""

from __future__ import annotations

import hashlib
import hmac

from .amounts import plain
from .bybit_market import INTERVALS, BybitMarket
from .bybit_words import execution_document, market_id, order_document, wallet_document
from .dialect import Dialect
from .events import BalanceChanged, BookChanged, Event, OrderChanged, Traded
from .exchanges import Json
from .sockets import Socket


class BybitStreams:
    """Knows who subscribed to what and words each event for them."""

    def __init__(self, dialect: Dialect, market: BybitMarket) -> None:
        self._dialect = dialect
        self._venue = dialect.venue
        self._market = market

    def received(self, socket: Socket, message: Json) -> None:
        """A request of the client."""
        word = message.get("op") if isinstance(message, dict) else None
        answer = {"success": True, "ret_msg": "", "conn_id": "emulator", "op": word}
        if isinstance(message, dict) and "req_id" in message:
            answer["req_id"] = message["req_id"]
        if word == "ping":
            socket.reply(answer | {"ret_msg": "pong"})
        elif word == "auth":
            socket.private = self._is_authentic(message.get("args", []))
            socket.reply(answer | ({} if socket.private else {"success": False, "ret_msg": "Params Error"}))
        elif word in {"subscribe", "unsubscribe"}:
            self._subscribe(socket, message.get("args", []), answer | {"ret_msg": word})
        else:
            socket.reply(answer | {"success": False, "ret_msg": "error:invalid op"})

    def _is_authentic(self, arguments: list[str]) -> bool:
        account = self._venue.account
        if len(arguments) != 3 or arguments[0] != account.key or int(arguments[1]) <= self._venue.clock.now_ms():
            return False
        signed = f"GET/realtime{arguments[1]}".encode()
        return hmac.compare_digest(hmac.new(account.secret.encode(), signed, hashlib.sha256).hexdigest(), arguments[2])

    def _subscribe(self, socket: Socket, topics: list[str], answer: Json) -> None:
        if "/private" in socket.path and not socket.private:
            socket.reply(answer | {"success": False, "ret_msg": "error:USVC1111"})
            return
        socket.reply(answer)
        for topic in topics:
            if answer["op"] == "unsubscribe":
                socket.subscriptions.pop(topic, None)
                continue
            socket.subscriptions[topic] = True
            kind, *parts = topic.split(".")
            symbol = self._symbol(parts[-1]) if parts else None
            if symbol and kind == "orderbook":
                self._put(socket, "book", topic, self._market.book_document(symbol, int(parts[0])), "snapshot")
            elif symbol and kind == "tickers":
                self._put(socket, "ticker", topic, self._market.ticker(symbol), "snapshot")

    def _symbol(self, name: str) -> str | None:
        return next((symbol for symbol, each in self._venue.instruments.items() if market_id(each) == name), None)

    def _put(self, socket: Socket, channel: str, topic: str, data: Json, kind: str) -> None:
        now = self._venue.clock.now_ms()
        socket.put(channel, {"topic": topic, "type": kind, "ts": now, "data": data, "cts": now})

    def heard(self, event: Event) -> None:
        """Word an event for each connection that wants it."""
        if isinstance(event, OrderChanged):
            if event.order.state == "waiting":
                return
            self._tell_owner("order", order_document(event.order))
            if event.fill is not None:
                self._tell_owner("execution", execution_document(event.order, event.fill))
        elif isinstance(event, BalanceChanged):
            self._tell_owner("wallet", wallet_document(event.account, list(event.assets)))
        elif isinstance(event, Traded):
            self._tell_trade(event)
        else:
            self._tell_book(event)

    def _tell_owner(self, topic: str, document: Json) -> None:
        now = self._venue.clock.now_ms()
        for socket in self._dialect.sockets:
            if socket.private and topic in socket.subscriptions:
                socket.sequence += 1
                message = {"id": f"emulator-{socket.sequence}", "topic": topic, "creationTime": now, "data": [document]}
                socket.put("private", message)

    def _tell_trade(self, event: Traded) -> None:
        name, symbol = market_id(event.instrument), event.instrument.symbol
        trade = {"T": event.at_ms, "s": name, "S": event.side.capitalize(), "v": plain(event.quantity)}
        trade |= {"p": plain(event.price), "i": self._venue.rules.fill_id(event.number)}
        for socket in self._dialect.sockets:
            for topic in socket.subscriptions:
                kind, *parts = topic.split(".")
                if not parts or parts[-1] != name:
                    continue
                if kind == "publicTrade":
                    self._put(socket, "trades", topic, [trade], "snapshot")
                elif kind == "kline":
                    self._put(socket, "candles", topic, [self._kline(symbol, parts[0], event.at_ms)], "snapshot")
                elif kind == "tickers":
                    self._put(socket, "ticker", topic, self._market.ticker(symbol), "snapshot")

    def _kline(self, symbol: str, interval: str, at_ms: int) -> Json:
        length = INTERVALS[interval] * 60_000
        candle = self._dialect.candles.at(symbol, length, at_ms - at_ms % length)
        amounts = {"open": candle.open, "close": candle.close, "high": candle.high, "low": candle.low}
        amounts |= {"volume": candle.volume, "turnover": candle.volume * candle.close}
        head = {"start": candle.open_ms, "end": candle.open_ms + length - 1, "interval": interval}
        return head | {name: plain(value) for name, value in amounts.items()} | {"confirm": False, "timestamp": at_ms}

    def _tell_book(self, event: BookChanged) -> None:
        name = market_id(event.instrument)
        sides = {"b": "buy", "a": "sell"}
        levels = {key: [[plain(p), plain(q)] for s, p, q in event.levels if s == side] for key, side in sides.items()}
        document = {"s": name, "u": event.last, "seq": event.last, **levels}
        for socket in self._dialect.sockets:
            for topic in socket.subscriptions:
                if topic.startswith("orderbook.") and topic.endswith(f".{name}"):
                    self._put(socket, "book", topic, document, "delta")
