"""How amounts and prices read in messages."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from engines.domain.instruments import Instrument
from engines.domain.orders import Order


def money(value: Decimal, currency: str) -> str:
    """`320,600 USDT`, `6.41 USDT`: two decimals, none where they are zero."""
    return f"{plain(value.quantize(Decimal('0.01'), ROUND_HALF_UP))} {currency}"


def quantity(value: Decimal, instrument: Instrument) -> str:
    """`0.155 BTC`; at most eight decimals."""
    exponent = value.as_tuple().exponent
    fine = isinstance(exponent, int) and exponent < -8
    return f"{plain(value.quantize(Decimal('1e-8'), ROUND_DOWN) if fine else value)} {instrument.base}"


def price(value: Decimal, instrument: Instrument) -> str:
    """`64,120 USDT`, on the market's tick."""
    steps = (value / instrument.tick_size).to_integral_value(ROUND_HALF_UP)
    return f"{plain(steps * instrument.tick_size)} {instrument.quote}"


def order_in_words(order: Order) -> str:
    """`sell 0.3 ETH/USDT, stop 4,700 (protects a position)`: enough to recognise an open order by."""
    open_quantity = order.quantity - order.filled
    level = order.limit_price or order.stop_price
    at = f"{order.order_type} {plain(level)}" if level else f"at {order.order_type}"
    guarded = ", guarded by this desk" if order.waits_at_desk else ""
    protects = f" (protects a position{guarded})" if order.parent_id else ""
    return f"{order.side} {plain(open_quantity)} {order.symbol}, {at}{protects}"


def percent(value: Decimal) -> str:
    """`0.8 %`."""
    return f"{plain(value.quantize(Decimal('0.1'), ROUND_HALF_UP))} %"


def lasting(span: timedelta) -> str:
    """`61 s`, `5 min`, `3 h`, `12 days`, in whole units."""
    seconds = int(span.total_seconds())
    for least, unit, length in ((172_800, "days", 86_400), (7_200, "h", 3_600), (120, "min", 60)):
        if seconds >= least:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def plain(value: Decimal) -> str:
    """Thousands separated, no exponent, no trailing zeros."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
