"""Orders at a real venue: sent once, looked up by our own id, and never taken for more than is proven."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from threading import RLock
from typing import Any, Final, TypeVar

from engines.domain.orders import Fill, Order, OrderTicket, Side
from engines.errors import InvalidRequest, NotFound, OrderRejected, OutcomeUnknown, VenueUnavailable
from engines.execution.broker import ApprovedTicket, Balance, OpenOrder, VenueOrder
from engines.execution.venues.ccxt_client import VenueClient
from engines.execution.venues.clock_check import ClockCheck
from engines.execution.venues.dialect import Dialect, Execution, Market, Request, Sighting, Trade
from engines.execution.venues.exits import ExitKeeper
from engines.execution.venues.failures import CallFailed, NoAnswer, Unproven
from engines.execution.venues.standing import standing_of

_LOGGER: Final = logging.getLogger(__name__)
_Read = TypeVar("_Read")
_ZERO: Final = Decimal(0)
_AGAIN: Final = "Look it up; it is never sent again."
_DONE: Final = frozenset({"filled", "cancelled", "rejected"})


class CcxtBroker:
    """Keeps the `Broker` contract at one account of one venue.

    Args:
        account: the ledger's account that stands for the venue's.
        monotonic: seconds that only grow, for how long ago an order was taken.
    """

    def __init__(
        self, dialect: Dialect, client: VenueClient, *, account: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._dialect = dialect
        self._client = client
        self._account = account
        self._monotonic = monotonic
        self._clock = ClockCheck(dialect, client, monotonic)
        self._placing = RLock()
        self._sent: set[str] = set()
        self._taken_at: dict[tuple[str, str], float] = {}
        self._exits = ExitKeeper(dialect, client, self.find, monotonic)

    @property
    def name(self) -> str:
        """The venue's id in ccxt."""
        return self._dialect.name

    @property
    def settling(self) -> timedelta:
        """How long after sending an order may still turn up that `find` does not see yet."""
        return self._dialect.settling

    @property
    def model(self) -> str:
        """How it fills, and what of stop-loss and take-profit it holds itself."""
        return self._dialect.model

    def holds_protection(self, ticket: OrderTicket) -> bool:
        """True when the venue will hold a ticket's stop-loss and take-profit once the entry has filled.

        They go there together with the entry, or after it. Otherwise the desk has to guard them.
        """
        return self._dialect.carries_exits(ticket) or self._dialect.follows_with_exits(ticket)

    def carries_exits(self, ticket: OrderTicket) -> bool:
        """True when the exits go to the venue together with the entry."""
        return self._dialect.carries_exits(ticket)

    def protects_parts(self, ticket: OrderTicket) -> bool:
        """No: what these venues hold begins with the entry's end."""
        del ticket
        return False

    def protect(self, entry: Order) -> tuple[VenueOrder, ...]:
        """See to it that the venue holds the exits of an entry that has filled; those it knows, in any state.

        Raises:
            VenueUnavailable: it is not known whether they are there.
        """
        with self._placing:
            return self._exits.protect(entry)

    def ready(self) -> None:
        """Read the markets and compare the clocks, so that the first order does not wait for it.

        Raises:
            VenueUnavailable: the venue did not answer, or its clock is more than a second away from ours.
        """
        self._client.check_no_retries()
        self._client.markets()
        self._clock.check()

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """Every open order of the account, ours or not.

        Raises:
            VenueUnavailable: they could not all be read.
        """
        return self._read("The list of open orders", self._dialect.account.open_orders)

    def balances(self) -> dict[str, Balance]:
        """What the account has at the venue, by currency.

        Raises:
            VenueUnavailable: they could not be read.
        """
        return self._read("The account's balances", self._dialect.account.balances)

    def fills_since(self, symbol: str, after_ms: int) -> tuple[Fill, ...]:
        """Every fill of the account on a symbol at or after a venue time, oldest first, ours or not.

        Raises:
            VenueUnavailable: they could not all be read.
            NotFound: the venue does not list the symbol.
        """
        market = self._client.market(symbol)
        return self._fills((market,), after_ms)[symbol]

    def fills_on(self, symbols: Collection[str], after_ms: int) -> dict[str, tuple[Fill, ...]]:
        """`fills_since` of several symbols; those that the venue does not list are left out.

        Raises:
            VenueUnavailable: they could not all be read.
        """
        markets = []
        for symbol in symbols:
            try:
                markets.append(self._client.market(symbol))
            except NotFound as error:
                # Once traded and listed no more: it must not stop the others, and the balances tell what it lacks.
                _LOGGER.warning("the fills on %s cannot be read: %s", symbol, error)
        return self._fills(tuple(markets), after_ms) if markets else {}

    def _fills(self, markets: tuple[Market, ...], after_ms: int) -> dict[str, tuple[Fill, ...]]:
        what = f"The list of fills on {', '.join(market.symbol for market in markets)}"
        told = self._read(what, lambda: self._dialect.account.trades(markets, after_ms))
        return {market.symbol: self._in_order(told[market.symbol], market) for market in markets}

    def _in_order(self, trades: Iterable[Trade], market: Market) -> tuple[Fill, ...]:
        fills = (self._fill(each.execution, each.order_id, each.side, market) for each in trades)
        return tuple(sorted(fills, key=lambda fill: (fill.time, fill.id)))

    def _read(self, what: str, read: Callable[[], _Read]) -> _Read:
        try:
            return read()
        except NoAnswer as failure:
            raise self._unavailable(what, failure) from failure

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        """Send the ticket's order once, under its `client_order_id`; the same id again is a look-up.

        Raises:
            OrderRejected: the venue proved that it did not take the order, or nothing was sent.
            OutcomeUnknown: everything else.
        """
        ticket = approved.ticket
        with self._placing:
            if ticket.client_order_id in self._sent:
                return self._placed_before(ticket)
            market, request = self._prepared(ticket)
            self._sent.add(ticket.client_order_id)
            try:
                reply = self._client.call(request.method, request.params, "order", request.weight)
            except VenueUnavailable as error:
                self._sent.discard(ticket.client_order_id)
                raise OrderRejected(error.message, remedy=error.remedy) from error
            except CallFailed as failure:
                return self._after_failure(ticket, failure)
            return self._after_reply(ticket, market, reply)

    def find(self, client_order_id: str, symbol: str, *, since: datetime | None = None) -> VenueOrder | None:
        """The order with this id, in any state; None only when the venue's full history since then lacks it.

        Raises:
            VenueUnavailable: the look-up failed, or an order that the venue took is not shown yet.
        """
        market = self._client.market(symbol)
        try:
            seen = self._dialect.look_up(client_order_id, market, since)
            if seen is not None:
                return self._told(seen, market)
        except NoAnswer as failure:
            raise self._unavailable(f"The look-up of {client_order_id}", failure) from failure
        taken_at = self._taken_at.get((client_order_id, symbol))
        if taken_at is not None and self._monotonic() - taken_at < self.settling.total_seconds():
            raise VenueUnavailable(
                f"{self._client.title} took order {client_order_id} and does not show it yet.",
                remedy="Look it up again in a few seconds.",
            )
        return None

    def cancel(self, client_order_id: str, symbol: str) -> VenueOrder:
        """Cancel what is still open of an order and return where it stands.

        Raises:
            NotFound: the venue has no such order.
            VenueUnavailable: it is not known whether it was cancelled.
        """
        market = self._client.market(symbol)
        try:
            named = self._named(client_order_id, market)
            if named is None or named.status not in _DONE:
                self._dialect.cancel(client_order_id, named, market)
        except CallFailed as failure:
            # "Unknown order" is also said of one that was filled a moment ago: only a look-up tells.
            if self._dialect.failures.reading(failure) != "missing":
                raise self._unavailable(f"The cancellation of {client_order_id}", failure) from failure
        except Unproven as failure:
            raise self._unavailable(f"The cancellation of {client_order_id}", failure) from failure
        try:
            order = self.find(client_order_id, symbol)
        except VenueUnavailable as error:
            # Its text may say that nothing was sent: the look-up was not, the cancellation was.
            raise VenueUnavailable(
                f"{self._client.title} was asked to cancel {client_order_id}; where it stands could not be read yet.",
                remedy="Look it up in a few seconds.",
            ) from error
        if order is None:
            raise NotFound(f"{self._client.title} has no order {client_order_id!r} on {symbol}.")
        return order

    def _named(self, client_order_id: str, market: Market) -> Sighting | None:
        """The order, where the venue only cancels it by its own id."""
        if not self._dialect.cancels_by_venue_id(client_order_id):
            return None
        seen = self._dialect.look_up(client_order_id, market)
        if seen is None:
            raise NotFound(f"{self._client.title} has no order {client_order_id!r} on {market.symbol}.")
        return seen

    def _prepared(self, ticket: OrderTicket) -> tuple[Market, Request]:
        """Everything that can go wrong before anything is sent.

        Raises:
            OrderRejected: nothing was sent.
        """
        if ticket.account != self._account:
            raise OrderRejected(f"Ticket {ticket.label} is for another account than {self._account!r}.")
        try:
            self._clock.require()
            market = self._client.market(ticket.symbol)
        except (NotFound, VenueUnavailable) as error:
            raise OrderRejected(f"{error.message} Nothing was sent.", remedy=error.remedy) from error
        if not market.is_trading:
            raise OrderRejected(f"{self._client.title} takes no orders on {market.symbol} now. Nothing was sent.")
        self._client.check_no_retries()
        # Exits that follow the fill: a price the venue cannot take must not show only when the entry is there.
        for price in (ticket.stop_loss, ticket.take_profit):
            if price is not None:
                self._client.price_text(ticket.symbol, price)
        try:
            return market, self._dialect.entry(ticket, market)
        except InvalidRequest as error:
            raise OrderRejected(f"{error.message} Nothing was sent.") from error

    def _placed_before(self, ticket: OrderTicket) -> VenueOrder:
        order_id = ticket.client_order_id
        try:
            seen = self.find(order_id, ticket.symbol)
        except VenueUnavailable as error:
            raise OutcomeUnknown(f"Order {order_id} was sent before. {error.message}", remedy=_AGAIN) from error
        if seen is None:
            raise OutcomeUnknown(f"Order {order_id} was sent before and is not to be seen.", remedy=_AGAIN)
        return seen

    def _after_failure(self, ticket: OrderTicket, failure: CallFailed) -> VenueOrder:
        order_id, title = ticket.client_order_id, self._client.title
        verdict = self._dialect.failures.reading(failure)
        if verdict == "duplicate":
            return self._placed_before(ticket)
        if verdict == "refused":
            self._sent.discard(order_id)
            raise OrderRejected(f"{title} refused order {order_id} ({failure.told}).") from failure
        self._clock.forget()
        raise OutcomeUnknown(
            f"It is not known whether {title} took order {order_id} ({failure.told}).", remedy=_AGAIN
        ) from failure

    def _after_reply(self, ticket: OrderTicket, market: Market, reply: Any) -> VenueOrder:
        order_id, title = ticket.client_order_id, self._client.title
        try:
            seen = self._dialect.acknowledged(ticket, market, reply)
        except (NoAnswer, VenueUnavailable) as failure:
            raise OutcomeUnknown(
                f"{title}'s answer to order {order_id} does not prove that it is there ({_gist(failure)}).",
                remedy=_AGAIN,
            ) from failure
        self._taken_at[order_id, ticket.symbol] = self._monotonic()
        try:
            order = self._told(seen, market)
        except (NoAnswer, VenueUnavailable) as failure:
            _LOGGER.warning("%s took order %s; its trades could not be read yet: %s", title, order_id, _gist(failure))
            order = self._order(seen, (), market)
        return order

    def _told(self, seen: Sighting, market: Market) -> VenueOrder:
        known = seen.executions
        complete = known is not None and sum((each.quantity for each in known), _ZERO) == seen.executed
        if not complete:
            known = self._dialect.executions(seen, market) if seen.executed else ()
        return self._order(seen, known or (), market)

    def _order(self, seen: Sighting, executions: tuple[Execution, ...], market: Market) -> VenueOrder:
        status, reason = standing_of(seen, executions, self._client.title)
        if seen.status is None:
            _LOGGER.warning("%s: %s", seen.client_order_id, reason)
        fills = tuple(self._fill(each, seen.client_order_id, seen.side, market) for each in executions)
        filled = sum((fill.quantity for fill in fills), _ZERO)
        return VenueOrder(
            *(seen.client_order_id, seen.venue_order_id, status, seen.quantity, filled, fills),
            reason=reason,
            by_request=seen.by_request,
        )

    def _fill(self, execution: Execution, order_id: str, side: Side, market: Market) -> Fill:
        return Fill(
            id=execution.id,
            order_id=order_id,
            account=self._account,
            symbol=market.symbol,
            side=side,
            price=execution.price,
            quantity=execution.quantity,
            fee=execution.fee,
            fee_currency=execution.fee_currency,
            time=execution.time,
        )

    def _unavailable(self, what: str, failure: NoAnswer) -> VenueUnavailable:
        return VenueUnavailable(f"{what} at {self._client.title} failed ({failure.told}).", remedy="Look it up again.")


def _gist(failure: Exception) -> str:
    return failure.told if isinstance(failure, NoAnswer) else str(failure)
