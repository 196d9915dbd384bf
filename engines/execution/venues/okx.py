"""OKX spot: orders and look-ups by our id in OKX's form. It holds no exits for this desk, and takes no stop orders.

Source: OKX's v5 REST documentation, `trade` and `account`, trade mode `cash`, as ccxt 4.5.90 sends it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from engines.domain.orders import OrderTicket
from engines.errors import InvalidRequest, OrderRejected, VenueUnavailable
from engines.execution.broker import Balance, OpenOrder, VenueOrderStatus
from engines.execution.venues.budget import Use
from engines.execution.venues.ccxt_client import VenueClient
from engines.execution.venues.dialect import (
    Execution,
    Market,
    Request,
    Sighting,
    Trade,
    TradesByMarket,
    WithoutExits,
    force_at_venue,
)
from engines.execution.venues.documents import amount, moment, positive, rows, side_of, text
from engines.execution.venues.failures import CallFailed, FailureTable, NoAnswer, Unproven, codes

_OURS: Final = re.compile(r"qtp-([0-9a-f]{24})(?:-(sl|tp|g[st](?:[1-9][0-9]?)?))?")
_THEIRS: Final = re.compile(r"qtp([0-9a-f]{24})(sl|tp|g[st](?:[1-9][0-9]?)?)?")
_PAGE: Final = 100
_SPOT: Final = {"instType": "SPOT"}

FAILURES: Final = FailureTable(
    refused={
        **codes("InsufficientFunds", "51008", "51119", "51131"),
        **codes("InvalidOrder", "51006", "51020", "51116", "51121"),
        **codes("BadRequest", "51000"),
        **codes("BadSymbol", "51001"),
        **codes("AuthenticationError", "50103", "50111", "50113"),
        **codes("RateLimitExceeded", "50011"),
    },
    limited={429: frozenset({"RateLimitExceeded", "DDoSProtection"})},
    duplicates={"51016": ""},
    missing=frozenset({"51400", "51401", "51402", "51410", "51603"}),
)

STATUS: Final[Mapping[str, VenueOrderStatus]] = {
    "live": "accepted",
    "partially_filled": "partially_filled",
    "filled": "filled",
    "canceled": "cancelled",
    "mmp_canceled": "cancelled",
}


def okx_id(client_order_id: str) -> str:
    """Our id in letters and digits alone; `own_id` reads it back.

    Raises:
        InvalidRequest: it is not an id of this desk.
    """
    ours = _OURS.fullmatch(client_order_id)
    if ours is None:
        raise InvalidRequest(f"OKX cannot take the order id {client_order_id!r}: it is not one of this desk's.")
    return f"qtp{ours[1]}{ours[2] or ''}"


def own_id(okx: str) -> str | None:
    """Our id behind one of OKX's; None when the order is not ours."""
    theirs = _THEIRS.fullmatch(okx)
    if theirs is None:
        return None
    return f"qtp-{theirs[1]}-{theirs[2]}" if theirs[2] else f"qtp-{theirs[1]}"


