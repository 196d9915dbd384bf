"""Coinbase Advanced Trade: orders by configuration, look-ups in the list of orders, cancels by Coinbase's id.

It takes market orders to buy by their cost only, so this desk sends none: a limit order that is good at once (`IOC`)
says what a person would pay at most. It holds no exits for this desk, and takes no stop orders without a limit.

Source: Coinbase's Advanced Trade REST documentation (`/api/v3/brokerage`), as ccxt 4.5.90 sends it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
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
from engines.execution.venues.documents import amount, moment, positive, rows, side_of, table, text
from engines.execution.venues.failures import CallFailed, FailureTable, NoAnswer, Unproven

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_PAGE: Final = 250
_MOST_PAGES: Final = 40
_ORDERS: Final = "v3_private_get_brokerage_orders_historical_batch"
_FILLS: Final = "v3_private_get_brokerage_orders_historical_fills"

_PLAIN: Final = frozenset({"ExchangeError"})
FAILURES: Final = FailureTable(
    refused={
        # ccxt knows few of the words and gives the others its plainest class: the word itself is the proof.
        "PREVIEW_INSUFFICIENT_FUND": frozenset({"InsufficientFunds"}),
        "INSUFFICIENT_FUND": _PLAIN | {"InsufficientFunds"},
        "UNSUPPORTED_ORDER_CONFIGURATION": _PLAIN | {"BadRequest"},
        "INVALID_ARGUMENT": frozenset({"BadRequest"}),
        "INVALID_PRICE_PRECISION": _PLAIN,
        "INVALID_SIZE_PRECISION": _PLAIN,
        "INVALID_LIMIT_PRICE": _PLAIN,
        "INVALID_PRODUCT_ID": _PLAIN,
        "INVALID_SIDE": _PLAIN,
        "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL": _PLAIN,
        "PREVIEW_INVALID_BASE_SIZE_TOO_LARGE": _PLAIN,
        "PREVIEW_INVALID_ORDER_CONFIG": _PLAIN,
        "PREVIEW_INVALID_LIMIT_PRICE": _PLAIN,
        "unauthorized": frozenset({"AuthenticationError"}),
        "PERMISSION_DENIED": frozenset({"PermissionDenied"}),
        "rate_limit_exceeded": frozenset({"RateLimitExceeded"}),
    },
    limited={429: frozenset({"RateLimitExceeded", "DDoSProtection"})},
    duplicates={},
    missing=frozenset({"UNKNOWN_CANCEL_ORDER", "DUPLICATE_CANCEL_REQUEST", "ORDER_IS_FULLY_FILLED"}),
)

STATUS: Final[Mapping[str, VenueOrderStatus]] = {
    "PENDING": "accepted",
    "OPEN": "accepted",
    "QUEUED": "accepted",
    "CANCEL_QUEUED": "accepted",
    "EDIT_QUEUED": "accepted",
    "FILLED": "filled",
    "CANCELLED": "cancelled",
    "EXPIRED": "cancelled",
    "FAILED": "rejected",
}


class Coinbase(WithoutExits):
    """Speaks Coinbase through a client with keys."""

    name = "coinbase"
    settling = timedelta(seconds=30)
    failures = FAILURES
    model = (
        "Coinbase fills from its book: sales at the market at the best prices there, limit orders at theirs or better, "
        "in parts where the book is thin. It takes market orders to buy by their cost only, so none are sent; nor are "
        "stop orders, and stop-loss and take-profit are not held there."
    )

    def __init__(self, client: VenueClient) -> None:
        self._client = client
        self.account = CoinbaseAccount(client)

    def venue_id(self, client_order_id: str) -> str:
        """Our own id."""
        if not _ID.fullmatch(client_order_id):
            raise InvalidRequest(f"Coinbase cannot take the order id {client_order_id!r}.")
        return client_order_id

    def entry(self, ticket: OrderTicket, market: Market) -> Request:
        """`orders` with one configuration; the same id again is answered with the order that has it."""
        return Request(
            "v3_private_post_brokerage_orders",
            {
                "client_order_id": self.venue_id(ticket.client_order_id),
                "product_id": market.id,
                "side": ticket.side.upper(),
                "order_configuration": self._configuration(ticket, market),
            },
        )

    def acknowledged(self, ticket: OrderTicket, market: Market, reply: Any) -> Sighting:
        """The reply names the order; how it stands is looked up by Coinbase's id, or open until it shows."""
        order_id, told = ticket.client_order_id, table(reply)
        named = table(told, "success_response")
        if told.get("success") is not True or named.get("client_order_id") != order_id:
            raise Unproven(f"Coinbase's answer is not about order {order_id}.")
        known = text(named, "order_id")
        try:
            document = self._client.call(
                "v3_private_get_brokerage_orders_historical_order_id", {"order_id": known}, "read"
            )
            return _sighting(table(document, "order"), order_id, market)
        except (NoAnswer, VenueUnavailable):
            return Sighting(order_id, known, "PENDING", "accepted", ticket.side, ticket.quantity, Decimal(0))

    def look_up(self, client_order_id: str, market: Market, since: datetime | None = None) -> Sighting | None:
        """In the list of the market's orders to its end: none is told by our id alone."""
        del since
        own = self.venue_id(client_order_id)
        for row in pages(self._client, _ORDERS, "orders", {"product_ids": [market.id]}):
            if row.get("client_order_id") == own:
                return _sighting(row, client_order_id, market)
        return None

    def executions(self, order: Sighting, market: Market) -> tuple[Execution, ...]:
        """`historical/fills` of one order."""
        found = pages(self._client, _FILLS, "fills", {"order_ids": [order.venue_order_id]})
        own = (execution(row, market) for row in found if row.get("order_id") == order.venue_order_id)
        return tuple(sorted(own, key=lambda each: (each.time, each.id)))

    def cancels_by_venue_id(self, client_order_id: str) -> bool:
        """True: Coinbase cancels by its own id only."""
        del client_order_id
        return True

    def cancel(self, client_order_id: str, order: Sighting | None, market: Market) -> None:
        """`orders/batch_cancel` of one order; a refusal is told inside of the answer."""
        del market
        if order is None:
            raise Unproven(f"Coinbase's id of order {client_order_id} is not known.")
        wanted = {"order_ids": [order.venue_order_id]}
        answer = self._client.call("v3_private_post_brokerage_orders_batch_cancel", wanted, "cancel")
        told = _only(rows(answer, "results"))
        if told.get("success") is not True:
            reason = str(told.get("failure_reason") or "")
            raise CallFailed("ExchangeError", f"Coinbase did not cancel it: {reason}", status=200, code=reason)

    def venue_time_ms(self) -> tuple[int, int]:
        """`time`, in milliseconds."""
        told = table(self._client.call("v3_public_get_brokerage_time", {}, "read"))
        return int(amount(told, "epochMillis")), 1

    def _configuration(self, ticket: OrderTicket, market: Market) -> dict[str, Any]:
        size = self._client.quantity_text(market.symbol, ticket.quantity)
        if ticket.order_type == "market" and ticket.side == "sell":
            return {"market_market_ioc": {"base_size": size}}
        if ticket.order_type == "limit" and ticket.limit_price is not None:
            own = {"base_size": size, "limit_price": self._client.price_text(market.symbol, ticket.limit_price)}
            kinds = {"IOC": "sor_limit_ioc", "FOK": "limit_limit_fok"}
            kind = kinds.get(force_at_venue(ticket))
            return {kind: own} if kind else {"limit_limit_gtc": own | {"post_only": False}}
        raise OrderRejected(
            f"This desk sends Coinbase no {ticket.order_type} orders to {ticket.side}. Nothing was sent.",
            remedy="Use a limit order.",
        )


