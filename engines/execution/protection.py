"""Seeing to it that what filled of an entry is protected: by the venue where it can, by the desk where it cannot.

While an entry is open the desk guards what has filled of it, unless the venue protects parts itself. Once it has
ended, the venue is asked to hold the exits; the desk's own go on waiting until the venue's are on record, and none of
them is sent before it is known who holds them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from engines.domain.orders import OPEN_ORDER_STATUSES, Order, OrderTicket
from engines.errors import InvalidRequest, NotFound, OrderRejected, QuantumTraderError, VenueUnavailable
from engines.execution.broker import Broker, VenueOrder, protective_ids
from engines.ledger.guarding import arm, begin_protection, keep_at_desk, looked_for, release
from engines.ledger.ledger import Ledger
from engines.ledger.left_to_guard import sellable

_LOGGER: Final = logging.getLogger(__name__)
_ENDED: Final = frozenset({"cancelled", "rejected"})


def bring_protective(entry: Order, *, ledger: Ledger, broker: Broker, place: bool = True) -> tuple[Order, ...]:
    """Record the stop-loss and take-profit of what filled of an entry, and have them placed where they are not yet.

    Must be called by the owner of the ticket's claim. Exits that the venue cannot hold are written as the desk's own,
    for `guard_exits` to carry out, as are those of an entry that is still open. While trading is halted nothing is
    sent, and what the venue does not hold already waits at the desk until it may be placed.

    Args:
        place: False when one of them is due: the venue is only asked for those that it has already.

    Returns:
        The exits as the ledger has them now; none for an entry without, or of which nothing filled.

    Raises:
        VenueUnavailable: it is not known whether the venue has them; nothing is sent twice.
        NotFound: the venue does not list the symbol, so it is not known either.
    """
    if entry.side != "buy" or not _wanted(entry) or not entry.filled:
        return ()
    ticket = ledger.ticket(entry.ticket_id)
    at_venue = broker.holds_protection(ticket)
    if entry.status in OPEN_ORDER_STATUSES:
        if at_venue and broker.protects_parts(ticket):
            return _recorded(entry, broker.protect(entry), ledger, broker)
        return _guarded(entry, ledger)
    if not ledger.stays_at_desk(entry):
        if at_venue and ledger.standing_state(entry.account).state == "halted":
            found = _alive(entry, _found(entry, broker), ledger)
            return _recorded(entry, found, ledger, broker) if found else _guarded(entry, ledger)
        seen, reason = tuple[VenueOrder, ...](), f"{broker.name} does not hold them."
        if at_venue and place and _may_be_placed(entry, ledger):
            seen, reason = _at_venue(entry, ledger, broker)
        elif at_venue:
            # What the desk sold already, or is about to, or a person did, is never placed once more.
            seen, reason = _looked_for(entry, ledger, broker, ticket), "Some of it was sold, or is to be, at the desk."
        if seen:
            return _recorded(entry, seen, ledger, broker)
        return _guarded(entry, ledger, kept=reason)
    return _guarded(entry, ledger)


def try_protective(entry: Order, *, ledger: Ledger, broker: Broker) -> None:
    """`bring_protective` for an entry that is on record: what fails now is tried again with every round of the watcher.

    The entry went through, and whoever asked for it must hear that, not that its exits could not be seen to yet.
    """
    try:
        bring_protective(entry, ledger=ledger, broker=broker)
    except QuantumTraderError as error:
        _LOGGER.warning("the exits of order %s are not seen to yet: %s", entry.id, error)


def is_undecided(entry: Order, exits: Iterable[Order], *, ledger: Ledger) -> bool:
    """True for an entry that has ended and of whose exits it is not known yet whether the venue holds them."""
    at_venue = any(order.held_by == "venue" for order in exits)
    return entry.status not in OPEN_ORDER_STATUSES and not at_venue and not ledger.stays_at_desk(entry)


def let_go(exits: Iterable[Order], reason: str, *, ledger: Ledger) -> None:
    """End the exits among these that wait here, without sending them."""
    waiting = [order for order in exits if order.waits_at_desk]
    if waiting:
        with ledger.journalled() as journal:
            for order in waiting:
                release(journal, order, reason)


def _recorded(entry: Order, seen: Iterable[VenueOrder], ledger: Ledger, broker: Broker) -> tuple[Order, ...]:
    """The venue's first: an exit of the desk that still waits beside one on record is never sent."""
    recorded = tuple(ledger.record_protective(entry.id, each, broker.name) for each in seen)
    let_go(ledger.exits_of(entry.id), f"{broker.name} holds the exits from here on.", ledger=ledger)
    return recorded


def _guarded(entry: Order, ledger: Ledger, *, kept: str = "") -> tuple[Order, ...]:
    """Exits of what is left, waiting at the desk; `kept` says why it is decided now that no venue will hold them."""
    left = min(ledger.left_to_guard(entry), sellable(entry.fills))
    # One transaction: an entry whose exits are to stay here and that has none would be seen to by nobody.
    with ledger.journalled() as journal:
        if kept:
            keep_at_desk(journal, entry, kept)
        if left > 0:
            arm(journal, entry, left)
    return tuple(order for order in ledger.exits_of(entry.id) if order.held_by == "desk")


def _may_be_placed(entry: Order, ledger: Ledger) -> bool:
    desks = [order for order in ledger.exits_of(entry.id) if order.held_by == "desk"]
    return all(order.waits_at_desk for order in desks) and ledger.left_to_guard(entry) >= sellable(entry.fills)


def _at_venue(entry: Order, ledger: Ledger, broker: Broker) -> tuple[tuple[VenueOrder, ...], str]:
    """Exits that the venue holds, placed there now where they were not; none, and why, where it holds none.

    At a venue where orders can turn up late, their sending is journalled: whoever comes next only looks for them
    until they must be there.
    """
    if not broker.settling:
        return _placed(entry, ledger, broker)
    with ledger.journalled() as journal:
        first = begin_protection(journal, entry, broker.settling)
    if first:
        return _placed(entry, ledger, broker)
    seen = _alive(entry, _found(entry, broker), ledger)
    if not seen:
        raise VenueUnavailable(f"{broker.name} may still come to show the exits of {entry.id}.")
    return seen, ""


def _placed(entry: Order, ledger: Ledger, broker: Broker) -> tuple[tuple[VenueOrder, ...], str]:
    try:
        return _alive(entry, broker.protect(entry), ledger), f"{broker.name} did not take them."
    except NotFound:
        # A symbol that is listed no more proves nothing of what went there before.
        raise
    except (InvalidRequest, OrderRejected) as error:
        # A price or a quantity that it cannot take: nothing was sent, and asking again would change nothing.
        return (), error.message


def _looked_for(entry: Order, ledger: Ledger, broker: Broker, ticket: OrderTicket) -> tuple[VenueOrder, ...]:
    """Exits that went to the venue along with the entry; they may be shown late."""
    if not broker.carries_exits(ticket):
        return ()
    with ledger.journalled() as journal:
        since = looked_for(journal, entry)
    seen = _alive(entry, _found(entry, broker), ledger)
    if not seen and since < broker.settling:
        raise VenueUnavailable(f"{broker.name} may still come to show the exits of {entry.id}.")
    return seen


def _found(entry: Order, broker: Broker) -> tuple[VenueOrder, ...]:
    found = (broker.find(order_id, entry.symbol, since=entry.created_at) for order_id in _wanted(entry))
    return tuple(each for each in found if each is not None)


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
