from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from agents.claims import without_claims
from agents.history import visible_history
from agents.nodes.dispatch import completed_call, sort_calls, unified_symbol

SYMBOLS = ("BTC/USDT", "ETH/USDT", "ETH/BTC", "XRP/EUR")


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("BTC/USDT", "BTC/USDT"),
        ("btc", "BTC/USDT"),
        ("eth-usdt", "ETH/USDT"),
        ("ETHBTC", "ETH/BTC"),
        ("xrp", "XRP/EUR"),
        ("doge", "DOGE/USDT"),
        ("btc/eur", "BTC/EUR"),
        (" Btc_Usdt ", "BTC/USDT"),
    ],
)
def test_a_symbol_is_written_as_the_market_writes_it(text: str, symbol: str) -> None:
    assert unified_symbol(text, SYMBOLS, "USDT") == symbol


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "4h"),
        ({"timeframe": None}, "4h"),
        ({"timeframe": "null"}, "4h"),
        ({"timeframe": "1D"}, "1d"),
        ({"timeframe": "1M"}, "1M"),
        ({"timeframe": "x"}, "x"),
        ({"timeframe": "1h", "lookback": "None"}, "1h"),
    ],
)
def test_a_missing_timeframe_is_the_threads_last_one(given: dict[str, str], expected: str) -> None:
    call = {"id": "1", "name": "analyze_cipher", "args": {"symbol": "btc", **given}}
    done = completed_call(call, symbols=SYMBOLS, quote="USDT", timeframe="4h")

    assert done["args"] == {"symbol": "BTC/USDT", "timeframe": expected}


def test_an_orders_arguments_are_left_as_they_were_written() -> None:
    call = {"id": "1", "name": "propose_order", "args": {"symbol": "btc", "stop_loss": "null"}}
    done = completed_call(call, symbols=SYMBOLS, quote="USDT", timeframe=None)

    assert done["args"] == {"symbol": "BTC/USDT", "stop_loss": "null"}


def test_an_order_is_proposed_once_in_a_turn_and_may_be_again_in_the_next() -> None:
    call = {"name": "propose_close", "args": {"symbol": "BTC/USDT"}, "id": "1"}
    message = AIMessage("", tool_calls=[call])
    known = {"propose_close": "order_desk"}

    assert sort_calls(message, known, earlier=[HumanMessage("close it")]).refusals == ()
    (refusal,) = sort_calls(message, known, earlier=[HumanMessage("close it"), message]).refusals
    assert "already proposed" in refusal.text


def test_the_same_order_with_its_numbers_written_differently_is_proposed_once() -> None:
    written: tuple[dict[str, Any], ...] = (
        {"quantity": "0.1"},
        {"quantity": 0.1},
        {"quantity": "0.10", "unit": "base"},
        {"quantity": "0.2"},
    )
    calls = [
        {"id": str(number), "name": "propose_order", "args": {"symbol": "BTC/USDT", "side": "buy", **args}}
        for number, args in enumerate(written)
    ]
    dispatch = sort_calls(AIMessage("", tool_calls=calls), {"propose_order"}, earlier=[HumanMessage("buy 0.1 btc")])
    assert [call["args"]["quantity"] for call in dispatch.calls] == ["0.1", "0.2"]
    assert [refusal.tool_call_id for refusal in dispatch.refusals] == ["1", "2"]


def test_a_model_sees_whole_turns_and_always_the_current_one() -> None:
    messages: list[AnyMessage] = []
    for turn in range(10):
        messages += [HumanMessage(f"question {turn} " + "x" * 400), AIMessage(f"answer {turn}")]
    messages.append(HumanMessage("now " + "y" * 8000))

    seen = visible_history(messages, 500)
    assert [message.text[:3] for message in seen] == ["now"]
    seen = visible_history(messages, 2600)
    assert seen[0].type == "human"
    assert 1 < len(seen) < len(messages)


def test_a_call_that_a_crash_left_unanswered_gets_an_answer() -> None:
    call = {"name": "get_quote", "args": {}, "id": "c1"}
    messages: list[AnyMessage] = [HumanMessage("a"), AIMessage("", tool_calls=[call]), HumanMessage("b")]

    seen = visible_history(messages, 5000)

    assert [message.type for message in seen] == ["human", "ai", "tool", "human"]
    assert isinstance(seen[2], ToolMessage)
    assert seen[2].tool_call_id == "c1"


@pytest.mark.parametrize(
    "sentence",
    [
        "Your order has been placed.",
        "I have bought 0.1 BTC at 64,120.5.",
        "T-7 was executed.",
        "Order submitted.",
        "We've closed it.",
    ],
)
def test_a_claim_of_execution_is_taken_out_whole(sentence: str) -> None:
    cleaned = without_claims(f"Here. {sentence} Ask on.", [])

    assert sentence not in cleaned
    assert cleaned.startswith("Here. Ask on.")
    assert "needs your approval" in cleaned


@pytest.mark.parametrize(
    "sentence",
    [
        "No order was placed.",
        "A limit order fills at its price or better.",
        "It will be sent once you approve it.",
        "The 4h candle closed at 64,120.",
        "Orders are approved on the ticket itself.",
    ],
)
def test_what_claims_nothing_stays(sentence: str) -> None:
    assert without_claims(sentence, []) == sentence
