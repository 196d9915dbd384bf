"""An approved ticket on its whole way to a real venue: journal, one request, look-ups, exits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engines.domain.orders import Order
from engines.errors import VenueUnavailable
from engines.execution.submit import submit
from engines.execution.sync import sync_fills
from engines.execution.venues import EXERCISED, CcxtBroker

from .venue_desk import BTC, PATIENCE_MS, TOO_LATE, VenueDesk, desk_at_venue

BOOKED = ("unavailable_after", "timeout_after", "truncated", "no_id", "html", "status_unknown")
LIMIT = {"order_type": "limit", "limit_price": Decimal(49_000)}


class Desk(VenueDesk):
    """A desk that sends the tickets it has approved."""

    def ticket(self, **fields: Any) -> str:
        """The id of an approved ticket."""
        return self.approved(self.asked(**fields)).id

    def submit(self, ticket_id: str) -> Order:
        order = submit(ticket_id, self.context, self.broker)
        assert order is not None
        return order


@pytest.fixture(params=EXERCISED)
def desk(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    open_venue: Callable[..., Any],
    venue_broker: Callable[..., CcxtBroker],
) -> Iterator[Desk]:
    with desk_at_venue(Desk, request.param, tmp_path, open_venue, venue_broker) as standing:
        yield standing


def test_an_approved_ticket_is_filled_and_its_fills_are_in_the_ledger(desk: Desk) -> None:
    order = desk.submit(desk.ticket())
    assert (order.status, order.filled) == ("filled", Decimal("0.1"))
    assert [fill.id.removeprefix("BTCUSDT-") for fill in order.fills] == [
        str(fill["id"]) for fill in desk.venue.truth()["fills"]
    ]
    assert sync_fills(desk.context.ledger, desk.broker) == ()


@pytest.mark.parametrize(
    "fault", ["unavailable_after", "timeout_after", "truncated", "no_id", "html", "status_unknown"]
)
@pytest.mark.parametrize(
    "fields", [{}, {"order_type": "limit", "limit_price": Decimal(49_000)}], ids=["market", "limit"]
)
def test_an_unclear_submission_is_settled_by_the_next_look_up(desk: Desk, fault: str, fields: dict[str, Any]) -> None:
    ticket_id = desk.ticket(**fields)
    desk.venue.fault(route="create", kind=fault, seconds=TOO_LATE)
    assert desk.submit(ticket_id).status == "unknown"
    assert desk.submit(ticket_id).status == ("accepted" if fields else "filled")
    assert desk.accepts() == 1


def test_an_order_that_never_arrived_is_not_accepted_after_the_settling_time_and_never_sent_again(desk: Desk) -> None:
    ticket_id = desk.ticket()
    desk.venue.fault(route="create", kind="unavailable_before")
    assert [desk.submit(ticket_id).status for _ in range(4)] == ["unknown"] * 4
    desk.clock.advance(desk.broker.settling + timedelta(seconds=1))
    assert desk.submit(ticket_id).status == "not_accepted"
    assert desk.accepts() == 0
    assert len(desk.venue.log(route="create")) == 1


def test_partial_fills_and_a_cancel_from_outside_reach_the_ledger(desk: Desk) -> None:
    order = desk.submit(desk.ticket(order_type="limit", limit_price=Decimal(49_990)))
    desk.venue.price(symbol=BTC, price="50000", depth=1, quantity="0.00001")
    desk.venue.crowd(symbol=BTC, side="sell", quantity="0.04", price="49990")
    [after] = sync_fills(desk.context.ledger, desk.broker)
    filled = Decimal(desk.venue.truth()["orders"][0]["filled"])
    assert (after.id, after.status, after.filled) == (order.id, "partially_filled", filled)
    assert 0 < filled < Decimal("0.1")
    desk.venue.cancel(id=after.venue_order_id)
    [done] = sync_fills(desk.context.ledger, desk.broker)
    assert (done.status, done.filled) == ("cancelled", filled)


def test_exits_that_another_process_may_have_sent_are_only_looked_for_until_they_must_be_there(
    desk: Desk, venue_broker: Callable[..., CcxtBroker]
) -> None:
    # Each venue holds a stop-loss alone after a market entry.
    desk.venue.fault(route="create", kind="drop_before", skip=1)
    order = desk.submit(desk.ticket(stop_loss=Decimal(48_000)))
    assert (order.status, len(desk.venue.log(route="create"))) == ("filled", 2)
    risen = venue_broker(desk.venue.venue, patience=PATIENCE_MS)
    for _ in range(2):
        with pytest.raises(VenueUnavailable, match="may still come to show"):
            sync_fills(desk.context.ledger, risen)
    assert len(desk.venue.log(route="create")) == 2
    desk.clock.advance(risen.settling + timedelta(seconds=1))
    [leg] = sync_fills(desk.context.ledger, risen)
    assert (leg.id, leg.status, leg.held_by) == (f"{order.id}-sl", "accepted", "venue")
    assert len(desk.venue.log(route="create")) == 3
    assert sync_fills(desk.context.ledger, risen) == ()


def test_the_exits_of_a_limit_entry_are_recorded_where_the_venue_holds_them(desk: Desk) -> None:
    fields = {"stop_loss": Decimal(48_000), "take_profit": Decimal(52_000)}
    order = desk.submit(desk.ticket(order_type="limit", limit_price=Decimal(50_010), **fields))
    assert order.status == "filled"
    exits = {each.id: each.held_by for each in desk.context.ledger.orders(status="open", limit=10)}
    if desk.venue.venue == "kraken":
        assert exits == {f"{order.id}-gs": "desk", f"{order.id}-gt": "desk"}
        return
    assert exits == {f"{order.id}-sl": "venue", f"{order.id}-tp": "venue"}
    desk.venue.price(symbol=BTC, price="47900")
    after = {each.id: each.status for each in sync_fills(desk.context.ledger, desk.broker)}
    assert after == {f"{order.id}-sl": "filled", f"{order.id}-tp": "cancelled"}
