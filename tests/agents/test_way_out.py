"""What is offered instead of an order over a limit is that order in every part but its quantity."""

from __future__ import annotations

from decimal import Decimal

import pytest

from agents.nodes.way_out import way_out
from agents.reading import ReadingContext, read
from engines.errors import NotFound, RiskDenied

CONTEXT = ReadingContext(symbols=("BTC/USDT", "ETH/USDT"), quote_currency="USDT")
DENIED = RiskDenied("Not possible.", largest=Decimal("0.120"))


@pytest.mark.parametrize(
    "order",
    [
        "buy 5 btc",
        "buy 5 btc, stop 60000.5, target 80000",
        "buy 5 btc, stop 2.5 atr",
        "buy 5 btc at 58000, stop 55000, good till friday 18:00",
        "buy 5 btc at 58000 good for 3 hours",
        "buy 5 btc at 58000 good till the 27th",
        "buy 5 btc at 58000 fill or kill",
        "buy stop 65000, 5 btc, stop loss 60000, target 80000",
        "sell 5 eth at 4000 for today only",
        "sell stop 3000, 5 eth",
    ],
)
def test_the_words_offered_read_as_the_same_order_with_the_quantity_that_passes(order: str) -> None:
    (asked,) = read(order, CONTEXT).requests
    (words,) = way_out(DENIED, asked.tool, asked.args)
    (offered,) = read(words, CONTEXT).requests

    assert (offered.tool, offered.args) == (asked.tool, asked.args | {"quantity": 0.12})


def test_an_order_sized_by_its_risk_keeps_its_stop() -> None:
    (asked,) = read("risk 1 % on btc, stop 2 atr", CONTEXT).requests

    assert way_out(DENIED, asked.tool, asked.args) == ("Buy 0.12 BTC, stop 2 atr",)


def test_nothing_is_offered_where_nothing_passes_or_no_new_order_was_asked_for() -> None:
    order = {"symbol": "BTC/USDT", "side": "buy"}

    assert way_out(RiskDenied("Not possible."), "propose_order", order) == ()
    assert way_out(NotFound("No such market."), "propose_order", order) == ()
    assert way_out(DENIED, "propose_replace", {"symbol": "BTC/USDT", "order_id": "qtp-1"}) == ()