class CoinbaseAccount(TradesByMarket):
    """Reads the account through a client with keys."""

    def __init__(self, client: VenueClient) -> None:
        self._client = client
        self._named: dict[str, str] = {}

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """The orders that are open, of all markets."""
        found = pages(self._client, _ORDERS, "orders", {"order_status": ["OPEN"], "product_type": "SPOT"}, use="survey")
        return tuple(self._open(row) for row in found)

    def balances(self) -> dict[str, Balance]:
        """`accounts`; what is held for orders is not free."""
        found: dict[str, Balance] = {}
        for row in pages(self._client, "v3_private_get_brokerage_accounts", "accounts", {}, use="survey"):
            free, held = amount(table(row, "available_balance"), "value"), amount(table(row, "hold"), "value")
            currency = self._client.currency_of(text(row, "currency"))
            before = found.get(currency, Balance(Decimal(0), Decimal(0)))
            if free or held:
                found[currency] = Balance(before.total + free + held, before.free + free)
        return found

    def _trades_on(self, market: Market, after_ms: int) -> tuple[Trade, ...]:
        """`historical/fills` since a time, and each order for the id that it was placed under."""
        since = datetime.fromtimestamp(after_ms / 1000, UTC).isoformat(timespec="milliseconds")
        own = {"product_ids": [market.id], "start_sequence_timestamp": since.replace("+00:00", "Z")}
        trades = []
        for row in pages(self._client, _FILLS, "fills", own, use="survey"):
            each = execution(row, market)
            if each.time.timestamp() * 1000 >= after_ms:
                trades.append(Trade(self._name(text(row, "order_id")), side_of(row, "side"), each))
        return tuple(trades)

    def _name(self, order_id: str) -> str:
        if order_id not in self._named:
            reply = self._client.call(
                "v3_private_get_brokerage_orders_historical_order_id", {"order_id": order_id}, "survey"
            )
            self._named[order_id] = str(table(reply, "order").get("client_order_id") or order_id)
        return self._named[order_id]

    def _open(self, row: Mapping[str, Any]) -> OpenOrder:
        own = _configured(row)
        limit, stop = positive(own, "limit_price"), positive(own, "stop_price") or positive(own, "stop_trigger_price")
        return OpenOrder(
            client_order_id=str(row.get("client_order_id") or ""),
            venue_order_id=text(row, "order_id"),
            symbol=self._client.symbol_of(text(row, "product_id")),
            side=side_of(row, "side"),
            order_type="stop" if stop else "limit" if limit else "market",
            quantity=_size(row),
            filled=amount(row, "filled_size"),
            limit_price=limit,
            stop_price=stop,
        )


