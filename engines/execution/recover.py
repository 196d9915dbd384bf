"""Settling an order that was journalled: it is looked up by our id, never sent again."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from engines.domain.clock import Clock
from engines.domain.orders import OPEN_ORDER_STATUSES, Order
from engines.errors import VenueUnavailable
from engines.execution.broker import Broker
from engines.execution.sync import bring_protective
from engines.ledger.ledger import Ledger

# After so many look-ups that failed or found nothing, a person has to look.
MAX_LOOKUPS: Final = 20
# A venue where orders can turn up late has to deny knowing one this often.
_DENIALS: Final = 3


def look_up(order: Order, *, ledger: Ledger, broker: Broker, clock: Clock) -> Order:
    """Bring a journalled order to where the venue says it stands.

    Must be called by the owner of the ticket's claim: only then does `submitting` mean that whoever sent it
    is gone.

    Returns:
        The order: found, `unknown` while it may still turn up, `not_accepted` once the venue's full history
        lacks it, `needs_operator` when looking it up keeps failing.
    """
    if order.status not in OPEN_ORDER_STATUSES and order.status != "filled":
        return order
    try:
        seen = broker.find(order.id, order.symbol)
    except VenueUnavailable as error:
        return _unclear(order, ledger, f"The look-up failed: {error.message}")
    if seen is not None:
        order = ledger.record_venue_order(order.id, seen, broker.name)
        with suppress(VenueUnavailable):
            bring_protective(order, ledger=ledger, broker=broker)
        return order
    if order.status in {"accepted", "partially_filled", "filled"}:
        return order if order.status == "filled" else _lost(order, ledger, broker)
    may_turn_up = clock.now() - order.created_at < broker.settling
    lookups = ledger.count_lookup(order.id)
    if not may_turn_up and (not broker.settling or lookups >= _DENIALS):
        reason = f"{broker.name} has no order {order.id} in its history: it never took it. Nothing is open."
        return ledger.record_unsettled(order.id, "not_accepted", reason)
    reason = f"{broker.name} does not know order {order.id} yet; looked up {lookups} of {MAX_LOOKUPS} times."
    return _settled(order, ledger, lookups, reason)


def _unclear(order: Order, ledger: Ledger, reason: str) -> Order:
    if order.status in {"accepted", "partially_filled", "filled"}:
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
