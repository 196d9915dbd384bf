"""Conversations that change an order which waits: one ticket, and never two orders."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime

import pytest

from agents.results import DecisionOutcome
from agents.runtime import Desk

pytestmark = pytest.mark.anyio

OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]


async def _approved(desk: Desk, message: str) -> DecisionOutcome:
    result = await desk.ask(None, message, "ada")
    (ticket,) = result.tickets
    return await desk.decide(ticket["id"], "approve", ticket["hash"], "ada", "ada")


def _open(desk: Desk) -> set[str]:
    return {order.client_order_id for order in desk.broker.open_orders()}


async def test_a_limit_is_changed_by_one_ticket_that_says_what_it_cancels(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        before = await _approved(desk, "buy 0.01 btc at 50k")
        assert before.order is not None
        result = await desk.ask(None, "change my btc limit to 51k", "ada")
        (shown,) = result.tickets
        assert _open(desk) == {before.order["id"]}
        outcome = await desk.decide(shown["id"], "approve", shown["hash"], "ada", "ada")
        left = _open(desk)

    assert (shown["replaces_order"], shown["differences"]) == (before.order["id"], [])
    assert f"in the place of buy 0.01 BTC/USDT, limit 50,000 ({before.order['id']})" in shown["text"]
    assert outcome.order is not None
    assert (outcome.order["status"], outcome.order["limit_price"]) == ("accepted", "51000")
    assert f"Order {before.order['id']}, whose place it takes, is cancelled." in outcome.reply
    assert left == {outcome.order["id"]}


async def test_a_stop_and_an_end_are_changed_and_the_rest_stays(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        before = await _approved(desk, "buy 0.01 btc at 50k, stop 45k")
        assert before.order is not None
        result = await desk.ask(None, "move the stop to 46k", "ada")
        (stop,) = result.tickets
        result = await desk.ask(None, "change my btc order to good till friday", "ada")
        (till,) = result.tickets

    assert (stop["stop_loss"], stop["limit_price"], stop["quantity"]) == ("46000", "50000", "0.01")
    assert (till["stop_loss"], till["good_till"]) == ("45000", datetime(2026, 3, 14, tzinfo=UTC).isoformat())
    assert stop.get("look_alikes", []) == []


async def test_which_of_two_orders_is_meant_is_asked(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        first = await _approved(desk, "buy 0.01 btc at 50k")
        await _approved(desk, "buy 0.02 btc at 49k")
        unclear = await desk.ask(None, "change my btc limit to 51k", "ada")
        assert first.order is not None
        named = await desk.ask(None, f"change order {first.order['id']} to 51k", "ada")

    assert unclear.tickets == []
    assert "Several orders wait in BTC/USDT" in unclear.reply
    assert [ticket["replaces_order"] for ticket in named.tickets] == [first.order["id"]]


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("change my btc limit to 51k", "No order waits in BTC/USDT that could be changed."),
        ("change order qtp-none1 to 51k", "There is no open order 'qtp-none1'."),
    ],
)
async def test_where_nothing_waits_nothing_is_prepared(desk_on: OpenDesk, message: str, told: str) -> None:
    async with desk_on() as desk:
        result = await desk.ask(None, message, "ada")

    assert result.tickets == []
    assert told in result.reply


async def test_a_change_to_what_it_is_already_is_refused(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        await _approved(desk, "buy 0.01 btc at 50k")
        result = await desk.ask(None, "change my btc limit to 50k", "ada")

    assert result.tickets == []
    assert "already" in result.reply
