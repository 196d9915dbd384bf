"""Accounts: one for each owner, mode, market and currency, opened once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest

from engines.domain.orders import Account, OrderIntent
from engines.errors import InvalidRequest, NotFound
from engines.execution.context import OrderContext
from engines.execution.paper import PaperBroker
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit
from engines.ledger.ledger import Ledger
from engines.market.fixed import FixedMarket


def test_an_account_is_opened_once_even_by_many_at_once(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as pool:
        opened = list(
            pool.map(lambda _: ledger.ensure_account("ann", currency="USDT", cash=Decimal(5), market="demo"), range(8))
        )
    assert {account.id for account in opened} == {"paper-demo-usdt:ann"}
    assert [record.kind for record in ledger.audit()] == ["account_opened"]
    again = ledger.ensure_account("ann", currency="USDT", cash=Decimal(999), market="demo")
    assert again.balances == {"USDT": Decimal(5)}


def test_paper_money_of_one_market_is_not_anothers(ledger: Ledger) -> None:
    for market, currency in (("demo", "USDT"), ("files", "USD"), ("kraken", "USDT")):
        ledger.ensure_account("ann", currency=currency, cash=Decimal(100_000), market=market)
    assert ledger.accounts("ann") == ("paper-demo-usdt:ann", "paper-files-usd:ann", "paper-kraken-usdt:ann")
    assert ledger.accounts("ben") == ()


def test_an_account_is_hidden_from_everybody_but_its_owner(
    ledger: Ledger, account: Account, market: FixedMarket
) -> None:
    with pytest.raises(NotFound, match="no account"):
        ledger.account(account.id, owner="ben")
    with pytest.raises(NotFound, match="no account"):
        ledger.portfolio(account.id, market, owner="ben")


def test_a_symbol_of_another_currency_is_refused_before_any_price_is_asked(
    context: OrderContext, market: FixedMarket, account: Account
) -> None:
    market.listed += (replace(market.instrument("BTC/USDT"), symbol="BTC/EUR", quote="EUR"),)
    with pytest.raises(InvalidRequest, match="trades against EUR and this account holds USDT"):
        prepare_ticket(OrderIntent(account.id, "t", "BTC/EUR", "buy", Decimal("0.1")), context, owner="ann")


def test_orders_and_fills_are_listed_by_symbol_newest_first(
    context: OrderContext, paper: PaperBroker, account: Account
) -> None:
    for symbol, quantity in (("BTC/USDT", "0.1"), ("ETH/USDT", "1"), ("BTC/USDT", "0.05")):
        ticket = prepare_ticket(OrderIntent(account.id, "t", symbol, "buy", Decimal(quantity)), context, owner="ann")
        context.ledger.decide(ticket.id, "approve", ticket.hash, "ann")
        submit(ticket.id, context, paper)
    ledger = context.ledger
    assert [fill.quantity for fill in ledger.fills(account.id)] == [Decimal("0.05"), Decimal(1), Decimal("0.1")]
    assert {order.quantity for order in ledger.orders(account.id, symbol="BTC/USDT")} == {
        Decimal("0.1"),
        Decimal("0.05"),
    }
    assert ledger.orders(account.id, status="open") == ()
    first = ledger.fills(account.id)[0]
    assert ledger.order(first.order_id, owner="ann").fills == (first,)
    with pytest.raises(NotFound):
        ledger.order(first.order_id, owner="ben")


def test_a_portfolio_agrees_with_its_fills_to_the_cent(
    context: OrderContext, paper: PaperBroker, market: FixedMarket, account: Account
) -> None:
    for side, quantity in (("buy", "0.1"), ("buy", "0.03"), ("sell", "0.07")):
        intent = OrderIntent(account.id, "t", "BTC/USDT", "sell" if side == "sell" else "buy", Decimal(quantity))
        ticket = prepare_ticket(intent, context, owner="ann")
        context.ledger.decide(ticket.id, "approve", ticket.hash, "ann")
        submit(ticket.id, context, paper)
    market.set_quote("BTC/USDT", "65000", "65000.01")
    fills = context.ledger.fills(account.id)
    spent = sum((f.price * f.quantity if f.side == "buy" else -f.price * f.quantity for f in fills), Decimal(0))
    fees = sum((fill.fee for fill in fills), Decimal(0))
    portfolio = context.ledger.portfolio(account.id, market)
    [btc] = portfolio.positions
    assert portfolio.cash == Decimal(100_000) - spent - fees
    assert (portfolio.fees_paid, btc.quantity, btc.value) == (fees, Decimal("0.06"), Decimal("3900.0006"))
    assert portfolio.equity == portfolio.cash + btc.value
    assert abs(portfolio.equity - Decimal(100_000) - portfolio.unrealised - portfolio.realised) < Decimal("0.000001")
