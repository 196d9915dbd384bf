"""Trading states in the ledger: one row for the desk and one for each account that was ever put in one."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select

from engines.domain.trading_state import Standing, TradingState, strictest
from engines.errors import InvalidRequest, NotFound
from engines.ledger.halt_file import HaltFile
from engines.ledger.journal import Journal
from engines.ledger.marks import start_anew
from engines.storage import ledger as tables

# How the whole desk is called where an account's id stands otherwise.
DESK: Final = ""
STATES: Final[tuple[TradingState, ...]] = ("active", "reducing", "halted")

_COLUMNS = tables.trading_states.c
_SET: Final = select(tables.trading_states).order_by(_COLUMNS.account)
_EFFECTIVE: Final = _SET.where(_COLUMNS.account.in_((DESK, bindparam("account"))))


def read_standing(connection: Connection, account: str | None, halt_file: HaltFile | None) -> Standing:
    """The strictest state that holds for an account: its own, the desk's, or the halt file's; None for the desk."""
    by_file = None if halt_file is None else halt_file.standing()
    rows = connection.execute(_EFFECTIVE, {"account": DESK if account is None else account}).mappings()
    stored = [Standing(**row) for row in rows]
    return strictest([*([by_file] if by_file else []), *stored])


def read_standings(connection: Connection) -> tuple[Standing, ...]:
    """Every state that was set and not lifted, the desk's first."""
    return tuple(Standing(**row) for row in connection.execute(_SET).mappings() if row["state"] != "active")


def change(journal: Journal, state: TradingState, *, reason: str, by: str, account: str | None) -> None:
    """Set a state and audit it; a state that is already at least as strict stays as it is.

    Resuming an account lets its loss limits count anew.

    Raises:
        InvalidRequest: no such state, or no reason.
        NotFound: no such account.
    """
    if state not in STATES:
        raise InvalidRequest(f"{state!r} is no trading state.", remedy=f"Use {', '.join(STATES)}.")
    if not reason.strip():
        raise InvalidRequest("A trading state is changed for a reason, and none was given.", remedy="Give a reason.")
    scope = _known(journal.connection, account)
    row = journal.connection.execute(_SET.where(_COLUMNS.account == scope)).mappings().first()
    before = Standing(account=scope) if row is None else Standing(**row)
    after = Standing(state, reason.strip(), by, journal.now, scope)
    if state == before.state or (state != "active" and not after.is_stricter_than(before)):
        return
    journal.connection.execute(delete(tables.trading_states).where(_COLUMNS.account == scope))
    values = {"account": scope, "state": state, "reason": after.reason, "by": by, "since": journal.now}
    journal.connection.execute(insert(tables.trading_states).values(**values))
    if account is not None and state == "active":
        start_anew(journal, account)
    journal.note("trading_state_changed", account=scope, state=state, before=before.state, reason=after.reason, by=by)


def _known(connection: Connection, account: str | None) -> str:
    if account is None:
        return DESK
    accounts = tables.accounts.c
    if connection.execute(select(accounts.id).where(accounts.id == account)).first() is None:
        raise NotFound(f"There is no account {account!r}.")
    return account
