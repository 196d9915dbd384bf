"""Questions that name one thing, words that belong to no desk, and stops for what is held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from agents.reading import Reading, ReadingContext, read

Reader = Callable[..., Reading]


@pytest.mark.parametrize(
    "text",
    [
        "is it going to rain tomorrow",
        "what is the capital of France",
        "delete my account",
        "'; DROP TABLE orders; --",
        "how much is a pizza",
        "how is the weather going today",
    ],
)
def test_words_of_the_desk_in_a_sentence_not_for_it_run_no_tool(context: ReadingContext, text: str) -> None:
    for last in (None, "DOGE/USDT"):
        thread = replace(context, last_symbol=last, last_timeframe="1h" if last else None)
        assert (read(text, thread).requests, read(text, thread).small_talk) == ((), "off_topic")


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("how does FOO look", "analyze_cipher"),
        ("price of foocoi", "get_quote"),
        ("show me teh open orders", "list_orders"),
        ("how much is my ETH worth", "get_portfolio"),
        ("show my fills", "list_orders"),
        ("what did I just buy?", "list_orders"),
        ("did my stop trigger?", "list_orders"),
    ],
)
def test_the_tool_is_the_one_that_knows(say: Reader, text: str, tool: str) -> None:
    (request,) = say(text).requests
    assert request.tool == tool
    if tool == "list_orders":
        assert request.args["status"] == ("open" if "open" in text else "all")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("set a stop loss at 75000 for my BTC", "`sell stop 75,000, 0.05 BTC`"),
        ("move my stop to 70k", "`sell stop 70,000, 0.05 BTC`"),
        ("take profit at 90000 on my btc", "`sell 0.05 BTC at 90,000`"),
    ],
)
def test_a_stop_for_what_is_held_is_answered_with_an_order_that_can_be_sent(
    context: ReadingContext, text: str, written: str
) -> None:
    question = read(text, replace(context, holdings=(("BTC/USDT", "0.05"),))).question or ""
    assert written in question
    (request,) = read(written.strip("`"), context).requests
    assert (request.args["side"], request.args["quantity"]) == ("sell", 0.05)
    assert ("cancel my BTC stop" in question) == text.startswith("move")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("buy 0.05 BTC with stop 2% below and target 4% above", "stops and targets are prices here, not percent"),
        ("buy $2k of ETH with a 5% stop", "stops and targets are prices here, not percent"),
        ("buy 0.05 btc with a trailing stop", "There is no trailing stop here"),
        ("buy btc, use 1% risk", "Where is the stop?"),
        ("buy btc, risk 1%", "Where is the stop?"),
    ],
)
def test_a_stop_that_is_no_price_is_asked_for_as_one(say: Reader, text: str, said: str) -> None:
    reading = say(text)
    assert reading.requests == ()
    assert said in (reading.question or "")


def test_the_same_order_written_twice_is_prepared_once_and_said(say: Reader) -> None:
    reading = say("buy 0.01 BTC; buy 0.01 BTC")
    assert len(reading.requests) == 1
    assert "written twice" in reading.reply


@pytest.mark.parametrize(
    ("text", "lead"),
    [
        ("price of BTC 3 days ago", "I can only quote the current price"),
        ("what was my pnl today", "Profit is kept since the account was opened"),
        ("wie sieht bitcoin auf dem 4h aus?", "English only"),
        ("price of btc", ""),
        ("what is my pnl", ""),
    ],
)
def test_what_cannot_be_told_is_said_first(say: Reader, text: str, lead: str) -> None:
    reading = say(text)
    assert len(reading.requests) == 1
    assert reading.lead.startswith(lead) or lead in reading.lead
    assert bool(reading.lead) == bool(lead)


@pytest.mark.parametrize("text", ["which coins can I trade?", "list markets", "what symbols are there"])
def test_the_markets_are_listed(say: Reader, text: str) -> None:
    reading = say(text)
    assert reading.requests == ()
    assert "`ADA/USDT, " in reading.reply


def test_the_largest_order_is_told(context: ReadingContext) -> None:
    reading = read("what are my limits", replace(context, limit="10,000 USDT"))
    assert "`10,000 USDT`" in reading.reply
    assert "`quantum-trader doctor`" in reading.reply
