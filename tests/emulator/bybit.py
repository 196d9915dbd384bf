"""The dialect of Bybit spot: REST v5 and its streams."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from . import bybit_errors
from .bybit_account import BybitAccount
from .bybit_market import BybitMarket
from .bybit_streams import BybitStreams
from .dialect import Dialect
from .events import Event
from .exchanges import Call, Json, Reply
from .faults import Fault
from .orders import Refusal
from .sockets import Socket
from .venue import Venue

Handler = Callable[[dict[str, str]], Json]
PREFIX = "/v5/"


class Bybit(Dialect):
    """Routes requests by method and path below `/v5/`."""

    id_fields = frozenset({"orderId"})
    client_id_fields = frozenset({"orderLinkId"})
    status_fields = frozenset({"orderStatus"})

    def __init__(self, venue: Venue) -> None:
        super().__init__(venue)
        market = BybitMarket(self)
        account = BybitAccount(self, market)
        self._streams = BybitStreams(self, market)
        self._public: dict[str, tuple[str, Handler]] = {
            "GET market/time": ("time", market.time),
            "GET market/instruments-info": ("markets", market.instruments),
            "GET market/tickers": ("ticker", market.tickers),
            "GET market/orderbook": ("book", market.book),
            "GET market/recent-trade": ("trades", market.trades),
            "GET market/kline": ("candles", market.klines),
        }
        self._signed: dict[str, tuple[str, Handler]] = {
            "GET user/query-api": ("key", account.key_information),
            "GET account/info": ("key", account.account_information),
            "GET asset/coin/query-info": ("markets", account.coins),
            "GET account/wallet-balance": ("balances", account.wallet),
            "GET account/fee-rate": ("balances", account.fee_rates),
            "POST order/create": ("create", account.create),
            "POST order/amend": ("amend", account.amend),
            "POST order/cancel": ("cancel", account.cancel),
            "POST order/cancel-all": ("cancel_all", account.cancel_all),
            "GET order/realtime": ("open_orders", account.open_orders),
            "GET order/history": ("closed_orders", account.history),
            "GET execution/list": ("fills", account.executions),
        }
        self._all = self._public | self._signed

    def route(self, call: Call) -> str:
        """Name what a request is for."""
        return self._all.get(_key(call), ("other", None))[0]

    def answer(self, call: Call) -> Reply:
        """Check the signature where the route asks for it, then do it."""
        key, params, now = _key(call), call.params(), self.venue.clock.now_ms()
        if key not in self._all or not call.path.startswith(PREFIX):
            return Reply(text=f"<html><body>404 {call.path}</body></html>", status=404, kind="text/html")
        try:
            if key in self._signed:
                self._check(call)
            content = self._all[key][1](params)
        except Refusal as refusal:
            return bybit_errors.refused(refusal, now)
        return Reply({"retCode": 0, "retMsg": "OK", "result": content, "retExtInfo": {}, "time": now})

    def _check(self, call: Call) -> None:
        """Refuse a request whose key, time or signature does not hold."""
        account, headers = self.venue.account, call.headers
        sent, window = headers.get("X-BAPI-TIMESTAMP", ""), headers.get("X-BAPI-RECV-WINDOW", "5000")
        if headers.get("X-BAPI-API-KEY") != account.key:
            raise Refusal("key unknown")
        now = self.venue.clock.now_ms()
        if not sent.isdigit() or not now - int(window) <= int(sent) < now + 1000:
            detail = f"req_timestamp[{sent}],server_timestamp[{now}],recv_window[{window}]"
            raise Refusal("timestamp", detail)
        signed = f"{sent}{account.key}{window}{call.query or call.body}"
        expected = hmac.new(account.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, headers.get("X-BAPI-SIGN", "")):
            raise Refusal("signature")

    def failure(self, fault: Fault) -> Reply:
        """Answer as Bybit does when something breaks."""
        return bybit_errors.failure(fault, self.venue.clock.now_ms())

    def heard(self, event: Event) -> None:
        """Tell the streams."""
        if len(self.sockets):
            self._streams.heard(event)

    def opened(self, socket: Socket) -> None:
        """Bybit greets nobody."""

    def received(self, socket: Socket, message: Json) -> None:
        """Answer a message."""
        self._streams.received(socket, message)


def _key(call: Call) -> str:
    return f"{call.method} {call.path.removeprefix(PREFIX)}"
