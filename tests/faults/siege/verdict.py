"""Holding a desk's ledger against what really happened at its venue."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from engines.domain.orders import Order
from engines.errors import VenueUnavailable
from engines.execution.reconcile import reconcile
from engines.execution.submit import unfinished
from engines.execution.venues.kraken_ids import own_id as of_kraken

from .desk import ACCOUNT, CASH, Desk
from .link import Handle

# Exits that the desk sends in place of others are numbered.
_ENDS: Final = re.compile(r"-(ls|sl|tp|gs|gt)[0-9]*$")
_OPEN: Final = frozenset({"open", "untriggered", "waiting"})
_CLIENT_ID: Final = ("newClientOrderId", "workingClientOrderId", "listClientOrderId", "orderLinkId", "cl_ord_id")
_NEVER_THERE: Final = frozenset({"not_accepted", "rejected_by_venue"})
_REFUSALS: Final[frozenset[str | None]] = frozenset({None, "rate_limited", "banned"})
_PATIENCE: Final = 30.0


def compared(desk: Desk, venue: Handle) -> list[str]:
    """Everything in which the ledger is not what the venue is, one sentence each; empty when they agree."""
    truth = venue.truth()
    orders = {order.id: order for order in desk.ledger.orders(limit=100_000)}
    wrong = [f"{client_id} was accepted {count} times" for client_id, count in truth["accepts"].items() if count > 1]
    wrong += sent_again(venue)
    wrong += _money(desk, truth)
    wrong += _orders(orders, truth)
    wrong += [f"the exits of {order.id} are nowhere" for order in orders.values() if _is_unguarded(order, orders)]
    wrong += [f"ticket {ticket_id} is not settled" for ticket_id in unfinished(desk.ledger)]
    if not desk.ledger.verify_audit().intact:
        wrong.append("the audit chain is broken")
    return [*wrong, *_reconciled(desk)]


def _is_unguarded(order: Order, orders: Mapping[str, Order]) -> bool:
    """A filled entry whose stop-loss or take-profit is neither at the venue nor kept by the desk."""
    wanted = sum(price is not None for price in (order.stop_loss, order.take_profit))
    return order.status == "filled" and wanted > sum(each.parent_id == order.id for each in orders.values())


def _reconciled(desk: Desk) -> list[str]:
    """What the desk's own comparison says, which has to be the same: nothing."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            found = reconcile(desk.context, desk.broker, ACCOUNT, sleep=lambda seconds: None)
            break
        except VenueUnavailable:
            # A venue may have told the desk to pause, and a busy machine may be slower than the client is patient.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
    return [] if found.matches and not found.differences else [f"the desk's own comparison finds {found.told()}"]


def unjournalled(desk: Desk, venue: Handle) -> list[str]:
    """Orders that were sent without a row in the journal."""
    known = {order.id for order in desk.ledger.orders(limit=100_000)}
    return [f"{name} was sent and is not in the journal" for name in _sent(venue) if _entry(name) not in known]


def sent_again(venue: Handle) -> list[str]:
    """Orders that were sent once more although the venue may have had them; an entry is never sent a second time.

    An exit that was refused before may be due again.
    """
    return [
        f"{name} was sent {len(faults)} times"
        for name, faults in _sent(venue).items()
        if len(faults) > 1 and (_entry(name) == own_id(name) or not set(faults[:-1]) <= _REFUSALS)
    ]


def trade_id(fill_id: str) -> str:
    """The venue's own number of a fill; ours names the market too where the venue's is unique on one only."""
    return fill_id.rpartition("-")[2] if fill_id.startswith("BTCUSDT-") else fill_id


def own_id(client_id: str) -> str:
    """Our id behind the one that a venue was given."""
    return of_kraken(client_id) or client_id


