"""What an account's equity was: where losses are counted from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from engines.storage import ledger as tables

_COLUMNS = tables.equity_marks.c
_OF_ACCOUNT: Final = select(tables.equity_marks).where(_COLUMNS.account == bindparam("account_id"))
_MINE: Final = _COLUMNS.account == bindparam("account_id")


@dataclass(frozen=True, slots=True)
class EquityMarks:
    """Equity in quote units; None and an empty day before the first look.

    Attributes:
        day: the market's day (UTC) that `opening` belongs to, `2026-03-02`.
        counted_from: closed trades before this do not count as losses any more; None counts all.
    """

    day: str = ""
    opening: Decimal | None = None
    peak: Decimal | None = None
    counted_from: datetime | None = None


def read_marks(connection: Connection, account: str) -> EquityMarks:
    """An account's marks."""
    row = connection.execute(_OF_ACCOUNT, {"account_id": account}).mappings().first()
    return EquityMarks() if row is None else EquityMarks(row["day"], row["opening"], row["peak"], row["counted_from"])


def advanced(marks: EquityMarks, equity: Decimal, day: str) -> EquityMarks:
    """The marks after a look at the equity: a later day opens with it, and a new height is the peak.

    A day never comes again: looks that tell two days in turn would else open one each time, and no loss would count.
    """
    opening = equity if marks.opening is None or day > marks.day else marks.opening
    peak = equity if marks.peak is None else max(marks.peak, equity)
    return EquityMarks(max(day, marks.day), opening, peak, marks.counted_from)


def write_marks(connection: Connection, account: str, marks: EquityMarks) -> None:
    """Replace an account's marks."""
    values = {"day": marks.day, "opening": marks.opening, "peak": marks.peak, "counted_from": marks.counted_from}
    changed = connection.execute(update(tables.equity_marks).where(_MINE).values(**values), {"account_id": account})
    if not changed.rowcount:
        connection.execute(insert(tables.equity_marks).values(account=account, **values))


def shift(connection: Connection, account: str, amount: Decimal) -> None:
    """Move both marks by money that came or went without a trade: what was lost until then still counts.

    Args:
        amount: quote units; negative for what left.
    """
    marks = read_marks(connection, account)
    if marks.opening is not None and marks.peak is not None:
        moved = replace(marks, opening=marks.opening + amount, peak=marks.peak + amount)
        write_marks(connection, account, moved)


def start_anew(connection: Connection, account: str, now: datetime) -> None:
    """Count losses from here on: the account was resumed, or has just been taken over."""
    connection.execute(delete(tables.equity_marks).where(_MINE), {"account_id": account})
    connection.execute(insert(tables.equity_marks).values(account=account, day="", counted_from=now))
