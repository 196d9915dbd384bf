"""A ticket quotes every message its order was read from, and no reader differs over what it knows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from agents.runtime import Desk

OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _quoted(desk: Desk, *messages: str) -> list[str]:
    thread, words = None, []
    for message in messages:
        result = await desk.ask(thread, message, "ada", on_event=lambda *_: None)
        thread, words = result.thread_id, [ticket["user_words"] for ticket in result.tickets]
    return words


async def test_a_ticket_quotes_every_message_that_its_order_was_read_from(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        assert await _quoted(desk, "buy btc", "0.02") == ["buy btc … 0.02"]
        assert await _quoted(desk, "limit buy", "btc", "0.02", "50,000") == ["limit buy … btc … 0.02 … 50,000"]
        assert await _quoted(desk, "buy btc", "price?", "0.5 eth", "0.02") == ["buy btc … 0.02"]
        assert await _quoted(desk, "buy btc", "buy 0.02 btc") == ["buy 0.02 btc"]


async def test_a_message_with_its_own_verb_and_market_takes_nothing_of_an_older_order(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        assert await _quoted(desk, "buy btc", "compra 0.01 BTC", "buy btc") == []
        assert await _quoted(desk, "0.01 btc", "buy") == ["0.01 btc … buy"]


@pytest.mark.parametrize("words", ["sell everything", "close all positions", "panic! sell all"])
async def test_both_readers_agree_when_everything_is_closed(desk_on: OpenDesk, words: str) -> None:
    async with desk_on() as desk:
        bought = await desk.ask(None, "buy 0.02 btc and buy 1 eth", "ada", on_event=lambda *_: None)
        for ticket in bought.tickets:
            await desk.decide(ticket["id"], "approve", ticket["hash"], "ada", "ada")
        closing = await desk.ask(bought.thread_id, words, "ada", on_event=lambda *_: None)

        assert {ticket["symbol"] for ticket in closing.tickets} == {"BTC/USDT", "ETH/USDT"}
        assert [ticket["differences"] for ticket in closing.tickets] == [[], []]
