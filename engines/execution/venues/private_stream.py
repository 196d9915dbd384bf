"""The stream of an account's own orders at a venue: it wakes the desk, and nothing it says is taken for true."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from engines.errors import VenueUnavailable
from engines.execution.heard import Heard
from engines.execution.venues.ccxt_client import Credentials, VenueClient
from engines.execution.venues.failures import CallFailed
from engines.execution.venues.private_words import WORDS, Words
from engines.loop_thread import LoopThread

_LOGGER: Final = logging.getLogger(__name__)

# A subscription that is not confirmed by then never will be.
_HELLO_SECONDS: Final = 15.0
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0
# A connection that stood so long was a good one: the next failure is the first again.
_GOOD_SECONDS: Final = 60.0
_OPTIONS: Final = {
    "defaultType": "spot",
    # Every spot account is answered under the same address; without these Bybit would be asked what kind it is.
    "enableUnifiedMargin": False,
    "enableUnifiedAccount": True,
}


class StreamEnded(Exception):
    """The venue refused the subscription, did not confirm it, or ended it."""


@dataclass(frozen=True, slots=True)
class StreamStanding:
    """How a stream stands.

    Attributes:
        is_up: the venue has confirmed the subscription, and the connection is there.
        connections: how often it was up, this time included.
        trouble: why it is down; empty while it is up and before the first try.
        silent_seconds: since the last event of an order, or since it came up; None while it is down.
    """

    is_up: bool
    connections: int
    trouble: str
    silent_seconds: float | None


class PrivateStream:
    """Listens, in a thread of its own, to what happens to an account's orders; connects again whenever it is cut.

    Args:
        venue: the venue's id in ccxt.
        open_exchange: makes a ccxt.pro exchange with the account's keys.
        token: what Kraken wants a token for; asked for through the client of all other requests with keys, because
            two that number their requests on their own would overtake each other.
        monotonic: seconds that only grow.
        pause: seconds to wait before the first new try; each further one waits twice as long, up to a minute.
    """

    def __init__(
        self,
        venue: str,
        open_exchange: Callable[[], Any],
        *,
        token: Callable[[], Any] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        pause: float = _FIRST_PAUSE,
    ) -> None:
        self.venue: Final = venue
        self._words: Final[Words] = WORDS[venue]
        self._open_exchange = open_exchange
        self._token = token
        self._monotonic = monotonic
        self._pause = pause
        self._thread = LoopThread(f"private stream of {venue}")
        self._lock = threading.Lock()
        self._heard: Callable[[Heard], None] = _ignore
        self._connected: Callable[[int], None] = _ignore
        self._cut: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._up_at: float | None = None
        self._event_at = 0.0
        self._connections = 0
        self._trouble = ""

    @property
    def standing(self) -> StreamStanding:
        """How it stands now; from any thread."""
        with self._lock:
            up = self._up_at
            silent = None if up is None else self._monotonic() - max(up, self._event_at)
            return StreamStanding(up is not None, self._connections, self._trouble, silent)

    def start(self, heard: Callable[[Heard], None], connected: Callable[[int], None]) -> None:
        """Begin to listen, and go on until `close`.

        Args:
            heard: called in the stream's thread for each event of an order; it must not block.
            connected: called there with the number of the connection each time the subscription stands.
        """
        self._heard, self._connected = heard, connected
        self._thread.spawn(self._listen())

    def reconnect(self) -> None:
        """Drop the connection and make a new one: it was found to miss events."""
        loop, cut = self._loop, self._cut
        if loop is not None and cut is not None:
            # A loop that was closed meanwhile listens no more.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(cut.set)

    def close(self) -> None:
        """Hang up and end the thread; again does no harm."""
        self._thread.close()

    async def _listen(self) -> None:
        self._loop = asyncio.get_running_loop()
        failures = 0
        while True:
            try:
                await self._converse()
            except Exception as error:  # noqa: BLE001
                # Process edge: whatever it was, orders are polled meanwhile and the next try may work. Its text is
                # not told, for venues answer a refused log-in with the key in it.
                failures = 0 if self._was_good() else failures + 1
                self._went_down(_gist(error))
            pause = min(self._pause * 2 ** min(max(failures - 1, 0), 10), _LONGEST_PAUSE)
            # Not all desks that one outage cut come back in the same moment.
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311

    async def _converse(self) -> None:
        """One connection, from the first try to its end.

        Raises:
            Exception: always; it says why the connection ended.
        """
        # Importing and making an exchange takes long enough to be noticed elsewhere in this loop.
        exchange = await asyncio.to_thread(self._open_exchange)
        stands, ended, self._cut = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._prepare(exchange, stands, ended)
        watching = asyncio.ensure_future(_started(exchange, self._words.params))
        try:
            await _first_of(watching, stands.wait(), ended.wait(), seconds=_HELLO_SECONDS)
            if not stands.is_set():
                raise await _why(watching, "the subscription was not confirmed")
            self._came_up()
            await _first_of(watching, ended.wait(), self._cut.wait())
            raise await _why(watching, "it was ended")
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await watching
            await _hung_up(exchange)

    def _prepare(self, exchange: Any, stands: asyncio.Event, ended: asyncio.Event) -> None:
        """Read each message before the exchange does, and keep those of orders from it: it would collect them."""
        understood = exchange.handle_message

        def handle(client: Any, message: Any) -> None:
            orders = self._read(message, stands, ended) if isinstance(message, dict) else None
            for each in orders or ():
                self._tell(each)
            if orders is None:
                understood(client, message)

        exchange.handle_message = handle
        # Only ids are read here: the list of markets, which costs a request each time, is not needed.
        exchange.markets = exchange.markets_by_id = {"": {}}
        if self._token is not None:
            token = self._token

            async def given(*_: Any) -> Any:
                return await asyncio.to_thread(token)

            exchange.privatePostGetWebSocketsToken = given

    def _read(self, message: Mapping[str, Any], stands: asyncio.Event, ended: asyncio.Event) -> Iterable[Heard] | None:
        """The orders that a message tells of, and what it says of the subscription; None for the exchange's own."""
        try:
            if self._words.refuses(message):
                ended.set()
            elif self._words.stands(message):
                stands.set()
            return self._words.orders(message)
        except Exception:  # noqa: BLE001
            # Process edge: a message of a shape nobody knows must not end the connection; any order may be meant.
            _LOGGER.warning("%s's private stream sent a message that cannot be read", self.venue)
            return [Heard()]

    def _tell(self, heard: Heard) -> None:
        with self._lock:
            self._event_at = self._monotonic()
        self._heard(heard)

    def _came_up(self) -> None:
        with self._lock:
            self._up_at, self._trouble = self._monotonic(), ""
            self._connections += 1
            number = self._connections
        _LOGGER.info("the private stream of %s is up", self.venue)
        self._connected(number)

    def _was_good(self) -> bool:
        up = self._up_at
        return up is not None and self._monotonic() - up >= _GOOD_SECONDS

    def _went_down(self, trouble: str) -> None:
        with self._lock:
            is_news = self._up_at is not None or self._trouble != trouble
            self._up_at, self._trouble = None, trouble
        if is_news:
            _LOGGER.warning(
                "the private stream of %s is down (%s): orders are polled until it is back", self.venue, trouble
            )


