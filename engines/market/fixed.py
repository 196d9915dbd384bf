"""A market whose prices stand until they are set: what `ManualClock` is to clocks, for tests and rehearsals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

import numpy as np

from engines.domain.book import Level, OrderBook
from engines.domain.candles import CandleFrame
from engines.domain.clock import Clock
from engines.domain.instruments import Instrument, Quote
from engines.domain.timeframe import Timeframe, duration_ms, to_ms
from engines.errors import InsufficientData, NotFound
from engines.market.window import window_end

_Row = tuple[int, float, float, float, float, float]
# Base units: so much that the share of a candle which a simulated order may fill is no limit, unless a test says less.
_VOLUME: Final = 10_000.0


@dataclass
class FixedMarket:
    """Prices and candles as they were set; time is the clock's."""

    listed: tuple[Instrument, ...]
    clock: Clock
    name: str = "fixed"
    simulated: bool = True
    _quotes: dict[str, Quote] = field(default_factory=dict)
    _candles: dict[tuple[str, Timeframe], list[_Row]] = field(default_factory=dict)
    _books: dict[str, OrderBook] = field(default_factory=dict)

    def now(self, symbol: str | None = None) -> datetime:
        """The clock's time."""
        return self.clock.now()

    def instruments(self) -> tuple[Instrument, ...]:
        """Everything it lists."""
        return self.listed

    def instrument(self, symbol: str) -> Instrument:
        """Trading rules of one symbol."""
        for instrument in self.listed:
            if instrument.symbol == symbol:
                return instrument
        raise NotFound(f"There is no {symbol} on {self.name}.")

    def set_quote(self, symbol: str, bid: str, ask: str) -> None:
        """Set both prices, as of now; the last trade was at the ask. A book that was set is gone."""
        prices = (Decimal(bid), Decimal(ask), Decimal(ask))
        self._quotes[symbol] = Quote(symbol, *prices, self.now(), self.name, self.simulated)
        self._books.pop(symbol, None)

    def set_book(self, symbol: str, *, bids: Mapping[str, str], asks: Mapping[str, str]) -> None:
        """Set the order book as of now, quantities by price with the best first, and the quote that goes with it."""
        self.set_quote(symbol, next(iter(bids)), next(iter(asks)))
        sides = (_levels(bids), _levels(asks))
        self._books[symbol] = OrderBook(symbol, *sides, self.now(), self.name, self.simulated)

    def set_candle(
        self,
        symbol: str,
        opened: datetime,
        low: float,
        high: float,
        timeframe: Timeframe = "1m",
        *,
        volume: float = _VOLUME,
    ) -> None:
        """Append a candle that opens and closes half-way between its extremes."""
        middle = (low + high) / 2
        self.set_ohlc(symbol, opened, (middle, high, low, middle), timeframe, volume=volume)

    def set_ohlc(
        self,
        symbol: str,
        opened: datetime,
        ohlc: tuple[float, float, float, float],
        timeframe: Timeframe = "1m",
        *,
        volume: float = _VOLUME,
    ) -> None:
        """Append a candle; its volume is in base units."""
        self._candles.setdefault((symbol, timeframe), []).append((to_ms(opened), *ohlc, volume))

    def closed_candles(
        self, symbol: str, timeframe: Timeframe, *, count: int = 500, as_of: datetime | None = None
    ) -> CandleFrame:
        """The last candles that are closed at `as_of`."""
        self.instrument(symbol)
        end = to_ms(window_end(count=count, as_of=as_of, now=self.now())) - duration_ms(timeframe)
        stored = self._candles.get((symbol, timeframe))
        if not stored:
            raise InsufficientData(f"{symbol} has no {timeframe} candle on {self.name}.")
        rows = [row for row in stored if row[0] <= end][-count:]
        columns = np.array([row[1:] for row in rows], dtype=np.float64).reshape(len(rows), 5).T
        times = np.array([row[0] for row in rows], dtype=np.int64)
        return CandleFrame(symbol, timeframe, self.name, self.simulated, times, *columns)

    def quote(self, symbol: str) -> Quote:
        """The price that was set."""
        self.instrument(symbol)
        return self._quotes[symbol]

    def order_book(self, symbol: str) -> OrderBook | None:
        """The book that was set; None after a price without one."""
        self.instrument(symbol)
        return self._books.get(symbol)


def _levels(side: Mapping[str, str]) -> tuple[Level, ...]:
    return tuple(Level(Decimal(price), Decimal(quantity)) for price, quantity in side.items())
