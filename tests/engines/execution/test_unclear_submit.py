"""Submissions whose outcome nobody heard: looked up until there is evidence, and never sent again."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from engines.domain.clock import ManualClock
from engines.errors import Conflict, OutcomeUnknown
from engines.execution.context import OrderContext
from engines.execution.submit import submit, unfinished

from .sending import ACCOUNT, FlakyVenue, approved, required


def test_an_answer_cut_off_after_acceptance_is_found_by_our_id(context: OrderContext, venue: FlakyVenue) -> None:
    venue.after = OutcomeUnknown("The answer was cut off.")
    ticket = approved(context)
    order = required(submit(ticket.id, context, venue))
    assert (order.status, order.reason) == ("unknown", "The answer was cut off.")
    assert context.ledger.account(ACCOUNT).reserved["USDT"] > Decimal(6_400)
    assert unfinished(context.ledger) == (ticket.id,)
    assert required(submit(ticket.id, context, venue)).status == "filled"
    assert len(venue.places) == 1
    assert unfinished(context.ledger) == ()


def test_new_orders_on_the_symbol_wait_while_an_outcome_is_unknown(context: OrderContext, venue: FlakyVenue) -> None:
    venue.after = OutcomeUnknown("The answer was cut off.")
    submit(approved(context).id, context, venue)
    with pytest.raises(Conflict, match="New orders on BTC/USDT wait until this is settled"):
        approved(context)
    assert approved(context, "1", symbol="ETH/USDT").status == "approved"


def test_an_order_that_turns_up_late_is_still_found(
    context: OrderContext, venue: FlakyVenue, hand_clock: ManualClock
) -> None:
    venue.settling = timedelta(seconds=10)
    venue.after, venue.hidden_finds = OutcomeUnknown("The answer was cut off."), 4
    ticket = approved(context)
    submit(ticket.id, context, venue)
    for _ in range(4):
        hand_clock.advance(timedelta(seconds=1))
        assert required(submit(ticket.id, context, venue)).status == "unknown"
    assert required(submit(ticket.id, context, venue)).status == "filled"
    assert len(venue.places) == 1


def test_an_order_that_never_arrived_is_not_accepted_and_never_sent_again(
    context: OrderContext, venue: FlakyVenue, hand_clock: ManualClock
) -> None:
    venue.settling, venue.before = timedelta(seconds=10), OutcomeUnknown("Timed out.")
    ticket = approved(context)
    statuses = [required(submit(ticket.id, context, venue)).status]
    for _ in range(3):
        hand_clock.advance(timedelta(seconds=6))
        statuses.append(required(submit(ticket.id, context, venue)).status)
    assert statuses == ["unknown", "unknown", "unknown", "not_accepted"]
    assert context.ledger.ticket(ticket.id).status == "not_accepted"
    assert context.ledger.account(ACCOUNT).reserved == {}
    assert len(venue.places) == 1


def test_look_ups_that_keep_failing_ask_for_an_operator(context: OrderContext, venue: FlakyVenue) -> None:
    venue.after, venue.finds_fail = OutcomeUnknown("The answer was cut off."), 20
    ticket = approved(context)
    submit(ticket.id, context, venue)
    statuses = [required(submit(ticket.id, context, venue)).status for _ in range(21)]
    assert statuses == ["unknown"] * 19 + ["needs_operator", "filled"]
    assert len(venue.places) == 1


def test_an_error_nobody_foresaw_is_looked_up_too(context: OrderContext, venue: FlakyVenue) -> None:
    venue.after = ZeroDivisionError("a defect")
    ticket = approved(context)
    with pytest.raises(ZeroDivisionError):
        submit(ticket.id, context, venue)
    assert context.ledger.ticket(ticket.id).status == "submitting"
    assert required(submit(ticket.id, context, venue)).status == "filled"
    assert len(venue.places) == 1
