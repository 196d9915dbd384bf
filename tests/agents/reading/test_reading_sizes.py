"""Orders sized by what they may lose, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from agents.reading import Reading, ReadingContext, read
from agents.second_reader import compare

CONTEXT = ReadingContext(symbols=("BTC/USDT", "ETH/USDT", "SOL/USDT"), last_symbol="BTC/USDT")


def order_of(reading: Reading) -> dict[str, Any]:
    (request,) = reading.requests
    assert request.tool == "propose_order"
    return request.args


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("risk 1% on btc with stop 58000", {"quantity": 1, "unit": "risk", "stop_loss": 58000}),
        ("buy btc, risk 1 %, stop 58k", {"quantity": 1, "unit": "risk", "stop_loss": 58000}),
        ("risk 1% of my account on eth, stop at 2 atr", {"symbol": "ETH/USDT", "unit": "risk", "stop_atr": 2}),
        ("risk 500 usdt on btc stop 58k", {"quantity": 500, "unit": "risk_quote", "stop_loss": 58000}),
        ("buy eth with 500 usdt at risk and a 2 atr stop", {"quantity": 500, "unit": "risk_quote", "stop_atr": 2}),
        ("long sol 0.5% risk, sl 120, tp 180", {"quantity": 0.5, "stop_loss": 120, "take_profit": 180}),
        ("buy btc at 60000 risk 1% stop 58000", {"order_type": "limit", "limit_price": 60000, "stop_loss": 58000}),
        ("buy 0.1 btc stop at 1.5x atr", {"quantity": 0.1, "unit": "base", "stop_atr": 1.5}),
        ("buy 0.1 btc stop 2atr", {"quantity": 0.1, "unit": "base", "stop_atr": 2}),
    ],
)
def test_a_risk_and_a_distance_are_read_as_said(text: str, expected: dict[str, Any]) -> None:
    reading = read(text, CONTEXT)
    given = order_of(reading)
    assert given["side"] == "buy"
    assert {name: given[name] for name in expected} == expected
    assert compare(text, "propose_order", given, CONTEXT) == ()


@pytest.mark.parametrize("answer", ["58000", "stop 58,000", "2 atr", "at 2 atr"])
def test_a_risk_on_this_asks_for_the_stop_and_takes_a_price_or_a_distance(answer: str) -> None:
    asked = read("risk 1 % on this", CONTEXT)
    assert asked.requests == ()
    assert "Where is the stop?" in (asked.question or "")
    given = order_of(read(answer, replace(CONTEXT, pending_order=asked.pending_order)))
    assert (given["symbol"], given["quantity"], given["unit"]) == ("BTC/USDT", 1, "risk")
    assert given.get("stop_loss") == 58000 or given.get("stop_atr") == 2


@pytest.mark.parametrize(
    "text",
    [
        "what is the risk of buying btc?",
        "should i risk 1% on btc?",
        "don't risk 1% on btc, stop 58000",
        "is btc risky",
        "my risk is 1%",
        "risk 150% on btc stop 50000",
        "sell btc risk 1% stop 70000",
        "buy 1 btc at 60000 risk 1% stop 58000",
        "buy btc risk 1% stop 58000 stop 2 atr",
    ],
)
def test_talk_of_risk_and_contradictions_order_nothing(text: str) -> None:
    assert not [request for request in read(text, CONTEXT).requests if request.tool == "propose_order"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"unit": "percent"}, "1 % of the account at risk; the ticket says 1 % of the account."),
        ({"quantity": 2}, "1 % of the account at risk; the ticket says 2 % of the account at risk."),
        ({"stop_atr": 3}, "a stop distance in ATR of 2; the ticket says 3."),
        ({"stop_atr": None, "stop_loss": 58000}, "a stop distance in ATR of 2; the ticket says none."),
    ],
)
def test_a_model_that_changes_size_or_distance_is_told_on(changed: dict[str, Any], told: str) -> None:
    text = "risk 1% on btc, stop 2 atr"
    given = order_of(read(text, CONTEXT)) | changed
    assert any(told in difference for difference in compare(text, "propose_order", given, CONTEXT))


def test_a_target_in_atr_is_asked_for_as_a_price(say: Callable[[str], Reading]) -> None:
    for words in ("buy 0.05 btc, stop 2 atr, target 4 atr", "buy 0.05 btc at 58k, stop 1 atr, take profit 3 atr"):
        reading = say(words)
        assert reading.requests == ()
        assert "a target is a price" in (reading.question or "")
