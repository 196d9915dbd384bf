"""Exits that a person has taken back: nothing takes their place, and their position is told as unprotected."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, select

from engines.domain.orders import Order
from engines.ledger.journal import Journal
from engines.storage import ledger as tables

ON_REQUEST: Final = "Cancelled on request."
_KIND: Final = "exit_taken_back"
_NOTED: Final = select(tables.audit.c.data)


def take_back(journal: Journal, leg: Order, how: str) -> None:
    """Note that a person wants an exit no more, before it is cancelled where this desk cancels it; once.

    Args:
        how: where it was asked for, such as `at kraken`.
    """
    if not was_taken_back(journal.connection, leg):
        journal.note(_KIND, account=leg.account, ticket_id=leg.ticket_id, order=leg.id, how=how)


def was_taken_back(connection: Connection, leg: Order) -> bool:
    """True for an exit that a person has cancelled, here or at its venue."""
    if leg.status == "cancelled" and leg.venue_order_id is None and leg.reason == ON_REQUEST:
        # Ledgers of earlier releases have no note of it.
        return True
    columns = tables.audit.c
    named = _NOTED.where(
        columns.ticket_id == leg.ticket_id, columns.kind == _KIND, columns.data.contains(f'"order":"{leg.id}"')
    )
    return connection.execute(named.limit(1)).first() is not None
