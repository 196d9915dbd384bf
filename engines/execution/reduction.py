"""A smaller order offered instead of a denied one: its ticket says what was cut, and by which limit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from engines.domain.orders import LimitCheck, OrderIntent, RiskVerdict
from engines.execution.context import OrderContext

# A person who comes back later asks for a new order, not for the rest of an old one.
_OFFERED_FOR: Final = timedelta(minutes=10)


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
