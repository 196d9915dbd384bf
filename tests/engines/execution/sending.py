"""A venue behind a bad line, and tickets to send there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from engines.domain.orders import Fill, Order, OrderIntent, OrderTicket
from engines.errors import VenueUnavailable
from engines.execution.broker import ApprovedTicket, Balance, OpenOrder, VenueOrder
from engines.execution.context import OrderContext
from engines.execution.paper import PaperBroker
from engines.execution.prepare import prepare_ticket

ACCOUNT = "paper-fixed-usdt:ann"


@dataclass
class FlakyVenue:
    """A paper venue behind a bad line: what it accepted and what it answered are two things."""

    paper: PaperBroker
    settling: timedelta = timedelta(0)
    before: Exception | None = None
    after: Exception | None = None
    finds_fail: int = 0
    hidden_finds: int = 0
    places: list[str] = field(default_factory=list)
    name: str = "paper"
    model: str = "flaky"

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        self.places.append(approved.ticket.client_order_id)
        if self.before is not None:
            raise self.before
        seen = self.paper.place(approved)
        if self.after is not None:
            raise self.after
        return seen

    def find(self, client_order_id: str, symbol: str, *, since: datetime | None = None) -> VenueOrder | None:
        if self.finds_fail > 0:
            self.finds_fail -= 1
            raise VenueUnavailable("The venue does not answer.")
        if self.hidden_finds > 0:
            self.hidden_finds -= 1
            return None
        return self.paper.find(client_order_id, symbol, since=since)

    def cancel(self, client_order_id: str, symbol: str) -> VenueOrder:
        if self.after is not None:
            raise self.after
        return self.paper.cancel(client_order_id, symbol)

    def open_orders(self) -> tuple[OpenOrder, ...]:
        return self.paper.open_orders()

    def balances(self) -> dict[str, Balance]:
        return self.paper.balances()

    def fills_since(self, symbol: str, after_ms: int) -> tuple[Fill, ...]:
        return self.paper.fills_since(symbol, after_ms)

    def fills_on(self, symbols: Collection[str], after_ms: int) -> dict[str, tuple[Fill, ...]]:
        return self.paper.fills_on(symbols, after_ms)

    def holds_protection(self, ticket: OrderTicket) -> bool:
        return self.paper.holds_protection(ticket)

    def carries_exits(self, ticket: OrderTicket) -> bool:
        return self.paper.carries_exits(ticket)

    def protects_parts(self, ticket: OrderTicket) -> bool:
        return self.paper.protects_parts(ticket)

    def protect(self, entry: Order) -> tuple[VenueOrder, ...]:
        if self.finds_fail > 0:
            self.finds_fail -= 1
            raise VenueUnavailable("The venue does not answer.")
        return self.paper.protect(entry)

    def ready(self) -> None:
        self.paper.ready()


def approved(context: OrderContext, quantity: str = "0.1", **fields: Any) -> OrderTicket:
    intent = OrderIntent(ACCOUNT, "thread-1", "BTC/USDT", "buy", Decimal(quantity))
    ticket = prepare_ticket(replace(intent, **fields), context, owner="ann")
    return context.ledger.decide(ticket.id, "approve", ticket.hash, "ann")


def required(order: Order | None) -> Order:
    assert order is not None
    return order
