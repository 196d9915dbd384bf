"""Bybit spot: orders with attached exits, and look-ups in two places.

Source: Bybit's v5 REST documentation, category `spot`, as ccxt 4.5.90 sends it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from engines.domain.orders import Order, OrderTicket
from engines.errors import InvalidRequest, OrderRejected, VenueUnavailable
from engines.execution.broker import VenueOrderStatus
from engines.execution.venues.bybit_account import BybitAccount, BybitPages, execution, exit_id
from engines.execution.venues.ccxt_client import VenueClient
from engines.execution.venues.dialect import Execution, Exits, Market, Request, Sighting, force_at_venue
from engines.execution.venues.documents import amount, side_of, table, text
from engines.execution.venues.failures import CallFailed, FailureTable, NoAnswer, Unproven, codes

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,36}")
_EXIT: Final = re.compile(r"(.+)-(sl|tp)")

FAILURES: Final = FailureTable(
    refused={
        **codes("InsufficientFunds", "170131"),
        # Not here: 170146 "creation timeout", 170035 "submitted for processing", and what speaks of other orders.
        **codes("InvalidOrder", "170115", "170116", "170117", "170121", "170124", "170132", "170133", "170134"),
        **codes("InvalidOrder", "170135", "170136", "170137", "170140", "170148", "170151", "170210", "170218"),
        **codes("BadRequest", "10001", "170105", "170130"),
        **codes("AuthenticationError", "10003", "10004"),
        **codes("RateLimitExceeded", "10006", "170222"),
    },
    limited={403: frozenset({"RateLimitExceeded"}), 429: frozenset({"RateLimitExceeded", "DDoSProtection"})},
    duplicates={"170141": "Duplicate"},
    missing=frozenset({"170213"}),
)

STATUS: Final[Mapping[str, VenueOrderStatus]] = {
    "New": "accepted",
    "Untriggered": "accepted",
    "Triggered": "accepted",
    "PartiallyFilled": "partially_filled",
    "Filled": "filled",
    "Cancelled": "cancelled",
    "PartiallyFilledCanceled": "cancelled",
    "Deactivated": "cancelled",
    "Rejected": "rejected",
}


class Bybit:
    """Speaks Bybit through a client with keys."""

    name = "bybit"
    settling = timedelta(seconds=15)
    failures = FAILURES
    model = (
        "Bybit spot fills from its book: market and stop orders at the best prices there, limit orders at theirs or "
        "better, in parts where the book is thin. A limit entry carries its stop-loss and take-profit, which sell at "
        "the market what the entry left after its fee; after other entries a stop-loss is held there, unless "
        "there is a take-profit, too."
    )

    def __init__(self, client: VenueClient) -> None:
        self._client = client
        self._pages = BybitPages(client)
        self.account = BybitAccount(client)

    def venue_id(self, client_order_id: str) -> str:
        """Our own id: Bybit takes up to 36 characters."""
        if not _ID.fullmatch(client_order_id):
            raise InvalidRequest(f"Bybit cannot take the order id {client_order_id!r}.")
        return client_order_id

    def entry(self, ticket: OrderTicket, market: Market) -> Request:
        """`order/create`; the quantity is told to be base units, for a market buy's would be read as quote."""
        own = {
            **_of(market),
            "side": "Buy" if ticket.side == "buy" else "Sell",
            "qty": self._client.quantity_text(market.symbol, ticket.quantity),
            "orderLinkId": self.venue_id(ticket.client_order_id),
        }
        if ticket.order_type == "limit" and ticket.limit_price is not None:
            price = self._client.price_text(market.symbol, ticket.limit_price)
            own |= {"orderType": "Limit", "price": price, "timeInForce": force_at_venue(ticket)}
            return Request("private_post_v5_order_create", own | self._exits(ticket, market))
        own |= {"orderType": "Market", "marketUnit": "baseCoin"}
        if ticket.order_type == "stop" and ticket.stop_price is not None:
            trigger = self._client.price_text(market.symbol, ticket.stop_price)
            own |= {"triggerPrice": trigger, "orderFilter": "StopOrder"}
        elif ticket.order_type != "market":
            raise OrderRejected(f"A {ticket.order_type} order without its price is none. Nothing was sent.")
        return Request("private_post_v5_order_create", own)

    def carries_exits(self, entry: OrderTicket | Order) -> bool:
        """Only a buy at a limit can carry exits."""
        return bool(Exits.of(entry).ids) and entry.order_type == "limit"

    def follows_with_exits(self, entry: OrderTicket | Order) -> bool:
        """A stop-loss alone: two exits placed by themselves would each hold the same coins back."""
        exits = Exits.of(entry)
        return exits.stop_loss is not None and exits.take_profit is None

    def protection(self, exits: Exits, market: Market, held: Decimal) -> Request:
        """A conditional order that sells at the market."""
        if exits.stop_loss is None:
            raise OrderRejected("Bybit holds a stop-loss after the entry, and nothing else. Nothing was sent.")
        own = {
            **_of(market),
            "side": "Sell",
            "qty": self._client.quantity_text(market.symbol, held),
            "orderLinkId": self.venue_id(exits.ids[0]),
            "orderType": "Market",
            "marketUnit": "baseCoin",
            "triggerPrice": self._client.price_text(market.symbol, exits.stop_loss),
            "orderFilter": "StopOrder",
        }
        return Request("private_post_v5_order_create", own)

    def acknowledged(self, ticket: OrderTicket, market: Market, reply: Any) -> Sighting:
        """The reply names the order and nothing else; how it stands is looked up, or open until it shows."""
        order_id, named = ticket.client_order_id, table(reply, "result")
        if named.get("orderLinkId") != self.venue_id(order_id):
            raise Unproven(f"Bybit's answer is not about order {order_id}.")
        known = text(named, "orderId")
        try:
            seen = self.look_up(order_id, market, ticket.created_at)
        except (NoAnswer, VenueUnavailable):
            seen = None
        return seen or Sighting(order_id, known, "New", "accepted", ticket.side, ticket.quantity, Decimal(0))

    def look_up(self, client_order_id: str, market: Market, since: datetime | None = None) -> Sighting | None:
        """Among the live orders, then week by week among those that ended, then among the trades."""
        own = _of(market)
        if _EXIT.fullmatch(self.venue_id(client_order_id)):
            for row in self._pages.orders(own | {"orderFilter": "tpslOrder"}, since):
                if exit_id(row) == client_order_id:
                    return _sighting(row, client_order_id, market, ours=False)
        own |= {"orderLinkId": client_order_id}
        for row in self._pages.orders(own, since):
            return _sighting(row, client_order_id, market, ours=True)
        if any(self._pages.by_week("private_get_v5_execution_list", own, since)):
            raise Unproven(f"Bybit lists trades of order {client_order_id} and does not show the order.")
        return None

    def executions(self, order: Sighting, market: Market) -> tuple[Execution, ...]:
        """`execution/list` of one order, page after page and week by week until they add up."""
        own = _of(market) | {"orderId": order.venue_order_id}
        found: dict[str, Execution] = {}
        for row in self._pages.by_week("private_get_v5_execution_list", own):
            if text(row, "orderId") == order.venue_order_id:
                found[text(row, "execId")] = execution(row)
            if sum((each.quantity for each in found.values()), Decimal(0)) == order.executed:
                break
        return tuple(sorted(found.values(), key=lambda each: (each.time, each.id)))

    def cancels_by_venue_id(self, client_order_id: str) -> bool:
        """True for exits: to those that an entry carried Bybit gives no id of ours."""
        return _EXIT.fullmatch(client_order_id) is not None

    def cancel(self, client_order_id: str, order: Sighting | None, market: Market) -> None:
        """`order/cancel` by `orderLinkId`, or by Bybit's own id where that is the only one.

        Bybit looks for an order among those of one kind, plain ones unless told otherwise.
        """
        named = {"orderId": order.venue_order_id} if order else {"orderLinkId": self.venue_id(client_order_id)}
        own = _of(market) | named
        first, second = ({"orderFilter": "tpslOrder"} if order else {}), {"orderFilter": "StopOrder"}
        try:
            self._client.call("private_post_v5_order_cancel", own | first, "cancel")
        except CallFailed as failure:
            if FAILURES.reading(failure) != "missing":
                raise
            self._client.call("private_post_v5_order_cancel", own | second, "cancel")

    def venue_time_ms(self) -> tuple[int, int]:
        """`market/time`, told in nanoseconds."""
        told = table(self._client.call("public_get_v5_market_time", {}, "read"), "result")
        return int(amount(told, "timeNano") // 1_000_000), 1

    def _exits(self, ticket: OrderTicket, market: Market) -> dict[str, str]:
        """Both sell at the market: a take-profit that rests at a limit would have cost the stop-loss already."""
        exits: dict[str, str] = {}
        if not self.carries_exits(ticket):
            return exits
        if ticket.take_profit is not None:
            price = self._client.price_text(market.symbol, ticket.take_profit)
            exits |= {"takeProfit": price, "tpOrderType": "Market"}
        if ticket.stop_loss is not None:
            price = self._client.price_text(market.symbol, ticket.stop_loss)
            exits |= {"stopLoss": price, "slOrderType": "Market"}
        return exits


def _of(market: Market) -> dict[str, str]:
    return {"category": "spot", "symbol": market.id}


def _sighting(row: Mapping[str, Any], client_order_id: str, market: Market, *, ours: bool) -> Sighting:
    """An order document, of which it is proven that it is ours."""
    if row.get("symbol") != market.id or (ours and row.get("orderLinkId") != client_order_id):
        raise Unproven(f"Bybit's answer is not about order {client_order_id}.")
    word = text(row, "orderStatus")
    return Sighting(
        client_order_id=client_order_id,
        venue_order_id=text(row, "orderId"),
        word=word,
        status=STATUS.get(word),
        side=side_of(row, "side"),
        quantity=amount(row, "qty"),
        executed=amount(row, "cumExecQty"),
        by_request=row.get("cancelType") == "CancelByUser" or row.get("rejectReason") == "EC_PerCancelRequest",
    )
