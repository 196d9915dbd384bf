"""Looking back in the conversation: every figure of the review has its receipt, and small samples are said first."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import pytest

from agents.receipts import UNSOURCED
from agents.results import TurnResult
from agents.runtime import Desk
from engines.domain.clock import ManualClock

pytestmark = pytest.mark.anyio

OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]
MARKED = re.compile(r"\[(\d+)\]")


async def reject(desk: Desk, message: str) -> None:
    asked = await desk.ask(None, message, "ada")
    ticket = asked.tickets[0]
    await desk.decide(ticket["id"], "reject", ticket["hash"], by="ada", owner="ada")


def require_sourced(result: TurnResult) -> None:
    assert result.status == "completed"
    assert UNSOURCED not in result.reply
    assert {int(number) for number in MARKED.findall(result.reply)} == {each["n"] for each in result.receipts}
    assert {each["source"]["tool"] for each in result.receipts} <= {"review_decisions"}


async def test_a_desk_without_decisions_says_that_there_is_nothing_to_look_back_on(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        result = await desk.ask(None, "/review", "ada")
    assert result.reply.startswith("No ticket was rejected, left to expire or edited yet")
    assert "No score has come of age yet" in result.reply
    require_sourced(result)


async def test_rejections_are_told_one_by_one_and_in_sum_with_their_receipts(
    desk_on: OpenDesk, clock: ManualClock
) -> None:
    async with desk_on() as desk:
        await reject(desk, "buy 0.01 BTC, stop loss 100, take profit 9000000")
        await reject(desk, "buy 0.2 ETH")
        fresh = await desk.ask(None, "/review", "ada")
        clock.advance(timedelta(hours=30))
        later = await desk.ask(None, "what did my rejections cost me?", "ada")
        bitcoin = await desk.ask(None, "/review BTC", "ada")

    assert "none of it can be marked yet" in fresh.reply
    assert re.match(r"Your decisions against 2 \[1\] rejected tickets (saved|cost) you [\d.,]+ \[2\] USDT", later.reply)
    assert "T-1, rejected 2026-03-10 14:30 UTC: buy" in later.reply
    assert "it would still be held" in later.reply
    assert "are too few to tell judgement from luck" in later.reply.split("\n")[0]
    assert "The confluence score leaned the way the price then went in" in later.reply
    assert "overlap no other" in later.reply
    results = [each for each in later.receipts if "as if approved" in each["label"]]
    assert len(results) == 2
    assert all("candles looked at: 30 1m, 29 1h" in each["label"] or "1h" in each["label"] for each in results)
    assert "T-2" not in bitcoin.reply
    assert bitcoin.tool_calls[0]["args"] == {"symbol": "BTC/USDT"}
    for result in (fresh, later, bitcoin):
        assert "simulated" in result.reply.lower()
        require_sourced(result)


async def test_looking_back_changes_nothing(desk_on: OpenDesk, clock: ManualClock) -> None:
    async with desk_on() as desk:
        await reject(desk, "buy 0.01 BTC")
        clock.advance(timedelta(hours=2))
        before = desk.ledger.audit()
        await desk.ask(None, "/review", "ada")
        assert desk.ledger.audit() == before
