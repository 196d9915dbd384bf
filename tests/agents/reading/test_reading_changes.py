"""Changes of orders that wait, read out of their words, or asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agents.reading import ReadingContext, read
from agents.second_reader import asked_for_order, compare

CONTEXT = ReadingContext(symbols=("BTC/USDT", "ETH/USDT"), quote_currency="USDT")
WAITING = replace(CONTEXT, open_entries=(("BTC/USDT", "qtp-one1"),))


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("change my BTC limit to 61k", {"symbol": "BTC/USDT", "price": 61_000}),
        ("move my btc order to 61k", {"symbol": "BTC/USDT", "price": 61_000}),
        ("please raise my eth bid to 3,100", {"symbol": "ETH/USDT", "price": 3_100}),
        ("can you change order qtp-77ab01 to 61k?", {"order_id": "qtp-77ab01", "price": 61_000}),
        ("change my btc stop order to 58k", {"symbol": "BTC/USDT", "price": 58_000}),
        ("move the stop of my btc order to 58k", {"symbol": "BTC/USDT", "stop_loss": 58_000}),
        ("lower the take profit of my btc order to 70k", {"symbol": "BTC/USDT", "take_profit": 70_000}),
        ("change my btc order to 0.2 btc", {"symbol": "BTC/USDT", "quantity": 0.2}),
        (
            "change my btc limit to 61k and the stop to 58k",
            {"symbol": "BTC/USDT", "price": 61_000, "stop_loss": 58_000},
        ),
        (
            "amend my limit on eth to 3000 good till friday",
            {"symbol": "ETH/USDT", "price": 3_000, "good_till": "friday"},
        ),
        ("change my btc order to fill or kill", {"symbol": "BTC/USDT", "time_in_force": "FOK"}),
    ],
)
def test_a_change_names_an_order_and_what_becomes_of_it(text: str, args: dict[str, Any]) -> None:
    reading = read(text, CONTEXT)

    assert reading.question is None
    assert [(request.tool, request.args) for request in reading.requests] == [("propose_replace", args)]
    assert asked_for_order(text, CONTEXT)
    assert compare(text, "propose_replace", args, CONTEXT) == ()


@pytest.mark.parametrize(
    "text",
    [
        "change my limit to 61k",
        "raise my btc limit by 500",
        "move my btc limit to 1%",
        "change my btc limit from 60k to 61k",
        "change my btc limit to 61k or 62k",
        "change my btc limit to 0.2 btc",
    ],
)
def test_a_change_that_is_not_certain_is_asked_about(text: str) -> None:
    reading = read(text, CONTEXT)

    assert reading.question is not None
    assert not any(request.tool.startswith("propose") for request in reading.requests)


@pytest.mark.parametrize(
    "text",
    [
        "should i move my btc limit to 61k?",
        "don't change my btc limit to 61k",
        "change my btc and eth limit to 61k",
        "move my btc limit to half",
    ],
)
def test_a_change_that_nobody_asks_for_is_not_prepared(text: str) -> None:
    assert not any(request.tool == "propose_replace" for request in read(text, CONTEXT).requests)


def test_a_stop_is_moved_on_the_entry_that_waits_and_else_the_holding_is_spoken_of() -> None:
    (request,) = read("move the stop to 58k", WAITING).requests
    assert (request.tool, request.args) == ("propose_replace", {"symbol": "BTC/USDT", "stop_loss": 58_000})

    holding = replace(WAITING, holdings=(("BTC/USDT", "0.5"),))
    for context in (CONTEXT, holding):
        reading = read("move the stop to 58k", context)
        assert reading.requests == ()
        assert "order of its own" in str(reading.question) or "sale of its own" in str(reading.question)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"symbol": "BTC/USDT", "price": 62_000},
            "You wrote to change price 61,000, symbol BTC/USDT; the ticket has price 62,000, symbol BTC/USDT.",
        ),
        (
            {"symbol": "BTC/USDT", "price": 61_000, "stop_loss": 58_000},
            "You wrote to change price 61,000, symbol BTC/USDT; "
            "the ticket has price 61,000, stop loss 58,000, symbol BTC/USDT.",
        ),
    ],
)
def test_another_change_than_was_written_is_a_difference(given: dict[str, Any], sentence: str) -> None:
    assert compare("change my btc limit to 61k", "propose_replace", given, CONTEXT) == (sentence,)
    assert compare("buy 0.1 btc", "propose_replace", given, CONTEXT) == (
        "The second reader could not read what to change in your words.",
    )
