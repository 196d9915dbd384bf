"""Bringing what happened at a venue into the ledger."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Final

from engines.domain.orders import Order, OrderStatus
from engines.errors import NotFound, QuantumTraderError, VenueUnavailable
from engines.execution.broker import Broker, OpenOrder
from engines.execution.protection import bring_protective
from engines.ledger.ledger import Ledger

__all__ = ["bring_protective", "sync_fills"]

_LOGGER: Final = logging.getLogger(__name__)

# `submitting` and unclear orders belong to `submit`, which owns their claim.
_WATCHED: Final[frozenset[OrderStatus]] = frozenset({"accepted", "partially_filled"})


def sync_fills(
    ledger: Ledger, broker: Broker, *, within: str = "", open_orders: Iterable[OpenOrder] = ()
) -> tuple[Order, ...]:
    """Record what became of every resting order, and the protective orders of entries that filled.

    Repeating it changes nothing: a fill counts once, by the venue's trade id.

    Args:
        within: how the ids of the accounts begin that the broker serves; empty for all.
        open_orders: what the venue lists as open; an order that stands there as it does here is not asked for.

    Returns:
        The orders that changed or are new.

    Raises:
        VenueUnavailable: the venue did not answer for some of them; what it said of the others is recorded.
    """
    changed: list[Order] = []
    failures: list[QuantumTraderError] = []
    listed = {each.client_order_id: each for each in open_orders}
    for order in ledger.orders(status="open", limit=10_000, within=within):
        if _is_watched(order) and not _stands_as_known(order, listed):
            try:
                after = _brought(order, ledger, broker)
            except VenueUnavailable as error:
                failures.append(error)
            else:
                changed += [after] if after != order else []
    for entry in ledger.unprotected_entries(within=within):
        try:
            changed += _protected(entry, ledger, broker)
        except NotFound as error:
            _LOGGER.warning("the exits of order %s cannot be brought: %s", entry.id, error)
        except QuantumTraderError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return tuple(changed)


def _protected(entry: Order, ledger: Ledger, broker: Broker) -> list[Order]:
    """The exits that were brought now; who guards them must not be decided in two places at once."""
    before = ledger.exits_of(entry.id)
    with ledger.claim(entry.ticket_id):
        bring_protective(ledger.order(entry.id), ledger=ledger, broker=broker)
    return [order for order in ledger.exits_of(entry.id) if order not in before]


def _is_watched(order: Order) -> bool:
    """What waits at the desk is not at the venue; an order that it took and lost may be found there again."""
    if order.waits_at_desk:
        return False
    return order.status in _WATCHED or (order.status == "needs_operator" and order.venue_order_id is not None)


def _stands_as_known(order: Order, listed: Mapping[str, OpenOrder]) -> bool:
    found = listed.get(order.id)
    return (
        found is not None
        and order.status in _WATCHED
        and (found.filled, found.quantity, found.venue_order_id) == (order.filled, order.quantity, order.venue_order_id)
    )


def _brought(order: Order, ledger: Ledger, broker: Broker) -> Order:
    reason = f"{broker.name} accepted order {order.id} and no longer knows it."
    try:
        seen = broker.find(order.id, order.symbol, since=order.created_at)
    except NotFound:
        # Listed no more: one symbol must not keep the others from being brought.
        seen, reason = None, f"{broker.name} accepted order {order.id} and no longer lists {order.symbol}."
    if seen is not None:
        return ledger.record_venue_order(order.id, seen, broker.name)
    if order.status == "needs_operator":
        return order
    return ledger.record_unsettled(order.id, "needs_operator", reason)
