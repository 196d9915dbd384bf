"""Profit by two methods, first in first out and average cost, from fills alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import Final

from engines.domain.orders import Fill
from engines.ledger.book import Book, coin_symbol, currencies, effect_of, is_paid_in_coin

# Sums and products of prices, quantities and fees stay exact with this many digits.
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_ZERO = Decimal(0)
_STEP = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class Lot:
    """What is left of one fill: base units, below zero where it was sold without being held; price in quote units."""

    quantity: Decimal
    price: Decimal
    opened: datetime
    fill_id: str


@dataclass(frozen=True, slots=True)
class Lots:
    """The open lots of a symbol, oldest first, and what closing the others realised, less every fee; quote units."""

    open: tuple[Lot, ...] = ()
    realised: Decimal = _ZERO
    fees: Decimal = _ZERO

    @property
    def quantity(self) -> Decimal:
        """Base units held."""
        with localcontext(_EXACT):
            return sum((lot.quantity for lot in self.open), _ZERO)

    @property
    def cost(self) -> Decimal:
        """What they were bought for, fees excluded."""
        with localcontext(_EXACT):
            return sum((lot.quantity * lot.price for lot in self.open), _ZERO)


@dataclass(frozen=True, slots=True)
class LotBook:
    """What fills have made of an account, lot by lot; `fees` as they were charged, by currency.

    `adjustments` counts the movements without a fill that are folded in.
    """

    lots: dict[str, Lots] = field(default_factory=dict)
    fees: dict[str, Decimal] = field(default_factory=dict)
    last_seq: int = 0
    adjustments: int = 0


@dataclass(frozen=True, slots=True)
class Costing:
    """A symbol, or all of a currency, by one method; quote units.

    Attributes:
        cost: of what is held, fees excluded.
        realised: profit taken, less every fee.
        fees: with those in another currency at what they cost, where a fill tells.
    """

    cost: Decimal
    realised: Decimal
    fees: Decimal


@dataclass(frozen=True, slots=True)
class SymbolProfit:
    """One symbol by both methods; they differ in which purchases a sale used up, never in their sum once it is flat."""

    symbol: str
    quantity: Decimal
    average: Costing
    fifo: Costing
    lots: tuple[Lot, ...]


@dataclass(frozen=True, slots=True)
class Profit:
    """Every symbol that was ever filled, by name.

    Attributes:
        fees: as they were charged, by currency; a rebate is negative.
        unpriced: the part of them in a currency that this account never bought: in no sum, because no fill says
            what it is worth.
    """

    symbols: tuple[SymbolProfit, ...]
    fees: dict[str, Decimal]
    unpriced: dict[str, Decimal]

    def average(self, quote: str) -> Costing:
        """The sum over the symbols of a quote currency, at average cost."""
        return _summed([each.average for each in self.symbols if currencies(each.symbol)[1] == quote])

    def fifo(self, quote: str) -> Costing:
        """The sum over the symbols of a quote currency, first in first out."""
        return _summed([each.fifo for each in self.symbols if currencies(each.symbol)[1] == quote])


# Of an account without a fill.
NO_PROFIT: Final = Profit((), {}, {})


def fold_lots(book: LotBook, fills: Iterable[tuple[int, Fill]]) -> LotBook:
    """Add fills, in the order of their sequence numbers; the book handed in stays as it is.

    First in first out: a sale closes the oldest lots. Nothing is divided, so nothing is rounded. Summed over the
    symbols of a quote currency, `cost - realised` moves exactly as that currency was spent. A fee in base units
    belongs to its own fill; one in a third currency closes the oldest lots of that coin at what they cost.
    """
    growing = {symbol: _Growing(deque(lots.open), lots.realised, lots.fees) for symbol, lots in book.lots.items()}
    fees, last_seq = dict(book.fees), book.last_seq
    with localcontext(_EXACT):
        for seq, fill in fills:
            own = growing.setdefault(fill.symbol, _Growing(deque()))
            effect = effect_of(fill)
            own.move(effect.change, fill)
            own.charge(effect.expense)
            if is_paid_in_coin(fill) and (coin := growing.get(coin_symbol(fill))) is not None:
                own.charge(coin.give(fill.fee, fill))
            fees[fill.fee_currency] = fees.get(fill.fee_currency, _ZERO) + fill.fee
            last_seq = seq
    return LotBook({symbol: each.frozen() for symbol, each in growing.items()}, fees, last_seq, book.adjustments)


def profit_of(book: Book, lot_book: LotBook) -> Profit:
    """Both methods side by side; the two books are made of the same fills."""
    symbols = tuple(
        SymbolProfit(
            symbol=symbol,
            quantity=held.quantity,
            average=Costing(held.cost, held.realised, held.fees),
            fifo=Costing(lots.cost, lots.realised, lots.fees),
            lots=lots.open,
        )
        for symbol, held in sorted(book.holdings.items())
        for lots in (lot_book.lots[symbol],)
    )
    unpriced = {currency: amount for currency, amount in book.unpriced.items() if amount}
    return Profit(symbols, {currency: amount for currency, amount in lot_book.fees.items() if amount}, unpriced)


def unit_cost(costing: Costing, quantity: Decimal) -> Decimal:
    """Cost of one base unit, quote units; 0 where nothing is held."""
    return (costing.cost / quantity).quantize(_STEP).normalize() if quantity else _ZERO


@dataclass(slots=True)
class _Growing:
    open: deque[Lot]
    realised: Decimal = _ZERO
    fees: Decimal = _ZERO

    def move(self, change: Decimal, fill: Fill) -> None:
        left = change
        while left and self.open and (self.open[0].quantity > 0) != (left > 0):
            closed, price = self._close_oldest(-left)
            self.realised += closed * (fill.price - price)
            left += closed
        if left:
            self.open.append(Lot(left, fill.price, fill.time, fill.id))

    def charge(self, expense: Decimal) -> None:
        self.realised -= expense
        self.fees += expense

    def give(self, fee: Decimal, fill: Fill) -> Decimal:
        """Pay a fee out of the lots, oldest first, as far as they reach; what they cost. A rebate becomes a lot."""
        held = self.open[0].quantity > 0 if self.open else False
        if fee < 0 and held:
            price = self.open[-1].price
            self.open.append(Lot(-fee, price, fill.time, fill.id))
            return fee * price
        cost, left = _ZERO, fee
        while left > 0 and self.open and self.open[0].quantity > 0:
            closed, price = self._close_oldest(left)
            cost += closed * price
            left -= closed
        return cost

    def _close_oldest(self, most: Decimal) -> tuple[Decimal, Decimal]:
        """Take `most`, which has the sign of the oldest lot, or all of that lot; the quantity taken and its price."""
        lot = self.open[0]
        if abs(lot.quantity) <= abs(most):
            self.open.popleft()
            return lot.quantity, lot.price
        self.open[0] = Lot(lot.quantity - most, lot.price, lot.opened, lot.fill_id)
        return most, lot.price

    def frozen(self) -> Lots:
        return Lots(tuple(self.open), self.realised, self.fees)


def _summed(parts: list[Costing]) -> Costing:
    with localcontext(_EXACT):
        return Costing(
            cost=sum((each.cost for each in parts), _ZERO),
            realised=sum((each.realised for each in parts), _ZERO),
            fees=sum((each.fees for each in parts), _ZERO),
        )
