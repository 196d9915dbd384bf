"""Carrying out a cancellation that a person approved."""

from __future__ import annotations

from typing import Final

from engines.domain.orders import OrderStatus, OrderTicket
from engines.errors import NotFound, VenueUnavailable
from engines.execution.broker import Broker
from engines.ledger.guarding import release
from engines.ledger.ledger import Ledger

# Nobody knows yet whether the venue has it: that it is not there now proves nothing.
_MAY_TURN_UP: Final[frozenset[OrderStatus]] = frozenset({"submitting", "unknown", "needs_operator"})


def carry_out_cancellation(ticket: OrderTicket, *, ledger: Ledger, broker: Broker) -> None:
    """Cancel each order of a ticket and say in its reason what became of each.

    Cancelling twice does no harm, so an interrupted cancellation is simply carried out again. An order that
    was filled meanwhile stays filled.
    """
    if ticket.status == "cancelled":
        return
    if ticket.status == "approved":
        ledger.advance_ticket(ticket.id, "submitting", reason="", kind="cancellation_started")
    told, settled = [], True
    for order_id in ticket.cancels:
        order = ledger.order(order_id)
        if order.waits_at_desk:
            with ledger.journalled() as journal:
                release(journal, order, "Cancelled on request.")
            told.append(f"{order_id} is cancelled: this desk guards it no more")
            continue
        try:
            seen = broker.cancel(order_id, order.symbol)
        except NotFound:
            told.append(f"{order_id} is not known at {broker.name}")
            if order.status in _MAY_TURN_UP:
                told[-1] += " yet and may still turn up"
                settled = False
        except VenueUnavailable as error:
            told.append(f"{order_id} is unclear: {error.message}")
            settled = False
        else:
            after = ledger.record_venue_order(order_id, seen, broker.name)
            told.append(f"{order_id} is {after.status}")
    reason = "; ".join(told) + "."
    if settled:
        ledger.advance_ticket(ticket.id, "cancelled", reason=reason, kind="cancellation_done")
    elif ledger.ticket(ticket.id).status != "unknown":
        ledger.advance_ticket(ticket.id, "unknown", reason=reason, kind="cancellation_unclear")
