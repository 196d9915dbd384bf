"""Everybody else: sets prices, rests orders for the client to meet, and trades against the client's own."""

from __future__ import annotations

from decimal import Decimal

from .amounts import floored
from .instruments import Instrument
from .matching import Engine
from .orders import NewOrder, Order, Side


class Crowd:
    """Orders of other people, who never run out of money."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._resting: list[Order] = []

    def order(self, symbol: str, side: Side, quantity: Decimal, price: Decimal | None = None) -> Order:
        """Place an order of somebody else: it executes against the book and the rest of a limit order stays."""
        instrument = self._engine.venue.instrument(symbol)
        new = NewOrder(instrument, side, price is None, quantity, price)
        order = self._engine.place(new, self._engine.venue.crowd)
        if order.resting:
            self._resting.append(order)
        return order

    def withdraw(self, symbol: str) -> None:
        """Take all resting orders of other people off the book."""
        for order in self._resting:
            if order.resting and order.instrument.symbol == symbol:
                self._engine.close(order, "cancelled")
        self._resting = [order for order in self._resting if order.resting]
        self._engine.publish()

    def set_price(self, symbol: str, price: Decimal, *, depth: int, quantity: Decimal, gap: Decimal | None) -> None:
        """Move the market: a fresh ladder around `price`, every crossed order of the client filled, stops fired."""
        engine, instrument = self._engine, self._engine.venue.instrument(symbol)
        engine.is_held = True
        self.withdraw(symbol)
        self._sweep(instrument, price)
        step = gap or max(instrument.price_tick, floored(price / 10_000, instrument.price_tick))
        engine.trade(*self._cross(instrument, price), price, instrument.min_quantity)
        for level in range(1, depth + 1):
            self.order(symbol, "buy", quantity, price - level * step)
            self.order(symbol, "sell", quantity, price + level * step)
        engine.is_held = False
        engine.publish()

    def _sweep(self, instrument: Instrument, price: Decimal) -> None:
        book = self._engine.venue.books[instrument.symbol]
        taking: tuple[tuple[Side, Side], ...] = (("buy", "sell"), ("sell", "buy"))
        for resting_side, side in taking:
            while (best := book.sides[resting_side].best()) is not None and best.price is not None:
                if best.price < price if resting_side == "buy" else best.price > price:
                    break
                self.order(instrument.symbol, side, best.remaining, best.price)

    def _cross(self, instrument: Instrument, price: Decimal) -> tuple[Order, Order]:
        engine, crowd = self._engine, self._engine.venue.crowd
        quantity = instrument.min_quantity
        maker = engine.draft(NewOrder(instrument, "sell", is_market=False, quantity=quantity, price=price), crowd)
        engine.venue.books[instrument.symbol].add(maker)
        maker.state = "open"
        return engine.draft(NewOrder(instrument, "buy", is_market=False, quantity=quantity, price=price), crowd), maker
