"""What the audit chain says of trading states, external orders and comparisons, held against their tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, select

from engines.ledger.externals import external_row
from engines.ledger.reconciliation import report_hash
from engines.storage import ledger as tables

_KINDS: Final = frozenset({"trading_state_changed", "external_orders_changed", "reconciled"})
_STATES: Final = select(*(tables.trading_states.c[name] for name in ("account", "state", "reason", "by")))
_EXTERNALS: Final = select(tables.external_orders).order_by(
    tables.external_orders.c.account, tables.external_orders.c.venue_order_id
)
_COMPARED: Final = select(
    *(tables.reconciliations.c[name] for name in ("seq", "account", "matches", "report"))
).order_by(tables.reconciliations.c.seq)


@dataclass(slots=True)
class StatesTold:
    """What the records of a chain say must be stored.

    Attributes:
        states: by account, empty for the desk: state, reason and who set it.
        externals: ids by account; each with the whole order, None where an earlier release recorded the id alone.
        comparisons: by number: account, whether both agreed, and the hash of the report where it is recorded.
    """

    states: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    externals: dict[str, dict[str, dict[str, Any] | None]] = field(default_factory=dict)
    comparisons: dict[int, tuple[str, bool, str | None]] = field(default_factory=dict)

    @staticmethod
    def concerns(kind: str) -> bool:
        """True for records that `note` takes in."""
        return kind in _KINDS

    def note(self, kind: str, account: str, data: dict[str, Any]) -> None:
        """Take in one record."""
        if kind == "trading_state_changed":
            self.states[account] = (data["state"], data["reason"], data["by"])
        elif kind == "reconciled":
            self.comparisons[data["number"]] = (account, data["matches"], data.get("report"))
        elif "orders" in data:
            self.externals[account] = {order["venue_order_id"]: order for order in data["orders"]}
        else:
            known = self.externals.setdefault(account, {})
            known.update(dict.fromkeys(data["appeared"]))
            for order_id in data["gone"]:
                known.pop(order_id, None)


def check_states(connection: Connection, told: StatesTold, compared: dict[str, int]) -> Iterator[str]:
    """Trading states that nobody set, or that are gone."""
    missing, compared["trading states"] = dict(told.states), 0
    for row in connection.execute(_STATES).mappings():
        compared["trading states"] += 1
        state = missing.pop(row["account"], None)
        if state is None:
            yield f"The trading state {row['state']} of {_named(row['account'])} was never set at the desk."
        elif state != (row["state"], row["reason"], row["by"]):
            yield f"The trading state of {_named(row['account'])} is not the one that was set ({state[0]})."
    yield from (f"The trading state of {_named(account)} is gone." for account in missing)


def check_externals(connection: Connection, told: StatesTold, compared: dict[str, int]) -> Iterator[str]:
    """Orders of others that no comparison found, or that are stored otherwise."""
    missing = {(account, each) for account, known in told.externals.items() for each in known}
    compared["external orders"] = 0
    for row in connection.execute(_EXTERNALS).mappings():
        compared["external orders"] += 1
        key = (row["account"], row["venue_order_id"])
        name = f"External order {row['venue_order_id']} of {row['account']}"
        if key not in missing:
            yield f"{name} was found by no comparison."
            continue
        missing.remove(key)
        order = told.externals[row["account"]][row["venue_order_id"]]
        if order is not None and order.items() - external_row(row).items():
            yield f"{name} is not stored as it was found."
    yield from (f"External order {order_id} of {account} is gone." for account, order_id in sorted(missing))


def check_comparisons(connection: Connection, told: StatesTold, compared: dict[str, int]) -> Iterator[str]:
    """Comparisons with a venue that were never made, or found something else."""
    missing, compared["comparisons"] = dict(told.comparisons), 0
    for row in connection.execute(_COMPARED).mappings():
        compared["comparisons"] += 1
        found = missing.pop(row["seq"], None)
        if found is None:
            yield f"Comparison {row['seq']} was never made by the desk."
            continue
        account, matches, digest = found
        is_whole = digest in {None, report_hash(row["report"])}
        if (account, matches) != (row["account"], row["matches"]) or not is_whole:
            yield f"Comparison {row['seq']} is not stored as it was made."
    yield from (f"Comparison {number} was made and is gone." for number in missing)


def _named(account: str) -> str:
    return account or "the desk"
