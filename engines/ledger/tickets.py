"""Tickets in the ledger: sealing, deciding, superseding, expiring; each change needs the state it starts from."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, bindparam, insert, select, update

from engines.domain.orders import OrderTicket, TicketStatus
from engines.errors import Conflict, Expired, NotFound
from engines.ledger.journal import Journal
from engines.ledger.sealed import is_untouched, sealed_row, ticket_of
from engines.storage import ledger as tables

Decision = Literal["approve", "reject"]

_DECIDED_STATUS: Final[dict[Decision, TicketStatus]] = {"approve": "approved", "reject": "rejected"}
_ASK_AGAIN: Final = "Ask for the order again to get a fresh ticket."


def with_decisions() -> Select[Any]:
    """Tickets beside their decisions."""
    decision = tables.decisions.c
    columns = (*tables.tickets.c, decision.decision, decision.by, decision.at, decision.ticket_hash)
    return select(*columns).join_from(tables.tickets, tables.decisions, isouter=True)


# Statements of every ticket's path are built once: building them takes longer than running them.
_TICKET: Final = with_decisions().where(tables.tickets.c.id == bindparam("id"))
_INSERT: Final = insert(tables.tickets)
_DECIDE: Final = insert(tables.decisions)
_NEXT_LABEL: Final = (
    update(tables.accounts)
    .where(tables.accounts.c.id == bindparam("account"))
    .values(last_label=tables.accounts.c.last_label + 1)
    .returning(tables.accounts.c.last_label)
)


def require(connection: Connection, ticket_id: str, owner: str | None) -> RowMapping:
    """The row of a ticket.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    row = connection.execute(_TICKET, {"id": ticket_id}).mappings().first()
    if row is None or (owner is not None and row["owner"] != owner):
        raise NotFound(f"There is no ticket {ticket_id!r}.", remedy="GET /v1/tickets lists those there are.")
    return row


def seal(journal: Journal, draft: OrderTicket) -> OrderTicket:
    """Give a draft its label and hash and write it as pending."""
    count = journal.connection.execute(_NEXT_LABEL, {"account": draft.account}).scalar_one()
    labelled = replace(draft, label=f"T-{count}", status="pending")
    ticket = replace(labelled, hash=labelled.seal())
    journal.connection.execute(_INSERT, sealed_row(ticket))
    journal.note("ticket_sealed", account=ticket.account, ticket_id=ticket.id, label=ticket.label, hash=ticket.hash)
    return ticket


def refusal(row: RowMapping, ticket_hash: str, now: datetime) -> Conflict | None:
    """Why a ticket cannot be decided or edited now; None when it can."""
    label = row["label"]
    if row["status"] == "expired":
        return _expired(row)
    if row["status"] == "superseded":
        return Conflict(f"Ticket {label} was replaced after an edit.", remedy="Decide on its replacement.")
    if row["by"]:
        done = "approved" if row["decision"] == "approve" else "rejected"
        return Conflict(
            f"Ticket {label} was already {done} by {row['by']} at {row['at']:%H:%M:%S} UTC.",
            remedy="A ticket takes one decision; ask again for another order.",
        )
    if row["status"] != "pending":
        return Conflict(
            f"Ticket {label} is {row['status']} and takes no decision.", remedy="Ask again for a new ticket."
        )
    if not hmac.compare_digest(row["hash"].encode(), ticket_hash.encode()) or not is_untouched(row):
        return Conflict(
            f"The hash {ticket_hash[:12]!r} is not that of ticket {label} as it stands.",
            remedy="Read the ticket again and decide on what it says.",
        )
    return _expired(row) if now >= row["expires_at"] else None


def is_as_decided(row: RowMapping) -> bool:
    """True while a ticket is stored as it was when somebody decided on it."""
    return is_untouched(row) and hmac.compare_digest(str(row["ticket_hash"]), str(row["hash"]))


def _expired(row: RowMapping) -> Expired:
    return Expired(f"Ticket {row['label']} expired at {row['expires_at']:%H:%M:%S} UTC.", remedy=_ASK_AGAIN)


