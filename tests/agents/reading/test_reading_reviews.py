"""Words that look back on decisions, and words that only look like it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agents.reading import ReadingContext, read


@pytest.fixture(scope="module")
def desk(context: ReadingContext) -> ReadingContext:
    return replace(context, tools=context.tools | {"review_decisions", "explain_decision"})


@pytest.mark.parametrize(
    "text",
    [
        "/review",
        "review",
        "review my decisions",
        "show me my review",
        "what did my rejections cost me?",
        "what have my decisions saved",
        "roads not taken",
        "orders not taken?",
        "missed profits?",
        "how often was the confluence score right?",
        "how reliable is the score",
    ],
)
def test_looking_back_is_the_review(desk: ReadingContext, text: str) -> None:
    reading = read(text, desk)
    assert [(request.tool, request.args) for request in reading.requests] == [("review_decisions", {})]
    assert reading.question is None


@pytest.mark.parametrize("text", ["/review BTC", "review my trades on btc", "what did my decisions on btc cost?"])
def test_a_market_that_is_named_limits_the_review_to_it(desk: ReadingContext, text: str) -> None:
    [request] = read(text, desk).requests
    assert (request.tool, request.args) == ("review_decisions", {"symbol": "BTC/USDT"})


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("why was my order rejected", "explain_decision"),
        ("my orders", "list_orders"),
        ("how am i doing", "get_portfolio"),
        ("what is the value area of btc", "analyze_volume_profile"),
    ],
)
def test_neighbouring_questions_stay_what_they_were(desk: ReadingContext, text: str, tool: str) -> None:
    assert [request.tool for request in read(text, desk).requests] == [tool]


def test_an_order_beside_the_review_stays_an_order(desk: ReadingContext) -> None:
    tools = [request.tool for request in read("buy 0.1 btc and review my decisions", desk).requests]
    assert tools == ["propose_order", "review_decisions"]


def test_a_desk_without_the_tool_says_what_works_instead(context: ReadingContext) -> None:
    reading = read("/review", context)
    assert reading.requests == ()
    assert "cannot look back" in reading.reply
