"""A live market with streams over the emulator: never other than REST, whatever happens to the streams."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from engines.domain.clock import SystemClock
from engines.domain.timeframe import Timeframe
from engines.market.ccxt_market import CcxtMarket
from engines.market.streaming.market import StreamedMarket

SYMBOLS = {"binance": "BTC/USDT", "bybit": "BTC/USDT", "kraken": "BTC/USD"}
MINUTE = timedelta(minutes=1)


@dataclass
class Watch:
    """A clock and a stop watch that run with the machine's, and can be moved on."""

    ahead: timedelta = field(default=timedelta(0))
    seconds: float = 0.0

    def now(self) -> datetime:
        return SystemClock().now() + self.ahead

    def wait(self, span: timedelta) -> None:
        self.ahead += span

    def monotonic(self) -> float:
        return time.monotonic() + self.seconds


@dataclass
class Live:
    """A streamed market, the same market over REST only, the emulator's door, and a symbol."""

    market: StreamedMarket
    rest: CcxtMarket
    door: Any
    symbol: str
    watch: Watch

    def trade(self) -> None:
        """Somebody buys a little."""
        self.door.crowd(symbol=self.symbol, side="buy", quantity="0.001")

    def pass_minutes(self, count: int = 1) -> None:
        """Let time pass at the exchange and here."""
        self.watch.ahead += count * MINUTE
        self.door.clock(advance_ms=count * 60_000)

    def asked(self, route: str) -> int:
        """How often REST was asked."""
        return len(self.door.log(route=route))

    def subscriptions(self) -> list[str]:
        """What the exchange streams."""
        return [str(each) for socket in self.door.sockets()["open"] for each in socket["subscriptions"]]

    def until(self, condition: Callable[[], Any], *, trading: bool = False) -> None:
        """Wait for something to become true; `trading` while trades go on."""
        for _ in range(1_500):
            if condition():
                return
            if trading:
                self.trade()
            time.sleep(0.02)
        pytest.fail(f"it did not come to that; {self.market.streams()}")

    def candles(self, count: int = 5, timeframe: Timeframe = "1m") -> list[tuple[float, ...]]:
        """What the streamed market serves."""
        return _table(self.market.closed_candles(self.symbol, timeframe, count=count))

    def truth(self, count: int = 5, timeframe: Timeframe = "1m") -> list[tuple[float, ...]]:
        """What REST says."""
        return _table(self.rest.closed_candles(self.symbol, timeframe, count=count))

    def agrees(self, count: int = 5, timeframe: Timeframe = "1m") -> bool:
        """Whether both are the same; a minute may end in between."""
        before, served = self.truth(count, timeframe), self.candles(count, timeframe)
        return served == before or served == self.truth(count, timeframe)

    def is_from_memory(self, count: int = 5) -> bool:
        """Whether candles are served without a question to REST."""
        before = self.asked("candles")
        self.candles(count)
        return self.asked("candles") == before

    def open_candles(self) -> None:
        """Have the candle stream opened and confirmed."""
        self.candles()
        self.until(self.is_from_memory, trading=True)


def _table(frame: Any) -> list[tuple[float, ...]]:
    columns = (frame.open_time, frame.open, frame.high, frame.low, frame.close, frame.volume)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.fixture
def open_live(open_venue: Callable[..., Any], on_loopback: Callable[[Any], Any]) -> Iterator[Callable[..., Live]]:
    """Opens streamed markets over the emulator, and closes them."""
    opened: list[StreamedMarket] = []

    def open_(venue: str, **feed: Any) -> Live:
        door, symbol, watch = open_venue(venue), SYMBOLS[venue], Watch()
        door.clock(skew_ms=0)
        door.price(symbol=symbol, price="50000", quantity="5", depth=30, gap="5")

        def configure(exchange: Any) -> None:
            exchange.enableRateLimit = False
            exchange.options |= {"fetchCurrencies": False, "fetchMargins": False}
            on_loopback(exchange)

        rest = CcxtMarket(venue, watch, configure=configure, sleep=lambda seconds: None)
        market = StreamedMarket(rest, watch, configure=configure, monotonic=watch.monotonic, first_pause=0.05, **feed)
        opened.append(market)
        return Live(market, CcxtMarket(venue, watch, configure=configure), door, symbol, watch)

    yield open_
    for each in opened:
        each.close()
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("market streams")] == []


@pytest.fixture(params=sorted(SYMBOLS))
def live(request: pytest.FixtureRequest, open_live: Callable[..., Live]) -> Live:
    return open_live(request.param)


def test_candles_come_at_their_close_without_a_question_of_the_caller_and_are_those_of_rest(live: Live) -> None:
    live.open_candles()
    for _ in range(2):
        live.pass_minutes()
        # The successor's first trade closes the candle before.
        live.until(live.is_from_memory, trading=True)
        assert live.agrees()


