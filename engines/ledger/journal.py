"""Write transactions of the ledger, and the hash chain of what happened in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, RowMapping, insert, select, update

from engines.domain.clock import Clock
from engines.storage import ledger as tables
from engines.storage.transactions import writing

# Statements of every order's path are built once: building them takes longer than running them.
_APPEND: Final = insert(tables.audit)
_HEAD: Final = select(tables.audit_head.c.seq, tables.audit_head.c.hash)
_LOCK_HEAD: Final = _HEAD.with_for_update()
_MOVE_HEAD: Final = update(tables.audit_head)


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One thing that happened; `hash` covers the record and the hash before it."""

    seq: int
    time: datetime
    account: str
    ticket_id: str | None
    kind: str
    data: dict[str, Any]
    previous_hash: str
    hash: str


class Journal:
    """One open write transaction: its connection, its time, and its end of the audit chain."""

    def __init__(self, connection: Connection, now: datetime, *, seq: int, head: str) -> None:
        self.connection = connection
        self.now = now
        self.seq = seq
        self.head = head

    def note(self, kind: str, *, account: str, ticket_id: str | None = None, **data: Any) -> None:
        """Append to the audit chain; `data` is plain JSON."""
        self.seq += 1
        record = {
            "seq": self.seq,
            "time": self.now,
            "account": account,
            "ticket_id": ticket_id,
            "kind": kind,
            "data": _canonical(data),
            "previous_hash": self.head,
        }
        self.head = record_hash(record)
        self.connection.execute(_APPEND, {**record, "hash": self.head})


@contextmanager
def journalling(engine: Engine, clock: Clock) -> Iterator[Journal]:
    """A write transaction whose changes and audit records are committed together.

    Writers take turns: SQLite by its write lock, PostgreSQL by a row lock on the chain's end. So what a
    transaction reads stays true until it commits, and the chain has no gap.
    """
    with writing(engine) as connection:
        head = connection.execute(_LOCK_HEAD).one()
        journal = Journal(connection, clock.now(), seq=head.seq, head=head.hash)
        yield journal
        if journal.seq != head.seq:
            connection.execute(_MOVE_HEAD, {"seq": journal.seq, "hash": journal.head})


def read_audit(
    connection: Connection,
    *,
    ticket_id: str | None,
    accounts: tuple[str, ...] | None,
    after: int = 0,
    limit: int | None = None,
) -> list[AuditRecord]:
    """Records in order, behind record `after`; of one ticket, or of some accounts, or all."""
    query = select(tables.audit).where(tables.audit.c.seq > after).order_by(tables.audit.c.seq).limit(limit)
    if ticket_id is not None:
        query = query.where(tables.audit.c.ticket_id == ticket_id)
    if accounts is not None:
        query = query.where(tables.audit.c.account.in_(accounts))
    rows = connection.execute(query).mappings()
    return [AuditRecord(**{**row, "data": json.loads(row["data"])}) for row in rows]


def read_newest(connection: Connection, kind: str, *, accounts: tuple[str, ...], limit: int) -> list[AuditRecord]:
    """The newest records of one kind, newest first."""
    query = select(tables.audit).where(tables.audit.c.kind == kind, tables.audit.c.account.in_(accounts))
    rows = connection.execute(query.order_by(tables.audit.c.seq.desc()).limit(limit)).mappings()
    return [AuditRecord(**{**row, "data": json.loads(row["data"])}) for row in rows]


def read_late(connection: Connection, kind: str, *, account: str, among: int) -> AuditRecord | None:
    """The newest record of one kind of an account, if it is among the last so many of the chain."""
    columns, newest = tables.audit.c, connection.execute(_HEAD).one().seq
    query = select(tables.audit).where(columns.seq > newest - among, columns.kind == kind, columns.account == account)
    row = connection.execute(query.order_by(columns.seq.desc()).limit(1)).mappings().first()
    return None if row is None else AuditRecord(**{**row, "data": json.loads(row["data"])})


def record_hash(record: RowMapping | dict[str, Any]) -> str:
    """SHA-256 over a record and the hash before it; `data` is its JSON as stored."""
    covered = ("seq", "account", "ticket_id", "kind", "data", "previous_hash")
    content = {**{name: record[name] for name in covered}, "time": record["time"].isoformat()}
    return hashlib.sha256(_canonical(content).encode()).hexdigest()


def _canonical(data: dict[str, Any]) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
