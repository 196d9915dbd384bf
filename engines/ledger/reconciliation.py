"""What a comparison of the ledger with a venue found, and the record of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal

from sqlalchemy import Connection, RowMapping, bindparam, insert, select

from engines.domain.orders import Fill, Order
from engines.errors import Conflict, InvalidRequest, NotFound
from engines.execution.broker import Balance, OpenOrder
from engines.ledger.adjustments import read_adjustments, write_adjustments
from engines.ledger.journal import Journal
from engines.storage import ledger as tables

Trigger = Literal["start", "reconnect", "routine", "request"]

_COMPARE: Final = "Compare again: `quantum-trader reconcile`, or POST /v1/reconciliation."
_COLUMNS = tables.reconciliations.c
_NEWEST: Final = (
    select(tables.reconciliations)
    .where(_COLUMNS.account == bindparam("account"))
    .order_by(_COLUMNS.seq.desc())
    .limit(1)
)
_NEWEST_MATCHING: Final = _NEWEST.where(_COLUMNS.matches)


@dataclass(frozen=True, slots=True)
class Difference:
    """One currency by the ledger and at the venue.

    Attributes:
        tolerated: it is too small to stop for, or of a currency that this desk never had.
        price: the account's currency for one unit, where the market tells it.
    """

    currency: str
    expected: Decimal
    found: Decimal
    tolerated: bool
    price: Decimal | None = None

    @property
    def amount(self) -> Decimal:
        """What the venue has more than the ledger; negative for less."""
        return self.found - self.expected


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Ledger and venue, side by side at one instant.

    Attributes:
        orders: those of ours that stood differently at the venue, as they are recorded now.
        fills: ours that the ledger had missed.
        externals: open orders that are none of ours.
        external_fills: executions since the last time that are none of ours.
        unsettled: orders whose outcome nobody knows yet; their currencies are not held against the venue's.
        movements: how many movements without a fill the ledger's balances included.
        seq: number of the record; 0 while there is none.
    """

    account: str
    venue: str
    time: datetime
    trigger: Trigger
    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]
    balances: Mapping[str, Balance]
    externals: tuple[OpenOrder, ...]
    external_fills: tuple[Fill, ...]
    differences: tuple[Difference, ...]
    unsettled: tuple[str, ...]
    movements: int = 0
    seq: int = 0

    @property
    def mismatches(self) -> tuple[Difference, ...]:
        """The differences that nothing explains."""
        return tuple(each for each in self.differences if not each.tolerated)

    @property
    def matches(self) -> bool:
        """True when the ledger has what the venue has."""
        return not self.mismatches

    def told(self) -> str:
        """What does not match, with the numbers; empty when all does."""
        parts = [
            f"{each.currency}: {_plain(each.found)} at {self.venue}, {_plain(each.expected)} by the ledger "
            f"({each.amount:+f})"
            for each in self.mismatches
        ]
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class RecordedReconciliation:
    """A comparison as it was written; `report` is plain JSON."""

    seq: int
    account: str
    time: datetime
    matches: bool
    report: dict[str, Any]

    @property
    def mismatches(self) -> dict[str, tuple[Decimal, Decimal | None]]:
        """What the venue had more than the ledger, where that was not tolerated, with its price, by currency."""
        return {
            each["currency"]: (
                Decimal(each["found"]) - Decimal(each["expected"]),
                None if each["price"] is None else Decimal(each["price"]),
            )
            for each in self.report["differences"]
            if not each["tolerated"]
        }


def write_reconciliation(journal: Journal, found: Reconciliation) -> int:
    """Record and audit a comparison, unless it found what the one before found; the number of its record."""
    report = _report(found)
    before = read_newest_reconciliation(journal.connection, found.account)
    if before is not None and found.trigger == "routine" and _lasting(before.report) == _lasting(report):
        return before.seq
    text = json.dumps(report)
    row = {"account": found.account, "time": found.time, "matches": found.matches, "report": text}
    statement = insert(tables.reconciliations).values(**row).returning(_COLUMNS.seq)
    seq: int = journal.connection.execute(statement).scalar_one()
    told = {"number": seq, "matches": found.matches, "report": report_hash(text), **_audited(report)}
    journal.note("reconciled", account=found.account, **told)
    return seq


def read_newest_reconciliation(
    connection: Connection, account: str, *, matching: bool = False
) -> RecordedReconciliation | None:
    """The last comparison of an account, or the last that found both equal; None before the first."""
    row = connection.execute(_NEWEST_MATCHING if matching else _NEWEST, {"account": account}).mappings().first()
    return None if row is None else _recorded(row)


def accept_mismatches(journal: Journal, account: str, seq: int, *, reason: str, by: str) -> dict[str, Decimal]:
    """Book the mismatches of comparison `seq` as movements that a person explains; what was booked, by currency.

    Raises:
        NotFound: there was no comparison yet.
        Conflict: it is not the newest one, or something was booked since.
        InvalidRequest: no reason, or nothing to accept.
    """
    newest = read_newest_reconciliation(journal.connection, account)
    if newest is None:
        raise NotFound(f"{account} was not compared with its venue yet.", remedy=_COMPARE)
    if newest.seq != seq or len(read_adjustments(journal.connection, account)) != newest.report["movements"]:
        raise Conflict(f"Comparison {seq} is not how things stand any more.", remedy=_COMPARE)
    if not reason.strip():
        raise InvalidRequest("A difference is accepted for a reason, and none was given.", remedy="Say what moved it.")
    if not newest.mismatches:
        raise InvalidRequest(f"Comparison {seq} found no difference to accept.")
    write_adjustments(journal, account, newest.mismatches, reason=reason.strip(), by=by, kind="differences_accepted")
    return {currency: amount for currency, (amount, _) in newest.mismatches.items()}


def _recorded(row: RowMapping) -> RecordedReconciliation:
    return RecordedReconciliation(
        row["seq"], row["account"], row["time"], matches=row["matches"], report=json.loads(row["report"])
    )


def _report(found: Reconciliation) -> dict[str, Any]:
    return {
        "venue": found.venue,
        "trigger": found.trigger,
        "orders": [{"id": order.id, "status": order.status, "filled": _plain(order.filled)} for order in found.orders],
        "fills": [_json(asdict(fill)) for fill in found.fills],
        "balances": {name: _json(asdict(balance)) for name, balance in sorted(found.balances.items())},
        "externals": [_json(asdict(order)) for order in found.externals],
        "external_fills": [_json(asdict(fill)) for fill in found.external_fills],
        "differences": [_json(asdict(each)) for each in found.differences],
        "unsettled": list(found.unsettled),
        "movements": found.movements,
    }


def _lasting(report: Mapping[str, Any]) -> dict[str, Any]:
    """What of a report is still so later: orders and fills were taken over, they are no news the next time."""
    return {name: report[name] for name in ("externals", "differences", "unsettled", "movements")}


def _audited(report: Mapping[str, Any]) -> dict[str, Any]:
    lengths = {name: len(report[name]) for name in ("orders", "fills", "external_fills")}
    return {
        **lengths,
        "trigger": report["trigger"],
        "externals": [order["venue_order_id"] for order in report["externals"]],
        "differences": report["differences"],
        "unsettled": report["unsettled"],
    }


def report_hash(report: str) -> str:
    """What the record of a comparison says of its report, the JSON as stored."""
    return hashlib.sha256(report.encode()).hexdigest()


def _json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _plain(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _json(item) for name, item in value.items()}
    return value


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f") if value else "0"
