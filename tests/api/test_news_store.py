"""Fills that nobody has heard of, on both databases: each is told once, whoever tells."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from api.news_store import NewsStore
from api.run_store import Outcome, Reply, RunRequest, RunStore
from engines.domain.clock import ManualClock
from engines.storage import ledger as tables

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANSWER: dict[str, Any] = {"status": "completed", "receipts": [{"n": 1}], "next_steps": ["My positions"]}

Fill = Callable[[str], None]


@pytest.fixture
def fill(database: Engine) -> Fill:
    """A filled order of Ann's ticket in the conversation `thread-1`; each call adds a fill to it."""
    ticket = {"id": "t1", "label": "T-1", "account": "a", "owner": "ann", "thread_id": "thread-1", "kind": "order"}
    sealed = {"content": "{}", "hash": "h", "status": "submitting", "reason": ""}
    order = {"id": "o1", "ticket_id": "t1", "account": "a", "order_type": "limit", "quantity": Decimal(2)}
    state = {"status": "accepted", "reason": "", "lookups": 0, "reserve_price": Decimal(1), "reserve_fee": Decimal(0)}
    traded = {"symbol": "ABC/USD", "side": "buy"}
    account = {"id": "a", "owner": "ann", "name": "a", "mode": "paper", "currency": "USD", "last_label": 1}
    with database.begin() as connection:
        connection.execute(insert(tables.accounts).values(**account, starting_cash=Decimal(1), created_at=NOW))
        symbol = {"symbol": "ABC/USD", "created_at": NOW, "expires_at": NOW}
        connection.execute(insert(tables.tickets).values(**ticket, **sealed, **symbol))
        connection.execute(insert(tables.orders).values(**order, **state, **traded, created_at=NOW, updated_at=NOW))

    def add(trade_id: str) -> None:
        money = {"price": Decimal(90), "quantity": Decimal(1), "fee": Decimal(0), "fee_currency": "USD"}
        named = {"venue": "paper", "trade_id": trade_id, "order_id": "o1", "account": "a", "time": NOW}
        with database.begin() as connection:
            connection.execute(insert(tables.fills).values(**named, **traded, **money))

    return add


def conversation(database: Engine, clock: ManualClock, *told: str) -> None:
    """Ann's conversation with one answered decision, whose answer told of these fills."""
    runs = RunStore(database, clock)
    run, _ = runs.begin(RunRequest("decision", "ann", "thread-1", "t1", "buy 2 ABC"))
    source = {"parameters": {"client_order_id": "o1", "fills": list(told)}}
    reply = Reply("Approved.", {"receipts": [{"n": 1, "source": source}]})
    runs.finish(run, Outcome("completed", {}), [], reply)


def test_fills_wait_for_the_end_of_an_answer_and_those_it_told_are_left_out(
    database: Engine, clock: ManualClock, fill: Fill
) -> None:
    store, runs = NewsStore(database, clock), RunStore(database, clock)
    run, _ = runs.begin(RunRequest("decision", "ann", "thread-1", "t1", "buy 2 ABC"))
    fill("x1")
    fill("x2")
    assert store.untold() == []
    source = {"parameters": {"client_order_id": "o1", "fills": ["x1"]}}
    runs.finish(run, Outcome("completed", {}), [], Reply("Filled.", {"receipts": [{"n": 1, "source": source}]}))
    (left,) = store.untold()
    assert (left.order_id, left.trade_ids, left.owner) == ("o1", ("x2",), "ann")


def test_an_answer_that_names_a_fill_again_changes_nothing(database: Engine, clock: ManualClock, fill: Fill) -> None:
    fill("x1")
    conversation(database, clock, "x1")
    conversation(database, clock, "x1", "unknown")
    assert NewsStore(database, clock).untold() == []


def test_two_that_tell_the_same_fills_leave_one_message(database: Engine, clock: ManualClock, fill: Fill) -> None:
    conversation(database, clock)
    fill("x1")
    one, other = NewsStore(database, clock), NewsStore(database, clock)
    (mine,), (theirs,) = one.untold(), other.untold()
    assert mine == theirs
    assert (one.tell(mine, "Bought 1.", ANSWER), other.tell(theirs, "Bought 1.", ANSWER)) == (True, False)
    (news,) = one.after("ann", 0, thread_id=None)
    assert (news.answer["reply"], news.answer["thread_id"]) == ("Bought 1.", "thread-1")
    assert (one.newest("ann"), other.newest("ben")) == (news.id, 0)
    assert one.untold() == other.untold() == []


def test_news_are_read_behind_a_number_by_owner_and_conversation(
    database: Engine, clock: ManualClock, fill: Fill
) -> None:
    conversation(database, clock)
    store = NewsStore(database, clock)
    for number in (1, 2):
        fill(f"x{number}")
        (untold,) = store.untold()
        assert store.tell(untold, f"Bought {number}.", ANSWER)
    first, second = store.after("ann", 0, thread_id="thread-1")
    assert (first.answer["reply"], second.answer["reply"]) == ("Bought 1.", "Bought 2.")
    assert [news.id for news in store.after("ann", first.id, thread_id=None)] == [second.id]
    assert store.after("ann", second.id, thread_id=None) == []
    assert store.after("ben", 0, thread_id=None) == store.after("ann", 0, thread_id="thread-2") == []


def test_fills_of_a_conversation_that_is_gone_count_as_told(database: Engine, clock: ManualClock, fill: Fill) -> None:
    store = NewsStore(database, clock)
    fill("x1")
    (untold,) = store.untold()
    assert store.tell(untold, "Bought 1.", ANSWER)
    assert store.untold() == []
    assert NewsStore(database, clock).untold() == []
    assert store.after("ann", 0, thread_id=None) == []
