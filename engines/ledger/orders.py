"""Orders, their events and their fills in the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, insert, select, update

from engines.domain.orders import OPEN_ORDER_STATUSES, Fill, Order, OrderStatus
from engines.errors import Conflict
from engines.ledger.book import currencies
from engines.ledger.journal import Journal
from engines.storage import ledger as tables

_ZERO = Decimal(0)


def read_orders(connection: Connection, query: Select[Any]) -> tuple[Order, ...]:
    """Orders of a query over the `orders` table, each with its fills."""
    rows = connection.execute(query).mappings().all()
    fills: dict[str, list[Fill]] = {row["id"]: [] for row in rows}
    for _, fill in read_fills(connection, select(tables.fills).where(tables.fills.c.order_id.in_(fills))):
        fills[fill.order_id].append(fill)
    return tuple(_order(row, tuple(fills[row["id"]])) for row in rows)


def read_fills(connection: Connection, query: Select[Any]) -> list[tuple[int, Fill]]:
    """Fills of a query over the `fills` table with their sequence numbers, in order."""
    rows = connection.execute(query.order_by(tables.fills.c.seq)).mappings()
    return [(row["seq"], _fill(row)) for row in rows]


def insert_order(journal: Journal, order: Order, **extra: Any) -> None:
    """Write a new order and its first event."""
    skipped = {"filled", "average_price", "fills"}
    values = {name: getattr(order, name) for name in Order.__slots__ if name not in skipped}
    journal.connection.execute(insert(tables.orders).values(**values, **{"lookups": 0, **extra}))
    record_event(journal, order.id, order.status, order.reason)


def record_event(journal: Journal, order_id: str, status: OrderStatus, reason: str) -> None:
    """Append to what happened to an order."""
    detail = json.dumps({"reason": reason})
    values = {"order_id": order_id, "time": journal.now, "status": status, "detail": detail}
    journal.connection.execute(insert(tables.order_events).values(**values))


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
    table = tables.fills
    new = []
    for fill in fills:
        known = select(table.c.seq).where(table.c.venue == venue, table.c.trade_id == fill.id)
        if journal.connection.execute(known).first() is None:
            values = {name: getattr(fill, name) for name in Fill.__slots__ if name != "id"}
            journal.connection.execute(insert(table).values(venue=venue, trade_id=fill.id, **values))
            new.append(fill)
    return tuple(new)


def reserved(connection: Connection, account: str) -> dict[str, Decimal]:
    """What open orders hold back, by currency.

    Protective orders hold nothing back: they shrink with the holding they protect.
    """
    held: dict[str, Decimal] = {}
    for row in _open_entries(connection, account):
        base, quote = currencies(row["symbol"])
        remaining = row["quantity"] - filled(connection, row["id"])
        if row["side"] == "sell":
            held[base] = held.get(base, _ZERO) + remaining
        else:
            amount = remaining * row["reserve_price"] * (1 + row["reserve_fee"])
            held[quote] = held.get(quote, _ZERO) + amount
    return held


def open_exposure(connection: Connection, account: str) -> tuple[int, Decimal]:
    """How many entries are open, and the value of the buys among them in quote units."""
    rows = _open_entries(connection, account)
    buys = (row for row in rows if row["side"] == "buy")
    return len(rows), sum(
        ((row["quantity"] - filled(connection, row["id"])) * row["reserve_price"] for row in buys), _ZERO
    )


def filled(connection: Connection, order_id: str) -> Decimal:
    """Quantity of an order that is filled so far."""
    quantities = connection.execute(
        select(tables.fills.c.quantity).where(tables.fills.c.order_id == order_id)
    ).scalars()
    return sum(quantities, _ZERO)


def _open_entries(connection: Connection, account: str) -> list[RowMapping]:
    orders = tables.orders.c
    query = select(tables.orders).where(
        orders.account == account, orders.status.in_(OPEN_ORDER_STATUSES), orders.parent_id.is_(None)
    )
    return list(connection.execute(query).mappings())


def _order(row: RowMapping, fills: tuple[Fill, ...]) -> Order:
    quantity = sum((fill.quantity for fill in fills), _ZERO)
    value = sum((fill.quantity * fill.price for fill in fills), _ZERO)
    average = value / quantity if quantity else None
    own = {name: row[name] for name in Order.__slots__ if name in row}
    return Order(**own, filled=quantity, average_price=average, fills=fills)


def _fill(row: RowMapping) -> Fill:
    return Fill(id=row["trade_id"], **{name: row[name] for name in Fill.__slots__ if name != "id"})
