"""A market whose prices stand until they are set: what `ManualClock` is to clocks, for tests and rehearsals."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import numpy as np

from engines.domain.candles import CandleFrame
from engines.domain.clock import Clock
from engines.domain.instruments import Instrument, Quote
from engines.domain.timeframe import Timeframe, duration_ms, to_ms
from engines.errors import InsufficientData, NotFound
from engines.market.window import window_end

_Row = tuple[int, float, float, float, float, float]


@dataclass
class FixedMarket:
    """Prices and candles as they were set; time is the clock's."""

    listed: tuple[Instrument, ...]
    clock: Clock
    name: str = "fixed"
    simulated: bool = True
    _quotes: dict[str, Quote] = field(default_factory=dict)
    _candles: dict[tuple[str, Timeframe], list[_Row]] = field(default_factory=dict)

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
        """Set both prices, as of now; the last trade was at the ask."""
        prices = (Decimal(bid), Decimal(ask), Decimal(ask))
        self._quotes[symbol] = Quote(symbol, *prices, self.now(), self.name, self.simulated)

    def set_candle(self, symbol: str, opened: datetime, low: float, high: float, timeframe: Timeframe = "1m") -> None:
        """Append a candle that opens and closes half-way between its extremes."""
        middle = (low + high) / 2
        self.set_ohlc(symbol, opened, (middle, high, low, middle), timeframe)

    def set_ohlc(
        self, symbol: str, opened: datetime, ohlc: tuple[float, float, float, float], timeframe: Timeframe = "1m"
    ) -> None:
        """Append a candle."""
        self._candles.setdefault((symbol, timeframe), []).append((to_ms(opened), *ohlc, 1.0))

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
