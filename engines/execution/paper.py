"""A venue that is simulated down to its memory, so that everything around it is the same as live."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection, Engine

from engines.domain.clock import Clock
from engines.domain.instruments import Instrument
from engines.domain.orders import Fill, Order, OrderTicket
from engines.errors import ConfigurationError, NotFound, OrderRejected, VenueUnavailable
from engines.execution import paper_book as book
from engines.execution.broker import ApprovedTicket, Balance, OpenOrder, VenueOrder, protective_ids
from engines.execution.paper_account import balances_of, fills_after, held_back, open_orders_of
from engines.execution.paper_book import PaperOrder, paper_order, venue_writing
from engines.execution.paper_filling import FillTime, fill
from engines.execution.paper_matching import Flow, Matching, flow_of, offers_of, room_now
from engines.execution.paper_model import PaperModel, Take, refusal_of
from engines.execution.paper_prices import Offers, is_reached, taking
from engines.market.data import MarketData

_ZERO: Final = Decimal(0)
_DEFAULT: Final = PaperModel()


class PaperBroker:
    """Fills orders at the market's prices; what it knows outlives the process, apart from the ledger.

    Args:
        account: the one whose open orders, balances and fills are told; None takes orders of every account.
        rules: the parameters of the simulation.
    """

    name = "paper"
    settling = timedelta(0)

    def __init__(
        self,
        engine: Engine,
        market: MarketData,
        clock: Clock,
        *,
        account: str | None = None,
        rules: PaperModel = _DEFAULT,
    ) -> None:
        self._engine = engine
        self._market = market
        self._clock = clock
        self._account = account
        self._rules = rules

    @property
    def model(self) -> str:
        """How it fills, with the parameters in force."""
        return self._rules.statement

    def for_account(self, account: str) -> PaperBroker:
        """The same venue as one of its accounts sees it."""
        return PaperBroker(self._engine, self._market, self._clock, account=account, rules=self._rules)

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        """Take the ticket's order under its client order id; the same id again is the same order.

        It travels for the model's latency first, in the clock's time, and meets the prices of its arrival. Whoever
        sends holds the ticket's claim meanwhile, as for a real venue's answer: another look would not find the order
        here yet, and take that for proof that it was never sent.

        Raises:
            OrderRejected: no price, the market takes no such order, or the account's funds do not cover it.
        """
        ticket = approved.ticket
        with self._engine.connect() as connection:
            if (known := book.order_of(connection, ticket.client_order_id)) is not None:
                return book.seen_from_outside(connection, known)
        arrival = self._arrive(ticket)
        order, best = arrival.order, arrival.offers.best(ticket.side)
        named = (order.limit_price, order.stop_price, order.stop_loss, order.take_profit)
        prices = (order.own_price or best, *(price for price in named if price is not None))
        refused = refusal_of(order.order_type, ticket.time_in_force, order.quantity, prices, arrival.instrument)
        with venue_writing(self._engine, order.account) as connection:
            if (known := book.order_of(connection, order.id)) is not None:
                return book.seen_from_outside(connection, known)
            if refused:
                raise OrderRejected(refused)
            self._enter(connection, arrival, ticket.time_in_force)
            return self._seen(connection, order.id)

    def find(self, client_order_id: str, symbol: str, *, since: datetime | None = None) -> VenueOrder | None:
        """The order with this id, in any state."""
        del since
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
            book.change(connection, client_order_id, "cancelled", reason=book.ON_REQUEST)
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

    def fills_on(self, symbols: Collection[str], after_ms: int) -> dict[str, tuple[Fill, ...]]:
        """`fills_since` of several symbols."""
        return {symbol: self.fills_since(symbol, after_ms) for symbol in symbols}

    def holds_protection(self, ticket: OrderTicket) -> bool:
        """True for every buy with exits: they rest here once it has filled."""
        return ticket.side == "buy" and (ticket.stop_loss is not None or ticket.take_profit is not None)

    def carries_exits(self, ticket: OrderTicket) -> bool:
        """They begin to rest in the moment the first part of their entry fills."""
        return self.holds_protection(ticket)

    def protects_parts(self, ticket: OrderTicket) -> bool:
        """They follow each part of an entry that fills."""
        return self.holds_protection(ticket)

    def protect(self, entry: Order) -> tuple[VenueOrder, ...]:
        """The exits of an entry; they began to rest in the moment its first part filled.

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
        """Hold this market's resting orders against what it did since the last time, as `Matching.match`.

        Returns:
            How many orders were filled, or a part of them.

        Raises:
            VenueUnavailable: the market did not answer; what was matched before stays.
        """
        return Matching(self._engine, self._market, self._clock, self._rules).match(now)

    def _arrive(self, ticket: OrderTicket) -> _Arrival:
        """What an order meets at the venue, once it has travelled there.

        Raises:
            OrderRejected: the market has no price.
        """
        self._clock.wait(self._rules.latency)
        try:
            now, instrument = self._market.now(ticket.symbol), self._market.instrument(ticket.symbol)
            offers = offers_of(self._market, ticket.symbol)
            flow = None if offers.book is not None else flow_of(self._market, ticket.symbol, now)
        except (NotFound, VenueUnavailable) as error:
            raise OrderRejected(f"The paper venue has no price: {error.message}") from error
        return _Arrival(paper_order(ticket, now), now, instrument, offers, flow)

    def _enter(self, connection: Connection, arrival: _Arrival, force: str) -> None:
        """Take an order on: fill what can be filled at once, and rest or end the rest.

        Raises:
            OrderRejected: the account's funds do not cover it.
        """
        order, instrument = arrival.order, arrival.instrument
        takes = self._at_once(connection, arrival)
        filled = sum((take.quantity for take in takes), _ZERO)
        if force == "FOK" and filled < order.quantity:
            takes, filled = (), _ZERO
        rests = order.order_type != "market" and force not in {"IOC", "FOK"}
        lacking = self._lacking(connection, order, takes, order.quantity - filled if rests else _ZERO, instrument)
        if lacking:
            raise OrderRejected(lacking)
        if takes and order.order_type == "stop":
            # Its price is reached on arrival.
            order = replace(order, order_type="market")
        book.insert_order(connection, order)
        when = FillTime(self._clock.now(), stop_from=arrival.time, target_from=arrival.time)
        for take in takes:
            fill(connection, order, take, instrument, when)
        if not rests and filled < order.quantity:
            told = f"{filled} of {order.quantity} {instrument.base}" if filled else "Nothing"
            book.change(connection, order.id, "cancelled", reason=f"{told} could be filled at once.")

    def _at_once(self, connection: Connection, arrival: _Arrival) -> tuple[Take, ...]:
        order, offers, instrument = arrival.order, arrival.offers, arrival.instrument
        stop = order.stop_price if order.order_type == "stop" else None
        if stop is not None and not is_reached("stop", order.side, stop, offers.best(order.side)):
            return ()
        room = room_now(connection, order, arrival.flow, instrument, self._rules, self._clock.now())
        limit = order.limit_price
        return taking(order.side, order.quantity, offers, instrument, self._rules, limit=limit, room=room)

    def _lacking(
        self, connection: Connection, order: PaperOrder, takes: Iterable[Take], rest: Decimal, instrument: Instrument
    ) -> str:
        """Why the account's funds do not cover an order, what open orders hold back included; empty when they do."""
        if order.side == "sell":
            name, has, needs = instrument.base, book.held_of(connection, order.account, order.symbol), order.quantity
            lacking = f"The account holds {has} {name} of the {needs} to sell."
        else:
            resting = Take(order.own_price or _ZERO, rest, instrument.taker_fee).cost
            needs = sum((take.cost for take in takes), resting)
            name, has = instrument.quote, book.cash_of(connection, order.account, instrument.quote)
            lacking = f"It needs {needs:.2f} {name} and the account has {has:.2f}."
        if needs > has:
            return lacking
        free = has - held_back(connection, order.account, {instrument.symbol: instrument}).get(name, _ZERO)
        return "" if needs <= free else f"It needs {needs} {name}, and open orders leave {free} of {has}."

    @staticmethod
    def _seen(connection: Connection, order_id: str) -> VenueOrder:
        order = book.order_of(connection, order_id)
        if order is None:
            raise NotFound(f"The paper venue has no order {order_id!r}.")
        return book.seen_from_outside(connection, order)


@dataclass(frozen=True, slots=True)
class _Arrival:
    """An order that has reached the venue, when by the market's time, and what it meets there."""

    order: PaperOrder
    time: datetime
    instrument: Instrument
    offers: Offers
    flow: Flow | None
