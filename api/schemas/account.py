"""What an owner has, and the record of how it came about."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from api.schemas.fields import DecimalText, TimeText


class Lot(BaseModel):
    """What is left of one fill, first in first out; below zero where it was sold without being held."""

    fill_id: str
    opened: TimeText
    quantity: DecimalText
    price: DecimalText


class Costing(BaseModel):
    """All symbols by one method of costing, in the account's currency."""

    cost: DecimalText = Field(description="Of what is held, fees excluded.")
    realised: DecimalText = Field(description="Of closed positions too, every fee taken off.")
    unrealised: DecimalText
    fees: DecimalText = Field(description="Fees in another currency at what that currency cost this account.")
    difference: DecimalText = Field(
        description="Cash less (starting cash + realised - cost): 0 on paper, where nothing but fills moves cash; on a "
        "live account what it began with and what a person booked."
    )


class Profit(BaseModel):
    """The fills by both methods. They differ in which purchases a sale used up; once all is sold they are equal."""

    starting_cash: DecimalText
    average: Costing
    fifo: Costing
    fees: dict[str, DecimalText] = Field(description="As they were charged, by currency; a rebate is negative.")
    unpriced_fees: dict[str, DecimalText] = Field(
        description="The part of them in a currency that this account never bought: in no sum, for no fill prices it."
    )


class Holding(BaseModel):
    """A position at the market's last price, in quote units; `average_price` is without fees, `realised` with them."""

    symbol: str
    quantity: DecimalText
    average_price: DecimalText
    mark: DecimalText
    value: DecimalText
    unrealised: DecimalText
    realised: DecimalText
    fifo_price: DecimalText = Field(description="Average entry of the lots that are left, first in first out.")
    fifo_unrealised: DecimalText
    fifo_realised: DecimalText
    lots: list[Lot]


class Portfolio(BaseModel):
    """An account: `equity` is `cash` plus the value of all positions."""

    account: str
    mode: Literal["paper", "live"]
    market: str
    simulated: bool
    as_of: TimeText
    currency: str
    equity: DecimalText
    cash: DecimalText
    reserved: DecimalText = Field(description="Cash that open orders have set aside.")
    unrealised: DecimalText
    realised: DecimalText = Field(description="Of closed positions too, every fee taken off.")
    fees: DecimalText
    positions: list[Holding]
    profit: Profit


class AuditEntry(BaseModel):
    """One record of what happened; `hash` covers it and the hash before it."""

    seq: int
    time: TimeText
    account: str
    ticket_id: str | None
    kind: str
    data: dict[str, Any]
    previous_hash: str
    hash: str


class AuditPage(BaseModel):
    """Audit records, oldest first."""

    records: list[AuditEntry]
    next_cursor: str | None = None
