"""Holding the simulated venue's resting orders against what the market did since the last time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, select, update

from engines.domain.candles import CandleFrame
from engines.domain.clock import Clock
from engines.domain.instruments import Instrument
from engines.domain.timeframe import Timeframe, duration_ms, from_ms, to_ms
from engines.errors import InsufficientData, InvalidRequest
from engines.execution import paper_book as book
from engines.execution.paper_book import PaperOrder, venue_writing
from engines.execution.paper_filling import FillTime, fill_resting
from engines.execution.paper_model import PaperModel, Take
from engines.execution.paper_prices import Offers, Span, at_market, is_reached, price_in_candle, room_in, taking
from engines.execution.situation import usable_quote
from engines.market.data import MarketData, order_book_of
from engines.storage import ledger as tables
from engines.storage.transactions import writing

# After a long pause coarser candles are matched: finest first, at most this many of them.
_TIMEFRAMES: Final[tuple[Timeframe, ...]] = ("1m", "5m", "15m", "1h", "4h", "1d", "1w")
_MOST_CANDLES: Final = 1_500
# So many candles tell whether the market has volumes at all, and how much is traded in one.
_FLOW_CANDLES: Final = 20


@dataclass(frozen=True, slots=True)
class Flow:
    """What is traded in one candle of a symbol on average, base units, and how long that candle is."""

    volume: Decimal
    length: timedelta


def offers_of(market: MarketData, symbol: str) -> Offers:
    """What a market shows now: its book, or its quote where it gives none.

    Raises:
        NotFound: unknown symbol.
        VenueUnavailable: it has no usable price.
    """
    shown = order_book_of(market, symbol)
    if shown is not None:
        return Offers(shown.bids[0].price, shown.asks[0].price, shown)
    quote = usable_quote(market, symbol)
    return Offers(quote.bid, quote.ask)


def flow_of(market: MarketData, symbol: str, now: datetime) -> Flow | None:
    """What was traded lately, by the finest candles there are; None where the market tells no volume.

    Raises:
        VenueUnavailable: the market did not answer.
    """
    for timeframe in _TIMEFRAMES:
        try:
            frame = market.closed_candles(symbol, timeframe, count=_FLOW_CANDLES, as_of=now)
        except (InsufficientData, InvalidRequest):
            continue
        if len(frame):
            average = Decimal(str(float(frame.volume.mean())))
            return Flow(average, timedelta(milliseconds=duration_ms(timeframe))) if average > 0 else None
    return None


def room_now(
    connection: Connection,
    order: PaperOrder,
    flow: Flow | None,
    instrument: Instrument,
    model: PaperModel,
    now: datetime,
) -> Decimal | None:
    """How much an order may still fill outside of candles at the wall's time `now`; None for any amount."""
    if flow is None:
        return None
    taken = book.taken_in(connection, order, now - flow.length, now)
    return room_in(flow.volume, taken, instrument, model)


