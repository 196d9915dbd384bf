"""Kraken spot: ids in Kraken's form, look-ups by them, trades by trade id.

Source: Kraken's Spot REST documentation (`/0/private`), as ccxt 4.5.90 sends it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from engines.domain.orders import Order, OrderTicket, Side
from engines.errors import OrderRejected
from engines.execution.broker import VenueOrderStatus
from engines.execution.venues.ccxt_client import RECEIVE_WINDOW_MS, VenueClient
from engines.execution.venues.dialect import Execution, Exits, Market, Request, Sighting, force_at_venue
from engines.execution.venues.documents import amount, moment, side_of, table, text
from engines.execution.venues.failures import FailureTable, Unproven, codes
from engines.execution.venues.kraken_account import KrakenAccount, execution
from engines.execution.venues.kraken_ids import kraken_id, own_id

__all__ = ["FAILURES", "STATUS", "Kraken", "kraken_id", "own_id"]

_ORDER_ID: Final = re.compile(r"O[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{6}")
_TRADES_PER_QUERY: Final = 20
_LIMITS: Final = (
    *("EAPI:Rate limit exceeded", "EOrder:Rate limit exceeded"),
    *("EGeneral:Temporary lockout", "EGeneral:Too many requests"),
)

FAILURES: Final = FailureTable(
    refused={
        **codes("InsufficientFunds", "EOrder:Insufficient funds"),
        **codes("InvalidOrder", "EOrder:Order minimum not met", "EGeneral:Invalid arguments:price"),
        **codes("InvalidOrder", "EGeneral:Invalid arguments:volume"),
        **codes("InvalidOrder", "EGeneral:Invalid arguments:volume minimum not met"),
        **codes("BadRequest", "EGeneral:Invalid arguments"),
        **codes("BadSymbol", "EQuery:Invalid asset pair"),
        **codes("AuthenticationError", "EAPI:Invalid key"),
        **codes("DDoSProtection", *_LIMITS),
    },
    limited={429: frozenset({"RateLimitExceeded", "DDoSProtection"})},
    duplicates={"EOrder:Duplicate cl_ord_id": "Duplicate"},
    missing=frozenset({"EOrder:Unknown order"}),
)

STATUS: Final[Mapping[str, VenueOrderStatus]] = {
    "pending": "accepted",
    "open": "accepted",
    "closed": "filled",
    "canceled": "cancelled",
    "expired": "cancelled",
}


class Kraken:
    """Speaks Kraken through a client with keys."""

    name = "kraken"
    settling = timedelta(seconds=15)
    failures = FAILURES
    model = (
        "Kraken spot fills from its book: market and stop orders at the best prices there, limit orders at theirs or "
        "better, in parts where the book is thin. An order that reaches the engine more than five seconds late is "
        "refused. A stop-loss alone is held there once the entry has filled; a take-profit is not, nor both together."
    )

    def __init__(self, client: VenueClient) -> None:
        self._client = client
        self.account = KrakenAccount(client)

    def venue_id(self, client_order_id: str) -> str:
        """Our id in Kraken's form."""
        return kraken_id(client_order_id)

    def entry(self, ticket: OrderTicket, market: Market) -> Request:
        """`AddOrder`, with fees in quote currency, so that what was bought can be sold whole."""
        own = self._order(market, ticket.side, ticket.quantity, ticket.client_order_id)
        if ticket.order_type == "market":
            own |= {"ordertype": "market"}
        elif ticket.order_type == "limit" and ticket.limit_price is not None:
            price = self._client.price_text(market.symbol, ticket.limit_price)
            own |= {"ordertype": "limit", "price": price, "timeinforce": force_at_venue(ticket)}
        elif ticket.order_type == "stop" and ticket.stop_price is not None:
            own |= {"ordertype": "stop-loss", "price": self._client.price_text(market.symbol, ticket.stop_price)}
        else:
            raise OrderRejected(f"A {ticket.order_type} order without its price is none. Nothing was sent.")
        return Request("private_post_addorder", own)

    def carries_exits(self, entry: OrderTicket | Order) -> bool:
        """No: a conditional close is one exit only, under an id of Kraken's own, one for each execution."""
        del entry
        return False

    def follows_with_exits(self, entry: OrderTicket | Order) -> bool:
        """A stop-loss alone: two exits placed by themselves would each hold the same coins back."""
        exits = Exits.of(entry)
        return exits.stop_loss is not None and exits.take_profit is None

    def protection(self, exits: Exits, market: Market, held: Decimal) -> Request:
        """A stop-loss order."""
        if exits.stop_loss is None:
            raise OrderRejected("Kraken holds a stop-loss after the entry, and nothing else. Nothing was sent.")
        own = self._order(market, "sell", held, exits.ids[0])
        own |= {"ordertype": "stop-loss", "price": self._client.price_text(market.symbol, exits.stop_loss)}
        return Request("private_post_addorder", own)

    def _order(self, market: Market, side: Side, quantity: Decimal, client_order_id: str) -> dict[str, str]:
        latest = moment(Decimal(self._client.now_ms() + RECEIVE_WINDOW_MS))
        return {
            "pair": market.id,
            "type": side,
            "volume": self._client.quantity_text(market.symbol, quantity),
            "cl_ord_id": self.venue_id(client_order_id),
            "oflags": "fciq",
            "deadline": latest.isoformat(timespec="milliseconds"),
        }

    def acknowledged(self, ticket: OrderTicket, market: Market, reply: Any) -> Sighting:
        """The reply names Kraken's id only; that it is our order is proven by a look-up under our own."""
        named = table(reply, "result").get("txid")
        if not isinstance(named, list) or len(named) != 1 or not _ORDER_ID.fullmatch(str(named[0])):
            raise Unproven("Kraken's answer names no order.")
        seen = self.look_up(ticket.client_order_id, market)
        if seen is None or seen.venue_order_id != named[0]:
            raise Unproven(f"Kraken does not show order {named[0]} under our id yet")
        return seen

    def look_up(self, client_order_id: str, market: Market, since: datetime | None = None) -> Sighting | None:
        """By `cl_ord_id` among the open orders and then among all that ended."""
        del since
        kraken = self.venue_id(client_order_id)
        own = {"cl_ord_id": kraken, "trades": "true"}
        for method, name in (("private_post_openorders", "open"), ("private_post_closedorders", "closed")):
            found = table(self._client.call(method, own, "read"), "result", name)
            for order_id, row in found.items():
                # Kraken takes ids with and without dashes for the same.
                if not isinstance(row, dict) or str(row.get("cl_ord_id")).replace("-", "").lower() != kraken:
                    raise Unproven(f"Kraken's answer is not about order {client_order_id}.")
                if table(row, "descr").get("pair") in {market.id, market.alias}:
                    return _sighting(order_id, row, client_order_id, market)
        return None

    def executions(self, order: Sighting, market: Market) -> tuple[Execution, ...]:
        """`QueryTrades` for the trades that the order lists, twenty at a time."""
        found: dict[str, Execution] = {}
        for first in range(0, len(order.trade_ids), _TRADES_PER_QUERY):
            wanted = order.trade_ids[first : first + _TRADES_PER_QUERY]
            told = table(self._client.call("private_post_querytrades", {"txid": ",".join(wanted)}, "read", 2), "result")
            for trade_id, row in told.items():
                if trade_id in wanted and isinstance(row, dict) and row.get("ordertxid") == order.venue_order_id:
                    found[trade_id] = execution(trade_id, row, order.fee_currency)
        return tuple(sorted(found.values(), key=lambda each: (each.time, each.id)))

    def cancels_by_venue_id(self, client_order_id: str) -> bool:
        """No: every order of ours has our id."""
        del client_order_id
        return False

    def cancel(self, client_order_id: str, order: Sighting | None, market: Market) -> None:
        """`CancelOrder` by `cl_ord_id`, which Kraken's counter of requests leaves out."""
        del order, market
        own = {"cl_ord_id": self.venue_id(client_order_id)}
        self._client.call("private_post_cancelorder", own, "cancel", weight=0)

    def venue_time_ms(self) -> tuple[int, int]:
        """`Time`, in whole seconds."""
        told = table(self._client.call("public_get_time", {}, "read"), "result")
        return int(amount(told, "unixtime")) * 1000, 1000


def _sighting(order_id: str, row: Mapping[str, Any], client_order_id: str, market: Market) -> Sighting:
    descr = table(row, "descr")
    word, flags = text(row, "status"), str(row.get("oflags", "")).split(",")
    trades = row.get("trades") or []
    return Sighting(
        client_order_id=client_order_id,
        venue_order_id=order_id,
        word=word,
        status=STATUS.get(word),
        side=side_of(descr, "type"),
        quantity=amount(row, "vol"),
        executed=amount(row, "vol_exec"),
        trade_ids=tuple(str(each) for each in trades),
        fee_currency=market.base if "fcib" in flags else market.quote,
        by_request=row.get("reason") in {"User requested", "User canceled"},
    )
