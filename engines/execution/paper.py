"""A venue that is simulated down to its memory, so that everything around it is the same as live."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, select, update

from engines.domain.candles import CandleFrame
from engines.domain.clock import Clock
from engines.domain.instruments import Instrument
from engines.domain.orders import Fill, Order, OrderTicket
from engines.domain.timeframe import Timeframe, duration_ms, from_ms, to_ms
from engines.errors import ConfigurationError, InsufficientData, NotFound, OrderRejected, VenueUnavailable
from engines.execution import paper_book as book
from engines.execution.broker import ApprovedTicket, Balance, OpenOrder, VenueOrder, protective_ids
from engines.execution.paper_account import balances_of, fills_after, held_back, open_orders_of
from engines.execution.paper_book import FillTime, PaperOrder, paper_order, venue_writing
from engines.execution.paper_model import MODEL, Span, Terms, at_quote, fee_of, on_arrival, refusal_of, within_candle
from engines.execution.situation import usable_quote
from engines.market.data import MarketData
from engines.storage import ledger as tables
from engines.storage.transactions import writing

# After a long pause coarser candles are matched: finest first, at most this many of them.
_TIMEFRAMES: Final[tuple[Timeframe, ...]] = ("1m", "5m", "15m", "1h", "4h", "1d", "1w")
_MOST_CANDLES: Final = 1_500


class PaperBroker:
    """Fills orders at the market's prices; what it knows outlives the process, apart from the ledger.

    Args:
        account: the one whose open orders, balances and fills are told; None takes orders of every account.
    """

    name = "paper"
    settling = timedelta(0)
    model = MODEL

    def __init__(self, engine: Engine, market: MarketData, clock: Clock, *, account: str | None = None) -> None:
        self._engine = engine
        self._market = market
        self._clock = clock
        self._account = account

    def for_account(self, account: str) -> PaperBroker:
        """The same venue as one of its accounts sees it."""
        return PaperBroker(self._engine, self._market, self._clock, account=account)

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        """Take the ticket's order under its client order id; the same id again is the same order.

        Raises:
            OrderRejected: no price, or the account's funds do not cover it.
        """
        ticket = approved.ticket
        try:
            order = paper_order(ticket, self._market.now(ticket.symbol))
            instrument, quote = self._market.instrument(ticket.symbol), usable_quote(self._market, ticket.symbol)
        except (NotFound, VenueUnavailable) as error:
            raise OrderRejected(f"The paper venue has no price: {error.message}") from error
        arrival = on_arrival(order.side, order.order_type, order.own_price, order.quantity, quote, instrument)
        terms = arrival or Terms(order.own_price or quote.ask, instrument.taker_fee)
        refused = refusal_of(order.quantity, order.own_price or quote.taking(order.side), instrument)
        with venue_writing(self._engine, order.account) as connection:
            known = book.order_of(connection, order.id)
            if known is not None:
                return book.seen_from_outside(connection, known)
            if refused:
                raise OrderRejected(refused)
            covered, lacking = book.affordable(connection, order, terms, instrument)
            if covered < order.quantity:
                raise OrderRejected(lacking)
            taken = self._held_back(connection, order, terms, instrument)
            if taken:
                raise OrderRejected(taken)
            book.insert_order(connection, order)
            if arrival is not None:
                book.fill(connection, order, arrival, instrument, self._at_once(order.checked_until))
            elif ticket.time_in_force in {"IOC", "FOK"}:
                book.change(connection, order.id, "cancelled", reason="Nothing could be filled at once.")
            return self._seen(connection, order.id)

    def find(self, client_order_id: str, symbol: str) -> VenueOrder | None:
        """The order with this id, in any state."""
        with self._engine.connect() as connection:
            order = book.order_of(connection, client_order_id)
            known = order is not None and order.symbol == symbol
            return book.seen_from_outside(connection, order) if order is not None and known else None

    def cancel(self, client_order_id: str, symbol: str) -> VenueOrder:
        """Cancel a resting order; one that is done stays as it is.

        Raises:
            NotFound: there is no such order.
        """
        with self._engine.connect() as reading:
            order = book.order_of(reading, client_order_id)
        if order is None or order.symbol != symbol:
            raise NotFound(f"The paper venue has no order {client_order_id!r} on {symbol}.")
        with venue_writing(self._engine, order.account) as connection:
            book.change(connection, client_order_id, "cancelled", reason="Cancelled on request.")
            return self._seen(connection, client_order_id)

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """Orders that rest on this market."""
        with self._engine.connect() as connection:
            return open_orders_of(connection, market=self._market.name, account=self._account)

    def balances(self) -> dict[str, Balance]:
        """What the account has, and how much of it no open entry holds back.

        Raises:
            ConfigurationError: the broker stands for every account, not for one.
            VenueUnavailable: the market did not answer.
        """
        if self._account is None:
            raise ConfigurationError("Whose balances is not said.", remedy="Use `for_account` of the paper broker.")
        instruments = self._market.instruments()
        with self._engine.connect() as connection:
            return balances_of(connection, self._account, instruments)

    def fills_since(self, symbol: str, after_ms: int) -> tuple[Fill, ...]:
        """Fills on a symbol dated `after_ms` or later, oldest first."""
        with self._engine.connect() as connection:
            return fills_after(connection, symbol, after_ms, market=self._market.name, account=self._account)

    def holds_protection(self, ticket: OrderTicket) -> bool:
        """True for every buy with exits: they rest here once it has filled."""
        return ticket.side == "buy" and (ticket.stop_loss is not None or ticket.take_profit is not None)

    def carries_exits(self, ticket: OrderTicket) -> bool:
        """They begin to rest in the moment their entry fills."""
        return self.holds_protection(ticket)

    def protects_parts(self, ticket: OrderTicket) -> bool:
        """They follow each part of an entry that fills."""
        return self.holds_protection(ticket)

    def protect(self, entry: Order) -> tuple[VenueOrder, ...]:
        """The exits of an entry; they began to rest in the moment it filled.

        Raises:
            VenueUnavailable: the venue does not know them, although it took an entry that has some.
        """
        found = tuple(self.find(order_id, entry.symbol) for order_id in protective_ids(entry.id))
        known = tuple(order for order in found if order is not None)
        wanted = entry.side == "buy" and (entry.stop_loss is not None or entry.take_profit is not None)
        if wanted and not known:
            raise VenueUnavailable(f"The paper venue does not show the exits of {entry.id}.")
        return known

    def ready(self) -> None:
        """Ask the market for what it lists.

        Raises:
            VenueUnavailable: it did not answer.
        """
        self._market.instruments()

    def match(self, now: datetime) -> int:
        """Hold this market's resting orders against the candles closed since the last time, then against the quote.

        An order meets only candles that opened after it arrived. No look-ahead: `now`, the market's time, is
        the latest instant that is read.

        Returns:
            How many orders were filled.

        Raises:
            VenueUnavailable: the market did not answer; what was matched before stays.
        """
        with self._engine.connect() as connection:
            resting = select(tables.paper_orders.c.symbol).where(*self._is_resting())
            wanted = set(connection.execute(resting).scalars())
        # Orders on a symbol that the market has dropped go on resting: a person can cancel them.
        listed = {instrument.symbol for instrument in self._market.instruments()} if wanted else set()
        symbols = sorted(wanted & listed)
        return sum(self._match_symbol(symbol, min(now, self._market.now(symbol))) for symbol in symbols)

    def _match_symbol(self, symbol: str, now: datetime) -> int:
        return self._match_candles(symbol, now) + self._match_quote(symbol, now)

    def _match_candles(self, symbol: str, now: datetime) -> int:
        instrument, filled = self._market.instrument(symbol), 0
        resting = self._resting(symbol)
        frame = self._candles(symbol, min((order.checked_until for order in resting), default=now), now)
        if frame is None:
            return 0
        for opened, closed, span in _spans(frame):
            # A fill changes what rests: the entry's stop may be touched by the same candle.
            while (found := _first_touched(resting, opened, span, instrument)) is not None:
                filled += self._fill(*found, instrument, FillTime(closed, stop_from=opened, target_from=closed))
                resting = self._resting(symbol)
        self._checked(symbol, frame.as_of)
        return filled

    def _match_quote(self, symbol: str, now: datetime) -> int:
        instrument, quote, filled = self._market.instrument(symbol), usable_quote(self._market, symbol), 0
        for order in self._resting(symbol):
            own = order.own_price
            terms = at_quote(order.side, order.order_type, own, order.quantity, quote, instrument) if own else None
            if terms is not None:
                filled += self._fill(order, terms, instrument, self._at_once(now))
        return filled

    def _fill(self, order: PaperOrder, terms: Terms, instrument: Instrument, when: FillTime) -> int:
        with venue_writing(self._engine, order.account) as connection:
            # It may have shrunk or gone since it was read.
            current = book.order_of(connection, order.id)
            if current is None or current.status != "accepted":
                return 0
            return int(book.fill_resting(connection, current, terms, instrument, when))

    def _at_once(self, market_now: datetime) -> FillTime:
        """Dated by the wall, as the ledger is: the market of imported candles stands in the past."""
        return FillTime(self._clock.now(), stop_from=market_now, target_from=market_now)

    def _candles(self, symbol: str, since: datetime, now: datetime) -> CandleFrame | None:
        """Closed candles that opened at `since` or later, of the finest timeframe that is there and few enough."""
        elapsed = to_ms(now) - to_ms(since)
        for timeframe in _TIMEFRAMES:
            count = elapsed // duration_ms(timeframe)
            # Below zero: the clock was set back since.
            if count <= 0:
                return None
            if count > _MOST_CANDLES:
                continue
            try:
                frame = self._market.closed_candles(symbol, timeframe, count=count, as_of=now)
            except InsufficientData:
                continue
            return frame if len(frame) else None
        return None

    def _resting(self, symbol: str) -> list[PaperOrder]:
        """Open orders of a symbol, stops first: where a candle touches several, the worse counts."""
        columns = tables.paper_orders.c
        query = select(tables.paper_orders).where(*self._is_resting(), columns.symbol == symbol)
        with self._engine.connect() as connection:
            found = book.orders_of(connection, query.order_by(columns.checked_until, columns.id))
        return sorted(found, key=lambda order: order.order_type != "stop")

    def _checked(self, symbol: str, until: datetime) -> None:
        columns = tables.paper_orders.c
        behind = (*self._is_resting(), columns.symbol == symbol, columns.checked_until < until)
        with writing(self._engine) as connection:
            connection.execute(update(tables.paper_orders).where(*behind).values(checked_until=until))

    def _is_resting(self) -> tuple[ColumnElement[bool], ...]:
        columns = tables.paper_orders.c
        return columns.status == "accepted", columns.market == self._market.name

    def _held_back(self, connection: Connection, order: PaperOrder, terms: Terms, instrument: Instrument) -> str:
        """Why what open orders hold back leaves too little for another one; empty when it does not."""
        listed = {instrument.symbol: instrument}
        held = held_back(connection, order.account, listed)
        if order.side == "sell":
            name, has = instrument.base, book.held_of(connection, order.account, order.symbol)
            needs = order.quantity
        else:
            name, has = instrument.quote, book.cash_of(connection, order.account, instrument.quote)
            needs = terms.price * order.quantity + fee_of(terms, order.quantity)
        free = has - held.get(name, Decimal(0))
        return "" if needs <= free else f"It needs {needs} {name}, and open orders leave {free} of {has}."

    @staticmethod
    def _seen(connection: Connection, order_id: str) -> VenueOrder:
        order = book.order_of(connection, order_id)
        if order is None:
            raise NotFound(f"The paper venue has no order {order_id!r}.")
        return book.seen_from_outside(connection, order)


def _first_touched(
    resting: list[PaperOrder], opened: datetime, span: Span, instrument: Instrument
) -> tuple[PaperOrder, Terms] | None:
    for order in resting:
        own = order.own_price
        if own is not None and order.checked_until <= opened:
            terms = within_candle(order.side, order.order_type, own, order.quantity, span, instrument)
            if terms is not None:
                return order, terms
    return None


def _spans(frame: CandleFrame) -> Iterator[tuple[datetime, datetime, Span]]:
    length = duration_ms(frame.timeframe)
    for row in range(len(frame)):
        opened = int(frame.open_time[row])
        prices = (Decimal(str(float(column[row]))) for column in (frame.open, frame.high, frame.low))
        yield from_ms(opened), from_ms(opened + length), Span(*prices)
