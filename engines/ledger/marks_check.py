"""What the audit chain says of the equity that losses are counted from, held against its table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Text, select, type_coerce

from engines.ledger.marks import is_within_step
from engines.storage import ledger as tables
from engines.storage.metadata import instant_of

_MOVEMENTS: Final = frozenset({"account_taken_over", "differences_accepted"})
_KINDS: Final = frozenset({"equity_marked", "account_opened", "trading_state_changed", *_MOVEMENTS})
_NAMES: Final = ("day", "opening", "peak", "counted_from")
_NONE_YET: Final[dict[str, str | None]] = {"day": "", "opening": None, "peak": None, "counted_from": None}
_COLUMNS = tables.equity_marks.c
# Money and time as they are stored, so that what is neither is told and not raised.
_MARKS: Final = select(
    _COLUMNS.account,
    _COLUMNS.day,
    *(type_coerce(_COLUMNS[name], Text).label(name) for name in ("opening", "peak")),
    type_coerce(_COLUMNS.counted_from, BigInteger).label("micros"),
).order_by(_COLUMNS.account)


@dataclass(slots=True)
class MarksTold:
    """What the records of a chain say must be stored.

    Attributes:
        marks: the last ones by account: day, opening, peak, counted from.
        complete: accounts whose every mark is on the chain; those that an earlier release opened begin with the first
            that it tells.
        jumps: how marks went where no look at the equity leads, by account. A mark that was changed in the table
            reaches the chain with the next look, so each one must follow from the one before.
    """

    marks: dict[str, dict[str, str | None]] = field(default_factory=dict)
    complete: set[str] = field(default_factory=set)
    jumps: dict[str, list[str]] = field(default_factory=dict)
    _open: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def concerns(kind: str) -> bool:
        """True for records that `note` takes in."""
        return kind in _KINDS

    def note(self, kind: str, account: str, data: dict[str, Any]) -> None:
        """Take in one record."""
        if kind == "account_opened":
            if data.get("tells_equity"):
                self.complete.add(account)
            return
        jump = self._open.pop(account, "")
        if kind == "equity_marked":
            self._confirm(account, jump)
            new = {name: data[name] for name in _NAMES}
            jump = _jump(self._before(account), new)
            self.marks[account] = new
            if jump:
                self._open[account] = jump
        elif kind not in _MOVEMENTS and not (jump == _ANEW and data["state"] == "active"):
            # What made marks move or begin anew is recorded right after them.
            self._confirm(account, jump)

    def told_jumps(self) -> Iterator[str]:
        """Every step of the marks that nothing explains."""
        for account in sorted({*self.jumps, *self._open}):
            for jump in [*self.jumps.get(account, ()), *filter(None, [self._open.get(account)])]:
                yield f"The equity that losses of {account} are counted from {jump}."

    def _before(self, account: str) -> dict[str, str | None] | None:
        """The last marks that are known; None where an earlier release may have set others."""
        return self.marks.get(account, _NONE_YET if account in self.complete else None)

    def _confirm(self, account: str, jump: str) -> None:
        if jump:
            self.jumps.setdefault(account, []).append(jump)


_ANEW: Final = "began anew though nobody resumed the account"


def _jump(before: dict[str, str | None] | None, now: dict[str, str | None]) -> str:
    """How marks went on as no look at the equity leaves them; empty where they did not."""
    if now["opening"] is None or now["peak"] is None:
        return _ANEW
    if before is None:
        return ""
    if now["counted_from"] != before["counted_from"]:
        return "came with another time from which closed trades count"
    if before["opening"] is None or before["peak"] is None:
        return ""
    earlier, later = str(before["day"]), str(now["day"])
    if later < earlier or (later == earlier and Decimal(now["opening"]) != Decimal(before["opening"])):
        return f"opened the day {earlier} with {before['opening']}, and later with {now['opening']}"
    if Decimal(now["peak"]) < Decimal(before["peak"]):
        return f"was {before['peak']} at its highest, and later {now['peak']}"
    return ""


def check_marks(connection: Connection, told: MarksTold, compared: dict[str, int]) -> Iterator[str]:
    """Marks that no look at the equity made: with them a loss limit could be moved."""
    yield from told.told_jumps()
    missing, compared["equity marks"] = dict(told.marks), 0
    for row in connection.execute(_MARKS).mappings():
        marks = missing.pop(row["account"], None)
        if marks is None:
            if row["account"] in told.complete:
                yield f"The equity that losses of {row['account']} are counted from was never recorded."
            continue
        compared["equity marks"] += 1
        if row["day"] != marks["day"] or _number(row["opening"]) != _number(marks["opening"]):
            yield f"The day's first equity of {row['account']} is not the one that was recorded ({marks['opening']})."
        if not _is_peak(row["peak"], marks["peak"]):
            yield f"The highest equity of {row['account']} is not the one that was recorded ({marks['peak']})."
        if _time(row["micros"]) != marks["counted_from"]:
            yield f"Losses of {row['account']} are counted from another time than was recorded."
    yield from (f"The equity that losses of {account} are counted from is gone." for account in missing)


def _is_peak(stored: str | None, told: str | None) -> bool:
    peak, known = _number(stored), _number(told)
    return not isinstance(peak, str) and not isinstance(known, str) and is_within_step(peak, known)


def _number(text: str | None) -> Decimal | str | None:
    """A number; text that is none as it is, which equals no number."""
    try:
        number = None if text is None else Decimal(text)
    except InvalidOperation:
        return text
    return number if number is None or number.is_finite() else text


def _time(micros: object) -> str | None:
    try:
        return None if micros is None else instant_of(micros).isoformat()  # type: ignore[arg-type]
    except (ValueError, TypeError, OverflowError):
        return str(micros)