@pytest.mark.parametrize("kind", ["drop", "duplicate", "reorder", "late"])
def test_candles_are_those_of_rest_whatever_happens_to_messages_of_their_stream(live: Live, kind: str) -> None:
    live.open_candles()
    live.door.chaos(seed=5, rate=0.5, routes=["stream:candles"], kinds=[kind], seconds=0.2)
    for _ in range(3):
        for _ in range(6):
            live.trade()
        live.pass_minutes()
        live.until(live.is_from_memory, trading=True)
        assert live.agrees()


def test_a_candle_whose_last_trades_the_stream_lost_is_never_served_without_them(live: Live) -> None:
    live.open_candles()
    for _ in range(2):
        live.trade()
        live.door.fault(kind="drop", route="stream:candles", count=-1)
        live.trade()
        live.door.clear()
        live.pass_minutes()
        assert live.agrees()
        live.until(lambda: live.agrees() and live.is_from_memory(), trading=True)
        assert live.agrees()
    assert live.market.streams().disagreements >= 1


def test_a_cut_stream_is_connected_again_and_nothing_of_the_time_between_is_missing(live: Live) -> None:
    live.open_candles()
    opened = live.door.sockets()["opened"]
    live.door.refuse(seconds=0.5)
    live.door.cut()
    live.trade()
    live.pass_minutes(2)
    live.until(live.agrees)
    live.until(lambda: live.door.sockets()["opened"] > opened and live.subscriptions())
    live.until(live.is_from_memory, trading=True)
    assert live.agrees()
    assert live.market.streams().connections >= 1


def test_a_silent_stream_is_no_source_after_a_minute_and_is_connected_again(live: Live) -> None:
    live.open_candles()
    live.door.silence(seconds=3600)
    opened = live.door.sockets()["opened"]

    def is_silent() -> bool:
        # What was on its way when the silence began may still be heard.
        live.watch.seconds += 61
        return not live.is_from_memory()

    live.until(is_silent)
    assert live.agrees()
    live.until(lambda: live.door.sockets()["opened"] > opened)
    live.until(live.is_from_memory, trading=True)


def test_an_exchange_that_lets_nobody_connect_is_asked_over_rest(live: Live) -> None:
    live.door.refuse(seconds=3600)
    live.candles()
    live.market.quote(live.symbol)
    live.until(lambda: live.market.streams().connections >= 2)
    assert live.agrees()
    assert not live.is_from_memory()
    assert live.market.quote(live.symbol).ask == live.rest.quote(live.symbol).ask
    standing = live.market.streams()
    assert (standing.alive, standing.silent) == (0, 3)
    assert standing.trouble


def test_a_candle_that_the_exchange_does_not_have_is_empty_only_when_it_said_so_twice_and_apart(live: Live) -> None:
    live.open_candles()
    # Nobody trades in it: the minute after the one that forms now.
    hole = int(live.truth()[-1][0]) + 120_000
    live.door.candle(symbol=live.symbol, minutes=1, row=[hole, 1, 1, 1, 1, 0], hole=True)
    live.pass_minutes(3)
    live.until(lambda: "unknown" in live.market.streams().gaps, trading=True)
    assert not live.is_from_memory()
    live.watch.seconds += 31
    live.pass_minutes(1)
    live.until(lambda: "empty_at_exchange" in live.market.streams().gaps, trading=True)
    live.until(live.is_from_memory, trading=True)
    assert live.agrees()
    assert hole not in [row[0] for row in live.candles()]


def test_a_gap_that_rest_could_not_be_asked_about_is_filled_later(live: Live) -> None:
    live.open_candles()
    live.door.fault(kind="unavailable_before", route="candles", count=-1)
    live.pass_minutes(3)
    live.until(lambda: "failed" in live.market.streams().gaps, trading=True)
    live.door.clear()
    live.watch.seconds += 40
    live.until(lambda: "filled" in live.market.streams().gaps, trading=True)
    live.until(live.is_from_memory, trading=True)
    assert live.agrees()


def test_a_closed_candle_that_the_exchange_revises_is_served_anew_and_counted(live: Live) -> None:
    live.open_candles()
    row = list(live.truth()[-1])
    live.door.candle(symbol=live.symbol, minutes=1, row=[int(row[0]), *row[1:5], row[5] + 7])
    live.pass_minutes()
    live.until(live.is_from_memory, trading=True)
    live.until(lambda: live.market.streams().revisions >= 1)
    assert live.agrees()
    assert {each[0]: each[5] for each in live.candles()}[row[0]] == row[5] + 7


