"""Cancelling orders: those of a ticket that a person approved, or any one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engines.domain.clock import Clock
from engines.domain.orders import OPEN_ORDER_STATUSES, Order, OrderStatus, OrderTicket
from engines.errors import NotFound, VenueUnavailable
from engines.execution.broker import Broker
from engines.execution.recover import look_up
from engines.ledger.guarding import release
from engines.ledger.ledger import Ledger
from engines.ledger.taken_back import ON_REQUEST, take_back

_HERE: Final = "on this desk"
_IN_FLIGHT: Final[frozenset[OrderStatus]] = frozenset({"submitting", "unknown", "needs_operator"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one cancellation.

    Attributes:
        detail: why the order is not known to be cancelled, or what else is to be known of it; mostly empty.
        is_settled: nothing more can come of cancelling it again.
    """

    order: Order
    detail: str = ""
    is_settled: bool = True


def carry_out_cancellation(ticket: OrderTicket, *, ledger: Ledger, broker: Broker, clock: Clock) -> None:
    """Cancel each order of a ticket and say in its reason what became of each.

    Cancelling twice does no harm, so an interrupted cancellation is simply carried out again, and two at once end
    the same. An order that was filled meanwhile stays filled. Takes the claim of each order's ticket, so its caller
    must hold none.
    """
    outcomes = [cancel_order(each, ledger=ledger, broker=broker, clock=clock) for each in ticket.cancels]
    told = (
        f"{each.order.id} is {each.order.status}" + (f": {each.detail.rstrip('.')}" if each.detail else "")
        for each in outcomes
    )
    _write_down(ticket.id, "; ".join(told) + ".", ledger, settled=all(each.is_settled for each in outcomes))


def cancel_order(order_id: str, *, ledger: Ledger, broker: Broker, clock: Clock) -> Outcome:
    """Cancel what is open of an order, wherever it is; what is done stays as it is.

    An exit that is cancelled is taken back for good: the desk puts none in its place. That is journalled before the
    venue hears of it, so that whoever finds the exit cancelled after a crash knows why.
    """
    with ledger.claim(ledger.order(order_id).ticket_id):
        order = ledger.order(order_id)
        # The claim is ours, so nobody is sending it: an order in flight is first looked for.
        if order.status in _IN_FLIGHT and (order.parent_id is None or order.held_by == "desk"):
            order = look_up(order, ledger=ledger, broker=broker, clock=clock)
        if order.waits_at_desk or (order.held_by == "desk" and order.status == "not_accepted"):
            with ledger.journalled() as journal:
                take_back(journal, order, _HERE)
                release(journal, order, ON_REQUEST)
            return Outcome(ledger.order(order.id), _begins_with_the_fill(order, ledger, broker))
        if order.parent_id is not None:
            _take_back(order, ledger)
        return _at_venue(order, ledger, broker) if order.status in OPEN_ORDER_STATUSES else Outcome(order)


def _at_venue(order: Order, ledger: Ledger, broker: Broker) -> Outcome:
    try:
        seen = broker.cancel(order.id, order.symbol)
    except NotFound:
        # Nobody knows yet whether the venue has one that is in flight: that it is not there now proves nothing.
        unknown = f"{broker.name} does not know it (yet); it is looked up on and never sent again."
        return Outcome(order, unknown, order.status not in _IN_FLIGHT)
    except VenueUnavailable as error:
        unclear = f"It is not known whether {broker.name} cancelled it: {error.message}"
        return Outcome(order, unclear, is_settled=False)
    after = ledger.record_venue_order(order.id, seen, broker.name)
    if after.status in OPEN_ORDER_STATUSES:
        return Outcome(after, f"{broker.name} has not ended it yet. {after.reason}".rstrip(), is_settled=False)
    return Outcome(after)


def _begins_with_the_fill(leg: Order, ledger: Ledger, broker: Broker) -> str:
    """What a person has to know who cancels an exit here that the venue was given together with its open entry."""
    entry = ledger.order(leg.parent_id or "")
    if entry.status not in OPEN_ORDER_STATUSES or not broker.carries_exits(ledger.ticket(leg.ticket_id)):
        return ""
    return (
        f"{broker.name} was given the exits together with the entry and begins to hold them once it has filled; "
        f"cancel {entry.id} as well to be rid of them."
    )


def _take_back(leg: Order, ledger: Ledger) -> None:
    """Also of an exit that has just ended by itself: the person wants none in its place."""
    if leg.status != "filled":
        with ledger.journalled() as journal:
            take_back(journal, leg, _HERE)


def _write_down(ticket_id: str, reason: str, ledger: Ledger, *, settled: bool) -> None:
    with ledger.claim(ticket_id):
        status = ledger.ticket(ticket_id).status
        if status == "cancelled":
            return
        if settled:
            ledger.advance_ticket(ticket_id, "cancelled", reason=reason, kind="cancellation_done")
        elif status != "unknown":
            ledger.advance_ticket(ticket_id, "unknown", reason=reason, kind="cancellation_unclear")
