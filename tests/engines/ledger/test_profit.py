"""Profit by lots and by average cost: two ways to say what the same cash did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from engines.domain.orders import Account, Fill, OrderIntent, Side
from engines.execution.context import OrderContext
from engines.execution.paper import PaperBroker
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit
from engines.ledger.book import Book, fold
from engines.ledger.ledger import Ledger
from engines.ledger.profit import LotBook, Profit, fold_lots, profit_of

OPENED = datetime(2026, 3, 2, tzinfo=UTC)


def traded(
    side: Side, quantity: str, price: str, fee: str = "0", currency: str = "USDT", symbol: str = "BTC/USDT"
) -> Fill:
    return Fill("id", "order", "a", symbol, side, Decimal(price), Decimal(quantity), Decimal(fee), currency, OPENED)


def decimals(*numbers: str | int) -> tuple[Decimal, ...]:
    return tuple(Decimal(number) for number in numbers)


def profit_from(*fills: Fill) -> Profit:
    numbered = list(enumerate(fills, start=1))
    return profit_of(fold(Book(), numbered), fold_lots(LotBook(), numbered))


def test_a_sale_uses_up_the_oldest_lots_first_and_the_average_by_the_other_method() -> None:
    [btc] = profit_from(
        traded("buy", "1", "100"), traded("buy", "1", "120"), traded("buy", "1", "170"), traded("sell", "1.5", "150")
    ).symbols
    assert (btc.fifo.realised, btc.fifo.cost) == (Decimal(50 + 15), Decimal(60 + 170))
    assert (btc.average.realised, btc.average.cost) == (Decimal(30), Decimal(195))
    assert [(lot.quantity, lot.price) for lot in btc.lots] == [decimals("0.5", 120), decimals(1, 170)]


def test_a_fee_in_base_units_reduces_the_lot_of_its_own_purchase() -> None:
    profit = profit_from(traded("buy", "1", "100"), traded("buy", "1", "200", "0.1", "BTC"))
    [btc] = profit.symbols
    assert [(lot.quantity, lot.price) for lot in btc.lots] == [decimals(1, 100), decimals("0.9", 200)]
    assert (btc.quantity, btc.fifo.realised, btc.fifo.fees) == (Decimal("1.9"), Decimal(-20), Decimal(20))
    assert profit.fees == {"BTC": Decimal("0.1")}


def test_a_fee_in_a_coin_the_account_bought_costs_what_that_coin_cost() -> None:
    profit = profit_from(
        traded("buy", "1", "300", symbol="BNB/USDT"),
        traded("buy", "1", "500", symbol="BNB/USDT"),
        traded("buy", "1", "100", "0.02", "BNB"),
    )
    bnb, btc = profit.symbols
    assert bnb.quantity == Decimal("1.98")
    assert (btc.fifo.fees, btc.fifo.realised) == (Decimal(6), Decimal(-6))
    assert (btc.average.fees, btc.average.realised) == (Decimal(8), Decimal(-8))
    assert (bnb.fifo.realised, bnb.average.realised) == decimals(0, 0)
    assert (profit.fees, profit.unpriced) == ({"BNB": Decimal("0.02")}, {})


def test_a_fee_in_a_coin_the_account_never_bought_is_told_and_put_into_no_sum() -> None:
    profit = profit_from(traded("buy", "1", "100", "0.02", "BNB"), traded("sell", "1", "110", "0.02", "BNB"))
    [btc] = profit.symbols
    assert (btc.fifo.realised, btc.average.realised) == (Decimal(10), Decimal(10))
    assert profit.unpriced == {"BNB": Decimal("0.04")}


def test_a_fee_larger_than_the_coin_that_is_left_is_priced_as_far_as_it_reaches() -> None:
    profit = profit_from(
        traded("buy", "0.01", "300", symbol="BNB/USDT"), traded("buy", "1", "100", "0.03", "BNB", "ETH/USDT")
    )
    bnb, eth = profit.symbols
    assert (bnb.quantity, bnb.fifo.cost, bnb.average.cost) == decimals(0, 0, 0)
    assert (eth.fifo.fees, eth.average.fees, profit.unpriced) == (Decimal(3), Decimal(3), {"BNB": Decimal("0.02")})


@pytest.mark.parametrize(("currency", "fee"), [("USDT", "-1"), ("BTC", "-0.01")])
def test_a_rebate_is_income_whichever_currency_it_comes_in(currency: str, fee: str) -> None:
    profit = profit_from(traded("buy", "1", "100", fee, currency))
    [btc] = profit.symbols
    assert (btc.fifo.realised, btc.fifo.fees) == (Decimal(1), Decimal(-1))
    assert btc.average == btc.fifo
    assert profit.fees[currency] == Decimal(fee)


def test_a_rebate_in_a_held_coin_adds_to_that_holding() -> None:
    profit = profit_from(
        traded("buy", "1", "300", symbol="BNB/USDT"),
        traded("buy", "1", "100", "-0.01", "BNB"),
        traded("sell", "1", "9"),
    )
    bnb, btc = profit.symbols
    assert (bnb.quantity, bnb.fifo.cost, bnb.average.cost) == (Decimal("1.01"), Decimal(303), Decimal(303))
    assert (btc.fifo.realised, btc.average.realised) == (Decimal(3 - 91), Decimal(3 - 91))


def test_selling_what_was_never_bought_is_a_position_below_zero_until_it_is_bought_back() -> None:
    sold = profit_from(traded("sell", "2", "100")).symbols[0]
    assert (sold.quantity, sold.fifo.cost, sold.average.cost, sold.fifo.realised) == decimals(-2, -200, -200, 0)
    [back] = profit_from(traded("sell", "2", "100"), traded("buy", "3", "90")).symbols
    assert (back.quantity, back.fifo.realised, back.average.realised, back.fifo.cost) == decimals(1, 20, 20, 90)


@st.composite
def histories(draw: st.DrawFn) -> list[Fill]:
    """Fills of three symbols on real steps, sales beyond what is held included; fees and rebates in any currency."""
    fills: list[Fill] = []
    for number in range(draw(st.integers(1, 30))):
        symbol = draw(st.sampled_from(["BTC/USDT", "ETH/USDT", "BNB/USDT"]))
        side: Side = draw(st.sampled_from(["buy", "buy", "sell"]))
        currency = draw(st.sampled_from(["USDT", symbol[:3], "BNB", "KCS"]))
        quantity = Decimal(draw(st.integers(1, 10**7))).scaleb(-5)
        price = Decimal(draw(st.integers(1, 10**8))).scaleb(-2)
        fee = Decimal(draw(st.integers(-(10**4), 10**5))).scaleb(-8) * (price if currency == "USDT" else 1)
        when = OPENED + timedelta(minutes=number)
        fills.append(Fill(f"t{number}", "order", "a", symbol, side, price, quantity, fee, currency, when))
    return fills


def _cash(fills: list[Fill]) -> Fraction:
    """What the fills did to the quote currency, in exact fractions and without any of our books."""
    spent = Fraction(0)
    for fill in fills:
        value = Fraction(fill.price) * Fraction(fill.quantity)
        spent += (-value if fill.side == "buy" else value) - (Fraction(fill.fee) if fill.fee_currency == "USDT" else 0)
    return spent


@given(histories())
def test_both_sums_agree_with_cash_to_the_last_digit(fills: list[Fill]) -> None:
    profit = profit_from(*fills)
    for method in (profit.fifo("USDT"), profit.average("USDT")):
        assert Fraction(method.realised) - Fraction(method.cost) == _cash(fills)


@given(histories())
def test_what_is_held_and_what_could_not_be_priced_is_what_every_coin_moved_by(fills: list[Fill]) -> None:
    profit, book = profit_from(*fills), fold(Book(), enumerate(fills, start=1))
    held = {each.symbol.partition("/")[0]: each for each in profit.symbols}
    for coin in ("BTC", "ETH", "BNB", "KCS"):
        quantity = held[coin].quantity if coin in held else Decimal(0)
        assert quantity - profit.unpriced.get(coin, Decimal(0)) == book.movements.get(coin, Decimal(0))
        if coin in held:
            assert sum((lot.quantity for lot in held[coin].lots), Decimal(0)) == quantity
            assert len({lot.quantity > 0 for lot in held[coin].lots}) <= 1


@given(histories())
def test_fees_by_currency_are_the_fees_that_were_charged(fills: list[Fill]) -> None:
    charged = {c: sum((f.fee for f in fills if f.fee_currency == c), Decimal(0)) for c in ("USDT", "BTC", "BNB", "KCS")}
    fees = profit_from(*fills).fees
    assert {c: fees.get(c, Decimal(0)) for c in charged} == charged


@given(histories(), st.sampled_from(["BTC/USDT", "ETH/USDT"]))
def test_a_symbol_without_coin_fees_realises_the_same_by_both_methods_once_it_is_flat(
    fills: list[Fill], symbol: str
) -> None:
    own = [f for f in fills if f.symbol == symbol and f.fee_currency in {"USDT", symbol[:3]}]
    left = sum((each.quantity for each in profit_from(*own).symbols), Decimal(0))
    if left:
        own.append(traded("sell" if left > 0 else "buy", str(abs(left)), "123.45", symbol=symbol))
    for each in profit_from(*own).symbols:
        assert each.quantity == 0
        assert (each.fifo.cost, each.average.cost) == decimals(0, 0)
        assert each.fifo.realised == each.average.realised


@given(histories(), st.integers(0, 30))
def test_lots_grown_in_two_steps_are_the_lots_folded_at_once(fills: list[Fill], cut: int) -> None:
    numbered = list(enumerate(fills, start=1))
    assert fold_lots(fold_lots(LotBook(), numbered[:cut]), numbered[cut:]) == fold_lots(LotBook(), numbered)


def test_the_ledger_tells_both_methods_from_its_fills_and_after_a_restart_the_same(
    context: OrderContext, account: Account, paper: PaperBroker, desk_engine: Engine
) -> None:
    orders: list[tuple[Side, str]] = [("buy", "0.1"), ("buy", "0.05"), ("sell", "0.12")]
    for side, quantity in orders:
        intent = OrderIntent(account.id, "thread-1", "BTC/USDT", side, Decimal(quantity))
        ticket = prepare_ticket(intent, context, owner="ann")
        context.ledger.decide(ticket.id, "approve", ticket.hash, "ann")
        submit(ticket.id, context, paper)
        before = context.ledger.profit(account.id, "ann")
    assert before.symbols[0].quantity == Decimal("0.03")
    portfolio = Ledger(desk_engine, context.clock).portfolio(account.id, context.market, "ann")
    assert portfolio.profit == before
    for method in (before.fifo("USDT"), before.average("USDT")):
        assert portfolio.starting_cash + method.realised - method.cost == portfolio.cash
