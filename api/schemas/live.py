"""A live desk: whether its orders may pass, and how its ledger compares with the venue."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.fields import DecimalText, Request, TimeText
from api.schemas.switch import Reason
from engines.domain.orders import OrderType, Side


class PrivateStream(BaseModel):
    """How the venue's stream of the account's own orders stands; it only wakes the desk, which asks either way."""

    standing: Literal["up", "silent", "down"] = Field(
        description="`silent`: up, and without an event for a minute, so that trades are compared each minute too."
    )
    connections: int = Field(description="How often it was up since the desk began.")
    silent_seconds: float | None = Field(description="Since its last event, or since it came up; null while down.")
    trouble: str = Field(description="Why it is down; empty while it is up and before the first try.")


class LiveStanding(BaseModel):
    """What stands between an approved order and the venue."""

    venue: str
    account: str = Field(description="The one account that stands for the venue's.")
    armed_until: TimeText | None = Field(description="Null when nobody armed the desk, or its time is over.")
    armed_by: str
    reconciled_at: TimeText | None = Field(description="When ledger and venue were compared last.")
    in_the_way: str = Field(description="Why no order passes now; empty when orders pass.")
    order_events: Literal["streamed", "polled"] = Field(
        description="Whether the venue tells of orders as it happens; they are asked for now and then all the same."
    )
    stream_trouble: str = Field(description="Why the venue's stream is down; empty while it is up.")
    private_stream: PrivateStream | None = Field(description="How that stream stands; null where the venue has none.")


class ArmRequest(Request):
    """For how long live orders may pass."""

    minutes: int = Field(ge=1, le=720, examples=[60])


class BalanceDifference(BaseModel):
    """One currency by the ledger and at the venue; one that is not tolerated halts the account."""

    currency: str
    expected: DecimalText = Field(description="By the ledger.")
    found: DecimalText = Field(description="At the venue.")
    tolerated: Literal["yes", "no"] = Field(description="`yes` for roundings, and for what this desk never had.")


class VenueBalance(BaseModel):
    """What the venue holds of a currency; `free` is what no order holds back there."""

    currency: str
    total: DecimalText
    free: DecimalText


class ExternalOrder(BaseModel):
    """An open order on the venue account that this desk did not place. It counts as exposure and is never touched."""

    label: Literal["EXTERNAL"] = "EXTERNAL"
    venue_order_id: str
    client_order_id: str
    symbol: str
    side: Side
    order_type: OrderType
    quantity: DecimalText
    filled: DecimalText
    limit_price: DecimalText | None
    stop_price: DecimalText | None
    first_seen: TimeText


class ExternalFill(BaseModel):
    """An execution on the venue account that is none of this desk's."""

    id: str
    symbol: str
    side: Side
    price: DecimalText
    quantity: DecimalText
    time: TimeText


class Reconciliation(BaseModel):
    """How ledger and venue compared; `number` is what an acceptance names."""

    number: int
    account: str
    venue: str
    time: TimeText
    trigger: Literal["start", "reconnect", "routine", "request"]
    matches: Literal["yes", "no"]
    orders_changed: list[str] = Field(description="Ours that stood differently at the venue, by client order id.")
    fills_taken_over: list[str] = Field(description="Trade ids that the ledger had missed.")
    differences: list[BalanceDifference]
    balances: list[VenueBalance]
    external_orders: list[ExternalOrder]
    external_fills: list[ExternalFill]
    unsettled: list[str] = Field(description="Orders whose outcome nobody knows yet.")
    live: LiveStanding


class AcceptRequest(Request):
    """Which comparison's differences a person explains, and how."""

    number: int = Field(ge=1)
    reason: Reason = Field(examples=["I deposited 250 USDT."])


class Accepted(BaseModel):
    """What was booked, by currency: what the venue had more than the ledger."""

    booked: dict[str, DecimalText]
