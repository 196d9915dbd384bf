"""One decision a ticket, ever: the same contract on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from engines.domain.clock import ManualClock
from engines.domain.orders import Account, OrderIntent, OrderTicket
from engines.errors import Conflict, Expired, InvalidRequest, NotFound
from engines.execution.context import OrderContext
from engines.execution.prepare import TicketEdits, edit_ticket, prepare_ticket
from engines.ledger.ledger import Ledger
from engines.storage.database import open_database


def sealed(context: OrderContext, account: Account, **fields: Any) -> OrderTicket:
    intent = OrderIntent(account.id, "thread-1", "BTC/USDT", "buy", Decimal("0.1"))
    return prepare_ticket(replace(intent, **fields), context, owner=account.owner)


def test_an_approval_names_who_and_when(context: OrderContext, account: Account, hand_clock: ManualClock) -> None:
    ticket = sealed(context, account)
    hand_clock.advance(timedelta(seconds=11))
    decided = context.ledger.decide(ticket.id, "approve", ticket.hash, "ann")
    assert (decided.status, decided.decided_by, decided.decided_at) == ("approved", "ann", hand_clock.now())
    assert decided.hash == ticket.hash


@pytest.mark.parametrize(("first", "word"), [("approve", "approved"), ("reject", "rejected")])
@pytest.mark.parametrize("second", ["approve", "reject"])
def test_a_second_decision_is_refused_with_the_first(
    context: OrderContext, account: Account, first: Any, word: str, second: Any
) -> None:
    ticket = sealed(context, account)
    context.ledger.decide(ticket.id, first, ticket.hash, "ann")
    with pytest.raises(Conflict, match=f"Ticket T-1 was already {word} by ann at 16:00:00 UTC"):
        context.ledger.decide(ticket.id, second, ticket.hash, "ann")


def test_of_a_hundred_decisions_at_once_one_wins(context: OrderContext, account: Account) -> None:
    ticket = sealed(context, account)
    start = threading.Barrier(100)

    def race(number: int) -> str:
        start.wait()
        try:
            context.ledger.decide(ticket.id, "approve" if number % 2 else "reject", ticket.hash, f"p{number}")
        except Conflict:
            return ""
        return f"p{number}"

    with ThreadPoolExecutor(100) as pool:
        winners = [name for name in pool.map(race, range(100)) if name]
    assert len(winners) == 1
    assert context.ledger.ticket(ticket.id).decided_by == winners[0]
    assert len(context.ledger.audit(ticket.id)) == 2
    assert context.ledger.verify_audit().intact


def test_an_edit_and_an_approval_at_once_have_one_winner(context: OrderContext, account: Account) -> None:
    for _ in range(5):
        ticket = sealed(context, account)
        edits = TicketEdits(quantity=Decimal("0.05"))
        with ThreadPoolExecutor(2) as pool:
            approval = pool.submit(context.ledger.decide, ticket.id, "approve", ticket.hash, "ann")
            edit = pool.submit(edit_ticket, ticket.id, ticket.hash, edits, context, by="ann", owner="ann")
            errors = [approval.exception(), edit.exception()]
        assert sorted(isinstance(error, Conflict) for error in errors) == [False, True]


def test_labels_given_out_at_once_are_all_different(context: OrderContext, account: Account) -> None:
    with ThreadPoolExecutor(10) as pool:
        tickets = list(pool.map(lambda _: sealed(context, account), range(30)))
    assert {ticket.label for ticket in tickets} == {f"T-{number}" for number in range(1, 31)}


def test_first_looks_at_the_equity_at_once_open_its_marks_once(context: OrderContext, account: Account) -> None:
    start = threading.Barrier(20)

    def look(number: int) -> None:
        start.wait()
        context.ledger.observe_equity(account.id, Decimal(100_000 + number), "2026-03-02")

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(look, range(20))) == [None] * 20
    marks = context.ledger.observe_equity(account.id, Decimal(1), "2026-03-02")
    assert marks.peak == Decimal(100_019)


@pytest.mark.parametrize("wrong", ["", "0" * 64, "ünïcode"])
def test_a_decision_on_another_hash_is_refused_and_leaves_the_ticket_open(
    context: OrderContext, account: Account, wrong: str
) -> None:
    ticket = sealed(context, account)
    with pytest.raises(Conflict, match="is not that of ticket T-1"):
        context.ledger.decide(ticket.id, "approve", wrong, "ann")
    assert context.ledger.ticket(ticket.id).status == "pending"


def test_a_ticket_whose_stored_content_was_changed_cannot_be_approved(
    context: OrderContext, account: Account, desk_engine: Engine
) -> None:
    ticket = sealed(context, account)
    with desk_engine.begin() as connection:
        connection.execute(text("UPDATE tickets SET content = replace(content, '\"0.1\"', '\"0.2\"')"))
    with pytest.raises(Conflict, match="as it stands"):
        context.ledger.decide(ticket.id, "approve", ticket.hash, "ann")


def test_a_decision_after_the_time_is_over_expires_the_ticket(
    context: OrderContext, account: Account, hand_clock: ManualClock
) -> None:
    ticket = sealed(context, account)
    hand_clock.advance(timedelta(seconds=60))
    for _ in range(2):
        with pytest.raises(Expired, match=r"T-1 expired at 16:01:00 UTC. Ask for the order again"):
            context.ledger.decide(ticket.id, "approve", ticket.hash, "ann")
    assert context.ledger.ticket(ticket.id).status == "expired"
    assert [record.kind for record in context.ledger.audit(ticket.id)] == ["ticket_sealed", "ticket_expired"]


def test_tickets_nobody_decided_expire_when_asked_to(
    context: OrderContext, account: Account, hand_clock: ManualClock
) -> None:
    old, decided = sealed(context, account), sealed(context, account)
    context.ledger.decide(decided.id, "reject", decided.hash, "ann")
    hand_clock.advance(timedelta(seconds=59))
    fresh = sealed(context, account)
    hand_clock.advance(timedelta(seconds=1))
    assert [ticket.id for ticket in context.ledger.expire_due()] == [old.id]
    assert context.ledger.expire_due() == ()
    assert [ticket.id for ticket in context.ledger.tickets("ann", status="pending")] == [fresh.id]


def test_differences_between_the_readers_must_be_resolved(context: OrderContext, account: Account) -> None:
    ticket = sealed(context, account, differences=("You wrote sell; the order buys.",))
    with pytest.raises(Conflict, match="You wrote sell") as caught:
        context.ledger.decide(ticket.id, "approve", ticket.hash, "ann")
    assert "resolve_differences" in caught.value.remedy
    decided = context.ledger.decide(ticket.id, "approve", ticket.hash, "ann", resolve_differences=True)
    assert decided.status == "approved"
    assert context.ledger.audit(ticket.id)[-1].data["resolved_differences"] is True


def test_a_ticket_with_differences_can_simply_be_rejected(context: OrderContext, account: Account) -> None:
    ticket = sealed(context, account, differences=("You wrote sell; the order buys.",))
    assert context.ledger.decide(ticket.id, "reject", ticket.hash, "ann").status == "rejected"


def test_a_decision_that_is_no_decision_is_refused(context: OrderContext, account: Account) -> None:
    ticket = sealed(context, account)
    word: Any = "yes"
    with pytest.raises(InvalidRequest, match="Use approve or reject"):
        context.ledger.decide(ticket.id, word, ticket.hash, "ann")


def test_a_ticket_is_hidden_from_everybody_but_its_owner(context: OrderContext, account: Account) -> None:
    ticket = sealed(context, account)
    with pytest.raises(NotFound, match="no ticket"):
        context.ledger.ticket(ticket.id, owner="ben")
    with pytest.raises(NotFound, match="no ticket"):
        context.ledger.decide(ticket.id, "approve", ticket.hash, "ben", owner="ben")
    assert context.ledger.tickets("ben") == ()


def test_tickets_are_listed_newest_first_by_status_and_thread(
    context: OrderContext, account: Account, hand_clock: ManualClock
) -> None:
    tickets = []
    for thread in ("a", "b", "a"):
        tickets.append(sealed(context, account, thread_id=thread))
        hand_clock.advance(timedelta(seconds=1))
    context.ledger.decide(tickets[0].id, "reject", tickets[0].hash, "ann")
    listed = {
        "all": context.ledger.tickets("ann"),
        "pending": context.ledger.tickets("ann", status="pending"),
        "a": context.ledger.tickets("ann", status=("pending", "rejected"), thread_id="a"),
        "newest": context.ledger.tickets("ann", limit=1),
    }
    labels = {name: [ticket.label for ticket in found] for name, found in listed.items()}
    assert labels == {"all": ["T-3", "T-2", "T-1"], "pending": ["T-3", "T-2"], "a": ["T-3", "T-1"], "newest": ["T-3"]}


def test_a_pending_ticket_survives_a_restart(
    context: OrderContext, account: Account, tmp_path: Path, database_url: str, desk_engine: Engine
) -> None:
    ticket = sealed(context, account)
    desk_engine.dispose()
    engine = open_database("desk", home=tmp_path, url=database_url)
    again = Ledger(engine, context.clock)
    assert again.ticket(ticket.id) == ticket
    assert again.decide(ticket.id, "approve", ticket.hash, "ann").status == "approved"
    engine.dispose()
