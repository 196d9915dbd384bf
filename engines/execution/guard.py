"""Exits that no venue holds: the desk watches their prices and sells when one is reached, as long as it runs.

A stop-loss is due when the bid is at its price or below, a take-profit when the bid is at its price or above; both
then sell at the market what is left of their entry. What the price did while the desk was down is not made up for.

An exit that ended before everything was sold gets a successor, here and at the venue, unless a person took it back:
then the desk stands down and says so. An exit that is due while its entry is still open first ends the entry: only
what is proven to be held, and to be guarded by no exit of the venue, is sold.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from engines.domain.orders import OPEN_ORDER_STATUSES, Order, OrderStatus, OrderTicket
from engines.errors import NotFound, OrderRejected, OutcomeUnknown, QuantumTraderError, VenueUnavailable
from engines.execution.broker import ApprovedTicket, Broker
from engines.execution.context import OrderContext
from engines.execution.protection import bring_protective, is_undecided, let_go
from engines.execution.recover import look_up
from engines.execution.situation import usable_quote
from engines.execution.unprotected import DUE, HALTED, gap_of
from engines.ledger.guarding import arm, change_quantity, close, wait_again
from engines.ledger.ledger import Ledger

_LOGGER: Final = logging.getLogger(__name__)
_UNCLEAR: Final[frozenset[OrderStatus]] = frozenset({"submitting", "unknown", "needs_operator"})
# After a refusal the exit is tried again, but not in every round; what only waits is looked at in each.
_RETRY_AFTER: Final = timedelta(seconds=30)
_NOT_SENT: Final = f"{DUE}not sent: "


def guard_exits(context: OrderContext, broker: Broker, now: datetime) -> tuple[Order, ...]:
    """Carry out the exits that the desk holds itself and that are due; settle those whose outcome is unclear.

    One step of the watcher. Each exit is journalled before it is sent, sent once under its own id, and looked up
    when the answer is unclear. While the account is halted nothing is sent, which the exit's reason says and
    `unprotected` lists: a halt denies everything but cancels. The person approved the exits with the entry: an
    arming that has expired since does not hold them back.

    Args:
        now: the wall's time, for how long ago an exit was refused.

    Returns:
        The exits that changed.

    Raises:
        QuantumTraderError: there was no price, or no answer, for some of them; the others are done.
    """
    ledger = context.ledger
    changed: list[Order] = []
    failures: list[QuantumTraderError] = []
    for entry in ledger.entries_to_guard(within=context.within):
        before = ledger.exits_of(entry.id)
        try:
            with ledger.claim(entry.ticket_id):
                _step(entry.id, context, broker, now)
        except QuantumTraderError as error:
            failures.append(error)
        _tell(ledger.order(entry.id), ledger, now)
        changed += [order for order in ledger.exits_of(entry.id) if order not in before]
    if failures:
        raise failures[0]
    return tuple(changed)


def _step(entry_id: str, context: OrderContext, broker: Broker, now: datetime) -> None:
    ledger = context.ledger
    for order in ledger.exits_of(entry_id):
        if order.held_by == "desk" and order.status in _UNCLEAR:
            look_up(order, ledger=ledger, broker=broker, clock=context.clock)
    entry, exits = ledger.order(entry_id), ledger.exits_of(entry_id)
    if is_undecided(entry, exits, ledger=ledger):
        _follow(exits, context.market.instrument(entry.symbol).round_quantity(ledger.left_to_guard(entry)), ledger)
        bring_protective(entry, ledger=ledger, broker=broker)
        exits = ledger.exits_of(entry_id)
        if is_undecided(entry, exits, ledger=ledger):
            # Trading is halted: who holds them is decided after it.
            return
    at_work = [order for order in exits if order.status in OPEN_ORDER_STATUSES and not order.waits_at_desk]
    if any(order.held_by == "venue" for order in at_work):
        let_go(exits, f"{broker.name} holds the exits.", ledger=ledger)
    elif not at_work:
        _watch(entry, context, broker, now)


def _watch(entry: Order, context: OrderContext, broker: Broker, now: datetime) -> None:
    """See to the exits of an entry none of which is at a venue now."""
    ledger, instrument = context.ledger, context.market.instrument(entry.symbol)
    left = instrument.round_quantity(ledger.left_to_guard(entry))
    if left < max(instrument.min_quantity, instrument.lot_size):
        _nothing_left(entry, ledger)
        return
    waiting = _armed(entry, left, ledger)
    if not waiting:
        return
    bid = _fresh_bid(entry.symbol, context)
    for order in waiting:
        if order.reason.startswith(DUE) and not _is_due(order, bid):
            # The price came back: why it was not sent holds no more.
            _wait(ledger, order, "")
    due = next((order for order in _stops_first(waiting) if _is_due(order, bid)), None)
    if due is not None:
        _carry_out(due, entry, context, broker, now)


def _armed(entry: Order, left: Decimal, ledger: Ledger) -> list[Order]:
    """The exits that wait, each for what is left of the entry; those that were missing are written first."""
    exits = ledger.exits_of(entry.id)
    kinds = {order.order_type for order in exits if order.waits_at_desk}
    wanted = {"stop": entry.stop_loss, "limit": entry.take_profit}
    if any(price is not None and kind not in kinds for kind, price in wanted.items()):
        with ledger.journalled() as journal:
            spent = arm(journal, entry, left)
        for order_id in spent:
            _LOGGER.error("no id is left for another exit in place of %s: a person has to sell what is held", order_id)
        exits = ledger.exits_of(entry.id)
    _follow(exits, left, ledger)
    return [order for order in ledger.exits_of(entry.id) if order.waits_at_desk]


def _follow(exits: Iterable[Order], left: Decimal, ledger: Ledger) -> None:
    """Let the exits that wait be for what is left."""
    for order in exits:
        if order.waits_at_desk and left and order.quantity != left:
            with ledger.journalled() as journal:
                change_quantity(journal, order, left)


def _nothing_left(entry: Order, ledger: Ledger) -> None:
    if entry.status in OPEN_ORDER_STATUSES:
        # More of it may fill.
        return
    let_go(ledger.exits_of(entry.id), "The holding it guarded was sold.", ledger=ledger)
    with ledger.journalled() as journal:
        close(journal, entry)


def _carry_out(leg: Order, entry: Order, context: OrderContext, broker: Broker, now: datetime) -> None:
    ledger = context.ledger
    was_refused = leg.reason and not leg.reason.startswith(_NOT_SENT)
    if was_refused and now - leg.updated_at < _RETRY_AFTER:
        return
    standing = ledger.standing_state(leg.account)
    if standing.state == "halted":
        _wait(ledger, leg, f"{_NOT_SENT}{HALTED} ({standing.reason}).")
    elif entry.status not in OPEN_ORDER_STATUSES:
        _exit(leg, context, broker)
    elif _end(entry, leg, ledger, broker):
        # More may have filled until its end, and the venue may have begun to hold the exits.
        bring_protective(ledger.order(entry.id), ledger=ledger, broker=broker, place=False)
        _step(entry.id, context, broker, now)


def _end(entry: Order, leg: Order, ledger: Ledger, broker: Broker) -> bool:
    """Take back what is still open of an entry whose exit is due; True once it is proven that no more can fill."""
    ledger.note_once(entry, "entry_taken_back", because=leg.id)
    try:
        seen = broker.cancel(entry.id, entry.symbol)
    except (NotFound, VenueUnavailable) as error:
        _wait(ledger, leg, f"{_NOT_SENT}it is not known whether the entry still fills ({error.message}).")
        return False
    if seen.status == "cancelled":
        seen = replace(seen, reason=f"The rest of it was taken back: its exit {leg.id} is due.")
    after = ledger.record_venue_order(entry.id, seen, broker.name)
    if after.status in OPEN_ORDER_STATUSES:
        _wait(ledger, leg, f"{_NOT_SENT}the venue has not ended the entry yet.")
        return False
    return True


def _exit(leg: Order, context: OrderContext, broker: Broker) -> None:
    ledger, instrument = context.ledger, context.market.instrument(leg.symbol)
    quantity = ledger.begin_exit(leg, lot=instrument.lot_size, least=instrument.min_quantity)
    if not quantity:
        return
    try:
        seen = broker.place(ApprovedTicket(_ticket(ledger.ticket(leg.ticket_id), leg, quantity)))
    except OrderRejected as error:
        _wait(ledger, ledger.order(leg.id), f"{DUE}was refused: {error}")
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


def _tell(entry: Order, ledger: Ledger, now: datetime) -> None:
    """Say once of each cause that an entry is held without the stop-loss that was approved with it."""
    gap = gap_of(entry, ledger, now)
    if gap is None or gap.cause == "passing":
        return
    subject = entry if gap.exit_id is None else ledger.order(gap.exit_id)
    if ledger.note_once(subject, f"stop_loss_{gap.cause}", quantity=format(gap.quantity, "f"), why=gap.why):
        told = (f"{gap.quantity:f}", entry.symbol, entry.id, gap.why)
        _LOGGER.error("%s %s of entry %s are held without a stop-loss at work: %s", *told)


def _fresh_bid(symbol: str, context: OrderContext) -> Decimal:
    quote, oldest = usable_quote(context.market, symbol), context.limits.quote_max_age_seconds
    age = (context.market.now(symbol) - quote.time).total_seconds()
    if age > oldest:
        raise VenueUnavailable(
            f"The price of {symbol} is {age:.0f} s old and {oldest} s is the most: no exit is carried out on it."
        )
    return quote.taking("sell")


def _stops_first(exits: Iterable[Order]) -> list[Order]:
    return sorted(exits, key=lambda order: order.stop_price is None)


def _is_due(leg: Order, bid: Decimal) -> bool:
    if leg.stop_price is not None:
        return bid <= leg.stop_price
    return leg.limit_price is not None and bid >= leg.limit_price


def _wait(ledger: Ledger, leg: Order, reason: str) -> None:
    if leg.waits_at_desk and leg.reason == reason:
        return
    with ledger.journalled() as journal:
        wait_again(journal, leg, reason)
