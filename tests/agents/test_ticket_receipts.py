"""Every figure that is said about an order has a receipt, and the right one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from agents.runtime import Desk

pytestmark = pytest.mark.anyio

OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]


@pytest.mark.parametrize(
    "words",
    [
        "buy 0.05 btc, stop 2 atr, target 95000",
        "risk 0.1 % on btc, stop 2.5 atr",
        "buy 0.01 btc at 50k good till friday 18:00, stop 45k",
        "buy 0.01 btc at 50k good for 3 hours",
        "buy stop 90000, 0.01 btc, stop loss 80000",
        "buy 50 btc",
        "sell 0.5 btc",
        "risk 1 % on btc, stop 200 atr",
        "buy 0.01 btc good till next week",
    ],
)
async def test_no_figure_about_an_order_is_without_its_source(desk_on: OpenDesk, words: str) -> None:
    async with desk_on() as desk:
        result = await desk.ask(None, words, "ada")

    assert "*unsourced*" not in result.reply
    assert not [receipt for receipt in result.receipts if receipt["label"].endswith("(given)")]


async def test_no_figure_about_a_change_or_a_cancellation_is_without_its_source(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        for words in ("buy 0.01 btc at 50k, stop 45k", "buy 0.1 eth at 4500"):
            (ticket,) = (await desk.ask(None, words, "ada")).tickets
            await desk.decide(ticket["id"], "approve", ticket["hash"], "ada", "ada")
        asked = ["cancel all my orders", "change my eth limit to 4600", "my orders", "/review", "my portfolio"]
        told = [await desk.ask(None, words, "ada") for words in asked]

    assert [len(result.tickets) for result in told] == [1, 1, 0, 0, 0]
    assert not [result.reply for result in told if "*unsourced*" in result.reply]


async def test_after_a_cancellation_each_order_is_named_in_words_and_a_lost_stop_is_told(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        (ticket,) = (await desk.ask(None, "buy 0.05 btc, stop 50k, target 90k", "ada")).tickets
        await desk.decide(ticket["id"], "approve", ticket["hash"], "ada", "ada")
        (cancellation,) = (await desk.ask(None, "cancel all my orders", "ada")).tickets
        outcome = await desk.decide(cancellation["id"], "approve", cancellation["hash"], "ada", "ada")

    assert ", sell 0.05" in outcome.reply
    assert outcome.reply.count("What it guarded is held without a stop-loss now; none takes its place.") == 1
    assert "*unsourced*" not in outcome.reply


async def test_an_offer_says_that_it_keeps_the_stop(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        with_stop = await desk.ask(None, "buy 5 btc, stop 50k", "ada")
        without = await desk.ask(None, "buy 5 btc", "ada")

    assert "BTC, with the same stop-loss." in with_stop.reply
    assert "stop-loss" not in without.reply


async def test_a_stop_that_was_measured_tells_where_each_of_its_figures_comes_from(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        result = await desk.ask(None, "buy 0.05 btc, stop 2 atr", "ada")

    (ticket,) = result.tickets
    measured = [each["text"] for each in result.receipts if "how the stop-loss came to its price" in each["label"]]
    assert ticket["stop_note"].startswith(f"{measured[0]} ATR below the entry: ATR({measured[1]}) of the 1h is")
    assert f"is {measured[2]} USDT at the candle closed" in ticket["stop_note"]
    assert "{" not in ticket["text"]
