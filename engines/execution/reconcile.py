"""Comparing the ledger with a venue: orders, fills and balances; at start, on reconnect, and now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from engines.domain.orders import Account, Fill, Order, OrderStatus
from engines.domain.timeframe import to_ms
from engines.errors import NotFound
from engines.execution.broker import Balance, Broker, OpenOrder, VenueOrder, VenueOrderStatus
from engines.execution.context import OrderContext
from engines.execution.recover import look_up
from engines.execution.sync import sync_fills
from engines.ledger.book import currencies
from engines.ledger.ledger import Ledger
from engines.ledger.reconciliation import Difference, Reconciliation, Trigger

# A venue's own sums may be off by roundings; a whole missed fill is far beyond this.
TOLERANCE: Final = Decimal("0.000001")
FEW: Final = 5
_LEAST: Final = Decimal("0.00000001")
# A fill may be in the balance before it is in the list of trades: a difference counts when it stays.
_PAUSES: Final = (0.5, 1.0, 2.0)
# Fills are asked for from so long before both last agreed: a venue may list them late.
_OVERLAP: Final = timedelta(minutes=10)
_IN_FLIGHT: Final[frozenset[OrderStatus]] = frozenset({"submitting", "unknown"})
_AS_AT_VENUE: Final[Mapping[OrderStatus, VenueOrderStatus]] = {
    "accepted": "accepted",
    "partially_filled": "partially_filled",
    "filled": "filled",
    "cancelled": "cancelled",
}
_ZERO: Final = Decimal(0)
_EVERY: Final = 1_000_000


def reconcile(
    context: OrderContext,
    broker: Broker,
    account: str,
    *,
    trigger: Trigger = "request",
    few: int = FEW,
    sleep: Callable[[float], None] = time.sleep,
) -> Reconciliation:
    """Bring the ledger to where the venue is, and compare what both say the account has.

    Unclear orders are looked up, resting ones synchronised, missed fills taken over. Open orders that are none of
    ours become the account's external orders, which count as exposure and are never cancelled. The first time, what
    the venue holds is taken over as what the account began with. A balance that stays different beyond `TOLERANCE`
    halts the account, with the numbers. Repeating it changes nothing.

    Args:
        trigger: what it is done for; `routine` asks for the list of fills only where the balances differ.
        few: as `sync_resting`.
        sleep: how to wait between readings of a balance that does not match.

    Raises:
        VenueUnavailable: the venue did not answer; nothing was compared, and what was read before is recorded.
    """
    ledger = context.ledger
    before = {order.id: order for order in ledger.orders(account, status="open", limit=_EVERY)}
    _settle(context, broker, before.values())
    open_orders = broker.open_orders()
    fills, foreign = ((), ()) if trigger == "routine" else _bring_fills(context, broker, account)
    sync_fills(ledger, broker, within=account, open_orders=open_orders)
    balances, differences = _read(context, broker, account)
    for seconds in _PAUSES:
        if all(each.tolerated for each in differences):
            break
        sleep(seconds)
        sync_resting(ledger, broker, account, few=few)
        balances, differences = _read(context, broker, account)
    if not all(each.tolerated for each in differences):
        # The last word before a halt: of an order that has ended only the list of fills tells what came late.
        late, foreign = _bring_fills(context, broker, account)
        fills = (*fills, *late)
        balances, differences = _read(context, broker, account)
    found = ledger.record_reconciliation(
        Reconciliation(
            account=account,
            venue=broker.name,
            time=context.clock.now(),
            trigger=trigger,
            orders=_changed(context, before, fills),
            fills=fills,
            balances=balances,
            externals=_externals(context, open_orders),
            external_fills=foreign,
            differences=differences,
            unsettled=_unsettled(context, account),
            movements=len(ledger.adjustments(account)),
        )
    )
    if not found.matches:
        reason = f"Ledger and {broker.name} differ: {found.told()}."
        ledger.change_state("halted", reason=reason, by="reconciliation", account=account)
    return found


def sync_resting(ledger: Ledger, broker: Broker, account: str, *, few: int = FEW) -> tuple[Order, ...]:
    """Synchronise resting orders as `sync_fills`: asked for one by one while they are few, else by the venue's list.

    Binance weighs the list of all open orders like twenty single questions; others weigh it like one.

    Args:
        few: this many at most are asked for one by one.
    """
    resting = ledger.orders(account, status="open", limit=few + 1)
    listed = broker.open_orders() if len(resting) > few else ()
    return sync_fills(ledger, broker, within=account, open_orders=listed)


def _settle(context: OrderContext, broker: Broker, orders: Iterable[Order]) -> None:
    """Look up what nobody knows the outcome of."""
    for order in orders:
        if order.status in _IN_FLIGHT or (order.status == "needs_operator" and order.venue_order_id is None):
            # Whoever is sending it right now holds the claim: wait, then look.
            with context.ledger.claim(order.ticket_id):
                look_up(context.ledger.order(order.id), ledger=context.ledger, broker=broker, clock=context.clock)
            context.unrecorded.discard(order.id)


def _changed(context: OrderContext, before: Mapping[str, Order], fills: Iterable[Fill]) -> tuple[Order, ...]:
    """The orders that were open or had a missed fill, where they are not any more as they were."""
    after = [context.ledger.order(order_id) for order_id in {*before, *(fill.order_id for fill in fills)}]
    return tuple(order for order in sorted(after, key=lambda order: order.id) if before.get(order.id) != order)


def _bring_fills(context: OrderContext, broker: Broker, account: str) -> tuple[tuple[Fill, ...], tuple[Fill, ...]]:
    """Our fills that the ledger lacked, recorded now, and those of orders that are none of ours."""
    ledger, since = context.ledger, _since(context, account)
    if since is None:
        return (), ()
    missed: list[Fill] = []
    foreign: list[Fill] = []
    for listed in broker.fills_on(ledger.traded_symbols(account), to_ms(since - _OVERLAP)).values():
        ours = ledger.known_orders({fill.order_id for fill in listed})
        foreign += [fill for fill in listed if fill.order_id not in ours]
        told: list[VenueOrder] = []
        for order in map(ledger.order, sorted(ours)):
            known = {fill.id for fill in order.fills}
            new = tuple(fill for fill in listed if fill.order_id == order.id and fill.id not in known)
            proven = _proven(order, new)
            if proven is not None:
                told.append(proven)
            elif new:
                _take_over(order, new, context, broker)
            missed += new
        # Many orders may have filled meanwhile: one wait for the disk is enough.
        ledger.record_venue_orders(told, broker.name)
    return tuple(missed), tuple(foreign)


def _since(context: OrderContext, account: str) -> datetime | None:
    """When ledger and venue were last known to agree; None before the account was taken over."""
    last, moved = context.ledger.reconciliation(account, matching=True), context.ledger.adjustments(account)
    if last is not None:
        return last.time
    return moved[0].time if moved else None


def _proven(order: Order, new: tuple[Fill, ...]) -> VenueOrder | None:
    """An order that the trades prove to be filled; the venue need not be asked about it."""
    total = sum((fill.quantity for fill in (*order.fills, *new)), _ZERO)
    if not new or order.venue_order_id is None or total != order.quantity:
        return None
    return VenueOrder(order.id, order.venue_order_id, "filled", order.quantity, total, new)


def _take_over(order: Order, new: Iterable[Fill], context: OrderContext, broker: Broker) -> None:
    seen = broker.find(order.id, order.symbol, since=order.created_at)
    if seen is not None:
        context.ledger.record_venue_order(order.id, seen, broker.name)
    after = context.ledger.order(order.id)
    lacking = tuple(fill for fill in new if fill.id not in {each.id for each in after.fills})
    status = _AS_AT_VENUE.get(after.status)
    if lacking and status is not None:
        # The venue lists a trade of ours that its look-up of the order leaves out: it happened all the same.
        told = VenueOrder(
            order.id, after.venue_order_id or "", status, after.quantity, after.filled, lacking, reason=after.reason
        )
        context.ledger.record_venue_order(order.id, told, broker.name)


def _externals(context: OrderContext, open_orders: Iterable[OpenOrder]) -> tuple[OpenOrder, ...]:
    """Open orders that are none of ours. Read after the venue was: what we send is in the ledger before it is there."""
    listed = tuple(open_orders)
    # An exit's id is its entry's with an ending, and an exit may rest before the ledger has it.
    entries = {each.client_order_id: each.client_order_id.rpartition("-")[0] for each in listed}
    ours = context.ledger.known_orders({*entries, *entries.values()} - {""})
    return tuple(
        each for each in listed if each.client_order_id not in ours and entries[each.client_order_id] not in ours
    )


def _unsettled(context: OrderContext, account: str) -> tuple[str, ...]:
    unclear = _IN_FLIGHT | {"needs_operator"}
    found = context.ledger.orders(account, status="open", limit=_EVERY)
    return tuple(order.id for order in found if order.status in unclear)


def _read(context: OrderContext, broker: Broker, account: str) -> tuple[dict[str, Balance], tuple[Difference, ...]]:
    ledger, balances = context.ledger, broker.balances()
    by_ledger = ledger.account(account)
    if not ledger.adjustments(account):
        ledger.take_over(account, _opening(context, balances, by_ledger), venue=broker.name)
        by_ledger = ledger.account(account)
    in_flight = {
        currency
        for order in ledger.orders(account, status="open", limit=_EVERY)
        if order.status in _IN_FLIGHT
        for currency in currencies(order.symbol)
    }
    return balances, tuple(
        _priced(context, by_ledger, each)
        for each in _differences(by_ledger.balances, balances)
        if each.currency not in in_flight
    )


def _opening(
    context: OrderContext, balances: Mapping[str, Balance], account: Account
) -> dict[str, tuple[Decimal, Decimal | None]]:
    """What a venue holds less what the ledger has, with prices; the account's own currency is always among it."""
    amounts = {name: held.total - account.balances.get(name, _ZERO) for name, held in balances.items()}
    amounts.setdefault(account.currency, _ZERO)
    return {
        name: (amount, _price(context, name, account.currency))
        for name, amount in amounts.items()
        if amount or name == account.currency
    }


def _differences(expected: Mapping[str, Decimal], found: Mapping[str, Balance]) -> list[Difference]:
    """The currencies that do not come to the same; one that the ledger never had is told and stops nothing."""
    differences = []
    for name in sorted({*expected, *found}):
        here, there = expected.get(name, _ZERO), found[name].total if name in found else _ZERO
        if here != there:
            small = abs(there - here) <= max(_LEAST, TOLERANCE * max(abs(here), abs(there)))
            differences.append(Difference(name, here, there, tolerated=small or name not in expected))
    return differences


def _priced(context: OrderContext, account: Account, difference: Difference) -> Difference:
    if difference.tolerated:
        return difference
    return replace(difference, price=_price(context, difference.currency, account.currency))


def _price(context: OrderContext, currency: str, quote: str) -> Decimal | None:
    """What one unit costs now; None for the account's own currency, and for one without a market."""
    if currency == quote:
        return None
    try:
        return context.market.quote(f"{currency}/{quote}").mark
    except NotFound:
        return None