class Okx(WithoutExits):
    """Speaks OKX through a client with keys."""

    name = "okx"
    settling = timedelta(seconds=15)
    failures = FAILURES
    model = (
        "OKX spot fills from its book: market orders at the best prices there, limit orders at theirs or better, in "
        "parts where the book is thin. This desk sends it no stop orders, and stop-loss and take-profit are not held "
        "there."
    )

    def __init__(self, client: VenueClient) -> None:
        self._client = client
        self.account = OkxAccount(client)

    def venue_id(self, client_order_id: str) -> str:
        """Our id in OKX's form."""
        return okx_id(client_order_id)

    def entry(self, ticket: OrderTicket, market: Market) -> Request:
        """`trade/order`; the quantity is told to be base units, for a market buy's would be read as quote."""
        own = {
            "instId": market.id,
            "tdMode": "cash",
            "clOrdId": self.venue_id(ticket.client_order_id),
            "side": ticket.side,
            "sz": self._client.quantity_text(market.symbol, ticket.quantity),
        }
        if ticket.order_type == "market":
            return Request("private_post_trade_order", own | {"ordType": "market", "tgtCcy": "base_ccy"})
        if ticket.order_type == "limit" and ticket.limit_price is not None:
            kind = {"IOC": "ioc", "FOK": "fok"}.get(force_at_venue(ticket), "limit")
            price = self._client.price_text(market.symbol, ticket.limit_price)
            return Request("private_post_trade_order", own | {"ordType": kind, "px": price})
        raise OrderRejected(f"This desk sends no {ticket.order_type} orders to OKX. Nothing was sent.")

    def acknowledged(self, ticket: OrderTicket, market: Market, reply: Any) -> Sighting:
        """The reply names the order and nothing else; how it stands is looked up, or open until it shows."""
        order_id, named = ticket.client_order_id, _only(reply)
        if named.get("sCode") != "0" or named.get("clOrdId") != self.venue_id(order_id):
            raise Unproven(f"OKX's answer is not about order {order_id}.")
        known = text(named, "ordId")
        try:
            seen = self.look_up(order_id, market)
        except (NoAnswer, VenueUnavailable):
            seen = None
        return seen or Sighting(order_id, known, "live", "accepted", ticket.side, ticket.quantity, Decimal(0))

    def look_up(self, client_order_id: str, market: Market, since: datetime | None = None) -> Sighting | None:
        """By `clOrdId`; where that finds nothing, among the open ones and those of the last three months."""
        del since
        own = {"instId": market.id, "clOrdId": self.venue_id(client_order_id)}
        try:
            return _sighting(_only(self._client.call("private_get_trade_order", own, "read")), client_order_id, market)
        except CallFailed as failure:
            if FAILURES.reading(failure) != "missing":
                raise
        listed = _SPOT | {"instId": market.id}
        for method in ("orders_pending", "orders_history", "orders_history_archive"):
            for row in pages(self._client, f"private_get_trade_{method}", listed, "ordId"):
                if row.get("clOrdId") == own["clOrdId"]:
                    return _sighting(row, client_order_id, market)
        return None

    def executions(self, order: Sighting, market: Market) -> tuple[Execution, ...]:
        """`trade/fills` of one order, which goes back three days, then `trade/fills-history`."""
        own = _SPOT | {"instId": market.id, "ordId": order.venue_order_id}
        found: dict[str, Execution] = {}
        for method in ("fills", "fills_history"):
            for row in pages(self._client, f"private_get_trade_{method}", own, "billId"):
                if text(row, "ordId") == order.venue_order_id:
                    each = execution(row)
                    found[each.id] = each
            if sum((each.quantity for each in found.values()), Decimal(0)) == order.executed:
                break
        return tuple(sorted(found.values(), key=lambda each: (each.time, each.id)))

    def cancels_by_venue_id(self, client_order_id: str) -> bool:
        """No: every order of ours has our id."""
        del client_order_id
        return False

    def cancel(self, client_order_id: str, order: Sighting | None, market: Market) -> None:
        """`trade/cancel-order` by `clOrdId`."""
        del order
        own = {"instId": market.id, "clOrdId": self.venue_id(client_order_id)}
        self._client.call("private_post_trade_cancel_order", own, "cancel")

    def venue_time_ms(self) -> tuple[int, int]:
        """`public/time`, in milliseconds."""
        return int(amount(_only(self._client.call("public_get_public_time", {}, "read")), "ts")), 1


