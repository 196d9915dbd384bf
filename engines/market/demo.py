"""The simulated market: a pure function of seed, symbol and time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

import numpy as np

from engines.domain.book import OrderBook
from engines.domain.candles import CandleFrame
from engines.domain.clock import Clock
from engines.domain.instruments import Instrument, Quote
from engines.domain.timeframe import Timeframe, duration_ms, floor_ms, from_ms, to_ms
from engines.errors import InsufficientData
from engines.market.demo_book import ladder
from engines.market.demo_path import (
    MINUTE_MS,
    SECOND_MS,
    WEEK_ANCHOR_MS,
    WEEK_MS,
    Nodes,
    Noise,
    descend,
)
from engines.market.demo_weeks import WeekModel, weekly
from engines.market.listing import listed
from engines.market.noise import Floats, exact_exp
from engines.market.window import window_end

BEGINNING: Final = datetime(2000, 1, 3, tzinfo=UTC)
# Sums of multiples of a power of two are exact in binary floating point: volumes add up to the last bit.
VOLUME_UNIT: Final = 2.0**-10
# Timeframes that are no level of the tree are put together from one that is.
_PARTS: Final[dict[Timeframe, tuple[Timeframe, int]]] = {"3m": ("1m", 3), "6h": ("2h", 3)}


@dataclass(frozen=True, slots=True)
class _Listing:
    """What one simulated symbol is like; `price` is the level it keeps returning to, in USDT."""

    base: str
    price: float
    decimals: int
    lot: str
    weekly_deviation: float
    turnover: float
    spread_bp: float

    @property
    def symbol(self) -> str:
        return f"{self.base}/USDT"

    def instrument(self) -> Instrument:
        lot = Decimal(self.lot)
        return Instrument(
            symbol=self.symbol,
            base=self.base,
            quote="USDT",
            tick_size=Decimal(1).scaleb(-self.decimals),
            lot_size=lot,
            min_quantity=lot,
            min_notional=Decimal(5),
            maker_fee=Decimal("0.0008"),
            taker_fee=Decimal("0.0010"),
        )


_LISTINGS: Final = (
    _Listing("BTC", 64_000.0, 2, "0.00001", 0.065, 1.4e11, 0.5),
    _Listing("ETH", 3_100.0, 2, "0.0001", 0.080, 7.0e10, 0.6),
    _Listing("SOL", 150.0, 2, "0.001", 0.105, 1.6e10, 1.0),
    _Listing("XRP", 0.62, 5, "0.1", 0.090, 9.0e9, 2.0),
    _Listing("BNB", 580.0, 2, "0.001", 0.070, 6.0e9, 1.0),
    _Listing("DOGE", 0.14, 5, "1", 0.110, 6.0e9, 1.5),
    _Listing("ADA", 0.46, 5, "0.1", 0.095, 2.5e9, 2.5),
    _Listing("AVAX", 32.0, 2, "0.01", 0.105, 2.0e9, 3.0),
    _Listing("LINK", 15.0, 3, "0.01", 0.100, 2.2e9, 2.0),
    _Listing("DOT", 6.8, 3, "0.01", 0.095, 1.3e9, 2.0),
    _Listing("LTC", 82.0, 3, "0.001", 0.080, 2.4e9, 1.5),
    _Listing("TRX", 0.125, 6, "0.1", 0.055, 1.9e9, 1.5),
    _Listing("ATOM", 8.4, 3, "0.01", 0.095, 9.0e8, 2.5),
    _Listing("POL", 0.68, 5, "0.1", 0.100, 8.0e8, 2.5),
)


class DemoMarket:
    """Fourteen symbols against USDT whose every price is computed from (seed, symbol, time).

    Two machines, and two windows on one machine, see the same candles to the bit. Volatility clusters, volume
    follows the hours of the day, trends and ranges take turns, symbols move together, and the long run
    returns to the listed level. Candles of every timeframe are exactly the aggregates of their minutes;
    any window costs what it holds, wherever it lies. Candles begin at 2000-01-03.
    """

    name: Final = "demo"
    simulated: Final = True

    def __init__(self, clock: Clock, seed: int = 7) -> None:
        self._clock = clock
        self._seed = seed
        self._listings = {listing.symbol: listing for listing in _LISTINGS}
        self._instruments = {listing.symbol: listing.instrument() for listing in _LISTINGS}
        # Quotes of one minute share the way down to it; a cache of a pure function changes nothing but the time.
        self._minute = lru_cache(maxsize=64)(self._minute_node)

    def now(self, symbol: str | None = None) -> datetime:
        """The clock's time."""
        return self._clock.now()

    def instruments(self) -> tuple[Instrument, ...]:
        """Everything it lists, by symbol."""
        return tuple(self._instruments[symbol] for symbol in sorted(self._instruments))

    def instrument(self, symbol: str) -> Instrument:
        """Trading rules of one symbol.

        Raises:
            NotFound: it is not listed; the message names the nearest that are.
        """
        return listed(symbol, self._instruments, market=self.name)

    def closed_candles(
        self, symbol: str, timeframe: Timeframe, *, count: int = 500, as_of: datetime | None = None
    ) -> CandleFrame:
        """The last `count` candles closed at `as_of` (now when None); fewer only where the market begins.

        Raises:
            NotFound: unknown symbol.
            InvalidRequest: `as_of` lies in the future, or `count` is below 1.
            InsufficientData: no candle had closed by then.
        """
        self.instrument(symbol)
        end_ms = floor_ms(to_ms(window_end(count=count, as_of=as_of, now=self.now())), timeframe)
        first_ms = max(end_ms - count * duration_ms(timeframe), floor_ms(to_ms(BEGINNING), timeframe))
        if first_ms >= end_ms:
            raise InsufficientData(
                f"{symbol} has no {timeframe} candle closed by {from_ms(end_ms):%Y-%m-%d}.",
                remedy=f"The demo market begins at {BEGINNING:%Y-%m-%d}.",
            )
        part, per_candle = _PARTS.get(timeframe, (timeframe, 1))
        nodes = self._nodes(symbol, duration_ms(part), first_ms, end_ms)
        return self._frame(symbol, timeframe, nodes, per_candle)

    def quote(self, symbol: str) -> Quote:
        """Best prices at this second, around the path that the current minute's candle will show.

        Raises:
            NotFound: unknown symbol.
        """
        instrument, listing = self.instrument(symbol), self._listings[symbol]
        now = self.now()
        last = self._last_ticks(symbol, now)
        half_spread = max(1, round(last * listing.spread_bp / 20_000))
        bid, ask = last - half_spread, last + half_spread - (half_spread == 1)
        tick = instrument.tick_size
        return Quote(symbol, bid * tick, ask * tick, last * tick, now, self.name, self.simulated)

    def order_book(self, symbol: str) -> OrderBook:
        """The order book of this second, around the quote; the symbol's average turnover says how much it offers.

        Raises:
            NotFound: unknown symbol.
        """
        quote, instrument, listing = self.quote(symbol), self._instruments[symbol], self._listings[symbol]
        per_minute = listing.turnover / (WEEK_MS / MINUTE_MS) / listing.price
        moment = (self._seed, to_ms(quote.time) // SECOND_MS)
        bids = ladder("buy", quote.bid, instrument, per_minute=per_minute, moment=moment)
        asks = ladder("sell", quote.ask, instrument, per_minute=per_minute, moment=moment)
        return OrderBook(symbol, bids, asks, quote.time, self.name, self.simulated)

    def _nodes(self, symbol: str, span_ms: int, first_ms: int, end_ms: int) -> Nodes:
        listing = self._listings[symbol]
        # Nine digits are the same whatever libm made them.
        log_level = round(math.log(listing.price), 9)
        model = WeekModel(log_level, listing.weekly_deviation, listing.turnover / VOLUME_UNIT)
        noise = Noise(self._seed, symbol)
        first_week, last_week = ((at - WEEK_ANCHOR_MS) // WEEK_MS for at in (first_ms, end_ms - 1))
        weeks = weekly(model, noise, first_week, last_week)
        return descend(weeks, noise, spans=(WEEK_MS, span_ms), window=(first_ms, end_ms))

    def _minute_node(self, symbol: str, open_ms: int) -> Nodes:
        return self._nodes(symbol, MINUTE_MS, open_ms, open_ms + MINUTE_MS)

    def _last_ticks(self, symbol: str, now: datetime) -> int:
        """Price at the current second, in ticks."""
        second_ms = to_ms(now) // SECOND_MS * SECOND_MS
        minute = self._minute(symbol, floor_ms(second_ms, "1m"))
        noise = Noise(self._seed, symbol)
        path = descend(minute, noise, spans=(MINUTE_MS, SECOND_MS), window=(second_ms, second_ms + SECOND_MS))
        return int(self._ticks(symbol, path.open)[0])

    def _ticks(self, symbol: str, logarithms: Floats) -> Floats:
        """Prices as whole ticks, never below one: rounding keeps their order, so candles stay coherent."""
        return np.maximum(np.rint(exact_exp(logarithms) * 10.0 ** self._listings[symbol].decimals), 1.0)

    def _frame(self, symbol: str, timeframe: Timeframe, nodes: Nodes, per_candle: int) -> CandleFrame:
        scale = 10.0 ** self._listings[symbol].decimals
        rows = slice(None, None, per_candle)
        groups = (-1, per_candle)
        return CandleFrame(
            symbol=symbol,
            timeframe=timeframe,
            market=self.name,
            simulated=self.simulated,
            open_time=nodes.index[rows] * (duration_ms(timeframe) // per_candle) + WEEK_ANCHOR_MS,
            open=self._ticks(symbol, nodes.open[rows]) / scale,
            high=self._ticks(symbol, nodes.high.reshape(groups).max(axis=1)) / scale,
            low=self._ticks(symbol, nodes.low.reshape(groups).min(axis=1)) / scale,
            close=self._ticks(symbol, nodes.close[per_candle - 1 :: per_candle]) / scale,
            volume=nodes.volume.reshape(groups).sum(axis=1) * VOLUME_UNIT,
        )
