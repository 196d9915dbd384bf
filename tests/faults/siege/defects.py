"""Desks with one defect each, put in at a seam: what holds a sound desk to its promises has to notice every one."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, cast

from sqlalchemy import delete, update

from engines.domain.orders import Order, OrderTicket
from engines.errors import Conflict, OrderRejected, OutcomeUnknown, VenueUnavailable
from engines.execution.broker import ApprovedTicket, Broker, VenueOrder, protective_ids
from engines.ledger.ledger import Ledger
from engines.storage import ledger as tables

from .desk import Desk, broker_at

Planting = Callable[[Desk, Any], Desk]
"""Puts a defect into a desk whose venue is reached by this ccxt exchange."""


class Relay:
    """A broker that hands everything on as it is."""

    def __init__(self, broker: Broker, exchange: Any = None) -> None:
        self.broker = broker
        self.exchange = exchange

    def __getattr__(self, name: str) -> Any:
        return getattr(self.broker, name)

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        return self.told(self.broker.place(approved))

    def find(self, client_order_id: str, symbol: str, *, since: datetime | None = None) -> VenueOrder | None:
        seen = self.broker.find(client_order_id, symbol, since=since)
        return None if seen is None else self.told(seen)

    def cancel(self, client_order_id: str, symbol: str) -> VenueOrder:
        return self.told(self.broker.cancel(client_order_id, symbol))

    def told(self, seen: VenueOrder) -> VenueOrder:
        return seen


class SendsAgain(Relay):
    """What became of an order is unclear, so a new connection sends it once more."""

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        try:
            return self.broker.place(approved)
        except OutcomeUnknown:
            self.broker = broker_at(self.broker.name, self.exchange)
            return self.broker.place(approved)


class SendsAnew(Relay):
    """The same, under an id of its own."""

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        try:
            return self.broker.place(approved)
        except OutcomeUnknown:
            ticket = approved.ticket
            number = int(ticket.client_order_id[4:28], 16) ^ 1
            return self.broker.place(ApprovedTicket(replace(ticket, client_order_id=f"qtp-{number:024x}")))


class TakesSilenceForNo(Relay):
    """An unclear answer counts as a refusal."""

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        try:
            return self.broker.place(approved)
        except OutcomeUnknown as error:
            raise OrderRejected(str(error)) from error


class TakesSilenceForYes(Relay):
    """An unclear answer counts as an accept."""

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        try:
            return self.broker.place(approved)
        except OutcomeUnknown:
            ticket = approved.ticket
            return VenueOrder(ticket.client_order_id, "0", "accepted", ticket.quantity, Decimal(0), ())


class TakesAnOutageForNothing(Relay):
    """A look-up that fails says that the order is not there."""

    def find(self, client_order_id: str, symbol: str, *, since: datetime | None = None) -> VenueOrder | None:
        try:
            return self.broker.find(client_order_id, symbol, since=since)
        except VenueUnavailable:
            return None


class LosesAFill(Relay):
    """The fills of an order that was cancelled are not all read."""

    def told(self, seen: VenueOrder) -> VenueOrder:
        if seen.status != "cancelled" or not seen.fills:
            return seen
        return replace(seen, fills=seen.fills[:-1], filled=seen.filled - seen.fills[-1].quantity)


class CountsAFillTwice(Relay):
    """Each time a trade is told it has another number."""

    def __init__(self, broker: Broker, exchange: Any = None) -> None:
        super().__init__(broker, exchange)
        self._numbers = itertools.count()

    def told(self, seen: VenueOrder) -> VenueOrder:
        fills = tuple(replace(fill, id=f"{fill.id}{next(self._numbers):06d}") for fill in seen.fills)
        return replace(seen, fills=fills)


class LosesTheFee(Relay):
    """Trades come without what they cost."""

    def told(self, seen: VenueOrder) -> VenueOrder:
        return replace(seen, fills=tuple(replace(fill, fee=Decimal(0)) for fill in seen.fills))


class BuysMore(Relay):
    """A buy goes out over one step more than its ticket says."""

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        ticket = approved.ticket
        more = Decimal("0.0001") if ticket.side == "buy" else Decimal(0)
        return self.broker.place(ApprovedTicket(replace(ticket, quantity=ticket.quantity + more)))


class PaysMore(Relay):
    """A limit order goes out at the market."""

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        ticket = approved.ticket
        if ticket.stop_loss is not None or ticket.take_profit is not None:
            return self.broker.place(approved)
        sent = replace(ticket, order_type="market", limit_price=None, time_in_force="GTC")
        return self.broker.place(ApprovedTicket(sent))


class SellsTooMuch(Relay):
    """An exit that the desk sends is twice as large as it should be."""

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        ticket = approved.ticket
        if "-g" in ticket.client_order_id:
            approved = ApprovedTicket(replace(ticket, quantity=2 * ticket.quantity))
        return self.broker.place(approved)


class InventsExits(Relay):
    """The venue is said to hold exits that nobody sent there."""

    def holds_protection(self, ticket: OrderTicket) -> bool:
        del ticket
        return True

    def protect(self, entry: Order) -> tuple[VenueOrder, ...]:
        names = protective_ids(entry.id)
        return tuple(VenueOrder(name, f"of {name}", "accepted", entry.filled, Decimal(0), ()) for name in names)


class ReachesOut(Relay):
    """A paper broker that asks somebody else."""

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        with socket.create_connection(("127.0.0.1", 9), timeout=1):
            return self.broker.place(approved)


class ForgetsDecisions(Ledger):
    """Takes one more decision on a ticket that has one."""

    def decide(self, ticket_id: str, *arguments: Any, **more: Any) -> OrderTicket:
        try:
            return super().decide(ticket_id, *arguments, **more)
        except Conflict:
            with self.journalled() as journal:
                decided, ticket = tables.decisions, tables.tickets
                journal.connection.execute(delete(decided).where(decided.c.ticket_id == ticket_id))
                pending = update(ticket).where(ticket.c.id == ticket_id).values(status="pending")
                journal.connection.execute(pending)
            return super().decide(ticket_id, *arguments, **more)


class HearsOnlyYes(Ledger):
    """Writes every decision down as an approval."""

    def decide(self, ticket_id: str, decision: Any, *arguments: Any, **more: Any) -> OrderTicket:
        del decision
        return super().decide(ticket_id, "approve", *arguments, **more)


@dataclass(frozen=True)
class SendsFirst(Desk):
    """Sends an approved order and journals it afterwards."""

    def submit(self, ticket_id: str) -> Order | None:
        ticket = self.ledger.ticket(ticket_id)
        if ticket.status == "approved" and ticket.kind == "order":
            self.refresh()
            self.broker.place(ApprovedTicket(ticket))
        return super().submit(ticket_id)


def _relayed(relay: type[Relay]) -> Planting:
    return lambda desk, exchange: replace(desk, broker=cast("Broker", relay(desk.broker, exchange)))


def _kept_by(kind: type[Ledger]) -> Planting:
    def plant(desk: Desk, exchange: Any) -> Desk:
        del exchange
        ledger = kind(desk.engine, desk.context.clock)
        return replace(desk, ledger=ledger, context=replace(desk.context, ledger=ledger))

    return plant


def _sends_first(desk: Desk, exchange: Any) -> Desk:
    del exchange
    return SendsFirst(desk.engine, desk.ledger, desk.market, desk.context, desk.broker)


@dataclass(frozen=True)
class Defect:
    """A defect and what is said of it.

    Attributes:
        told: what the sentence that notices it looks like.
        venue: where it shows.
    """

    plant: Planting
    told: str
    venue: str


DEFECTS: Final = {
    "sends again after silence": Defect(_relayed(SendsAgain), r"was (sent|accepted) \d+ times", "bybit"),
    "sends anew after silence": Defect(_relayed(SendsAnew), r"was sent before it was journalled", "kraken"),
    "sends before it journals": Defect(_sends_first, r"was sent before it was journalled", "bybit"),
    "takes silence for a no": Defect(_relayed(TakesSilenceForNo), r"rejected_by_venue without evidence", "binance"),
    "takes silence for a yes": Defect(_relayed(TakesSilenceForYes), r"which the venue does not have", "kraken"),
    "takes an outage for nothing": Defect(
        _relayed(TakesAnOutageForNothing), r"not_accepted without evidence", "binance"
    ),
    "loses a fill": Defect(_relayed(LosesAFill), r"its fill \S+ is lost", "kraken"),
    "counts a fill twice": Defect(_relayed(CountsAFillTwice), r"the venue has no fill", "bybit"),
    "loses the fee": Defect(_relayed(LosesTheFee), r"the venue has no fill", "binance"),
    "buys more than was asked": Defect(_relayed(BuysMore), r"and its ticket is not", "kraken"),
    "pays more than the limit": Defect(_relayed(PaysMore), r"beyond its limit", "binance"),
    "sells too much by an exit": Defect(_relayed(SellsTooMuch), r"the exits of \S+ sold", "kraken"),
    "invents exits": Defect(_relayed(InventsExits), r"-(sl|tp) is \w+ as order .* does not have", "bybit"),
    "takes a second decision": Defect(_kept_by(ForgetsDecisions), r"was decided \d+ times", "binance"),
    "carries out what was rejected": Defect(_kept_by(HearsOnlyYes), r"that nobody approved", "bybit"),
}
