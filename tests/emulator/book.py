"""Resting orders of one instrument in price-time priority."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterator
from decimal import Decimal

from .amounts import ZERO
from .orders import Order, Side


class BookSide:
    """Levels of one side, best first."""

    def __init__(self, side: Side) -> None:
        self._sign = -1 if side == "buy" else 1
        self._keys: list[Decimal] = []
        self._levels: dict[Decimal, deque[Order]] = {}
        self._totals: dict[Decimal, Decimal] = {}

    def add(self, order: Order) -> None:
        """Queue an order behind those of the same price."""
        price = _price(order)
        if price not in self._levels:
            self._levels[price] = deque()
            self._totals[price] = ZERO
            insort(self._keys, price * self._sign)
        self._levels[price].append(order)
        self._totals[price] += order.remaining

    def remove(self, order: Order) -> None:
        """Take an order out of its queue."""
        price = _price(order)
        queue = self._levels[price]
        queue.remove(order)
        self._totals[price] -= order.remaining
        if not queue:
            del self._levels[price], self._totals[price]
            self._keys.remove(price * self._sign)

    def shrink(self, order: Order, quantity: Decimal) -> None:
        """Note that an order is about to lose part of what it offers, by an execution or an amendment."""
        self._totals[_price(order)] -= quantity

    def best(self) -> Order | None:
        """The order that executes next."""
        return self._levels[self._keys[0] * self._sign][0] if self._keys else None

    def __iter__(self) -> Iterator[Order]:
        for key in self._keys:
            yield from self._levels[key * self._sign]

    def levels(self, depth: int) -> list[tuple[Decimal, Decimal]]:
        """Price and quantity of the best `depth` levels."""
        prices = [key * self._sign for key in self._keys[:depth]]
        return [(price, self.quantity_at(price)) for price in prices]

    def quantity_at(self, price: Decimal) -> Decimal:
        """Base units waiting at a price."""
        return self._totals.get(price, ZERO)


class Book:
    """Both sides, the last trade, and the levels changed since the last publication."""

    def __init__(self) -> None:
        self.sides: dict[Side, BookSide] = {"buy": BookSide("buy"), "sell": BookSide("sell")}
        self.sequence = 1
        self.touched: set[tuple[Side, Decimal]] = set()

    def against(self, side: Side) -> BookSide:
        """The side that an order of `side` executes against."""
        return self.sides["sell" if side == "buy" else "buy"]

    def add(self, order: Order) -> None:
        """Rest an order."""
        self.sides[order.side].add(order)
        order.resting = True
        self.touch(order)

    def remove(self, order: Order) -> None:
        """Take an order off the book."""
        self.sides[order.side].remove(order)
        order.resting = False
        self.touch(order)

    def shrink(self, order: Order, quantity: Decimal) -> None:
        """Take part of a resting order's offer away."""
        self.sides[order.side].shrink(order, quantity)
        self.touch(order)

    def touch(self, order: Order) -> None:
        """Note that the order's level changed."""
        self.touched.add((order.side, _price(order)))

    def changes(self) -> list[tuple[Side, Decimal, Decimal]]:
        """Side, price and new quantity of each changed level, and forget them."""
        found = [(side, price, self.sides[side].quantity_at(price)) for side, price in sorted(self.touched)]
        self.touched.clear()
        return found


def crosses(side: Side, limit: Decimal | None, price: Decimal) -> bool:
    """Whether an order of `side` with that limit (None: any price) accepts the price."""
    return limit is None or (price <= limit if side == "buy" else price >= limit)


def _price(order: Order) -> Decimal:
    if order.price is None:
        message = f"order {order.id!r} has no price and cannot rest"
        raise ValueError(message)
    return order.price
