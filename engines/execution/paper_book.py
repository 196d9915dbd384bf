"""The paper venue's memory: its orders, fills and funds, apart from the ledger as a real venue's would be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Engine, RowMapping, Select, bindparam, insert, select, update

from engines.domain.instruments import Instrument
from engines.domain.orders import Fill, OrderTicket, OrderType, Side
from engines.errors import NotFound
from engines.execution.broker import VenueOrder, VenueOrderStatus, protective_ids
from engines.execution.paper_model import Terms, fee_of
from engines.storage import ledger as tables
from engines.storage.transactions import writing

_ORDERS = tables.paper_orders
_FILLS = tables.paper_fills
_ZERO = Decimal(0)

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
    """An order as the paper venue keeps it; `own_price` is its limit or stop price.

    `market` is the one whose prices fill it: a home may be served on another market later.
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
        """None for a market order."""
        return self.limit_price or self.stop_price


@dataclass(frozen=True, slots=True)
class FillTime:
    """When a fill is dated, and from which market times on candles count for the entry's stop-loss and take-profit."""

    dated: datetime
    stop_from: datetime
    target_from: datetime


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
    fills = tuple(_fill(row, order) for row in rows)
    filled = sum((fill.quantity for fill in fills), _ZERO)
    return VenueOrder(order.id, f"paper-{order.id}", order.status, order.quantity, filled, fills, order.reason)


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


def affordable(connection: Connection, order: PaperOrder, terms: Terms, instrument: Instrument) -> tuple[Decimal, str]:
    """How much of an order the account's funds cover: all or nothing of a buy, of a sale what is held.

    Returns:
        The quantity, and what is lacking.
    """
    if order.side == "sell":
        held = held_of(connection, order.account, order.symbol)
        return min(order.quantity, held), f"The account holds {held} {instrument.base} of the {order.quantity} to sell."
    cost = terms.price * order.quantity + fee_of(terms, order.quantity)
    cash = cash_of(connection, order.account, instrument.quote)
    told = f"It needs {cost:.2f} {instrument.quote} and the account has {cash:.2f}."
    return (order.quantity if cost <= cash else _ZERO), told


def fill_resting(
    connection: Connection, order: PaperOrder, terms: Terms, instrument: Instrument, when: FillTime
) -> bool:
    """Fill a resting order as far as the funds go, or cancel it when they no longer reach; True when it filled."""
    quantity, lacking = affordable(connection, order, terms, instrument)
    if quantity > 0:
        return fill(connection, replace(order, quantity=quantity), terms, instrument, when)
    change(connection, order.id, "cancelled", reason=lacking)
    return False


def fill(connection: Connection, order: PaperOrder, terms: Terms, instrument: Instrument, when: FillTime) -> bool:
    """Fill an order whole, with everything that follows from it; False when it was no longer open.

    Protective orders of the entry start to rest, the other leg of a filled one is cancelled, and those of a
    smaller holding shrink.
    """
    if not change(connection, order.id, "filled", quantity=order.quantity):
        return False
    fee = fee_of(terms, order.quantity)
    values = {"id": f"{order.id}-1", "order_id": order.id, "price": terms.price, "quantity": order.quantity}
    connection.execute(_INSERT_FILL, {**values, "time": when.dated, "fee": fee, "fee_currency": instrument.quote})
    if order.parent_id is not None:
        _cancel_other_leg(connection, order)
    if order.side == "buy":
        _protect(connection, order, when)
    else:
        _shrink_protection(connection, order)
    return True


def change(connection: Connection, order_id: str, status: VenueOrderStatus, **values: Any) -> bool:
    """Move an open order on; False when it was not open."""
    statement = update(_ORDERS).where(_ORDERS.c.id == order_id, _ORDERS.c.status == "accepted")
    return connection.execute(statement.values(status=status, **values)).rowcount == 1


def _protect(connection: Connection, entry: PaperOrder, when: FillTime) -> None:
    stop_id, target_id = protective_ids(entry.id)
    leg = replace(
        entry, parent_id=entry.id, side="sell", limit_price=None, stop_price=None, stop_loss=None, take_profit=None
    )
    if entry.stop_loss is not None:
        # The candle that filled the entry may go on to its stop: count that against us, but never for us.
        insert_order(
            connection,
            replace(leg, id=stop_id, order_type="stop", stop_price=entry.stop_loss, checked_until=when.stop_from),
        )
    if entry.take_profit is not None:
        insert_order(
            connection,
            replace(
                leg, id=target_id, order_type="limit", limit_price=entry.take_profit, checked_until=when.target_from
            ),
        )


def _cancel_other_leg(connection: Connection, order: PaperOrder) -> None:
    other = update(_ORDERS).where(
        _ORDERS.c.parent_id == order.parent_id, _ORDERS.c.id != order.id, _ORDERS.c.status == "accepted"
    )
    connection.execute(other.values(status="cancelled", reason=f"The other leg, {order.id}, was filled."))


def _shrink_protection(connection: Connection, sale: PaperOrder) -> None:
    """Let protective orders, oldest first, give up what their holding no longer has."""
    query = select(_ORDERS).where(
        _ORDERS.c.account == sale.account,
        _ORDERS.c.symbol == sale.symbol,
        _ORDERS.c.parent_id.is_not(None),
        _ORDERS.c.status == "accepted",
    )
    legs = orders_of(connection, query.order_by(_ORDERS.c.checked_until, _ORDERS.c.id))
    if not legs:
        return
    entries = {leg.parent_id: leg.quantity for leg in legs}
    excess = sum(entries.values(), _ZERO) - held_of(connection, sale.account, sale.symbol)
    for parent_id, quantity in entries.items():
        taken = min(quantity, max(excess, _ZERO))
        excess -= taken
        for leg in (leg for leg in legs if leg.parent_id == parent_id and taken > 0):
            if taken == quantity:
                change(connection, leg.id, "cancelled", reason="The holding it protected was sold.")
            else:
                change(connection, leg.id, "accepted", quantity=quantity - taken)


def _account_fills(connection: Connection, account: str) -> list[RowMapping]:
    return list(connection.execute(_ACCOUNT_FILLS, {"account": account}).mappings())


def _fill(row: RowMapping, order: PaperOrder) -> Fill:
    own = {name: row[name] for name in ("id", "order_id", "price", "quantity", "fee", "fee_currency", "time")}
    return Fill(**own, account=order.account, symbol=order.symbol, side=order.side)
