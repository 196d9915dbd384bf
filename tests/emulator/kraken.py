"""The dialect of Kraken spot: REST 0 and the second WebSocket interface."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable

from . import kraken_errors
from .dialect import Dialect
from .events import Event
from .exchanges import Call, Json, Reply
from .faults import Fault
from .kraken_account import KrakenAccount
from .kraken_market import KrakenMarket
from .kraken_streams import KrakenStreams
from .orders import Refusal
from .sockets import Socket
from .venue import Venue

Handler = Callable[[dict[str, str]], Json]


class Kraken(Dialect):
    """Routes requests by their path below `/0/`."""

    id_fields = frozenset({"txid"})
    client_id_fields = frozenset({"cl_ord_id", "txid"})
    status_fields = frozenset({"status", "order_status"})

    def __init__(self, venue: Venue) -> None:
        super().__init__(venue)
        market = KrakenMarket(self)
        account = KrakenAccount(self, market)
        self._streams = KrakenStreams(self, market, account)
        self._public: dict[str, tuple[str, Handler]] = {
            "/0/public/Time": ("time", market.time),
            "/0/public/SystemStatus": ("time", market.status),
            "/0/public/Assets": ("markets", market.assets),
            "/0/public/AssetPairs": ("markets", market.pairs),
            "/0/public/Ticker": ("ticker", market.ticker),
            "/0/public/OHLC": ("candles", market.candles),
            "/0/public/Depth": ("book", market.depth),
            "/0/public/Trades": ("trades", market.trades),
        }
        self._signed: dict[str, tuple[str, Handler]] = {
            "/0/private/GetWebSocketsToken": ("stream_key", account.token),
            "/0/private/Balance": ("balances", account.balance),
            "/0/private/BalanceEx": ("balances", account.extended_balance),
            "/0/private/AddOrder": ("create", account.create),
            "/0/private/AmendOrder": ("amend", account.amend),
            "/0/private/EditOrder": ("amend", account.edit),
            "/0/private/CancelOrder": ("cancel", account.cancel),
            "/0/private/CancelAll": ("cancel_all", account.cancel_all),
            "/0/private/QueryOrders": ("lookup", account.query),
            "/0/private/OpenOrders": ("open_orders", account.open_orders),
            "/0/private/ClosedOrders": ("closed_orders", account.closed_orders),
            "/0/private/TradesHistory": ("fills", account.trades),
            "/0/private/QueryTrades": ("fills", account.query_trades),
        }
        self._all = self._public | self._signed

    def route(self, call: Call) -> str:
        """Name what a request is for."""
        return self._all.get(call.path, ("other", None))[0]

    def answer(self, call: Call) -> Reply:
        """Check the signature where the route asks for it, then do it."""
        if call.path not in self._all:
            return Reply(text=f"<html><body>404 {call.path}</body></html>", status=404, kind="text/html")
        params = call.params()
        try:
            if call.path in self._signed:
                self._check(call, params)
            content = self._all[call.path][1](params)
        except Refusal as refusal:
            return kraken_errors.refused(refusal)
        return Reply({"error": [], "result": content})

    def _check(self, call: Call, params: dict[str, str]) -> None:
        """Refuse a request whose key, signature or nonce does not hold."""
        account, nonce = self.venue.account, params.get("nonce", "")
        if call.headers.get("API-Key") != account.key:
            raise Refusal("key unknown")
        digest = hashlib.sha256((nonce + call.body).encode()).digest()
        secret = base64.b64decode(account.secret)
        expected = base64.b64encode(hmac.new(secret, call.path.encode() + digest, hashlib.sha512).digest()).decode()
        if not hmac.compare_digest(expected, call.headers.get("API-Sign", "")):
            raise Refusal("signature")
        if not nonce.isdigit() or int(nonce) <= account.last_nonce:
            raise Refusal("nonce")
        account.last_nonce = int(nonce)

    def failure(self, fault: Fault) -> Reply:
        """Answer as Kraken does when something breaks."""
        return kraken_errors.failure(fault)

    def heard(self, event: Event) -> None:
        """Tell the streams."""
        if len(self.sockets):
            self._streams.heard(event)

    def opened(self, socket: Socket) -> None:
        """Greet a connection."""
        self._streams.opened(socket)

    def received(self, socket: Socket, message: Json) -> None:
        """Answer a message."""
        self._streams.received(socket, message)
