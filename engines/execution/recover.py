"""Settling an order that was journalled: it is looked up by our id, never sent again."""

from __future__ import annotations

from typing import Final

from engines.domain.clock import Clock
from engines.domain.orders import OPEN_ORDER_STATUSES, Order
from engines.errors import NotFound, VenueUnavailable
from engines.execution.broker import Broker, VenueOrder
from engines.execution.protection import try_protective
from engines.ledger.ledger import Ledger

# After so many look-ups that failed or found nothing, a person has to look.
MAX_LOOKUPS: Final = 20
# A venue where orders can turn up late is asked this often at least, and has to deny knowing one as often in a row.
_DENIALS: Final = 3


def look_up(order: Order, *, ledger: Ledger, broker: Broker, clock: Clock) -> Order:
    """Bring a journalled order to where the venue says it stands.

    Must be called by the owner of the ticket's claim: only then does `submitting` mean that whoever sent it
    is gone.

    Returns:
        The order: found, `unknown` while it may still turn up, `not_accepted` once the venue's full history
        lacks it, `needs_operator` when looking it up keeps failing or the venue took it and has lost it.
    """
    if order.status not in OPEN_ORDER_STATUSES and order.status != "filled":
        return order
    may_turn_up = _may_turn_up(order, broker, clock)
    try:
        seen = _found(order, broker, times=1 if may_turn_up or not broker.settling else _DENIALS)
    except (NotFound, VenueUnavailable) as error:
        # A market that is listed no more shows nothing of its orders: that is no proof that this one is not there.
        return _unclear(order, ledger, f"The look-up failed: {error.message}")
    if seen is not None:
        order = ledger.record_venue_order(order.id, seen, broker.name)
        try_protective(order, ledger=ledger, broker=broker)
        return order
    if order.venue_order_id is not None:
        return order if order.status in {"filled", "needs_operator"} else _lost(order, ledger, broker)
    lookups = ledger.count_lookup(order.id)
    if not may_turn_up and (not broker.settling or lookups >= _DENIALS):
        reason = f"{broker.name} has no order {order.id} in its history: it never took it. Nothing is open."
        return ledger.record_unsettled(order.id, "not_accepted", reason)
    reason = f"{broker.name} does not know order {order.id} yet; looked up {lookups} of {MAX_LOOKUPS} times."
    return _settled(order, ledger, lookups, reason)


def _may_turn_up(order: Order, broker: Broker, clock: Clock) -> bool:
    """True while a venue may still come to show the order.

    The time counts from when the outcome became unclear, not from the journal: a sender that died may have been
    held up before it sent.
    """
    if order.status == "submitting":
        return bool(broker.settling)
    return clock.now() - order.updated_at < broker.settling


def _found(order: Order, broker: Broker, *, times: int) -> VenueOrder | None:
    """The order at its venue; None when it was denied as often as asked for."""
    for _ in range(times):
        seen = broker.find(order.id, order.symbol, since=order.created_at)
        if seen is not None:
            return seen
    return None


def _unclear(order: Order, ledger: Ledger, reason: str) -> Order:
    if order.venue_order_id is not None:
        return order
    return _settled(order, ledger, ledger.count_lookup(order.id), reason)


def _settled(order: Order, ledger: Ledger, lookups: int, reason: str) -> Order:
    status = "needs_operator" if lookups >= MAX_LOOKUPS else "unknown"
    if status == order.status:
        return ledger.order(order.id)
    return ledger.record_unsettled(order.id, "needs_operator" if status == "needs_operator" else "unknown", reason)


def _lost(order: Order, ledger: Ledger, broker: Broker) -> Order:
    reason = f"{broker.name} accepted order {order.id} and no longer knows it."
    return ledger.record_unsettled(order.id, "needs_operator", reason)
