"""What the audit chain says of everything that is money or state, held against the tables that hold it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, RowMapping, Text, select, type_coerce
from sqlalchemy.exc import DBAPIError

from engines.ledger.marks_check import MarksTold, check_marks
from engines.ledger.orders_check import OrdersTold, check_order_events, check_orders, check_ticket_states
from engines.ledger.sealed import is_untouched
from engines.ledger.states_check import StatesTold, check_comparisons, check_externals, check_states
from engines.storage import ledger as tables
from engines.storage.metadata import instant_of

# More of them say nothing new.
MOST_TOLD: Final = 20
_DECISIONS: Final = {"ticket_approved": "approve", "ticket_rejected": "reject"}
# Kinds of records that say what a table must hold.
_MOVEMENTS: Final = frozenset({"account_taken_over", "differences_accepted"})
_TELLING: Final = frozenset({"ticket_sealed", *_DECISIONS, "fill", "account_opened", *_MOVEMENTS})
_AMOUNTS: Final = ("price", "quantity", "fee")
_WORDS: Final = ("fee_currency", "symbol", "side", "venue")
# Money as the text that is stored, so that one which is no number is told and not raised.
_FILLS: Final = select(
    *(column for column in tables.fills.c if column.name not in {*_AMOUNTS, "time"}),
    *(type_coerce(tables.fills.c[name], Text).label(name) for name in _AMOUNTS),
    type_coerce(tables.fills.c.time, BigInteger).label("micros"),
).order_by(tables.fills.c.seq)
_ACCOUNTS: Final = select(
    *(tables.accounts.c[name] for name in ("id", "owner", "name", "mode", "currency")),
    type_coerce(tables.accounts.c.starting_cash, Text).label("cash"),
)
_ADJUSTED: Final = select(
    tables.adjustments.c.account,
    tables.adjustments.c.currency,
    type_coerce(tables.adjustments.c.amount, Text).label("amount"),
    type_coerce(tables.adjustments.c.price, Text).label("price"),
    tables.adjustments.c.after_fill,
)
_DECIDED: Final = select(
    tables.decisions.c.ticket_id, tables.decisions.c.decision, tables.decisions.c.by, tables.decisions.c.ticket_hash
)
_TICKETS: Final = select(tables.tickets.c.id, tables.tickets.c.label, tables.tickets.c.content, tables.tickets.c.hash)


@dataclass(slots=True)
class Told:
    """What the records of a chain say there must be: hashes by ticket, decisions, fills, accounts, money moved.

    Attributes:
        orders, states, marks: what they say of orders and tickets, of the desk and its venue, and of the equity that
            losses are counted from.
    """

    tickets: dict[str, str] = field(default_factory=dict)
    decisions: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    fills: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    accounts: dict[str, tuple[str, str]] = field(default_factory=dict)
    movements: Counter[tuple[str, ...]] = field(default_factory=Counter)
    orders: OrdersTold = field(default_factory=OrdersTold)
    states: StatesTold = field(default_factory=StatesTold)
    marks: MarksTold = field(default_factory=MarksTold)

    def concerns(self, kind: str) -> bool:
        """True for records that `note` takes in."""
        return kind in _TELLING or any(part.concerns(kind) for part in (self.orders, self.states, self.marks))

    def note(self, kind: str, account: str, ticket_id: str | None, data: dict[str, Any]) -> None:
        """Take in one record."""
        if self.orders.concerns(kind):
            self.orders.note(kind, ticket_id, data)
        if self.states.concerns(kind):
            self.states.note(kind, account, data)
        if self.marks.concerns(kind):
            self.marks.note(kind, account, data)
        if kind == "ticket_sealed":
            self.tickets[str(ticket_id)] = data["hash"]
        elif kind in _DECISIONS:
            self.decisions[str(ticket_id)] = (_DECISIONS[kind], data["by"], data["hash"])
        elif kind == "fill":
            self.fills[account, data["order"], data["trade"]] = data
        elif kind == "account_opened":
            self.accounts[account] = (data["currency"], data["cash"])
        elif kind in _MOVEMENTS:
            prices, after = data.get("prices", {}), str(data.get("after_fill", ""))
            self.movements.update(
                (account, currency, amount, prices.get(currency, ""), after)
                for currency, amount in data["amounts"].items()
            )


def disagreements(connection: Connection, told: Told) -> tuple[tuple[str, ...], dict[str, int]]:
    """Where the tables say something else than the chain; none is the good answer.

    Returns:
        At most `MOST_TOLD` sentences, and how many rows of each table were compared.
    """
    compared = {"tickets": 0, "decisions": 0, "fills": 0, "accounts": 0, "movements": 0}
    found: list[str] = []
    for sentence in _all(connection, told, compared):
        found.append(sentence)
        if len(found) == MOST_TOLD:
            found.append("And more: only the first of them are told.")
            break
    return tuple(found), compared


def _all(connection: Connection, told: Told, compared: dict[str, int]) -> Iterator[str]:
    parts: tuple[tuple[str, Callable[[Any, Any, dict[str, int]], Iterator[str]], object], ...] = (
        ("tickets", _tickets, told),
        ("ticket states", check_ticket_states, told.orders),
        ("decisions", _decisions, told),
        ("orders", check_orders, told.orders),
        ("order events", check_order_events, told.orders),
        ("fills", _fills, told),
        ("accounts", _accounts, told),
        ("movements", _movements, told),
        ("trading states", check_states, told.states),
        ("external orders", check_externals, told.states),
        ("comparisons", check_comparisons, told.states),
        ("equity marks", check_marks, told.marks),
    )
    for name, check, of in parts:
        try:
            with connection.begin_nested():
                found = list(check(connection, of, compared))
        except DBAPIError as error:
            found = [f"The table of {name} cannot be read: {str(error.orig).partition(chr(10))[0]}."]
        except (ArithmeticError, ValueError, TypeError) as error:
            # A number or a time that is none.
            found = [f"The table of {name} cannot be read: {error}."]
        yield from found


def _tickets(connection: Connection, told: Told, compared: dict[str, int]) -> Iterator[str]:
    missing = dict(told.tickets)
    for row in connection.execute(_TICKETS).mappings():
        compared["tickets"] += 1
        sealed = missing.pop(row["id"], None)
        if sealed is None:
            yield f"Ticket {row['label']} ({row['id']}) was never sealed by the desk."
        elif sealed != row["hash"] or not is_untouched(row):
            yield f"Ticket {row['label']} ({row['id']}) is not stored as it was sealed."
    yield from (f"Ticket {ticket_id} was sealed and is gone." for ticket_id in missing)


def _decisions(connection: Connection, told: Told, compared: dict[str, int]) -> Iterator[str]:
    missing = dict(told.decisions)
    for row in connection.execute(_DECIDED).mappings():
        compared["decisions"] += 1
        decided = missing.pop(row["ticket_id"], None)
        if decided is None:
            yield f"The decision on ticket {row['ticket_id']} was never made at the desk."
        elif decided != (row["decision"], row["by"], row["ticket_hash"]):
            yield f"The decision on ticket {row['ticket_id']} is not the one that was made."
    yield from (f"The decision on ticket {ticket_id} is gone." for ticket_id in missing)


def _fills(connection: Connection, told: Told, compared: dict[str, int]) -> Iterator[str]:
    missing, found = dict(told.fills), []
    for row in connection.execute(_FILLS).mappings():
        compared["fills"] += 1
        found.append((row["account"], row["order_id"], row["trade_id"]))
        fill = missing.pop((row["account"], row["order_id"], row["trade_id"]), None)
        name = f"Fill {row['trade_id']} of order {row['order_id']}"
        if fill is None:
            yield f"{name} was never recorded by the desk."
        else:
            yield from (f"{name} has another {what} than was recorded." for what in _changed(row, fill))
    yield from (f"Fill {trade} of order {order} was recorded and is gone." for _, order, trade in missing)
    if found != list(told.fills) and set(found) == set(told.fills):
        yield "The fills are stored in another order than they were recorded in."


def _changed(row: RowMapping, fill: dict[str, Any]) -> list[str]:
    amounts = [name for name in _AMOUNTS if not _same(row[name], fill[name])]
    if "time" in fill and instant_of(row["micros"]) != datetime.fromisoformat(fill["time"]):
        amounts.append("time")
    # Fills recorded by earlier releases do not repeat symbol, side, venue and time.
    return amounts + [name.replace("_", " ") for name in _WORDS if name in fill and row[name] != fill[name]]


def _accounts(connection: Connection, told: Told, compared: dict[str, int]) -> Iterator[str]:
    missing = dict(told.accounts)
    for row in connection.execute(_ACCOUNTS).mappings():
        compared["accounts"] += 1
        opened = missing.pop(row["id"], None)
        if opened is None:
            yield f"Account {row['id']} was never opened by the desk."
        elif opened[0] != row["currency"] or not _same(row["cash"], opened[1]):
            yield f"Account {row['id']} was opened with {opened[1]} {opened[0]}, and another start is stored."
        elif row["id"] != f"{row['name']}:{row['owner']}" or not row["name"].startswith(row["mode"]):
            yield f"Account {row['id']} is stored with another owner, name or mode than it was opened with."
    yield from (f"Account {account_id} was opened and is gone." for account_id in missing)


def _movements(connection: Connection, told: Told, compared: dict[str, int]) -> Iterator[str]:
    """Money that moved without a fill: what a live account began with, and differences that a person accepted."""
    stored: Counter[tuple[str, ...]] = Counter(
        (row["account"], row["currency"], row["amount"], row["price"] or "", str(row["after_fill"]))
        for row in connection.execute(_ADJUSTED).mappings()
    )
    compared["movements"] += stored.total()
    gone = told.movements - stored
    for movement in (stored - told.movements).elements():
        # Records of earlier releases do not say after which fill.
        earlier = (*movement[:4], "")
        if gone[earlier]:
            gone[earlier] -= 1
            continue
        account, currency, amount, price, _ = movement
        at = f" at {price}" if price else ""
        yield f"Account {account}: {amount} {currency}{at} without a fill was never recorded by the desk."
    for account, currency, amount, *_ in gone.elements():
        yield f"Account {account}: {amount} {currency} without a fill was recorded and is gone."


def _same(stored: str, told: str) -> bool:
    try:
        return Decimal(stored) == Decimal(told)
    except (InvalidOperation, TypeError):
        return False
