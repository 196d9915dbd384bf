"""The contract of `MarketData`, held by the simulated market, imported files and a live exchange alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.domain.candles import CandleFrame
from engines.domain.clock import ManualClock
from engines.domain.timeframe import duration_ms, to_ms
from engines.errors import ConfigurationError, InsufficientData, InvalidRequest, NotFound
from engines.market.ccxt_market import CcxtMarket
from engines.market.data import MarketData
from engines.market.factory import open_market
from engines.market.importing import import_candles
from engines.market.store import CandleStore
from engines.storage.database import open_database

MakeCandles = Callable[..., CandleFrame]


@pytest.fixture(params=["demo", "files", "files on postgresql", "binance", "kraken"])
def market(
    request: pytest.FixtureRequest,
    clock: ManualClock,
    tmp_path: Path,
    make_candles: MakeCandles,
    write_csv: Callable[..., Path],
) -> Iterator[MarketData]:
    """Each market in turn, with at least 400 hours of BTC."""
    if request.param in {"binance", "kraken"}:
        exchange = request.getfixturevalue("fake_exchange")
        yield CcxtMarket(request.param, clock, configure=exchange.configure)
        return
    url = request.getfixturevalue("postgres_database") if "postgresql" in request.param else ""
    if request.param != "demo":
        engine = open_database("candles", home=tmp_path, url=url)
        path = write_csv(make_candles(400))
        import_candles(path, symbol="BTC/USD", timeframe="1h", store=CandleStore(engine))
        engine.dispose()
    yield open_market(request.param.partition(" ")[0], home=tmp_path, clock=clock, database_url=url)


@pytest.fixture
def symbol(market: MarketData) -> str:
    return next(each.symbol for each in market.instruments() if each.base == "BTC")


def test_it_has_a_name_and_says_whether_it_is_simulated(market: MarketData, symbol: str) -> None:
    candles, quote = market.closed_candles(symbol, "1h", count=3), market.quote(symbol)
    assert market.name in {"demo", "files", "binance", "kraken"}
    assert candles.market == quote.market == market.name
    assert candles.simulated == quote.simulated == market.simulated == (market.name == "demo")


def test_now_is_an_aware_time_not_before_any_candle_or_quote(market: MarketData, symbol: str) -> None:
    assert market.now().tzinfo is not None
    assert market.now().utcoffset() == timedelta(0)
    assert market.closed_candles(symbol, "1h", count=1).as_of <= market.now()
    assert market.quote(symbol).time <= market.now()


def test_instruments_are_sorted_and_found_by_symbol(market: MarketData) -> None:
    instruments = market.instruments()
    assert [each.symbol for each in instruments] == sorted(each.symbol for each in instruments)
    for instrument in instruments:
        assert market.instrument(instrument.symbol) == instrument
        assert instrument.symbol.startswith(f"{instrument.base}/{instrument.quote}")
        assert min(instrument.tick_size, instrument.lot_size, instrument.min_quantity) > 0
        assert Decimal(0) <= instrument.maker_fee <= instrument.taker_fee < Decimal("0.01")


def test_candles_are_closed_ascending_and_sane(market: MarketData, symbol: str) -> None:
    candles = market.closed_candles(symbol, "1h", count=100)
    assert len(candles) == 100
    assert (candles.symbol, candles.timeframe) == (symbol, "1h")
    assert candles.open_time.dtype == np.int64
    assert all(column.dtype == np.float64 for column in (candles.open, candles.high, candles.low, candles.close))
    assert (np.diff(candles.open_time) == duration_ms("1h")).all()
    assert (candles.high >= np.maximum(candles.open, candles.close)).all()
    assert (candles.low <= np.minimum(candles.open, candles.close)).all()
    assert (candles.low > 0).all()
    assert (candles.volume >= 0).all()


def test_the_past_is_what_it_was(market: MarketData, symbol: str) -> None:
    whole = market.closed_candles(symbol, "1h", count=60)
    for hours in (0, 1, 7, 23):
        as_of = whole.as_of - timedelta(hours=hours)
        for instant in (as_of, as_of + timedelta(minutes=59, seconds=59, milliseconds=999)):
            if instant > market.now():
                continue
            past = market.closed_candles(symbol, "1h", count=30, as_of=instant)
            assert past.as_of == as_of
            np.testing.assert_array_equal(past.close, whole.close[30 - hours : 60 - hours])


def test_longer_candles_end_by_the_instant_they_are_asked_for(market: MarketData, symbol: str) -> None:
    days = market.closed_candles(symbol, "1d", count=5)
    assert len(days) == 5
    assert days.as_of <= market.now()
    assert (days.open_time % duration_ms("1d") == 0).all()


def test_the_future_and_empty_windows_are_refused(market: MarketData, symbol: str) -> None:
    with pytest.raises(InvalidRequest, match="in the future"):
        market.closed_candles(symbol, "1h", as_of=market.now() + timedelta(minutes=1))
    for count in (0, -5):
        with pytest.raises(InvalidRequest, match="asks for no candle"):
            market.closed_candles(symbol, "1h", count=count)
    with pytest.raises(InvalidRequest, match="no time zone"):
        market.closed_candles(symbol, "1h", as_of=datetime(2024, 1, 5))  # noqa: DTZ001 - the point of it


def test_before_the_beginning_there_is_insufficient_data(market: MarketData, symbol: str, request: Any) -> None:
    if market.name in {"binance", "kraken"}:
        request.getfixturevalue("fake_exchange").listed_since = to_ms(market.now()) - 10**9
    with pytest.raises(InsufficientData, match=f"{symbol}"):
        market.closed_candles(symbol, "1h", count=5, as_of=datetime(1990, 1, 1, tzinfo=UTC))


def test_a_quote_has_bid_last_and_ask_on_the_tick(market: MarketData, symbol: str) -> None:
    quote, tick = market.quote(symbol), market.instrument(symbol).tick_size
    assert quote.symbol == symbol
    assert 0 < quote.bid <= quote.last <= quote.ask
    assert quote.ask - quote.bid >= tick
    assert quote.bid % tick == quote.ask % tick == 0


@pytest.mark.parametrize("unknown", ["NOPE/NADA", "BTC", "", "btc/usdt"])
def test_an_unknown_symbol_is_not_found_and_the_nearest_are_named(
    market: MarketData, symbol: str, unknown: str
) -> None:
    for ask in (market.instrument, market.quote, lambda name: market.closed_candles(name, "1h")):
        with pytest.raises(NotFound, match=symbol):
            ask(unknown)


def test_a_market_nobody_knows_is_a_configuration_error(tmp_path: Path, clock: ManualClock) -> None:
    with pytest.raises(ConfigurationError, match="no market 'demoo'"):
        open_market("demoo", home=tmp_path, clock=clock)
