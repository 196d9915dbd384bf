"""A live order passes when a person armed the desk, the desk holds the account, and it was compared with the venue."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine, delete

from engines.confirmation.risk import default_limits
from engines.domain.clock import ManualClock
from engines.domain.orders import OrderIntent
from engines.errors import InvalidRequest, OutcomeUnknown, RiskDenied
from engines.execution.broker import ApprovedTicket, VenueOrder
from engines.execution.context import OrderContext
from engines.execution.live_gate import LiveGate
from engines.execution.paper import PaperBroker
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit
from engines.ledger.lease import LEASE, acquire_lease
from engines.ledger.ledger import Ledger
from engines.market.fixed import FixedMarket
from engines.storage import ledger as tables


class Desk:
    """A live desk whose venue is the simulated one, which counts what reaches it."""

    class Venue(PaperBroker):
        placed = 0
        cut_off = False

        def place(self, approved: ApprovedTicket) -> VenueOrder:
            self.placed += 1
            if self.cut_off:
                raise OutcomeUnknown("The answer was cut off.")
            return super().place(approved)

    def __init__(self, engine: Engine, ledger: Ledger, market: FixedMarket, clock: ManualClock) -> None:
        self.account = ledger.ensure_account(
            "ann", mode="live", currency="USDT", cash=Decimal(100_000), market="fixed"
        ).id
        self.lease = acquire_lease(engine, clock, "fixed")
        self.gate = LiveGate(venue="fixed", account=self.account, ledger=ledger, clock=clock, lease=self.lease)
        self.venue = self.Venue(engine, market, clock)
        self.clock, self.ledger = clock, ledger
        self.context = OrderContext(
            ledger, market, clock, default_limits(), mode="live", gate=self.gate.refusal, within="live-"
        )
        self.intent = OrderIntent(self.account, "thread-1", "BTC/USDT", "buy", Decimal("0.01"))

    def ready(self, minutes: int = 60) -> None:
        self.gate.reconciled(self.clock.now())
        self.gate.arm(minutes, by="ann")

    def approved(self) -> str:
        ticket = prepare_ticket(self.intent, self.context, owner="ann")
        return self.ledger.decide(ticket.id, "approve", ticket.hash, "ann").id

    def reason_at_submission(self, ticket_id: str) -> str:
        assert submit(ticket_id, self.context, self.venue) is None
        ticket = self.ledger.ticket(ticket_id)
        assert (ticket.status, self.venue.placed) == ("denied", 0)
        return ticket.reason


@pytest.fixture
def desk(desk_engine: Engine, ledger: Ledger, market: FixedMarket, hand_clock: ManualClock) -> Desk:
    return Desk(desk_engine, ledger, market, hand_clock)


def test_an_armed_desk_that_was_compared_sends_what_was_approved(desk: Desk) -> None:
    desk.ready()
    order = submit(desk.approved(), desk.context, desk.venue)
    assert order is not None
    assert (order.status, desk.venue.placed) == ("filled", 1)


def test_rule_35_before_the_first_comparison_nothing_becomes_a_ticket(desk: Desk) -> None:
    desk.gate.arm(60, by="ann")
    with pytest.raises(RiskDenied, match="before ledger and venue agree"):
        prepare_ticket(desk.intent, desk.context, owner="ann")


def test_a_desk_that_nobody_armed_denies_and_the_denial_is_on_record(desk: Desk) -> None:
    desk.gate.reconciled(desk.clock.now())
    with pytest.raises(RiskDenied, match=r"not armed.*quantum-trader arm"):
        prepare_ticket(desk.intent, desk.context, owner="ann")
    [record] = desk.ledger.newest_audit("intent_denied", owner="ann", limit=5)
    assert "not armed" in record.data["reason"]


def test_rule_02_an_arming_that_is_over_when_the_order_is_sent_sends_nothing(desk: Desk) -> None:
    desk.ready(minutes=1)
    desk.context = replace(desk.context, ticket_seconds=600)
    ticket_id = desk.approved()
    desk.clock.advance(timedelta(minutes=1))
    desk.lease.renew()
    assert "was armed until 16:01:00 UTC" in desk.reason_at_submission(ticket_id)


def test_an_order_approved_before_a_disarming_is_not_sent_after_it(desk: Desk) -> None:
    desk.ready()
    ticket_id = desk.approved()
    desk.gate.disarm(by="ann")
    assert "not armed" in desk.reason_at_submission(ticket_id)


def test_a_restart_ends_the_arming(desk: Desk) -> None:
    desk.ready()
    ticket_id = desk.approved()
    again = LiveGate(venue="fixed", account=desk.account, ledger=desk.ledger, clock=desk.clock, lease=desk.lease)
    again.reconciled(desk.clock.now())
    desk.context = replace(desk.context, gate=again.refusal)
    assert "not armed" in desk.reason_at_submission(ticket_id)


def test_rule_42_a_desk_that_lost_its_lease_sends_nothing_though_it_is_armed(desk: Desk, desk_engine: Engine) -> None:
    desk.ready()
    ticket_id = desk.approved()
    with desk_engine.begin() as connection:
        connection.execute(delete(tables.leases))
    assert "does not hold the lease" in desk.reason_at_submission(ticket_id)


def test_a_lease_that_was_not_renewed_counts_as_lost(desk: Desk) -> None:
    desk.ready()
    ticket_id = desk.approved()
    desk.clock.advance(LEASE)
    assert "does not hold the lease" in desk.reason_at_submission(ticket_id)


def test_after_the_venue_failed_to_answer_nothing_is_sent_before_the_next_comparison(desk: Desk) -> None:
    desk.ready()
    ticket_id = desk.approved()
    desk.gate.interrupted("The list of open orders failed (RequestTimeout).")
    assert "RequestTimeout" in desk.reason_at_submission(ticket_id)
    desk.gate.reconciled(desk.clock.now())
    assert desk.gate.in_the_way() == ""


def test_the_order_of_another_account_never_goes_out_under_these_keys(desk: Desk) -> None:
    desk.ready()
    other = desk.ledger.ensure_account("bob", mode="live", currency="USDT", cash=Decimal(100_000), market="fixed")
    with pytest.raises(RiskDenied, match="live-fixed-usdt:ann"):
        prepare_ticket(replace(desk.intent, account=other.id), desk.context, owner="bob")


def test_a_cancellation_passes_while_orders_do_not(desk: Desk) -> None:
    desk.ready()
    desk.intent = replace(desk.intent, order_type="limit", limit_price=Decimal(60_000))
    order = submit(desk.approved(), desk.context, desk.venue)
    assert order is not None
    desk.gate.disarm(by="ann")
    desk.gate.interrupted("It is away.")
    desk.intent = replace(desk.intent, kind="cancel", cancels=(order.id,))
    ticket_id = desk.approved()
    submit(ticket_id, desk.context, desk.venue)
    assert desk.ledger.ticket(ticket_id).status == "cancelled"
    assert desk.ledger.order(order.id).status == "cancelled"


@pytest.mark.parametrize("minutes", [0, -1, 721])
def test_a_desk_is_armed_for_one_to_720_minutes(desk: Desk, minutes: int) -> None:
    with pytest.raises(InvalidRequest, match=str(minutes)):
        desk.gate.arm(minutes, by="ann")
    assert desk.gate.arming is None


def test_who_armed_and_disarmed_is_in_the_audit(desk: Desk) -> None:
    desk.gate.arm(5, by="ann")
    desk.gate.disarm(by="bob")
    desk.gate.disarm(by="bob")
    told = [(each.kind, each.data["by"]) for each in desk.ledger.audit() if each.kind.startswith("desk_")]
    assert told == [("desk_armed", "ann"), ("desk_disarmed", "bob")]


def test_a_paper_desk_leaves_live_orders_alone_and_says_nothing_about_them(desk: Desk) -> None:
    desk.ready()
    desk.intent = replace(desk.intent, order_type="limit", limit_price=Decimal(60_000))
    desk.venue.cut_off = True
    order = submit(desk.approved(), desk.context, desk.venue)
    assert order is not None
    elsewhere = PaperBroker(desk.venue._engine, FixedMarket((), desk.clock, name="other"), desk.clock)
    paper = replace(desk.context, mode="paper", within="paper-")
    ticket_id = desk.ledger.order(order.id).ticket_id
    assert submit(ticket_id, paper, elsewhere) == desk.ledger.order(order.id)
    assert desk.ledger.order(order.id).status == "unknown"