def compared_on_paper(desk: Desk) -> list[str]:
    """The same for the paper venue, which is asked as a real one would be."""
    wrong = [f"ticket {ticket_id} is not settled" for ticket_id in unfinished(desk.ledger)]
    spent = Decimal(0)
    for order in desk.ledger.orders(limit=100_000):
        seen = desk.broker.find(order.id, order.symbol)
        told = None if seen is None else (seen.status, seen.quantity, {fill.id for fill in seen.fills})
        ours = (order.status, order.quantity, {fill.id for fill in order.fills})
        if told != (None if order.status in _NEVER_THERE else ours):
            wrong.append(f"{order.id} is {ours}; at the paper venue {told}")
        sign = 1 if order.side == "buy" else -1
        spent += sum((sign * fill.price * fill.quantity + fill.fee for fill in order.fills), Decimal(0))
    if desk.ledger.account(ACCOUNT).balances.get("USDT") != CASH - spent:
        wrong.append(f"{spent} was spent and the ledger has {desk.ledger.account(ACCOUNT).balances}")
    return wrong if desk.ledger.verify_audit().intact else [*wrong, "the audit chain is broken"]


def _entry(client_id: str) -> str:
    """Our entry's id behind the one that was sent, of its exits or their list too."""
    return _ENDS.sub("", own_id(client_id))


def _sent(venue: Handle) -> dict[str, list[str | None]]:
    """The faults that each order met which was sent, in order, by the id it was sent under."""
    sent: dict[str, list[str | None]] = {}
    for entry in venue.log(route="create"):
        params = entry["params"]
        sent.setdefault(next(params[name] for name in _CLIENT_ID if params.get(name)), []).append(entry["fault"])
    return sent


def _money(desk: Desk, truth: Mapping[str, Any]) -> list[str]:
    ours = {name: amount for name, amount in desk.ledger.account(ACCOUNT).balances.items() if amount}
    theirs = {name: Decimal(row["total"]) for name, row in truth["balances"].items() if Decimal(row["total"])}
    wrong = [] if ours == theirs else [f"the ledger has {ours} and the venue {theirs}"]
    if truth["imbalance"] or truth["overdrawn"]:
        wrong.append(f"money was not conserved: {truth['imbalance']} {truth['overdrawn']}")
    return wrong


def _orders(orders: Mapping[str, Order], truth: Mapping[str, Any]) -> list[str]:
    theirs = {row["id"]: row for row in truth["orders"] if not row["external"]}
    named = {own_id(row["client_id"]) for row in theirs.values()}
    ours = {order.venue_order_id: order for order in orders.values() if order.venue_order_id}
    fills: dict[str, set[str]] = {}
    for fill in truth["fills"]:
        fills.setdefault(fill["order_id"], set()).add(fill["id"])
    wrong = [_difference(ours.get(number), row, fills.get(number, set())) for number, row in theirs.items()]
    wrong += [f"{order.id} is {order.status} and at the venue" for order in orders.values() if _denied(order, named)]
    wrong += [
        f"{order.id} is {order.status} and the venue has no such order"
        for number, order in ours.items()
        if number not in theirs
    ]
    return [each for each in wrong if each]


def _denied(order: Order, named: set[str]) -> bool:
    return order.status in _NEVER_THERE and order.id in named


def _difference(order: Order | None, row: Mapping[str, Any], fills: set[str]) -> str:
    """What is different about one order of the venue; its exits are none of ours before their entry has filled."""
    state, filled = row["state"], Decimal(row["filled"])
    if order is None:
        # Exits that a venue makes by itself may come without an id of ours.
        is_exit = not row["client_id"] or row["client_id"].endswith(("-sl", "-tp"))
        ended_unused = state in {"cancelled", "expired"} and not filled and is_exit
        return (
            ""
            if state == "waiting" or ended_unused
            else f"{row['client_id'] or row['id']} ({state}) is not in the ledger"
        )
    expected = "filled" if state == "filled" else "cancelled" if state not in _OPEN else "open"
    ours = "open" if order.status in {"accepted", "partially_filled"} else order.status
    if ours != expected or order.filled != filled:
        return f"{order.id} is {order.status} over {order.filled}; at the venue {state} over {filled}"
    if (order.status == "partially_filled") != (expected == "open" and filled > 0):
        return f"{order.id} is {order.status} with {order.filled} filled"
    known = {trade_id(fill.id) for fill in order.fills}
    return "" if known == fills else f"{order.id} has the fills {sorted(known)}; the venue {sorted(fills)}"
