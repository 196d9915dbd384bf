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
    seen = _shown(entry, broker)
    if not seen:
        with ledger.journalled() as journal:
            first = begin_protection(journal, entry, broker.settling)
        if not first:
            raise VenueUnavailable(f"{broker.name} may still come to show the exits of {entry.id}.")
        seen = _alive(entry, broker.protect(entry))
    if seen:
        return tuple(ledger.record_protective(entry.id, each, broker.name) for each in seen)
    with ledger.journalled() as journal:
        guard(journal, entry)
    return tuple(order for order in ledger.exits_of(entry.id) if order.held_by == "desk")


def _is_due(entry: Order) -> bool:
    wanted = entry.stop_loss is not None or entry.take_profit is not None
    ended = entry.status == "filled" or (entry.status == "cancelled" and entry.filled > 0)
    return entry.side == "buy" and wanted and ended


def _shown(entry: Order, broker: Broker) -> tuple[VenueOrder, ...]:
    found = (broker.find(order_id, entry.symbol) for order_id in protective_ids(entry.id))
    return _alive(entry, tuple(each for each in found if each is not None))


def _alive(entry: Order, seen: tuple[VenueOrder, ...]) -> tuple[VenueOrder, ...]:
    """Exits that ended unused together with an entry that was cancelled protect nothing of what it left."""
    unused = entry.status == "cancelled" and all(each.status in _ENDED and not each.filled for each in seen)
    return () if unused else seen
