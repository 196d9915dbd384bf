"""An answer about a stretch of time: its figures have receipts, its chart shows the same profile or none is sent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from agents.runtime import Desk

pytestmark = pytest.mark.anyio

OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]
Scripted = Callable[[Callable[[list[BaseMessage]], AIMessage]], BaseChatModel]


async def test_last_week_is_answered_with_receipts_and_the_chart_of_last_week(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        result = await desk.ask(None, "last week's POC on btc", "ada")

    assert result.reply.startswith("The point of control of BTC/USDT over 2026-03-02 to 2026-03-08 (UTC days) is ")
    assert "unsourced" not in result.reply
    assert len(result.receipts) >= 8
    source = result.receipts[0]["source"]
    assert source["arguments"]["period"] == {"kind": "range", "from": "last week"}
    assert (source["parameters"]["from"], source["parameters"]["to"]) == (
        "2026-03-02T00:00:00+00:00",
        "2026-03-09T00:00:00+00:00",
    )
    (chart,) = result.artifacts
    assert (chart["as_of"], chart["timeframe"]) == ("2026-03-09T00:00:00+00:00", "1h")
    assert chart["url"].endswith("as_of=2026-03-09T00%3A00%3A00%2B00%3A00&limit=168")


async def test_a_session_is_answered_with_its_hours_and_without_a_chart_of_something_else(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        result = await desk.ask(None, "yesterday's new york session on btc", "ada")

    assert "in the New York session of 2026-03-09" in result.reply
    assert "08:00 to 17:00 by the clocks of New York (`UTC-04:00` then)" in result.reply
    assert "TPO (letters of 30m)" in result.reply
    assert result.artifacts == []
    assert "unsourced" not in result.reply


async def test_a_time_that_cannot_be_read_or_has_not_come_is_said_with_ways_that_work(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        for text in ("poc of btc tomorrow", "btc profile since 2026-12-24", "composite of the last 400 days btc"):
            result = await desk.ask(None, text, "ada")
            assert result.status == "completed"
            assert any(words in result.reply for words in ("Name it as", "has passed", "Use 1")), text


async def test_a_model_that_fills_in_the_period_badly_is_told_what_to_mend(
    desk_on: OpenDesk, scripted: Scripted
) -> None:
    told: list[str] = []

    def policy(messages: list[BaseMessage]) -> AIMessage:
        if isinstance(messages[-1], HumanMessage):
            args: dict[str, Any] = {"symbol": "BTC/USDT", "period": {"kind": "weekly"}}
            return AIMessage("", tool_calls=[{"name": "analyze_volume_profile", "args": args, "id": "1"}])
        told.append(str(messages[-1].content))
        return AIMessage("It could not be read.")

    async with desk_on(model=scripted(policy)) as desk:
        result = await desk.ask(None, "poc of btc last week", "ada")

    assert result.status == "completed"
    assert "period.kind: Input should be 'session', 'range', 'anchored' or 'composite'" in told[0]