def pages(
    client: VenueClient, method: str, name: str, own: Mapping[str, Any], *, use: Use = "read"
) -> Iterator[Mapping[str, Any]]:
    """Every row of a list, newest first."""
    cursor: dict[str, str] = {}
    for _ in range(_MOST_PAGES):
        reply = client.call(method, {**own, **cursor, "limit": str(_PAGE)}, use)
        page = rows(reply, name)
        yield from page
        following = str(table(reply).get("cursor") or "")
        goes_on = table(reply).get("has_next", len(page) == _PAGE)
        if not following or not goes_on:
            return
        if {"cursor": following} == cursor:
            raise Unproven("Coinbase's pages lead in a circle.")
        cursor = {"cursor": following}
    raise Unproven(f"Coinbase lists more than {_MOST_PAGES * _PAGE} {name}.")


def execution(row: Mapping[str, Any], market: Market) -> Execution:
    """A row of `historical/fills`; fees are in quote currency.

    Raises:
        Unproven: it takes a trade back or corrects one.
    """
    if row.get("trade_type") != "FILL":
        raise Unproven(f"Coinbase lists a {row.get('trade_type')!r} among the trades: look at it there.")
    price, size = amount(row, "price"), amount(row, "size")
    return Execution(
        id=text(row, "trade_id"),
        price=price,
        quantity=size / price if row.get("size_in_quote") is True else size,
        fee=amount(row, "commission"),
        fee_currency=market.quote,
        time=_time(row, "trade_time"),
    )


def _time(row: Mapping[str, Any], name: str) -> datetime:
    word = text(row, name)
    try:
        told = datetime.fromisoformat(word)
    except ValueError as error:
        raise Unproven(f"Coinbase's answer has the time {word!r}, which is none.") from error
    return moment(Decimal(str(told.timestamp())) * 1000)


def _configured(row: Mapping[str, Any]) -> Mapping[str, Any]:
    forms = list(table(row, "order_configuration").values())
    return table(_only(forms)) if forms else {}


def _only(entries: list[Any]) -> Any:
    if len(entries) != 1:
        raise Unproven(f"Coinbase's answer has {len(entries)} entries where one is due.")
    return entries[0]


def _size(row: Mapping[str, Any]) -> Decimal:
    own = _configured(row)
    if own.get("base_size"):
        return amount(own, "base_size")
    # Only orders of others are told in quote currency: what of it is filled is all that is certain.
    return amount(row, "filled_size")


def _sighting(row: Mapping[str, Any], client_order_id: str, market: Market) -> Sighting:
    """An order document, of which it is proven that it is ours."""
    if row.get("client_order_id") != client_order_id or row.get("product_id") != market.id:
        raise Unproven(f"Coinbase's answer is not about order {client_order_id}.")
    word = text(row, "status")
    return Sighting(
        client_order_id=client_order_id,
        venue_order_id=text(row, "order_id"),
        word=word,
        status=STATUS.get(word),
        side=side_of(row, "side"),
        quantity=_size(row),
        executed=amount(row, "filled_size"),
    )
