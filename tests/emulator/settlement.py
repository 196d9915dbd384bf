"""Moves money and goods of one execution, and charges the fee."""

from __future__ import annotations

from decimal import Decimal

from .accounts import Account
from .amounts import ZERO
from .fees import rounded_fee
from .orders import Fill, Order
from .venue import Venue


def settle(venue: Venue, order: Order, price: Decimal, quantity: Decimal, *, maker: bool, number: int) -> Fill:
    """Book one side of a trade; what one account pays another receives, to the last digit."""
    account, instrument = order.account, order.instrument
    sign = 1 if order.side == "buy" else -1
    account.total[instrument.base] += sign * quantity
    account.total[instrument.quote] -= sign * price * quantity
    fee, currency = ZERO, instrument.quote
    if account is venue.account:
        fee, currency = fee_of(venue, order, price, quantity, maker=maker)
        account.total[currency] -= fee
        venue.pool.total[currency] += fee
    order.filled += quantity
    order.notional += price * quantity
    fill = Fill(
        number=number,
        id=venue.rules.fill_id(number),
        price=price,
        quantity=quantity,
        fee=fee,
        fee_currency=currency,
        maker=maker,
        at_ms=venue.clock.now_ms(),
    )
    order.fills.append(fill)
    return fill


def fee_of(venue: Venue, order: Order, price: Decimal, quantity: Decimal, *, maker: bool) -> tuple[Decimal, str]:
    """Amount and currency of the fee; a third coin is charged only while the account has enough of it."""
    schedule, instrument = venue.fees_of(order), order.instrument
    rate = schedule.rate(maker=maker)
    if schedule.pay_in == "coin":
        in_coin = _in_coin(venue, order.account, price * quantity * rate, instrument.quote)
        if in_coin is not None:
            return in_coin, schedule.coin
    if schedule.in_base(order.side):
        return rounded_fee(quantity * rate), instrument.base
    return rounded_fee(price * quantity * rate), instrument.quote


def _in_coin(venue: Venue, account: Account, amount: Decimal, quote: str) -> Decimal | None:
    coin = venue.fees.coin
    price = Decimal(1) if quote == coin else venue.last.get(f"{coin}/{quote}")
    if price is None:
        return None
    fee = rounded_fee(amount / price)
    return fee if account.can_spend(coin, fee) else None
