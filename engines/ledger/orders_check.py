"""What the audit chain says of orders, of what happened to them and where tickets stand, held against the tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Text, select, type_coerce

from engines.storage import ledger as tables

_SETTLED: Final = "order_"
# Kinds of records after which an order stands so.
_ORDER_STATUS: Final = {
    "submission_journalled": "submitting",
    "protective_order_accepted": "accepted",
    "exit_guarded": "accepted",
    "guarded_exit_waits": "accepted",
}
# Kinds of records after which a ticket stands so; those of its entry order come on top.
_TICKET_STATUS: Final = {
    "ticket_sealed": "pending",
    "ticket_approved": "approved",
    "ticket_rejected": "rejected",
    "ticket_expired": "expired",
    "ticket_superseded": "superseded",
    "ticket_denied": "denied",
    "cancellation_started": "submitting",
    "cancellation_done": "cancelled",
    "cancellation_unclear": "unknown",
    "replacement_started": "submitting",
    "replacement_unclear": "unknown",
}
_RESIZED: Final = "guarded_exit_changed"
_KINDS: Final = frozenset({*_ORDER_STATUS, *_TICKET_STATUS, _RESIZED})
_AMOUNTS: Final = (
    *("quantity", "limit_price", "stop_price", "stop_loss", "take_profit"),
    *("reserve_price", "reserve_fee"),
)
_SEALED_AMOUNTS: Final = ("limit_price", "stop_price", "stop_loss", "take_profit")
_SEALED_WORDS: Final = ("account", "symbol", "side", "order_type")
_WORDS: Final = (*_SEALED_WORDS, "id", "ticket_id", "parent_id", "held_by", "status", "venue_order_id", "good_till")
_ORDERS: Final = select(
    *(tables.orders.c[name] for name in _WORDS),
    *(type_coerce(tables.orders.c[name], Text).label(name) for name in _AMOUNTS),
).order_by(tables.orders.c.created_at, tables.orders.c.id)
_EVENTS: Final = select(tables.order_events.c.order_id, tables.order_events.c.status).order_by(
    tables.order_events.c.order_id, tables.order_events.c.seq
)
_CONTENTS: Final = select(tables.tickets.c.id, tables.tickets.c.content)
_STANDING: Final = select(
    tables.tickets.c.id, tables.tickets.c.label, tables.tickets.c.status, tables.tickets.c.superseded_by
)


@dataclass(slots=True)
class OrderTold:
    """What the records say of one order; None for what they do not tell.

    Attributes:
        statuses: all it went through, in order.
        is_sized: False once a record of an earlier release, which leaves out the quantity, may have changed it.
    """

    ticket_id: str
    parent: str | None = None
    statuses: list[str] = field(default_factory=list)
    held_by: str = "venue"
    is_sized: bool = True
    amounts: dict[str, str] = field(default_factory=dict)
    venue_order_id: str | None = None


@dataclass(slots=True)
class OrdersTold:
    """What the records of a chain say of orders, and where they leave each ticket: its status and what replaced it."""

    orders: dict[str, OrderTold] = field(default_factory=dict)
    tickets: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    @staticmethod
    def concerns(kind: str) -> bool:
        """True for records that `note` takes in."""
        return kind in _KINDS or kind.startswith(_SETTLED)

    def note(self, kind: str, ticket_id: str | None, data: dict[str, Any]) -> None:
        """Take in one record."""
        ticket = str(ticket_id)
        if kind in _TICKET_STATUS:
            self.tickets[ticket] = _TICKET_STATUS[kind], data.get("replacement")
            return
        order = self.orders.setdefault(data["order"], OrderTold(ticket, data.get("parent")))
        if kind == _RESIZED:
            order.amounts["quantity"] = data["after"]
            return
        settled = kind.startswith(_SETTLED)
        status = kind.removeprefix(_SETTLED) if settled else _ORDER_STATUS[kind]
        order.statuses.append(status)
        order.held_by = "desk" if kind == "exit_guarded" else order.held_by
        order.amounts |= {name: data[name] for name in _AMOUNTS if name in data}
        if settled or kind == "protective_order_accepted":
            order.is_sized = "quantity" in data
            order.venue_order_id = data.get("venue_order_id")
        if order.parent is None:
            self.tickets[ticket] = status, None


def check_orders(connection: Connection, told: OrdersTold, compared: dict[str, int]) -> Iterator[str]:
    """Orders that are not as the chain tells, or not as their sealed ticket or their entry has them."""
    sealed = {row["id"]: _read(row["content"]) for row in connection.execute(_CONTENTS).mappings()}
    rows = {row["id"]: row for row in connection.execute(_ORDERS).mappings()}
    compared["orders"] = len(rows)
    for order_id, row in rows.items():
        order = told.orders.get(order_id)
        if order is None:
            yield f"Order {order_id} was never journalled by the desk."
            continue
        wrong = [*_changed(row, order, sealed.get(order.ticket_id, {}))]
        wrong += _unlike_entry(row, rows.get(row["parent_id"])) if row["parent_id"] else []
        yield from (f"Order {order_id} has another {what.replace('_', ' ')} than was recorded." for what in wrong)
    yield from (f"Order {order_id} was journalled and is gone." for order_id in told.orders.keys() - rows.keys())


def check_order_events(connection: Connection, told: OrdersTold, compared: dict[str, int]) -> Iterator[str]:
    """Orders whose stored history is not the one that the chain tells."""
    compared["order events"] = 0
    histories = dict[str, list[str]]()
    for row in connection.execute(_EVENTS).mappings():
        compared["order events"] += 1
        histories.setdefault(row["order_id"], []).append(row["status"])
    for order_id, order in told.orders.items():
        if _steps(histories.get(order_id, ())) != _steps(order.statuses):
            yield f"What is stored to have happened to order {order_id} is not what was recorded."


def check_ticket_states(connection: Connection, told: OrdersTold, compared: dict[str, int]) -> Iterator[str]:
    """Tickets that do not stand where the chain leaves them; one that was never sealed is told by its own check."""
    compared["ticket states"] = 0
    for row in connection.execute(_STANDING).mappings():
        compared["ticket states"] += 1
        status, replacement = told.tickets.get(row["id"], (row["status"], row["superseded_by"]))
        if row["status"] != status:
            yield f"Ticket {row['label']} ({row['id']}) is stored as {row['status']} and was left as {status}."
        elif row["superseded_by"] != replacement:
            yield f"Ticket {row['label']} ({row['id']}) is stored with another replacement than it got."


def _changed(row: RowMapping, order: OrderTold, sealed: dict[str, Any]) -> Iterator[str]:
    """What of an order its own records and, for an entry, its sealed ticket tell otherwise."""
    words = {"ticket_id": order.ticket_id, "parent_id": order.parent, "held_by": order.held_by}
    words["status"] = order.statuses[-1] if order.statuses else ""
    yield from (name for name, told in words.items() if row[name] != told)
    amounts: dict[str, str | None] = dict(order.amounts)
    if order.parent is None:
        yield from (name for name in _SEALED_WORDS if row[name] != sealed.get(name))
        amounts |= {name: sealed.get(name) for name in _SEALED_AMOUNTS}
        amounts.setdefault("quantity", sealed.get("quantity", ""))
        if not _same_time(row["good_till"], sealed.get("good_till")):
            yield "end"
    if not order.is_sized:
        amounts.pop("quantity", None)
    yield from (name for name, told in amounts.items() if not _same(row[name], told))
    if order.venue_order_id is not None and (row["venue_order_id"] or "") != order.venue_order_id:
        yield "venue order id"


def _read(content: str) -> dict[str, Any]:
    """A ticket's content; nothing of one that is no JSON any more, which the check of the tickets tells."""
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _unlike_entry(row: RowMapping, entry: RowMapping | None) -> list[str]:
    """What of an exit is not as its entry has it."""
    if entry is None:
        return ["entry"]
    stop = row["order_type"] == "stop"
    price, at = ("stop_price", entry["stop_loss"]) if stop else ("limit_price", entry["take_profit"])
    wrong = [name for name in ("account", "symbol", "ticket_id") if row[name] != entry[name]]
    wrong += ["side"] if row["side"] == entry["side"] else []
    return wrong if _same(row[price], at) else [*wrong, price]


def _steps(statuses: Iterable[str]) -> list[str]:
    """A status that is told twice in a row is one step: what else changed with it is no event."""
    return [status for status, _ in groupby(statuses)]


def _same(stored: str | None, told: str | None) -> bool:
    if stored is None or told is None:
        return stored == told
    try:
        return Decimal(stored) == Decimal(told)
    except InvalidOperation:
        return False


def _same_time(stored: datetime | None, told: str | None) -> bool:
    return stored == (None if told is None else datetime.fromisoformat(told))
