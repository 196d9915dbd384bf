"""Exits that the desk guards itself: written with their entry's fill, sent when they are due."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection, bindparam, func, select

from engines.domain.orders import OPEN_ORDER_STATUSES, Order
from engines.execution.broker import guarded_ids, successor_id
from engines.ledger import orders, submissions
from engines.ledger.journal import Journal
from engines.ledger.taken_back import was_taken_back
from engines.storage import ledger as tables

_ZERO: Final = Decimal(0)
_SENDING: Final = "protection_journalled"
KEPT: Final = "exits_stay_at_desk"
CLOSED: Final = "exits_closed"
EXHAUSTED: Final = "exit_exhausted"
EXITS: Final = (
    select(tables.orders).where(tables.orders.c.parent_id == bindparam("parent_id")).order_by(tables.orders.c.id)
)


def begin_protection(journal: Journal, entry: Order, settling: timedelta) -> bool:
    """Journal that exits are about to be sent to the venue; False while earlier ones may still turn up there."""
    columns = tables.audit.c
    newest = select(func.max(columns.time)).where(columns.ticket_id == entry.ticket_id, columns.kind == _SENDING)
    sent_at = journal.connection.execute(newest).scalar_one_or_none()
    if sent_at is not None and journal.now - sent_at < settling:
        return False
    journal.note(_SENDING, account=entry.account, ticket_id=entry.ticket_id, order=entry.id)
    return True


def looked_for(journal: Journal, entry: Order) -> timedelta:
    """How long ago the exits that went to the venue along with an entry were looked for the first time."""
    kind = "exits_looked_for"
    note_once(journal, entry, kind)
    columns = tables.audit.c
    first = select(func.min(columns.time)).where(columns.ticket_id == entry.ticket_id, columns.kind == kind)
    since: datetime = journal.connection.execute(first).scalar_one()
    return journal.now - since


def keep_at_desk(journal: Journal, entry: Order, reason: str) -> None:
    """Decide that the exits of an entry that has ended are the desk's, and no venue is asked for them again; once."""
    if not stays_at_desk(journal.connection, entry):
        journal.note(KEPT, account=entry.account, ticket_id=entry.ticket_id, order=entry.id, reason=reason)


def stays_at_desk(connection: Connection, entry: Order) -> bool:
    """True once it is decided that no venue will hold an entry's exits."""
    columns = tables.audit.c
    kept = select(columns.seq).where(columns.ticket_id == entry.ticket_id, columns.kind == KEPT)
    return connection.execute(kept.limit(1)).first() is not None


def close(journal: Journal, entry: Order) -> None:
    """Note that nothing is left to guard of an entry: only another fill of its ticket opens it again."""
    journal.note(CLOSED, account=entry.account, ticket_id=entry.ticket_id, order=entry.id)


def arm(journal: Journal, entry: Order, quantity: Decimal) -> tuple[str, ...]:
    """Write the exits of an entry that are not at work, as the desk's own; once, however often it is asked for.

    The first of its kind goes by the id of `guarded_ids`. What takes the place of one that ended has an id of its
    own: what was sent under the old one is never sent again. Nothing takes the place of one that a person took back.

    Args:
        quantity: base units to sell when one is due.

    Returns:
        Ids of exits that ended after every id there is was used, told for the first time: a person has to see to it.
    """
    legs = orders.read_orders(journal.connection, EXITS, parent_id=entry.id)
    spent = []
    stop_id, target_id = guarded_ids(entry.id)
    for first_id, price, stop in ((stop_id, entry.stop_loss, True), (target_id, entry.take_profit, False)):
        if price is None:
            continue
        own = [leg for leg in legs if (leg.order_type == "stop") == stop]
        if any(leg.status in OPEN_ORDER_STATUSES or was_taken_back(journal.connection, leg) for leg in own):
            continue
        guarded = [leg for leg in own if leg.held_by == "desk"]
        ended = max(guarded, key=lambda leg: (len(leg.id), leg.id), default=None)
        order_id = first_id if ended is None else successor_id(ended.id)
        if order_id is not None:
            _write(journal, entry, order_id, price, quantity, ended, stop=stop)
        elif ended is not None and note_once(journal, ended, EXHAUSTED):
            spent.append(ended.id)
    return tuple(spent)


