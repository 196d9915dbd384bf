"""One order in the place of another, on paper: what its ticket says, and that never both are live."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engines.domain.clock import ManualClock
from engines.domain.orders import Order, OrderTicket
from engines.errors import InvalidRequest, NotFound, RiskDenied, VenueUnavailable
from engines.execution.prepare import TicketEdits, edit_ticket
from engines.execution.submit import submit, unfinished
from engines.execution.switch import halt
from engines.ledger.halt_file import HaltFile
from tests.engines.between import Between, Died

LIMIT: dict[str, Any] = {"order_type": "limit"}


def die() -> None:
    raise Died


def change(desk: Any, old: Order, price: int, amount: str = "0.1", **fields: Any) -> OrderTicket:
    """An approved ticket that puts another limit in the place of an order."""
    own = {**LIMIT, "limit_price": Decimal(price), "replaces_order": old.id, **fields}
    ticket: OrderTicket = desk.approved(desk.ticket(old.side, amount, **own))
    return ticket


def open_ids(desk: Any) -> set[str]:
    return {order.client_order_id for order in desk.broker.open_orders()}


def told(desk: Any, ticket: OrderTicket) -> OrderTicket:
    now: OrderTicket = desk.context.ledger.ticket(ticket.id)
    return now


def test_the_ticket_says_and_seals_what_is_cancelled_and_what_takes_its_place(desk: Any) -> None:
    old = desk.rest("buy", 60_000)
    ticket = desk.ticket("buy", **LIMIT, limit_price=Decimal(61_000), replaces_order=old.id)
    assert ticket.replaces_order == old.id
    assert ticket.replaced_words == "buy 0.1 BTC/USDT, limit 60,000"
    assert ticket.replaced_filled == 0
    sealed = ticket.sealed_content()
    assert (sealed["replaces_order"], sealed["replaced_filled"]) == (old.id, "0")
    assert told(desk, ticket) == ticket
    assert ticket.look_alikes == ()
    assert "replaces_order" not in desk.ticket().sealed_content()


def test_the_old_order_is_cancelled_and_the_new_one_is_open(desk: Any) -> None:
    old = desk.rest("buy", 60_000)
    new = desk.sent(change(desk, old, 61_000))
    assert new is not None
    assert (new.status, new.limit_price) == ("accepted", Decimal(61_000))
    assert desk.context.ledger.order(old.id).status == "cancelled"
    assert open_ids(desk) == {new.id}
    assert desk.context.ledger.verify_audit().intact


def test_carrying_it_out_again_changes_nothing(desk: Any) -> None:
    old = desk.rest("buy", 60_000)
    ticket = change(desk, old, 61_000)
    first = desk.sent(ticket)
    assert desk.sent(ticket) == first
    assert unfinished(desk.context.ledger) == ()


def test_what_the_old_order_sets_aside_is_free_for_the_new_one(desk: Any) -> None:
    desk.limit(max_order_notional=Decimal(90_000), max_open_orders=1)
    old = desk.rest("buy", 60_000, "0.7")
    with pytest.raises(RiskDenied):
        desk.ticket("buy", "0.7", **LIMIT, limit_price=Decimal(61_000))
    new = desk.sent(change(desk, old, 61_000, "0.7"))
    assert new is not None
    assert open_ids(desk) == {new.id}


def test_a_new_order_that_a_limit_denies_leaves_the_old_one_where_it_is(desk: Any) -> None:
    old = desk.rest("buy", 60_000)
    ticket = change(desk, old, 61_000)
    desk.limit(max_order_notional=Decimal(10))
    desk.denied(ticket, "this account's limit per order is 10 USDT")
    assert open_ids(desk) == {old.id}


def test_a_halt_and_a_price_that_moved_leave_the_old_order_where_it_is(desk: Any, tmp_path: Any) -> None:
    old = desk.rest("buy", 60_000)
    moved, halted = change(desk, old, 61_000), change(desk, old, 61_500)
    desk.at(65_000)
    desk.denied(moved, "The price moved")
    desk.at(64_000)
    halt(desk.context.ledger, HaltFile.of(tmp_path), reason="enough", by="ann")
    desk.denied(halted, "enough")
    assert open_ids(desk) == {old.id}


@pytest.mark.parametrize("price", [61_000, 60_000])
def test_an_order_that_filled_meanwhile_is_told_with_its_numbers_and_nothing_is_sent(desk: Any, price: int) -> None:
    old = desk.rest("buy", 63_900)
    stop: dict[str, Any] = {"stop_loss": Decimal(50_000)} if price == 60_000 else {}
    ticket = change(desk, old, price, **stop)

    def fill() -> None:
        desk.market.set_quote("BTC/USDT", "63000", "63001")
        desk.broker.match(desk.market.now())
        desk.at(64_000)

    assert submit(ticket.id, desk.context, Between(desk.broker, "cancel", fill)) is None
    now = told(desk, ticket)
    assert now.status == "denied"
    assert f"Order {old.id} is filled: 0.1 of 0.1 BTC had filled when it ended, and 0 when the ticket" in now.reason
    assert open_ids(desk) == set()
    assert desk.broker.find(ticket.client_order_id, ticket.symbol) is None


def test_while_it_is_not_known_whether_the_old_order_ended_the_new_one_is_not_sent(desk: Any) -> None:
    old = desk.rest("buy", 60_000)
    ticket = change(desk, old, 61_000)

    def mute() -> None:
        raise VenueUnavailable("The venue does not answer.")

    for after in (False, True):
        assert submit(ticket.id, desk.context, Between(desk.broker, "cancel", mute, after=after)) is None
        now = told(desk, ticket)
        assert now.status == "unknown"
        assert f"Order {old.id} is to be cancelled first." in now.reason
        assert desk.broker.find(ticket.client_order_id, ticket.symbol) is None
        assert unfinished(desk.context.ledger) == (ticket.id,)
    new = desk.sent(ticket)
    assert new is not None
    assert open_ids(desk) == {new.id}


@pytest.mark.parametrize(("call", "after"), [("cancel", False), ("cancel", True), ("place", False), ("place", True)])
def test_a_desk_that_dies_between_the_steps_comes_to_the_same_end(desk: Any, call: str, after: bool) -> None:
    old = desk.rest("buy", 60_000)
    ticket = change(desk, old, 61_000)
    with pytest.raises(Died):
        submit(ticket.id, desk.context, Between(desk.broker, call, die, after=after))
    assert len(open_ids(desk)) <= 1
    assert unfinished(desk.context.ledger) == (ticket.id,)
    desk.sent(ticket)
    status = desk.context.ledger.order(ticket.client_order_id).status
    assert status == ("not_accepted" if (call, after) == ("place", False) else "accepted")
    assert desk.context.ledger.order(old.id).status == "cancelled"
    assert open_ids(desk) == ({ticket.client_order_id} if status == "accepted" else set())
    assert desk.context.ledger.verify_audit().intact


def test_a_desk_that_comes_back_too_late_ends_the_old_order_and_sends_nothing(
    desk: Any, hand_clock: ManualClock
) -> None:
    old = desk.rest("buy", 60_000)
    ticket = change(desk, old, 61_000)
    with pytest.raises(Died):
        submit(ticket.id, desk.context, Between(desk.broker, "cancel", die))
    hand_clock.advance(timedelta(hours=1))
    assert desk.sent(ticket) is None
    assert told(desk, ticket).status == "expired"
    assert desk.context.ledger.order(old.id).status == "cancelled"
    assert open_ids(desk) == set()


def test_an_order_is_replaced_once_whatever_was_approved(desk: Any) -> None:
    old = desk.rest("buy", 60_000)
    first, second = change(desk, old, 61_000), change(desk, old, 61_500)
    new = desk.sent(first)
    assert new is not None
    desk.denied(second, f"Order {old.id} was replaced by another ticket before. Nothing was sent.")
    assert open_ids(desk) == {new.id}


def test_an_edit_of_the_ticket_still_replaces_the_order(desk: Any) -> None:
    old = desk.rest("buy", 60_000)
    ticket = desk.ticket("buy", **LIMIT, limit_price=Decimal(61_000), replaces_order=old.id)
    edits = TicketEdits(limit_price=Decimal(61_200))
    edited = edit_ticket(ticket.id, ticket.hash, edits, desk.context, by="ann", owner="ann")
    assert (edited.replaces_order, edited.limit_price) == (old.id, Decimal(61_200))


def test_only_an_open_entry_of_the_same_market_and_side_is_replaced(desk: Any) -> None:
    old = desk.rest("buy", 60_000)
    terms = {**LIMIT, "limit_price": Decimal(70_000), "replaces_order": old.id}
    desk.refused("an order to sell BTC/USDT is another one", InvalidRequest, side="sell", **terms)
    desk.refused("There is no order", NotFound, **{**terms, "replaces_order": "qtp-none"})
    done = desk.trade()
    desk.refused("is filled: there is nothing open to change", InvalidRequest, **{**terms, "replaces_order": done.id})
    held = desk.trade(stop_loss=Decimal(50_000))
    (leg,) = desk.context.ledger.exits_of(held.id)
    desk.refused("protects a position", InvalidRequest, **{**terms, "replaces_order": leg.id})


def test_a_ticket_whose_replaced_order_was_changed_in_the_database_is_not_carried_out(desk: Any) -> None:
    old, other = desk.rest("buy", 60_000), desk.rest("buy", 59_000)
    ticket = desk.ticket("buy", **LIMIT, limit_price=Decimal(61_000), replaces_order=old.id)
    assert replace(ticket, replaces_order=other.id).seal() != ticket.hash


def test_several_that_carry_it_out_at_once_send_one_order(desk: Any) -> None:
    old = desk.rest("buy", 60_000)
    ticket = change(desk, old, 61_000)
    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(lambda _: desk.sent(ticket), range(4)))
    assert {order.id for order in sent if order is not None} == {ticket.client_order_id}
    assert desk.context.ledger.order(old.id).status == "cancelled"
    assert open_ids(desk) == {ticket.client_order_id}
    records = desk.context.ledger.audit(ticket_id=ticket.id)
    assert [record.kind for record in records].count("submission_journalled") == 1
    assert [record.kind for record in records].count("replacement_started") == 1
    assert desk.context.ledger.verify_audit().intact
