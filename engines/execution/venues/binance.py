"""Binance spot: orders, lists and look-ups.

Source: Binance's Spot REST documentation (`/api/v3`), as ccxt 4.5.90 sends it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from engines.domain.orders import Order, OrderTicket
from engines.errors import InvalidRequest, OrderRejected
from engines.execution.broker import VenueOrderStatus, protective_ids
from engines.execution.venues.binance_account import BinanceAccount, execution
from engines.execution.venues.ccxt_client import VenueClient
from engines.execution.venues.dialect import Execution, Exits, Market, Request, Sighting, force_at_venue
from engines.execution.venues.documents import amount, rows, side_of, table, text
from engines.execution.venues.failures import CallFailed, FailureTable, Unproven, codes

_ID: Final = re.compile(r"[A-Za-z0-9_.:/-]{1,36}")
_PAGE: Final = 1_000

FAILURES: Final = FailureTable(
    refused={
        "-2010": frozenset({"InsufficientFunds", "InvalidOrder", "OrderImmediatelyFillable"}),
        # ccxt calls a broken filter one or the other, by the filter's name.
        "-1013": frozenset({"InvalidOrder", "BadRequest"}),
        **codes("BadRequest", "-1100", "-1102", "-1106", "-1111", "-1115", "-1116", "-1117", "-1131"),
        **codes("BadSymbol", "-1121"),
        **codes("AuthenticationError", "-1022", "-2014", "-2015"),
    },
    limited={429: frozenset({"DDoSProtection"}), 418: frozenset({"DDoSProtection"})},
    # The same code says "Stop price would trigger immediately." and much else.
    duplicates={"-2010": "Duplicate order"},
    missing=frozenset({"-2013", "-2011"}),
)

STATUS: Final[Mapping[str, VenueOrderStatus]] = {
    "NEW": "accepted",
    "PENDING_NEW": "accepted",
    "PENDING_CANCEL": "accepted",
    "PARTIALLY_FILLED": "partially_filled",
    "FILLED": "filled",
    "CANCELED": "cancelled",
    "EXPIRED": "cancelled",
    "EXPIRED_IN_MATCH": "cancelled",
    "REJECTED": "rejected",
}


class Binance:
    """Speaks Binance through a client with keys."""

    name = "binance"
    settling = timedelta(seconds=15)
    failures = FAILURES
    model = (
        "Binance spot fills from its book: market and stop orders at the best prices there, limit orders at theirs or "
        "better, in parts where the book is thin. A limit entry carries its stop-loss and take-profit as one order "
        "list that starts when it has filled whole; after market and stop entries they follow as a list."
    )

    def __init__(self, client: VenueClient) -> None:
        self._client = client
        self.account = BinanceAccount(client)

    def venue_id(self, client_order_id: str) -> str:
        """Our own id: Binance takes up to 36 characters."""
        if not _ID.fullmatch(client_order_id):
            raise InvalidRequest(f"Binance cannot take the order id {client_order_id!r}.")
        return client_order_id

    def entry(self, ticket: OrderTicket, market: Market) -> Request:
        """`order`, or `orderList/oto` and `orderList/otoco` for a limit entry with exits."""
        own = self._order(ticket, market)
        if not self.carries_exits(ticket):
            named = {"symbol": market.id, "newClientOrderId": self.venue_id(ticket.client_order_id)}
            return Request("private_post_order", named | own | {"newOrderRespType": "FULL"})
        net = ticket.quantity * (1 - market.taker_fee) // market.lot_size * market.lot_size
        working = {f"working{name[0].upper()}{name[1:]}": value for name, value in own.items()}
        working["workingClientOrderId"] = self.venue_id(ticket.client_order_id)
        return self._list(Exits.of(ticket), market, net, first=working)

    def carries_exits(self, entry: OrderTicket | Order) -> bool:
        """Only a buy at a limit can be the first order of a list."""
        return bool(Exits.of(entry).ids) and entry.order_type == "limit"

    def follows_with_exits(self, entry: OrderTicket | Order) -> bool:
        """A list of exits is an order of its own."""
        return bool(Exits.of(entry).ids)

    def protection(self, exits: Exits, market: Market, held: Decimal) -> Request:
        """An OCO list, or the one exit there is, for what a filled entry left."""
        return self._list(exits, market, held, first=None)

    def acknowledged(self, ticket: OrderTicket, market: Market, reply: Any) -> Sighting:
        """The entry in the reply to an order or a list."""
        if self.carries_exits(ticket):
            for row in rows(reply, "orderReports"):
                if row.get("clientOrderId") == ticket.client_order_id:
                    return _sighting(row, ticket.client_order_id, market)
            raise Unproven("The order list in Binance's answer does not name our order.")
        return _sighting(table(reply), ticket.client_order_id, market)

    def look_up(self, client_order_id: str, market: Market, since: datetime | None = None) -> Sighting | None:
        """By `origClientOrderId`; where that finds nothing, among the open ones and the newest of all."""
        del since
        own = {"symbol": market.id, "origClientOrderId": self.venue_id(client_order_id)}
        try:
            return _sighting(table(self._client.call("private_get_order", own, "read", 4)), client_order_id, market)
        except CallFailed as failure:
            if FAILURES.reading(failure) != "missing":
                raise
        listed = rows(self._client.call("private_get_openorders", {"symbol": market.id}, "read", 6))
        every = {"symbol": market.id, "limit": str(_PAGE)}
        listed = [*listed, *rows(self._client.call("private_get_allorders", every, "read", 20))]
        found = [row for row in listed if row.get("clientOrderId") == client_order_id]
        return _sighting(found[-1], client_order_id, market) if found else None

    def executions(self, order: Sighting, market: Market) -> tuple[Execution, ...]:
        """`myTrades` of one order, page after page by trade id."""
        found: dict[str, Execution] = {}
        # Without a first id the newest thousand are told, and older ones never.
        since = 0
        while True:
            of_order = {"symbol": market.id, "orderId": order.venue_order_id}
            params = of_order | {"fromId": str(since), "limit": str(_PAGE)}
            page = rows(self._client.call("private_get_mytrades", params, "read", 5))
            own = [row for row in page if text(row, "orderId") == order.venue_order_id]
            found |= {text(row, "id"): execution(row, market) for row in own}
            if len(page) < _PAGE:
                return tuple(found.values())
            if int(amount(page[-1], "id")) < since:
                raise Unproven("Binance's pages of trades do not go on.")
            since = int(amount(page[-1], "id")) + 1

    def cancels_by_venue_id(self, client_order_id: str) -> bool:
        """No: every order of ours has our id."""
        del client_order_id
        return False

    def cancel(self, client_order_id: str, order: Sighting | None, market: Market) -> None:
        """`DELETE order` by `origClientOrderId`."""
        del order
        own = {"symbol": market.id, "origClientOrderId": self.venue_id(client_order_id)}
        self._client.call("private_delete_order", own, "cancel")

    def venue_time_ms(self) -> tuple[int, int]:
        """`time`, in milliseconds."""
        return int(amount(table(self._client.call("public_get_time", {}, "read")), "serverTime")), 1

    def _order(self, ticket: OrderTicket, market: Market) -> dict[str, str]:
        """Side, type, quantity and prices; a market order carries no price: it would become an amount of quote."""
        quantity = self._client.quantity_text(market.symbol, ticket.quantity)
        own = {"side": ticket.side.upper(), "quantity": quantity}
        if ticket.order_type == "market":
            return own | {"type": "MARKET"}
        if ticket.order_type == "limit" and ticket.limit_price is not None:
            price = self._client.price_text(market.symbol, ticket.limit_price)
            return own | {"type": "LIMIT", "price": price, "timeInForce": force_at_venue(ticket)}
        if ticket.order_type == "stop" and ticket.stop_price is not None:
            _require(market, "STOP_LOSS")
            return own | {"type": "STOP_LOSS", "stopPrice": self._client.price_text(market.symbol, ticket.stop_price)}
        raise OrderRejected(f"A {ticket.order_type} order without its price is none. Nothing was sent.")

    def _list(self, exits: Exits, market: Market, held: Decimal, *, first: dict[str, str] | None) -> Request:
        """The exits of an entry, each under its own id."""
        stop_id, target_id = protective_ids(exits.client_order_id)
        below, above = exits.stop_loss, exits.take_profit
        stop = {} if below is None else self._stop(market, below, stop_id)
        target = {} if above is None else self._target(market, above, target_id)
        shared = {"side": "SELL", "quantity": self._client.quantity_text(market.symbol, held)}
        head = {"symbol": market.id, "newOrderRespType": "FULL"}
        if first is None and not (stop and target):
            single = {_lower(name): value for name, value in (stop or target).items()}
            single["newClientOrderId"] = single.pop("clientOrderId")
            return Request("private_post_order", head | shared | single)
        head |= first or {}
        head["listClientOrderId"] = self.venue_id(f"{exits.client_order_id}-ls")
        if first is not None and not (stop and target):
            pending = {f"pending{name}": value for name, value in (stop or target).items()}
            pending |= {"pendingSide": "SELL", "pendingQuantity": shared["quantity"]}
            return Request("private_post_orderlist_oto", head | pending)
        prefix = ("above", "below") if first is None else ("pendingAbove", "pendingBelow")
        legs = {f"{prefix[0]}{name}": value for name, value in target.items()}
        legs |= {f"{prefix[1]}{name}": value for name, value in stop.items()}
        if first is None:
            return Request("private_post_orderlist_oco", head | shared | legs)
        legs |= {"pendingSide": "SELL", "pendingQuantity": shared["quantity"]}
        return Request("private_post_orderlist_otoco", head | legs)

    def _stop(self, market: Market, at: Decimal, order_id: str) -> dict[str, str]:
        _require(market, "STOP_LOSS")
        price = self._client.price_text(market.symbol, at)
        return {"Type": "STOP_LOSS", "StopPrice": price, "ClientOrderId": self.venue_id(order_id)}

    def _target(self, market: Market, at: Decimal, order_id: str) -> dict[str, str]:
        price = self._client.price_text(market.symbol, at)
        return {"Type": "LIMIT_MAKER", "Price": price, "ClientOrderId": self.venue_id(order_id)}


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


def _require(market: Market, kind: str) -> None:
    if market.order_types and kind not in market.order_types:
        raise OrderRejected(f"Binance takes no {kind} orders on {market.symbol}. Nothing was sent.")


def _sighting(row: Mapping[str, Any], client_order_id: str, market: Market) -> Sighting:
    """An order document, of which it is proven that it is ours."""
    if row.get("clientOrderId") != client_order_id or row.get("symbol") != market.id:
        raise Unproven(f"Binance's answer is not about order {client_order_id}.")
    word, executed = text(row, "status"), amount(row, "executedQty")
    listed = row.get("fills")
    executions = None
    if isinstance(listed, list) and all(isinstance(each, dict) and "tradeId" in each for each in listed):
        time = row.get("transactTime")
        executions = tuple(execution({**each, "id": each["tradeId"], "time": time}, market) for each in listed)
    return Sighting(
        client_order_id=client_order_id,
        venue_order_id=text(row, "orderId"),
        word=word,
        status=STATUS.get(word),
        side=side_of(row, "side"),
        quantity=amount(row, "origQty"),
        executed=executed,
        executions=executions,
        # By its rules, and what the exchange itself ends, it calls EXPIRED.
        by_request=word == "CANCELED",
    )