def _write(
    journal: Journal, entry: Order, order_id: str, price: Decimal, quantity: Decimal, ended: Order | None, *, stop: bool
) -> None:
    """A waiting exit; after one that sold nothing it waits a while before it is sent, as after a refusal."""
    after = "" if ended is None else f"{ended.id} ended as {ended.status} with {ended.filled.normalize():f} sold."
    tried = ended is not None and ended.status != "filled" and not ended.filled and ended.venue_order_id is not None
    never_taken = ended is not None and ended.status in {"not_accepted", "rejected_by_venue"}
    leg = replace(
        entry,
        id=order_id,
        side="sell",
        order_type="stop" if stop else "limit",
        quantity=quantity,
        limit_price=None if stop else price,
        stop_price=price if stop else None,
        stop_loss=None,
        take_profit=None,
        status="accepted",
        venue_order_id=None,
        reason=f"It is tried again: {after}" if tried or never_taken else "",
        created_at=journal.now,
        updated_at=journal.now,
        filled=_ZERO,
        average_price=None,
        fills=(),
        parent_id=entry.id,
        held_by="desk",
        good_till=None,
    )
    orders.insert_order(journal, leg, reserve_price=_ZERO, reserve_fee=_ZERO)
    details = {"order": order_id, "parent": entry.id, "quantity": format(quantity, "f"), "price": format(price, "f")}
    if after:
        details["after"] = after
    journal.note("exit_guarded", account=entry.account, ticket_id=entry.ticket_id, **details)


def note_once(journal: Journal, leg: Order, kind: str, **data: str) -> bool:
    """Note something about an exit or an entry once; True the first time."""
    if is_noted(journal.connection, leg, kind):
        return False
    journal.note(kind, account=leg.account, ticket_id=leg.ticket_id, order=leg.id, **data)
    return True


def is_noted(connection: Connection, leg: Order, kind: str) -> bool:
    """True for something that was noted about an order before."""
    columns = tables.audit.c
    noted = select(columns.seq).where(
        columns.ticket_id == leg.ticket_id, columns.kind == kind, columns.data.contains(f'"order":"{leg.id}"')
    )
    return connection.execute(noted.limit(1)).first() is not None


def change_quantity(journal: Journal, leg: Order, quantity: Decimal) -> None:
    """Let a waiting exit follow the holding that it guards."""
    orders.change_order(journal, leg, leg.status, quantity=quantity)
    details = {"order": leg.id, "before": format(leg.quantity, "f"), "after": format(quantity, "f")}
    journal.note("guarded_exit_changed", account=leg.account, ticket_id=leg.ticket_id, **details)


def release(journal: Journal, leg: Order, reason: str) -> None:
    """End a waiting exit without sending it."""
    submissions.settle(journal, leg, "cancelled", reason)


def begin_exit(journal: Journal, leg: Order, quantity: Decimal) -> None:
    """Journal that a waiting exit is about to be sent: from here on the venue may know its id."""
    orders.change_order(journal, leg, "submitting", quantity=quantity, reason="")
    details = {"order": leg.id, "quantity": format(quantity, "f")}
    journal.note("submission_journalled", account=leg.account, ticket_id=leg.ticket_id, **details)


def wait_again(journal: Journal, leg: Order, reason: str) -> None:
    """Let an exit that the venue proved not to have taken, or that may not be sent now, go on waiting; and say why."""
    orders.change_order(journal, leg, "accepted", reason=reason)
    journal.note("guarded_exit_waits", account=leg.account, ticket_id=leg.ticket_id, order=leg.id, reason=reason)
