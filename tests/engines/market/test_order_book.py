"""Order books: what makes one sound, and the simulated market's, which is a pure function of time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.book import Level, OrderBook
from engines.domain.clock import ManualClock
from engines.errors import NotFound
from engines.market.data import order_book_of
from engines.market.demo import DemoMarket
from engines.market.demo_book import LEVELS
from engines.market.fixed import FixedMarket

START = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)
SYMBOLS = [instrument.symbol for instrument in DemoMarket(ManualClock(START)).instruments()]


def level(price: str, quantity: str = "1") -> Level:
    return Level(Decimal(price), Decimal(quantity))


BOOK = OrderBook("BTC/USDT", (level("99"), level("98")), (level("101"), level("102")), START, "fixed", simulated=True)


def test_a_book_whose_sides_are_in_order_is_sound() -> None:
    assert BOOK.is_sound
    assert BOOK.taking("buy") == BOOK.asks
    assert BOOK.taking("sell") == BOOK.bids


@pytest.mark.parametrize(
    "wrong",
    [
        {"bids": ()},
        {"asks": ()},
        {"bids": (level("98"), level("99"))},
        {"asks": (level("102"), level("101"))},
        {"bids": (level("101.5"),)},
        {"asks": (level("101", "0"),)},
        {"asks": (level("101", "NaN"),)},
        {"bids": (level("-1"),)},
        {"asks": (level("Infinity"),)},
    ],
)
def test_a_book_that_cannot_be_is_not_sound(wrong: dict[str, Any]) -> None:
    assert not replace(BOOK, **wrong).is_sound


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SYMBOLS), st.integers(0, 20 * 365 * 86_400))
def test_the_simulated_book_stands_around_the_quote_on_whole_ticks_and_lots(symbol: str, seconds: int) -> None:
    market = DemoMarket(ManualClock(datetime(2005, 1, 3, tzinfo=UTC) + timedelta(seconds=seconds)))
    book, quote, instrument = market.order_book(symbol), market.quote(symbol), market.instrument(symbol)
    assert book.is_sound
    assert (book.bids[0].price, book.asks[0].price, book.time) == (quote.bid, quote.ask, quote.time)
    assert len(book.asks) == LEVELS
    for each in (*book.bids, *book.asks):
        assert each.price % instrument.tick_size == 0
        assert each.quantity == instrument.round_quantity(each.quantity) >= instrument.lot_size
    assert all(len({each.price for each in side}) == len(side) for side in (book.bids, book.asks))
    # Two thousandths of the price, or a tick for each level where the tick is coarse.
    assert book.asks[-1].price - quote.ask <= max(quote.ask * Decimal("0.002"), LEVELS * instrument.tick_size)


def test_the_simulated_book_is_the_same_wherever_and_whenever_it_is_computed() -> None:
    clock = ManualClock(START)
    first = DemoMarket(clock).order_book("ETH/USDT")
    assert DemoMarket(ManualClock(START)).order_book("ETH/USDT") == first
    clock.advance(timedelta(seconds=1))
    assert DemoMarket(clock).order_book("ETH/USDT").asks != first.asks
    assert DemoMarket(ManualClock(START), seed=8).order_book("ETH/USDT").asks != first.asks


def test_an_ordinary_order_fits_into_the_best_level_of_every_simulated_symbol() -> None:
    market = DemoMarket(ManualClock(START))
    for symbol in SYMBOLS:
        best = market.order_book(symbol).asks[0]
        assert best.price * best.quantity > 500, symbol


def test_an_unknown_symbol_has_no_book() -> None:
    with pytest.raises(NotFound):
        DemoMarket(ManualClock(START)).order_book("NOPE/USDT")


def test_a_market_without_depth_gives_no_book() -> None:
    class Quotes:
        """A market that knows prices alone, as imported candles do."""

        name, simulated = "quotes", True
        now = instruments = instrument = closed_candles = quote = None

    assert order_book_of(Quotes(), "BTC/USDT") is None  # type: ignore[arg-type]


def test_a_book_that_was_set_by_hand_goes_with_the_next_price() -> None:
    market = FixedMarket((DemoMarket(ManualClock(START)).instrument("BTC/USDT"),), ManualClock(START))
    market.set_book("BTC/USDT", bids={"99": "1"}, asks={"101": "2", "102": "3"})
    book = order_book_of(market, "BTC/USDT")
    assert book is not None
    assert book.asks == (level("101", "2"), level("102", "3"))
    assert (market.quote("BTC/USDT").bid, market.quote("BTC/USDT").ask) == (Decimal(99), Decimal(101))
    market.set_quote("BTC/USDT", "100", "102")
    assert order_book_of(market, "BTC/USDT") is None
