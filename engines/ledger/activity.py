"""What an account did lately, from its orders and fills."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
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
_NEVER_SENT: Final = ("rejected_by_venue", "not_accepted")
_TOLD: Final = ("ticket_id", "symbol", "side", "order_type", "quantity", "limit_price", "stop_price")

_MINE: Final = (_ORDERS.account == bindparam("account")) & _ORDERS.parent_id.is_(None)
_RECENT: Final = (
    select(*(_ORDERS[name] for name in _TOLD), _ORDERS.created_at, _TICKETS.label)
    .join(tables.tickets, _TICKETS.id == _ORDERS.ticket_id)
    .where(_MINE, _ORDERS.created_at > bindparam("since"))
    .order_by(_ORDERS.created_at.desc(), _ORDERS.id)
)
_RESTING: Final = select(tables.orders).where(
    _ORDERS.account == bindparam("account"), _ORDERS.status.in_(OPEN_ORDER_STATUSES)
)
_BOUGHT: Final = select(_ORDERS.id, _ORDERS.status, _ORDERS.quantity, _ORDERS.reserve_price).where(
    _MINE, _ORDERS.created_at >= bindparam("midnight"), _ORDERS.side == "buy", _ORDERS.status.not_in(_NEVER_SENT)
)
_FILLED_OF: Final = select(_FILLS.order_id, _FILLS.price, _FILLS.quantity).where(
    _FILLS.order_id.in_(bindparam("ids", expanding=True))
)


@dataclass(frozen=True, slots=True)
class Closings:
    """Sells and what each took or lost, oldest first, beside the book that they come from.

    `outcomes` holds the time of the last fill and the profit realised, by order.
    """

    book: Book
    outcomes: dict[str, tuple[datetime, Decimal]]


def read_activity(
    connection: Connection, account: str, streaks: Streaks, *, now: datetime, window: timedelta
) -> Activity:
    """An account's recent past.

    Args:
        now: by the wall clock.
        window: how far `recent` goes back; a minute at least.
    """
    since = now - max(window, timedelta(minutes=1))
    recent = connection.execute(_RECENT, {"account": account, "since": since}).mappings()
    marks = read_marks(connection, account)
    return Activity(
        at=now,
        recent=tuple(_submission(row) for row in recent),
        resting=orders.read_orders(connection, _RESTING, account=account),
        bought_today=_bought(connection, account, now),
        losing_streak=streaks.of(connection, account, marks.counted_from),
        opening_equity=marks.opening,
        peak_equity=marks.peak,
    )


def closed_by(known: Closings, fills: Iterable[tuple[int, Fill]]) -> Closings:
    """Add fills, in order, to what is known of an account's sells; what is handed in stays as it is."""
    book, outcomes = known.book, dict(known.outcomes)
    for seq, fill in fills:
        before = book.holdings.get(fill.symbol)
        book = fold(book, [(seq, fill)])
        if fill.side == "sell" and before is not None and before.quantity > 0:
            _, so_far = outcomes.pop(fill.order_id, (fill.time, _ZERO))
            gained = book.holdings[fill.symbol].realised - before.realised
            outcomes[fill.order_id] = (fill.time, so_far + gained)
    return Closings(book, outcomes)


def losing_streak(closings: Closings, counted_from: datetime | None) -> int:
    """Sells at a loss in a row, up to the last one; those before `counted_from` are left out."""
    streak = 0
    for time, profit in reversed(closings.outcomes.values()):
        if profit >= 0 or (counted_from is not None and time < counted_from):
            break
        streak += 1
    return streak


class Streaks:
    """Losing streaks by account; what was folded once is kept, since fills are only ever added."""

    def __init__(self) -> None:
        self._known: dict[str, Closings] = {}

    def of(self, connection: Connection, account: str, counted_from: datetime | None) -> int:
        """How many sells of the account in a row, up to the last one, closed at a loss."""
        known = self._known.get(account) or Closings(Book(), {})
        new = orders.read_fills(connection, orders.NEW_FILLS, account=account, last_seq=known.book.last_seq)
        if new:
            known = self._known[account] = closed_by(known, new)
        return losing_streak(known, counted_from)


def _submission(row: RowMapping) -> Submission:
    told: dict[str, Any] = {name: row[name] for name in _TOLD}
    return Submission(**told, label=row["label"], sent_at=row["created_at"])


def _bought(connection: Connection, account: str, now: datetime) -> Decimal:
    """Value of today's buys: what is filled at its prices, what is still open at what it sets aside."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    rows = connection.execute(_BOUGHT, {"account": account, "midnight": midnight}).mappings().all()
    open_quantity = {row["id"]: row["quantity"] for row in rows}
    value = _ZERO
    for fill in connection.execute(_FILLED_OF, {"ids": list(open_quantity)}).mappings() if rows else ():
        value += fill["price"] * fill["quantity"]
        open_quantity[fill["order_id"]] -= fill["quantity"]
    waiting = (row for row in rows if row["status"] in OPEN_ORDER_STATUSES)
    return value + sum((open_quantity[row["id"]] * row["reserve_price"] for row in waiting), _ZERO)
