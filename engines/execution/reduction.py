"""A smaller order offered instead of a denied one: its ticket says what was cut, and by which limit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_DOWN, Context, Decimal
from typing import Any, Final

from engines.confirmation.risk import RiskLimits, Situation, largest_passing
from engines.domain.orders import LimitCheck, OrderIntent, RiskVerdict
from engines.execution.context import OrderContext

# A person who comes back later asks for a new order, not for the rest of an old one.
_OFFERED_FOR: Final = timedelta(minutes=10)
_PRICE_ROOM: Final = Decimal("0.005")
# What is rounded for the room's sake is rounded to a quantity that one can read.
_READABLE: Final = Context(prec=3, rounding=ROUND_DOWN)


def largest_offer(intent: OrderIntent, situation: Situation, limits: RiskLimits) -> Decimal | None:
    """The largest order that passes, base units; one at the market still does when the price rises by 0.5 %.

    Without that room the offer would be denied as soon as the price ticks.
    """
    largest = largest_passing(intent, situation, limits)
    if largest is None or intent.order_type != "market":
        return largest
    at_rest = largest_passing(intent, _risen(situation), limits)
    if at_rest is None or at_rest == largest:
        # A limit in base units, such as what is held, knows no price.
        return largest
    readable = situation.instrument.round_quantity(_READABLE.plus(at_rest))
    return largest_passing(replace(intent, quantity=readable), situation, limits) or at_rest


def _risen(situation: Situation) -> Situation:
    rise, now, mark = 1 + _PRICE_ROOM, situation.quote, situation.mark
    quote = replace(now, bid=now.bid * rise, ask=now.ask * rise, last=now.last * rise)
    return replace(situation, quote=quote, mark=mark and mark * rise)


def offer(denial: LimitCheck, largest: Decimal | None) -> dict[str, Any]:
    """What a denial keeps on record, so that the smaller order is known again when somebody asks for it."""
    if largest is None:
        return {}
    return {"largest": format(largest, "f"), "check": denial.name, "limit": denial.limit, "value": denial.value}


def as_reduced(intent: OrderIntent, verdict: RiskVerdict, context: OrderContext) -> RiskVerdict:
    """The verdict on a smaller order that was offered for a denied one: `reduced`, with the limit that cut it.

    It is a ticket like any other and waits for its person; one that nobody offered keeps its verdict.
    """
    denied = context.ledger.late_audit("intent_denied", intent.account)
    if denied is None or context.clock.now() - denied.time > _OFFERED_FOR:
        return verdict
    asked = denied.data["intent"]
    is_offer = (asked.get("symbol"), asked.get("side")) == (intent.symbol, intent.side)
    if not is_offer or "largest" not in asked or Decimal(asked["largest"]) != intent.quantity:
        return verdict
    told = {"limit": asked["limit"], "value": asked["value"], "message": denied.data["reason"]}
    checks = tuple(
        replace(check, before=Decimal(asked["quantity"]), **told) if check.name == asked["check"] else check
        for check in verdict.checks
    )
    return RiskVerdict("reduced", intent.quantity, checks)
