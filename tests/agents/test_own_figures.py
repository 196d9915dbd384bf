"""The desk's own figures have a source: lists of tickets, refusals and outcomes are never marked unsourced."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage

from agents.receipts import UNSOURCED
from agents.runtime import Desk

OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _ask(desk: Desk, message: str, thread_id: str | None = None) -> Any:
    return await desk.ask(thread_id, message, "ada", on_event=lambda *_: None)


@pytest.mark.parametrize("words", ["yes", "approve T-1", "what tickets are pending?", "show my tickets"])
async def test_tickets_of_another_conversation_are_listed_with_their_receipts(desk_on: OpenDesk, words: str) -> None:
    async with desk_on() as desk:
        await _ask(desk, "buy 0.05 btc and buy 1 eth")
        listed = await _ask(desk, words)

        assert "T-1" in listed.reply
        assert "T-2" in listed.reply
        assert UNSOURCED not in listed.reply
        assert {receipt["source"]["evidence"] for receipt in listed.receipts} == {"ticket-1", "ticket-2"}


async def test_a_ticket_that_is_named_is_told_pending_or_not(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        assert (await _ask(desk, "approve T-9")).reply.startswith("T-9 is not pending")
        ticket = (await _ask(desk, "buy 0.05 btc")).tickets[0]
        assert (await _ask(desk, "approve t-1")).reply.startswith("T-1 is pending (Buy 0.05")
        assert "There is one pending ticket, T-1" in (await _ask(desk, "reject T-9")).reply
        await desk.decide(ticket["id"], "reject", ticket["hash"], "ada", "ada")
        assert (await _ask(desk, "approve T-1")).reply.startswith("T-1 is not pending")


@pytest.mark.parametrize("words", ["sell 5 sol", "buy 50 btc", "cipher btc 1M", "buy 0.05 btc at 1000000"])
async def test_refusals_and_questions_hold_no_unsourced_figure(desk_on: OpenDesk, words: str) -> None:
    async with desk_on() as desk:
        refused = await _ask(desk, words)
        assert refused.tickets == []
        assert UNSOURCED not in refused.reply


async def test_the_reason_why_a_ticket_was_not_carried_out_is_never_unsourced(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        bought = (await _ask(desk, "buy 0.05 btc")).tickets[0]
        await desk.decide(bought["id"], "approve", bought["hash"], "ada", "ada")
        thread = await _ask(desk, "sell 0.05 btc")
        again = await _ask(desk, "close my btc position", thread.thread_id)
        for result in (thread, again):
            ticket = result.tickets[0]
            outcome = await desk.decide(ticket["id"], "approve", ticket["hash"], "ada", "ada")
        assert "Not carried out" in outcome.reply
        assert UNSOURCED not in outcome.reply


async def test_a_provider_that_makes_up_a_figure_beside_a_ticket_is_still_marked(
    desk_on: OpenDesk, scripted: Callable[..., BaseChatModel]
) -> None:
    async with desk_on() as desk:
        await _ask(desk, "buy 0.05 btc")
    async with desk_on(model=scripted(lambda _: AIMessage("T-1 buys 0.05 BTC at 12,345."))) as desk:
        reply = (await _ask(desk, "what is T-1?")).reply
        assert "0.05 [1] BTC at 12,345 *unsourced*" in reply
