"""Binance's WebSocket streams: market data, and the account's own events."""

from __future__ import annotations

import secrets

from .binance_errors import refused
from .binance_market import INTERVALS, BinanceMarket
from .binance_signing import check_message
from .binance_words import balances_document, eight, market_id, report_document
from .dialect import Dialect
from .events import BalanceChanged, BookChanged, Event, OrderChanged, Traded
from .exchanges import Json
from .orders import Refusal
from .sockets import Socket


class BinanceStreams:
    """Knows who subscribed to what and words each event for them."""

    def __init__(self, dialect: Dialect, market: BinanceMarket) -> None:
        self._dialect = dialect
        self._venue = dialect.venue
        self._market = market
        self.listen_keys: set[str] = set()

    def new_listen_key(self, params: dict[str, str]) -> Json:
        """`POST userDataStream`."""
        del params
        key = secrets.token_hex(30)
        self.listen_keys.add(key)
        return {"listenKey": key}

    def keep_listen_key(self, params: dict[str, str]) -> Json:
        """`PUT userDataStream`."""
        if params.get("listenKey") not in self.listen_keys:
            raise Refusal("listen key")
        return {}

    def drop_listen_key(self, params: dict[str, str]) -> Json:
        """`DELETE userDataStream`."""
        self.keep_listen_key(params)
        self.listen_keys.discard(params["listenKey"])
        return {}

    def opened(self, socket: Socket) -> None:
        """A listen key at the end of the address makes the connection private."""
        socket.private = socket.path.rsplit("/", maxsplit=1)[-1] in self.listen_keys

    def received(self, socket: Socket, message: Json) -> None:
        """A request on a stream, or on the WebSocket API."""
        if not isinstance(message, dict) or "method" not in message:
            socket.reply({"code": 2, "msg": "Invalid request: request ID must be an unsigned integer"})
        elif "/ws-api" in socket.path:
            socket.reply(self._api(socket, message))
        else:
            for name in message.get("params", []):
                if message["method"] == "SUBSCRIBE":
                    socket.subscriptions[name] = True
                elif message["method"] == "UNSUBSCRIBE":
                    socket.subscriptions.pop(name, None)
            listed = list(socket.subscriptions) if message["method"] == "LIST_SUBSCRIPTIONS" else None
            socket.reply({"result": listed, "id": message.get("id")})

    def _api(self, socket: Socket, message: Json) -> Json:
        answer = {"id": message.get("id"), "status": 200, "rateLimits": []}
        method, params = message["method"], message.get("params", {})
        try:
            if method == "ping":
                return answer | {"result": {}}
            if method == "time":
                return answer | {"result": {"serverTime": self._venue.clock.now_ms()}}
            if method == "userDataStream.subscribe.signature":
                check_message(self._venue, params)
                socket.private = True
                return answer | {"result": {"subscriptionId": 0}}
            if method == "userDataStream.unsubscribe":
                socket.private = False
                return answer | {"result": {}}
        except Refusal as refusal:
            reply = refused(refusal)
            return answer | {"status": reply.status, "error": reply.content}
        return answer | {"status": 400, "error": {"code": -1000, "msg": f"Unknown method {method!r}."}}

    def heard(self, event: Event) -> None:
        """Word an event for each connection that wants it."""
        if isinstance(event, OrderChanged):
            self._tell_owner(report_document(event, self._venue.clock.now_ms()))
        elif isinstance(event, BalanceChanged):
            self._tell_owner(self._position(event))
        elif isinstance(event, Traded):
            self._tell_trade(event)
        else:
            self._tell_book(event)

    def _position(self, event: BalanceChanged) -> Json:
        balances = balances_document(event.account, list(event.assets), short=True)
        return {"e": "outboundAccountPosition", "E": self._venue.clock.now_ms(), "u": event.at_ms, "B": balances}

    def _tell_owner(self, document: Json) -> None:
        for socket in self._dialect.sockets:
            if socket.private:
                wrapped = {"subscriptionId": 0, "event": document} if "/ws-api" in socket.path else document
                socket.put("private", wrapped)

    def _tell_trade(self, event: Traded) -> None:
        symbol, name = event.instrument.symbol, market_id(event.instrument)
        now = self._venue.clock.now_ms()
        trade = {"e": "trade", "E": now, "s": name, "t": event.number, "p": eight(event.price)}
        trade |= {"q": eight(event.quantity), "T": event.at_ms, "m": event.side == "sell", "M": True}
        for socket in self._dialect.sockets:
            for key in socket.subscriptions:
                stream, _, what = key.partition("@")
                if stream != name.lower():
                    continue
                if what == "trade":
                    socket.put("trades", trade)
                elif what == "aggTrade":
                    more = {"a": event.number, "f": event.number, "l": event.number, "e": "aggTrade"}
                    socket.put("trades", trade | more)
                elif what.startswith("kline_"):
                    socket.put("candles", self.kline(symbol, what.removeprefix("kline_"), event.at_ms))
                elif what in {"ticker", "miniTicker"}:
                    socket.put("ticker", self._ticker(symbol, name, what))

    def kline(self, symbol: str, interval: str, at_ms: int, *, closed: bool = False) -> Json:
        """The candle that holds an instant."""
        length = INTERVALS[interval] * 60_000
        candle = self._dialect.candles.at(symbol, length, at_ms - at_ms % length)
        name = market_id(self._venue.instruments[symbol])
        rows = zip("ohlcv", (candle.open, candle.high, candle.low, candle.close, candle.volume), strict=True)
        inner: dict[str, Json] = {"t": candle.open_ms, "T": candle.open_ms + length - 1, "s": name, "i": interval}
        inner |= {key: eight(value) for key, value in rows} | {"f": 1, "L": 1, "n": candle.trades, "x": closed}
        inner |= {"q": eight(candle.volume * candle.close), "V": "0", "Q": "0", "B": "0"}
        return {"e": "kline", "E": self._venue.clock.now_ms(), "s": name, "k": inner}

    def _ticker(self, symbol: str, name: str, what: str) -> Json:
        day = self._market.day({"symbol": name})
        best = self._market.best(symbol)
        words = {
            "o": "openPrice",
            "h": "highPrice",
            "l": "lowPrice",
            "c": "lastPrice",
            "v": "volume",
            "q": "quoteVolume",
        }
        words |= {"p": "priceChange", "P": "priceChangePercent", "w": "weightedAvgPrice", "x": "prevClosePrice"}
        quotes = {"b": best["bidPrice"], "B": best["bidQty"], "a": best["askPrice"], "A": best["askQty"]}
        head = {"e": "24hrTicker" if what == "ticker" else "24hrMiniTicker", "E": day["closeTime"], "s": name}
        return (
            head
            | {key: day[field] for key, field in words.items()}
            | quotes
            | {"O": day["openTime"], "C": day["closeTime"]}
        )

    def _tell_book(self, event: BookChanged) -> None:
        name = market_id(event.instrument)
        sides = {"b": "buy", "a": "sell"}
        levels = {key: [[eight(p), eight(q)] for s, p, q in event.levels if s == side] for key, side in sides.items()}
        update = {"e": "depthUpdate", "E": event.at_ms, "s": name, "U": event.first, "u": event.last, **levels}
        best = self._market.best(event.instrument.symbol)
        quote = {"u": event.last, "s": name, "b": best["bidPrice"], "B": best["bidQty"]}
        quote |= {"a": best["askPrice"], "A": best["askQty"]}
        for socket in self._dialect.sockets:
            for key in socket.subscriptions:
                stream, _, what = key.partition("@")
                if stream == name.lower() and what in {"depth", "depth@100ms", "depth@1000ms"}:
                    socket.put("book", update)
                elif stream == name.lower() and what == "bookTicker":
                    socket.put("ticker", quote)
