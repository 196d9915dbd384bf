"""The market of imported candles; its clock stands at their end."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from engines.domain.candles import CandleFrame
from engines.domain.instruments import Instrument, Quote
from engines.domain.timeframe import Timeframe, duration_ms, to_ms
from engines.errors import ConfigurationError, InsufficientData, NotFound
from engines.market.aggregation import aggregate, best_source
from engines.market.listing import listed
from engines.market.store import CandleStore, Series
from engines.market.window import window_end

IMPORT_COMMAND: Final = "quantum-trader import-candles FILE --symbol BTC/USD --timeframe 1h"
# Files do not say what trading costs: a tenth of a percent either way, a spread of two basis points, orders of one
# quote unit or more.
FEE: Final = Decimal("0.0010")
HALF_SPREAD: Final = Decimal("0.0001")
MIN_NOTIONAL: Final = Decimal(1)


class FileMarket:
    """Serves what was imported: every symbol in its timeframes and in longer ones made of them.

    Time ends for each symbol with its newest candle. Imports show at once, also those of another process.
    """

    name: Final = "files"
    simulated: Final = False

    def __init__(self, store: CandleStore) -> None:
        self._store = store

    def now(self, symbol: str | None = None) -> datetime:
        """Close time of the newest imported candle, of one symbol or of all.

        Raises:
            ConfigurationError: nothing was imported yet.
            NotFound: the symbol was not imported.
        """
        return _end(self._store.series() if symbol is None else self._series_of(symbol))

    def instruments(self) -> tuple[Instrument, ...]:
        """Everything imported, by symbol; empty before the first import."""
        return tuple(_instrument(symbol, series) for symbol, series in self._by_symbol().items())

    def instrument(self, symbol: str) -> Instrument:
        """Trading rules of one symbol: steps as the file writes them, fees and minimum by default.

        Raises:
            NotFound: it was not imported; the message names what was, or how to import.
        """
        return _instrument(symbol, self._series_of(symbol))

    def closed_candles(
        self, symbol: str, timeframe: Timeframe, *, count: int = 500, as_of: datetime | None = None
    ) -> CandleFrame:
        """The last `count` candles closed at `as_of` (the end of the data when None); fewer when there are fewer.

        A timeframe that was not imported is made of the longest shorter one that fits.

        Raises:
            NotFound: the symbol was not imported.
            InvalidRequest: `as_of` lies beyond the end of the data, or `count` is below 1.
            InsufficientData: nothing imported makes this timeframe, or no candle had closed by then.
            VenueUnavailable: the database does not answer.
        """
        available = {each.timeframe: each for each in self._series_of(symbol)}
        end_ms = to_ms(window_end(count=count, as_of=as_of, now=self.now()))
        source = best_source(timeframe, available)
        if source is None:
            raise InsufficientData(
                f"{symbol} was imported as {', '.join(available)}; {timeframe} candles cannot be made of that.",
                remedy=f"Ask for a longer timeframe or import {timeframe} candles.",
            )
        frame = self._made(symbol, timeframe, available[source], end_ms=end_ms, count=count)
        if len(frame) == 0:
            first, end = available[source].first, available[source].end
            raise InsufficientData(
                f"No {timeframe} candle of {symbol} had closed by then: the data run from {first:%Y-%m-%d %H:%M} to"
                f" {end:%Y-%m-%d %H:%M} UTC."
            )
        return frame

    def quote(self, symbol: str) -> Quote:
        """The newest close with a spread of two basis points, at least one tick; its time is that candle's close.

        Raises:
            NotFound: the symbol was not imported.
            VenueUnavailable: the database does not answer.
        """
        series = self._series_of(symbol)
        tick = _instrument(symbol, series).tick_size
        # The latest close is what the market knows; among series that end together the finest is the surest.
        newest = max(series, key=lambda each: (each.end, -duration_ms(each.timeframe)))
        frame = self._store.read(symbol, newest.timeframe, end_ms=to_ms(newest.end), count=1)
        last = Decimal(repr(float(frame.close[-1]))).quantize(tick)
        bid = (last * (1 - HALF_SPREAD)).quantize(tick, ROUND_FLOOR)
        ask = (last * (1 + HALF_SPREAD)).quantize(tick, ROUND_CEILING)
        return Quote(symbol, bid or last, max(ask, bid + tick), last, newest.end, self.name, self.simulated)

    def _made(self, symbol: str, timeframe: Timeframe, series: Series, *, end_ms: int, count: int) -> CandleFrame:
        source = series.timeframe
        if source == timeframe:
            return self._store.read(symbol, source, end_ms=end_ms, count=count)
        parts = duration_ms(timeframe) // duration_ms(source)
        # Two periods more than asked: the first may be cut, the last may still be open.
        frame = self._store.read(symbol, source, end_ms=end_ms, count=(count + 2) * parts)
        return aggregate(frame, timeframe, complete_until_ms=min(end_ms, to_ms(series.end)))[-count:]

    def _series_of(self, symbol: str) -> tuple[Series, ...]:
        by_symbol = self._by_symbol()
        if not by_symbol:
            raise NotFound(f"{symbol!r} is not here: no candles were imported yet.", remedy=f"Run `{IMPORT_COMMAND}`.")
        listed(symbol, {name: _instrument(name, series) for name, series in by_symbol.items()}, market=self.name)
        return by_symbol[symbol]

    def _by_symbol(self) -> dict[str, tuple[Series, ...]]:
        found: dict[str, list[Series]] = defaultdict(list)
        for each in self._store.series():
            found[each.symbol].append(each)
        return {symbol: tuple(series) for symbol, series in found.items()}


def _end(series: tuple[Series, ...]) -> datetime:
    if not series:
        raise ConfigurationError("The market `files` has no candles yet.", remedy=f"Run `{IMPORT_COMMAND}`.")
    return max(each.end for each in series)


def _instrument(symbol: str, series: tuple[Series, ...]) -> Instrument:
    base, _, quote = symbol.partition("/")
    lot = min(each.provenance.lot_size for each in series)
    return Instrument(
        symbol=symbol,
        base=base,
        quote=quote.partition(":")[0],
        tick_size=min(each.provenance.tick_size for each in series),
        lot_size=lot,
        min_quantity=lot,
        min_notional=MIN_NOTIONAL,
        maker_fee=FEE,
        taker_fee=FEE,
    )
