"""Who ended an exit decides what comes after it: a person's word stands, a venue's reasons get another exit."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from engines.domain.orders import Order, OrderIntent, OrderTicket
from engines.errors import NotFound, OutcomeUnknown, VenueUnavailable
from engines.execution.broker import ApprovedTicket, VenueOrder
from engines.execution.guard import guard_exits
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit
from engines.execution.switch import cancel_all
from engines.execution.sync import sync_fills
from engines.execution.unprotected import unprotected
from engines.execution.venues import CcxtBroker
from tests.engines.between import Died

from .guarded import EXITS, Guarded, desk

__all__ = ["desk"]
STOP_ONLY: dict[str, Any] = {"stop_loss": Decimal(48_000)}


class SlowVenue:
    """The desk's broker where a guarded exit rests at the venue for a while, and then stands as the test says."""

    settling = timedelta(0)

    def __init__(self, broker: CcxtBroker) -> None:
        self._broker = broker
        self.placed: list[str] = []
        self.answer: VenueOrder | None = None
        self.lost = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        ticket = approved.ticket
        self.placed.append(ticket.client_order_id)
        if self.lost:
            raise OutcomeUnknown("No answer.")
        return self._as(ticket.client_order_id, ticket.quantity, "accepted")

    def find(self, client_order_id: str, symbol: str, *, since: datetime | None = None) -> VenueOrder | None:
        if "-g" not in client_order_id:
            return self._broker.find(client_order_id, symbol, since=since)
        return self.answer

    def cancel(self, order_id: str, symbol: str) -> VenueOrder:
        if "-g" not in order_id:
            return self._broker.cancel(order_id, symbol)
        if self.answer is None:
            raise NotFound("No such order.")
        return self.answer

    def ended(self, leg: Order, *, by_request: bool) -> None:
        """From now on the exit is cancelled there."""
        self.answer = replace(self._as(leg.id, leg.quantity, "cancelled"), by_request=by_request)

    @staticmethod
    def _as(order_id: str, quantity: Decimal, status: Any) -> VenueOrder:
        return VenueOrder(order_id, f"V-{order_id}", status, quantity, Decimal(0), ())


def sent_stop(desk: Guarded, venue: SlowVenue) -> Order:
    """A guarded stop-loss that was sent and rests at the venue."""
    entry = desk.order(**EXITS)
    desk.price(47_990)
    guard_exits(desk.context, venue, desk.clock.now())
    leg = desk.ledger.order(f"{entry.id}-gs")
    assert (leg.status, leg.venue_order_id) == ("accepted", f"V-{leg.id}")
    return leg


def rounds(desk: Guarded, venue: Any, number: int = 3) -> None:
    for _ in range(number):
        desk.clock.advance(timedelta(seconds=40))
        desk.market.set_quote("BTC/USDT", "47985", "47995")
        sync_fills(desk.ledger, venue)
        guard_exits(desk.context, venue, desk.clock.now())


def cancel_ticket(desk: Guarded, leg: Order) -> OrderTicket:
    """An approved ticket to cancel an exit."""
    intent = OrderIntent(leg.account, "thread-1", leg.symbol, "sell", Decimal(0), kind="cancel", cancels=(leg.id,))
    ticket = prepare_ticket(intent, desk.context, owner="ann")
    return desk.ledger.decide(ticket.id, "approve", ticket.hash, "ann")


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


def test_a_sent_exit_that_a_person_cancels_at_the_venue_gets_no_successor_and_is_told(
    desk: Guarded, caplog: pytest.LogCaptureFixture
) -> None:
    venue = SlowVenue(desk.broker)
    leg = sent_stop(desk, venue)
    venue.ended(leg, by_request=True)
    rounds(desk, venue)
    assert venue.placed == [leg.id]
    assert desk.ledger.order(leg.id).status == "cancelled"
    [gap] = unprotected(desk.ledger, desk.clock.now())
    assert (gap.entry_id, gap.stop_loss) == (leg.parent_id, Decimal(48_000))
    assert "a person cancelled its stop-loss" in gap.told
    assert len(told(caplog)) == 1
    # The take-profit goes on: nobody took that one back.
    assert [each.id[-3:] for each in desk.ledger.exits_of(leg.parent_id or "") if each.waits_at_desk] == ["-gt"]


