"""How long an order may stay open: what was asked for, and the desk taking back what is over.

The venues are told `GTC` for an order that is good for the day or till a date: the desk cancels it, which works only
while it runs. What is over while it is down is cancelled in the first round after.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from engines.domain.orders import Order, OrderIntent, TimeInForce
from engines.errors import InvalidRequest, QuantumTraderError, VenueUnavailable
from engines.execution.broker import Broker
from engines.execution.context import OrderContext

_EVERY: Final = 1_000_000
_AT_ONCE: Final[frozenset[TimeInForce]] = frozenset({"IOC", "FOK"})


def with_validity(intent: OrderIntent, now: datetime) -> OrderIntent:
    """An intent that says how long it may stay open, and till when the desk leaves it open.

    `DAY` ends with the day in UTC.

    Raises:
        InvalidRequest: the order's type cannot have it, the time is over, or it is said twice.
    """
    market = intent.order_type == "market"
    force: TimeInForce = intent.time_in_force or ("GTD" if intent.good_till else "IOC" if market else "GTC")
    if force not in {"GTD", "DAY"} and intent.good_till is not None:
        raise InvalidRequest(f"An order that is {force} has no date.", remedy="Leave out one of the two.")
    if market and force not in _AT_ONCE:
        raise InvalidRequest(f"A market order is carried out at once and cannot be {force}.", remedy="Leave it out.")
    if intent.order_type == "stop" and force in _AT_ONCE:
        raise InvalidRequest(f"A stop order waits for its price and cannot be {force}.", remedy="Use GTC, DAY or GTD.")
    return replace(intent, time_in_force=force, good_till=_end(intent, force, now))


def expire_orders(context: OrderContext, broker: Broker, now: datetime) -> tuple[Order, ...]:
    """Cancel entries that are open longer than they were good for; what filled before stays.

    One step of the watcher; doing it again is harmless.

    Returns:
        The orders that changed.

    Raises:
        VenueUnavailable: it is not known of some whether they were cancelled; the others are done.
    """
    ledger = context.ledger
    changed: list[Order] = []
    failures: list[QuantumTraderError] = []
    for order in ledger.orders(status="open", limit=_EVERY, within=context.within):
        if order.good_till is None or order.good_till > now or order.status not in {"accepted", "partially_filled"}:
            continue
        try:
            seen = broker.cancel(order.id, order.symbol)
            if seen.status == "cancelled":
                seen = replace(seen, reason=f"It was good till {order.good_till:%Y-%m-%d %H:%M:%S} UTC.")
            after = ledger.record_venue_order(order.id, seen, broker.name)
        except QuantumTraderError as error:
            # One that its venue lost, or that moved on meanwhile, keeps no other from ending.
            failures.append(error)
            continue
        changed += [after] if after != order else []
    if failures:
        raise VenueUnavailable(f"An order that is over could not be cancelled: {failures[0].message}")
    return tuple(changed)


def _end(intent: OrderIntent, force: TimeInForce, now: datetime) -> datetime | None:
    if force == "DAY":
        return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    if force != "GTD":
        return None
    if intent.good_till is None:
        raise InvalidRequest("An order that is good till a date needs the date.", remedy="Give the time in UTC.")
    if intent.good_till <= now:
        raise InvalidRequest(
            f"It would be good till {intent.good_till:%Y-%m-%d %H:%M} UTC, which is over.", remedy="Give a later time."
        )
    return intent.good_till
