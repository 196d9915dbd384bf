"""Streams of one exchange in a thread of their own: subscribed on first use, dropped when nobody asks any more."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from engines.loop_thread import LoopThread
from engines.market.streaming.board import Board
from engines.market.streaming.books import copied, watch_changes
from engines.market.streaming.exchange import hang_up, has_stream, network_error, open_exchange, unsubscribe, watch
from engines.market.streaming.keys import BOOK_DEPTHS, MOST_STREAMS, ONE_TIMEFRAME, StreamKey
from engines.market.streaming.mailbox import Mailbox
from engines.market.streaming.repair import Repairs, repair
from engines.market.streaming.standing import StreamStanding
from engines.market.streaming.watchdog import SILENCE_SECONDS, Reconnects

_LOGGER: Final = logging.getLogger(__name__)
_IDLE_SECONDS: Final = 300.0
_ROUND_SECONDS: Final = 1.0
_NEWEST_ROWS: Final = 20
_CLOSING_SECONDS: Final = 3.0


class StreamFeed:
    """Fills a board with what an exchange streams. One thread, one event loop, one task for each stream.

    Args:
        exchange_id: the exchange's id in ccxt.
        board: receives everything.
        configure: receives the ccxt exchange before its first use, to point it elsewhere.
        monotonic, jitter: seconds that only grow, and where the randomness of pauses comes from.
        idle_seconds: how long a stream goes on that nobody asks for.
        first_pause: seconds before the first new try after a connection broke.
    """

    def __init__(
        self,
        exchange_id: str,
        board: Board,
        *,
        configure: Callable[[Any], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
        idle_seconds: float = _IDLE_SECONDS,
        first_pause: float = 1.0,
    ) -> None:
        self._id: Final = exchange_id
        self._board: Final = board
        self._configure = configure
        self._monotonic = monotonic
        self._jitter = jitter
        self._idle_seconds = idle_seconds
        self._thread: Final = LoopThread(f"market streams of {exchange_id}")
        self._lock: Final = threading.Lock()
        self._used: dict[StreamKey, float] = {}
        self._refused: int = 0
        self._trouble = ""
        self._started = False
        # All that follows belongs to the thread's loop.
        self._readers: dict[StreamKey, asyncio.Task[None]] = {}
        self._mail: Final[Mailbox[StreamKey, Any]] = Mailbox()
        self._arrived = asyncio.Event()
        self._repairs: Final = Repairs(board)
        self._reconnects: Final = Reconnects(first=first_pause)
        self._spoke_at = 0.0

    def want(self, key: StreamKey) -> None:
        """Somebody needs what a stream tells: open it, or keep it open. From any thread; it does not wait."""
        if key.kind == "book" and self._id not in BOOK_DEPTHS:
            return
        with self._lock:
            if key not in self._used and not self._has_room(key):
                self._refused += 1
                return
            self._used[key] = self._monotonic()
            if self._started:
                return
            self._started = True
        with contextlib.suppress(RuntimeError):
            # Closed already: streams are an extra, and whoever asks is answered over REST.
            self._thread.spawn(self._run())

    def close(self) -> None:
        """End every stream, the connections and the thread; again does no harm."""
        try:
            self._thread.close()
        except RuntimeError:
            # Somewhere in ccxt; the thread does not keep the process, and nothing it tells is listened to any more.
            _LOGGER.warning("the market streams of %s do not end", self._id)

    def standing(self) -> StreamStanding:
        """How the streams stand now; from any thread."""
        with self._lock:
            keys, refused, trouble = list(self._used), self._refused, self._trouble
        alive = sum(self._board.is_alive(key) for key in keys)
        counts = self._board.counts()
        return StreamStanding(
            alive=alive,
            silent=len(keys) - alive,
            refused=refused,
            connections=self._reconnects.count,
            dropped_ticks=self._mail.counts["dropped"],
            revisions=counts["revisions"],
            disagreements=counts["disagreements"],
            rejected=_named(counts, "rejected_"),
            gaps=_named(counts, "gap_"),
            lost_trades=counts["lost_trades"],
            broken_books=counts["broken_books"],
            skew_ms=self._board.skew_ms,
            trouble=trouble,
        )

    def _has_room(self, key: StreamKey) -> bool:
        if len(self._used) >= MOST_STREAMS:
            return False
        rivals = (each for each in self._used if each.kind == key.kind and each.symbol == key.symbol)
        return self._id not in ONE_TIMEFRAME or not any(rivals)

    async def _run(self) -> None:
        try:
            await self._serve()
        except Exception as error:
            # Process edge: the desk goes on over REST, and says so.
            _LOGGER.exception("the market streams of %s ended", self._id)
            self._failed(f"ended: {type(error).__name__}")

    async def _serve(self) -> None:
        """Everything, until the thread is closed."""
        exchange = await asyncio.to_thread(open_exchange, self._id, self._configure)
        if exchange is None:
            self._failed(f"ccxt has no streams of {self._id}")
            return
        if hasattr(exchange, "handle_order_book"):
            watch_changes(exchange, self._board, _broken_book)
        work = [asyncio.create_task(self._sort()), asyncio.create_task(self._repair(exchange))]
        try:
            while True:
                try:
                    await self._tend(exchange)
                except Exception as error:  # noqa: BLE001
                    # Process edge: one stream that cannot be ended must not end the others.
                    self._failed(f"tending: {type(error).__name__}")
                await asyncio.sleep(_ROUND_SECONDS)
        finally:
            await _ended([*work, *self._readers.values()])
            with contextlib.suppress(Exception):
                await asyncio.wait_for(exchange.close(), _CLOSING_SECONDS)

    async def _tend(self, exchange: Any) -> None:
        """Open what is wanted, drop what is idle, and hang up where everything has gone silent."""
        now = self._monotonic()
        with self._lock:
            idle = [key for key, used in self._used.items() if now - used > self._idle_seconds]
            for key in idle:
                del self._used[key]
            wanted = list(self._used)
        for key in idle:
            await self._drop(exchange, key)
        for key in wanted:
            if key not in self._readers:
                self._spoke_at = max(self._spoke_at, now)
                self._readers[key] = asyncio.create_task(self._read(exchange, key))
        if wanted and now - self._spoke_at > SILENCE_SECONDS and exchange.clients:
            # A connection that says nothing at all may be dead without knowing it.
            self._spoke_at = now
            hang_up(exchange, "nothing came for a minute")

    async def _drop(self, exchange: Any, key: StreamKey) -> None:
        reader = self._readers.pop(key, None)
        if reader is not None:
            await _ended([reader])
            await unsubscribe(exchange, key)
        self._repairs.forget(key)
        self._board.drop(key)

    async def _read(self, exchange: Any, key: StreamKey) -> None:
        """One stream, connected again whenever it breaks."""
        failures = 0
        while has_stream(exchange, key):
            began = self._monotonic()
            try:
                while True:
                    self._leave(key, await watch(exchange, key))
            except Exception as error:  # noqa: BLE001
                # Process edge: whatever ccxt or the exchange made of it, REST answers meanwhile.
                self._board.broke(key)
                self._failed(f"{key}: {type(error).__name__}")
            failures = 1 if self._monotonic() - began > SILENCE_SECONDS else failures + 1
            await asyncio.sleep(self._reconnects.pause(failures, now=self._monotonic(), jitter=self._jitter()))

    def _leave(self, key: StreamKey, told: Any) -> None:
        self._spoke_at = self._monotonic()
        if key.kind == "candles":
            # ccxt may hand out its whole table; only the newest rows of it can have changed.
            if not self._mail.put(key, [list(row) for row in told[-_NEWEST_ROWS:]]):
                raise network_error("more candles came than could be sorted")
        elif key.kind == "trades":
            if not self._mail.put(key, [dict(trade) for trade in told]):
                raise network_error("more trades came than could be sorted")
        elif key.kind == "book":
            self._mail.conflate(key, (*copied(told), told.get("timestamp")))
        else:
            self._mail.conflate(key, dict(told))
        self._arrived.set()

    async def _sort(self) -> None:
        """Take what the readers left to the board."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while (found := self._mail.take()) is not None:
                key, told = found
                try:
                    self._tell(key, told)
                except (TypeError, ValueError, KeyError, ArithmeticError) as error:
                    # What ccxt made of a message that no exchange documents.
                    self._board.broke(key)
                    self._failed(f"{key}: unreadable ({type(error).__name__})")
                await asyncio.sleep(0)

    def _tell(self, key: StreamKey, told: Any) -> None:
        if key.kind == "candles":
            self._board.candle(key, told)
        elif key.kind == "trades":
            self._board.trades(key, told)
        elif key.kind == "book":
            self._board.book(key, *told)
        else:
            self._board.tick(key, told)

    async def _repair(self, exchange: Any) -> None:
        """Candles that closed, gaps of candles, and missing trades: one question to REST after the other."""
        while True:
            for key in list(self._readers):
                try:
                    await self._repair_one(exchange, key)
                except Exception as error:  # noqa: BLE001
                    # Process edge: it is asked again later, and callers ask REST themselves meanwhile.
                    self._failed(f"{key} over REST: {type(error).__name__}")
            await asyncio.sleep(_ROUND_SECONDS / 4)

    async def _repair_one(self, exchange: Any, key: StreamKey) -> None:
        if key.kind == "candles" and (window := self._repairs.due(key, self._monotonic())) is not None:
            self._repairs.asked(key, self._monotonic())
            await repair(exchange, self._board, key, window)
        elif key.kind == "trades" and self._board.trades(key, [], streamed=False):
            missing = self._board.trades(key, await exchange.fetch_trades(key.symbol), streamed=False)
            if missing:
                _LOGGER.warning("%s: %d trades are missing", key, self._board.give_up_trades(key))

    def _failed(self, trouble: str) -> None:
        with self._lock:
            known, self._trouble = self._trouble, trouble
        if trouble != known:
            _LOGGER.info("market streams of %s: %s", self._id, trouble)


def _named(counts: dict[str, int], prefix: str) -> dict[str, int]:
    return {name.removeprefix(prefix): count for name, count in sorted(counts.items()) if name.startswith(prefix)}


def _broken_book(symbol: str, client: Any) -> None:
    client.on_error(network_error(f"a change of the book of {symbol} is missing"))


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
