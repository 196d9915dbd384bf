"""What a fill does at the simulated venue: money moves, exits come and go with what they protect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import ColumnElement, Connection, select

from engines.domain.instruments import Instrument
from engines.execution import paper_book as book
from engines.execution.broker import protective_ids
from engines.execution.paper_book import PaperOrder
from engines.execution.paper_model import Take
from engines.storage import ledger as tables

_ORDERS = tables.paper_orders.c
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class FillTime:
    """When a fill is dated, and from which market times on candles count for the entry's stop-loss and take-profit."""

    dated: datetime
    stop_from: datetime
    target_from: datetime


def fill(connection: Connection, order: PaperOrder, take: Take, instrument: Instrument, when: FillTime) -> bool:
    """Fill an order, or a part of it, with everything that follows; False when it was no longer open.

    Protective orders of the entry start to rest or grow, the other leg of one that sold shrinks and its entry ends,
    and those of a smaller holding shrink.
    """
    left = book.left_of(connection, order)
    if not book.change(connection, order.id, "filled" if take.quantity >= left else "partially_filled"):
        return False
    book.insert_fill(connection, order, take, instrument.quote, when.dated)
    if order.side == "buy":
        _protect(connection, order, take.quantity, when)
        return True
    if order.parent_id is not None:
        _follow_leg(connection, order, take.quantity)
    _shrink_protection(connection, order)
    return True


def fill_resting(
    connection: Connection, order: PaperOrder, takes: Iterable[Take], instrument: Instrument, when: FillTime
) -> bool:
    """Fill a resting order as far as the funds go, and cancel it where they end; True when anything filled."""
    done = False
    for take in takes:
        quantity, lacking = affordable(connection, order, take, instrument)
        if quantity > 0:
            done = fill(connection, order, replace(take, quantity=quantity), instrument, when) or done
        if quantity < take.quantity:
            book.change(connection, order.id, "cancelled", reason=lacking)
            break
    return done


def affordable(connection: Connection, order: PaperOrder, take: Take, instrument: Instrument) -> tuple[Decimal, str]:
    """How much of a fill the account's funds cover: all or nothing of a buy, of a sale what is held.

    Returns:
        The quantity, and what is lacking.
    """
    if order.side == "sell":
        held = book.held_of(connection, order.account, order.symbol)
        told = f"The account holds {held} {instrument.base} of the {take.quantity} to sell."
        return max(min(take.quantity, held), _ZERO), told
    cash = book.cash_of(connection, order.account, instrument.quote)
    told = f"It needs {take.cost:.2f} {instrument.quote} and the account has {cash:.2f}."
    return (take.quantity if take.cost <= cash else _ZERO), told


def _protect(connection: Connection, entry: PaperOrder, quantity: Decimal, when: FillTime) -> None:
    """Protect what was just bought."""
    stop_id, target_id = protective_ids(entry.id)
    # The candle that filled the entry may go on to its stop: count that against us, but never for us.
    for order_id, stop, limit, since in (
        (stop_id, entry.stop_loss, None, when.stop_from),
        (target_id, None, entry.take_profit, when.target_from),
    ):
        if stop is None and limit is None:
            continue
        known = book.order_of(connection, order_id)
        if known is None:
            leg = replace(entry, id=order_id, parent_id=entry.id, side="sell", quantity=quantity, checked_until=since)
            leg = replace(leg, order_type="limit" if stop is None else "stop", status="accepted", reason="")
            leg = replace(leg, stop_price=stop, limit_price=limit, stop_loss=None, take_profit=None)
            book.insert_order(connection, leg)
        elif known.is_open:
            grown = {"quantity": known.quantity + quantity, "checked_until": max(since, known.checked_until)}
            book.change(connection, order_id, known.status, **grown)


def _follow_leg(connection: Connection, leg: PaperOrder, quantity: Decimal) -> None:
    """Let the other leg give up what this one sold, and end what is still open of their entry."""
    others = _open_orders(connection, leg, _ORDERS.parent_id == leg.parent_id, _ORDERS.id != leg.id)
    for other in others:
        if book.left_of(connection, other) <= quantity:
            book.change(connection, other.id, "cancelled", reason=f"The other leg, {leg.id}, was filled.")
        else:
            book.change(connection, other.id, other.status, quantity=other.quantity - quantity)
    if leg.parent_id is not None:
        book.change(connection, leg.parent_id, "cancelled", reason=f"Its exit {leg.id} was filled.")


def _shrink_protection(connection: Connection, sale: PaperOrder) -> None:
    """Let protective orders, oldest first, give up what their holding no longer has."""
    legs = _open_orders(connection, sale, _ORDERS.parent_id.is_not(None))
    if not legs:
        return
    left = {leg.id: book.left_of(connection, leg) for leg in legs}
    entries: dict[str | None, Decimal] = {}
    for leg in legs:
        entries[leg.parent_id] = max(entries.get(leg.parent_id, _ZERO), left[leg.id])
    excess = sum(entries.values(), _ZERO) - book.held_of(connection, sale.account, sale.symbol)
    for parent_id, guarded in entries.items():
        taken = min(guarded, max(excess, _ZERO))
        excess -= taken
        for leg in (leg for leg in legs if leg.parent_id == parent_id and taken > 0):
            if taken >= left[leg.id]:
                book.change(connection, leg.id, "cancelled", reason="The holding it protected was sold.")
            else:
                book.change(connection, leg.id, leg.status, quantity=leg.quantity - taken)
        if parent_id is not None and taken == guarded > 0:
            # Its exits are gone: what it would come to buy would be held without them.
            book.change(connection, parent_id, "cancelled", reason="The holding that it was building was sold.")


def _open_orders(connection: Connection, like: PaperOrder, *conditions: ColumnElement[bool]) -> list[PaperOrder]:
    """Open orders of an order's account and symbol, oldest first."""
    query = select(tables.paper_orders).where(
        _ORDERS.account == like.account, _ORDERS.symbol == like.symbol, _ORDERS.status.in_(book.OPEN), *conditions
    )
    return book.orders_of(connection, query.order_by(_ORDERS.checked_until, _ORDERS.id))
