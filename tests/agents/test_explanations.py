"""Why and why not, in the conversation: answered from the engine and the journal, every figure with a receipt."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from agents.receipts import UNSOURCED
from agents.runtime import Desk

pytestmark = pytest.mark.anyio

OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]
MARKED = re.compile(r"\[(\d+)\]")


async def test_why_no_dot_is_answered_first_with_receipts_and_what_would_have_flipped_it(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        first = await desk.ask(None, "why no red dot on BTC 1h at 08:00?", "ada")
        flipped = await desk.ask(first.thread_id, "what would have flipped it?", "ada")
        other = await desk.ask(first.thread_id, "and the green dot?", "ada")

    assert first.reply.startswith(
        "No red dot on BTC/USDT 1h at the 2026-03-10 08:00 UTC close: two of four conditions "
    )
    assert "simulated" in first.reply.lower()
    (call,) = first.tool_calls
    assert (call["name"], call["args"]["at"]) == ("explain_decision", "08:00")
    for result in (first, flipped, other):
        assert result.status == "completed"
        assert UNSOURCED not in result.reply
        assert {int(number) for number in MARKED.findall(result.reply)} == {each["n"] for each in result.receipts}
        assert result.receipts[0]["source"]["tool"] == "explain_decision"
    assert flipped.reply.startswith("With the low 1.")
    assert other.reply.startswith("No green dot on BTC/USDT 1h at the 2026-03-10 08:00 UTC close")
    assert first.artifacts[0]["as_of"] == "2026-03-10T08:00:00+00:00"


async def test_a_forming_candle_is_said_to_be_undecided(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        result = await desk.ask(None, "why no green dot on btc 4h at 14:00", "ada")

    assert result.reply.startswith("The 4h candle that holds 14:00 is still forming")
    assert UNSOURCED not in result.reply


@pytest.mark.parametrize(
    "question",
    [
        "why no gold dot on btc 4h yesterday",
        "why no bullish divergence on eth 1h",
        "why was there a hidden divergence on sol 15m",
        "any blood diamond on btc 1h?",
        "why no yellow x on eth 4h",
        "why no sommi diamond on btc 1h 3 candles ago",
        "why was there no dot on btc 1h on 9 march",
    ],
)
async def test_every_kind_of_mark_is_told_without_an_unsourced_figure(desk_on: OpenDesk, question: str) -> None:
    async with desk_on() as desk:
        result = await desk.ask(None, question, "ada")

    assert [call["name"] for call in result.tool_calls] == ["explain_decision"]
    assert UNSOURCED not in result.reply
    assert "condition" in result.reply


async def test_a_time_that_cannot_be_read_is_refused_with_ways_that_work(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        result = await desk.ask(None, "why no green dot on btc 4h earlier", "ada")

    assert result.status == "completed"
    assert "yesterday 14:00" in result.reply


async def test_a_part_of_a_day_is_the_candles_that_closed_in_it(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        result = await desk.ask(None, "why no green dot on btc 1h this morning", "ada")

    assert result.tool_calls[0]["args"]["at"] == "this morning"
    assert result.reply.startswith("Not on any 1h candle within that time (this morning); the nearest: no green dot on")
    assert UNSOURCED not in result.reply


async def test_a_denied_order_is_explained_from_the_journal(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        denied = await desk.ask(None, "buy 5 btc", "ada")
        why = await desk.ask(denied.thread_id, "why was my order denied?", "ada")
        stranger = await desk.ask(None, "why was my order denied?", "eve")

    assert why.reply.startswith("The order to buy 5 ")
    assert "10,000" in why.reply
    assert "nothing was sent" in why.reply
    assert UNSOURCED not in why.reply
    assert not why.tickets
    assert "in this account" in stranger.reply
    assert "5 BTC" not in stranger.reply


async def test_a_tickets_size_and_state_are_explained_from_the_journal(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        sealed = await desk.ask(None, "buy 0.01 btc", "ada")
        size = await desk.ask(sealed.thread_id, "why is T-1 at that size?", "ada")
        state = await desk.ask(sealed.thread_id, "explain T-1", "ada")
        missing = await desk.ask(sealed.thread_id, "why was T-9 rejected", "ada")

    assert size.reply.startswith("The size of T-1 is 0.01 ")
    assert '"buy 0.01 btc"' in size.reply
    assert state.reply.startswith("T-1 (buy 0.01 ")
    assert "waits for your decision" in state.reply
    for result in (size, state):
        assert UNSOURCED not in result.reply
        assert not result.tickets
    assert "no ticket T-9" in missing.reply


async def test_next_steps_of_an_explanation_work(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        result = await desk.ask(None, "why no red dot on btc 1h at 08:00", "ada")
        assert 1 <= len(result.next_steps) <= 3
        for step in result.next_steps:
            followed = await desk.ask(result.thread_id, step, "ada")
            assert followed.tool_calls, step
            assert not followed.tickets
