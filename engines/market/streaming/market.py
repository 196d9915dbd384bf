"""A live market with streams: what is certain and fresh is served from memory, everything else over REST."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import numpy as np

from engines.domain.book import Level, OrderBook
from engines.domain.candles import CandleFrame
from engines.domain.clock import Clock
from engines.domain.instruments import Instrument, Quote
from engines.domain.timeframe import Timeframe, duration_ms, floor_ms, to_ms
from engines.market.ccxt_market import CcxtMarket
from engines.market.stamps import told_at
from engines.market.streaming.board import Board, Levels
from engines.market.streaming.candle_ledger import CAPACITY
from engines.market.streaming.feed import StreamFeed
from engines.market.streaming.keys import StreamKey
from engines.market.streaming.rows import Row
from engines.market.streaming.standing import StreamStanding
from engines.market.window import window_end

# A price older than this is asked for over REST: in a market that stands still that costs a request and no more.
_FRESH_SECONDS: Final = 2.0


class StreamedMarket:
    """A `CcxtMarket` whose candles, quotes and books come sooner, and are never other than REST would tell.

    The first call for a symbol is answered over REST and opens its streams. Candles are served from memory only when
    REST has confirmed every one of them; the stream says when to ask.

    Args:
        rest: the same exchange over REST: the truth, and what everything falls back to.
        configure: receives each ccxt exchange before its first use, to point it elsewhere.
        monotonic: seconds that only grow.
        fresh_seconds: age at which a streamed price is no longer served.
        feed: changes of the feed's own settings.
    """

    simulated: Final = False

    def __init__(
        self,
        rest: CcxtMarket,
        clock: Clock,
        *,
        configure: Callable[[Any], None] | None = None,
        fresh_seconds: float = _FRESH_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
        **feed: Any,
    ) -> None:
        self.name: Final = rest.name
        self.candles_per_request: Final = rest.candles_per_request
        self._rest = rest
        self._fresh = fresh_seconds
        self._board = Board(rest.name, now_ms=lambda: to_ms(clock.now()), monotonic=monotonic)
        self._feed = StreamFeed(rest.name, self._board, configure=configure, monotonic=monotonic, **feed)

    def now(self, symbol: str | None = None) -> datetime:
        """The clock's time."""
        return self._rest.now(symbol)

    def instruments(self) -> tuple[Instrument, ...]:
        """As `CcxtMarket.instruments`."""
        return self._rest.instruments()

    def instrument(self, symbol: str) -> Instrument:
        """As `CcxtMarket.instrument`."""
        return self._rest.instrument(symbol)

    def closed_candles(
        self, symbol: str, timeframe: Timeframe, *, count: int = 500, as_of: datetime | None = None
    ) -> CandleFrame:
        """As `CcxtMarket.closed_candles`; from memory where the stream is alive and REST confirmed all of them."""
        now = self.now()
        end = floor_ms(to_ms(window_end(count=count, as_of=as_of, now=now)), timeframe)
        if as_of is not None or count >= CAPACITY:
            return self._rest.closed_candles(symbol, timeframe, count=count, as_of=as_of)
        self.instrument(symbol)
        key = StreamKey("candles", symbol, timeframe)
        rows = self._board.closed(key, end, count)
        if rows:
            self._feed.want(key)
            return self._frame(rows, symbol, timeframe)
        frame = self._rest.closed_candles(symbol, timeframe, count=count)
        self._board.want_candles(key, count)
        self._board.confirm(key, _rows(frame), first_ms=end - count * duration_ms(timeframe), end_ms=end)
        self._feed.want(key)
        return frame

    def quote(self, symbol: str) -> Quote:
        """As `CcxtMarket.quote`; streamed prices that are seconds old spare the question."""
        self.instrument(symbol)
        self._feed.want(StreamKey("ticker", symbol))
        self._feed.want(StreamKey("trades", symbol))
        tick = self._board.live_tick(symbol, within=self._fresh)
        if tick is None:
            return self._rest.quote(symbol)
        bid, ask, last = (_price(value) for value in (tick.bid, tick.ask, tick.last))
        return Quote(symbol, bid, ask, last, self._time(tick.time_ms), self.name, self.simulated)

    def order_book(self, symbol: str) -> OrderBook | None:
        """As `CcxtMarket.order_book`; a streamed book is served only without a missing change, and sound."""
        self.instrument(symbol)
        self._feed.want(StreamKey("book", symbol))
        live = self._board.live_book(symbol, within=self._fresh)
        if live is not None:
            bids, asks = _levels(live.bids), _levels(live.asks)
            book = OrderBook(symbol, bids, asks, self._time(live.time_ms), self.name, self.simulated)
            if book.is_sound:
                return book
        return self._rest.order_book(symbol)

    def streams(self) -> StreamStanding:
        """How the streams stand now."""
        return self._feed.standing()

    def close(self) -> None:
        """End the streams; candles and quotes come over REST from then on."""
        self._feed.close()

    def _time(self, time_ms: int | None) -> datetime:
        return told_at(time_ms, self.now())

    def _frame(self, rows: tuple[Row, ...], symbol: str, timeframe: Timeframe) -> CandleFrame:
        open_, high, low, close, volume = (
            np.ascontiguousarray(column) for column in np.array([row[1:] for row in rows], dtype=np.float64).T
        )
        return CandleFrame(
            symbol=symbol,
            timeframe=timeframe,
            market=self.name,
            simulated=self.simulated,
            open_time=np.array([row.open_ms for row in rows], dtype=np.int64),
            open=open_,
            high=high,
            low=low,
            close=close,
            volume=volume,
        )


def _rows(frame: CandleFrame) -> list[list[Any]]:
    columns = (frame.open_time, frame.open, frame.high, frame.low, frame.close, frame.volume)
    return [list(row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _levels(side: Levels) -> tuple[Level, ...]:
    return tuple(Level(_price(price), _price(quantity)) for price, quantity in side)


def _price(value: float) -> Decimal:
    """The decimal that a number of ccxt's prints as, without an exponent."""
    return Decimal(format(Decimal(str(value)), "f"))
