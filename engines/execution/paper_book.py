"""The paper venue's memory: its orders, fills and funds, apart from the ledger as a real venue's would be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Engine, RowMapping, Select, bindparam, insert, select, update

from engines.domain.orders import Fill, OrderTicket, OrderType, Side
from engines.errors import NotFound
from engines.execution.broker import VenueOrder, VenueOrderStatus
from engines.execution.paper_model import Take
from engines.execution.paper_prices import Kind
from engines.storage import ledger as tables
from engines.storage.transactions import writing

_ORDERS = tables.paper_orders
_FILLS = tables.paper_fills
_ZERO = Decimal(0)

ON_REQUEST: Final = "Cancelled on request."
"""Why an order ended that somebody cancelled."""

OPEN: Final[tuple[VenueOrderStatus, ...]] = ("accepted", "partially_filled")
"""Orders that can still fill."""

# Statements of every order's path are built once: building them takes longer than running them.
_ORDER: Final = select(_ORDERS).where(_ORDERS.c.id == bindparam("id"))
_FILLS_OF_ORDER: Final = select(_FILLS).where(_FILLS.c.order_id == bindparam("order_id"))
_ACCOUNT_FILLS: Final = (
    select(*_FILLS.c, _ORDERS.c.symbol, _ORDERS.c.side)
    .join_from(_FILLS, _ORDERS)
    .where(_ORDERS.c.account == bindparam("account"))
)
_LOCK_ACCOUNT: Final = (
    select(tables.accounts.c.id).where(tables.accounts.c.id == bindparam("account")).with_for_update()
)
_OPENED_WITH: Final = select(tables.accounts.c.starting_cash).where(
    tables.accounts.c.id == bindparam("account"), tables.accounts.c.currency == bindparam("currency")
)
_CURRENCY: Final = select(tables.accounts.c.currency).where(tables.accounts.c.id == bindparam("account"))
_INSERT_ORDER: Final = insert(_ORDERS)
_INSERT_FILL: Final = insert(_FILLS)


@dataclass(frozen=True, slots=True)
class PaperOrder:
    """An order as the paper venue keeps it.

    Attributes:
        market: the one whose prices fill it: a home may be served on another market later.
        order_type: `market` for a stop that was set off, too; its stop price stays.
        checked_until: the market's time from which on candles count for it.
    """

    id: str
    parent_id: str | None
    account: str
    market: str
    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    stop_loss: Decimal | None
    take_profit: Decimal | None
    status: VenueOrderStatus
    reason: str
    checked_until: datetime

    @property
    def own_price(self) -> Decimal | None:
        """Its limit or stop price; None for a market order."""
        return self.limit_price or self.stop_price

    @property
    def kind(self) -> Kind:
        """How it rests."""
        if self.order_type == "market":
            return "triggered"
        return "stop" if self.order_type == "stop" else "limit"

    @property
    def is_open(self) -> bool:
        """True while it can still fill."""
        return self.status in OPEN


def paper_order(ticket: OrderTicket, now: datetime) -> PaperOrder:
    """A ticket's order, newly arrived at the venue."""
    names = ("account", "market", "symbol", "side", "order_type", "quantity", "limit_price", "stop_price")
    shared = {name: getattr(ticket, name) for name in (*names, "stop_loss", "take_profit")}
    return PaperOrder(
        **shared, id=ticket.client_order_id, parent_id=None, status="accepted", reason="", checked_until=now
    )


@contextmanager
def venue_writing(engine: Engine, account: str) -> Iterator[Connection]:
    """A write transaction in which nobody else changes the account at the venue."""
    with writing(engine) as connection:
        connection.execute(_LOCK_ACCOUNT, {"account": account})
        yield connection


def orders_of(connection: Connection, query: Select[Any], **values: Any) -> list[PaperOrder]:
    """Orders of a query over `paper_orders`; `values` are the query's parameters."""
    return [PaperOrder(**row) for row in connection.execute(query, values).mappings()]


def order_of(connection: Connection, order_id: str) -> PaperOrder | None:
    """One order, or None."""
    found = orders_of(connection, _ORDER, id=order_id)
    return found[0] if found else None


def insert_order(connection: Connection, order: PaperOrder) -> None:
    """Keep a new order."""
    connection.execute(_INSERT_ORDER, {name: getattr(order, name) for name in PaperOrder.__slots__})


