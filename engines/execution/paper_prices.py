"""The simulated venue's prices: pure rules over books, quotes and candles, without time or storage."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal

from engines.domain.book import Level, OrderBook
from engines.domain.instruments import Instrument
from engines.domain.orders import Side
from engines.execution.paper_model import PaperModel, Take

Kind = Literal["limit", "stop", "triggered"]
"""How an order rests: for a price as good as its own, for its own price to be reached, or for anybody to trade with."""


@dataclass(frozen=True, slots=True)
class Offers:
    """What the market shows when an order arrives; the book is None where it gives none."""

    bid: Decimal
    ask: Decimal
    book: OrderBook | None = None

    def best(self, side: Side) -> Decimal:
        """The price that a market order of this side meets first."""
        return self.ask if side == "buy" else self.bid


@dataclass(frozen=True, slots=True)
class Span:
    """The prices of one closed candle in quote units, and its volume in base units; None where nobody tells it."""

    open: Decimal
    high: Decimal
    low: Decimal
    volume: Decimal | None


def at_market(side: Side, at: Decimal, quantity: Decimal, instrument: Instrument, model: PaperModel) -> Take:
    """Take liquidity at `at` where no book tells how much there is: impact against the order, to the worse tick."""
    impact = model.impact * (1 + at * quantity / model.impact_notional)
    # A sale so large that the formula takes all of its price still gets a tick.
    moved = at * (1 + impact) if side == "buy" else max(at * (1 - impact), instrument.tick_size)
    return Take(_worse(moved, side, instrument), quantity, instrument.taker_fee)


def taking(
    side: Side,
    quantity: Decimal,
    offers: Offers,
    instrument: Instrument,
    model: PaperModel,
    *,
    limit: Decimal | None,
    room: Decimal | None,
) -> tuple[Take, ...]:
    """What an order gets at once: levels of the book, or as much as there is room for at the best price.

    Args:
        limit: its own price, which it never passes; None for an order at the market.
        room: base units that may be taken where there is no book; None for any.
    """
    best = offers.best(side)
    if limit is not None and _beyond(best, limit, side):
        return ()
    if offers.book is not None:
        last = limit if limit is not None else _last_price(side, best, model)
        return _walked(offers.book.taking(side), quantity, side, last, instrument)
    amount = quantity if room is None else min(quantity, room)
    if amount <= 0:
        return ()
    take = at_market(side, best, amount, instrument, model)
    if limit is not None and _beyond(take.price, limit, side):
        take = Take(limit, amount, take.fee_rate)
    return (take,)


def price_in_candle(kind: Kind, side: Side, own: Decimal, span: Span) -> Decimal | None:
    """The price, before impact, at which a closed candle fills a resting order; None when it does not.

    Args:
        own: the limit or stop price.
    """
    if kind == "triggered":
        return span.open
    if kind == "limit":
        touched = span.low <= own if side == "buy" else span.high >= own
        return own if touched else None
    if side == "buy":
        return max(own, span.open) if span.high >= own else None
    return min(own, span.open) if span.low <= own else None


def is_reached(kind: Kind, side: Side, own: Decimal, best: Decimal) -> bool:
    """True when the best price for a side fills a resting limit order, or sets off a stop."""
    if kind == "triggered":
        return True
    if kind == "limit":
        return not _beyond(best, own, side)
    return best >= own if side == "buy" else best <= own


def room_in(volume: Decimal | None, taken: Decimal, instrument: Instrument, model: PaperModel) -> Decimal | None:
    """How much of a candle's volume is left to an account that took some of it, whole lots; None for any amount."""
    if volume is None:
        return None
    return max(instrument.round_quantity(volume * model.volume_share - taken), Decimal(0))


def _walked(
    levels: tuple[Level, ...], quantity: Decimal, side: Side, last: Decimal, instrument: Instrument
) -> tuple[Take, ...]:
    takes, left = [], quantity
    for level in levels:
        if left <= 0 or _beyond(level.price, last, side):
            break
        amount = min(left, instrument.round_quantity(level.quantity))
        if amount > 0:
            takes.append(Take(level.price, amount, instrument.taker_fee))
            left -= amount
    return tuple(takes)


def _last_price(side: Side, best: Decimal, model: PaperModel) -> Decimal:
    return best * (1 + model.most_slippage) if side == "buy" else best * (1 - model.most_slippage)


def _beyond(price: Decimal, limit: Decimal, side: Side) -> bool:
    """True when a price is worse for the side than its limit."""
    return price > limit if side == "buy" else price < limit


def _worse(value: Decimal, side: Side, instrument: Instrument) -> Decimal:
    rounding = ROUND_CEILING if side == "buy" else ROUND_FLOOR
    return (value / instrument.tick_size).to_integral_value(rounding) * instrument.tick_size
