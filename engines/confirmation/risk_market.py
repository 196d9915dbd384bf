"""Rules about the market: may the symbol be traded, does the market take such an order, can its price be trusted."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from engines.confirmation.risk_limits import RiskLimits
from engines.confirmation.risk_situation import Check, Finding, Situation, only, share, time_in_force
from engines.confirmation.wording import lasting, percent, price
from engines.domain.instruments import CLOCK_SKEW
from engines.domain.orders import OrderIntent


def allow_list(intent: OrderIntent, _: Situation, limits: RiskLimits) -> Finding:
    """Only listed symbols, where there is a list."""
    listed = not limits.allow_list or intent.symbol in limits.allow_list
    allowed = ", ".join(sorted(limits.allow_list)) or "all symbols"
    message = f"{intent.symbol} is not on this account's list ({allowed}; {limits.named})."
    return Finding("allow_list", allowed, intent.symbol, only(listed), message)


def restricted_list(intent: OrderIntent, _: Situation, limits: RiskLimits) -> Finding:
    """No restricted symbol."""
    restricted = ", ".join(sorted(limits.restricted)) or "none"
    message = f"{intent.symbol} is on this account's restricted list ({limits.named})."
    return Finding("restricted", restricted, intent.symbol, only(intent.symbol not in limits.restricted), message)


def trading(intent: OrderIntent, situation: Situation, _: RiskLimits) -> Finding:
    """A market that takes orders."""
    is_trading = situation.instrument.is_trading
    message = f"{intent.symbol} is listed and does not trade now: the market has halted or is delisting it."
    return Finding("trading", "trading", "trading" if is_trading else "inactive", only(is_trading), message)


def rules_age(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> Finding:
    """Trading rules that were read lately."""
    listed_at = situation.instrument.listed_at
    limit = f"{limits.rules_max_age_hours} h"
    if listed_at is None:
        return Finding("rules_age", limit, "fixed", None)
    age = situation.now - listed_at
    message = (
        f"The trading rules of {intent.symbol} were read {lasting(age)} ago and the limit is {limit} ({limits.named})."
    )
    return Finding("rules_age", limit, lasting(age), only(age <= timedelta(hours=limits.rules_max_age_hours)), message)


def order_type(intent: OrderIntent, situation: Situation, _: RiskLimits) -> Finding:
    """A type and a time in force that the market takes: neither is turned into another."""
    instrument, force = situation.instrument, time_in_force(intent)
    supported = instrument.takes(intent.order_type, intent.side, force)
    wanted = f"{intent.order_type} {force}"
    message = f"The market takes no {wanted} order on {intent.symbol} (it takes {instrument.taken})."
    return Finding("order_type", instrument.taken, wanted, only(supported), message)


def quote_age(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> Finding:
    """A quote that is neither old nor from the future."""
    age = situation.now - situation.quote.time
    limit, value = f"{limits.quote_max_age_seconds} s", lasting(age)
    usable = -CLOCK_SKEW <= age <= timedelta(seconds=limits.quote_max_age_seconds)
    told = f"is {value} old" if age >= timedelta(0) else "lies in the future"
    message = f"The last price of {intent.symbol} {told} and the limit is {limit} ({limits.named})."
    return Finding("quote_age", limit, value, only(usable), message)


def price_gap(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> Finding:
    """A last trade near the middle of bid and ask: far from it, one of the two is wrong."""
    quote, cap = situation.quote, limits.price_gap_percent
    usable = quote.last.is_finite() and quote.last > 0
    gap = abs(quote.last - quote.mid) / quote.mid * 100 if usable else Decimal(100)
    message = (
        f"The last trade of {intent.symbol}, {price(quote.last, situation.instrument) if usable else quote.last}, is "
        f"{percent(gap)} from the middle of bid and ask, {price(quote.mid, situation.instrument)}, and the limit is "
        f"{percent(cap)} ({limits.named})."
    )
    return Finding("price_gap", percent(cap), percent(gap), only(usable and gap <= cap), message, share(gap, cap))


def price_collar(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> Finding:
    """A price near the market's: near where it hurts, less near where it waits."""
    own, middle = intent.limit_price or intent.stop_price, situation.quote.mid
    if own is None:
        return Finding("price_collar", percent(limits.price_collar_percent), "0 %", None)
    distance = (own - middle) / middle * 100
    # A limit order beyond the market is taken at once, at a worse price; a stop on that side waits for the market.
    at_once = intent.order_type == "limit" and (distance > 0) == (intent.side == "buy")
    limit, far = limits.price_collar_percent if at_once else limits.resting_collar_percent, abs(distance)
    message = (
        f"The price {price(own, situation.instrument)} is {percent(far)} from the market's "
        f"{price(middle, situation.instrument)} and the limit is {percent(limit)} ({limits.named})."
    )
    return Finding("price_collar", percent(limit), percent(far), only(far <= limit), message, share(far, limit))


MARKET_RULES: Final[tuple[Check, ...]] = (
    allow_list,
    restricted_list,
    trading,
    rules_age,
    order_type,
    quote_age,
    price_gap,
    price_collar,
)