def seen_from_outside(connection: Connection, order: PaperOrder) -> VenueOrder:
    """What the venue tells about an order."""
    rows = connection.execute(_FILLS_OF_ORDER, {"order_id": order.id}).mappings().all()
    fills = tuple(_fill(row, order) for row in sorted(rows, key=lambda row: number_of(row["id"])))
    filled = sum((fill.quantity for fill in fills), _ZERO)
    return VenueOrder(
        client_order_id=order.id,
        venue_order_id=f"paper-{order.id}",
        status=order.status,
        quantity=order.quantity,
        filled=filled,
        fills=fills,
        reason=order.reason,
        by_request=order.status == "cancelled" and order.reason == ON_REQUEST,
    )


def currency_of(connection: Connection, account: str) -> str:
    """The currency an account was opened in.

    Raises:
        NotFound: there is no such account.
    """
    found = connection.execute(_CURRENCY, {"account": account}).scalar_one_or_none()
    if found is None:
        raise NotFound(f"The paper venue has no account {account!r}.")
    return str(found)


def cash_of(connection: Connection, account: str, currency: str) -> Decimal:
    """Cash of an account at the venue: what it was opened with and what its fills made of it."""
    opened = connection.execute(_OPENED_WITH, {"account": account, "currency": currency}).scalar_one_or_none()
    cash = opened or _ZERO
    for row in _account_fills(connection, account):
        if row["symbol"].partition("/")[2] == currency:
            value = row["price"] * row["quantity"]
            cash += -value if row["side"] == "buy" else value
        if row["fee_currency"] == currency:
            cash -= row["fee"]
    return cash


def held_of(connection: Connection, account: str, symbol: str) -> Decimal:
    """Base units of a symbol that an account holds at the venue."""
    rows = [row for row in _account_fills(connection, account) if row["symbol"] == symbol]
    return sum((row["quantity"] if row["side"] == "buy" else -row["quantity"] for row in rows), _ZERO)


def change(connection: Connection, order_id: str, status: VenueOrderStatus, **values: Any) -> bool:
    """Move an open order on; False when it was not open."""
    statement = update(_ORDERS).where(_ORDERS.c.id == order_id, _ORDERS.c.status.in_(OPEN))
    return connection.execute(statement.values(status=status, **values)).rowcount == 1


def filled_of(connection: Connection, order_id: str) -> Decimal:
    """How much of an order is filled, base units."""
    rows = connection.execute(_FILLS_OF_ORDER, {"order_id": order_id}).mappings()
    return sum((row["quantity"] for row in rows), _ZERO)


def left_of(connection: Connection, order: PaperOrder) -> Decimal:
    """How much of an order is not filled, base units."""
    return order.quantity - filled_of(connection, order.id)


def taken_in(connection: Connection, order: PaperOrder, after: datetime, until: datetime) -> Decimal:
    """What all orders of an order's account filled on its symbol after one time and not later than another."""
    columns = _ORDERS.c.account == order.account, _ORDERS.c.symbol == order.symbol, _ORDERS.c.market == order.market
    query = select(_FILLS.c.quantity).join_from(_FILLS, _ORDERS).where(*columns)
    found = connection.execute(query.where(_FILLS.c.time > after, _FILLS.c.time <= until)).scalars()
    return sum(found, _ZERO)


def insert_fill(connection: Connection, order: PaperOrder, take: Take, fee_currency: str, dated: datetime) -> None:
    """Keep what an order got; its number in the order makes the fill's id."""
    number = len(connection.execute(_FILLS_OF_ORDER, {"order_id": order.id}).all()) + 1
    values = {"id": f"{order.id}-{number}", "order_id": order.id, "price": take.price, "quantity": take.quantity}
    connection.execute(_INSERT_FILL, {**values, "time": dated, "fee": take.fee, "fee_currency": fee_currency})


def number_of(fill_id: str) -> int:
    """Which of its order's fills a fill is, from 1."""
    return int(fill_id.rpartition("-")[2])


def _account_fills(connection: Connection, account: str) -> list[RowMapping]:
    return list(connection.execute(_ACCOUNT_FILLS, {"account": account}).mappings())


def _fill(row: RowMapping, order: PaperOrder) -> Fill:
    own = {name: row[name] for name in ("id", "order_id", "price", "quantity", "fee", "fee_currency", "time")}
    return Fill(**own, account=order.account, symbol=order.symbol, side=order.side)
