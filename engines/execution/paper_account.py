"""The paper venue's accounts as their owner sees them: open orders, balances and fills."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, select

from engines.domain.instruments import Instrument
from engines.domain.orders import Fill
from engines.domain.timeframe import from_ms
from engines.execution import paper_book as book
from engines.execution.broker import Balance, OpenOrder
from engines.execution.paper_book import PaperOrder
from engines.execution.paper_model import Take
from engines.storage import ledger as tables

_ORDERS, _FILLS = tables.paper_orders, tables.paper_fills
_ZERO: Final = Decimal(0)
_SYMBOLS: Final = select(_ORDERS.c.symbol).where(_ORDERS.c.account == bindparam("account")).distinct()


def open_orders_of(connection: Connection, *, market: str, account: str | None) -> tuple[OpenOrder, ...]:
    """Resting orders of an account, of all accounts when None, on a market."""
    query = select(_ORDERS).where(_ORDERS.c.status.in_(book.OPEN), _ORDERS.c.market == market)
    found = book.orders_of(connection, _of(query, account).order_by(_ORDERS.c.checked_until, _ORDERS.c.id))
    return tuple(_open(connection, order) for order in found)


def balances_of(connection: Connection, account: str, instruments: Iterable[Instrument]) -> dict[str, Balance]:
    """Cash and holdings of an account; open entries hold back what they need, protective orders nothing."""
    listed = {instrument.symbol: instrument for instrument in instruments}
    traded = connection.execute(_SYMBOLS, {"account": account}).scalars().all()
    currencies = {book.currency_of(connection, account), *(symbol.partition("/")[2] for symbol in traded)}
    total = {currency: book.cash_of(connection, account, currency) for currency in currencies}
    for symbol in traded:
        base = symbol.partition("/")[0]
        total[base] = total.get(base, _ZERO) + book.held_of(connection, account, symbol)
    held = held_back(connection, account, listed)
    return {name: Balance(amount, amount - held.get(name, _ZERO)) for name, amount in total.items()}


def held_back(connection: Connection, account: str, listed: dict[str, Instrument]) -> dict[str, Decimal]:
    """What the open entries of an account hold back, by currency, fees included."""
    query = select(_ORDERS).where(
        _ORDERS.c.status.in_(book.OPEN), _ORDERS.c.account == account, _ORDERS.c.parent_id.is_(None)
    )
    held: dict[str, Decimal] = {}
    for order in book.orders_of(connection, query):
        base, _, quote = order.symbol.partition("/")
        left = book.left_of(connection, order)
        name, amount = (base, left) if order.side == "sell" else (quote, _cost(order, left, listed))
        held[name] = held.get(name, _ZERO) + amount
    return held


def fills_after(
    connection: Connection, symbol: str, after_ms: int, *, market: str, account: str | None
) -> tuple[Fill, ...]:
    """Fills on a symbol dated at a time or later, oldest first."""
    query = (
        select(*_FILLS.c, _ORDERS.c.account, _ORDERS.c.symbol, _ORDERS.c.side)
        .join_from(_FILLS, _ORDERS)
        .where(_ORDERS.c.symbol == symbol, _ORDERS.c.market == market, _FILLS.c.time >= from_ms(after_ms))
    )
    fills = [Fill(**row) for row in connection.execute(_of(query, account)).mappings()]
    return tuple(sorted(fills, key=lambda fill: (fill.time, fill.order_id, book.number_of(fill.id))))


def _of(query: Select[Any], account: str | None) -> Select[Any]:
    return query if account is None else query.where(_ORDERS.c.account == account)


def _cost(order: PaperOrder, left: Decimal, listed: dict[str, Instrument]) -> Decimal:
    instrument = listed.get(order.symbol)
    return Take(order.own_price or _ZERO, left, instrument.taker_fee if instrument else _ZERO).cost


def _open(connection: Connection, order: PaperOrder) -> OpenOrder:
    seen = book.seen_from_outside(connection, order)
    return OpenOrder(
        client_order_id=order.id,
        venue_order_id=seen.venue_order_id,
        symbol=order.symbol,
        side=order.side,
        # One that was set off is still the stop order that was placed.
        order_type="stop" if order.kind == "triggered" else order.order_type,
        quantity=order.quantity,
        filled=seen.filled,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
    )
