"""What an account did lately, from its orders and fills."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, bindparam, select

from engines.domain.activity import Activity, Submission
from engines.domain.orders import OPEN_ORDER_STATUSES, Fill
from engines.ledger import orders
from engines.ledger.book import Book, fold
from engines.ledger.marks import read_marks
from engines.storage import ledger as tables

_ORDERS, _FILLS, _TICKETS = tables.orders.c, tables.fills.c, tables.tickets.c
_ZERO: Final = Decimal(0)
_TOLD: Final = ("ticket_id", "symbol", "side", "order_type", "quantity", "limit_price", "stop_price")

_MINE: Final = (_ORDERS.account == bindparam("account")) & _ORDERS.parent_id.is_(None)
_RECENT: Final = (
    select(*(_ORDERS[name] for name in _TOLD), _ORDERS.created_at, _ORDERS.status, _TICKETS.label)
    .join(tables.tickets, _TICKETS.id == _ORDERS.ticket_id)
    .where(_MINE, _ORDERS.created_at > bindparam("since"))
    .order_by(_ORDERS.created_at.desc(), _ORDERS.id)
)
_RESTING: Final = select(tables.orders).where(
    _ORDERS.account == bindparam("account"), _ORDERS.status.in_(OPEN_ORDER_STATUSES)
)
_OPEN_BUYS: Final = select(_ORDERS.id, _ORDERS.quantity, _ORDERS.reserve_price).where(
    _MINE, _ORDERS.status.in_(OPEN_ORDER_STATUSES), _ORDERS.side == "buy"
)
_FILLED_OF: Final = select(_FILLS.order_id, _FILLS.quantity).where(
    _FILLS.order_id.in_(bindparam("ids", expanding=True))
)


@dataclass(frozen=True, slots=True)
class Past:
    """What the fills of an account tell of it.

    Attributes:
        book: what they have made of it.
        outcomes: sells by order, oldest first: the time of the last fill and the profit realised.
        day, bought: the last UTC day that something was bought on, and for how much, quote units.
    """

    book: Book = field(default_factory=Book)
    outcomes: dict[str, tuple[datetime, Decimal]] = field(default_factory=dict)
    day: date = date.min
    bought: Decimal = _ZERO

    def losing_streak(self, counted_from: datetime | None) -> int:
        """Sells at a loss in a row, up to the last one; those before `counted_from` are left out."""
        streak = 0
        for time, profit in reversed(self.outcomes.values()):
            if profit >= 0 or (counted_from is not None and time < counted_from):
                break
            streak += 1
        return streak


class Pasts:
    """The past of each account; what was folded once is kept, since fills are only ever added."""

    def __init__(self) -> None:
        self._known: dict[str, Past] = {}

    def of(self, connection: Connection, account: str) -> Past:
        """The account's past up to its newest fill."""
        known = self._known.get(account) or Past()
        new = orders.read_fills(connection, orders.NEW_FILLS, account=account, last_seq=known.book.last_seq)
        if new:
            known = self._known[account] = continued(known, new)
        return known


def read_activity(connection: Connection, account: str, pasts: Pasts, *, now: datetime, window: timedelta) -> Activity:
    """An account's recent past.

    Args:
        now: by the wall clock.
        window: how far `recent` goes back; a minute at least.
    """
    since = now - max(window, timedelta(minutes=1))
    recent = connection.execute(_RECENT, {"account": account, "since": since}).mappings()
    marks, past = read_marks(connection, account), pasts.of(connection, account)
    bought = past.bought if past.day == now.date() else _ZERO
    return Activity(
        at=now,
        recent=tuple(_submission(row) for row in recent),
        resting=orders.read_orders(connection, _RESTING, account=account),
        bought_today=bought + _buying(connection, account),
        losing_streak=past.losing_streak(marks.counted_from),
        opening_equity=marks.opening,
        peak_equity=marks.peak,
    )


def continued(past: Past, fills: Iterable[tuple[int, Fill]]) -> Past:
    """Add fills, in order, to a past; the one handed in stays as it is."""
    book, outcomes, day, bought = past.book, dict(past.outcomes), past.day, past.bought
    for seq, fill in fills:
        before = book.holdings.get(fill.symbol)
        book = fold(book, [(seq, fill)])
        if fill.side == "buy":
            if fill.time.date() > day:
                day, bought = fill.time.date(), _ZERO
            bought += fill.price * fill.quantity if fill.time.date() == day else _ZERO
        elif before is not None and before.quantity > 0:
            _, so_far = outcomes.pop(fill.order_id, (fill.time, _ZERO))
            gained = book.holdings[fill.symbol].realised - before.realised
            outcomes[fill.order_id] = (fill.time, so_far + gained)
    return Past(book, outcomes, day, bought)


def _submission(row: RowMapping) -> Submission:
    told: dict[str, Any] = {name: row[name] for name in _TOLD}
    is_refused = row["status"] in {"rejected_by_venue", "not_accepted"}
    return Submission(**told, label=row["label"], sent_at=row["created_at"], is_refused=is_refused)


def _buying(connection: Connection, account: str) -> Decimal:
    """Value of what open buys may still come to, at what they set aside."""
    rows = connection.execute(_OPEN_BUYS, {"account": account}).mappings().all()
    waiting = {row["id"]: row["quantity"] for row in rows}
    for fill in connection.execute(_FILLED_OF, {"ids": list(waiting)}).mappings() if rows else ():
        waiting[fill["order_id"]] -= fill["quantity"]
    return sum((waiting[row["id"]] * row["reserve_price"] for row in rows), _ZERO)
