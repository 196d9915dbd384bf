"""Exits that no venue holds: the desk watches their prices and sells when one is reached, as long as it runs.

A stop-loss is due when the bid is at its price or below, a take-profit when the bid is at its price or above; both
then sell at the market what is left of their entry. What the price did while the desk was down is not made up for.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from engines.domain.orders import Order, OrderStatus, OrderTicket
from engines.errors import OrderRejected, OutcomeUnknown, QuantumTraderError, VenueUnavailable
from engines.execution.broker import ApprovedTicket, Broker
from engines.execution.context import OrderContext
from engines.execution.recover import look_up
from engines.execution.situation import usable_quote
from engines.ledger.guarding import begin_exit, change_quantity, guarded_quantities, release, succeed, wait_again
from engines.ledger.ledger import Ledger

_LOGGER: Final = logging.getLogger(__name__)
_UNCLEAR: Final[frozenset[OrderStatus]] = frozenset({"submitting", "unknown", "needs_operator"})
_SENT: Final[frozenset[OrderStatus]] = _UNCLEAR | {"accepted", "partially_filled"}
_EVERY: Final = 1_000_000
# After a refusal the exit is tried again, but not in every round.
_RETRY_AFTER: Final = timedelta(seconds=30)


def guard_exits(context: OrderContext, broker: Broker, now: datetime) -> tuple[Order, ...]:
    """Carry out the exits that the desk holds itself and that are due; settle those whose outcome is unclear.

    One step of the watcher. Each exit is journalled before it is sent, sent once under its own id, and looked up
    when the answer is unclear. While the account is halted nothing is sent, which the exit's reason says. The person
    approved the exits with the entry: an arming that has expired since does not hold them back.

    Args:
        now: the wall's time, for how long ago an exit was refused.

    Returns:
        The exits that changed.

    Raises:
        QuantumTraderError: there was no price, or no answer, for some of them; the others are done.
    """
    ledger = context.ledger
    open_exits = [
        order for order in ledger.orders(status="open", limit=_EVERY, within=context.within) if order.held_by == "desk"
    ]
    changed: list[Order] = []
    failures: list[QuantumTraderError] = []
    guarded = [order.parent_id for order in reversed(open_exits) if order.parent_id]
    for entry_id in dict.fromkeys((*guarded, *ledger.entries_left_early(within=context.within))):
        before = ledger.exits_of(entry_id)
        try:
            with ledger.claim(before[0].ticket_id):
                _step(entry_id, context, broker, now)
        except QuantumTraderError as error:
            failures.append(error)
        changed += [order for order in ledger.exits_of(entry_id) if order not in before]
    if failures:
        raise failures[0]
    return tuple(changed)


def _step(entry_id: str, context: OrderContext, broker: Broker, now: datetime) -> None:
    ledger = context.ledger
    exits = tuple(order for order in ledger.exits_of(entry_id) if order.held_by == "desk")
    for order in exits:
        if order.status in _UNCLEAR:
            look_up(order, ledger=ledger, broker=broker, clock=context.clock)
    exits = tuple(order for order in ledger.exits_of(entry_id) if order.held_by == "desk")
    waiting = tuple(order for order in exits if order.waits_at_desk)
    if any(order.status in _SENT and not order.waits_at_desk for order in exits):
        return
    done = next((order for order in exits if order.status == "filled"), None)
    if done is not None:
        _release(ledger, waiting, f"The other exit, {done.id}, was filled.")
        return
    ended = tuple(order for order in _newest(exits) if _ended_early(order))
    if waiting or ended:
        _watch(ledger.order(entry_id), waiting, ended, context, broker, now)


def _newest(exits: Iterable[Order]) -> tuple[Order, ...]:
    """The last of each exit and its successors."""
    kinds = {order.order_type: order for order in sorted(exits, key=lambda order: (len(order.id), order.id))}
    return tuple(kinds.values())


def _ended_early(leg: Order) -> bool:
    """True for an exit that its venue ended, or never took; one that was released here never went there."""
    at_venue = leg.status == "cancelled" and leg.venue_order_id is not None
    return at_venue or leg.status in {"not_accepted", "rejected_by_venue"}


def _watch(
    entry: Order,
    waiting: tuple[Order, ...],
    ended: tuple[Order, ...],
    context: OrderContext,
    broker: Broker,
    now: datetime,
) -> None:
    ledger = context.ledger
    instrument = context.market.instrument(entry.symbol)
    left = _left(entry, ledger) // instrument.lot_size * instrument.lot_size
    if left < instrument.min_quantity or not left:
        _release(ledger, waiting, "The holding it guarded was sold.")
        return
    if ended:
        with ledger.journalled() as journal:
            for order in ended:
                succeed(journal, order, left)
        waiting = tuple(order for order in ledger.exits_of(entry.id) if order.waits_at_desk)
    if entry.stop_loss is not None and all(order.stop_price is None for order in waiting):
        _tell_unguarded(entry, left, ledger)
    for order in waiting:
        if order.quantity != left:
            with ledger.journalled() as journal:
                change_quantity(journal, order, left)
    bid = _fresh_bid(entry.symbol, context)
    due = next((order for order in _stops_first(waiting) if _is_due(order, bid)), None)
    if due is not None:
        _exit(ledger.order(due.id), left, context, broker, now)


def _tell_unguarded(entry: Order, left: Decimal, ledger: Ledger) -> None:
    kind = "stop_loss_missing"
    if any(record.kind == kind for record in ledger.audit(entry.ticket_id)):
        return
    ledger.note(kind, account=entry.account, ticket_id=entry.ticket_id, order=entry.id, quantity=format(left, "f"))
    _LOGGER.error("%s %s of entry %s are held without a stop-loss", f"{left:f}", entry.symbol, entry.id)


def _fresh_bid(symbol: str, context: OrderContext) -> Decimal:
    quote, oldest = usable_quote(context.market, symbol), context.limits.quote_max_age_seconds
    age = (context.market.now(symbol) - quote.time).total_seconds()
    if age > oldest:
        raise VenueUnavailable(
            f"The price of {symbol} is {age:.0f} s old and {oldest} s is the most: no exit is carried out on it."
        )
    return quote.taking("sell")


def _exit(leg: Order, quantity: Decimal, context: OrderContext, broker: Broker, now: datetime) -> None:
    ledger = context.ledger
    if leg.reason and now - leg.updated_at < _RETRY_AFTER:
        return
    standing = ledger.standing_state(leg.account)
    if standing.state == "halted":
        _wait(ledger, leg, f"It is due and not sent: trading is halted ({standing.reason}).")
        return
    with ledger.journalled() as journal:
        begin_exit(journal, leg, quantity)
    try:
        seen = broker.place(ApprovedTicket(_ticket(ledger.ticket(leg.ticket_id), leg, quantity)))
    except OrderRejected as error:
        _wait(ledger, ledger.order(leg.id), f"It is due and was refused: {error}")
    except OutcomeUnknown as error:
        ledger.record_unsettled(leg.id, "unknown", str(error))
    else:
        ledger.record_venue_order(leg.id, seen, broker.name)


def _ticket(entry: OrderTicket, leg: Order, quantity: Decimal) -> OrderTicket:
    """The sale that the person approved together with the entry, at the market."""
    return replace(
        entry,
        side="sell",
        order_type="market",
        quantity=quantity,
        limit_price=None,
        stop_price=None,
        stop_loss=None,
        take_profit=None,
        reduce_only=True,
        time_in_force="IOC",
        good_till=None,
        client_order_id=leg.id,
    )


def _left(entry: Order, ledger: Ledger) -> Decimal:
    """What of an entry is still held and unguarded by anything else, base units."""
    account = ledger.account(entry.account)
    fills = tuple(reversed(ledger.fills(entry.account, symbol=entry.symbol, limit=_EVERY)))
    guarded = ledger.guarded_entries(entry.account, entry.symbol)
    exits = {order.id: each.id for each in guarded for order in ledger.exits_of(each.id)}
    held = account.balances.get(entry.symbol.partition("/")[0], Decimal(0))
    return guarded_quantities(guarded, exits, fills, held=held)[entry.id]


def _stops_first(exits: Iterable[Order]) -> list[Order]:
    return sorted(exits, key=lambda order: order.stop_price is None)


def _is_due(leg: Order, bid: Decimal) -> bool:
    if leg.stop_price is not None:
        return bid <= leg.stop_price
    return leg.limit_price is not None and bid >= leg.limit_price


def _release(ledger: Ledger, waiting: Iterable[Order], reason: str) -> None:
    with ledger.journalled() as journal:
        for order in waiting:
            release(journal, order, reason)


def _wait(ledger: Ledger, leg: Order, reason: str) -> None:
    with ledger.journalled() as journal:
        wait_again(journal, leg, reason)
