"""What an account has done lately, and how it fared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engines.domain.orders import Order, OrderType, Side


@dataclass(frozen=True, slots=True)
class Submission:
    """An order that was sent, or may have been; `label` names its ticket, `is_refused` that the venue never took it."""

    ticket_id: str
    label: str
    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    sent_at: datetime
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class Activity:
    """An account's recent past by the wall clock; an empty one of an account that never traded.

    Attributes:
        at: when it was read.
        recent: orders sent within the last minute or longer, newest first.
        resting: open orders, protective ones included.
        bought_today: value of what was bought since midnight UTC and of what open buys may still come to, quote units.
        losing_streak: sells in a row, up to the last, that closed at a loss.
        opening_equity, peak_equity: at the first look of the market's day, and the highest since the account was
            last resumed, quote units; None before the first look.
    """

    at: datetime
    recent: tuple[Submission, ...] = ()
    resting: tuple[Order, ...] = ()
    bought_today: Decimal = Decimal(0)
    losing_streak: int = 0
    opening_equity: Decimal | None = None
    peak_equity: Decimal | None = None
