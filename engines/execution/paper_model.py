"""How the paper venue fills: pure rules over prices, without time or storage."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from engines.domain.instruments import Instrument, Quote
from engines.domain.orders import OrderType, Side

MODEL: Final = (
    "Paper fills: market and stop orders fill whole at the ask or bid, moved against you by 0.01 % plus 0.01 % per "
    "100,000 of notional; limit orders fill whole at their own price once a closed candle or the quote touches it; "
    "a stop that a candle jumps over fills at the candle's open or worse; where one candle touches both stop-loss and "
    "take-profit, the stop-loss counts; fees as the market lists them, maker for resting limits and taker else; "
    "orders below the market's least size or off its lot are refused, and so is what open orders leave no funds for; "
    "no latency and no partial fills; protective orders shrink with the holding they protect."
)
_IMPACT: Final = Decimal("0.0001")
_IMPACT_NOTIONAL: Final = Decimal(100_000)
_FEE_STEP: Final = Decimal("1e-8")


@dataclass(frozen=True, slots=True)
class Terms:
    """A price in quote units and the fee, a fraction of the notional, that an order fills at."""

    price: Decimal
    fee_rate: Decimal


@dataclass(frozen=True, slots=True)
class Span:
    """The prices of one closed candle, quote units."""

    open: Decimal
    high: Decimal
    low: Decimal


def at_market(side: Side, at: Decimal, quantity: Decimal, instrument: Instrument) -> Terms:
    """Take liquidity at `at`: impact against the order, rounded to the worse tick, taker fee."""
    impact = _IMPACT * (1 + at * quantity / _IMPACT_NOTIONAL)
    moved = at * (1 + impact) if side == "buy" else at * (1 - impact)
    return Terms(_worse(moved, side, instrument), instrument.taker_fee)


def on_arrival(
    side: Side, order_type: OrderType, own: Decimal | None, quantity: Decimal, quote: Quote, instrument: Instrument
) -> Terms | None:
    """Terms of an order that fills the moment it arrives; None when it rests.

    Args:
        own: limit price of a limit order, stop price of a stop order.
    """
    best = quote.taking(side)
    if order_type == "market" or own is None:
        return at_market(side, best, quantity, instrument)
    if order_type == "stop":
        return at_market(side, best, quantity, instrument) if _reached(side, own, best) else None
    if (own < best) if side == "buy" else (own > best):
        return None
    terms = at_market(side, best, quantity, instrument)
    capped = min(terms.price, own) if side == "buy" else max(terms.price, own)
    return Terms(capped, terms.fee_rate)


def within_candle(
    side: Side, order_type: OrderType, own: Decimal, quantity: Decimal, span: Span, instrument: Instrument
) -> Terms | None:
    """Terms of a resting order that a closed candle touched; None when it did not."""
    if order_type == "limit":
        touched = span.low <= own if side == "buy" else span.high >= own
        return Terms(own, instrument.maker_fee) if touched else None
    if side == "buy":
        return at_market(side, max(own, span.open), quantity, instrument) if span.high >= own else None
    return at_market(side, min(own, span.open), quantity, instrument) if span.low <= own else None


def at_quote(
    side: Side, order_type: OrderType, own: Decimal, quantity: Decimal, quote: Quote, instrument: Instrument
) -> Terms | None:
    """Terms of a resting order that the present quote reaches; None when it does not."""
    best = quote.taking(side)
    if order_type == "limit":
        touched = best <= own if side == "buy" else best >= own
        return Terms(own, instrument.maker_fee) if touched else None
    return at_market(side, best, quantity, instrument) if _reached(side, own, best) else None


def refusal_of(quantity: Decimal, price: Decimal, instrument: Instrument) -> str:
    """Why the market does not take an order of this size, as a real venue would refuse it; empty when it does."""
    notional = quantity * price
    if not instrument.is_trading:
        return f"{instrument.symbol} is listed and takes no orders now."
    if quantity != instrument.round_quantity(quantity):
        return f"{quantity} is no whole number of lots of {instrument.lot_size} {instrument.base}."
    if quantity < instrument.min_quantity or notional < instrument.min_notional:
        least = f"{instrument.min_quantity} {instrument.base} and {instrument.min_notional} {instrument.quote}"
        return f"{quantity} {instrument.base}, about {notional:.2f} {instrument.quote}, is below the least: {least}."
    most_quantity, most_notional = instrument.max_quantity, instrument.max_notional
    if (most_quantity is not None and quantity > most_quantity) or (
        most_notional is not None and notional > most_notional
    ):
        return f"{quantity} {instrument.base}, about {notional:.2f} {instrument.quote}, is more than the market takes."
    return ""


def fee_of(terms: Terms, quantity: Decimal) -> Decimal:
    """The fee in quote units, rounded up to eight decimals."""
    return (terms.price * quantity * terms.fee_rate).quantize(_FEE_STEP, ROUND_CEILING)


def _reached(side: Side, stop: Decimal, best: Decimal) -> bool:
    return best >= stop if side == "buy" else best <= stop


def _worse(value: Decimal, side: Side, instrument: Instrument) -> Decimal:
    rounding = ROUND_CEILING if side == "buy" else ROUND_FLOOR
    return (value / instrument.tick_size).to_integral_value(rounding) * instrument.tick_size