@dataclass(frozen=True, slots=True)
class Matching:
    """The resting orders of one market and what fills them."""

    engine: Engine
    market: MarketData
    clock: Clock
    model: PaperModel

    def match(self, now: datetime) -> int:
        """Hold resting orders against the candles closed since the last time, then against the present prices.

        An order meets only candles that opened after it arrived. No look-ahead: `now`, the market's time, is
        the latest instant that is read.

        Returns:
            How many orders were filled, or a part of them.

        Raises:
            VenueUnavailable: the market did not answer; what was matched before stays.
        """
        with self.engine.connect() as connection:
            wanted = set(connection.execute(select(tables.paper_orders.c.symbol).where(*self._is_resting())).scalars())
        # Orders on a symbol that the market has dropped go on resting: a person can cancel them.
        listed = {instrument.symbol for instrument in self.market.instruments()} if wanted else set()
        moments = {symbol: min(now, self.market.now(symbol)) for symbol in sorted(wanted & listed)}
        return sum(self._by_candles(symbol, at) + self._by_prices(symbol, at) for symbol, at in moments.items())

    def _by_candles(self, symbol: str, now: datetime) -> int:
        instrument, filled = self.market.instrument(symbol), 0
        since = min((order.checked_until for order in self._resting(symbol)), default=now)
        frame = self._candles(symbol, since, now)
        if frame is None:
            return 0
        for opened, closed, span in _spans(frame, since):
            seen: set[str] = set()
            # A fill changes what rests: the entry's stop may be touched by the same candle.
            while (order := self._touched(symbol, opened, span, seen)) is not None:
                seen.add(order.id)
                filled += self._fill_in_candle(order, span, (opened, closed), instrument)
        self._checked(symbol, frame.as_of)
        return filled

    def _touched(self, symbol: str, opened: datetime, span: Span, seen: set[str]) -> PaperOrder | None:
        for order in self._resting(symbol):
            own = order.own_price
            if own is None or order.id in seen or order.checked_until > opened:
                continue
            if price_in_candle(order.kind, order.side, own, span) is not None:
                return order
        return None

    def _fill_in_candle(
        self, order: PaperOrder, span: Span, time: tuple[datetime, datetime], instrument: Instrument
    ) -> int:
        opened, closed = time
        with venue_writing(self.engine, order.account) as connection:
            # It may have shrunk or gone since it was read, and another process may have held it against this candle.
            current = book.order_of(connection, order.id)
            if current is None or not current.is_open or current.checked_until > opened:
                return 0
            taken = book.taken_in(connection, current, opened, closed)
            room = room_in(span.volume, taken, instrument, self.model)
            left = book.left_of(connection, current)
            take = self._take_in_candle(current, span, left if room is None else min(left, room), instrument)
            _set_off(connection, current, checked_until=closed)
            when = FillTime(closed, stop_from=opened, target_from=closed)
            return int(fill_resting(connection, current, (take,) if take.quantity else (), instrument, when))

    def _take_in_candle(self, order: PaperOrder, span: Span, quantity: Decimal, instrument: Instrument) -> Take:
        own = order.own_price or span.open
        price = price_in_candle(order.kind, order.side, own, span) or own
        if order.kind == "limit":
            return Take(price, quantity, instrument.maker_fee)
        return at_market(order.side, price, quantity, instrument, self.model)

    def _by_prices(self, symbol: str, now: datetime) -> int:
        # An order that has not arrived yet meets no price.
        resting = [order for order in self._resting(symbol) if order.checked_until <= now]
        if not resting:
            return 0
        instrument, offers = self.market.instrument(symbol), offers_of(self.market, symbol)
        reached = [order for order in resting if _is_reached(order, offers)]
        flow = flow_of(self.market, symbol, now) if reached else None
        return sum(self._fill_at_prices(order, offers, flow, instrument, now) for order in reached)

    def _fill_at_prices(
        self, order: PaperOrder, offers: Offers, flow: Flow | None, instrument: Instrument, now: datetime
    ) -> int:
        with venue_writing(self.engine, order.account) as connection:
            current = book.order_of(connection, order.id)
            if current is None or not current.is_open or not _is_reached(current, offers):
                return 0
            dated = self.clock.now()
            room = room_now(connection, current, flow, instrument, self.model, dated)
            left = book.left_of(connection, current)
            takes: tuple[Take, ...]
            if current.kind == "limit":
                amount = left if room is None else min(left, room)
                takes = (Take(current.own_price or offers.bid, amount, instrument.maker_fee),) if amount else ()
            else:
                takes = taking(current.side, left, offers, instrument, self.model, limit=None, room=room)
            _set_off(connection, current)
            # Dated by the wall, as the ledger is: the market of imported candles stands in the past.
            return int(fill_resting(connection, current, takes, instrument, FillTime(dated, now, now)))

    def _candles(self, symbol: str, since: datetime, now: datetime) -> CandleFrame | None:
        """Closed candles of the finest timeframe that is there and few enough back to `since`, and some before it."""
        elapsed = to_ms(now) - to_ms(since)
        for timeframe in _TIMEFRAMES:
            count = elapsed // duration_ms(timeframe)
            # Below zero: the clock was set back since.
            if count <= 0:
                return None
            if count > _MOST_CANDLES:
                continue
            try:
                frame = self.market.closed_candles(symbol, timeframe, count=max(count, _FLOW_CANDLES), as_of=now)
            except (InsufficientData, InvalidRequest):
                continue
            return frame if len(frame) else None
        return None

    def _resting(self, symbol: str) -> list[PaperOrder]:
        """Open orders of a symbol, stops first: where a candle touches several, the worse counts."""
        columns = tables.paper_orders.c
        query = select(tables.paper_orders).where(*self._is_resting(), columns.symbol == symbol)
        with self.engine.connect() as connection:
            found = book.orders_of(connection, query.order_by(columns.checked_until, columns.id))
        return sorted(found, key=lambda order: order.kind == "limit")

    def _checked(self, symbol: str, until: datetime) -> None:
        columns = tables.paper_orders.c
        behind = (*self._is_resting(), columns.symbol == symbol, columns.checked_until < until)
        with writing(self.engine) as connection:
            connection.execute(update(tables.paper_orders).where(*behind).values(checked_until=until))

    def _is_resting(self) -> tuple[ColumnElement[bool], ...]:
        columns = tables.paper_orders.c
        return columns.status.in_(book.OPEN), columns.market == self.market.name


def _is_reached(order: PaperOrder, offers: Offers) -> bool:
    own = order.own_price
    return own is not None and is_reached(order.kind, order.side, own, offers.best(order.side))


def _set_off(connection: Connection, order: PaperOrder, **values: datetime) -> None:
    """Remember that a stop's price was reached: what of it does not fill now is at the market from here on."""
    kind = order.order_type if order.kind == "limit" else "market"
    book.change(connection, order.id, order.status, order_type=kind, **values)


def _spans(frame: CandleFrame, since: datetime) -> Iterator[tuple[datetime, datetime, Span]]:
    """Candles that opened at `since` or later; without volumes where the market has none at all."""
    length, told = duration_ms(frame.timeframe), bool(frame.volume.any())
    for row in range(len(frame)):
        opened = int(frame.open_time[row])
        if opened < to_ms(since):
            continue
        open_, high, low, volume = (
            Decimal(str(float(column[row]))) for column in (frame.open, frame.high, frame.low, frame.volume)
        )
        yield from_ms(opened), from_ms(opened + length), Span(open_, high, low, volume if told else None)
