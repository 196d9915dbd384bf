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
        quantity: below zero where more was sold than these fills bought.
        cost: what the quantity held was bought for, fees excluded, quote units; of a negative quantity, what it was
            sold for, negative.
        realised: profit taken on what was closed, less every fee paid so far, quote units.
        fees: all fees paid, quote units.
    """

    quantity: Decimal = _ZERO
    cost: Decimal = _ZERO
    realised: Decimal = _ZERO
    fees: Decimal = _ZERO


@dataclass(frozen=True, slots=True)
class Book:
    """What fills have made of an account.

    Attributes:
        movements: net change by currency.
        holdings: by symbol, at average cost.
        unpriced: fees by currency that no fill gives a price in the quote currency for; rebates are negative.
        adjustments: how many movements without a fill are folded in.
    """

    movements: dict[str, Decimal] = field(default_factory=dict)
    holdings: dict[str, Holding] = field(default_factory=dict)
    last_seq: int = 0
    unpriced: dict[str, Decimal] = field(default_factory=dict)
    adjustments: int = 0


@dataclass(frozen=True, slots=True)
class Effect:
    """What a fill does to its symbol: `change` base units at the fill's price, then `expense` quote units paid."""

    change: Decimal
    expense: Decimal


def fold(book: Book, fills: Iterable[tuple[int, Fill]]) -> Book:
    """Add fills, in the order of their sequence numbers, to a book; the book handed in stays as it is.

    Average-cost accounting: closing a part of a holding removes the same share of cost as of quantity. Summed over
    the symbols of a quote currency, `cost - realised` moves exactly as that currency was spent, so cash and profit
    never drift apart.
    """
    movements, holdings, unpriced = dict(book.movements), dict(book.holdings), dict(book.unpriced)
    last_seq = book.last_seq
    with localcontext(_EXACT):
        for seq, fill in fills:
            _move(movements, fill)
            effect = effect_of(fill)
            held = _moved(holdings.get(fill.symbol, Holding()), effect.change, fill.price)
            holdings[fill.symbol] = _charged(held, effect.expense)
            if is_paid_in_coin(fill):
                _pay_in_coin(holdings, unpriced, fill)
            last_seq = seq
    return Book(movements, holdings, last_seq, unpriced, book.adjustments)


def effect_of(fill: Fill) -> Effect:
    """Split a fill into a change of the holding and an expense.

    A fee in base units is a part of the quantity given away at the fill's price: less arrives of a purchase, more
    leaves with a sale. A fee in a third currency is not in here.
    """
    base, quote = currencies(fill.symbol)
    signed = fill.quantity if fill.side == "buy" else -fill.quantity
    if fill.fee_currency == base:
        return Effect(signed - fill.fee, fill.fee * fill.price)
    return Effect(signed, fill.fee if fill.fee_currency == quote else _ZERO)


def is_paid_in_coin(fill: Fill) -> bool:
    """True when the fee was taken in a currency that the symbol does not trade."""
    return fill.fee_currency not in currencies(fill.symbol)


def coin_symbol(fill: Fill) -> str:
    """Where the account holds the third currency that a fee was taken in, against the fill's quote currency."""
    return f"{fill.fee_currency}/{currencies(fill.symbol)[1]}"


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


def _moved(held: Holding, change: Decimal, price: Decimal) -> Holding:
    closing = closing_part(held.quantity, change)
    removed = _share(held, -closing)
    return replace(
        held,
        quantity=held.quantity + change,
        cost=held.cost - removed + (change - closing) * price,
        realised=held.realised - closing * price - removed,
    )


def closing_part(quantity: Decimal, change: Decimal) -> Decimal:
    """How much of a change brings a signed quantity towards zero; the rest of it opens a position."""
    if quantity * change >= 0:
        return _ZERO
    return change if abs(change) <= abs(quantity) else -quantity


def _share(held: Holding, part: Decimal) -> Decimal:
    """Cost of a part of a holding, exact for all of it."""
    if part == held.quantity or not held.quantity:
        return held.cost
    return (held.cost * part / held.quantity).quantize(_STEP)


def _charged(held: Holding, expense: Decimal) -> Holding:
    return replace(held, realised=held.realised - expense, fees=held.fees + expense)


def _pay_in_coin(holdings: dict[str, Holding], unpriced: dict[str, Decimal], fill: Fill) -> None:
    """Take a fee out of the coin that the account bought for it, at what that cost; a rebate is valued the same way."""
    source = coin_symbol(fill)
    held = holdings.get(source, Holding())
    given = min(fill.fee, held.quantity) if held.quantity > 0 else _ZERO
    cost = _share(held, given)
    if given:
        holdings[source] = replace(held, quantity=held.quantity - given, cost=held.cost - cost)
        holdings[fill.symbol] = _charged(holdings[fill.symbol], cost)
    if fill.fee != given:
        unpriced[fill.fee_currency] = unpriced.get(fill.fee_currency, _ZERO) + fill.fee - given


def currencies(symbol: str) -> tuple[str, str]:
    """Base and quote of a symbol: `BTC/USDT` -> `BTC`, `USDT`."""
    base, _, quote = symbol.partition("/")
    return base, quote.partition(":")[0]
