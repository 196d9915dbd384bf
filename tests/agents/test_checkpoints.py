from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig

from agents.checkpoints import open_checkpoints
from agents.runtime import Desk
from agents.settings import Settings
from agents.state import add_evidence, add_outcomes, add_turn_messages
from engines.execution.prepare import TicketEdits

pytestmark = pytest.mark.anyio

OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]


@pytest.fixture
def stored(settings: Settings, database_url: str) -> Settings:
    """Settings with each database in turn."""
    return settings.model_copy(update={"database_url": database_url})


async def test_the_state_comes_back_as_it_was_written_and_is_plain_data(desk_on: OpenDesk, stored: Settings) -> None:
    async with desk_on(settings=stored) as desk:
        result = await desk.ask(None, "cipher btc 4h and buy 0.05 btc", "ada")
        config: RunnableConfig = {"configurable": {"thread_id": result.thread_id}}
        before = (await desk.graph.aget_state(config)).values
    async with desk_on(settings=stored) as desk:
        after = (await desk.graph.aget_state(config)).values

    assert after == before
    assert after["owner"] == "ada"
    assert {record["kind"] for record in after["evidence"]} == {"cipher", "ticket"}
    _require_plain(after["evidence"])
    _require_plain(after["answer"])
    _require_plain([message.model_dump() for message in after["messages"]])


def _require_plain(value: Any) -> None:
    if isinstance(value, dict):
        for item in value.values():
            _require_plain(item)
    elif isinstance(value, list):
        for item in value:
            _require_plain(item)
    else:
        assert value is None or isinstance(value, str | int | float | bool), repr(value)


async def test_the_whole_loop_runs_on_both_databases_with_a_restart_in_between(
    desk_on: OpenDesk, stored: Settings
) -> None:
    async with desk_on(settings=stored) as desk:
        first = await desk.ask(None, "buy 0.05 btc", "ada")
        ticket = first.tickets[0]
    async with desk_on(settings=stored) as desk:
        edits = TicketEdits(quantity=Decimal("0.02"))
        edited = await desk.decide(ticket["id"], "edit", ticket["hash"], "ada", "ada", edits=edits)
        assert edited.replacement is not None
    async with desk_on(settings=stored) as desk:
        new = edited.replacement
        outcome = await desk.decide(new["id"], "approve", new["hash"], "ada", "ada")
        again = await desk.ask(first.thread_id, "my positions", "ada")

    assert outcome.ticket["status"] == "filled"
    assert "0.02" in again.reply


async def test_old_checkpoints_are_forgotten_and_the_pending_ticket_is_not(desk_on: OpenDesk, stored: Settings) -> None:
    async with desk_on(settings=stored) as desk:
        thread = (await desk.ask(None, "price of btc", "ada")).thread_id
        for _ in range(3):
            await desk.ask(thread, "price of eth", "ada")
        result = await desk.ask(thread, "buy 0.05 btc", "ada")
        config: RunnableConfig = {"configurable": {"thread_id": thread}}
        kept = [checkpoint async for checkpoint in desk.graph.aget_state_history(config)]

        assert len(kept) == 1
        assert [waiting.value["id"] for waiting in kept[0].interrupts] == [result.tickets[0]["id"]]


async def test_a_thread_is_worked_on_by_one_turn_at_a_time_across_desks(
    settings: Settings, postgres_database: str
) -> None:
    inside: list[str] = []
    async with (
        open_checkpoints(settings.home, postgres_database) as one,
        open_checkpoints(settings.home, postgres_database) as other,
    ):

        async def turn(checkpoints: Any, name: str) -> None:
            async with checkpoints.locked("thread"):
                inside.append(f"{name} in")
                await asyncio.sleep(0.05)
                inside.append(f"{name} out")

        await asyncio.gather(turn(one, "a"), turn(other, "b"), turn(one, "c"))

    assert [entry.split()[0] for entry in inside[::2]] == [entry.split()[0] for entry in inside[1::2]]


async def test_a_long_thread_forgets_its_oldest_turns_whole(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        thread = None
        for _ in range(25):
            thread = (await desk.ask(thread, "price of btc", "ada")).thread_id
        config: RunnableConfig = {"configurable": {"thread_id": str(thread)}}
        values = (await desk.graph.aget_state(config)).values

    assert len(values["messages"]) <= 80
    assert values["messages"][0].type == "human"
    assert len(values["evidence"]) == 25


async def test_reducers_are_idempotent() -> None:
    record: Any = {"id": "cipher-1", "headline": "a"}
    assert add_evidence([record], [record]) == [record]
    outcome: Any = {"ticket_id": "t", "text": "x", "said": False, "successor": ""}
    said: Any = {**outcome, "said": True}
    assert add_outcomes([outcome], [said]) == [said]
    assert add_turn_messages([], []) == []
