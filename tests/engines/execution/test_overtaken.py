"""News that was overtaken by a fill: what a venue has shown is not taken back by somebody who looked before."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from engines.domain.orders import Order
from engines.errors import OutcomeUnknown
from engines.execution.broker import ApprovedTicket, VenueOrder
from engines.execution.paper import PaperBroker
from engines.execution.recover import look_up
from engines.execution.sync import sync_fills
from engines.ledger.ledger import Ledger


class Overtaken(PaperBroker):
    """A paper venue whose answer is old when it comes: meanwhile somebody else has recorded where the order stands."""

    def __init__(self, venue: PaperBroker, ledger: Ledger) -> None:
        super().__init__(venue._engine, venue._market, venue._clock)
        self._ledger = ledger

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        seen = super().place(approved)
        self._ledger.record_venue_order(seen.client_order_id, seen, self.name)
        raise OutcomeUnknown("The answer was cut off.")

    def find(self, client_order_id: str, symbol: str, **more: Any) -> VenueOrder | None:
        seen = super().find(client_order_id, symbol, **more)
        assert seen is not None
        self._ledger.record_venue_order(client_order_id, seen, self.name)
        return None


@pytest.fixture
def late(desk: Any) -> tuple[Order, Overtaken]:
    """An order that has filled at the venue, which the ledger does not know yet."""
    order = desk.rest("buy", 59_000)
    desk.at(58_900)
    desk.broker.match(desk.market.now())
    return order, Overtaken(desk.broker, desk.context.ledger)


def test_an_order_that_filled_while_its_venue_denied_it_stays_filled(desk: Any, late: tuple[Order, Overtaken]) -> None:
    order, venue = late
    sync_fills(desk.context.ledger, venue)
    after = desk.context.ledger.order(order.id)
    assert (after.status, after.filled) == ("filled", Decimal("0.1"))
    assert desk.context.ledger.ticket(order.ticket_id).status == "filled"


def test_an_order_that_filled_while_it_was_looked_up_stays_filled(desk: Any, late: tuple[Order, Overtaken]) -> None:
    order, venue = late
    ledger = desk.context.ledger
    with ledger.claim(order.ticket_id):
        after = look_up(ledger.order(order.id), ledger=ledger, broker=venue, clock=desk.context.clock)
    assert (after.status, after.filled) == ("filled", Decimal("0.1"))


def test_an_order_that_filled_before_its_sender_gave_up_waiting_stays_filled(desk: Any) -> None:
    approved = desk.approved(desk.ticket())
    desk.broker = Overtaken(desk.broker, desk.context.ledger)
    order = desk.sent(approved)
    assert order is not None
    assert (order.status, order.filled) == ("filled", Decimal("0.1"))
    events = [record.kind for record in desk.context.ledger.audit() if record.kind.startswith("order_")]
    assert events == ["order_filled"]
    assert desk.context.ledger.verify_audit().intact
