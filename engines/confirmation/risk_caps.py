"""Rules about how much: the instrument's sizes, the account's caps, and what it can pay or deliver."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from engines.confirmation.risk_limits import RiskLimits
from engines.confirmation.risk_situation import (
    NOTHING,
    Check,
    Finding,
    Situation,
    only,
    order_price,
    reserve_price,
    share,
)
from engines.confirmation.wording import money, percent, plain, quantity
from engines.domain.orders import OrderIntent


def reduce_only(intent: OrderIntent, situation: Situation, _: RiskLimits) -> Finding:
    """A reducing order neither opens nor turns a position."""
    value, held = quantity(intent.quantity, situation.instrument), quantity(situation.held, situation.instrument)
    if not intent.reduce_only:
        return Finding("reduce_only", "no", value, None)
    most = situation.held if intent.side == "sell" else NOTHING
    message = f"This order may only reduce a holding, and you hold {held}."
    return Finding("reduce_only", held, value, most, message)


def largest_size(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> Finding:
    """No more than the market takes in one order, in base units and in value; a market order may slip."""
    instrument = situation.instrument
    each = reserve_price(intent, situation.quote, limits)
    caps = [(cap, told) for cap, told in (
        (instrument.max_quantity, f"{quantity(instrument.max_quantity or NOTHING, instrument)}"),
        (instrument.max_notional and instrument.max_notional / each,
         money(instrument.max_notional or NOTHING, instrument.quote)),
    ) if cap is not None]  # fmt: skip
    value = quantity(intent.quantity, instrument)
    if not caps:
        return Finding("largest_size", "no limit", value, None)
    most, told = min(caps)
    message = (
        f"{value} (about {money(intent.quantity * each, instrument.quote)}) is above this market's maximum of {told}."
    )
    return Finding("largest_size", told, value, most, message, share(intent.quantity, most))


def order_notional(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> Finding:
    """The account's cap on one order."""
    return _notional_cap("order_notional", limits.max_order_notional, "limit per order", intent, situation, limits)


