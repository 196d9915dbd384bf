"""Decisions looked back on: the roads not taken, what they cost or saved, and how often the score was right."""

from __future__ import annotations

from pydantic import BaseModel, Field

from api.schemas.fields import DecimalText, TimeText
from engines.domain.orders import OrderType, Side
from engines.domain.review import Choice, RoadState


class Step(BaseModel):
    """A price, when it was known, and by which rule it came about."""

    price: DecimalText
    time: TimeText
    rule: str


class Road(BaseModel):
    """Where a ticket would stand if it had been approved at its price; its own receipt."""

    state: RoadState
    entry: Step | None = Field(description="None while its price was not reached.")
    exit: Step | None = Field(description="The stop-loss or take-profit that would have closed it.")
    mark: Step = Field(description="The last closed candle; it gives the result where no exit closed it.")
    fees: DecimalText
    result: DecimalText = Field(description="After fees; of a sale, beside holding on.")
    final: bool = Field(description="No later candle can change it.")
    candles: dict[str, int] = Field(description="Closed candles that were looked at, by timeframe.")
    unseen_seconds: int = Field(description="Time that no closed candle covers.")
    notes: list[str]


class Decision(BaseModel):
    """An order that was not taken, and what not taking it saved (above zero) or cost (below)."""

    ticket_id: str
    label: str
    choice: Choice
    decided_at: TimeText
    by: str
    symbol: str
    side: Side
    order_type: OrderType
    quantity: DecimalText
    price: DecimalText
    score: float | None = Field(description="Confluence of the ticket in [-1, 1].")
    effect: DecimalText | None = Field(description="None where it cannot be marked.")
    road: Road | None
    replacement: str = Field(description="Label of the ticket that an edit put in its place.")
    replacement_road: Road | None
    unmarked: str = Field(description="Why it cannot be marked; empty where it is.")


class ChoiceSum(BaseModel):
    """All decisions of one kind; `marked` of them are in the sums."""

    choice: Choice
    decisions: int
    marked: int
    saved: DecimalText
    cost: DecimalText
    net: DecimalText


class HitRate(BaseModel):
    """How many calls came out right; `low` and `high` bound the share with 95 % confidence (Wilson).

    The bounds rest on the calls that overlap no other in time.
    """

    calls: int
    right: int
    share: float | None
    low: float
    high: float


class ScoreBucket(BaseModel):
    """Tickets whose score lies between two edges; `moved` counts those whose side the price then took."""

    lowest: float
    highest: float
    moved: HitRate


class Calibration(BaseModel):
    """How often the confluence score told the direction of the price `horizon_hours` later."""

    horizon_hours: int
    scored: HitRate
    brier: float | None = Field(
        description="Mean squared distance of (1 + score) / 2 from what came; one half every time gets 0.25."
    )
    buckets: list[ScoreBucket]
    independent: int = Field(description="Calls left when those on one symbol overlap no other in time.")
    too_young: int
    without_view: int
    unmarked: int
    warning: str


class Review(BaseModel):
    """What an account's decisions came to, newest first; `warnings` before any figure is believed."""

    account: str
    currency: str
    market: str
    simulated: bool
    as_of: TimeText
    symbol: str | None
    looked_at: int = Field(description="Decided tickets that were looked at, approved ones included.")
    older: bool = Field(description="There are older decisions behind these; a larger limit shows them.")
    net: DecimalText = Field(description="What all marked decisions saved; below zero where they cost more.")
    sums: list[ChoiceSum]
    decisions: list[Decision]
    calibration: Calibration
    warnings: list[str]
    model: str = Field(description="How a road is marked, in words.")
