"""One order in the place of another at real venues: the venue never has both, whatever goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engines.domain.orders import Order, OrderTicket
from engines.execution.submit import submit, unfinished
from engines.execution.venues import EXERCISED, CcxtBroker

from .venue_desk import BTC, TOO_LATE, VenueDesk, desk_at_venue


class Desk(VenueDesk):
    """A desk that bids."""

    def ticket(self, price: int, amount: str = "0.1", **fields: Any) -> OrderTicket:
        """An approved ticket for a bid."""
        own = {"order_type": "limit", "limit_price": Decimal(price), **fields}
        return self.approved(self.asked(quantity=amount, **own))

    def submit(self, ticket: OrderTicket) -> Order | None:
        return submit(ticket.id, self.context, self.broker)

    def bid(self) -> Order:
        order = self.submit(self.ticket(49_000))
        assert order is not None
        assert order.status == "accepted"
        return order

    def open_ids(self) -> set[str]:
        """What the venue itself has open, by our ids."""
        return {order.client_order_id for order in self.broker.open_orders()}


@pytest.fixture(params=EXERCISED)
def desk(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    open_venue: Callable[..., Any],
    venue_broker: Callable[..., CcxtBroker],
) -> Iterator[Desk]:
    with desk_at_venue(Desk, request.param, tmp_path, open_venue, venue_broker) as standing:
        yield standing


def test_the_venue_has_the_new_order_and_no_longer_the_old_one(desk: Desk) -> None:
    old = desk.bid()
    ticket = desk.ticket(49_100, replaces_order=old.id)
    new = desk.submit(ticket)
    assert new is not None
    assert (new.id, new.status) == (ticket.client_order_id, "accepted")
    assert desk.context.ledger.order(old.id).status == "cancelled"
    assert desk.open_ids() == {new.id}
    assert desk.accepts() == 2


@pytest.mark.parametrize("fault", ["unavailable_before", "unavailable_after", "timeout_after", "truncated", "html"])
def test_an_unclear_cancellation_sends_nothing_until_the_venue_shows_how_the_old_order_ended(
    desk: Desk, fault: str
) -> None:
    old = desk.bid()
    ticket = desk.ticket(49_100, replaces_order=old.id)
    desk.venue.fault(route="cancel", kind=fault, seconds=TOO_LATE)
    first = desk.submit(ticket)
    if first is None:
        assert desk.context.ledger.ticket(ticket.id).status == "unknown"
        assert desk.open_ids() <= {old.id}
        assert unfinished(desk.context.ledger) == (ticket.id,)
    new = desk.submit(ticket)
    assert new is not None
    assert new.status == "accepted"
    assert desk.open_ids() == {new.id}
    assert desk.accepts() == 2


@pytest.mark.parametrize("fault", ["unavailable_after", "timeout_after", "truncated", "no_id", "status_unknown"])
def test_a_new_order_whose_answer_is_lost_is_looked_up_and_never_sent_again(desk: Desk, fault: str) -> None:
    old = desk.bid()
    ticket = desk.ticket(49_100, replaces_order=old.id)
    desk.venue.fault(route="create", kind=fault, seconds=TOO_LATE)
    first = desk.submit(ticket)
    assert first is not None
    assert first.status == "unknown"
    again = desk.submit(ticket)
    assert again is not None
    assert again.status == "accepted"
    assert desk.open_ids() == {again.id}
    assert desk.accepts() == 2


def test_a_part_that_filled_before_the_ticket_is_no_reason_against_it_and_more_is(desk: Desk) -> None:
    old = desk.submit(desk.ticket(49_990))
    assert old is not None
    desk.venue.price(symbol=BTC, price="50000", depth=1, quantity="0.00001")
    desk.venue.crowd(symbol=BTC, side="sell", quantity="0.04", price="49990")
    desk.clock.advance(timedelta(seconds=1))
    seen = desk.broker.find(old.id, BTC)
    assert seen is not None
    part = desk.context.ledger.record_venue_order(old.id, seen, desk.broker.name)
    assert 0 < part.filled < part.quantity
    told = desk.ticket(49_985, "0.06", replaces_order=old.id)
    assert told.replaced_filled == part.filled
    new = desk.submit(told)
    assert new is not None
    assert desk.open_ids() == {new.id}
    assert desk.context.ledger.order(old.id).filled == part.filled

    late = desk.ticket(49_980, "0.05", replaces_order=new.id)
    desk.venue.price(symbol=BTC, price="50000", depth=1, quantity="0.00001")
    desk.venue.crowd(symbol=BTC, side="sell", quantity="0.02", price="49985")
    assert desk.submit(late) is None
    now = desk.context.ledger.ticket(late.id)
    ended = desk.context.ledger.order(new.id)
    assert (now.status, ended.status) == ("denied", "cancelled")
    assert f"{ended.filled.normalize():f} of 0.06 BTC had filled when it ended, and 0 when" in now.reason
    assert desk.open_ids() == set()
    assert desk.venue.truth()["accepts"].get(late.client_order_id, 0) == 0
