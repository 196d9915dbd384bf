"""Live public data of any exchange that ccxt knows: candles and quotes, no keys, no orders."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Lock
from typing import Any, Final

import numpy as np

from engines.domain.book import Level, OrderBook
from engines.domain.candles import CandleFrame
from engines.domain.clock import Clock
from engines.domain.instruments import Instrument, Quote
from engines.domain.timeframe import TIMEFRAMES, Timeframe, duration_ms, floor_ms, from_ms, to_ms
from engines.errors import InsufficientData, InvalidRequest, VenueUnavailable
from engines.market.candle_checks import bad_rows
from engines.market.ccxt_venue import CcxtVenue
from engines.market.listing import listed
from engines.market.raw_candles import RawCandles
from engines.market.stamps import told_at
from engines.market.venue_rules import narrowed
from engines.market.window import window_end

_LOGGER: Final = logging.getLogger(__name__)
_MARKETS_TTL: Final = timedelta(hours=1)
_PAGE: Final = 1_000
_MAX_PAGES: Final = 60
# Our clock and the exchange's differ; without a successor a candle counts as closed only this much later.
_GRACE_MS: Final = 3_000
# Levels of a book; some exchanges take only certain numbers, and all of them this one.
_DEPTH: Final = 100
_NOTHING: Final = (None,) * 5
_DECIMAL_PLACES: Final = 2
_TICK_SIZE: Final = 4
# Used where an exchange states none: the finest step in use, and the commonest fee.
_FINEST: Final = Decimal("0.00000001")
_USUAL_FEE: Final = Decimal("0.0010")


class CcxtMarket:
    """Spot markets of one exchange. Nothing is asked of it before the first call.

    Args:
        exchange_id: ccxt's name of it, such as `kraken`.
        configure: receives the ccxt exchange before its first use, to point it at another address.
        sleep, jitter: pause between tries and its randomness.

    Raises:
        ConfigurationError: ccxt has no such exchange.
    """

    simulated: Final = False
    candles_per_request: Final = _PAGE

    def __init__(
        self,
        exchange_id: str,
        clock: Clock,
        *,
        configure: Callable[[Any], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.name: Final = exchange_id
        self._venue = CcxtVenue(exchange_id, configure=configure, sleep=sleep, jitter=jitter)
        self._clock = clock
        self._lock = Lock()
        self._instruments: dict[str, Instrument] = {}
        self._listed_at: datetime | None = None

    def now(self, symbol: str | None = None) -> datetime:
        """The clock's time."""
        return self._clock.now()

    def instruments(self) -> tuple[Instrument, ...]:
        """Every active spot market, by symbol; the list is kept for an hour.

        Raises:
            VenueUnavailable: the exchange did not answer.
        """
        return tuple(self._listed().values())

    def instrument(self, symbol: str) -> Instrument:
        """Trading rules of one symbol.

        Raises:
            NotFound: it is not listed; the message names the nearest that are.
            VenueUnavailable: the exchange did not answer.
        """
        return listed(symbol, self._listed(), market=self._venue.title)

    def closed_candles(
        self, symbol: str, timeframe: Timeframe, *, count: int = 500, as_of: datetime | None = None
    ) -> CandleFrame:
        """The last `count` candles closed at `as_of` (now when None); fewer where the exchange has fewer.

        A candle counts as closed when its successor has begun or the clock is past its end. Rows that are no
        candles are left out and logged.

        Raises:
            NotFound: unknown symbol.
            InvalidRequest: the exchange has no such timeframe, or `as_of` lies in the future.
            InsufficientData: it has no candle closed by then.
            VenueUnavailable: it did not answer, or with nothing but rows that are no candles.
        """
        now = self.now()
        end_ms = floor_ms(to_ms(window_end(count=count, as_of=as_of, now=now)), timeframe)
        self.instrument(symbol)
        self._check_timeframe(timeframe)
        rows = self._fetched(symbol, timeframe, first_ms=end_ms - count * duration_ms(timeframe), end_ms=end_ms)
        frame = self._closed(self._checked(rows, symbol, timeframe, now), symbol, timeframe, end_ms=end_ms, now=now)
        if len(frame) == 0:
            raise InsufficientData(
                f"{self._venue.title} has no {timeframe} candle of {symbol} closed by"
                f" {from_ms(end_ms):%Y-%m-%d %H:%M} UTC."
            )
        return frame[-count:]

    def quote(self, symbol: str) -> Quote:
        """Best bid and ask as the exchange tells them now.

        Raises:
            NotFound: unknown symbol.
            VenueUnavailable: it did not answer, or without a usable bid and ask.
        """
        self.instrument(symbol)
        ticker = self._venue.call("fetch_ticker", symbol)
        bid, ask, last = (_price(ticker.get(name)) for name in ("bid", "ask", "last"))
        if bid is None or ask is None or bid > ask:
            raise VenueUnavailable(
                f"{self._venue.title} shows no usable prices of {symbol}"
                f" (bid {ticker.get('bid')}, ask {ticker.get('ask')}). Nothing was sent.",
                remedy="Try again in a minute.",
            )
        time_ = told_at(ticker.get("timestamp"), self.now())
        return Quote(symbol, bid, ask, last or (bid + ask) / 2, time_, self.name, self.simulated)

    def order_book(self, symbol: str) -> OrderBook | None:
        """The order book as the exchange tells it now; None where ccxt knows no way to ask it for one.

        Raises:
            NotFound: unknown symbol.
            VenueUnavailable: it did not answer, or with a book that no order could be matched against.
        """
        self.instrument(symbol)
        if not self._venue.exchange.has.get("fetchOrderBook"):
            return None
        raw = self._venue.call("fetch_order_book", symbol, _DEPTH)
        bids, asks = (tuple(_level(row) for row in raw.get(name) or ()) for name in ("bids", "asks"))
        time_ = told_at(raw.get("timestamp"), self.now())
        book = OrderBook(symbol, bids, asks, time_, self.name, self.simulated)
        if not book.is_sound:
            raise VenueUnavailable(
                f"{self._venue.title} shows no usable order book of {symbol}. Nothing was sent.",
                remedy="Try again in a minute.",
            )
        return book

    def _listed(self) -> dict[str, Instrument]:
        with self._lock:
            now = self.now()
            if self._listed_at is None or now - self._listed_at > _MARKETS_TTL:
                markets = self._venue.call("load_markets", True)  # noqa: FBT003 - ccxt's own argument: reload
                mode = self._venue.exchange.precisionMode
                spot = (each for each in markets.values() if each.get("spot") and each.get("active") is not False)
                listed_at, venue = self._clock.now(), self._venue.id
                found = {
                    each["symbol"]: narrowed(_instrument(each, mode, listed_at), venue, each.get("info") or {})
                    for each in spot
                }
                if not found:
                    raise VenueUnavailable(
                        f"{self._venue.title} lists no spot market.", remedy="Try again in a minute."
                    )
                self._instruments, self._listed_at = dict(sorted(found.items())), now
            return self._instruments

    def _check_timeframe(self, timeframe: Timeframe) -> None:
        supported = [each for each in TIMEFRAMES if each in (self._venue.exchange.timeframes or {})]
        if timeframe not in supported:
            raise InvalidRequest(
                f"{self._venue.title} has no {timeframe} candles.", remedy=f"Use one of {', '.join(supported)}."
            )

    def _fetched(self, symbol: str, timeframe: Timeframe, *, first_ms: int, end_ms: int) -> dict[int, list[Any]]:
        """Rows by open time, page after page from `first_ms`; the forming one comes along where the page holds it."""
        span = duration_ms(timeframe)
        rows: dict[int, list[Any]] = {}
        since = first_ms
        for _ in range(_MAX_PAGES):
            # One more than needed: some exchanges return one less, and a successor proves the last one closed.
            limit = min((end_ms - since) // span + 1, _PAGE)
            page = self._venue.call("fetch_ohlcv", symbol, timeframe, since, limit)
            new = [row for row in page if row and isinstance(row[0], int) and row[0] >= since]
            rows.update((row[0], row) for row in new)
            # An empty page is a hole in the history or a time before the listing: look behind it.
            since = max(row[0] for row in new) + span if new else since + limit * span
            if since >= end_ms:
                break
        return rows

    def _checked(self, rows: dict[int, list[Any]], symbol: str, timeframe: Timeframe, now: datetime) -> RawCandles:
        """The rows that are candles, ascending."""
        ordered = [rows[time_] for time_ in sorted(rows)]
        values = [[np.nan if cell is None else float(cell) for cell in (*row[1:6], *_NOTHING)[:5]] for row in ordered]
        raw = RawCandles(
            lines=np.arange(1, len(ordered) + 1),
            open_time=np.array([row[0] for row in ordered], dtype=np.int64),
            values=np.array(values, dtype=np.float64).reshape(-1, 5),
        )
        bad = bad_rows(raw, timeframe, now_ms=to_ms(now) + _GRACE_MS)
        if bad:
            _LOGGER.warning(
                "%s: %d of %d rows of %s %s are no candles, the first: %s",
                self.name,
                len(bad),
                len(raw),
                symbol,
                timeframe,
                bad[0].reason,
            )
        if bad and len(bad) == len(raw):
            raise VenueUnavailable(
                f"{self._venue.title} gave no usable {timeframe} candle of {symbol} ({bad[0].reason}).",
                remedy="Use another timeframe." if "no start" in bad[0].reason else "Try again in a minute.",
            )
        good = ~np.isin(raw.lines, [each.line for each in bad])
        return RawCandles(raw.lines[good], raw.open_time[good], raw.values[good])

    def _closed(self, raw: RawCandles, symbol: str, timeframe: Timeframe, *, end_ms: int, now: datetime) -> CandleFrame:
        close_time = raw.open_time + duration_ms(timeframe)
        newest = int(raw.open_time[-1]) if len(raw) else 0
        proven = (close_time <= newest) | (close_time + _GRACE_MS <= to_ms(now))
        keep = proven & (close_time <= end_ms)
        open_, high, low, close, volume = (np.ascontiguousarray(column) for column in raw.values[keep].T)
        return CandleFrame(
            symbol=symbol,
            timeframe=timeframe,
            market=self.name,
            simulated=self.simulated,
            open_time=raw.open_time[keep],
            open=open_,
            high=high,
            low=low,
            close=close,
            volume=volume,
        )


def _instrument(market: dict[str, Any], precision_mode: int, listed_at: datetime) -> Instrument:
    precision, limits = market.get("precision") or {}, market.get("limits") or {}
    lot = _step(precision.get("amount"), precision_mode)
    return Instrument(
        symbol=market["symbol"],
        base=market["base"],
        quote=market["quote"],
        tick_size=_step(precision.get("price"), precision_mode),
        lot_size=lot,
        min_quantity=_decimal((limits.get("amount") or {}).get("min")) or lot,
        min_notional=_decimal((limits.get("cost") or {}).get("min")) or Decimal(0),
        maker_fee=_fee(market.get("maker")),
        taker_fee=_fee(market.get("taker")),
        # Some exchanges write 0 where they mean none.
        max_quantity=_decimal((limits.get("amount") or {}).get("max")) or None,
        max_notional=_decimal((limits.get("cost") or {}).get("max")) or None,
        listed_at=listed_at,
    )


def _step(precision: Any, mode: int) -> Decimal:
    """A step from ccxt's precision: the step itself, or decimal places; significant digits tell none."""
    value = _decimal(precision)
    if value is None or mode not in {_DECIMAL_PLACES, _TICK_SIZE}:
        return _FINEST
    return Decimal(1).scaleb(-int(value)) if mode == _DECIMAL_PLACES else value


def _level(row: Any) -> Level:
    """Price and quantity of a row of ccxt's; some exchanges add a third column."""
    price, quantity = (_decimal(cell) or Decimal(0) for cell in row[:2])
    return Level(price, quantity)


def _fee(value: Any) -> Decimal:
    fee = _decimal(value)
    return _USUAL_FEE if fee is None else fee


def _price(value: Any) -> Decimal | None:
    """A price that somebody could pay; None for what is missing, nothing, negative, infinite or no number."""
    price = _decimal(value)
    return price if price is not None and price.is_finite() and price > 0 else None


def _decimal(value: Any) -> Decimal | None:
    """The decimal that a number of ccxt's prints as, without an exponent."""
    return None if value is None else Decimal(format(Decimal(str(value)), "f"))