def test_a_sent_exit_that_the_venue_ends_for_its_own_reasons_gets_a_successor(desk: Guarded) -> None:
    venue = SlowVenue(desk.broker)
    leg = sent_stop(desk, venue)
    venue.ended(leg, by_request=False)
    rounds(desk, venue, 1)
    rounds(desk, desk.broker, 2)
    assert desk.ledger.order(f"{leg.parent_id}-gs1").status == "filled"
    assert unprotected(desk.ledger, desk.clock.now()) == ()


@pytest.mark.parametrize("way", ["ticket", "all"])
def test_a_sent_exit_that_is_cancelled_on_this_desk_gets_no_successor(desk: Guarded, way: str) -> None:
    venue = SlowVenue(desk.broker)
    leg = sent_stop(desk, venue)
    # This venue does not say who asked for it.
    venue.ended(leg, by_request=False)
    if way == "ticket":
        submit(cancel_ticket(desk, leg).id, desk.context, venue)
    else:
        cancel_all(desk.ledger, venue, clock=desk.clock, by="ann", sleep=lambda _: None)
    assert desk.ledger.order(leg.id).status == "cancelled"
    rounds(desk, venue)
    assert venue.placed == [leg.id]
    assert not desk.ledger.known_orders({f"{leg.parent_id}-gs1"})


def test_an_exit_whose_cancellation_a_crash_kept_from_the_ledger_gets_no_successor(desk: Guarded) -> None:
    class Dying(SlowVenue):
        def cancel(self, order_id: str, symbol: str) -> VenueOrder:
            self.answer = self._as(order_id, Decimal("0.1"), "cancelled")
            raise Died

    venue = Dying(desk.broker)
    leg = sent_stop(desk, venue)
    ticket = cancel_ticket(desk, leg)
    with pytest.raises(Died):
        submit(ticket.id, desk.context, venue)
    rounds(desk, venue)
    submit(ticket.id, desk.context, venue)
    assert desk.ledger.ticket(ticket.id).status == "cancelled"
    assert venue.placed == [leg.id]


def test_an_exit_that_the_venue_never_took_is_cancelled_by_a_ticket_for_good(desk: Guarded) -> None:
    entry = desk.order(**EXITS)
    desk.price(47_990)
    venue = SlowVenue(desk.broker)
    venue.lost = True
    guard_exits(desk.context, venue, desk.clock.now())
    leg = desk.ledger.order(f"{entry.id}-gs")
    assert leg.status == "unknown"
    ticket = cancel_ticket(desk, leg)
    submit(ticket.id, desk.context, venue)
    assert desk.ledger.ticket(ticket.id).status == "cancelled"
    assert desk.ledger.order(leg.id).status == "cancelled"
    rounds(desk, venue)
    assert venue.placed == [leg.id]


def test_after_the_last_successor_a_person_is_told_and_nothing_more_is_sent(
    desk: Guarded, caplog: pytest.LogCaptureFixture
) -> None:
    entry = desk.order(**EXITS)
    venue = SlowVenue(desk.broker)
    venue.lost = True
    for _ in range(205):
        desk.clock.advance(timedelta(seconds=40))
        desk.market.set_quote("BTC/USDT", "47985", "47995")
        guard_exits(desk.context, venue, desk.clock.now())
    assert len(venue.placed) == len(set(venue.placed)) == 100
    [gap] = unprotected(desk.ledger, desk.clock.now())
    assert "was tried as often as it can be" in gap.told
    assert gap.entry_id == entry.id
    assert sum("no id is left" in each for each in told(caplog)) == 1
    assert sum("held without a stop-loss" in each for each in told(caplog)) == 1
    assert desk.ledger.verify_audit().intact


