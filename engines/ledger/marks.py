"""What an account's equity was: where losses are counted from. The audit chain tells it too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select, update

from engines.ledger.journal import Journal
from engines.storage import ledger as tables

_COLUMNS = tables.equity_marks.c
_OF_ACCOUNT: Final = select(tables.equity_marks).where(_COLUMNS.account == bindparam("account_id"))
_MINE: Final = _COLUMNS.account == bindparam("account_id")
# A rising market makes a new peak every few seconds: the chain tells one only when it is this much above the last.
TOLD_STEP: Final = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class EquityMarks:
    """Equity in quote units; None and an empty day before the first look.

    Attributes:
        day: the market's day (UTC) that `opening` belongs to, `2026-03-02`.
        counted_from: closed trades before this do not count as losses any more; None counts all.
        told_peak: the peak that the audit chain tells; `peak` is less than `TOLD_STEP` above it.
    """

    day: str = ""
    opening: Decimal | None = None
    peak: Decimal | None = None
    counted_from: datetime | None = None
    told_peak: Decimal | None = None


def read_marks(connection: Connection, account: str) -> EquityMarks:
    """An account's marks."""
    row = connection.execute(_OF_ACCOUNT, {"account_id": account}).mappings().first()
    if row is None:
        return EquityMarks()
    return EquityMarks(**{name: row[name] for name in EquityMarks.__slots__})


def is_recorded(marks: EquityMarks) -> bool:
    """False for marks of an earlier release, which the chain does not tell before the next look."""
    return marks.peak is None or marks.told_peak is not None


def is_within_step(peak: Decimal | None, told: Decimal | None) -> bool:
    """True for a peak that the chain need not tell, because it tells one just below it."""
    if peak is None or told is None:
        return peak is told
    return peak == told or told < peak < told + abs(told) * TOLD_STEP


def advanced(marks: EquityMarks, equity: Decimal, day: str) -> EquityMarks:
    """The marks after a look at the equity: a later day opens with it, and a new height is the peak.

    A day never comes again: looks that tell two days in turn would else open one each time, and no loss would count.
    """
    opening = equity if marks.opening is None or day > marks.day else marks.opening
    peak = equity if marks.peak is None else max(marks.peak, equity)
    return replace(marks, day=max(day, marks.day), opening=opening, peak=peak)


def write_marks(journal: Journal, account: str, marks: EquityMarks) -> None:
    """Replace an account's marks, and let the chain tell them unless only the peak rose, and by little."""
    known = read_marks(journal.connection, account)
    is_told = (marks.day, marks.opening, marks.counted_from) == (known.day, known.opening, known.counted_from)
    if not is_recorded(known) or not is_told or not is_within_step(marks.peak, known.told_peak):
        marks = replace(marks, told_peak=marks.peak)
        journal.note("equity_marked", account=account, **_plain(marks))
    values = {name: getattr(marks, name) for name in EquityMarks.__slots__}
    changed = journal.connection.execute(
        update(tables.equity_marks).where(_MINE).values(**values), {"account_id": account}
    )
    if not changed.rowcount:
        journal.connection.execute(insert(tables.equity_marks).values(account=account, **values))


def shift(journal: Journal, account: str, amount: Decimal) -> None:
    """Move both marks by money that came or went without a trade: what was lost until then still counts.

    Args:
        amount: quote units; negative for what left.
    """
    marks = read_marks(journal.connection, account)
    if marks.opening is not None and marks.peak is not None:
        moved = replace(marks, opening=marks.opening + amount, peak=marks.peak + amount)
        write_marks(journal, account, moved)


def start_anew(journal: Journal, account: str) -> None:
    """Count losses from here on: the account was resumed, or has just been taken over."""
    write_marks(journal, account, EquityMarks(counted_from=journal.now))


def _plain(marks: EquityMarks) -> dict[str, str | None]:
    """Marks as a record of the chain tells them."""
    opening, peak = (None if each is None else format(each, "f") for each in (marks.opening, marks.peak))
    since = None if marks.counted_from is None else marks.counted_from.isoformat()
    return {"day": marks.day, "opening": opening, "peak": peak, "counted_from": since}
