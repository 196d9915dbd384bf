"""A decision on a ticket, and what it led to."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.fields import GivenTime, PositiveDecimal, Request, RunAnswerStatus
from api.schemas.orders import Fill, Order, Ticket
from api.schemas.receipts import Receipt
from engines.domain.orders import TimeInForce


class DecisionRequest(Request):
    """A decision on one ticket. The fields after `resolve_differences` belong to `edit`."""

    decision: Literal["approve", "reject", "edit"]
    ticket_hash: str = Field(max_length=64, description="The ticket's `hash`, so that you decide on what you saw.")
    resolve_differences: Literal["yes", "no"] = Field(
        default="no",
        description="`yes`: I have read the ticket's `differences` and `look_alikes` and mean it as it stands.",
    )
    quantity: PositiveDecimal | None = Field(default=None, description="In base units.")
    limit_price: PositiveDecimal | None = None
    stop_price: PositiveDecimal | None = None
    stop_loss: PositiveDecimal | None = None
    take_profit: PositiveDecimal | None = None
    time_in_force: TimeInForce | None = Field(
        default=None, description="GTC, IOC, FOK, DAY (till the day ends in UTC), or GTD with `good_till`."
    )
    good_till: GivenTime | None = Field(default=None, description="When the desk cancels what is still open of it.")


class DecisionOutcome(BaseModel):
    """What a decision led to."""

    ticket: Ticket
    replacement: Ticket | None = Field(
        default=None, description="The new ticket an edit made; it needs its own approval."
    )
    order: Order | None = None
    fills: list[Fill] = Field(default_factory=list)
    reply: str
    receipts: list[Receipt] = Field(default_factory=list)
    thread_id: str
    run_id: str
    status: RunAnswerStatus
