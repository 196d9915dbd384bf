"""Risk review: which limits an order meets, and the largest quantity each of them lets pass."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import Final

from engines.confirmation.risk_caps import CAPS
from engines.confirmation.risk_conduct import CONDUCT_RULES, LOSS_RULES, breaches, look_alikes
from engines.confirmation.risk_limits import RiskLimits, default_limits
from engines.confirmation.risk_market import MARKET_RULES
from engines.confirmation.risk_situation import Check, Situation, order_price, reserve_price, time_in_force
from engines.confirmation.wording import quantity
from engines.domain.instruments import Instrument
from engines.domain.orders import LimitCheck, OrderIntent, RiskVerdict
from engines.errors import InvalidRequest

__all__ = [
    "CHECKS",
    "LOSS_RULES",
    "RiskLimits",
    "Situation",
    "breaches",
    "default_limits",
    "largest_passing",
    "look_alikes",
    "minimum_quantity",
    "order_price",
    "require_minimum",
    "reserve_price",
    "review",
    "time_in_force",
]

# What says no for good comes first, then what a smaller order passes; the account's own fate comes last.
CHECKS: Final[tuple[Check, ...]] = (*MARKET_RULES, *CAPS, *CONDUCT_RULES)


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
    lots = (instrument.min_notional / value / instrument.lot_size).to_integral_value(ROUND_CEILING)
    return max(instrument.min_quantity, lots * instrument.lot_size)
