"""Submission: sent at most once, re-checked first, cancelled and protected as approved."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text

from engines.domain.clock import ManualClock
from engines.domain.orders import Order, OrderIntent
from engines.errors import Conflict, OrderRejected, VenueUnavailable
from engines.execution.context import OrderContext
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit, unfinished
from engines.execution.sync import sync_fills
from engines.market.fixed import FixedMarket

from .sending import ACCOUNT, FlakyVenue, approved, required


def test_an_approved_ticket_becomes_one_filled_order(context: OrderContext, venue: FlakyVenue) -> None:
    ticket = approved(context)
    order = required(submit(ticket.id, context, venue))
    assert (order.status, order.filled, order.id) == ("filled", Decimal("0.1"), ticket.client_order_id)
    # 0.01 % plus 0.01 % per 100,000 of notional above the ask, up to the tick; 0.1 % fee.
    assert order.average_price == Decimal("64126.83")
    assert order.fills[0].fee == Decimal("6.412683")
    account = context.ledger.account(ACCOUNT)
    assert account.balances == {
        "BTC": Decimal("0.1"),
        "USDT": Decimal(100_000) - Decimal("6412.683") - Decimal("6.412683"),
    }
    assert account.reserved.get("USDT", Decimal(0)) == 0
    assert context.ledger.ticket(ticket.id).status == "filled"
    assert [record.kind for record in context.ledger.audit(ticket.id)] == [
        "ticket_sealed",
        "ticket_approved",
        "submission_journalled",
        "fill",
        "order_filled",
    ]


def test_submitting_again_changes_nothing(context: OrderContext, venue: FlakyVenue) -> None:
    ticket = approved(context)
    first = submit(ticket.id, context, venue)
    assert [submit(ticket.id, context, venue) for _ in range(3)] == [first] * 3
    assert len(venue.places) == 1
    assert len(context.ledger.fills(ACCOUNT)) == 1


def test_twenty_submissions_at_once_send_one_order(context: OrderContext, venue: FlakyVenue) -> None:
    ticket = approved(context)
    start = threading.Barrier(20)

    def race(_: int) -> Order | None:
        start.wait()
        return submit(ticket.id, context, venue)

    with ThreadPoolExecutor(20) as pool:
        orders = set(pool.map(race, range(20)))
    assert len(orders) == 1
    assert len(venue.places) == 1


def test_two_orders_cannot_both_spend_the_same_cash(context: OrderContext, venue: FlakyVenue) -> None:
    roomy = replace(context.limits, max_order_notional=Decimal(70_000), max_account_exposure=Decimal(200_000))
    context = replace(context, limits=roomy)
    tickets = [approved(context, "1") for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        orders = list(pool.map(lambda ticket: submit(ticket.id, context, venue), tickets))
    assert sorted(order is None for order in orders) == [False, True]
    denied = next(ticket for ticket in (context.ledger.ticket(t.id) for t in tickets) if ticket.status == "denied")
    assert "is free" in denied.reason
    assert context.ledger.account(ACCOUNT).balances["USDT"] > 0


@pytest.mark.parametrize("decision", [None, "reject"])
def test_nothing_is_sent_without_an_approval(context: OrderContext, venue: FlakyVenue, decision: Any) -> None:
    intent = OrderIntent(ACCOUNT, "thread-1", "BTC/USDT", "buy", Decimal("0.1"))
    ticket = prepare_ticket(intent, context, owner="ann")
    if decision:
        context.ledger.decide(ticket.id, decision, ticket.hash, "ann")
    with pytest.raises(Conflict, match="only an approved ticket"):
        submit(ticket.id, context, venue)
    assert venue.places == []


def test_a_price_outside_the_band_denies_and_says_how_far_it_moved(
    context: OrderContext, venue: FlakyVenue, market: FixedMarket
) -> None:
    ticket = approved(context)
    market.set_quote("BTC/USDT", "64632", "64633")
    assert submit(ticket.id, context, venue) is None
    denied = context.ledger.ticket(ticket.id)
    assert denied.status == "denied"
    assert denied.reason == (
        "The price moved 0.8 % since the quote and the band is 0.5 %: 64,120 USDT then, 64,633 USDT now. "
        "Nothing was sent."
    )
    assert venue.places == []
    assert submit(ticket.id, context, venue) is None


def test_limits_lowered_after_the_approval_hold(context: OrderContext, venue: FlakyVenue) -> None:
    ticket = approved(context)
    lowered = replace(context, limits=replace(context.limits, version="2", max_order_notional=Decimal(1_000)))
    assert submit(ticket.id, lowered, venue) is None
    assert "1,000 USDT (limits v2)" in context.ledger.ticket(ticket.id).reason
    assert venue.places == []


def test_an_approval_that_was_not_carried_out_in_time_expires(
    context: OrderContext, venue: FlakyVenue, hand_clock: ManualClock, market: FixedMarket
) -> None:
    ticket = approved(context)
    hand_clock.advance(timedelta(seconds=61))
    market.set_quote("BTC/USDT", "64119.99", "64120.00")
    assert submit(ticket.id, context, venue) is None
    assert context.ledger.ticket(ticket.id).status == "expired"
    assert venue.places == []


def test_an_approval_in_the_last_second_is_still_carried_out(
    context: OrderContext, venue: FlakyVenue, hand_clock: ManualClock
) -> None:
    intent = OrderIntent(ACCOUNT, "thread-1", "BTC/USDT", "buy", Decimal("0.1"))
    ticket = prepare_ticket(intent, context, owner="ann")
    hand_clock.advance(timedelta(seconds=59))
    context.ledger.decide(ticket.id, "approve", ticket.hash, "ann")
    hand_clock.advance(timedelta(seconds=1, milliseconds=500))
    relaxed = replace(context, limits=replace(context.limits, quote_max_age_seconds=90))
    assert required(submit(ticket.id, relaxed, venue)).status == "filled"


def test_a_ticket_changed_in_the_database_is_not_sent(
    context: OrderContext, venue: FlakyVenue, desk_engine: Engine
) -> None:
    ticket = approved(context)
    with desk_engine.begin() as connection:
        connection.execute(text("UPDATE tickets SET content = replace(content, '\"0.1\"', '\"0.9\"')"))
    assert submit(ticket.id, context, venue) is None
    assert "no longer has the hash" in context.ledger.ticket(ticket.id).reason
    assert venue.places == []


def test_another_market_does_not_carry_out_this_markets_ticket(
    context: OrderContext, venue: FlakyVenue, market: FixedMarket
) -> None:
    ticket = approved(context)
    market.name = "other"
    market.listed = ()
    assert submit(ticket.id, context, venue) is None
    assert "runs on other" in context.ledger.ticket(ticket.id).reason


def test_a_rejection_by_the_venue_is_final(context: OrderContext, venue: FlakyVenue) -> None:
    venue.before = OrderRejected("Insufficient funds.")
    ticket = approved(context)
    order = required(submit(ticket.id, context, venue))
    assert (order.status, order.reason) == ("rejected_by_venue", "Insufficient funds.")
    assert submit(ticket.id, context, venue) == order
    assert len(venue.places) == 1
    assert context.ledger.account(ACCOUNT).reserved == {}


def test_a_market_outage_sends_nothing_and_keeps_the_approval(
    context: OrderContext, venue: FlakyVenue, market: FixedMarket
) -> None:
    ticket = approved(context)
    market.set_quote("BTC/USDT", "0", "0")
    with pytest.raises(VenueUnavailable, match="Nothing was sent"):
        submit(ticket.id, context, venue)
    market.set_quote("BTC/USDT", "64119.99", "64120.00")
    assert required(submit(ticket.id, context, venue)).status == "filled"


def test_a_resting_order_reserves_its_cash_until_it_is_cancelled(context: OrderContext, venue: FlakyVenue) -> None:
    ticket = approved(context, order_type="limit", limit_price=Decimal(60_000))
    order = required(submit(ticket.id, context, venue))
    assert order.status == "accepted"
    assert context.ledger.account(ACCOUNT).reserved == {"USDT": Decimal(6006)}
    cancellation = approved(context, kind="cancel", cancels=(order.id,))
    assert submit(cancellation.id, context, venue) is None
    assert context.ledger.order(order.id).status == "cancelled"
    assert context.ledger.ticket(ticket.id).status == "cancelled"
    done = context.ledger.ticket(cancellation.id)
    assert (done.status, done.reason) == ("cancelled", f"{order.id} is cancelled.")
    assert context.ledger.account(ACCOUNT).reserved == {}
    assert submit(cancellation.id, context, venue) is None


def test_a_cancellation_that_was_cut_off_is_carried_out_again(context: OrderContext, venue: FlakyVenue) -> None:
    order = required(submit(approved(context, order_type="limit", limit_price=Decimal(60_000)).id, context, venue))
    cancellation = approved(context, kind="cancel", cancels=(order.id,))
    venue.after = VenueUnavailable("The venue does not answer.")
    submit(cancellation.id, context, venue)
    assert context.ledger.ticket(cancellation.id).status == "unknown"
    assert unfinished(context.ledger) == (cancellation.id,)
    venue.after = None
    submit(cancellation.id, context, venue)
    assert context.ledger.ticket(cancellation.id).status == "cancelled"


def test_cancelling_an_order_that_filled_meanwhile_leaves_it_filled(
    context: OrderContext, venue: FlakyVenue, market: FixedMarket, hand_clock: ManualClock
) -> None:
    order = required(submit(approved(context, order_type="limit", limit_price=Decimal(60_000)).id, context, venue))
    cancellation = approved(context, kind="cancel", cancels=(order.id,))
    market.set_quote("BTC/USDT", "59990", "59991")
    assert venue.paper.match(hand_clock.now()) == 1
    submit(cancellation.id, context, venue)
    after = context.ledger.order(order.id)
    assert (after.status, after.filled, after.average_price) == ("filled", Decimal("0.1"), Decimal(60_000))
    assert sync_fills(context.ledger, venue) == ()


def test_news_that_is_older_than_a_cancellation_does_not_revive_the_order(
    context: OrderContext, venue: FlakyVenue
) -> None:
    order = required(submit(approved(context, order_type="limit", limit_price=Decimal(60_000)).id, context, venue))
    before = venue.find(order.id, order.symbol)
    assert before is not None
    submit(approved(context, kind="cancel", cancels=(order.id,)).id, context, venue)
    records = len(context.ledger.audit())
    assert context.ledger.record_venue_order(order.id, before, venue.name).status == "cancelled"
    assert context.ledger.ticket(order.ticket_id).status == "cancelled"
    assert len(context.ledger.audit()) == records


def test_a_bracket_rests_as_two_orders_of_its_ticket(context: OrderContext, venue: FlakyVenue) -> None:
    ticket = approved(context, stop_loss=Decimal(62_000), take_profit=Decimal(70_000))
    entry = required(submit(ticket.id, context, venue))
    resting = context.ledger.orders(ACCOUNT, status="open")
    assert {(o.id, o.side, o.order_type, o.stop_price, o.limit_price, o.ticket_id) for o in resting} == {
        (f"{entry.id}-sl", "sell", "stop", Decimal(62_000), None, ticket.id),
        (f"{entry.id}-tp", "sell", "limit", None, Decimal(70_000), ticket.id),
    }
    assert context.ledger.account(ACCOUNT).free("BTC") == Decimal("0.1")
    assert context.ledger.order_of(ticket.id) == entry


def test_protective_orders_that_cannot_be_read_at_once_are_brought_later(
    context: OrderContext, venue: FlakyVenue
) -> None:
    venue.finds_fail = 1
    entry = required(submit(approved(context, stop_loss=Decimal(62_000)).id, context, venue))
    assert entry.status == "filled"
    assert context.ledger.orders(ACCOUNT, status="open") == ()
    [stop] = sync_fills(context.ledger, venue)
    assert (stop.id, stop.status) == (f"{entry.id}-sl", "accepted")
    assert sync_fills(context.ledger, venue) == ()
