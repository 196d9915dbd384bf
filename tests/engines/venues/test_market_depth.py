"""Order books of live markets: ccxt over the emulator, and paper orders that walk them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engines.domain.clock import SystemClock
from engines.domain.orders import OrderTicket
from engines.errors import NotFound, OrderRejected, VenueUnavailable
from engines.execution.broker import ApprovedTicket
from engines.execution.paper import PaperBroker
from engines.execution.paper_model import PaperModel
from engines.ledger.ledger import Ledger
from engines.market.ccxt_market import CcxtMarket
from engines.storage.database import open_database

SYMBOLS = {"binance": "BTC/USDT", "bybit": "BTC/USDT", "kraken": "BTC/USD"}
Live = tuple[CcxtMarket, Any, str]


@pytest.fixture(params=sorted(SYMBOLS))
def live(request: pytest.FixtureRequest, open_venue: Callable[..., Any], on_loopback: Callable[[Any], Any]) -> Live:
    """A live market over the emulator, the emulator's door, and a symbol it lists."""
    venue, symbol = request.param, SYMBOLS[request.param]
    door = open_venue(venue)
    door.price(symbol=symbol, price="50000", quantity="0.5", depth=3, gap="5")

    def configure(exchange: Any) -> None:
        exchange.options |= {"fetchCurrencies": False, "fetchMargins": False}
        if venue != "kraken":
            exchange.options["fetchMarkets"] = {"types": ["spot"]}
        on_loopback(exchange)

    market = CcxtMarket(venue, SystemClock(), configure=configure, sleep=lambda seconds: None)
    return market, door, symbol


def test_the_book_is_the_exchanges_own_level_by_level(live: Live) -> None:
    market, _, symbol = live
    book = market.order_book(symbol)
    assert book is not None
    assert [(level.price, level.quantity) for level in book.asks[:3]] == [
        (Decimal(50_005), Decimal("0.5")),
        (Decimal(50_010), Decimal("0.5")),
        (Decimal(50_015), Decimal("0.5")),
    ]
    assert book.bids[0].price == Decimal(49_995)
    assert abs(SystemClock().now() - book.time) < timedelta(minutes=1)
    with pytest.raises(NotFound):
        market.order_book("NOPE/USD")


def test_an_exchange_without_a_book_or_an_answer_is_an_error_and_no_empty_book(live: Live) -> None:
    market, door, symbol = live
    door.withdraw(symbol=symbol)
    with pytest.raises(VenueUnavailable, match="no usable order book"):
        market.order_book(symbol)
    door.fault(kind="unavailable_before", route="book", count=-1)
    with pytest.raises(VenueUnavailable):
        market.order_book(symbol)


def test_a_paper_order_walks_a_live_book_and_sends_nothing(
    live: Live, ticket: Callable[..., OrderTicket], tmp_path: Path
) -> None:
    market, door, symbol = live
    engine, clock = open_database("desk", home=tmp_path), SystemClock()
    quote = symbol.partition("/")[2]
    account = Ledger(engine, clock).ensure_account("ann", currency=quote, cash=Decimal(100_000), market=market.name)
    paper = PaperBroker(engine, market, clock, account=account.id, rules=PaperModel(latency=timedelta(0)))
    fields = {"symbol": symbol, "account": account.id, "market": market.name}
    order = paper.place(ApprovedTicket(ticket(quantity=Decimal("1.2"), **fields)))
    assert [(fill.price, fill.quantity) for fill in order.fills] == [
        (Decimal(50_005), Decimal("0.5")),
        (Decimal(50_010), Decimal("0.5")),
        (Decimal(50_015), Decimal("0.2")),
    ]
    assert door.truth()["orders"] == []
    door.withdraw(symbol=symbol)
    with pytest.raises(OrderRejected, match="has no price"):
        paper.place(ApprovedTicket(ticket(**fields)))
    engine.dispose()
