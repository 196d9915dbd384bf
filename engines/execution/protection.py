"""Seeing to it that an entry that filled is protected: by the venue where it can, by the desk where it cannot."""

from __future__ import annotations

from typing import Final

from engines.domain.orders import Order
from engines.errors import VenueUnavailable
from engines.execution.broker import Broker, VenueOrder, protective_ids
from engines.ledger.guarding import begin_protection, guard
from engines.ledger.ledger import Ledger

_ENDED: Final = frozenset({"cancelled", "rejected"})


def bring_protective(entry: Order, *, ledger: Ledger, broker: Broker) -> tuple[Order, ...]:
    """Record the stop-loss and take-profit of an entry that filled, and have them placed where they are not yet.

    An entry that was cancelled after a part of it filled is protected for that part. Exits that the venue cannot
    hold are written as the desk's own, for `guard_exits` to carry out.

    Returns:
        The exits as the ledger has them now; none for an entry without.

    Raises:
        VenueUnavailable: it is not known whether the venue has them; nothing is sent twice.
    """
    if not _is_due(entry):
        return ()
    seen = _at_venue(entry, ledger, broker) if broker.holds_protection(ledger.ticket(entry.ticket_id)) else ()
    if seen:
        return tuple(ledger.record_protective(entry.id, each, broker.name) for each in seen)
    with ledger.journalled() as journal:
        guard(journal, entry)
    return tuple(order for order in ledger.exits_of(entry.id) if order.held_by == "desk")


def _is_due(entry: Order) -> bool:
    ended = entry.status == "filled" or (entry.status == "cancelled" and entry.filled > 0)
    return entry.side == "buy" and bool(_wanted(entry)) and ended


def _at_venue(entry: Order, ledger: Ledger, broker: Broker) -> tuple[VenueOrder, ...]:
    """Exits that the venue holds, placed there now where they were not; none where it refused them.

    At a venue where orders can turn up late, their sending is journalled: whoever comes next only looks for them
    until they must be there.
    """
    if not broker.settling:
        return _alive(entry, broker.protect(entry), ledger)
    with ledger.journalled() as journal:
        first = begin_protection(journal, entry, broker.settling)
    if first:
        return _alive(entry, broker.protect(entry), ledger)
    found = (broker.find(order_id, entry.symbol) for order_id in _wanted(entry))
    seen = _alive(entry, tuple(each for each in found if each is not None), ledger)
    if not seen:
        raise VenueUnavailable(f"{broker.name} may still come to show the exits of {entry.id}.")
    return seen


def _wanted(entry: Order) -> tuple[str, ...]:
    stop_id, target_id = protective_ids(entry.id)
    prices = ((stop_id, entry.stop_loss), (target_id, entry.take_profit))
    return tuple(order_id for order_id, price in prices if price is not None)


def _alive(entry: Order, seen: tuple[VenueOrder, ...], ledger: Ledger) -> tuple[VenueOrder, ...]:
    """Exits that had all ended unused when they were first seen protect nothing.

    Those on record here stand as they are: whoever cancelled them through this desk does not want them back.
    """
    on_record = any(order.held_by == "venue" for order in ledger.exits_of(entry.id))
    unused = all(each.status in _ENDED and not each.filled for each in seen)
    return () if unused and not on_record else seen
