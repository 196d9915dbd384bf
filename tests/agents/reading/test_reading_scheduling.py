"""An order that the words put off is not prepared for now: the desk says what it can do instead."""

from __future__ import annotations

import pytest

from agents.reading import ReadingContext, read
from agents.reading.types import ORDER_TOOLS
from agents.second_reader import compare

CONTEXT = ReadingContext(symbols=("BTC/USDT", "ETH/USDT"), quote_currency="USDT", positions=("BTC/USDT",))
MARKET = {"symbol": "BTC/USDT", "side": "buy", "quantity": 0.1, "unit": "base", "order_type": "market"}
PUT_OFF = [
    "wait until friday then buy 0.1 btc",
    "wait until friday and buy 0.1 btc",
    "Wait until Friday. Then buy 0.1 BTC.",
    "buy 0.1 btc. wait until friday.",
    "please wait for friday, then buy 0.1 btc",
    "wait 2 hours, then buy 0.1 btc",
    "wait a day then buy 0.1 btc",
    "wait for the 4h close then buy 0.1 btc",
    "tomorrow buy 0.1 btc",
    "tomorrow, buy 0.1 btc",
    "On Friday. Buy 0.1 btc.",
    "tmrw buy 0.1 btc",
    "buy 0.1 btc on friday",
    "buy 0.1 btc fri",
    "buy 0.1 btc, on friday",
    "on monday, buy 0.1 btc",
    "next week buy 0.1 btc",
    "next week, buy 0.1 btc",
    "in an hour buy 0.1 btc",
    "in 2 hours, buy 0.1 btc",
    "buy 0.1 btc in the morning",
    "buy 0.1 btc this afternoon",
    "buy 0.1 btc at 18:00",
    "at 6pm, buy 0.1 btc",
    "buy 0.1 btc a week from now",
    "buy 0.1 btc on mondays",
    "buy 0.1 btc overnight",
]
CONDITIONS = [
    "when it hits 60k on monday buy 0.1 btc",
    "when it hits 60k on monday, buy 0.1 btc",
    "when btc hits 60k buy 0.1 btc",
    "when btc hits 60k, buy 0.1 btc",
    "if btc drops to 58k, buy 0.1 btc",
    "if it drops to 58k then buy 0.1 btc",
    "once it breaks 65k, buy 0.1 btc",
    "as soon as the fed is done, buy 0.1 btc",
    "after the fed on wednesday, buy 0.1 btc",
]


@pytest.mark.parametrize("message", PUT_OFF)
def test_an_order_for_a_later_time_is_not_prepared_now_and_what_can_rest_is_named(message: str) -> None:
    reading = read(message, CONTEXT)
    assert not any(request.tool in ORDER_TOOLS for request in reading.requests)
    assert reading.question is not None
    assert "prepared at once, not scheduled" in reading.question
    assert "limit order" in reading.question
    assert "good till friday" in reading.question
    assert reading.asks_for_order
    assert reading.pending_order is None


@pytest.mark.parametrize("message", CONDITIONS)
def test_an_order_for_when_something_happens_is_not_prepared_now(message: str) -> None:
    reading = read(message, CONTEXT)
    assert not any(request.tool in ORDER_TOOLS for request in reading.requests)
    assert reading.question is not None
    assert "limit order" in reading.question
    assert "stop order" in reading.question


@pytest.mark.parametrize("message", PUT_OFF)
def test_the_second_reader_marks_a_market_order_for_words_about_a_later_time(message: str) -> None:
    assert "You wrote of a later time; the ticket is carried out from its approval on." in compare(
        message, "propose_order", MARKET, CONTEXT
    )


@pytest.mark.parametrize("message", CONDITIONS)
def test_the_second_reader_marks_a_market_order_for_words_about_a_condition(message: str) -> None:
    assert compare(message, "propose_order", MARKET, CONTEXT) != ()


@pytest.mark.parametrize(
    "message", ["wait until friday then close my btc", "close my btc next week", "tomorrow, sell half my btc"]
)
def test_a_close_for_later_is_not_prepared_and_is_marked(message: str) -> None:
    assert not any(request.tool in ORDER_TOOLS for request in read(message, CONTEXT).requests)
    fraction = 0.5 if "half" in message else 1
    assert compare(message, "propose_close", {"symbol": "BTC/USDT", "fraction": fraction}, CONTEXT) != ()


@pytest.mark.parametrize("message", ["cancel my btc orders tomorrow", "wait until friday then cancel my btc orders"])
def test_a_cancellation_for_later_is_not_prepared_and_is_marked(message: str) -> None:
    reading = read(message, CONTEXT)
    assert reading.requests == ()
    assert reading.question is not None
    assert "at once, not scheduled" in reading.question
    assert compare(message, "propose_cancel", {"symbol": "BTC/USDT"}, CONTEXT) != ()


def test_an_answer_that_puts_the_order_off_does_not_complete_it() -> None:
    asked = read("buy btc", CONTEXT)
    context = ReadingContext(symbols=CONTEXT.symbols, pending_order=asked.pending_order)
    for answer in ("0.1 next week", "0.1 on friday", "0.1, in the morning"):
        reading = read(answer, context)
        assert reading.requests == ()
        assert reading.question is not None
    assert [request.tool for request in read("0.1", context).requests] == ["propose_order"]


@pytest.mark.parametrize(
    "message",
    [
        "buy 0.1 btc",
        "buy 0.1 btc now",
        "buy 0.1 btc today",
        "wait, buy 0.1 btc",
        "it dropped on friday, buy 0.1 btc",
        "how did btc do on friday? buy 0.1 btc",
        "i was waiting until friday but buy 0.1 btc now",
        "if possible, buy 0.1 btc",
        "show me the btc cipher 4h, buy 0.1 btc",
        "btc poc on monday; buy 0.1 btc",
        "btc outlook next week; buy 0.1 btc",
        "btc outlook next week, buy 0.1 btc",
    ],
)
def test_words_about_another_time_that_put_nothing_off_leave_the_order_as_it_is(message: str) -> None:
    orders = [request.args for request in read(message, CONTEXT).requests if request.tool in ORDER_TOOLS]
    assert orders == [MARKET]
    assert compare(message, "propose_order", MARKET, CONTEXT) == ()


@pytest.mark.parametrize(
    "message",
    [
        "buy 0.1 btc at 58k good till friday",
        "buy 0.1 btc at 58k until tomorrow at 6pm",
        "buy 0.1 btc at 58k. Good till Friday.",
        "buy 0.1 btc at 58k for today only",
        "buy 0.1 btc at 58k until the end of the day",
    ],
)
def test_how_long_an_order_is_good_puts_nothing_off(message: str) -> None:
    (request,) = read(message, CONTEXT).requests
    assert (request.tool, request.args["limit_price"]) == ("propose_order", 58_000)


@pytest.mark.parametrize("message", ["when did btc last cross 60k", "when does btc usually hit a top?"])
def test_a_question_of_when_stays_a_question(message: str) -> None:
    assert not any(request.tool in ORDER_TOOLS for request in read(message, CONTEXT).requests)
    assert not read(message, CONTEXT).asks_for_order
