"""Risk review: which limits an order meets, and the largest quantity each of them lets pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from engines.confirmation.wording import lasting, money, percent, plain, price, quantity
from engines.domain.instruments import Instrument, Quote
from engines.domain.orders import Account, LimitCheck, OrderIntent, RiskVerdict
from engines.errors import InvalidRequest

# A venue's clock may run ahead of ours by this much before its quote is called one from the future.
_CLOCK_SKEW: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class RiskLimits:
    """What an account may do, loaded once and named by version in every ticket; amounts in quote units.

    Attributes:
        max_order_notional: of one order.
        max_order_fraction: of one order, as a fraction of equity; None for no limit.
        max_account_exposure: value of all holdings and open buys together, the new order included.
        max_open_orders: resting or unclear orders, protective ones not counted.
        price_collar_percent: how far a limit price may lie beyond the middle price on the side that pays more or
            receives less.
        resting_collar_percent: how far a price that waits for the market may lie from it, a stop price always.
        quote_max_age_seconds: older quotes decide nothing.
        slippage_percent: what a market or stop buy sets aside above its price, so the balance covers it.
        allow_list: symbols that may be traded; empty for all that the market lists.
    """

    version: str
    max_order_notional: Decimal
    max_account_exposure: Decimal
    max_order_fraction: Decimal | None = None
    max_open_orders: int = 20
    price_collar_percent: Decimal = Decimal(10)
    resting_collar_percent: Decimal = Decimal(50)
    quote_max_age_seconds: int = 60
    slippage_percent: Decimal = Decimal("0.1")
    allow_list: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Situation:
    """What an order is held against: account, market and rules at one instant.

    Attributes:
        equity: cash and holdings at the market's prices, quote units.
        exposure: value of all holdings and open buys, quote units.
        open_orders: resting or unclear orders of the account.
        now: the market's time.
    """

    account: Account
    instrument: Instrument
    quote: Quote
    equity: Decimal
    exposure: Decimal
    open_orders: int
    now: datetime


@dataclass(frozen=True, slots=True)
class _Finding:
    """One limit held against an order; `most` is the largest quantity it lets pass, None for any."""

    name: str
    limit: str
    value: str
    most: Decimal | None
    message: str
    used: Decimal | None = None


_Check = Callable[[OrderIntent, Situation, RiskLimits], _Finding]


def default_limits() -> RiskLimits:
    """The limits of a fresh paper account of 100,000 quote units."""
    return RiskLimits("1", max_order_notional=Decimal(10_000), max_account_exposure=Decimal(100_000))


def review(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> RiskVerdict:
    """Decide whether an order may become a ticket.

    Checks run in the order of `CHECKS` and the first denial stops. Nothing is read but the arguments,
    so the same arguments give the same verdict. An order over a limit is denied, never quietly made
    smaller: `largest_passing` says what would pass.

    Args:
        intent: quantity in base units, on the lot; prices on the tick.

    Returns:
        The verdict with one `LimitCheck` for each check that ran; its quantity is 0 when denied.

    Raises:
        InvalidRequest: the order is below the market's minimum.
    """
    require_minimum(intent.quantity, situation.instrument, order_price(intent, situation.quote))
    checks: list[LimitCheck] = []
    for check in CHECKS:
        found = check(intent, situation, limits)
        passed = found.most is None or intent.quantity <= found.most
        after = intent.quantity if passed else Decimal(0)
        message = "" if passed else found.message
        checks.append(LimitCheck(found.name, found.limit, found.value, intent.quantity, after, message, found.used))
        if not passed:
            return RiskVerdict("denied", Decimal(0), tuple(checks))
    return RiskVerdict("approved", intent.quantity, tuple(checks))


def largest_passing(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> Decimal | None:
    """The largest quantity, at most the one asked for, that all checks let pass; None when none does.

    In base units, on the lot and not below the market's minimum.
    """
    instrument = situation.instrument
    caps = [found.most for check in CHECKS if (found := check(intent, situation, limits)).most is not None]
    most = instrument.round_quantity(max(Decimal(0), min([intent.quantity, *caps])))
    enough = most >= instrument.min_quantity and most * order_price(intent, situation.quote) >= instrument.min_notional
    return most if enough and most > 0 else None


def order_price(intent: OrderIntent, quote: Quote) -> Decimal:
    """The price an order is valued at: its own, else the one a market order meets now."""
    return intent.limit_price or intent.stop_price or quote.taking(intent.side)


def reserve_price(intent: OrderIntent, quote: Quote, limits: RiskLimits) -> Decimal:
    """The price that an order's balance is set aside at: above its own for a buy that may slip."""
    value = order_price(intent, quote)
    return value if intent.order_type == "limit" else value * (1 + limits.slippage_percent / 100)


