"""What a market offers beyond its best prices: an order book, level by level."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engines.domain.orders import Side


@dataclass(frozen=True, slots=True)
class Level:
    """A price in quote units, and how many base units are offered or wanted at it."""

    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class OrderBook:
    """Both sides of a symbol at one instant, each with its best price first."""

    symbol: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    time: datetime
    market: str
    simulated: bool

    @property
    def is_sound(self) -> bool:
        """True when an order could be matched against it: two sides, in order, apart, nothing but positive numbers."""
        levels = (*self.bids, *self.asks)
        if not self.bids or not self.asks or not all(_is_positive(level) for level in levels):
            return False
        bids, asks = [level.price for level in self.bids], [level.price for level in self.asks]
        return bids == sorted(bids, reverse=True) and asks == sorted(asks) and bids[0] <= asks[0]

    def taking(self, side: Side) -> tuple[Level, ...]:
        """What a market order of this side meets, best price first."""
        return self.asks if side == "buy" else self.bids


def _is_positive(level: Level) -> bool:
    return level.price.is_finite() and level.quantity.is_finite() and level.price > 0 and level.quantity > 0