@pytest.mark.parametrize("desk", ["binance", "bybit", "kraken"], indirect=True)
@pytest.mark.parametrize("by_venue", [True, False])
def test_a_stop_that_the_venue_held_is_guarded_here_when_the_venue_ended_it(
    desk: Guarded, caplog: pytest.LogCaptureFixture, by_venue: bool
) -> None:
    entry = desk.order(**STOP_ONLY)
    [leg] = desk.ledger.exits_of(entry.id)
    assert leg.held_by == "venue"
    desk.venue.cancel(id=leg.venue_order_id, by_venue=by_venue)
    sync_fills(desk.ledger, desk.broker)
    desk.guard()
    assert desk.ledger.order(leg.id).status == "cancelled"
    gaps = unprotected(desk.ledger, desk.clock.now())
    desk.price(47_990)
    rounds(desk, desk.broker)
    if by_venue:
        assert gaps == ()
        assert desk.ledger.order(f"{entry.id}-gs").status == "filled"
        assert desk.sold() > Decimal("0.099")
        assert unprotected(desk.ledger, desk.clock.now()) == ()
    else:
        assert "a person cancelled its stop-loss" in gaps[0].told
        assert desk.sold() == 0
        assert len(told(caplog)) == 1
        assert desk.ledger.known_orders({f"{entry.id}-gs"}) == frozenset()


def test_a_stop_that_nobody_knows_the_outcome_of_is_told(desk: Guarded, caplog: pytest.LogCaptureFixture) -> None:
    entry = desk.order(**EXITS)
    desk.price(47_990)
    venue = SlowVenue(desk.broker)
    venue.lost = True
    guard_exits(desk.context, venue, desk.clock.now())

    class Away(SlowVenue):
        def find(self, client_order_id: str, symbol: str, *, since: datetime | None = None) -> VenueOrder | None:
            raise VenueUnavailable("The venue is away.")

    for _ in range(22):
        guard_exits(desk.context, Away(desk.broker), desk.clock.now())
    assert desk.ledger.order(f"{entry.id}-gs").status == "needs_operator"
    [gap] = unprotected(desk.ledger, desk.clock.now())
    assert "nobody knows what became of its exit" in gap.told
    assert len(told(caplog)) == 1


def test_while_trading_is_halted_every_position_that_the_desk_guards_is_told(desk: Guarded) -> None:
    entry = desk.order(**EXITS)
    desk.guard()
    assert unprotected(desk.ledger, desk.clock.now()) == ()
    desk.ledger.change_state("halted", reason="prices look wrong", by="ann")
    [gap] = unprotected(desk.ledger, desk.clock.now())
    assert (gap.account, gap.symbol, gap.entry_id) == (entry.account, "BTC/USDT", entry.id)
    assert gap.quantity == desk.ledger.account(entry.account).balances["BTC"]
    assert "sends none while trading is halted (prices look wrong)" in gap.told
    assert unprotected(desk.ledger, desk.clock.now(), accounts=()) == ()
    assert unprotected(desk.ledger, desk.clock.now(), within="live-") == ()
    desk.ledger.change_state("active", reason="checked", by="ann")
    assert unprotected(desk.ledger, desk.clock.now()) == ()


def test_what_the_venue_holds_itself_stays_protected_while_trading_is_halted(desk: Guarded) -> None:
    desk.order(**STOP_ONLY)
    desk.ledger.change_state("halted", reason="prices look wrong", by="ann")
    assert unprotected(desk.ledger, desk.clock.now()) == ()
    cancel_all(desk.ledger, desk.broker, clock=desk.clock, by="ann", sleep=lambda _: None)
    [gap] = unprotected(desk.ledger, desk.clock.now())
    assert "a person cancelled its stop-loss" in gap.told


def test_a_holding_without_a_stop_of_its_own_is_not_told(desk: Guarded) -> None:
    desk.order()
    desk.ledger.change_state("halted", reason="prices look wrong", by="ann")
    assert unprotected(desk.ledger, desk.clock.now()) == ()
