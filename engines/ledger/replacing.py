"""Orders that take the place of others: begun once, so that no order is ever replaced twice."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from engines.domain.orders import OrderTicket, TicketStatus
from engines.ledger import tickets
from engines.ledger.journal import Journal
from engines.storage import ledger as tables

_KIND: Final = "replacement_started"


def begin_replacement(journal: Journal, ticket: OrderTicket) -> TicketStatus:
    """Journal, before anything is cancelled, that a ticket's order is about to take the place of another.

    Repeating it changes nothing. A ticket whose order was replaced by another ticket before is denied.

    Returns:
        Where the ticket stands now: `submitting` or `unknown` once it has begun.
    """
    row = tickets.require(journal.connection, ticket.id, None)
    status: TicketStatus = row["status"]
    if status != "approved":
        return status
    columns = tables.audit.c
    earlier = select(columns.ticket_id).where(
        columns.kind == _KIND, columns.data.contains(f'"replaces":"{ticket.replaces_order}"')
    )
    if journal.connection.execute(earlier.limit(1)).first() is not None:
        reason = f"Order {ticket.replaces_order} was replaced by another ticket before. Nothing was sent."
        tickets.change_status(journal, row, "denied", reason=reason)
        journal.note("ticket_denied", account=ticket.account, ticket_id=ticket.id, reason=reason)
        return "denied"
    tickets.change_status(journal, row, "submitting")
    journal.note(_KIND, account=ticket.account, ticket_id=ticket.id, replaces=ticket.replaces_order)
    return "submitting"
