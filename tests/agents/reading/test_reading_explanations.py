"""Questions that ask why: what they name, when, and that none of them is ever an order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.reading import ReadingContext, read
from agents.reading.thread import after_turn
from tools.subjects import read_subject

SYMBOLS = ("BTC/USDT", "DOT/USDT", "ETH/USDT", "SOL/USDT")
FRESH = ReadingContext(symbols=SYMBOLS)
TALKING = replace(FRESH, last_symbol="BTC/USDT", last_timeframe="4h", last_tool="analyze_cipher")
Talk = Callable[..., list[dict[str, str]]]


def calls(text: str, context: ReadingContext = TALKING) -> list[dict[str, str]]:
    reading = read(text, context)
    assert not reading.asks_for_order
    assert reading.question is None
    assert {request.tool for request in reading.requests} <= {"explain_decision"}
    return [request.args for request in reading.requests]


@pytest.mark.parametrize(
    ("text", "event", "symbol", "timeframe", "at"),
    [
        ("why no green dot on BTC 4h at 14:00?", "green_dot", "BTC/USDT", "4h", "14:00"),
        ("why was there a red dot on eth 1h at 08:00", "red_dot", "ETH/USDT", "1h", "08:00"),
        ("why did the gold dot not fire yesterday at noon", "gold_dot", "BTC/USDT", "4h", "yesterday noon"),
        ("How come ETH on the hourly had no buy dot at 8am?", "green_dot", "ETH/USDT", "1h", "8am"),
        ("sol 15m, why no sell dot at 14h", "red_dot", "SOL/USDT", "15m", "14:00"),
        ("why no sell dot on the 16:00 candle of btc 4h", "red_dot", "BTC/USDT", "4h", "16:00"),
        ("why didn't btc print a green dot on 9 march at 14:00 utc", "green_dot", "BTC/USDT", "4h", "9 mar 14:00 utc"),
        ("why no green dot 2026-03-09 14:00 on btc 1h", "green_dot", "BTC/USDT", "1h", "2026-03-09 14:00"),
        ("why no green dot on eth 1h last monday", "green_dot", "ETH/USDT", "1h", "last monday"),
        ("why no green dot on eth 15m 2 hours ago", "green_dot", "ETH/USDT", "15m", "2h ago"),
        ("why was there no dot three candles ago", "green_dot", "BTC/USDT", "4h", "3 candles ago"),
        ("why was there no dot a candle ago", "green_dot", "BTC/USDT", "4h", "1 candle ago"),
        ("why no green dot at 14:00 CET", "green_dot", "BTC/USDT", "4h", "14:00 cet"),
        ("why no green dot at 2pm PST on btc 4h", "green_dot", "BTC/USDT", "4h", "2pm pst"),
        ("explain the red dot on eth 1h", "red_dot", "ETH/USDT", "1h", None),
        ("explain the green dot", "green_dot", "BTC/USDT", "4h", None),
        ("what would it have taken for a gold dot on sol 1h", "gold_dot", "SOL/USDT", "1h", None),
        ("what's the reason for no bearish divergence on btc 1h", "wt_bear_div", "BTC/USDT", "1h", None),
        ("no buy dot at 12:00 on eth 4h. why?", "green_dot", "ETH/USDT", "4h", "12:00"),
        ("any blood diamond on eth 4h?", "blood_diamond", "ETH/USDT", "4h", None),
    ],
)
def test_mark_market_timeframe_and_time_are_read(
    text: str, event: str, symbol: str, timeframe: str, at: str | None
) -> None:
    (args,) = calls(text)
    assert event in read_subject(args["subject"]).events
    assert (args["symbol"], args["timeframe"], args.get("at")) == (symbol, timeframe, at)


@pytest.mark.parametrize(
    "text",
    [
        "why no buy dot",
        "why no buy dot on btc 0.1",
        "why no buy dot and no sell dot on 0.5 eth",
        "please tell me why there's no buy signal on btc 4h",
        "tell me why no buy dot 0.1 btc",
        "why did the buy dot at 12:00 not fire on btc",
        "buy dot missing on btc, why?",
        "why was my buy order for 0.1 btc rejected?",
        "why is my sell order for 2 eth still open",
        "why did T-3 not buy 0.1 btc",
        "explain why there was no buy, sell or gold dot on btc 4h",
        "can you explain why no buy dot fired on sol 15m at 9am please",
    ],
)
def test_a_question_about_a_missing_dot_is_never_an_order(text: str) -> None:
    for context in (FRESH, TALKING):
        reading = read(text, context)
        assert not reading.orders
        assert not reading.asks_for_order
        assert not [request for request in reading.requests if request.tool.startswith("propose_")]


@given(
    st.sampled_from(["why no", "why was there no", "how come no", "explain why no", "why did we not get a"]),
    st.sampled_from(["buy dot", "sell dot", "buy signal", "buy or sell dot", "long circle"]),
    st.sampled_from(["", " on btc", " for 0.1 btc", " on eth 4h", " 2 sol"]),
    st.sampled_from(["", " at 14:00", " at 60k", " yesterday", ", stop 58k", " with 500 usdt", " now"]),
    st.sampled_from(["", "?", " please"]),
)
def test_no_wording_of_it_makes_an_order(why: str, mark: str, market: str, more: str, end: str) -> None:
    reading = read(f"{why} {mark}{market}{more}{end}", TALKING)
    assert not reading.orders
    assert not [request for request in reading.requests if request.tool.startswith("propose_")]


def test_an_order_after_the_question_is_still_an_order() -> None:
    reading = read("why no buy dot on btc? buy 0.1 btc", TALKING)
    assert [request.tool for request in reading.requests] == ["explain_decision", "propose_order"]


def test_a_thread_goes_on_with_what_was_explained() -> None:
    context, seen = FRESH, []
    for text in (
        "why no green dot on BTC 4h at 14:00?",
        "what would have flipped it?",
        "and the red dot?",
        "what about 16:00",
        "and on eth?",
        "on the 1h",
        "why not?",
    ):
        reading = read(text, context)
        (request,) = reading.requests
        args = request.args
        subject = read_subject(args["subject"])
        seen.append((subject.events[0], subject.flips, args["symbol"], args["timeframe"], args["at"]))
        context = after_turn(context, reading)
    assert seen == [
        ("green_dot", False, "BTC/USDT", "4h", "14:00"),
        ("green_dot", True, "BTC/USDT", "4h", "14:00"),
        ("red_dot", False, "BTC/USDT", "4h", "14:00"),
        ("red_dot", False, "BTC/USDT", "4h", "16:00"),
        ("red_dot", False, "ETH/USDT", "4h", "16:00"),
        ("red_dot", False, "ETH/USDT", "1h", "16:00"),
        ("red_dot", False, "ETH/USDT", "1h", "16:00"),
    ]


def test_several_marks_markets_or_timeframes_are_several_explanations() -> None:
    both = calls("why did the green and the gold dot not fire on btc 1h at 10:00")
    assert [read_subject(args["subject"]).events for args in both] == [("green_dot",), ("gold_dot",)]
    spans = calls("why no green dot on btc 1h and 4h")
    assert [args["timeframe"] for args in spans] == ["1h", "4h"]
    markets = calls("why no red dot on btc and eth 4h at noon")
    assert [args["symbol"] for args in markets] == ["BTC/USDT", "ETH/USDT"]
    assert {args["at"] for args in markets} == {"noon"}


def test_with_nothing_explained_before_it_is_asked_what_is_meant() -> None:
    assert "Which signal" in str(read("what would have flipped it?", FRESH).question)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("why was my order denied?", "order"),
        ("why is T-3 at that size", "ticket"),
        ("why did my stop not fill", "order"),
        ("why was order qtp-abc-123 rejected", "order"),
        ("explain T-7", "ticket"),
    ],
)
def test_tickets_and_orders_need_no_market(text: str, kind: str) -> None:
    (args,) = calls(text)
    assert read_subject(args["subject"]).kind == kind
    assert "symbol" not in args


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("why is btc falling", "analyze_cipher"),
        ("why should I buy btc", "analyze_cipher"),
        ("why is my portfolio down", "get_portfolio"),
        ("what is a blood diamond?", None),
        ("explain divergence", None),
        ("alert me on a green dot on btc 4h", "create_alert"),
        ("which coins have a blood diamond on 4h", "scan_market"),
    ],
)
def test_other_questions_stay_what_they_were(text: str, tool: str | None) -> None:
    assert [request.tool for request in read(text, TALKING).requests] == ([tool] if tool else [])


def test_a_timeframe_there_is_none_of_is_asked_for() -> None:
    assert "`8h`" in str(read("why no green dot on btc 8h at 14:00", TALKING).question)


def test_each_market_is_asked_about_on_the_timeframe_said_with_it() -> None:
    found = [(args["symbol"], args["timeframe"]) for args in calls("why is there no green dot on BTC 4h and ETH 1h?")]
    assert found == [("BTC/USDT", "4h"), ("ETH/USDT", "1h")]
    assert len(calls("why is there no green dot on BTC and ETH on the 1h and 4h?")) == 4


def test_a_mark_without_a_market_is_one_of_the_market_the_message_speaks_of() -> None:
    for text in ("why no green dot? buy 0.1 eth", "buy 0.1 eth. why no green dot?"):
        asked = {request.tool: request.args["symbol"] for request in read(text, FRESH).requests}
        assert asked == {"explain_decision": "ETH/USDT", "propose_order": "ETH/USDT"}
    assert "symbol" not in read("why no green dot?", FRESH).requests[0].args
