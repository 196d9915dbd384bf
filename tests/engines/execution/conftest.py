"""A desk that a pre-trade rule can be broken on."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engines.confirmation.risk import default_limits
from engines.domain.orders import Account, Order, OrderIntent, OrderTicket
from engines.errors import RiskDenied
from engines.execution.context import OrderContext
from engines.execution.paper import PaperBroker
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit
from engines.market.fixed import FixedMarket

from .sending import FlakyVenue


class Desk:
    """What a rule is broken on: a paper account of 100,000 USDT at fixed prices."""

    def __init__(self, context: OrderContext, account: Account, market: FixedMarket, broker: PaperBroker) -> None:
        self.context = context
        self.account = account
        self.market = market
        self.broker = broker

    def limit(self, **limits: Any) -> None:
        """Change the limits in force."""
        self.context = replace(self.context, limits=replace(self.context.limits, **limits))

    def list_as(self, **rules: Any) -> None:
        """Change how the market lists BTC."""
        btc, *others = self.market.listed
        self.market.listed = (replace(btc, **rules), *others)

    def ticket(self, side: Any = "buy", amount: str = "0.1", **fields: Any) -> OrderTicket:
        """A sealed ticket for an amount of BTC, unless the fields say otherwise."""
        intent = OrderIntent(self.account.id, "thread-1", "BTC/USDT", side, Decimal(amount))
        return prepare_ticket(replace(intent, **fields), self.context, owner="ann")

    def approved(self, ticket: OrderTicket, **how: Any) -> OrderTicket:
        """The same ticket, approved."""
        return self.context.ledger.decide(ticket.id, "approve", ticket.hash, "ann", **how)

    def sent(self, ticket: OrderTicket) -> Order | None:
        """What becomes of an approved ticket."""
        return submit(ticket.id, self.context, self.broker)

    def trade(self, side: Any = "buy", amount: str = "0.1", **fields: Any) -> Order:
        """An order that is asked for, approved and sent."""
        order = self.sent(self.approved(self.ticket(side, amount, **fields), resolve_differences=True))
        assert order is not None
        return order

    def rest(self, side: Any, price: int, amount: str = "0.1") -> Order:
        """A limit order that waits."""
        order = self.trade(side, amount, order_type="limit", limit_price=Decimal(price))
        assert order.status == "accepted"
        return order

    def at(self, price: int) -> None:
        """Move the price of BTC, a cent between bid and ask."""
        self.market.set_quote("BTC/USDT", f"{price - Decimal('0.01')}", f"{price}")

    def refused(self, message: str, kind: type[Exception] = RiskDenied, **fields: Any) -> None:
        """No ticket comes of it, and the venue has seen nothing."""
        before = self.broker.open_orders(), self.broker.fills_since("BTC/USDT", 0)
        with pytest.raises(kind, match=message):
            self.ticket(**fields)
        assert (self.broker.open_orders(), self.broker.fills_since("BTC/USDT", 0)) == before

    def denied(self, ticket: OrderTicket, message: str) -> None:
        """An approved ticket that is not sent."""
        assert self.sent(ticket) is None
        now = self.context.ledger.ticket(ticket.id)
        assert now.status == "denied"
        assert message in now.reason
        assert self.broker.find(ticket.client_order_id, ticket.symbol) is None


@pytest.fixture
def desk(context: OrderContext, account: Account, market: FixedMarket, paper: PaperBroker) -> Desk:
    return Desk(replace(context, limits=default_limits()), account, market, paper)


@pytest.fixture
def venue(paper: PaperBroker) -> FlakyVenue:
    return FlakyVenue(paper)
