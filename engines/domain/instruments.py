"""What can be traded, by which rules, and what it costs right now."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Final

from engines.domain.orders import OrderType, Side

CLOCK_SKEW: Final = timedelta(seconds=2)
"""A venue's clock may run ahead of ours by this much before its prices are called ones from the future."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """Trading rules of one symbol; prices in quote units, quantities in base units.

    Attributes:
        tick_size, lot_size: steps of price and quantity.
        min_quantity, min_notional: smallest order the market takes.
        maker_fee, taker_fee: fraction of the notional.
        is_trading: False while the market lists it and takes no orders.
        max_quantity, max_notional: largest order the market takes; None for any.
        listed_at: when these rules were read; None where they never change.
        order_types, times_in_force: what the market takes.
        market_sides, market_times_in_force: the same for orders at the market.
    """

    symbol: str
    base: str
    quote: str
    tick_size: Decimal
    lot_size: Decimal
    min_quantity: Decimal
    min_notional: Decimal
    maker_fee: Decimal
    taker_fee: Decimal
    _: KW_ONLY
    is_trading: bool = True
    max_quantity: Decimal | None = None
    max_notional: Decimal | None = None
    listed_at: datetime | None = None
    order_types: frozenset[OrderType] = frozenset({"market", "limit", "stop"})
    times_in_force: frozenset[str] = frozenset({"GTC", "IOC", "FOK"})
    market_sides: frozenset[Side] = frozenset({"buy", "sell"})
    market_times_in_force: frozenset[str] = frozenset({"IOC", "FOK"})

    def takes(self, order_type: OrderType, side: Side, time_in_force: str) -> bool:
        """True where the market takes such an order as it is: none is turned into another."""
        if order_type not in self.order_types or time_in_force not in self.times_in_force:
            return False
        return order_type != "market" or (side in self.market_sides and time_in_force in self.market_times_in_force)

    @property
    def taken(self) -> str:
        """What it takes in words: `limit, market to sell; GTC, IOC`."""
        sides = "" if len(self.market_sides) > 1 else "".join(f" to {side}" for side in self.market_sides)
        forces = sorted(self.market_times_in_force & self.times_in_force)
        at_market = f"market{sides}{f' {forces[0]}' if len(forces) == 1 else ''}"
        types = [at_market if each == "market" else each for each in sorted(self.order_types)]
        return f"{', '.join(types)}; {', '.join(sorted(self.times_in_force))}"

    def round_quantity(self, quantity: Decimal) -> Decimal:
        """Down to the lot: never more than asked."""
        return (quantity / self.lot_size).to_integral_value(ROUND_DOWN) * self.lot_size

    def round_price(self, price: Decimal, side: Side) -> Decimal:
        """To the tick toward safety: a buy never pays more, a sell never takes less."""
        rounding = ROUND_FLOOR if side == "buy" else ROUND_CEILING
        return (price / self.tick_size).to_integral_value(rounding) * self.tick_size

    def price_text(self, price: float | Decimal) -> str:
        """How it reads: the nearest tick with the tick's decimals and thousands separators, `64,120.50`."""
        ticks = (Decimal(str(price)) / self.tick_size).to_integral_value(ROUND_HALF_EVEN)
        return f"{(ticks * self.tick_size).quantize(self.tick_size):,f}"


@dataclass(frozen=True, slots=True)
class Quote:
    """Best prices of a symbol at one instant, quote units."""

    symbol: str
    bid: Decimal
    ask: Decimal
    last: Decimal
    time: datetime
    market: str
    simulated: bool

    @property
    def mid(self) -> Decimal:
        """Half-way between bid and ask."""
        return (self.bid + self.ask) / 2

    @property
    def mark(self) -> Decimal:
        """What a holding is valued at: the last trade, held within bid and ask.

        One odd print is neither a loss nor a height of the account; nobody could have sold or bought there.
        """
        if not self.last.is_finite():
            return self.mid
        return min(max(self.last, self.bid), self.ask)

    def taking(self, side: Side) -> Decimal:
        """The price a market order of this side meets."""
        return self.ask if side == "buy" else self.bid
