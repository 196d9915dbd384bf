"""Tickets, orders and fills."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.fields import DecimalText, TimeText
from engines.domain.orders import OrderStatus, OrderType, Side, TicketKind, TicketStatus


class Fill(BaseModel):
    """One execution."""

    id: str
    order_id: str
    account: str
    symbol: str
    side: Side
    price: DecimalText
    quantity: DecimalText
    fee: DecimalText
    fee_currency: str
    time: TimeText


class Order(BaseModel):
    """A ticket that was submitted; `id` is the client order id."""

    id: str
    ticket_id: str
    account: str
    symbol: str
    side: Side
    order_type: OrderType
    quantity: DecimalText
    limit_price: DecimalText | None
    stop_price: DecimalText | None
    stop_loss: DecimalText | None
    take_profit: DecimalText | None
    status: OrderStatus
    filled: DecimalText
    average_price: DecimalText | None
    venue_order_id: str | None
    reason: str
    created_at: TimeText
    updated_at: TimeText
    fills: list[Fill]
    held_by: Literal["venue", "desk"] = Field(
        default="venue", description="Who watches for the price of an exit; the desk does so only while it runs."
    )
    good_till: TimeText | None = Field(default=None, description="When the desk cancels what is still open of it.")


class LimitCheck(BaseModel):
    """One limit: what it allows, what it was held against, and what it left of the quantity."""

    name: str
    limit: str
    value: str
    before: DecimalText
    after: DecimalText
    message: str = ""
    used: DecimalText | None = Field(default=None, description="How much of the limit is used, in percent.")


class RiskVerdict(BaseModel):
    """What the risk review said, check by check."""

    outcome: Literal["approved", "reduced", "denied"]
    quantity: DecimalText
    checks: list[LimitCheck]


class Argument(BaseModel):
    """A piece of evidence for (positive weight) or against the ticket's side."""

    text: str
    weight: float
    source: str


class Confluence(BaseModel):
    """What the engines say about the ticket's symbol."""

    score: float | None
    arguments: list[Argument]
    missing: list[str]
    turns: list[str] = Field(default=[], description="What would end the arguments for it, strongest first.")


class Stake(BaseModel):
    """What a ticket puts at risk, both fees included; the loss at the stop-loss is 1R."""

    loss: DecimalText
    equity: DecimalText = Field(description="Of the account when the ticket was made.")
    gain: DecimalText | None = Field(description="At the take-profit.")


class Ticket(BaseModel):
    """An order that waits for a person, exactly as it would be executed; `hash` seals what is shown."""

    id: str
    label: str
    owner: str
    thread_id: str
    account: str
    mode: Literal["paper", "live"]
    market: str
    simulated: bool
    kind: TicketKind
    symbol: str
    side: Side
    order_type: OrderType
    quantity: DecimalText
    limit_price: DecimalText | None
    stop_price: DecimalText | None
    stop_loss: DecimalText | None
    take_profit: DecimalText | None
    reduce_only: bool
    cancels: list[str]
    cancelled_words: list[str]
    time_in_force: str
    reference_price: DecimalText
    quote_time: TimeText
    price_band: list[DecimalText]
    notional: DecimalText
    estimated_fee: DecimalText
    fee_currency: str
    risk: RiskVerdict
    confluence: Confluence
    differences: list[str]
    stake: Stake | None = None
    stop_note: str = Field(default="", description="How a stop-loss given as a distance came to its price.")
    exits_held_by: Literal["venue", "desk", ""] = Field(
        default="", description="Who will hold stop-loss and take-profit; the desk does so only while it runs."
    )
    good_till: TimeText | None = Field(default=None, description="When the desk cancels what is still open of it.")
    look_alikes: list[str] = Field(
        default=[], description="Orders like it that were just sent; approving needs `resolve_differences`."
    )
    replaces_order: str = Field(
        default="", description="The open order that is cancelled first and whose place this one takes, by id."
    )
    replaced_words: str = Field(default="", description="That order in words.")
    replaced_filled: DecimalText | None = Field(
        default=None, description="How much of it had filled when the ticket was made; if more has, nothing is sent."
    )
    user_words: str
    limits_version: str
    created_at: TimeText
    expires_at: TimeText
    client_order_id: str
    hash: str
    status: TicketStatus
    decided_by: str
    decided_at: TimeText | None
    superseded_by: str | None
    reason: str = Field(default="", description="Why it was denied, rejected by the venue or left unclear.")
    order: Order | None = None
    exits: list[Order] = Field(
        default=[], description="The stop-loss and the take-profit of what filled, the newest of each."
    )
    text: str = Field(default="", description="The ticket in one paragraph.")


class TicketPage(BaseModel):
    """Tickets, newest first."""

    tickets: list[Ticket]
    next_cursor: str | None = None


class OrderPage(BaseModel):
    """Orders, newest first."""

    orders: list[Order]
    next_cursor: str | None = None


class FillPage(BaseModel):
    """Fills, newest first."""

    fills: list[Fill]
    next_cursor: str | None = None