def require_minimum(wanted: Decimal, instrument: Instrument, value: Decimal) -> None:
    """Refuse a quantity in base units that the market does not take at the price `value`.

    Raises:
        InvalidRequest: it is too small; the message names the least.
    """
    least = minimum_quantity(instrument, value)
    if wanted < least:
        smallest = quantity(least, instrument)
        raise InvalidRequest(
            f"{quantity(wanted, instrument)} is below this market's minimum of {smallest} "
            f"(about {least * value:,.2f} {instrument.quote}).",
            remedy=f"Order at least {smallest}.",
        )


def minimum_quantity(instrument: Instrument, value: Decimal) -> Decimal:
    """The smallest order at this price, in base units: the market's least quantity and least notional both hold."""
    lots = -(-instrument.min_notional / value // instrument.lot_size)
    return max(instrument.min_quantity, lots * instrument.lot_size)


def _allow_list(intent: OrderIntent, _: Situation, limits: RiskLimits) -> _Finding:
    listed = not limits.allow_list or intent.symbol in limits.allow_list
    allowed = ", ".join(sorted(limits.allow_list)) or "all symbols"
    message = f"{intent.symbol} is not on this account's list ({allowed}; {_named(limits)})."
    return _Finding("allow_list", allowed, intent.symbol, None if listed else Decimal(0), message)


def _quote_age(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> _Finding:
    age = situation.now - situation.quote.time
    limit, value = f"{limits.quote_max_age_seconds} s", lasting(age)
    usable = -_CLOCK_SKEW <= age <= timedelta(seconds=limits.quote_max_age_seconds)
    told = f"is {value} old" if age >= timedelta(0) else "lies in the future"
    message = f"The last price of {intent.symbol} {told} and the limit is {limit} ({_named(limits)})."
    return _Finding("quote_age", limit, value, None if usable else Decimal(0), message)


def _price_collar(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> _Finding:
    own = intent.limit_price or intent.stop_price
    middle = situation.quote.mid
    if own is None:
        return _Finding("price_collar", percent(limits.price_collar_percent), "0 %", None, "")
    distance = (own - middle) / middle * 100
    # A limit order beyond the market is taken at once, at a worse price; a stop on that side waits for the market.
    at_once = intent.order_type == "limit" and (distance > 0) == (intent.side == "buy")
    limit = limits.price_collar_percent if at_once else limits.resting_collar_percent
    message = (
        f"The price {price(own, situation.instrument)} is {percent(abs(distance))} from the market's "
        f"{price(middle, situation.instrument)} and the limit is {percent(limit)} ({_named(limits)})."
    )
    within = abs(distance) <= limit
    return _Finding(
        "price_collar",
        percent(limit),
        percent(abs(distance)),
        None if within else Decimal(0),
        message,
        abs(distance) / limit * 100,
    )


def _reduce_only(intent: OrderIntent, situation: Situation, _: RiskLimits) -> _Finding:
    held = _held(situation)
    value = quantity(intent.quantity, situation.instrument)
    if not intent.reduce_only:
        return _Finding("reduce_only", "no", value, None, "")
    most = held if intent.side == "sell" else Decimal(0)
    message = f"This order may only reduce a holding, and you hold {quantity(held, situation.instrument)}."
    return _Finding("reduce_only", quantity(held, situation.instrument), value, most, message)


def _order_notional(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> _Finding:
    return _notional_cap("order_notional", limits.max_order_notional, "limit per order", intent, situation, limits)


def _order_fraction(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> _Finding:
    if limits.max_order_fraction is None:
        return _Finding("order_fraction", "no limit", "", None, "")
    cap = limits.max_order_fraction * situation.equity
    told = f"limit of {percent(limits.max_order_fraction * 100)} of equity per order"
    return _notional_cap("order_fraction", cap, told, intent, situation, limits)


def _notional_cap(
    name: str, cap: Decimal, told: str, intent: OrderIntent, situation: Situation, limits: RiskLimits
) -> _Finding:
    value = order_price(intent, situation.quote)
    notional, currency = intent.quantity * value, situation.instrument.quote
    message = (
        f"Not possible: {quantity(intent.quantity, situation.instrument)} is about {money(notional, currency)} and "
        f"this account's {told} is {money(cap, currency)} ({_named(limits)})."
    )
    used = notional / cap * 100 if cap > 0 else None
    return _Finding(name, money(cap, currency), money(notional, currency), cap / value, message, used)


def _account_exposure(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> _Finding:
    cap, currency = limits.max_account_exposure, situation.instrument.quote
    value = order_price(intent, situation.quote)
    added = intent.quantity * value if intent.side == "buy" else Decimal(0)
    total = situation.exposure + added
    message = (
        f"Not possible: with this order the account would hold about {money(total, currency)} and "
        f"its limit is {money(cap, currency)} ({_named(limits)})."
    )
    most = (cap - situation.exposure) / value if intent.side == "buy" else None
    used = total / cap * 100 if cap > 0 else None
    return _Finding("account_exposure", money(cap, currency), money(total, currency), most, message, used)


def _open_orders(_: OrderIntent, situation: Situation, limits: RiskLimits) -> _Finding:
    room = situation.open_orders < limits.max_open_orders
    message = (
        f"There are {situation.open_orders} open orders and this account's limit is "
        f"{limits.max_open_orders} ({_named(limits)}). Cancel one first."
    )
    used = Decimal(situation.open_orders + 1) / limits.max_open_orders * 100 if limits.max_open_orders else None
    value = str(situation.open_orders + 1)
    return _Finding("open_orders", str(limits.max_open_orders), value, None if room else Decimal(0), message, used)


def _balance(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> _Finding:
    instrument = situation.instrument
    if intent.side == "sell":
        free = situation.account.free(instrument.base)
        reserved = situation.account.reserved.get(instrument.base, Decimal(0))
        waiting = f", of which open orders need {plain(reserved)}" if reserved else ""
        held = f"You hold {quantity(_held(situation), instrument)}{waiting}"
        message = f"{held}; selling {quantity(intent.quantity, instrument)} is not possible on a spot account."
        return _Finding("balance", quantity(free, instrument), quantity(intent.quantity, instrument), free, message)
    free = situation.account.free(instrument.quote)
    each = reserve_price(intent, situation.quote, limits) * (1 + instrument.taker_fee)
    cost = intent.quantity * each
    message = (
        f"Not possible: {quantity(intent.quantity, instrument)} needs about {money(cost, instrument.quote)} with fees "
        f"and {money(free, instrument.quote)} is free."
    )
    used = cost / free * 100 if free > 0 else None
    return _Finding("balance", money(free, instrument.quote), money(cost, instrument.quote), free / each, message, used)


def _held(situation: Situation) -> Decimal:
    return situation.account.balances.get(situation.instrument.base, Decimal(0))


def _named(limits: RiskLimits) -> str:
    return f"limits v{limits.version.removeprefix('v')}"


CHECKS: Final[tuple[_Check, ...]] = (
    _allow_list,
    _quote_age,
    _price_collar,
    _reduce_only,
    _order_notional,
    _order_fraction,
    _account_exposure,
    _open_orders,
    _balance,
)
