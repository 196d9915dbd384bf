"""What must hold of a desk at every moment, whatever has gone wrong: each break of it is one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from engines.domain.orders import Fill, Order

from .desk import ACCOUNT, CASH, Desk
from .link import Handle
from .verdict import own_id, sent_again, trade_id, unjournalled

_EVERY: Final = 100_000
_DECIDED: Final = frozenset({"ticket_approved", "ticket_rejected"})
_NEVER_THERE: Final = frozenset({"not_accepted", "rejected_by_venue"})
_ENDED: Final = frozenset({"cancelled", "expired"})
_ZERO: Final = Decimal(0)


def broken(desk: Desk, venue: Handle | None, approved: Collection[str]) -> list[str]:
    """Everything that does not hold now; empty while all is well.

    Args:
        venue: the door of the venue the desk trades at; None on paper.
        approved: ids of the tickets that somebody said yes to.
    """
    orders = {order.id: order for order in desk.ledger.orders(limit=_EVERY)}
    wrong = [*_counted(orders.values()), *_money(desk, orders.values()), *_as_asked(desk, orders.values(), approved)]
    wrong += _exits(orders)
    if venue is not None:
        truth = venue.truth()
        wrong += [f"{name} was accepted {count} times" for name, count in truth["accepts"].items() if count > 1]
        wrong += [*sent_again(venue), *unjournalled(desk, venue)]
        if truth["imbalance"] or truth["overdrawn"]:
            wrong.append(f"money was not conserved: {truth['imbalance']} {truth['overdrawn']}")
        wrong += _evidence(orders.values(), truth)
    return wrong


def _counted(orders: Collection[Order]) -> Iterator[str]:
    """Fills add up, none counts twice, and none is beyond what was asked for."""
    counts = Counter(fill.id for order in orders for fill in order.fills)
    yield from (f"trade {name} was counted {count} times" for name, count in counts.items() if count > 1)
    for order in orders:
        filled = sum((fill.quantity for fill in order.fills), _ZERO)
        if order.filled != filled:
            yield f"{order.id} has {order.filled} filled, and fills over {filled}"
        if filled > order.quantity:
            yield f"{order.id} filled {filled}, more than its {order.quantity}"
        if order.status == "filled" and filled != order.quantity:
            yield f"{order.id} is filled, with {filled} of {order.quantity}"
        yield from (
            f"{order.id} filled at {fill.price}, beyond its limit" for fill in order.fills if _beyond(order, fill)
        )


def _beyond(order: Order, fill: Fill) -> bool:
    if order.order_type != "limit" or order.limit_price is None or order.parent_id is not None:
        return False
    return fill.price > order.limit_price if order.side == "buy" else fill.price < order.limit_price


def _money(desk: Desk, orders: Collection[Order]) -> Iterator[str]:
    """Balances are what the fills and their fees make of what the account began with."""
    expected = {"USDT": CASH, "BTC": _ZERO}
    for fill in (fill for order in orders for fill in order.fills):
        sign = 1 if fill.side == "buy" else -1
        expected["USDT"] -= sign * fill.price * fill.quantity
        expected["BTC"] += sign * fill.quantity
        expected[fill.fee_currency] = expected.get(fill.fee_currency, _ZERO) - fill.fee
    found = {name: amount for name, amount in desk.ledger.account(ACCOUNT).balances.items() if amount}
    if found != {name: amount for name, amount in expected.items() if amount}:
        yield f"the balances are {found} and the fills make {expected}"


def _as_asked(desk: Desk, orders: Collection[Order], approved: Collection[str]) -> Iterator[str]:
    """One decision a ticket, no order without a yes, and none over another quantity than the ticket's."""
    records = Counter(record.ticket_id for record in desk.ledger.audit() if record.kind in _DECIDED)
    yield from (f"ticket {name} was decided {count} times" for name, count in records.items() if count > 1)
    for order in orders:
        if order.ticket_id not in approved:
            yield f"{order.id} is the order of a ticket that nobody approved"
        if order.parent_id is None and order.quantity != desk.ledger.ticket(order.ticket_id).quantity:
            yield f"{order.id} is over {order.quantity}, and its ticket is not"


def _exits(orders: Mapping[str, Order]) -> Iterator[str]:
    """The exits of an entry sell no more than it bought."""
    sold: Counter[str] = Counter()
    for order in orders.values():
        if order.parent_id is not None:
            sold[order.parent_id] += order.filled  # type: ignore[assignment]
    for name, quantity in sold.items():
        if quantity > orders[name].filled:
            yield f"the exits of {name} sold {quantity}, and it bought {orders[name].filled}"


def _evidence(orders: Collection[Order], truth: Mapping[str, Any]) -> Iterator[str]:
    """What the ledger says of the venue happened there: each fill as it is told, and each end of an order."""
    states = {row["id"]: row["state"] for row in truth["orders"]}
    named = {own_id(row["client_id"]) for row in truth["orders"]}
    fills = {row["id"]: row for row in truth["fills"]}
    of_order: dict[str, set[str]] = {}
    for row in truth["fills"]:
        of_order.setdefault(row["order_id"], set()).add(row["id"])
    for order in orders:
        yield from (f"the venue has no fill {_told(fill)}" for fill in order.fills if _told(fill) != _row(fills, fill))
        number = order.venue_order_id
        if number is not None and number not in states:
            yield f"{order.id} is {order.status} as order {number!r}, which the venue does not have"
        elif not _is_proven(order, states.get(number or ""), order.id in named):
            yield f"{order.id} is {order.status} without evidence: at the venue {states.get(number or '')}"
        elif order.status in {"filled", "cancelled"}:
            lost = of_order.get(number or "", set()) - {trade_id(fill.id) for fill in order.fills}
            yield from (f"{order.id} is {order.status} and its fill {name} is lost" for name in sorted(lost))


def _is_proven(order: Order, state: str | None, is_there: bool) -> bool:
    if order.status == "filled":
        return state == "filled"
    if order.status == "cancelled":
        # What waited at the desk was never at the venue.
        return state in _ENDED if order.venue_order_id is not None else not is_there
    return not (order.status in _NEVER_THERE and is_there)


def _told(fill: Fill) -> Sequence[object]:
    return (trade_id(fill.id), fill.side, fill.price, fill.quantity, fill.fee, fill.fee_currency)


def _row(fills: Mapping[str, Mapping[str, Any]], fill: Fill) -> Sequence[object]:
    row = fills.get(trade_id(fill.id))
    if row is None:
        return ()
    numbers = (Decimal(row[name]) for name in ("price", "quantity", "fee"))
    return (row["id"], row["side"], *numbers, row["fee_currency"])
