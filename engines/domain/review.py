"""Decisions looked back on: what the orders that were not taken would have come to, and how often scores were right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from engines.domain.orders import OrderType, Side

# How an order was not taken.
Choice = Literal["rejected", "expired", "edited"]
# unfilled: its price was not reached. held: bought and still held. sold: a sale. stopped, target: an exit was reached.
RoadState = Literal["unfilled", "held", "sold", "stopped", "target"]


@dataclass(frozen=True, slots=True)
class Step:
    """One point of a road: a price in quote units, when it was known, and by which rule it came about."""

    price: Decimal
    time: datetime
    rule: str


@dataclass(frozen=True, slots=True)
class Road:
    """Where a ticket would stand if it had been approved at its price.

    Attributes:
        entry: where it would have filled; None while its price was not reached.
        exit: the stop-loss or take-profit that would have closed it.
        mark: the last closed candle's price, where no exit closed it.
        fees: of the entry, and of the sale that ends a purchase, quote units.
        result: profit after fees, quote units; of a sale, what it spared or cost beside holding on.
        candles: how many closed candles were looked at, by timeframe.
        unseen_seconds: time between the ticket and `as_of` that no closed candle covers.
        notes: what was assumed, one sentence each.
        is_final: no later candle can change the result.
    """

    state: RoadState
    entry: Step | None
    exit: Step | None
    mark: Step
    fees: Decimal
    result: Decimal
    candles: dict[str, int]
    unseen_seconds: int
    notes: tuple[str, ...] = ()
    is_final: bool = False

    @property
    def as_of(self) -> datetime:
        """Close of the last candle that was looked at."""
        return self.mark.time


@dataclass(frozen=True, slots=True)
class ReviewedDecision:
    """One order that was not taken, and what not taking it came to.

    Attributes:
        decided_at, by: when and by whom; an expired ticket was left by nobody in particular.
        price: the ticket's own price: of its limit or stop, else what the market quoted.
        score: confluence of the ticket, in [-1, 1]; None where nothing could be read.
        road: None where it cannot be marked, which `unmarked` says why.
        replacement, replacement_road: of an edit, the ticket that took its place.
        effect: what the decision saved (above zero) or cost (below), quote units: of a rejected or expired ticket its
            result with the sign turned, of an edited one the replacement's result less its own.
    """

    ticket_id: str
    label: str
    choice: Choice
    decided_at: datetime
    by: str
    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    price: Decimal
    score: float | None
    road: Road | None = None
    replacement: str = ""
    replacement_road: Road | None = None
    effect: Decimal | None = None
    unmarked: str = ""


@dataclass(frozen=True, slots=True)
class ChoiceSum:
    """All decisions of one kind; `marked` of them are in the sums. `cost` is not below zero; quote units."""

    choice: Choice
    decisions: int
    marked: int
    saved: Decimal
    cost: Decimal

    @property
    def net(self) -> Decimal:
        """What they saved in all; below zero where they cost more."""
        return self.saved - self.cost


@dataclass(frozen=True, slots=True)
class HitRate:
    """How many of some calls came out right; `low` and `high` bound the share with 95 % confidence (Wilson).

    The bounds rest on those calls that overlap no other in time.
    """

    calls: int
    right: int
    low: float
    high: float

    @property
    def share(self) -> float | None:
        """None without a call."""
        return self.right / self.calls if self.calls else None


@dataclass(frozen=True, slots=True)
class ScoreBucket:
    """Tickets whose score lies in [lowest, highest]; `moved` counts those whose side the price then took."""

    lowest: float
    highest: float
    moved: HitRate


@dataclass(frozen=True, slots=True)
class Calibration:
    """How often the confluence score told the direction of the price `horizon_hours` later.

    Attributes:
        scored: calls with a score other than 0 that have come of age; right where price moved the way the score leaned.
        brier: mean squared distance between (1 + score) / 2 and what came (1: price moved the ticket's way, 0: not);
            None without a call. 0.25 is what saying one half every time gets.
        independent: calls left when those on one symbol overlap no other in time.
        too_young, without_view, unmarked: tickets that could not be counted: not old enough, no score or one of 0,
            no price.
    """

    horizon_hours: int
    scored: HitRate
    brier: float | None
    buckets: tuple[ScoreBucket, ...]
    independent: int
    too_young: int
    without_view: int
    unmarked: int
    warning: str


@dataclass(frozen=True, slots=True)
class Review:
    """What an account's decisions came to, newest first.

    Attributes:
        looked_at: decided tickets that were looked at; `older` tells that there are more behind them.
        warnings: what must be known before a figure is believed.
        model: how a road is marked, in words.
    """

    account: str
    currency: str
    market: str
    simulated: bool
    as_of: datetime
    symbol: str | None
    looked_at: int
    older: bool
    decisions: tuple[ReviewedDecision, ...]
    sums: tuple[ChoiceSum, ...]
    calibration: Calibration
    warnings: tuple[str, ...]
    model: str

    @property
    def marked(self) -> int:
        """Decisions that are in the sums."""
        return sum(each.marked for each in self.sums)

    @property
    def net(self) -> Decimal:
        """What all decisions saved; below zero where they cost more."""
        return sum((each.net for each in self.sums), Decimal(0))
