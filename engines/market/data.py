"""The seam between the desk and any market."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, runtime_checkable

from engines.domain.book import OrderBook
from engines.domain.candles import CandleFrame
from engines.domain.instruments import Instrument, Quote
from engines.domain.timeframe import Timeframe


class MarketData(Protocol):
    """One market. It never falls back to another: an outage raises `VenueUnavailable`.

    Calls block; async callers use a thread. Implementations are safe to share between threads.
    """

    @property
    def name(self) -> str:
        """`demo`, `files` or a ccxt id."""
        ...

    @property
    def simulated(self) -> bool:
        """True when no real market made the prices."""
        ...

    def now(self, symbol: str | None = None) -> datetime:
        """The market's own time: the wall clock, or the end of imported data, of one symbol or of all."""
        ...

    def instruments(self) -> tuple[Instrument, ...]:
        """Everything it lists, by symbol."""
        ...

    def instrument(self, symbol: str) -> Instrument:
        """Trading rules of one symbol.

        Raises:
            NotFound: it is not listed; the message names the nearest that are.
        """
        ...

    def closed_candles(
        self, symbol: str, timeframe: Timeframe, *, count: int = 500, as_of: datetime | None = None
    ) -> CandleFrame:
        """The last `count` candles closed at `as_of` (the market's now when None); fewer when there are fewer.

        Raises:
            NotFound: unknown symbol.
            InsufficientData: the market has no candle of this timeframe for it.
            VenueUnavailable: the market did not answer.
        """
        ...

    def quote(self, symbol: str) -> Quote:
        """Best prices now.

        Raises:
            NotFound: unknown symbol.
            VenueUnavailable: the market did not answer.
        """
        ...


@runtime_checkable
class MarketDepth(Protocol):
    """What a market adds that knows more than its best prices; imported candles do not."""

    def order_book(self, symbol: str) -> OrderBook | None:
        """The sound order book of now, as deep as the market tells it; None where it shows none of this symbol.

        Raises:
            NotFound: unknown symbol.
            VenueUnavailable: the market did not answer, or with a book that cannot be.
        """
        ...


def order_book_of(market: MarketData, symbol: str) -> OrderBook | None:
    """A market's order book; None for a market that gives none.

    Raises:
        NotFound, VenueUnavailable: as `MarketDepth.order_book`.
    """
    return market.order_book(symbol) if isinstance(market, MarketDepth) else None
