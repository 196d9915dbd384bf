"""Money that moved without a fill: what a live account had when taken over, and differences a person accepted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, insert, select

from engines.domain.orders import Fill
from engines.ledger.journal import Journal
from engines.ledger.marks import shift, start_anew
from engines.storage import ledger as tables

_EXACT: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
_COLUMNS = tables.adjustments.c
_OF_ACCOUNT: Final = select(tables.adjustments).where(_COLUMNS.account == bindparam("account")).order_by(_COLUMNS.seq)
_COUNT: Final = select(func.count()).select_from(tables.adjustments).where(_COLUMNS.account == bindparam("account"))
_CURRENCY: Final = select(tables.accounts.c.currency).where(tables.accounts.c.id == bindparam("account"))
_NEWEST_FILL: Final = select(func.coalesce(func.max(tables.fills.c.seq), 0))


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One movement; `amount` is negative for what left.

    Attributes:
        price: the account's currency for one unit, where a market told it: then it is held and valued as if bought
            for that, without any cash spent. None for cash, and for what no market prices.
        after_fill: the newest fill of that moment; it counts before every later one.
    """

    currency: str
    amount: Decimal
    price: Decimal | None
    after_fill: int
    reason: str
    by: str
    time: datetime


def read_adjustments(connection: Connection, account: str) -> tuple[Adjustment, ...]:
    """Every movement of an account, oldest first; rows are only ever added."""
    rows = connection.execute(_OF_ACCOUNT, {"account": account}).mappings()
    return tuple(Adjustment(**{name: row[name] for name in Adjustment.__slots__}) for row in rows)


def write_adjustments(
    journal: Journal,
    account: str,
    amounts: Mapping[str, tuple[Decimal, Decimal | None]],
    *,
    reason: str,
    by: str,
    kind: str,
) -> None:
    """Book amounts with their prices by currency, and audit them together as `kind`."""
    is_first = count_adjustments(journal.connection, account) == 0
    after_fill = journal.connection.execute(_NEWEST_FILL).scalar_one()
    shared = {"account": account, "after_fill": after_fill, "reason": reason, "by": by, "time": journal.now}
    for currency, (amount, price) in sorted(amounts.items()):
        row = {"currency": currency, "amount": amount, "price": price, **shared}
        journal.connection.execute(insert(tables.adjustments).values(**row))
    # Money came or went without a trade: no loss limit may take it for one.
    if is_first:
        start_anew(journal, account)
    else:
        shift(journal, account, _valued(journal.connection, account, amounts))
    told = {currency: format(amount, "f") for currency, (amount, _) in sorted(amounts.items())}
    prices = {currency: format(price, "f") for currency, (_, price) in sorted(amounts.items()) if price is not None}
    shown = {"amounts": told, "prices": prices, "after_fill": after_fill}
    journal.note(kind, account=account, **shown, reason=reason, by=by)


def count_adjustments(connection: Connection, account: str) -> int:
    """How many movements an account has had."""
    return int(connection.execute(_COUNT, {"account": account}).scalar_one())


def _valued(connection: Connection, account: str, amounts: Mapping[str, tuple[Decimal, Decimal | None]]) -> Decimal:
    """What amounts come to in the account's currency; what no market prices is in no equity either."""
    currency = connection.execute(_CURRENCY, {"account": account}).scalar_one()
    with localcontext(_EXACT):
        return sum(
            (amount * (1 if name == currency else price or 0) for name, (amount, price) in amounts.items()), Decimal(0)
        )


def with_adjustments(
    fills: Iterable[tuple[int, Fill]], adjusted: Iterable[Adjustment], account: Mapping[Any, Any]
) -> list[tuple[int, Fill]]:
    """Fills by sequence number, with what was priced put among them as purchases and sales without a fee.

    Their cash is given back by `add_to_balances`, so that only the holding and its cost change.

    Args:
        account: its row, with `id` and `currency`.
    """
    moved = [
        (each.after_fill, _as_fill(each, number, account["id"], account["currency"]))
        for number, each in enumerate(adjusted)
        if each.price is not None
    ]
    # Stable: a movement comes behind the fill that it was booked after.
    return sorted([*fills, *moved], key=lambda event: event[0])


def add_to_balances(balances: dict[str, Decimal], adjusted: Iterable[Adjustment], *, currency: str) -> None:
    """Complete balances that were folded from `with_adjustments`."""
    with localcontext(_EXACT):
        for each in adjusted:
            name, amount = (currency, each.amount * each.price) if each.price is not None else _unpriced(each)
            balances[name] = balances.get(name, Decimal(0)) + amount


def _unpriced(each: Adjustment) -> tuple[str, Decimal]:
    return each.currency, each.amount


def _as_fill(each: Adjustment, number: int, account: str, currency: str) -> Fill:
    return Fill(
        id=f"adjustment-{number}",
        order_id="",
        account=account,
        symbol=f"{each.currency}/{currency}",
        side="buy" if each.amount > 0 else "sell",
        price=each.price or Decimal(0),
        quantity=abs(each.amount),
        fee=Decimal(0),
        fee_currency=currency,
        time=each.time,
    )
