"""Reading the audit chain."""

from __future__ import annotations

from sqlalchemy import Engine, select

from engines.ledger.journal import AuditRecord, read_audit, read_late, read_newest
from engines.ledger.standing import DESK
from engines.ledger.verifying import AuditCheck, AuditHead, check_audit
from engines.storage import ledger as tables
from engines.storage.transactions import reading_one_state


class AuditReader:
    """What the audit chain can be asked, and whose accounts it speaks of."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def accounts(self, owner: str) -> tuple[str, ...]:
        """Ids of an owner's accounts."""
        query = select(tables.accounts.c.id).where(tables.accounts.c.owner == owner).order_by(tables.accounts.c.id)
        with self._engine.connect() as connection:
            return tuple(connection.execute(query).scalars())

    def audit(
        self, ticket_id: str | None = None, *, owner: str | None = None, after: int = 0, limit: int | None = None
    ) -> tuple[AuditRecord, ...]:
        """The audit chain in order behind record `after`: of a ticket, of the desk and an owner's accounts, or all."""
        accounts = None if owner is None else (DESK, *self.accounts(owner))
        with self._engine.connect() as connection:
            return tuple(read_audit(connection, ticket_id=ticket_id, accounts=accounts, after=after, limit=limit))

    def newest_audit(self, kind: str, *, owner: str, limit: int) -> tuple[AuditRecord, ...]:
        """The newest records of one kind among an owner's accounts, newest first."""
        accounts = self.accounts(owner)
        with self._engine.connect() as connection:
            return tuple(read_newest(connection, kind, accounts=accounts, limit=limit))

    def late_audit(self, kind: str, account_id: str, *, among: int = 500) -> AuditRecord | None:
        """The newest record of one kind of an account, if it is among the last so many records of all."""
        with self._engine.connect() as connection:
            return read_late(connection, kind, account=account_id, among=among)

    def newest_desk_audit(self, kind: str, *, limit: int) -> tuple[AuditRecord, ...]:
        """The newest records of one kind that concern the whole desk, newest first."""
        with self._engine.connect() as connection:
            return tuple(read_newest(connection, kind, accounts=(DESK,), limit=limit))

    def verify_audit(self, against: AuditHead | None = None) -> AuditCheck:
        """Recompute the whole audit chain and hold the ledger's tables against it; changes nothing.

        Args:
            against: where the chain ended earlier, kept outside this database: a chain that was cut off or written
                anew since then no longer leads there.
        """
        with reading_one_state(self._engine) as connection:
            return check_audit(connection, against)
