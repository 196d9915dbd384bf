"""Orders, their events and their fills in the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Select, bindparam, insert, select, update

from engines.domain.activity import Activity
from engines.domain.orders import OPEN_ORDER_STATUSES, Fill, Order, OrderStatus
from engines.errors import Conflict
from engines.execution.broker import OpenOrder
from engines.ledger.book import currencies
from engines.ledger.journal import Journal
from engines.storage import ledger as tables

_ZERO = Decimal(0)
_ORDERS, _FILLS = tables.orders.c, tables.fills.c

# Statements of every order's path are built once: building them takes longer than running them.
ORDER: Final = select(tables.orders).where(_ORDERS.id == bindparam("id"))
ENTRY_OF_TICKET: Final = select(tables.orders).where(
    _ORDERS.ticket_id == bindparam("ticket_id"), _ORDERS.parent_id.is_(None)
)
FILLS_OF_ORDERS: Final = (
    select(tables.fills).where(_FILLS.order_id.in_(bindparam("ids", expanding=True))).order_by(_FILLS.seq)
)
NEW_FILLS: Final = (
    select(tables.fills)
    .where(_FILLS.account == bindparam("account"), _FILLS.seq > bindparam("last_seq"))
    .order_by(_FILLS.seq)
)
_OPEN_ENTRIES: Final = select(tables.orders).where(
    _ORDERS.account == bindparam("account"), _ORDERS.status.in_(OPEN_ORDER_STATUSES), _ORDERS.parent_id.is_(None)
)
_KNOWN_FILL: Final = select(_FILLS.seq).where(
    _FILLS.venue == bindparam("venue"), _FILLS.trade_id == bindparam("trade_id")
)
_INSERT_ORDER: Final = insert(tables.orders)
_INSERT_EVENT: Final = insert(tables.order_events)
_INSERT_FILL: Final = insert(tables.fills)


def read_orders(connection: Connection, query: Select[Any], **values: Any) -> tuple[Order, ...]:
    """Orders of a query over the `orders` table, each with its fills; `values` are the query's parameters."""
    rows = connection.execute(query, values).mappings().all()
    fills: dict[str, list[Fill]] = {row["id"]: [] for row in rows}
    if not fills:
        return ()
    for _, fill in read_fills(connection, FILLS_OF_ORDERS, ids=list(fills)):
        fills[fill.order_id].append(fill)
    return tuple(_order(row, tuple(fills[row["id"]])) for row in rows)


def read_fills(connection: Connection, query: Select[Any], **values: Any) -> list[tuple[int, Fill]]:
    """Fills of a query over the `fills` table, by sequence number; `values` are the query's parameters."""
    rows = connection.execute(query, values).mappings()
    return [(row["seq"], _fill(row)) for row in rows]


def insert_order(journal: Journal, order: Order, **extra: Any) -> None:
    """Write a new order and its first event."""
    skipped = {"filled", "average_price", "fills"}
    values = {name: getattr(order, name) for name in Order.__slots__ if name not in skipped}
    journal.connection.execute(_INSERT_ORDER, {**values, "lookups": 0, **extra})
    record_event(journal, order.id, order.status, order.reason)


def record_event(journal: Journal, order_id: str, status: OrderStatus, reason: str) -> None:
    """Append to what happened to an order."""
    detail = json.dumps({"reason": reason})
    values = {"order_id": order_id, "time": journal.now, "status": status, "detail": detail}
    journal.connection.execute(_INSERT_EVENT, values)


def change_order(journal: Journal, order: Order, status: OrderStatus, **values: Any) -> None:
    """Move an order on from the status it was read with.

    Raises:
        Conflict: it has moved on since.
    """
    orders = tables.orders
    statement = update(orders).where(orders.c.id == order.id, orders.c.status == order.status)
    values = {"status": status, "updated_at": journal.now, **values}
    if journal.connection.execute(statement.values(**values)).rowcount != 1:
        raise Conflict(f"Order {order.id} changed in the meantime.", remedy="Read it again.")
    if status != order.status:
        record_event(journal, order.id, status, str(values.get("reason", "")))


def insert_new_fills(journal: Journal, fills: Iterable[Fill], venue: str) -> tuple[Fill, ...]:
    """Write the fills that are not there yet, by the venue's trade id; those that were new."""
    new = []
    for fill in fills:
        if journal.connection.execute(_KNOWN_FILL, {"venue": venue, "trade_id": fill.id}).first() is None:
            values = {name: getattr(fill, name) for name in Fill.__slots__ if name != "id"}
            journal.connection.execute(_INSERT_FILL, {"venue": venue, "trade_id": fill.id, **values})
            new.append(fill)
    return tuple(new)


@dataclass(frozen=True, slots=True)
class OpenEntries:
    """The open entries of an account.

    Protective orders are not among them and hold nothing back: they shrink with the holding they protect.

    Attributes:
        count: how many there are.
        buying: value of the buys among them, quote units.
        reserved: what they hold back, by currency, fees included.
        activity: what the account did lately; None where nobody asked for it.
        external: value of the buys that others placed, by symbol, quote units; not among `buying`.
        unpriced: buys that others placed and that only a market can value; in neither.
    """

    count: int
    buying: Decimal
    reserved: dict[str, Decimal]
    activity: Activity | None = None
    external: Mapping[str, Decimal] = field(default_factory=dict)
    unpriced: tuple[OpenOrder, ...] = ()


def open_entries(connection: Connection, account: str, *, without: str = "") -> OpenEntries:
    """What open entries of an account hold back; orders whose outcome is unclear count as open.

    Args:
        without: an order that is to give way, by id.
    """
    found = connection.execute(_OPEN_ENTRIES, {"account": account}).mappings().all()
    rows = [row for row in found if row["id"] != without]
    buying, held = _ZERO, dict[str, Decimal]()
    for row in rows:
        base, quote = currencies(row["symbol"])
        remaining = row["quantity"] - _filled(connection, row)
        if row["side"] == "sell":
            held[base] = held.get(base, _ZERO) + remaining
        else:
            value = remaining * row["reserve_price"]
            buying += value
            held[quote] = held.get(quote, _ZERO) + value * (1 + row["reserve_fee"])
    return OpenEntries(len(rows), buying, held)


def _filled(connection: Connection, row: RowMapping) -> Decimal:
    if row["status"] in {"submitting", "accepted"}:
        return _ZERO
    quantities = connection.execute(
        select(tables.fills.c.quantity).where(tables.fills.c.order_id == row["id"])
    ).scalars()
    return sum(quantities, _ZERO)


def _order(row: RowMapping, fills: tuple[Fill, ...]) -> Order:
    quantity = sum((fill.quantity for fill in fills), _ZERO)
    value = sum((fill.quantity * fill.price for fill in fills), _ZERO)
    average = value / quantity if quantity else None
    own = {name: row[name] for name in Order.__slots__ if name in row}
    return Order(**own, filled=quantity, average_price=average, fills=fills)


def _fill(row: RowMapping) -> Fill:
    return Fill(id=row["trade_id"], **{name: row[name] for name in Fill.__slots__ if name != "id"})
