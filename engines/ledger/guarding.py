"""Exits that the desk guards itself: written with their entry's fill, sent when they are due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import func, select

from engines.domain.orders import Fill, Order
from engines.execution.broker import guarded_ids, successor_id
from engines.ledger import orders, submissions
from engines.ledger.journal import Journal
from engines.storage import ledger as tables

_ZERO: Final = Decimal(0)
_SENDING: Final = "protection_journalled"


def begin_protection(journal: Journal, entry: Order, settling: timedelta) -> bool:
    """Journal that exits are about to be sent to the venue; False while earlier ones may still turn up there."""
    columns = tables.audit.c
    newest = select(func.max(columns.time)).where(columns.ticket_id == entry.ticket_id, columns.kind == _SENDING)
    sent_at = journal.connection.execute(newest).scalar_one_or_none()
    if sent_at is not None and journal.now - sent_at < settling:
        return False
    journal.note(_SENDING, account=entry.account, ticket_id=entry.ticket_id, order=entry.id)
    return True


def guard(journal: Journal, entry: Order) -> None:
    """Write the exits of a filled entry as the desk's own; once, however often it is asked for."""
    held = sellable((entry,), entry.fills)
    stop_id, target_id = guarded_ids(entry.id)
    for order_id, price, stop in ((stop_id, entry.stop_loss, True), (target_id, entry.take_profit, False)):
        known = select(tables.orders.c.id).where(tables.orders.c.id == order_id)
        if price is None or journal.connection.execute(known).first() is not None:
            continue
        leg = replace(
            entry,
            id=order_id,
            side="sell",
            order_type="stop" if stop else "limit",
            quantity=held,
            limit_price=None if stop else price,
            stop_price=price if stop else None,
            stop_loss=None,
            take_profit=None,
            status="accepted",
            venue_order_id=None,
            reason="",
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
        details = {"order": order_id, "parent": entry.id, "quantity": format(held, "f"), "price": format(price, "f")}
        journal.note("exit_guarded", account=entry.account, ticket_id=entry.ticket_id, **details)


def succeed(journal: Journal, leg: Order, quantity: Decimal) -> None:
    """Write what takes the place of an exit that ended at its venue before it had sold everything.

    It has an id of its own: what was sent under the old one is never sent again. After one that sold nothing it
    waits a while before it is sent, as after a refusal.
    """
    order_id = successor_id(leg.id)
    if order_id is None:
        return
    ended = f"{leg.id} ended as {leg.status} with {leg.filled.normalize():f} sold."
    successor = replace(
        leg,
        id=order_id,
        quantity=quantity,
        status="accepted",
        venue_order_id=None,
        reason="" if leg.filled else f"It is tried again: {ended}",
        created_at=journal.now,
        updated_at=journal.now,
        filled=_ZERO,
        average_price=None,
        fills=(),
    )
    orders.insert_order(journal, successor, reserve_price=_ZERO, reserve_fee=_ZERO)
    details = {"order": order_id, "parent": leg.parent_id, "quantity": format(quantity, "f"), "after": ended}
    journal.note("exit_guarded", account=leg.account, ticket_id=leg.ticket_id, **details)


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


def guarded_quantities(
    entries: Iterable[Order], exits: Mapping[str, str], fills: Iterable[Fill], *, held: Decimal
) -> dict[str, Decimal]:
    """What each entry still has to guard, base units.

    What is sold without one of their exits is taken from the oldest entry first, and never given back by a later buy.

    Args:
        entries: guarded ones of one account and symbol, oldest first.
        exits: ids of their exits, each with its entry's id.
        fills: every fill of the account on the symbol, oldest first.
        held: what the account has of the base currency now; what the fills do not account for was there before.
    """
    entries, fills = tuple(entries), tuple(fills)
    guarded = {entry.id: _ZERO for entry in entries}
    holding = held - sum((_moved(fill) for fill in fills), _ZERO)
    for fill in fills:
        holding += _moved(fill)
        owner = exits.get(fill.order_id, fill.order_id)
        if owner in guarded:
            guarded[owner] = max(guarded[owner] + _moved(fill), _ZERO)
        excess = sum(guarded.values(), _ZERO) - holding
        for entry_id, quantity in guarded.items():
            taken = min(quantity, max(excess, _ZERO))
            guarded[entry_id] -= taken
            excess -= taken
    return guarded


def sellable(entries: Iterable[Order], fills: Iterable[Fill]) -> Decimal:
    """What fills of entries left of the base currency, fees in it taken off."""
    known = {entry.id for entry in entries}
    return sum((_moved(fill) for fill in fills if fill.order_id in known), _ZERO)


def _moved(fill: Fill) -> Decimal:
    """Base units that a fill added to the account."""
    fee = fill.fee if fill.fee_currency == fill.symbol.partition("/")[0] else _ZERO
    return (fill.quantity if fill.side == "buy" else -fill.quantity) - fee
