from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from agents.receipts import UNSOURCED
from agents.runtime import Desk
from engines.errors import InvalidRequest, NotFound

pytestmark = pytest.mark.anyio

OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]
MARKED = re.compile(r"\[(\d+)\]")


async def test_an_analysis_answers_first_and_every_figure_has_a_receipt(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        result = await desk.ask(None, "How does BTC look on the 4h?", "ada")

    assert result.status == "completed"
    assert result.reply.startswith("BTC/USDT 4h")
    assert UNSOURCED not in result.reply
    assert "simulated" in result.reply.lower()
    assert [call["name"] for call in result.tool_calls] == ["analyze_cipher"]
    numbers = [receipt["n"] for receipt in result.receipts]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 5
    assert {int(number) for number in MARKED.findall(result.reply)} == set(numbers)
    source = result.receipts[0]["source"]
    assert (source["tool"], source["symbol"], source["timeframe"]) == ("analyze_cipher", "BTC/USDT", "4h")
    assert source["tool_call_id"] == result.tool_calls[0]["id"]
    assert (source["market"], source["simulated"]) == ("demo", True)


async def test_the_same_question_at_the_same_time_gets_the_same_answer(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        first = await desk.ask(None, "volume profile eth 1h", "ada")
        second = await desk.ask(None, "volume profile eth 1h", "ada")

    assert first.reply == second.reply
    assert [(r["n"], r["text"], r["value"]) for r in first.receipts] == [
        (r["n"], r["text"], r["value"]) for r in second.receipts
    ]


async def test_an_analysis_comes_with_a_chart_and_next_steps_that_work(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        result = await desk.ask(None, "cipher sol 1h", "ada")
        (chart,) = result.artifacts
        assert (chart["kind"], chart["symbol"], chart["timeframe"]) == ("chart", "SOL/USDT", "1h")
        assert chart["url"].startswith("/v1/chart?symbol=SOL%2FUSDT&timeframe=1h&as_of=")
        assert 1 <= len(result.next_steps) <= 3
        for step in result.next_steps:
            followed = await desk.ask(result.thread_id, step, "ada")
            assert followed.tool_calls, step


async def test_two_questions_in_one_message_are_answered_from_two_tools(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        result = await desk.ask(None, "cipher btc 1h and cipher eth 1h", "ada")

    assert [call["args"]["symbol"] for call in result.tool_calls] == ["BTC/USDT", "ETH/USDT"]
    assert {receipt["source"]["symbol"] for receipt in result.receipts} == {"BTC/USDT", "ETH/USDT"}
    assert len(result.artifacts) == 2


async def test_a_thread_remembers_symbol_and_timeframe(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        first = await desk.ask(None, "cipher eth 4h", "ada")
        second = await desk.ask(first.thread_id, "and the volume profile?", "ada")

    (call,) = second.tool_calls
    assert call["name"] == "analyze_volume_profile"
    assert (call["args"]["symbol"], call["args"]["timeframe"]) == ("ETH/USDT", "4h")


async def test_a_thread_survives_a_restart(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        first = await desk.ask(None, "cipher eth 4h", "ada")
    async with desk_on() as desk:
        second = await desk.ask(first.thread_id, "and the volume profile?", "ada")

    assert second.tool_calls[0]["args"]["symbol"] == "ETH/USDT"


async def test_evidence_ids_stay_unique_in_a_long_thread(desk_on: OpenDesk) -> None:
    sources = []
    async with desk_on() as desk:
        thread = None
        for text in ("price of btc", "price of eth", "my positions", "price of btc and price of sol"):
            result = await desk.ask(thread, text, "ada")
            thread = result.thread_id
            sources += [{receipt["source"]["evidence"] for receipt in result.receipts}]

    assert [len(ids) for ids in sources] == [1, 1, 1, 2]
    assert len(set().union(*sources)) == 5


async def test_events_tell_the_work_in_order_and_the_tokens_are_the_reply(desk_on: OpenDesk) -> None:
    events: list[tuple[str, dict[str, Any]]] = []
    async with desk_on() as desk:
        result = await desk.ask(
            None, "How does BTC look on the 4h?", "ada", on_event=lambda name, data: events.append((name, data))
        )

    names = [name for name, _ in events]
    assert names[:4] == ["step", "tool_call", "step", "artifact"]
    assert names.index("tool_result") < names.index("token")
    assert names[-1] == "message"
    assert "".join(data["text"] for name, data in events if name == "token") == result.reply
    assert events[-1][1] == result.to_json()
    assert json.loads(json.dumps(events, allow_nan=False)) is not None
    found = next(data for name, data in events if name == "tool_result")
    assert found["id"] == result.tool_calls[0]["id"]
    assert "{" not in found["brief"]


async def test_events_may_be_awaited(desk_on: OpenDesk) -> None:
    seen: list[str] = []

    async def watch(name: str, _: dict[str, Any]) -> None:
        seen.append(name)

    async with desk_on() as desk:
        await desk.ask(None, "price of btc", "ada", on_event=watch)

    assert seen[-1] == "message"


async def test_an_unknown_symbol_is_answered_with_the_nearest_and_fails_nothing(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        result = await desk.ask(None, "price of BTCC/USDT", "ada")

    assert result.status == "completed"
    assert "BTC/USDT" in result.reply


async def test_small_talk_needs_no_tool_and_no_receipt(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        result = await desk.ask(None, "hello", "ada")

    assert result.tool_calls == []
    assert result.receipts == []
    assert result.reply


async def test_an_empty_message_is_refused(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        with pytest.raises(InvalidRequest, match="empty"):
            await desk.ask(None, "   ", "ada")


async def test_a_thread_belongs_to_the_one_who_began_it(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        thread = (await desk.ask(None, "price of btc", "ada")).thread_id
        with pytest.raises(NotFound):
            await desk.ask(thread, "my positions", "bob")
        with pytest.raises(NotFound):
            await desk.delete_thread(thread, "bob")


async def test_a_deleted_thread_remembers_nothing(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        thread = (await desk.ask(None, "cipher eth 4h", "ada")).thread_id
        await desk.delete_thread(thread, "ada")
        result = await desk.ask(thread, "and the volume profile?", "ada")

    assert all(call["args"].get("symbol") != "ETH/USDT" for call in result.tool_calls)


async def test_each_owner_has_an_account_of_their_own(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        ticket = (await desk.ask(None, "buy 0.05 btc", "ada")).tickets[0]
        await desk.decide(ticket["id"], "approve", ticket["hash"], "ada", "ada")
        ada = await desk.ask(None, "my positions", "ada")
        bob = await desk.ask(None, "my positions", "bob")

    assert "BTC/USDT" in ada.reply
    assert "no open position" in bob.reply


async def test_questions_of_one_thread_asked_at_once_are_answered_one_after_the_other(desk_on: OpenDesk) -> None:
    import asyncio

    async with desk_on() as desk:
        thread = (await desk.ask(None, "price of btc", "ada")).thread_id
        replies = await asyncio.gather(*(desk.ask(thread, "price of eth", "ada") for _ in range(4)))

    ids = [reply.receipts[0]["source"]["evidence"] for reply in replies]
    assert len(set(ids)) == 4
