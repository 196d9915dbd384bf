"""Balances and positions, from fills alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext

from engines.domain.orders import Fill, Position

# Sums and products of prices, quantities and fees stay exact with this many digits.
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_ZERO = Decimal(0)
# Shares of a cost are rounded here, once: the part removed and the part that stays always add up.
_STEP = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class Holding:
    """A position in the making.

    Attributes:
        cost: what the quantity held was bought for, fees excluded, quote units.
        realised: profit taken on what was sold, less every fee paid so far, quote units.
        fees: all fees paid, quote units.
    """

    quantity: Decimal = _ZERO
    cost: Decimal = _ZERO
    realised: Decimal = _ZERO
    fees: Decimal = _ZERO


@dataclass(frozen=True, slots=True)
class Book:
    """What fills have made of an account: movements by currency and holdings by symbol."""

    movements: dict[str, Decimal] = field(default_factory=dict)
    holdings: dict[str, Holding] = field(default_factory=dict)
    last_seq: int = 0


def fold(book: Book, fills: Iterable[tuple[int, Fill]]) -> Book:
    """Add fills, in the order of their sequence numbers, to a book; the book handed in stays as it is.

    Average-cost accounting: a sale removes the same share of cost as of quantity. For each symbol
    `cost - realised - fees` moves exactly as the quote currency spent, so cash and profit never drift apart.
    """
    movements, holdings, last_seq = dict(book.movements), dict(book.holdings), book.last_seq
    with localcontext(_EXACT):
        for seq, fill in fills:
            _move(movements, fill)
            holdings[fill.symbol] = _applied(holdings.get(fill.symbol, Holding()), fill)
            last_seq = seq
    return Book(movements, holdings, last_seq)


def positions(book: Book) -> tuple[Position, ...]:
    """Every symbol ever filled, by name; a closed one has quantity 0 and keeps what it realised."""
    return tuple(
        Position(symbol, held.quantity, _average(held), held.realised, held.fees)
        for symbol, held in sorted(book.holdings.items())
    )


def _average(held: Holding) -> Decimal:
    return (held.cost / held.quantity).quantize(_STEP).normalize() if held.quantity else _ZERO


def _move(movements: dict[str, Decimal], fill: Fill) -> None:
    base, quote = currencies(fill.symbol)
    sign = 1 if fill.side == "buy" else -1
    for currency, amount in (
        (base, sign * fill.quantity),
        (quote, -sign * fill.price * fill.quantity),
        (fill.fee_currency, -fill.fee),
    ):
        movements[currency] = movements.get(currency, _ZERO) + amount


def _applied(held: Holding, fill: Fill) -> Holding:
    base, quote = currencies(fill.symbol)
    value = fill.price * fill.quantity
    if fill.side == "buy":
        held = replace(held, quantity=held.quantity + fill.quantity, cost=held.cost + value)
    else:
        held = _reduced(held, fill.quantity, value)
    if fill.fee_currency == quote:
        return replace(held, realised=held.realised - fill.fee, fees=held.fees + fill.fee)
    if fill.fee_currency == base:
        # A fee taken in base units is a piece of the holding given away.
        return replace(_reduced(held, fill.fee, _ZERO), fees=held.fees + fill.fee * fill.price)
    return held


def _reduced(held: Holding, quantity: Decimal, proceeds: Decimal) -> Holding:
    removed = held.cost
    if quantity != held.quantity:
        removed = (held.cost * quantity / held.quantity).quantize(_STEP) if held.quantity else _ZERO
    return replace(
        held,
        quantity=held.quantity - quantity,
        cost=held.cost - removed,
        realised=held.realised + proceeds - removed,
    )


def currencies(symbol: str) -> tuple[str, str]:
    """Base and quote of a symbol: `BTC/USDT` -> `BTC`, `USDT`."""
    base, _, quote = symbol.partition("/")
    return base, quote.partition(":")[0]
