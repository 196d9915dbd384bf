"""Tickets that wait: the talk goes on beside them, and nothing but a recorded decision ends the wait."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from agents.results import DecisionOutcome, TurnResult
from agents.runtime import Desk
from agents.settings import Settings

pytestmark = pytest.mark.anyio

OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]


async def _ask(desk: Desk, message: str, thread: str | None = None) -> TurnResult:
    return await desk.ask(thread, message, "ada")


async def _decide(desk: Desk, ticket: dict[str, Any], decision: Any = "approve") -> DecisionOutcome:
    return await desk.decide(ticket["id"], decision, ticket["hash"], "ada", "ada")


def _fills(desk: Desk) -> int:
    return len(desk.ledger.fills(desk.account_id("ada")))


async def test_questions_are_answered_while_a_ticket_waits_and_it_can_still_be_approved(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        first = await _ask(desk, "buy 0.05 btc")
        question = await _ask(desk, "price of eth", first.thread_id)
        outcome = await _decide(desk, first.tickets[0])

        assert question.status == "completed"
        assert question.tickets == []
        assert outcome.ticket["status"] == "filled"
        assert outcome.reply.startswith("Approved at")
        assert _fills(desk) == 1


@pytest.mark.parametrize("newest_first", [True, False])
async def test_two_pending_tickets_are_decided_in_any_order(desk_on: OpenDesk, *, newest_first: bool) -> None:
    async with desk_on() as desk:
        tickets = (await _ask(desk, "buy 0.05 btc and buy 1 eth")).tickets
        assert len(tickets) == 2
        for ticket in sorted(tickets, key=lambda ticket: ticket["label"], reverse=newest_first):
            outcome = await _decide(desk, ticket)
            assert outcome.ticket["status"] == "filled"
            assert outcome.reply.count("Approved at") == 1
        assert _fills(desk) == 2


async def test_one_of_two_tickets_is_rejected_and_the_other_approved(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        first, second = (await _ask(desk, "buy 0.05 btc and buy 1 eth")).tickets
        assert (await _decide(desk, first, "reject")).ticket["status"] == "rejected"
        assert (await _decide(desk, second)).ticket["status"] == "filled"
        assert _fills(desk) == 1


@pytest.mark.parametrize("words", ["yes", "yes do it", "approve T-1", "ok go ahead", "confirm", "execute it"])
async def test_words_never_approve(desk_on: OpenDesk, words: str) -> None:
    async with desk_on() as desk:
        first = await _ask(desk, "buy 0.05 btc")
        result = await _ask(desk, words, first.thread_id)

        assert result.tickets == []
        assert desk.ledger.ticket(first.tickets[0]["id"]).status == "pending"
        assert _fills(desk) == 0


@pytest.mark.parametrize(
    "value",
    ["yes", "approve", True, {"decision": "approve"}, {"decision": "approve", "ticket_hash": "0" * 64}, {}, [1]],
)
async def test_a_resume_without_a_recorded_decision_changes_nothing(desk_on: OpenDesk, value: Any) -> None:
    async with desk_on() as desk:
        result = await _ask(desk, "buy 0.05 btc")
        config: RunnableConfig = {"configurable": {"thread_id": result.thread_id}}
        graph = desk.graph
        waiting = (await graph.aget_state(config)).interrupts
        await graph.ainvoke(Command(resume={waiting[0].id: value}), config)

        assert desk.ledger.ticket(result.tickets[0]["id"]).status == "pending"
        assert len((await graph.aget_state(config)).interrupts) == 1
        assert _fills(desk) == 0
        assert (await _decide(desk, result.tickets[0])).ticket["status"] == "filled"


async def test_a_structured_resume_from_studio_is_recorded_in_the_ledger(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        result = await _ask(desk, "buy 0.05 btc")
        ticket = result.tickets[0]
        config: RunnableConfig = {"configurable": {"thread_id": result.thread_id}}
        waiting = (await desk.graph.aget_state(config)).interrupts
        answer = {"decision": "approve", "ticket_hash": ticket["hash"]}
        await desk.graph.ainvoke(Command(resume={waiting[0].id: answer}), config)

        decided = desk.ledger.ticket(ticket["id"])
        assert (decided.status, decided.decided_by) == ("filled", "studio")
        assert _fills(desk) == 1


async def test_a_structured_resume_is_not_recorded_off_loopback(desk_on: OpenDesk, settings: Settings) -> None:
    async with desk_on(settings=settings.model_copy(update={"host": "0.0.0.0"})) as desk:
        result = await _ask(desk, "buy 0.05 btc")
        ticket = result.tickets[0]
        config: RunnableConfig = {"configurable": {"thread_id": result.thread_id}}
        waiting = (await desk.graph.aget_state(config)).interrupts
        answer = {"decision": "approve", "ticket_hash": ticket["hash"]}
        await desk.graph.ainvoke(Command(resume={waiting[0].id: answer}), config)

        assert desk.ledger.ticket(ticket["id"]).status == "pending"
        assert _fills(desk) == 0
