"""Orders at the venue that this desk did not place: shown, counted, and never touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, select

from engines.execution.broker import OpenOrder
from engines.ledger.book import currencies
from engines.ledger.journal import Journal
from engines.ledger.orders import OpenEntries
from engines.storage import ledger as tables

_COLUMNS = tables.external_orders.c
_OF_ACCOUNT: Final = (
    select(tables.external_orders)
    .where(_COLUMNS.account == bindparam("account"))
    .order_by(_COLUMNS.first_seen, _COLUMNS.venue_order_id)
)
_TOLD: Final = tuple(field.name for field in fields(OpenOrder))
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class ExternalOrder:
    """An open order of the venue account that is none of ours, as of the last reconciliation."""

    order: OpenOrder
    first_seen: datetime


def read_externals(connection: Connection, account: str) -> tuple[ExternalOrder, ...]:
    """Those of an account, in the order they were first seen in."""
    rows = connection.execute(_OF_ACCOUNT, {"account": account}).mappings()
    return tuple(ExternalOrder(OpenOrder(**{name: row[name] for name in _TOLD}), row["first_seen"]) for row in rows)


def write_externals(journal: Journal, account: str, found: Iterable[OpenOrder]) -> None:
    """Replace an account's external orders by those found now; what changed is audited with all there is."""
    before = {each.order.venue_order_id: each for each in read_externals(journal.connection, account)}
    now = {order.venue_order_id: order for order in found}
    if now == {order_id: each.order for order_id, each in before.items()}:
        return
    journal.connection.execute(delete(tables.external_orders).where(_COLUMNS.account == account))
    for order_id, order in now.items():
        first_seen = before[order_id].first_seen if order_id in before else journal.now
        row = {name: getattr(order, name) for name in _TOLD}
        journal.connection.execute(insert(tables.external_orders).values(**row, account=account, first_seen=first_seen))
    appeared, gone = sorted(now.keys() - before.keys()), sorted(before.keys() - now.keys())
    told = [external_row(asdict(now[order_id])) for order_id in sorted(now)]
    journal.note("external_orders_changed", account=account, appeared=appeared, gone=gone, orders=told)


def external_row(order: Mapping[Any, Any]) -> dict[str, str | None]:
    """An external order, or its row, as its record tells it: plain JSON, numbers as text."""
    return {name: _told(order[name]) for name in _TOLD}


def _told(value: Decimal | str | None) -> str | None:
    return format(value.normalize(), "f") if isinstance(value, Decimal) else value


def counting_externals(entries: OpenEntries, externals: Iterable[ExternalOrder], currency: str) -> OpenEntries:
    """The same entries with what external orders would buy, and hold back, added.

    They are valued at their own price; a buy without any, or in another currency, is left to be valued by the market.
    Of orders that end one another only the one that holds back most counts. They take no place among the orders that
    the desk may have open.

    Args:
        currency: the account's own.
    """
    buying, reserved, unpriced = dict[str, Decimal](), dict(entries.reserved), list[OpenOrder]()
    for order in _at_once(each.order for each in externals):
        base, quote = currencies(order.symbol)
        left, price = order.quantity - order.filled, order.limit_price or order.stop_price
        if order.side == "sell":
            reserved[base] = reserved.get(base, _ZERO) + left
        elif price is None:
            unpriced.append(order)
        else:
            reserved[quote] = reserved.get(quote, _ZERO) + left * price
            if quote == currency:
                buying[order.symbol] = buying.get(order.symbol, _ZERO) + left * price
            else:
                unpriced.append(order)
    return replace(entries, reserved=reserved, external=buying, unpriced=tuple(unpriced))


def _at_once(orders: Iterable[OpenOrder]) -> Iterator[OpenOrder]:
    """Those that can all be carried out: of the orders of a list with one side and quantity, the dearest."""
    dearest: dict[tuple[str, str, str, Decimal], OpenOrder] = {}
    for order in orders:
        key = (order.list_id, order.symbol, order.side, order.quantity - order.filled)
        if not order.list_id:
            yield order
        elif key not in dearest or _price(order) > _price(dearest[key]):
            dearest[key] = order
    yield from dearest.values()


def _price(order: OpenOrder) -> Decimal:
    """An order without a price is filled at any."""
    return order.limit_price or order.stop_price or Decimal("Infinity")
