"""Kraken's second WebSocket interface: market data, and the account's own events."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from .amounts import fixed, places_of
from .dialect import Dialect
from .events import BalanceChanged, BookChanged, Event, OrderChanged, Traded
from .exchanges import Json
from .kraken_account import KrakenAccount
from .kraken_market import KrakenMarket
from .orders import Fill, Order
from .sockets import Socket

_WORDS = {"new": "new", "cancelled": "canceled", "expired": "expired", "amended": "amended", "triggered": "restated"}
_CHANNELS = {"trade": "trades", "book": "book", "ohlc": "candles", "ticker": "ticker"}


def instant(at_ms: int) -> str:
    """Milliseconds as Kraken writes an instant."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class KrakenStreams:
    """Knows who subscribed to what and words each event for them."""

    def __init__(self, dialect: Dialect, market: KrakenMarket, account: KrakenAccount) -> None:
        self._dialect = dialect
        self._venue = dialect.venue
        self._market = market
        self._account = account

    def opened(self, socket: Socket) -> None:
        """Tell a new connection that the venue is open."""
        data = [{"api_version": "v2", "connection_id": 1, "system": "online", "version": "2.0.0"}]
        socket.reply({"channel": "status", "type": "update", "data": data})

    def received(self, socket: Socket, message: Json) -> None:
        """A request of the client."""
        method = message.get("method") if isinstance(message, dict) else None
        answer: dict[str, Json] = {"method": method, "success": True}
        if isinstance(message, dict) and "req_id" in message:
            answer["req_id"] = message["req_id"]
        if method == "ping":
            socket.reply(answer | {"method": "pong"})
        elif method in {"subscribe", "unsubscribe"}:
            self._subscribe(socket, message.get("params", {}), answer)
        else:
            socket.reply(answer | {"success": False, "error": "Malformed request"})

    def _subscribe(self, socket: Socket, params: dict[str, Json], answer: dict[str, Json]) -> None:
        channel = str(params.get("channel"))
        if channel in {"executions", "balances"}:
            if params.get("token") not in self._account.tokens:
                socket.reply(answer | {"success": False, "error": "EAPI:Invalid key"})
                return
            socket.private = True
            self._note(socket, answer, channel, params)
            socket.reply(answer | {"result": {"channel": channel}})
            self._snapshot(socket, channel, params)
            return
        for symbol in params.get("symbol", []):
            if symbol not in self._venue.instruments:
                wrong = {"success": False, "error": f"Currency pair not supported {symbol}", "symbol": symbol}
                socket.reply(answer | wrong)
                continue
            self._note(socket, answer, f"{channel}:{symbol}", params)
            socket.reply(answer | {"result": {"channel": channel, "symbol": symbol, "snapshot": True}})
            if answer["method"] == "subscribe":
                self._market_snapshot(socket, channel, symbol, params)

    def _note(self, socket: Socket, answer: dict[str, Json], key: str, params: dict[str, Json]) -> None:
        if answer["method"] == "subscribe":
            socket.subscriptions[key] = params
        else:
            socket.subscriptions.pop(key, None)

    def _snapshot(self, socket: Socket, channel: str, params: dict[str, Json]) -> None:
        if channel == "balances":
            self._own(socket, channel, self._balances(list(self._venue.account.total)), "snapshot")
            return
        if params.get("snap_orders"):
            live = [self._order(order, "new") for order in self._venue.live_orders()]
            self._own(socket, channel, live, "snapshot")
        if params.get("snap_trades"):
            recent = [self._trade(order, fill) for order, fill in self._venue.all_fills()[-50:]]
            self._own(socket, channel, recent, "snapshot")

    def _own(self, socket: Socket, channel: str, data: list[Json], kind: str) -> None:
        socket.sequence += 1
        socket.put("private", {"channel": channel, "type": kind, "data": data, "sequence": socket.sequence})

    def _market_snapshot(self, socket: Socket, channel: str, symbol: str, params: dict[str, Json]) -> None:
        if channel == "book":
            self._put(socket, channel, self._book(symbol, int(params.get("depth", 10))), "snapshot")
        elif channel == "ticker":
            self._put(socket, channel, self._ticker(symbol), "snapshot")

    def _put(self, socket: Socket, channel: str, data: Json, kind: str = "update") -> None:
        socket.put(_CHANNELS[channel], {"channel": channel, "type": kind, "data": [data]})

    def _subscribers(self, key: str) -> Iterable[tuple[Socket, dict[str, Json]]]:
        return [(s, s.subscriptions[key]) for s in self._dialect.sockets if key in s.subscriptions]

    def heard(self, event: Event) -> None:
        """Word an event for each connection that wants it."""
        if isinstance(event, OrderChanged):
            self._tell_order(event)
        elif isinstance(event, BalanceChanged):
            for socket, _ in self._subscribers("balances"):
                self._own(socket, "balances", self._balances(list(event.assets)), "update")
        elif isinstance(event, Traded):
            self._tell_trade(event)
        else:
            self._tell_book(event)

    def _tell_order(self, event: OrderChanged) -> None:
        order, fill = event.order, event.fill
        steps = [self._order(order, _WORDS[event.execution])] if fill is None else [self._trade(order, fill)]
        if fill is not None and order.state == "filled":
            steps.append(self._order(order, "filled"))
        for socket, _ in self._subscribers("executions"):
            for step in steps:
                self._own(socket, "executions", [step], "update")

    def _order(self, order: Order, word: str) -> Json:
        trigger, place = order.request.trigger, order.price
        document = {
            "order_id": order.id,
            "symbol": order.instrument.symbol,
            "side": order.side,
            "order_type": order.request.details.get("ordertype", "limit"),
            "order_qty": float(order.quantity),
            "cum_qty": float(order.filled),
            "cum_cost": float(order.notional),
            "avg_price": float(order.average),
            "time_in_force": order.request.time_in_force,
            "exec_type": word,
            "order_status": self._status(order),
            "fee_usd_equiv": 0.0,
            "fee_ccy_pref": "fciq",
            "timestamp": instant(order.updated_ms),
        }
        document |= {"cl_ord_id": order.client_id} if order.client_id else {}
        document |= {"limit_price": float(place)} if place is not None else {}
        document |= {"stop_price": float(trigger.price)} if trigger is not None else {}
        return document

    def _status(self, order: Order) -> str:
        if order.state == "open":
            return "partially_filled" if order.filled else "new"
        words = {"filled": "filled", "cancelled": "canceled", "expired": "expired", "waiting": "pending_new"}
        return words.get(order.state, "new")

    def _trade(self, order: Order, fill: Fill) -> Json:
        document = self._order(order, "trade") | {
            "exec_id": fill.id,
            "trade_id": fill.number,
            "last_qty": float(fill.quantity),
            "last_price": float(fill.price),
            "liquidity_ind": "m" if fill.maker else "t",
            "cost": float(fill.notional),
            "fees": [{"asset": fill.fee_currency, "qty": float(fill.fee)}],
            "timestamp": instant(fill.at_ms),
        }
        return document | {"fee_usd_equiv": float(fill.fee) if fill.fee_currency == "USD" else 0.0}

    def _balances(self, assets: list[str]) -> list[Json]:
        account = self._venue.account
        return [
            {
                "asset": asset,
                "asset_class": "currency",
                "balance": float(account.total[asset]),
                "wallets": [{"type": "spot", "id": "main", "balance": float(account.total[asset])}],
            }
            for asset in assets
        ]

    def _tell_trade(self, event: Traded) -> None:
        symbol = event.instrument.symbol
        trade = {
            "symbol": symbol,
            "side": event.side,
            "price": float(event.price),
            "qty": float(event.quantity),
            "ord_type": "market",
            "trade_id": event.number,
            "timestamp": instant(event.at_ms),
        }
        for socket, _ in self._subscribers(f"trade:{symbol}"):
            self._put(socket, "trade", trade)
        for socket, params in self._subscribers(f"ohlc:{symbol}"):
            self._put(socket, "ohlc", self._candle(symbol, int(params.get("interval", 1)), event.at_ms))
        for socket, _ in self._subscribers(f"ticker:{symbol}"):
            self._put(socket, "ticker", self._ticker(symbol))

    def _candle(self, symbol: str, minutes: int, at_ms: int) -> Json:
        length = minutes * 60_000
        candle = self._dialect.candles.at(symbol, length, at_ms - at_ms % length)
        amounts = {"open": candle.open, "high": candle.high, "low": candle.low, "close": candle.close}
        amounts |= {"volume": candle.volume, "vwap": (candle.high + candle.low) / 2}
        head = {"symbol": symbol, "interval": minutes, "interval_begin": instant(candle.open_ms)}
        tail = {"trades": candle.trades, "timestamp": instant(candle.open_ms + length)}
        return head | {name: float(value) for name, value in amounts.items()} | tail

    def _ticker(self, symbol: str) -> Json:
        day, last = self._market.day(symbol), self._venue.last[symbol]
        bid, ask = self._market.best(symbol)
        amounts = {"bid": bid[0], "bid_qty": bid[1], "ask": ask[0], "ask_qty": ask[1], "last": last}
        amounts |= {"volume": day.volume, "vwap": (day.high + day.low) / 2, "low": day.low, "high": day.high}
        amounts |= {"change": last - day.open, "change_pct": (last / day.open - 1) * 100}
        return {"symbol": symbol} | {name: float(value) for name, value in amounts.items()}

    def _book(self, symbol: str, depth: int) -> Json:
        book = self._venue.books[symbol]
        sides = {"bids": book.sides["buy"], "asks": book.sides["sell"]}
        levels = {name: [_level(*pair) for pair in side.levels(depth)] for name, side in sides.items()}
        return {"symbol": symbol, **levels, "checksum": self.checksum(symbol)}

    def checksum(self, symbol: str) -> int:
        """CRC32 over the ten best asks and bids, written without point and leading zeros."""
        book, instrument = self._venue.books[symbol], self._venue.instruments[symbol]
        grids = (places_of(instrument.price_tick), places_of(instrument.quantity_step))
        digits = [
            fixed(value, places).replace(".", "").lstrip("0")
            for side in (book.sides["sell"], book.sides["buy"])
            for pair in side.levels(10)
            for value, places in zip(pair, grids, strict=True)
        ]
        return zlib.crc32("".join(digits).encode())

    def _tell_book(self, event: BookChanged) -> None:
        symbol = event.instrument.symbol
        sides = {"bids": "buy", "asks": "sell"}
        levels = {key: [_level(p, q) for s, p, q in event.levels if s == side] for key, side in sides.items()}
        tail = {"checksum": self.checksum(symbol), "timestamp": instant(event.at_ms)}
        for socket, _ in self._subscribers(f"book:{symbol}"):
            self._put(socket, "book", {"symbol": symbol, **levels, **tail})


def _level(price: Decimal, quantity: Decimal) -> dict[str, float]:
    return {"price": float(price), "qty": float(quantity)}
