"""What the streams of one exchange have told so far, for any thread to read."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from engines.domain.timeframe import duration_ms, floor_ms
from engines.market.streaming.book_sequence import BookSequence
from engines.market.streaming.candle_ledger import CAPACITY, GRACE_MS, CandleLedger
from engines.market.streaming.keys import SEQUENTIAL_TRADES, StreamKey
from engines.market.streaming.rows import Row
from engines.market.streaming.trade_ledger import TradeLedger
from engines.market.streaming.watchdog import Watchdog

Levels = tuple[tuple[float, float], ...]
# Candles before the first uncertain one that are asked for as well, to see what the exchange has changed since.
_OVERLAP: Final = 3


@dataclass(frozen=True, slots=True)
class Tick:
    """Best prices by the ticker; `heard_at` in seconds of the board's clock, `time_ms` the exchange's own."""

    bid: float
    ask: float
    last: float
    time_ms: int | None
    heard_at: float


@dataclass(frozen=True, slots=True)
class LiveBook:
    """A copy of a book, best prices first; `heard_at` and `time_ms` as in `Tick`."""

    bids: Levels
    asks: Levels
    time_ms: int | None
    heard_at: float


class Board:
    """Every table of one exchange's streams behind one lock. Nothing here waits or asks.

    Args:
        venue: the exchange's id in ccxt.
        now_ms: milliseconds since the epoch.
        monotonic: seconds that only grow.
    """

    def __init__(
        self, venue: str, *, now_ms: Callable[[], int], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._venue: Final = venue
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._lock: Final = threading.RLock()
        self._dog: Final[Watchdog[StreamKey]] = Watchdog()
        self._candles: dict[StreamKey, CandleLedger] = {}
        self._wanted: dict[StreamKey, int] = {}
        # End and number of candles that were all certain: they stay it until the stream tells otherwise.
        self._settled: dict[StreamKey, tuple[int, int]] = {}
        self._ticks: dict[str, Tick] = {}
        self._trades: dict[str, TradeLedger] = {}
        self._last: dict[str, tuple[float, float]] = {}
        self._books: dict[str, LiveBook] = {}
        self._sequences: dict[str, BookSequence] = {}
        self._counts: Final[Counter[str]] = Counter()
        self._skew_ms: int | None = None

    def want_candles(self, key: StreamKey, count: int) -> None:
        """Keep so many closed candles of a stream certain from now on."""
        with self._lock:
            self._ledger(key)
            self._wanted[key] = min(CAPACITY - 1, max(count, self._wanted.get(key, 0)))

    def candle(self, key: StreamKey, rows: Sequence[Sequence[Any]]) -> None:
        """Take rows of a candle stream."""
        with self._lock:
            self._dog.heard(key, self._monotonic())
            for row in rows:
                if self._ledger(key).observe(row, now_ms=self._now_ms()) == "disagrees":
                    self._settled.pop(key, None)

    def confirm(self, key: StreamKey, rows: Sequence[Sequence[Any]], *, first_ms: int, end_ms: int) -> tuple[Row, ...]:
        """Take REST's answer about the candles that open in [first_ms, end_ms); those it changed."""
        with self._lock:
            return self._ledger(key).confirm(rows, first_ms=first_ms, end_ms=end_ms, now_ms=self._now_ms())

    def failed(self, key: StreamKey, *, first_ms: int, end_ms: int) -> None:
        """REST did not answer about the candles that open in [first_ms, end_ms)."""
        with self._lock:
            self._ledger(key).failed(first_ms=first_ms, end_ms=end_ms)

    def due(self, key: StreamKey) -> tuple[int, int] | None:
        """What REST has to be asked about a candle stream: open times from and below; None when all is certain."""
        with self._lock:
            ledger = self._candles.get(key)
            if ledger is None or key.timeframe is None:
                return None
            end = floor_ms(self._now_ms() - GRACE_MS, key.timeframe)
            forming = ledger.forming()
            # A successor that has begun closes the one before, however early.
            end = max(end, forming.open_ms) if forming is not None else end
            window = (end, self._wanted.get(key, 1))
            if self._settled.get(key) == window:
                return None
            uncertain = ledger.unconfirmed(*window)
            if not uncertain:
                self._settled[key] = window
                return None
            return uncertain[0] - _OVERLAP * duration_ms(key.timeframe), end

    def closed(self, key: StreamKey, end_ms: int, count: int) -> tuple[Row, ...] | None:
        """Candles of the last `count` periods before `end_ms`; None if one is uncertain, or the stream silent."""
        with self._lock:
            ledger = self._candles.get(key)
            if ledger is None or not self._dog.is_alive(key, self._monotonic()):
                return None
            return ledger.closed(end_ms, count)

    def tick(self, key: StreamKey, ticker: Mapping[str, Any]) -> None:
        """Take a ticker (ccxt's form); one without a usable bid and ask is counted and left."""
        now = self._monotonic()
        bid, ask, last = (_price(ticker.get(name)) for name in ("bid", "ask", "last"))
        with self._lock:
            self._dog.heard(key, now)
            self._clocks(ticker.get("timestamp"))
            if bid is None or ask is None or bid > ask:
                self._counts["unusable_ticks"] += 1
                return
            self._ticks[key.symbol] = Tick(bid, ask, last or (bid + ask) / 2, ticker.get("timestamp"), now)

    def trades(self, key: StreamKey, batch: Sequence[Mapping[str, Any]], *, streamed: bool = True) -> int:
        """Take trades (ccxt's form), of the stream or of REST; how many numbers are missing between them now."""
        with self._lock:
            if streamed:
                self._dog.heard(key, self._monotonic())
            ledger = self._trades.setdefault(key.symbol, TradeLedger(sequential=self._venue in SEQUENTIAL_TRADES))
            fresh = ledger.accept(batch)
            if streamed and fresh:
                newest = max(fresh, key=lambda trade: trade.get("timestamp") or 0)
                if price := _price(newest.get("price")):
                    self._last[key.symbol] = (price, self._monotonic())
                self._clocks(newest.get("timestamp"))
            return len(ledger.missing)

    def give_up_trades(self, key: StreamKey) -> int:
        """REST was asked for the missing trades: what still is missing counts as lost."""
        with self._lock:
            ledger = self._trades.get(key.symbol)
            return ledger.give_up() if ledger else 0

    def sequence(self, symbol: str) -> BookSequence:
        """Numbers of a book's changes; for the streams' own thread."""
        with self._lock:
            return self._sequences.setdefault(symbol, BookSequence())

    def book(self, key: StreamKey, bids: Levels, asks: Levels, time_ms: int | None) -> None:
        """Take a copy of a book."""
        with self._lock:
            now = self._monotonic()
            self._dog.heard(key, now)
            self._books[key.symbol] = LiveBook(bids, asks, time_ms, now)

    def live_tick(self, symbol: str, *, within: float) -> Tick | None:
        """The newest best prices, not older than `within` seconds; the last price is that of the newest trade."""
        with self._lock:
            tick = self._ticks.get(symbol)
            if tick is None or self._monotonic() - tick.heard_at > within:
                return None
            price, heard_at = self._last.get(symbol, (tick.last, tick.heard_at))
            return replace(tick, last=price) if heard_at >= tick.heard_at else tick

    def live_book(self, symbol: str, *, within: float) -> LiveBook | None:
        """The book, not older than `within` seconds and without a missing change."""
        with self._lock:
            book, sequence = self._books.get(symbol), self._sequences.get(symbol)
            whole = sequence is not None and sequence.is_whole
            return book if book and whole and self._monotonic() - book.heard_at <= within else None

    def broke(self, key: StreamKey) -> None:
        """A stream's connection is gone: nothing of it counts as fresh until it speaks again."""
        with self._lock:
            self._dog.forget(key)
            if key.kind == "ticker":
                self._ticks.pop(key.symbol, None)
            if key.kind == "trades":
                self._last.pop(key.symbol, None)
            if key.kind == "book":
                self._books.pop(key.symbol, None)
                self.sequence(key.symbol).lose()

    def drop(self, key: StreamKey) -> None:
        """Nobody uses a stream any more."""
        self.broke(key)
        with self._lock:
            self._note(key)
            self._candles.pop(key, None)
            self._wanted.pop(key, None)
            self._settled.pop(key, None)

    def is_alive(self, key: StreamKey) -> bool:
        """Whether a stream sent data in the last minute."""
        with self._lock:
            return self._dog.is_alive(key, self._monotonic())

    def counts(self) -> Counter[str]:
        """Everything that was counted, gaps by `gap_<state>` among it."""
        with self._lock:
            found = Counter(self._counts)
            for ledger in self._candles.values():
                found.update(ledger.counts)
                found.update(f"gap_{gap.state}" for gap in ledger.gaps())
            found["lost_trades"] += sum(ledger.counts["lost"] for ledger in self._trades.values())
            found["broken_books"] += sum(each.counts["gaps"] for each in self._sequences.values())
            return found

    @property
    def skew_ms(self) -> int | None:
        """Our clock less the exchange's at its newest message."""
        with self._lock:
            return self._skew_ms

    def _ledger(self, key: StreamKey) -> CandleLedger:
        if key.timeframe is None:
            raise ValueError(f"{key} has no candles")
        return self._candles.setdefault(key, CandleLedger(key.timeframe))

    def _note(self, key: StreamKey) -> None:
        """What a dropped stream counted stays counted."""
        ledger = self._candles.get(key)
        if ledger is not None:
            self._counts.update(ledger.counts)

    def _clocks(self, time_ms: Any) -> None:
        if isinstance(time_ms, int):
            self._skew_ms = self._now_ms() - time_ms


def _price(value: Any) -> float | None:
    """A price that somebody could pay; None for what is missing, nothing, negative, infinite or no number."""
    number = math.nan if value is None else float(value)
    return number if 0 < number < math.inf else None
