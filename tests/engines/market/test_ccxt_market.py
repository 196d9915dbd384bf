"""Live public data through ccxt, against a loopback exchange in two dialects and with faults."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from engines.domain.clock import ManualClock
from engines.domain.timeframe import to_ms
from engines.errors import ConfigurationError, InsufficientData, InvalidRequest, NotFound, VenueUnavailable
from engines.market.ccxt_market import CcxtMarket

HOUR_MS = 3_600_000
Open = Callable[[str], CcxtMarket]


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def open_market(clock: ManualClock, fake_exchange: Any, pauses: list[float]) -> Open:
    def open_(exchange_id: str) -> CcxtMarket:
        return CcxtMarket(
            exchange_id, clock, configure=fake_exchange.configure, sleep=pauses.append, jitter=lambda: 0.5
        )

    return open_


@pytest.fixture(params=["binance", "kraken"])
def market(request: pytest.FixtureRequest, open_market: Open) -> CcxtMarket:
    return open_market(request.param)


def test_only_closed_candles_are_served(market: CcxtMarket, clock: ManualClock) -> None:
    candles = market.closed_candles("BTC/USDT", "1h", count=10)
    assert len(candles) == 10
    assert candles.as_of == clock.now().replace(minute=0, second=0)
    assert (np.diff(candles.open_time) == HOUR_MS).all()
    assert (candles.open[0], candles.high[0], candles.low[0], candles.volume[0]) == (100.1, 101.2, 99.3, 5.5)


def test_nothing_leaves_loopback_and_no_key_is_set(market: CcxtMarket, fake_exchange: Any) -> None:
    seen: list[Any] = []

    def watch(exchange: Any) -> None:
        fake_exchange.configure(exchange)
        seen.append(exchange)

    watched = CcxtMarket(market.name, ManualClock(market.now()), configure=watch)
    watched.quote("BTC/USDT")
    (exchange,) = seen
    assert all(url.startswith("http://127.0.0.1:") for url in exchange.urls["api"].values())
    assert not exchange.apiKey
    assert not exchange.secret


def test_a_quote_has_the_best_prices_now(market: CcxtMarket, clock: ManualClock) -> None:
    quote = market.quote("BTC/USDT")
    assert (quote.bid, quote.ask, quote.last) == (Decimal("100.1"), Decimal("100.3"), Decimal("100.2"))
    assert timedelta(0) <= clock.now() - quote.time < timedelta(seconds=1)
    assert (quote.market, quote.simulated) == (market.name, False)


@pytest.mark.parametrize(("ahead_ms", "kept_ms"), [(-90_000, -90_000), (1_500, 0), (5_000, 5_000)])
def test_a_quote_is_as_old_or_as_far_ahead_as_the_exchange_says(
    open_market: Open, fake_exchange: Any, clock: ManualClock, ahead_ms: int, kept_ms: int
) -> None:
    fake_exchange.ahead_ms = ahead_ms
    assert open_market("binance").quote("BTC/USDT").time - clock.now() == timedelta(milliseconds=kept_ms)


def test_trading_rules_are_the_exchanges_own(open_market: Open) -> None:
    binance, kraken = (open_market(name).instrument("BTC/USDT") for name in ("binance", "kraken"))
    assert (binance.tick_size, binance.lot_size) == (Decimal("0.01"), Decimal("0.00001"))
    assert (binance.min_quantity, binance.min_notional) == (Decimal("0.0001"), Decimal(5))
    assert (kraken.tick_size, kraken.lot_size) == (Decimal("0.1"), Decimal("0.00000001"))
    assert (kraken.maker_fee, kraken.taker_fee) == (Decimal("0.0025"), Decimal("0.004"))


def test_unlisted_and_halted_symbols_are_not_found(open_market: Open) -> None:
    market = open_market("binance")
    assert [each.symbol for each in market.instruments()] == ["BTC/USDT", "ETH/USDT"]
    for symbol in ("OLD/USDT", "BTC/EUR"):
        with pytest.raises(NotFound, match=r"not listed on Binance\. Nearest: .*BTC/USDT"):
            market.closed_candles(symbol, "1h")


def test_the_list_of_markets_is_asked_for_once_an_hour(
    open_market: Open, fake_exchange: Any, clock: ManualClock
) -> None:
    market = open_market("binance")
    for _ in range(3):
        market.instrument("BTC/USDT")
    clock.advance(timedelta(minutes=61))
    market.instrument("BTC/USDT")
    assert sum("exchangeInfo" in path for path in fake_exchange.requests) == 2


def test_a_timeframe_the_exchange_lacks_names_those_it_has(open_market: Open) -> None:
    with pytest.raises(InvalidRequest, match=r"Kraken has no 6h candles. Use one of 1m, 5m, 15m, 30m, 1h, 4h, 1d, 1w"):
        open_market("kraken").closed_candles("BTC/USDT", "6h")


def test_long_windows_are_fetched_page_by_page(open_market: Open, fake_exchange: Any) -> None:
    candles = open_market("binance").closed_candles("BTC/USDT", "1m", count=2_500)
    assert len(candles) == 2_500
    assert (np.diff(candles.open_time) == 60_000).all()
    assert sum("klines" in path for path in fake_exchange.requests) == 3


def test_short_pages_are_joined(open_market: Open, fake_exchange: Any) -> None:
    fake_exchange.page_size = 90
    candles = open_market("binance").closed_candles("BTC/USDT", "1h", count=500)
    assert len(candles) == 500
    assert (np.diff(candles.open_time) == HOUR_MS).all()


def test_an_empty_page_is_looked_behind(open_market: Open, fake_exchange: Any) -> None:
    fake_exchange.faults = [lambda rows: []]
    candles = open_market("binance").closed_candles("BTC/USDT", "1m", count=1_500)
    assert len(candles) == 500, "the first 1,000 minutes are the hole, the rest is there"


def test_repeated_and_shuffled_rows_are_put_in_order(market: CcxtMarket, fake_exchange: Any) -> None:
    fake_exchange.faults = [lambda rows: [*rows[::-1], *rows[:5]]]
    candles = market.closed_candles("BTC/USDT", "1h", count=50)
    assert len(candles) == 50
    assert (np.diff(candles.open_time) == HOUR_MS).all()


def test_rows_that_are_no_candles_are_left_out_and_logged(
    market: CcxtMarket, fake_exchange: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def spoil(rows: list[list[Any]]) -> list[list[Any]]:
        rows[3][2], rows[5][4], rows[7][0] = "1", None, rows[7][0] + 5_000
        return rows

    fake_exchange.faults = [spoil]
    assert len(market.closed_candles("BTC/USDT", "1h", count=50)) == 47
    assert "3 of 51 rows of BTC/USDT 1h are no candles, the first: high 1 is below" in caplog.text


def test_rows_that_are_all_off_the_grid_are_refused(market: CcxtMarket, fake_exchange: Any) -> None:
    fake_exchange.faults = [lambda rows: [[row[0] + 60_000, *row[1:]] for row in rows]]
    with pytest.raises(VenueUnavailable, match=r"no usable 1h candle of BTC/USDT .*is no start of a 1h candle"):
        market.closed_candles("BTC/USDT", "1h", count=50)


def test_the_last_candle_waits_for_its_successor_or_for_time_to_pass(
    market: CcxtMarket, fake_exchange: Any, clock: ManualClock
) -> None:
    clock.advance(clock.now().replace(minute=0, second=1) + timedelta(hours=1) - clock.now())
    an_hour = clock.now().replace(minute=0, second=0)
    assert market.closed_candles("BTC/USDT", "1h", count=5).as_of == an_hour, "its successor has begun"
    without_successor = lambda rows: [row for row in rows if row[0] + HOUR_MS <= to_ms(clock.now())]  # noqa: E731
    fake_exchange.faults = [without_successor]
    assert market.closed_candles("BTC/USDT", "1h", count=5).as_of == an_hour - timedelta(hours=1)
    clock.advance(timedelta(seconds=5))
    fake_exchange.faults = [without_successor]
    assert market.closed_candles("BTC/USDT", "1h", count=5).as_of == an_hour


def test_the_past_is_served_as_of_then(market: CcxtMarket, clock: ManualClock) -> None:
    as_of = clock.now() - timedelta(hours=20)
    candles = market.closed_candles("BTC/USDT", "1h", count=5, as_of=as_of)
    assert len(candles) == 5
    assert candles.as_of == as_of.replace(minute=0, second=0)
    with pytest.raises(InvalidRequest, match="in the future"):
        market.closed_candles("BTC/USDT", "1h", as_of=clock.now() + timedelta(seconds=1))


def test_before_its_listing_a_symbol_has_no_candle(open_market: Open, fake_exchange: Any, clock: ManualClock) -> None:
    fake_exchange.listed_since = to_ms(clock.now().replace(minute=0, second=0)) - 10 * HOUR_MS
    market = open_market("binance")
    assert len(market.closed_candles("BTC/USDT", "1h", count=500)) == 10
    with pytest.raises(InsufficientData, match="no 1h candle of BTC/USDT closed by"):
        market.closed_candles("BTC/USDT", "1h", count=3, as_of=clock.now() - timedelta(days=30))


@pytest.mark.parametrize("fault", [503, 429, "timeout"])
def test_two_network_errors_are_waited_out(
    market: CcxtMarket, fake_exchange: Any, pauses: list[float], fault: str | int
) -> None:
    market.instruments()
    fake_exchange.faults = [fault, fault]
    assert market.quote("BTC/USDT").last == Decimal("100.2")
    assert pauses == [0.5, 1.0], "doubling"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (503, "503 Service Unavailable, 3 tries in 0 s"),
        (429, "asks for fewer requests, 3 tries"),
        ("timeout", "timed out, 3 tries in 1 s"),
    ],
)
def test_a_lasting_outage_is_said_in_one_sentence(
    market: CcxtMarket, fake_exchange: Any, fault: str | int, words: str
) -> None:
    market.instruments()
    for ask in (market.quote, lambda symbol: market.closed_candles(symbol, "1h")):
        fake_exchange.faults = [fault] * 3
        with pytest.raises(VenueUnavailable, match=rf"^{market.name.title()} does not answer \(.*{words}") as outage:
            ask("BTC/USDT")
        assert "Nothing was sent." in outage.value.message
        assert "127.0.0.1" not in outage.value.message


def test_a_web_page_in_place_of_data_is_an_outage_not_an_empty_market(
    market: CcxtMarket, fake_exchange: Any, pauses: list[float]
) -> None:
    for ask in (market.quote, lambda symbol: market.closed_candles(symbol, "1h")):
        fake_exchange.faults = ["html"]
        with pytest.raises(VenueUnavailable, match="no usable answer"):
            ask("BTC/USDT")
    assert pauses == [], "only network errors are tried again"


@pytest.mark.parametrize("prices", [{"bid": "100.5"}, {"bid": "0"}, {"ask": None}])
def test_crossed_or_missing_prices_are_no_quote(
    market: CcxtMarket, fake_exchange: Any, prices: dict[str, str | None]
) -> None:
    fake_exchange.ticker |= prices
    with pytest.raises(VenueUnavailable, match="shows no usable prices of BTC/USDT"):
        market.quote("BTC/USDT")


@pytest.mark.parametrize("wrong", ["NaN", "Infinity", "-1"])
@pytest.mark.parametrize("side", ["bid", "ask"])
def test_a_side_that_nobody_could_pay_is_no_quote(
    market: CcxtMarket, fake_exchange: Any, side: str, wrong: str
) -> None:
    fake_exchange.ticker[side] = wrong
    with pytest.raises(VenueUnavailable, match="shows no usable prices of BTC/USDT"):
        market.quote("BTC/USDT")


@pytest.mark.parametrize("wrong", ["NaN", "Infinity", "-1", "0"])
def test_a_last_price_that_nobody_paid_is_the_middle(open_market: Open, fake_exchange: Any, wrong: str) -> None:
    fake_exchange.ticker["last"] = wrong
    assert open_market("binance").quote("BTC/USDT").last == Decimal("100.2")


def test_a_refused_connection_is_an_outage(clock: ManualClock, pauses: list[float]) -> None:
    def unplug(exchange: Any) -> None:
        exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], "http://127.0.0.1:9")

    market = CcxtMarket("kraken", clock, configure=unplug, sleep=pauses.append)
    with pytest.raises(VenueUnavailable, match="Kraken does not answer"):
        market.instruments()
    assert len(pauses) == 2


def test_an_exchange_that_ccxt_lacks_is_refused_with_the_nearest(clock: ManualClock) -> None:
    with pytest.raises(ConfigurationError, match=r"no market 'krakn'.*such as kraken"):
        CcxtMarket("krakn", clock)
    for name in ("", "../ccxt", "Kraken ", "__init__"):
        with pytest.raises(ConfigurationError, match="no market"):
            CcxtMarket(name, clock)


def test_importing_the_markets_loads_neither_pandas_nor_pyarrow_nor_ccxt() -> None:
    code = (
        "import sys, engines.market.factory, engines.market.files, engines.market.demo, engines.market.importing,"
        " engines.market.ccxt_market; print([m for m in ('pandas', 'pyarrow', 'ccxt') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"


def test_opening_an_exchange_does_not_import_ccxt_yet() -> None:
    code = (
        "import sys; from engines.domain.clock import SystemClock; from engines.market.ccxt_market import CcxtMarket;"
        " CcxtMarket('kraken', SystemClock()); print('ccxt' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "False"


def test_rule_21_a_market_takes_what_its_exchange_takes_from_this_desk(open_market: Open) -> None:
    binance, kraken = (open_market(name).instrument("BTC/USDT") for name in ("binance", "kraken"))
    assert binance.takes("limit", "buy", "FOK")
    assert not kraken.takes("limit", "buy", "FOK")
    assert kraken.takes("stop", "sell", "GTC")
    assert not binance.takes("market", "buy", "FOK")
