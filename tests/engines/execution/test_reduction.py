"""An order over a limit is denied with the largest that passes; asking for that one shows it as reduced."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engines.domain.clock import ManualClock
from engines.domain.orders import Account, OrderIntent, OrderTicket
from engines.errors import RiskDenied
from engines.execution.context import OrderContext
from engines.execution.paper import PaperBroker
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit
from engines.market.fixed import FixedMarket


def asked(context: OrderContext, account: Account, quantity: Decimal, **fields: Any) -> OrderTicket:
    intent = OrderIntent(account.id, "thread-1", "BTC/USDT", "buy", quantity)
    return prepare_ticket(replace(intent, **fields), context, owner=account.owner)


def denied(context: OrderContext, account: Account) -> Decimal:
    with pytest.raises(RiskDenied) as caught:
        asked(context, account, Decimal(5))
    assert caught.value.largest == Decimal("0.155")
    return caught.value.largest


def test_the_order_that_was_offered_is_shown_with_what_cut_it_and_waits_for_its_person(
    context: OrderContext, account: Account, paper: PaperBroker
) -> None:
    ticket = asked(context, account, denied(context, account))
    assert (ticket.status, ticket.risk.outcome, ticket.risk.quantity) == ("pending", "reduced", Decimal("0.155"))
    (cut,) = (check for check in ticket.risk.checks if not check.passed)
    assert (cut.name, cut.before, cut.after) == ("order_notional", Decimal(5), Decimal("0.155"))
    assert (cut.limit, cut.value) == ("10,000 USDT", "320,600 USDT")
    assert context.ledger.ticket(ticket.id) == ticket
    context.ledger.decide(ticket.id, "approve", ticket.hash, "ann")
    order = submit(ticket.id, context, paper)
    assert order is not None
    assert (order.status, order.quantity) == ("filled", Decimal("0.155"))


def test_the_offer_passes_when_the_price_ticks_before_it_is_asked_for(
    context: OrderContext, account: Account, market: FixedMarket
) -> None:
    largest = denied(context, account)
    market.set_quote("BTC/USDT", "64319.99", "64320.00")
    assert asked(context, account, largest).risk.outcome == "reduced"


def test_an_offer_at_a_limit_leaves_nothing_over(context: OrderContext, account: Account) -> None:
    with pytest.raises(RiskDenied) as caught:
        asked(context, account, Decimal(5), order_type="limit", limit_price=Decimal(60_000))
    assert caught.value.largest == Decimal("0.1666")


def test_another_order_than_the_one_offered_is_not_a_reduced_one(context: OrderContext, account: Account) -> None:
    assert asked(context, account, Decimal("0.155")).risk.outcome == "approved"
    denied(context, account)
    assert asked(context, account, Decimal("0.15")).risk.outcome == "approved"
    ether = asked(context, account, Decimal("0.156"), symbol="ETH/USDT")
    assert ether.risk.outcome == "approved"


def test_an_offer_does_not_last(
    context: OrderContext, account: Account, hand_clock: ManualClock, market: FixedMarket
) -> None:
    largest = denied(context, account)
    hand_clock.advance(timedelta(minutes=11))
    market.set_quote("BTC/USDT", "64119.99", "64120.00")
    assert asked(context, account, largest).risk.outcome == "approved"
