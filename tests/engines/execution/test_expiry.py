"""How long an order may stay open, and the desk taking back what is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from engines.domain.clock import ManualClock
from engines.domain.orders import Order, OrderIntent, OrderTicket
from engines.errors import Conflict, InvalidRequest, NotFound, QuantumTraderError, VenueUnavailable
from engines.execution.context import OrderContext
from engines.execution.expiry import expire_orders, with_validity
from engines.execution.paper import PaperBroker
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit
from engines.ledger.sealed import is_untouched, sealed_row

NOW = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)
LIMIT: dict[str, Any] = {"order_type": "limit", "limit_price": Decimal(60_000)}
BUY = OrderIntent("paper-fixed-usdt:ann", "thread-1", "BTC/USDT", "buy", Decimal("0.1"))


@pytest.fixture
def database_url() -> str:
    """Expiry does not depend on the database."""
    return ""


def ordered(context: OrderContext, paper: PaperBroker, **fields: Any) -> tuple[OrderTicket, Order]:
    ticket = prepare_ticket(replace(BUY, **LIMIT, **fields), context, owner="ann")
    context.ledger.decide(ticket.id, "approve", ticket.hash, "ann")
    order = submit(ticket.id, context, paper)
    assert order is not None
    return ticket, order


@pytest.mark.parametrize(
    ("fields", "force", "till"),
    [
        ({}, "IOC", None),
        (LIMIT, "GTC", None),
        ({**LIMIT, "time_in_force": "IOC"}, "IOC", None),
        ({**LIMIT, "time_in_force": "DAY"}, "DAY", datetime(2026, 3, 3, tzinfo=UTC)),
        ({**LIMIT, "good_till": NOW + timedelta(hours=3)}, "GTD", NOW + timedelta(hours=3)),
        ({"order_type": "stop", "stop_price": Decimal(70_000), "time_in_force": "DAY"}, "DAY", "day"),
    ],
)
def test_an_intent_says_how_long_it_is_good(fields: dict[str, Any], force: str, till: Any) -> None:
    told = with_validity(replace(BUY, **fields), NOW)
    assert (told.time_in_force, told.good_till) == (force, datetime(2026, 3, 3, tzinfo=UTC) if till == "day" else till)
    # Saying it again says the same.
    assert with_validity(told, NOW) == told


@pytest.mark.parametrize(
    "fields",
    [
        {"time_in_force": "GTC"},
        {"time_in_force": "DAY"},
        {"good_till": NOW + timedelta(hours=3)},
        {**LIMIT, "time_in_force": "GTD"},
        {**LIMIT, "good_till": NOW},
        {**LIMIT, "time_in_force": "IOC", "good_till": NOW + timedelta(hours=3)},
        {"order_type": "stop", "stop_price": Decimal(70_000), "time_in_force": "IOC"},
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        with_validity(replace(BUY, **fields), NOW)


def test_an_order_of_the_day_is_taken_back_when_the_day_is_over(
    context: OrderContext, paper: PaperBroker, hand_clock: ManualClock
) -> None:
    ticket, order = ordered(context, paper, time_in_force="DAY")
    assert (ticket.time_in_force, ticket.good_till) == ("DAY", order.good_till)
    assert is_untouched(sealed_row(context.ledger.ticket(ticket.id)))  # type: ignore[arg-type]
    assert context.ledger.ticket(ticket.id).seal() == ticket.hash
    hand_clock.advance(timedelta(hours=7, minutes=59))
    assert expire_orders(context, paper, hand_clock.now()) == ()
    hand_clock.advance(timedelta(minutes=1))
    [after] = expire_orders(context, paper, hand_clock.now())
    assert (after.id, after.status) == (order.id, "cancelled")
    assert context.ledger.ticket(ticket.id).status == "cancelled"
    assert expire_orders(context, paper, hand_clock.now()) == ()


def test_an_approved_order_whose_end_has_passed_is_not_sent(
    context: OrderContext, paper: PaperBroker, hand_clock: ManualClock
) -> None:
    intent = replace(BUY, **LIMIT, time_in_force="GTD", good_till=NOW + timedelta(seconds=10))
    ticket = prepare_ticket(intent, context, owner="ann")
    context.ledger.decide(ticket.id, "approve", ticket.hash, "ann")
    hand_clock.advance(timedelta(seconds=10))
    assert submit(ticket.id, context, paper) is None
    after = context.ledger.ticket(ticket.id)
    assert after.status == "expired"
    assert "good till 2026-03-02 16:00:10 UTC, which is over, so nothing was sent" in after.reason
    assert (paper.open_orders(), context.ledger.orders(BUY.account)) == ((), ())
    assert submit(ticket.id, context, paper) is None


def test_an_order_without_an_end_stays(context: OrderContext, paper: PaperBroker, hand_clock: ManualClock) -> None:
    _, order = ordered(context, paper)
    assert expire_orders(context, paper, hand_clock.now() + timedelta(days=400)) == ()
    assert context.ledger.order(order.id).status == "accepted"


@pytest.mark.parametrize("error", [VenueUnavailable("No answer."), NotFound("Lost."), Conflict("It moved on.")])
def test_one_that_cannot_be_cancelled_now_holds_up_no_other(
    context: OrderContext, paper: PaperBroker, hand_clock: ManualClock, error: QuantumTraderError
) -> None:
    till = hand_clock.now() + timedelta(hours=1)
    first = ordered(context, paper, good_till=till)[1]
    second = ordered(context, paper, good_till=till + timedelta(minutes=1), quantity=Decimal("0.05"))[1]

    class Deaf:
        def __getattr__(self, name: str) -> Any:
            return getattr(paper, name)

        def cancel(self, client_order_id: str, symbol: str) -> Any:
            if client_order_id == first.id:
                raise error
            return paper.cancel(client_order_id, symbol)

    with pytest.raises(VenueUnavailable, match="could not be cancelled"):
        expire_orders(context, Deaf(), till + timedelta(hours=1))
    assert context.ledger.order(second.id).status == "cancelled"
    assert context.ledger.order(second.id).reason == "It was good till 2026-03-02 17:01:00 UTC."
    assert [order.id for order in expire_orders(context, paper, till + timedelta(hours=1))] == [first.id]


def test_a_ticket_that_says_nothing_new_has_the_hash_it_always_had(context: OrderContext) -> None:
    ticket = prepare_ticket(replace(BUY, **LIMIT), context, owner="ann")
    assert not {"good_till", "exits_held_by"} & set(ticket.sealed_content())
    assert "good_till" in replace(ticket, good_till=NOW).sealed_content()
