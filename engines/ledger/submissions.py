"""What becomes of an approved ticket: journalled, answered by the venue, looked up, settled."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from sqlalchemy import RowMapping, update

from engines.domain.orders import Order, OrderStatus, OrderTicket, TicketStatus
from engines.execution.broker import VenueOrder
from engines.ledger import orders, tickets
from engines.ledger.journal import Journal
from engines.ledger.taken_back import take_back
from engines.storage import ledger as tables

# The venue's words in ours.
_STATUS: Final[dict[str, OrderStatus]] = {
    "accepted": "accepted",
    "partially_filled": "partially_filled",
    "filled": "filled",
    "cancelled": "cancelled",
    "rejected": "rejected_by_venue",
}

_SHOWN: Final[frozenset[OrderStatus]] = frozenset({"accepted", "partially_filled"})

NOT_AS_DECIDED: Final = "The stored ticket no longer has the hash that was approved, so nothing was sent."


def begin(journal: Journal, row: RowMapping, ticket: OrderTicket, *, price: Decimal, fee: Decimal) -> Order:
    """Journal that an order is about to be sent: from here on the venue may know its id.

    Args:
        price: what a buy's balance is set aside at, quote units.
        fee: fraction of the notional set aside for the fee.
    """
    order = Order(
        id=ticket.client_order_id,
        ticket_id=ticket.id,
        account=ticket.account,
        symbol=ticket.symbol,
        side=ticket.side,
        order_type=ticket.order_type,
        quantity=ticket.quantity,
        limit_price=ticket.limit_price,
        stop_price=ticket.stop_price,
        stop_loss=ticket.stop_loss,
        take_profit=ticket.take_profit,
        status="submitting",
        filled=Decimal(0),
        average_price=None,
        venue_order_id=None,
        reason="",
        created_at=journal.now,
        updated_at=journal.now,
        good_till=ticket.good_till,
    )
    tickets.change_status(journal, row, "submitting")
    orders.insert_order(journal, order, reserve_price=price, reserve_fee=fee)
    held = {"reserve_price": format(price, "f"), "reserve_fee": format(fee, "f")}
    journal.note("submission_journalled", account=ticket.account, ticket_id=ticket.id, order=order.id, **held)
    return order


def deny(journal: Journal, row: RowMapping, reason: str) -> None:
    """Record that an approved ticket failed its re-check: nothing was sent."""
    tickets.change_status(journal, row, "denied", reason=reason)
    journal.note("ticket_denied", account=row["account"], ticket_id=row["id"], reason=reason)


def settle(
    journal: Journal,
    order: Order,
    status: OrderStatus,
    reason: str,
    *,
    quantity: Decimal | None = None,
    venue_order_id: str | None = None,
) -> None:
    """Move an order, and the ticket it is the entry of, to a status without new fills.

    Args:
        quantity, venue_order_id: as the venue has them; None leaves them as they are.
    """
    told = replace(
        order,
        quantity=order.quantity if quantity is None else quantity,
        venue_order_id=order.venue_order_id if venue_order_id is None else venue_order_id,
    )
    changed = {"quantity": told.quantity, "venue_order_id": told.venue_order_id}
    orders.change_order(journal, order, status, reason=reason, **changed)
    _follow(journal, order, status, reason)
    details = {"order": order.id, "reason": reason, **_sized(told)}
    journal.note(f"order_{status}", account=order.account, ticket_id=order.ticket_id, **details)


def is_overtaken(order: Order, status: OrderStatus) -> bool:
    """True when a venue has shown more of an order than somebody knows who did not find it, or heard no answer."""
    if order.status in {"filled", "cancelled"}:
        return True
    return order.venue_order_id is not None and order.status in _SHOWN and status != "needs_operator"


def record_venue_order(journal: Journal, order: Order, seen: VenueOrder, venue: str) -> None:
    """Bring an order to where its venue says it stands; each fill counts once, whatever is repeated."""
    new = orders.insert_new_fills(journal, seen.fills, venue)
    for fill in new:
        journal.note(
            "fill",
            account=order.account,
            ticket_id=order.ticket_id,
            order=order.id,
            trade=fill.id,
            venue=venue,
            time=fill.time.isoformat(),
            symbol=fill.symbol,
            side=fill.side,
            price=format(fill.price, "f"),
            quantity=format(fill.quantity, "f"),
            fee=format(fill.fee, "f"),
            fee_currency=fill.fee_currency,
        )
    status = order.status if _is_final(order, seen) else _STATUS[seen.status]
    if status == "accepted" and (new or order.fills):
        # News that is older than a fill does not take it back.
        status = "partially_filled"
    if (status, seen.quantity, seen.venue_order_id) != (order.status, order.quantity, order.venue_order_id):
        settle(journal, order, status, seen.reason, quantity=seen.quantity, venue_order_id=seen.venue_order_id)
        if order.parent_id is not None and status == "cancelled" and seen.by_request:
            take_back(journal, order, f"at {venue}")


def _is_final(order: Order, seen: VenueOrder) -> bool:
    """True when `seen` cannot move an order on: it was read before the order was done.

    Fills that arrive after a cancellation still count.
    """
    return order.status == "filled" or (order.status == "cancelled" and seen.status in {"accepted", "partially_filled"})


def record_protective(journal: Journal, entry: Order, seen: VenueOrder, *, stop: bool, venue: str) -> None:
    """Write the stop-loss or take-profit that the venue holds for a filled entry."""
    order = replace(
        entry,
        id=seen.client_order_id,
        side="sell" if entry.side == "buy" else "buy",
        order_type="stop" if stop else "limit",
        quantity=seen.quantity,
        limit_price=None if stop else entry.take_profit,
        stop_price=entry.stop_loss if stop else None,
        stop_loss=None,
        take_profit=None,
        status="accepted",
        venue_order_id=seen.venue_order_id,
        reason="",
        created_at=journal.now,
        updated_at=journal.now,
        filled=Decimal(0),
        average_price=None,
        fills=(),
        parent_id=entry.id,
    )
    orders.insert_order(journal, order, reserve_price=Decimal(0), reserve_fee=Decimal(0))
    details = {"order": order.id, "parent": entry.id, **_sized(order)}
    journal.note("protective_order_accepted", account=order.account, ticket_id=order.ticket_id, **details)
    record_venue_order(journal, order, seen, venue)


def _sized(order: Order) -> dict[str, str]:
    """What a venue tells of an order, as its records repeat it."""
    return {"quantity": format(order.quantity, "f"), "venue_order_id": order.venue_order_id or ""}


def count_lookup(journal: Journal, order: Order) -> int:
    """Count one look-up that did not find the order; how many there were so far."""
    table = tables.orders
    statement = update(table).where(table.c.id == order.id).values(lookups=table.c.lookups + 1)
    return int(journal.connection.execute(statement.returning(table.c.lookups)).scalar_one())


def _follow(journal: Journal, order: Order, status: OrderStatus, reason: str) -> None:
    if order.parent_id is None:
        row = tickets.require(journal.connection, order.ticket_id, None)
        followed: TicketStatus = status
        tickets.change_status(journal, row, followed, reason=reason)
