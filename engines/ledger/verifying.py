"""Proof that the journal is as it was written: the hash chain, its end, and the tables that must agree with it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, Connection, RowMapping, select, type_coerce

from engines.errors import InvalidRequest
from engines.ledger.journal import record_hash
from engines.ledger.tables_check import Told, disagreements
from engines.storage import ledger as tables
from engines.storage.metadata import instant_of

_COLUMNS: Final = [column for column in tables.audit.c if column.name != "time"]
# Read as the number that is stored, so that one which is no time breaks a record and not the walk.
_CHAIN: Final = select(*_COLUMNS, type_coerce(tables.audit.c.time, BigInteger).label("micros")).order_by(
    tables.audit.c.seq
)
_HEAD: Final = select(tables.audit_head.c.seq, tables.audit_head.c.hash)
NOT_COVERED: Final = (
    "Not covered by the chain: the simulated venue's own memory, who holds the lease, look-up counts and reasons of "
    "orders, a new height of an account's equity before it is 0.1 % above the last that is recorded, and everything "
    "that is no ledger (candles, conversations, keys)."
)
_HEX: Final = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The end of the chain at one moment: all that is needed later to see whether it was cut off or rewritten."""

    seq: int
    hash: str

    def __post_init__(self) -> None:
        whole = len(self.hash) == 64 and set(self.hash) <= _HEX if self.seq else self.hash == ""
        if self.seq < 0 or not whole:
            raise InvalidRequest(
                f"Record {self.seq!r} with hash {self.hash!r} is no end of an audit chain.",
                remedy="Give a head as `quantum-trader audit verify --export` wrote it.",
            )


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """What a walk along the chain found.

    Attributes:
        records: how many were walked; up to the first that does not fit.
        broken_at: the first record that does not fit, None when all do.
        reason: what is wrong with it, in one sentence.
        head: the last record that fits.
        last_time: when that one was written.
        disagreements: where the ledger's tables say something else than the chain, one sentence each.
        compared: how many rows of each table were held against the chain.
    """

    records: int
    broken_at: int | None
    reason: str = ""
    head: AuditHead = field(default_factory=lambda: AuditHead(0, ""))
    last_time: datetime | None = None
    disagreements: tuple[str, ...] = ()
    compared: dict[str, int] = field(default_factory=dict)

    @property
    def intact(self) -> bool:
        """True when nothing was changed, removed or put in between, in the chain and in the tables."""
        return self.broken_at is None and not self.disagreements


class _Broken(Exception):
    """The chain does not go on as written; `at` is the record."""

    def __init__(self, at: int, reason: str) -> None:
        super().__init__(reason)
        self.at = at
        self.reason = reason


@dataclass(slots=True)
class _Walk:
    """How far a walk has come, and what the records told of the tables."""

    seq: int = 0
    hash: str = ""
    time: datetime | None = None
    told: Told = field(default_factory=Told)


def check_audit(connection: Connection, against: AuditHead | None = None) -> AuditCheck:
    """Recompute every hash from the first record to the end, then hold the tables against what the records say.

    Needs a connection that sees one state of the database. The tables are compared only where the chain is whole.
    O(records) in time; keeps what is compared in memory.
    """
    walk = _Walk()
    try:
        with connection.execute(_CHAIN, execution_options={"yield_per": 1_000}) as rows:
            for row in rows.mappings():
                _step(walk, row)
                if against is not None and walk.seq == against.seq and walk.hash != against.hash:
                    raise _Broken(walk.seq, _REWRITTEN)
        _end(connection, walk, against)
    except _Broken as broken:
        return AuditCheck(broken.at, broken.at, broken.reason, AuditHead(walk.seq, walk.hash), walk.time)
    found, compared = disagreements(connection, walk.told)
    return AuditCheck(walk.seq, None, "", AuditHead(walk.seq, walk.hash), walk.time, found, compared)


_REWRITTEN: Final = "It has another hash than the head that was kept: the chain was written anew up to here."


def _step(walk: _Walk, row: RowMapping) -> None:
    """Go on by one record."""
    expected = walk.seq + 1
    if row["seq"] != expected:
        raise _Broken(expected, f"It is missing: record {row['seq']} follows record {walk.seq}.")
    if row["previous_hash"] != walk.hash:
        raise _Broken(expected, "It does not go on from the record before it: one of the two was replaced.")
    try:
        time = instant_of(row["micros"])
        known = record_hash({**row, "time": time})
        if walk.told.concerns(row["kind"]):
            walk.told.note(row["kind"], row["account"], row["ticket_id"], json.loads(row["data"]))
    except (ValueError, TypeError, AttributeError, OverflowError, LookupError) as error:
        raise _Broken(expected, f"It cannot be read: {error}.") from error
    if row["hash"] != known:
        raise _Broken(expected, "Its content is not what its hash was made of: it was changed.")
    walk.seq, walk.hash, walk.time = expected, known, time


def _end(connection: Connection, walk: _Walk, against: AuditHead | None) -> None:
    """Hold the last record against the head that is stored, and against one that was kept elsewhere."""
    head = connection.execute(_HEAD).first()
    if head is None:
        raise _Broken(walk.seq + 1, "The row that says where the chain ends is gone.")
    if head.seq > walk.seq:
        raise _Broken(walk.seq + 1, f"It is missing, as is all up to record {head.seq}: the end was cut off.")
    if (head.seq, head.hash) != (walk.seq, walk.hash):
        raise _Broken(
            walk.seq, f"The stored end of the chain names record {head.seq}: the desk did not write this one."
        )
    if against is not None and against.seq > walk.seq:
        raise _Broken(
            walk.seq + 1,
            f"It is missing: the head that was kept names record {against.seq}, and the chain now ends at {walk.seq}. "
            "Its end was cut off, or this is another desk's.",
        )
