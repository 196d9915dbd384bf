"""What a program asks for, as an intent of its account: unchecked, in a thread of its own."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from agents.runtime import Desk
from api.schemas.proposals import ProposalRequest
from engines.domain.orders import OrderIntent
from engines.execution.replacing import change_of

_AMOUNTS = ("quantity", "limit_price", "stop_price", "stop_loss", "take_profit")


def proposed_intent(body: ProposalRequest, desk: Desk, owner: str) -> OrderIntent:
    """The intent of a request.

    Raises:
        NotFound: there is no order to replace.
        InvalidRequest: the replacement changes nothing.
    """
    given: dict[str, Any] = {name: Decimal(value) for name in _AMOUNTS if (value := getattr(body, name)) is not None}
    given |= {"time_in_force": body.time_in_force or "", "good_till": body.good_till}
    own: dict[str, Any] = {"account": desk.account_id(owner), "thread_id": str(uuid.uuid4())}
    if body.replaces_order is not None:
        terms = change_of(desk.ledger.order(body.replaces_order, owner), **given)
    else:
        terms = {"symbol": body.symbol, "side": body.side, "unit": body.unit, **given}
        terms["order_type"] = body.order_type or "market"
    return OrderIntent(**terms, **own)
