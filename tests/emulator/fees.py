"""What a venue charges, in which currency."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Literal

from .orders import Side

_GRAIN = Decimal("0.00000001")
Payment = Literal["received", "quote", "base", "coin"]


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """Rates are fractions of the notional; a negative one is a rebate.

    `pay_in` says which currency is charged: what the order receives, always quote, always base, or a third coin.
    """

    maker: Decimal
    taker: Decimal
    pay_in: Payment
    coin: str = ""

    def rate(self, *, maker: bool) -> Decimal:
        """The rate of one side of a trade."""
        return self.maker if maker else self.taker

    def in_base(self, side: Side) -> bool:
        """Whether a side pays in base units."""
        return self.pay_in == "base" or (self.pay_in in {"received", "coin"} and side == "buy")

    def on_top(self, side: Side) -> Decimal:
        """Rate by which the amount spent must be exceeded, because the fee is charged in that currency too."""
        spends_base = side == "sell"
        if self.pay_in == "coin" or self.in_base(side) != spends_base:
            return Decimal(0)
        return max(self.maker, self.taker, Decimal(0))


def rounded_fee(amount: Decimal) -> Decimal:
    """Cut to the venue's eight decimals, toward zero."""
    return amount.quantize(_GRAIN, rounding=ROUND_DOWN)
