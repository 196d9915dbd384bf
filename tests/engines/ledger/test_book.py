"""Balances, positions and profit are what the fills made of them, to the last digit."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.domain.orders import Account, Fill, Side
from engines.ledger.book import Book, fold, positions
from engines.ledger.portfolio import value_account
from engines.market.fixed import FixedMarket

START = Decimal(100_000)


def traded(
    side: Side,
    quantity: str,
    price: str,
    fee: str = "0",
    currency: str = "USDT",
    symbol: str = "BTC/USDT",
) -> Fill:
    when = datetime(2026, 3, 2, tzinfo=UTC)
    return Fill("id", "order", "a", symbol, side, Decimal(price), Decimal(quantity), Decimal(fee), currency, when)


def booked(*fills: Fill) -> Book:
    return fold(Book(), enumerate(fills, start=1))


def test_a_round_trip_realises_its_profit_less_both_fees() -> None:
    book = booked(traded("buy", "0.1", "64000", "6.4"), traded("sell", "0.1", "65000", "6.5"))
    [position] = positions(book)
    assert (position.quantity, position.realised, position.fees) == (Decimal(0), Decimal("87.1"), Decimal("12.9"))
    assert book.movements == {"BTC": 0, "USDT": Decimal("87.1")}


def test_a_partial_sale_keeps_the_average_price_of_the_rest() -> None:
    book = booked(traded("buy", "1", "100"), traded("buy", "3", "120"), traded("sell", "2", "130"))
    [position] = positions(book)
    assert (position.quantity, position.average_price, position.realised) == (Decimal(2), Decimal(115), Decimal(30))


def test_a_fee_in_base_units_leaves_less_to_sell() -> None:
    book = booked(traded("buy", "1", "100", "0.001", "BTC"))
    [position] = positions(book)
    assert book.movements == {"BTC": Decimal("0.999"), "USDT": Decimal(-100)}
    assert (position.quantity, position.average_price) == (Decimal("0.999"), Decimal(100))
    assert (position.realised, position.fees) == (Decimal("-0.1"), Decimal("0.1"))


def test_a_fee_in_another_currency_moves_only_that_currency() -> None:
    book = booked(traded("buy", "1", "100", "0.02", "BNB"))
    assert book.movements == {"BTC": 1, "USDT": Decimal(-100), "BNB": Decimal("-0.02")}
    assert positions(book)[0].realised == 0


@st.composite
def histories(draw: st.DrawFn) -> list[Fill]:
    """Buys and sells of two symbols that never sell more than is held, on real steps, with fees and rebates."""
    fills: list[Fill] = []
    held = {"BTC/USDT": 0, "ETH/USDT": 0}
    for _ in range(draw(st.integers(1, 25))):
        symbol = draw(st.sampled_from(sorted(held)))
        selling = held[symbol] > 0 and draw(st.booleans())
        lots = draw(st.integers(1, held[symbol] if selling else 10**9))
        held[symbol] += -lots if selling else lots
        quantity = Decimal(lots).scaleb(-5)
        price = Decimal(draw(st.integers(1, 10**8))).scaleb(-2)
        fee = (price * quantity * draw(st.sampled_from([Decimal("0.001"), Decimal("-0.0001")]))).quantize(
            Decimal("1e-8")
        )
        fills.append(traded("sell" if selling else "buy", str(quantity), str(price), str(fee), symbol=symbol))
    return fills


@given(histories())
def test_cash_is_the_start_less_what_was_paid_and_fees_exactly(fills: list[Fill]) -> None:
    cash = START + booked(*fills).movements["USDT"]
    expected = Fraction(START)
    for fill in fills:
        value = Fraction(fill.price) * Fraction(fill.quantity)
        expected += (-value if fill.side == "buy" else value) - Fraction(fill.fee)
    assert Fraction(cash) == expected


@given(histories())
def test_cash_and_cost_and_profit_never_drift_apart(fills: list[Fill]) -> None:
    book = booked(*fills)
    for symbol, held in book.holdings.items():
        spent = sum(
            (f.price * f.quantity if f.side == "buy" else -f.price * f.quantity for f in fills if f.symbol == symbol),
            Decimal(0),
        )
        assert held.cost - held.realised == spent + held.fees
        assert held.quantity >= 0
        assert held.quantity > 0 or held.cost == 0


@given(histories(), st.integers(0, 25))
def test_a_book_grown_in_two_steps_is_the_book_folded_at_once(fills: list[Fill], cut: int) -> None:
    numbered = list(enumerate(fills, start=1))
    assert fold(fold(Book(), numbered[:cut]), numbered[cut:]) == fold(Book(), numbered)


@given(histories())
def test_equity_is_the_start_plus_profit_to_the_cent(fills: list[Fill]) -> None:
    book = booked(*fills)
    market = _market()
    account = Account("a", "ann", "paper", "USDT", {"USDT": START + book.movements["USDT"]}, {}, positions(book))
    portfolio = value_account(account, market)
    difference = portfolio.equity - (START + portfolio.unrealised + portfolio.realised)
    assert abs(difference) < Decimal("0.0001")
    assert portfolio.fees_paid == sum((fill.fee for fill in fills), Decimal(0))


def _market() -> FixedMarket:
    from engines.domain.clock import ManualClock
    from engines.domain.instruments import Instrument

    rules = [Decimal(step) for step in ("0.01", "0.00001", "0.00001", "5", "0", "0.001")]
    listed = tuple(Instrument(f"{base}/USDT", base, "USDT", *rules) for base in ("BTC", "ETH"))
    market = FixedMarket(listed, ManualClock(datetime(2026, 3, 2, tzinfo=UTC)))
    market.set_quote("BTC/USDT", "64119.99", "64120.00")
    market.set_quote("ETH/USDT", "3099.99", "3100.00")
    return market


def test_a_portfolio_shows_only_what_is_held_and_remembers_what_was_realised() -> None:
    book = booked(
        traded("buy", "2", "3000", "6", symbol="ETH/USDT"),
        traded("sell", "2", "3100", "6.2", symbol="ETH/USDT"),
        traded("buy", "0.1", "64000", "6.4"),
    )
    cash = START + book.movements["USDT"]
    account = Account("a", "ann", "paper", "USDT", {"USDT": cash, "BTC": Decimal("0.1")}, {}, positions(book))
    portfolio = value_account(account, _market())
    [btc] = portfolio.positions
    assert (btc.symbol, btc.mark, btc.value, btc.unrealised) == (
        "BTC/USDT",
        Decimal(64_120),
        Decimal(6_412),
        Decimal(12),
    )
    assert (portfolio.realised, portfolio.fees_paid) == (Decimal("181.4"), Decimal("18.6"))
    assert portfolio.equity == cash + 6_412
    assert portfolio.as_of == datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize("symbol", ["BTC/USD", "ETH/EUR"])
def test_money_moves_in_the_symbols_own_currencies(symbol: str) -> None:
    base, quote = symbol.split("/")
    book = booked(traded("buy", "1", "10", "0.01", quote, symbol))
    assert book.movements == {base: 1, quote: Decimal("-10.01")}