def test_a_quote_follows_the_stream_and_asks_rest_when_it_is_older_than_two_seconds(live: Live) -> None:
    first = live.market.quote(live.symbol)
    assert first.ask == live.rest.quote(live.symbol).ask

    def is_streamed() -> bool:
        before = live.asked("ticker")
        live.market.quote(live.symbol)
        return live.asked("ticker") == before

    live.until(is_streamed, trading=True)
    live.door.price(symbol=live.symbol, price="51000", quantity="5", depth=30, gap="5")
    live.until(lambda: is_streamed() and live.market.quote(live.symbol).bid > 50_900, trading=True)
    assert live.market.quote(live.symbol).ask == live.rest.quote(live.symbol).ask
    live.watch.seconds += 2.1
    live.until(lambda: not is_streamed())


def test_a_book_is_the_exchanges_own_and_one_with_a_missing_change_is_never_served(live: Live) -> None:
    def is_streamed() -> bool:
        before = live.asked("book")
        live.market.order_book(live.symbol)
        return live.asked("book") == before

    def levels(market: Any) -> list[tuple[Decimal, Decimal]]:
        return [(level.price, level.quantity) for level in market.order_book(live.symbol).asks[:5]]

    live.market.order_book(live.symbol)
    if live.market.name == "bybit":
        # Its changes have no numbers without a hole, and no checksum: a lost one would not be noticed.
        assert live.subscriptions() == []
        assert not is_streamed()
        return
    live.until(is_streamed, trading=True)
    live.trade()
    live.until(lambda: levels(live.market) == levels(live.rest))
    live.door.fault(kind="drop", route="stream:book")
    # The best level goes away, and nobody is told.
    live.door.crowd(symbol=live.symbol, side="buy", quantity="5")
    live.until(lambda: live.market.streams().broken_books >= 1, trading=True)
    assert levels(live.market) == levels(live.rest)
    live.until(is_streamed, trading=True)
    live.until(lambda: levels(live.market) == levels(live.rest))


def test_a_trade_that_the_stream_lost_is_fetched_and_one_told_twice_counts_once(live: Live) -> None:
    live.market.quote(live.symbol)
    live.until(lambda: live.market.streams().alive == 2, trading=True)
    asked = live.asked("trades")
    live.door.fault(kind="duplicate", route="stream:trades")
    live.trade()
    live.door.fault(kind="drop", route="stream:trades")
    live.trade()
    live.trade()
    if live.market.name != "bybit":
        # Only these number their trades without a hole.
        live.until(lambda: live.asked("trades") > asked)
    assert live.market.streams().lost_trades == 0


def test_streams_that_nobody_asks_for_end(open_live: Callable[..., Live]) -> None:
    live = open_live("binance", idle_seconds=30.0)
    live.candles()
    live.until(live.subscriptions)
    live.watch.seconds += 31
    live.until(lambda: live.subscriptions() == [] and live.market.streams().silent == 0)
    live.open_candles()
    assert live.agrees()


def test_no_more_streams_are_opened_than_one_exchange_gets(open_live: Callable[..., Live]) -> None:
    live = open_live("binance")
    symbols = [each.symbol for each in live.market.instruments()]
    timeframes: tuple[Timeframe, ...] = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")
    for symbol in symbols:
        for timeframe in timeframes:
            live.market.closed_candles(symbol, timeframe, count=1)
        live.market.quote(symbol)
        live.market.order_book(symbol)
    standing = live.market.streams()
    wanted = len(symbols) * (len(timeframes) + 3)
    assert wanted > 50
    assert standing.alive + standing.silent == 50
    assert standing.refused == wanted - 50


def test_a_second_timeframe_is_streamed_only_where_ccxt_tells_them_apart(live: Live) -> None:
    live.open_candles()
    live.candles(timeframe="5m")
    assert live.agrees(timeframe="5m")
    assert live.market.streams().refused == (2 if live.market.name == "kraken" else 0)


def test_closing_ends_thread_and_connections_and_rest_goes_on(live: Live) -> None:
    live.open_candles()
    live.market.quote(live.symbol)
    live.market.close()
    live.market.close()
    live.until(lambda: live.door.sockets()["open"] == [])
    assert live.agrees()
    assert live.market.quote(live.symbol).ask == live.rest.quote(live.symbol).ask


def test_closing_at_once_after_the_first_call_waits_for_nothing_and_leaves_nothing(live: Live) -> None:
    live.candles()
    live.market.close()
    assert live.agrees()


def test_the_past_is_asked_over_rest(live: Live) -> None:
    live.open_candles()
    then = live.watch.now() - timedelta(hours=2)
    frame = live.market.closed_candles(live.symbol, "1m", count=3, as_of=then)
    assert _table(frame) == _table(live.rest.closed_candles(live.symbol, "1m", count=3, as_of=then))


def test_clocks_that_differ_are_told(live: Live) -> None:
    live.door.clock(skew_ms=-30_000)
    live.market.quote(live.symbol)
    live.until(lambda: live.market.streams().skew_ms is not None, trading=True)
    assert 25_000 < (live.market.streams().skew_ms or 0) < 60_000