def stream_of(
    client: VenueClient, credentials: Credentials, *, configure: Callable[[Any], None] | None = None
) -> PrivateStream:
    """The private stream of the account that a client has the keys of; nothing is opened before it starts.

    Args:
        configure: receives each ccxt.pro exchange first, to point it at another address.
    """

    def open_exchange() -> Any:
        import ccxt.pro

        settings: dict[str, Any] = {"apiKey": credentials.key, "secret": credentials.secret, "enableRateLimit": False}
        settings["options"] = dict(_OPTIONS)
        if credentials.passphrase:
            settings["password"] = credentials.passphrase
        exchange = getattr(ccxt.pro, client.id)(settings)
        if configure is not None:
            configure(exchange)
        return exchange

    def token() -> Any:
        return client.call("private_post_getwebsocketstoken", {}, "read")

    return PrivateStream(client.id, open_exchange, token=token if client.id == "kraken" else None)


async def _started(exchange: Any, params: Mapping[str, Any]) -> None:
    """Ask for the account's orders; it ends when the connection does, for no order reaches the exchange itself."""
    while True:
        await exchange.watch_orders(params=dict(params))


async def _hung_up(exchange: Any) -> None:
    """Close the connection, even when closing it is cut short."""
    try:
        await exchange.close()
    except asyncio.CancelledError:
        await exchange.close()
        raise


async def _first_of(watching: asyncio.Future[None], *events: Coroutine[Any, Any, Any], seconds: float = -1.0) -> None:
    """Wait until one of them is done, and end the waits for the others."""
    waits = [asyncio.ensure_future(event) for event in events]
    try:
        await asyncio.wait(
            {watching, *waits}, timeout=seconds if seconds > 0 else None, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        for wait in waits:
            wait.cancel()


async def _why(watching: asyncio.Future[None], otherwise: str) -> Exception:
    """What ended a connection."""
    if watching.done() and not watching.cancelled():
        error = watching.exception()
        if isinstance(error, Exception):
            return error
    return StreamEnded(otherwise)


def _gist(error: Exception) -> str:
    """Why a connection ended, in words that hold nothing the venue sent."""
    if isinstance(error, StreamEnded):
        return str(error)
    if isinstance(error, VenueUnavailable):
        return error.message
    return error.kind if isinstance(error, CallFailed) else type(error).__name__


def _ignore(told: object) -> None:
    del told
