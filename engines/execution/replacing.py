"""One order in the place of another: the old one is proven ended before the new one is sent, so never both are live.

approve -> journal that it begins -> cancel the old one -> read where it ended -> send the new one, or deny it where
the old one filled more than its ticket said. Each step may be repeated after a crash and leads to the same end.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from engines.confirmation.wording import order_in_words, plain
from engines.domain.activity import Activity
from engines.domain.orders import OPEN_ORDER_STATUSES, Order, OrderIntent, OrderStatus, OrderTicket
from engines.errors import InvalidRequest
from engines.execution.broker import Broker
from engines.execution.cancel import cancel_order
from engines.execution.context import OrderContext

# One that is being sent or looked up is settled first: nobody knows yet what there is to replace.
_REPLACEABLE: Final[frozenset[OrderStatus]] = frozenset({"accepted", "partially_filled"})


def replaced_order(intent: OrderIntent, context: OrderContext, owner: str) -> Order | None:
    """The open order that an intent is to take the place of; None for an order of its own.

    Raises:
        NotFound: there is no such order of this owner.
        InvalidRequest: it is not open at the venue, protects a position, or is another kind of order.
    """
    if not intent.replaces_order:
        return None
    old = context.ledger.order(intent.replaces_order, owner)
    if old.parent_id is not None:
        raise InvalidRequest(
            f"Order {old.id} protects a position and is not changed by itself.",
            remedy="Cancel it, then ask for a stop or a target of its own: `sell stop 58,000, 0.05 BTC`.",
        )
    if old.status not in _REPLACEABLE or old.account != intent.account:
        raise InvalidRequest(f"Order {old.id} is {old.status.replace('_', ' ')}: there is nothing open to change.")
    if (old.symbol, old.side) != (intent.symbol, intent.side):
        raise InvalidRequest(
            f"Order {old.id} is to {old.side} {old.symbol}; an order to {intent.side} {intent.symbol} is another one.",
            remedy="Cancel it and ask for the other order.",
        )
    return old


def change_of(old: Order, **changes: Any) -> dict[str, Any]:
    """The terms of an order that is like `old` but for the changes: what is open of it, at its own prices.

    Args:
        changes: fields of `OrderIntent`; None leaves one as it is.

    Raises:
        InvalidRequest: nothing would change.
    """
    same: dict[str, Any] = {
        "symbol": old.symbol,
        "side": old.side,
        "order_type": old.order_type,
        "quantity": old.quantity - old.filled,
        "limit_price": old.limit_price,
        "stop_price": old.stop_price,
        "stop_loss": old.stop_loss,
        "take_profit": old.take_profit,
        "good_till": old.good_till,
        "time_in_force": "GTD" if old.good_till is not None else "",
    }
    given = {name: value for name, value in changes.items() if value not in (None, "")}
    if given.get("good_till") is None and given.get("time_in_force") is not None:
        same["good_till"] = None
    elif given.get("good_till") is not None:
        given.setdefault("time_in_force", "GTD")
    if all(same.get(name) == value for name, value in given.items()):
        raise InvalidRequest(
            f"That is what order {old.id} is already ({order_in_words(old)}).",
            remedy="Say what to change, and to what.",
        )
    return {**same, **given, "replaces_order": old.id}


def with_replaced(ticket: OrderTicket, old: Order | None) -> OrderTicket:
    """A draft that says which order it takes the place of, and how much of that had filled."""
    if old is None:
        return ticket
    return replace(ticket, replaces_order=old.id, replaced_words=order_in_words(old), replaced_filled=old.filled)


def without(activity: Activity, old: Order | None) -> Activity:
    """An account's recent past as it looks once an order has given way."""
    if old is None:
        return activity
    # Exits of what it bought stay where they are.
    return replace(activity, resting=tuple(order for order in activity.resting if order.id != old.id))


def way_is_clear(ticket: OrderTicket, context: OrderContext, broker: Broker) -> bool:
    """Cancel the order that a ticket replaces; True once its venue has shown that it ended as the ticket says.

    Takes the claim of the old order's ticket, so its caller must hold none. Where it is not known how the old order
    ended, the ticket is left `unknown` and this is asked again; where it filled more, the ticket is denied.
    """
    ledger = context.ledger
    outcome = cancel_order(ticket.replaces_order, ledger=ledger, broker=broker, clock=context.clock)
    old = outcome.order
    if old.status in OPEN_ORDER_STATUSES:
        _leave_open(ticket, f"Order {old.id} is to be cancelled first. {outcome.detail}".rstrip(), context)
        return False
    told = ticket.replaced_filled or Decimal(0)
    if old.filled <= told and old.status != "filled":
        return True
    base = old.symbol.partition("/")[0]
    reason = (
        f"Order {old.id} is {old.status}: {plain(old.filled)} of {plain(old.quantity)} {base} had filled when it "
        f"ended, and {plain(told)} when the ticket was made. The new order was not sent; ask again for what you still "
        "want."
    )
    with ledger.claim(ticket.id):
        if ledger.order_of(ticket.id) is None and ledger.ticket(ticket.id).status in {"submitting", "unknown"}:
            ledger.advance_ticket(ticket.id, "denied", reason=reason, kind="ticket_denied")
    return False


def _leave_open(ticket: OrderTicket, reason: str, context: OrderContext) -> None:
    ledger = context.ledger
    with ledger.claim(ticket.id):
        if ledger.order_of(ticket.id) is None and ledger.ticket(ticket.id).status == "submitting":
            ledger.advance_ticket(ticket.id, "unknown", reason=reason, kind="replacement_unclear")
