"""What an owner has, and the record of how it came about."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from api.schemas.fields import DecimalText, TimeText


class Holding(BaseModel):
    """A position at the market's last price, in quote units; `average_price` is without fees, `realised` with them."""

    symbol: str
    quantity: DecimalText
    average_price: DecimalText
    mark: DecimalText
    value: DecimalText
    unrealised: DecimalText
    realised: DecimalText


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