def order_fraction(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> Finding:
    """The account's cap on one order, as a fraction of equity."""
    if limits.max_order_fraction is None:
        notional = intent.quantity * order_price(intent, situation.quote)
        return Finding("order_fraction", "no limit", money(notional, situation.instrument.quote), None)
    cap = limits.max_order_fraction * situation.equity
    told = f"limit of {percent(limits.max_order_fraction * 100)} of equity per order"
    return _notional_cap("order_fraction", cap, told, intent, situation, limits)


def symbol_exposure(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> Finding:
    """The account's cap on one symbol: its holding and open buys, those of others and the new one included."""
    base, mark = situation.instrument.base, situation.mark or situation.quote.mid
    resting = situation.activity.resting if situation.activity else ()
    waiting = sum(
        (
            (order.quantity - order.filled) * (order.limit_price or order.stop_price or mark)
            for order in resting
            if order.symbol == intent.symbol and order.side == "buy"
        ),
        NOTHING,
    )
    waiting += situation.external.get(intent.symbol, NOTHING)
    present = max(situation.held, NOTHING) * mark + waiting
    told = f"in {base} with this order"
    return _growth_cap("symbol_exposure", limits.max_symbol_exposure, present, told, intent, situation, limits)


def account_exposure(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> Finding:
    """The account's cap on all holdings and open buys; where one of those has no value, nothing more is bought."""
    cap, told = limits.max_account_exposure, "with this order"
    if situation.unvalued and intent.side == "buy":
        waiting = ", ".join(situation.unvalued)
        message = (
            f"Not possible: what this account would hold cannot be told. Nothing gives a price for what others "
            f"ordered at the venue: {waiting}. Cancel it there, or buy when it is done."
        )
        return Finding("account_exposure", "a value", "not known", NOTHING, message)
    return _growth_cap("account_exposure", cap, situation.exposure, told, intent, situation, limits)


def day_notional(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> Finding:
    """The account's cap on what is bought in one UTC day; open buys of others may still fill today."""
    cap, currency = limits.max_day_notional, situation.instrument.quote
    value = order_price(intent, situation.quote)
    if situation.activity is None or intent.side == "sell":
        return Finding("day_notional", "no limit" if cap is None else money(cap, currency), "not counted", None)
    bought = situation.activity.bought_today + sum(situation.external.values(), NOTHING)
    total = bought + intent.quantity * value
    if cap is None:
        return Finding("day_notional", "no limit", money(total, currency), None)
    message = (
        f"Not possible: with this order the account would have bought about {money(total, currency)} today (UTC) and "
        f"its limit is {money(cap, currency)} a day ({limits.named})."
    )
    most = (cap - bought) / value
    return Finding("day_notional", money(cap, currency), money(total, currency), most, message, share(total, cap))


def open_orders(_: OrderIntent, situation: Situation, limits: RiskLimits) -> Finding:
    """The account's cap on orders that wait."""
    room = situation.open_orders < limits.max_open_orders
    message = (
        f"There are {situation.open_orders} open orders and this account's limit is "
        f"{limits.max_open_orders} ({limits.named}). Cancel one first."
    )
    used = share(Decimal(situation.open_orders + 1), Decimal(limits.max_open_orders))
    return Finding(
        "open_orders", str(limits.max_open_orders), str(situation.open_orders + 1), only(room), message, used
    )


def balance(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> Finding:
    """What is free of open and unclear orders covers it: cash with fees for a buy, the holding for a sell."""
    instrument = situation.instrument
    if intent.side == "sell":
        free = situation.account.free(instrument.base)
        reserved = situation.account.reserved.get(instrument.base, NOTHING)
        waiting = f", of which open orders need {plain(reserved)}" if reserved else ""
        held = f"You hold {quantity(situation.held, instrument)}{waiting}"
        message = f"{held}; selling {quantity(intent.quantity, instrument)} is not possible on a spot account."
        return Finding("balance", quantity(free, instrument), quantity(intent.quantity, instrument), free, message)
    free = situation.account.free(instrument.quote)
    each = reserve_price(intent, situation.quote, limits) * (1 + instrument.taker_fee)
    cost = intent.quantity * each
    message = (
        f"Not possible: {quantity(intent.quantity, instrument)} needs about {money(cost, instrument.quote)} with fees "
        f"and {money(free, instrument.quote)} is free."
    )
    told = money(cost, instrument.quote)
    return Finding("balance", money(free, instrument.quote), told, free / each, message, share(cost, free))


def _notional_cap(
    name: str, cap: Decimal, told: str, intent: OrderIntent, situation: Situation, limits: RiskLimits
) -> Finding:
    value = order_price(intent, situation.quote)
    notional, currency = intent.quantity * value, situation.instrument.quote
    message = (
        f"Not possible: {quantity(intent.quantity, situation.instrument)} is about {money(notional, currency)} and "
        f"this account's {told} is {money(cap, currency)} ({limits.named})."
    )
    return Finding(name, money(cap, currency), money(notional, currency), cap / value, message, share(notional, cap))


def _growth_cap(
    name: str,
    cap: Decimal | None,
    present: Decimal,
    told: str,
    intent: OrderIntent,
    situation: Situation,
    limits: RiskLimits,
) -> Finding:
    """A cap on what is held, which a sell always passes."""
    currency, value = situation.instrument.quote, order_price(intent, situation.quote)
    if cap is None:
        return Finding(name, "no limit", money(present, currency), None)
    is_buy = intent.side == "buy"
    total = present + (intent.quantity * value if is_buy else NOTHING)
    message = (
        f"Not possible: {told} the account would hold about {money(total, currency)} and "
        f"its limit is {money(cap, currency)} ({limits.named})."
    )
    most = (cap - present) / value if is_buy else None
    return Finding(name, money(cap, currency), money(total, currency), most, message, share(total, cap))


CAPS: Final[tuple[Check, ...]] = (
    reduce_only,
    largest_size,
    order_notional,
    order_fraction,
    symbol_exposure,
    account_exposure,
    day_notional,
    open_orders,
    balance,
)
