"""What of an entry is still held, so that its exits sell that and never more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, bindparam, case, func, select

from engines.domain.orders import OPEN_ORDER_STATUSES, Fill, Order
from engines.ledger import orders
from engines.ledger.guarding import CLOSED, KEPT
from engines.storage import ledger as tables

_ZERO: Final = Decimal(0)
_ENTRY, _CHILD, _AUDIT = tables.orders.c, tables.orders.alias("child").c, tables.audit.c
_HAS_EXITS: Final = select(_CHILD.id).where(_CHILD.parent_id == _ENTRY.id).exists()
_HAS_FILLS: Final = select(tables.fills.c.seq).where(tables.fills.c.order_id == _ENTRY.id).exists()
_KEPT: Final = select(_AUDIT.seq).where(_AUDIT.ticket_id == _ENTRY.ticket_id, _AUDIT.kind == KEPT).exists()
_ON_SYMBOL: Final = (
    select(tables.orders)
    .where(_ENTRY.account == bindparam("account"), _ENTRY.symbol == bindparam("symbol"))
    .order_by(_ENTRY.created_at, _ENTRY.id)
)
_OWN: Final = _AUDIT.ticket_id == _ENTRY.ticket_id
_CLOSED_AT: Final = select(func.coalesce(func.max(_AUDIT.seq), 0)).where(_OWN, _AUDIT.kind == CLOSED).scalar_subquery()
_FILLED_AT: Final = select(func.coalesce(func.max(_AUDIT.seq), 0)).where(_OWN, _AUDIT.kind == "fill").scalar_subquery()
_MAY_BE_HELD: Final = _FILLED_AT >= _CLOSED_AT
_FIRST: Final = (
    select(func.min(tables.fills.c.seq))
    .where(tables.fills.c.order_id.in_(bindparam("entries", expanding=True)))
    .scalar_subquery()
)
_FILLS: Final = (
    select(tables.fills)
    .where(tables.fills.c.account == bindparam("account"), tables.fills.c.symbol == bindparam("symbol"))
    .where(tables.fills.c.seq >= _FIRST)
    .order_by(tables.fills.c.seq)
)


def left_of(connection: Connection, entry: Order, *, held: Decimal) -> Decimal:
    """What of an entry is still held and guarded by nothing else, base units; what a venue's exits hold is left out.

    Args:
        held: what the account has of the base currency now.
    """
    where = {"account": entry.account, "symbol": entry.symbol}
    exits = orders.read_orders(connection, _ON_SYMBOL.where(_ENTRY.parent_id.is_not(None)), **where)
    locked = _locked(exits)
    guards = _ON_SYMBOL.where(_ENTRY.parent_id.is_(None), _HAS_EXITS, _MAY_BE_HELD)
    entries = [
        each for each in orders.read_orders(connection, guards, **where) if each.id not in locked or each.id == entry.id
    ]
    if all(each.id != entry.id for each in entries):
        entries.append(entry)
    # What was traded before the first of them filled changes nothing, and may be much.
    since = [each.id for each in entries]
    fills = [fill for _, fill in orders.read_fills(connection, _FILLS, **where, entries=since)]
    owners = {each.id: each.parent_id or "" for each in exits}
    guarded = guarded_quantities(entries, owners, fills, held=held)
    # Coins that a venue's exits hold back cannot have been what was sold: the others' are, the oldest first.
    free = held - sum((quantity for owner, quantity in locked.items() if owner != entry.id), _ZERO)
    excess = sum(guarded.values(), _ZERO) - free
    for entry_id, quantity in guarded.items():
        taken = min(quantity, max(excess, _ZERO))
        guarded[entry_id] -= taken
        excess -= taken
    return guarded[entry.id]


def _locked(exits: Iterable[Order]) -> dict[str, Decimal]:
    """What the open exits at a venue hold back by their entry, base units: of two that exclude each other, the more."""
    locked: dict[str, Decimal] = {}
    for each in exits:
        if each.held_by == "venue" and each.status in OPEN_ORDER_STATUSES and each.parent_id is not None:
            locked[each.parent_id] = max(locked.get(each.parent_id, _ZERO), each.quantity - each.filled)
    return locked


def entries_to_guard(connection: Connection, within: ColumnElement[bool]) -> tuple[Order, ...]:
    """Entries whose exits are on record, or are to be the desk's, of which something may be held; oldest first."""
    query = select(tables.orders).where(_ENTRY.parent_id.is_(None), _ENTRY.side == "buy", _HAS_EXITS | _KEPT, within)
    return orders.read_orders(connection, query.where(_MAY_BE_HELD).order_by(_ENTRY.created_at, _ENTRY.id))


def unprotected_entries(connection: Connection, within: ColumnElement[bool]) -> tuple[Order, ...]:
    """Buys that filled, or a part of them, whose exits are nowhere yet, or not known to be at the venue or here."""
    wanted = _counted(_ENTRY.stop_loss) + _counted(_ENTRY.take_profit)
    at_venue = select(func.count()).where(_CHILD.parent_id == _ENTRY.id, _CHILD.held_by == "venue").scalar_subquery()
    undecided = case((_ENTRY.status.in_(OPEN_ORDER_STATUSES), ~_HAS_EXITS), else_=(wanted > at_venue) & ~_KEPT)
    query = select(tables.orders).where(
        _ENTRY.parent_id.is_(None), _ENTRY.side == "buy", wanted > 0, undecided, _HAS_FILLS, within
    )
    return orders.read_orders(connection, query)


def sellable(fills: Iterable[Fill]) -> Decimal:
    """What fills left of the base currency, fees in it taken off."""
    return sum((_moved(fill) for fill in fills), _ZERO)


def _counted(column: ColumnElement[Any]) -> ColumnElement[int]:
    return case((column.is_not(None), 1), else_=0)


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


def _moved(fill: Fill) -> Decimal:
    """Base units that a fill added to the account."""
    fee = fill.fee if fill.fee_currency == fill.symbol.partition("/")[0] else _ZERO
    return (fill.quantity if fill.side == "buy" else -fill.quantity) - fee
