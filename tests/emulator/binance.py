"""The dialect of Binance spot: REST v3, its streams and its WebSocket API."""

from __future__ import annotations

from collections.abc import Callable

from . import binance_errors
from .binance_account import BinanceAccount
from .binance_market import BinanceMarket
from .binance_signing import check_key, check_request
from .binance_streams import BinanceStreams
from .dialect import Dialect
from .events import Event
from .exchanges import Call, Json, Reply
from .faults import Fault
from .orders import Refusal
from .sockets import Socket
from .venue import Venue

Handler = Callable[[dict[str, str]], Json]
PREFIX = "/api/v3/"


class Binance(Dialect):
    """Routes requests by method and path below `/api/v3/`."""

    id_fields = frozenset({"orderId", "orderListId"})
    client_id_fields = frozenset({"clientOrderId", "listClientOrderId"})
    status_fields = frozenset({"status", "X"})

    def __init__(self, venue: Venue) -> None:
        super().__init__(venue)
        market = BinanceMarket(self)
        account = BinanceAccount(self, market)
        self._streams = streams = BinanceStreams(self, market)
        self._public: dict[str, tuple[str, Handler]] = {
            "GET ping": ("time", market.ping),
            "GET time": ("time", market.time),
            "GET exchangeInfo": ("markets", market.information),
            "GET depth": ("book", market.depth),
            "GET trades": ("trades", market.trades),
            "GET aggTrades": ("trades", market.aggregated),
            "GET klines": ("candles", market.klines),
            "GET ticker/24hr": ("ticker", market.day),
            "GET ticker/price": ("ticker", market.price),
            "GET ticker/bookTicker": ("ticker", market.quotes),
        }
        self._keyed: dict[str, tuple[str, Handler]] = {
            "POST userDataStream": ("stream_key", streams.new_listen_key),
            "PUT userDataStream": ("stream_key", streams.keep_listen_key),
            "DELETE userDataStream": ("stream_key", streams.drop_listen_key),
        }
        self._signed = _signed_routes(account)
        self._all = self._public | self._keyed | self._signed

    def route(self, call: Call) -> str:
        """Name what a request is for."""
        return self._all.get(_key(call), ("other", None))[0]

    def answer(self, call: Call) -> Reply:
        """Check the key and the signature where the route asks for them, then do it."""
        key, params = _key(call), call.params()
        if key not in self._all or not call.path.startswith(PREFIX):
            return Reply(text=f"<html><body>404 {call.path}</body></html>", status=404, kind="text/html")
        try:
            if key in self._signed:
                check_request(self.venue, call, params)
            elif key in self._keyed:
                check_key(self.venue, call.headers.get("X-MBX-APIKEY"))
            content = self._all[key][1](params)
        except Refusal as refusal:
            return binance_errors.refused(refusal)
        return content if isinstance(content, Reply) else Reply(content)

    def failure(self, fault: Fault) -> Reply:
        """Answer as Binance does when something breaks."""
        return binance_errors.failure(fault)

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


def _key(call: Call) -> str:
    return f"{call.method} {call.path.removeprefix(PREFIX)}"


def _signed_routes(account: BinanceAccount) -> dict[str, tuple[str, Handler]]:
    return {
        "GET account": ("balances", account.account),
        "GET account/commission": ("balances", account.commission),
        "POST order": ("create", account.create),
        "POST order/test": ("test", account.test),
        "GET order": ("lookup", account.lookup),
        "DELETE order": ("cancel", account.cancel),
        "PUT order/amend/keepPriority": ("amend", account.amend),
        "POST order/cancelReplace": ("amend", account.replace),
        "GET openOrders": ("open_orders", account.open_orders),
        "DELETE openOrders": ("cancel_all", account.cancel_all),
        "GET allOrders": ("closed_orders", account.all_orders),
        "GET myTrades": ("fills", account.fills),
        "POST order/oco": ("create", account.old_oco),
        "POST orderList/oco": ("create", account.oco),
        "POST orderList/oto": ("create", account.oto),
        "POST orderList/otoco": ("create", account.otoco),
        "GET orderList": ("lookup", account.list_lookup),
        "GET allOrderList": ("closed_orders", account.lists),
        "GET openOrderList": ("open_orders", account.open_lists),
        "DELETE orderList": ("cancel", account.cancel_list),
    }