def record_decision(journal: Journal, row: RowMapping, decision: Decision, *, by: str, resolved: bool) -> None:
    """Write the one decision a ticket ever gets."""
    change_status(journal, row, _DECIDED_STATUS[decision], reason="")
    values = {"ticket_id": row["id"], "decision": decision, "by": by, "at": journal.now, "ticket_hash": row["hash"]}
    journal.connection.execute(_DECIDE, {**values, "resolved_differences": resolved})
    kind = f"ticket_{_DECIDED_STATUS[decision]}"
    details = {"by": by, "hash": row["hash"], "resolved_differences": resolved}
    journal.note(kind, account=row["account"], ticket_id=row["id"], **details)


def record_expiry(journal: Journal, row: RowMapping, reason: str) -> None:
    """Mark a ticket as expired."""
    change_status(journal, row, "expired", reason=reason)
    journal.note("ticket_expired", account=row["account"], ticket_id=row["id"], reason=reason)


def record_superseded(journal: Journal, row: RowMapping, replacement: OrderTicket, *, by: str) -> None:
    """Point an edited ticket at its replacement."""
    change_status(journal, row, "superseded", reason=f"Edited: see {replacement.label}.", superseded_by=replacement.id)
    details = {"by": by, "replacement": replacement.id}
    journal.note("ticket_superseded", account=row["account"], ticket_id=row["id"], **details)


def change_status(journal: Journal, row: RowMapping, status: TicketStatus, **values: Any) -> None:
    """Move a ticket on from the status it was read with.

    Raises:
        Conflict: it has moved on since.
    """
    tickets = tables.tickets
    statement = update(tickets).where(tickets.c.id == row["id"], tickets.c.status == row["status"])
    if journal.connection.execute(statement.values(status=status, **values)).rowcount != 1:
        raise Conflict(f"Ticket {row['label']} changed in the meantime.", remedy="Read it again.")


def list_tickets(
    connection: Connection,
    *,
    owner: str,
    statuses: tuple[str, ...] | None,
    thread_id: str | None,
    limit: int,
    before: tuple[datetime, str] | None = None,
) -> tuple[OrderTicket, ...]:
    """An owner's tickets, newest first."""
    tickets = tables.tickets
    query = with_decisions().where(tickets.c.owner == owner)
    if statuses is not None:
        query = query.where(tickets.c.status.in_(statuses))
    if thread_id is not None:
        query = query.where(tickets.c.thread_id == thread_id)
    if before is not None:
        query = query.where(is_behind(tickets.c.created_at, tickets.c.id, before))
    rows = connection.execute(query.order_by(tickets.c.created_at.desc(), tickets.c.id).limit(limit)).mappings()
    return tuple(ticket_of(row) for row in rows)


@dataclass(frozen=True, slots=True)
class Decided:
    """Order tickets that wait for nobody any more, newest first.

    Attributes:
        replacements: by id, what edited ones were replaced by.
        older: there are more behind them.
    """

    tickets: tuple[OrderTicket, ...]
    replacements: dict[str, OrderTicket] = field(default_factory=dict)
    older: bool = False


def read_decided(connection: Connection, account: str, *, symbol: str | None, limit: int) -> Decided:
    """The newest order tickets of an account that were decided, whatever became of them."""
    tickets = tables.tickets.c
    query = with_decisions().where(tickets.account == account, tickets.kind == "order", tickets.status != "pending")
    if symbol is not None:
        query = query.where(tickets.symbol == symbol)
    rows = connection.execute(query.order_by(tickets.created_at.desc(), tickets.id).limit(limit + 1)).mappings()
    found = [ticket_of(row) for row in rows]
    successors = {ticket.superseded_by for ticket in found[:limit] if ticket.superseded_by}
    replacements = {each: ticket_of(require(connection, each, None)) for each in sorted(successors)}
    return Decided(tuple(found[:limit]), replacements, older=len(found) > limit)


def is_behind(
    created_at: ColumnElement[datetime], row_id: ColumnElement[str], key: tuple[datetime, str]
) -> ColumnElement[bool]:
    """Rows that follow this sort key in a list that is ordered by time descending, then by id."""
    time, last_id = key
    return (created_at < time) | ((created_at == time) & (row_id > last_id))
