"""One odd last trade values no holding: bid and ask say what it is worth."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engines.execution.losses import watch_losses
from engines.ledger.portfolio import value_account

HUGE = Decimal(10**9)
ODD = ["641200", "6412", "NaN", "Infinity", "0", "-1"]


def printed(desk: Any, last: str) -> None:
    """A last trade of BTC that has nothing to do with what it is bid and asked for."""
    quote = desk.market.quote("BTC/USDT")
    desk.market._quotes["BTC/USDT"] = replace(quote, last=Decimal(last))


@pytest.mark.parametrize("last", ODD)
def test_an_odd_print_makes_neither_a_loss_nor_a_peak(desk: Any, last: str) -> None:
    desk.limit(max_order_notional=HUGE, max_symbol_exposure=None)
    desk.trade("buy", "1")
    assert watch_losses(desk.context) == ()
    before = desk.context.ledger.activity(desk.account.id).peak_equity
    printed(desk, last)
    assert watch_losses(desk.context) == ()
    desk.at(64_120)
    assert watch_losses(desk.context) == ()
    assert desk.context.ledger.activity(desk.account.id).peak_equity == before


@pytest.mark.parametrize("last", ODD)
def test_an_odd_print_of_what_is_held_does_not_size_an_order_in_something_else(desk: Any, last: str) -> None:
    desk.trade("buy", "0.1")
    usual = desk.ticket(symbol="ETH/USDT", amount="1", unit="percent")
    printed(desk, last)
    odd = desk.ticket(symbol="ETH/USDT", amount="1", unit="percent")
    assert abs(odd.quantity - usual.quantity) <= Decimal("0.0001")


@pytest.mark.parametrize("last", ODD)
def test_what_a_person_reads_as_equity_is_what_the_limits_count(desk: Any, last: str) -> None:
    desk.trade("buy", "0.1")
    usual = value_account(desk.context.ledger.account(desk.account.id), desk.market).equity
    printed(desk, last)
    assert abs(value_account(desk.context.ledger.account(desk.account.id), desk.market).equity - usual) < 1