class OkxAccount(TradesByMarket):
    """Reads the account through a client with keys."""

    def __init__(self, client: VenueClient) -> None:
        self._client = client

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """`orders-pending` of all spot markets; conditional orders of others are not among them."""
        found = pages(self._client, "private_get_trade_orders_pending", _SPOT, "ordId", use="survey")
        return tuple(self._open(row) for row in found)

    def balances(self) -> dict[str, Balance]:
        """`account/balance`."""
        told = rows(_only(self._client.call("private_get_account_balance", {}, "survey")), "details")
        return {
            self._client.currency_of(text(row, "ccy")): Balance(amount(row, "cashBal"), amount(row, "availBal"))
            for row in told
            if amount(row, "cashBal")
        }

    def _trades_on(self, market: Market, after_ms: int) -> tuple[Trade, ...]:
        """`trade/fills-history`, which goes back three months, and `trade/fills` for what is not there yet."""
        own = _SPOT | {"instId": market.id, "begin": str(after_ms)}
        found: dict[str, Trade] = {}
        for method in ("fills_history", "fills"):
            for row in pages(self._client, f"private_get_trade_{method}", own, "billId", use="survey"):
                each = execution(row)
                if amount(row, "ts") >= after_ms:
                    found[each.id] = Trade(_placed_under(row) or text(row, "ordId"), side_of(row, "side"), each)
        return tuple(found.values())

    def _open(self, row: Mapping[str, Any]) -> OpenOrder:
        price = positive(row, "px")
        quantity = amount(row, "sz")
        if row.get("tgtCcy") == "quote_ccy" and price is not None:
            # Only orders of others are told in quote currency: about so much of the base.
            quantity = quantity / price
        return OpenOrder(
            client_order_id=_placed_under(row),
            venue_order_id=text(row, "ordId"),
            symbol=self._client.symbol_of(text(row, "instId")),
            side=side_of(row, "side"),
            order_type="market" if row.get("ordType") == "market" else "limit",
            quantity=quantity,
            filled=amount(row, "accFillSz"),
            limit_price=price,
        )


def pages(
    client: VenueClient, method: str, own: Mapping[str, str], cursor: str, *, use: Use = "read"
) -> Iterator[Mapping[str, Any]]:
    """Every row of a list, newest first; the next page is asked for by the id that the last one ended with."""
    seen: set[str] = set()
    after: dict[str, str] = {}
    while True:
        page = rows(client.call(method, {**own, **after, "limit": str(_PAGE)}, use), "data")
        yield from page
        if len(page) < _PAGE:
            return
        last = text(page[-1], cursor)
        if last in seen:
            raise Unproven("OKX's pages lead in a circle.")
        seen.add(last)
        after = {"after": last}


def execution(row: Mapping[str, Any]) -> Execution:
    """A row of the fills; OKX counts trades per market and tells a fee as what it adds to the account."""
    return Execution(
        id=f"{text(row, 'instId')}-{text(row, 'tradeId')}",
        price=amount(row, "fillPx"),
        quantity=amount(row, "fillSz"),
        fee=-amount(row, "fee"),
        fee_currency=text(row, "feeCcy"),
        time=moment(amount(row, "ts")),
    )


def _only(reply: Any) -> Mapping[str, Any]:
    found = rows(reply, "data")
    if len(found) != 1:
        raise Unproven(f"OKX's answer has {len(found)} entries where one is due.")
    return found[0]


def _placed_under(row: Mapping[str, Any]) -> str:
    theirs = str(row.get("clOrdId") or "")
    return own_id(theirs) or theirs


def _sighting(row: Mapping[str, Any], client_order_id: str, market: Market) -> Sighting:
    """An order document, of which it is proven that it is ours."""
    if row.get("clOrdId") != okx_id(client_order_id) or row.get("instId") != market.id:
        raise Unproven(f"OKX's answer is not about order {client_order_id}.")
    word = text(row, "state")
    return Sighting(
        client_order_id=client_order_id,
        venue_order_id=text(row, "ordId"),
        word=word,
        status=STATUS.get(word),
        side=side_of(row, "side"),
        quantity=amount(row, "sz"),
        executed=amount(row, "accFillSz"),
        by_request=row.get("cancelSource") == "1",
    )
