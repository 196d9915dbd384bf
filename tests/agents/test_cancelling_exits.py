"""Conversations that cancel one kind of exit of a position, and leave the other alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from agents.runtime import Desk

pytestmark = pytest.mark.anyio

OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]


async def _hold(desk: Desk) -> None:
    """A position with a stop-loss and a take-profit at work."""
    result = await desk.ask(None, "buy 0.01 btc, stop 60000, target 80000", "ada")
    (shown,) = result.tickets
    await desk.decide(shown["id"], "approve", shown["hash"], "ada", "ada")


@pytest.mark.parametrize(("words", "kind"), [("cancel my btc stop", "stop"), ("cancel my target", "limit")])
async def test_the_ticket_names_that_kind_of_exit_only(desk_on: OpenDesk, words: str, kind: str) -> None:
    async with desk_on() as desk:
        await _hold(desk)
        (shown,) = (await desk.ask(None, words, "ada")).tickets
        cancelled = [desk.services.order(each, "ada") for each in shown["cancels"]]

    assert [order.order_type for order in cancelled] == [kind]


async def test_what_is_held_without_its_stop_is_told(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        await _hold(desk)
        before = await desk.ask(None, "what is my open risk?", "ada")
        (shown,) = (await desk.ask(None, "cancel my btc stop", "ada")).tickets
        outcome = await desk.decide(shown["id"], "approve", shown["hash"], "ada", "ada")
        again = await desk.ask(None, "cancel my btc stop", "ada")
        after = await desk.ask(None, "what is my open risk?", "ada")

    assert "is held without a stop-loss now" in outcome.reply
    assert again.tickets == []
    assert "There is no open stop in BTC/USDT to cancel." in again.reply
    assert ("Stop at" in before.reply, "Open risk:" in before.reply) == (True, True)
    assert ("No stop is at work." in after.reply, "Held without a stop:" in after.reply) == (True, True)


async def test_a_ticket_carries_what_became_of_its_exits(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        await _hold(desk)
        (bought,) = desk.services.ledger.tickets("ada")
        before = desk.ticket_json(bought)["exits"]
        (shown,) = (await desk.ask(None, "cancel my btc stop", "ada")).tickets
        await desk.decide(shown["id"], "approve", shown["hash"], "ada", "ada")
        after = desk.ticket_json(bought)["exits"]

    assert {(each["order_type"], each["status"]) for each in before} == {("stop", "accepted"), ("limit", "accepted")}
    assert {(each["order_type"], each["status"]) for each in after} == {("stop", "cancelled"), ("limit", "accepted")}
