"""Questions about markets and the account, follow-ups, and talk that needs no tool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from agents.reading import Reading, ReadingContext, read
from agents.reading.talk import describe
from agents.receipts import UNSOURCED, render

Say = Callable[[str], Reading]
Call = tuple[str, dict[str, str]]


def cipher(asset: str, timeframe: str = "1h") -> Call:
    return "analyze_cipher", {"symbol": f"{asset}/USDT", "timeframe": timeframe}


def profile(asset: str, timeframe: str = "1h") -> Call:
    return "analyze_volume_profile", {"symbol": f"{asset}/USDT", "timeframe": timeframe}


def quote(asset: str) -> Call:
    return "get_quote", {"symbol": f"{asset}/USDT"}


def calls(reading: Reading) -> list[Call]:
    return [(r.tool, r.args) for r in reading.requests]


@pytest.mark.parametrize(
    ("said", "timeframe"),
    [
        ("4h", "4h"),
        ("4 hour", "4h"),
        ("four-hour", "4h"),
        ("H4", "4h"),
        ("hourly", "1h"),
        ("60 min", "1h"),
        ("daily", "1d"),
        ("1D", "1d"),
        ("24h", "1d"),
        ("weekly", "1w"),
        ("15 min", "15m"),
        ("15-minute", "15m"),
        ("m15", "15m"),
    ],
)
def test_timeframes_are_read_in_words(say: Say, said: str, timeframe: str) -> None:
    assert calls(say(f"how does BTC look on the {said}")) == [cipher("BTC", timeframe)]


@pytest.mark.parametrize(
    "text",
    [
        "volume profile of BTC on the 4h over the last 50 candles",
        "poc btc last 50 4h candles",
        "value area of BTC 4h, last 50 bars",
        "where is the POC for BTC 4h, lookback 50",
    ],
)
def test_a_number_of_candles_is_the_lookback_of_the_profile(say: Say, text: str) -> None:
    (request,) = say(text).requests
    assert request.tool == "analyze_volume_profile"
    assert request.args == {"symbol": "BTC/USDT", "timeframe": "4h", "lookback": 50}
    assert say(describe(request)).requests == (request,)


@pytest.mark.parametrize("said", ["8h", "3 days", "monthly", "1M", "10 min"])
def test_a_timeframe_without_candles_is_asked_about(say: Say, said: str) -> None:
    reading = say(f"cipher btc {said}")
    assert reading.requests == ()
    assert "Which timeframe" in (reading.question or "")


@pytest.mark.parametrize(
    "name", ["BTC", "bitcoin", "xbt", "btcusdt", "BTC/USDT", "BTC-USDT", "$BTC", "btc/usdt", "bitcoins", "BTC USDT"]
)
def test_an_asset_has_many_names(say: Say, name: str) -> None:
    assert calls(say(f"price of {name}")) == [quote("BTC")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BTC 4h ETH 1d", [cipher("BTC", "4h"), cipher("ETH", "1d")]),
        (
            "compare btc and eth on 4h and 1d",
            [cipher("BTC", "4h"), cipher("ETH", "4h"), cipher("BTC", "1d"), cipher("ETH", "1d")],
        ),
        ("how does BTC look and what's the price of ETH", [cipher("BTC"), quote("ETH")]),
        ("BTC and ETH prices", [quote("BTC"), quote("ETH")]),
        ("green dot on DOT 4h?", [cipher("DOT", "4h")]),
        ("is btc near the poc?", [profile("BTC")]),
        ("how much is one ether", [quote("ETH")]),
        ("where is support on sol 4h", [profile("SOL", "4h")]),
        ("how much btc do i have", [("get_portfolio", {})]),
        ("my trades", [("list_orders", {"status": "all"})]),
        ("open orders on eth", [("list_orders", {"status": "open", "symbol": "ETH/USDT"})]),
        ("don't buy anything, just tell me the price of BTC", [quote("BTC")]),
        ("/cipher BTC 4h", [cipher("BTC", "4h")]),
        ("/price BTC", [quote("BTC")]),
        ("/volume eth 1d", [profile("ETH", "1d")]),
        ("/portfolio", [("get_portfolio", {})]),
        ("status", [("get_portfolio", {})]),
        ("what is my open risk?", [("get_portfolio", {})]),
        ("status of my orders", [("list_orders", {"status": "open"})]),
        ("/orders", [("list_orders", {"status": "open"})]),
    ],
)
def test_questions_become_the_calls_they_mean(say: Say, text: str, expected: list[Call]) -> None:
    assert calls(say(text)) == expected


def test_a_follow_up_takes_what_it_leaves_out_from_the_thread(context: ReadingContext) -> None:
    thread = replace(context, last_symbol="BTC/USDT", last_timeframe="4h", last_tool="analyze_volume_profile")
    assert calls(read("and on the 1d?", thread)) == [profile("BTC", "1d")]
    assert calls(read("what about eth?", thread)) == [profile("ETH", "4h")]
    assert calls(read("price?", thread)) == [quote("BTC")]
    assert calls(read("how does it look", thread)) == [cipher("BTC", "4h")]


def test_a_question_without_a_market_asks_for_one(say: Say) -> None:
    assert say("how does it look?").question == "Which market? For example BTC or ETH."


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "empty"),
        ("   \n", "empty"),
        ("hello", "greeting"),
        ("gm", "greeting"),
        ("thanks!", "thanks"),
        ("what can you do?", "help"),
        ("/help", "help"),
        ("what is a blood diamond?", "glossary"),
        ("what is POC?", "glossary"),
        ("explain the value area", "glossary"),
        ("what's the weather in Paris?", "off_topic"),
        ("asdf qwer 1234 !!", "unknown"),
        ("🚀🚀🚀", "unknown"),
        ("¿cuál es el precio de bitcoin?", "language"),
        ("купи 0.1 btc", "language"),
        ("比特币怎么样", "language"),
        ("never mind", "stand_down"),
        ("don't buy btc", "declined"),
        ("how do i buy btc", "how_to_order"),
        ("alert me when BTC 1h prints a green dot", "unavailable"),
        ("which coins have a green dot on the 4h?", "unavailable"),
        ("make me a trend following strategy for BTC on the 4h", "unavailable"),
        ("backtest it", "unavailable"),
        ("why was there no green dot on btc at 12:00?", "unavailable"),
    ],
)
def test_talk_is_answered_in_words(say: Say, text: str, kind: str) -> None:
    reading = say(text)
    assert reading.small_talk == kind
    assert reading.requests == ()
    assert reading.reply
    assert "{" not in reading.reply


def test_what_is_not_possible_yet_is_named_beside_what_was_done(say: Say) -> None:
    reading = say("buy 0.1 btc and alert me at 70k")
    assert [(r.tool, r.args["order_type"]) for r in reading.requests] == [("propose_order", "market")]
    assert "Alerts cannot be set" in reading.reply


def test_a_tool_is_called_as_soon_as_it_exists(context: ReadingContext) -> None:
    later = replace(context, tools=context.tools | {"create_alert", "generate_strategy"})
    assert read("alert me when BTC 1h prints a green dot", later).requests[0].tool == "create_alert"
    assert read("make me a trend strategy for eth 4h", later).requests[0].args["timeframe"] == "4h"


def test_approval_in_words_names_the_pending_tickets_and_decides_nothing(context: ReadingContext) -> None:
    waiting = replace(context, pending_tickets=(("T-7", "buy 0.1 BTC/USDT"),))
    for text in ("yes do it", "approve", "confirm T-7", "go ahead", "reject it", "cancel T-7"):
        reading = read(text, waiting)
        assert reading.small_talk == "approval_words", text
        assert reading.requests == ()
        assert not reading.asks_for_order
        named = "T-7 is pending (buy 0.1 BTC/USDT)."
        listed = "There is one pending ticket, T-7 (buy 0.1 BTC/USDT)."
        on_the_ticket = "Orders are approved or rejected on the ticket itself, not in words."
        assert reading.reply == f"{named if 'T-7' in text else listed} {on_the_ticket}"


def test_a_very_long_message_is_listed_and_nothing_of_it_is_carried_out(say: Say) -> None:
    story = "The market opened quietly and nothing much happened for a while. " * 250
    reading = say(f"{story} buy 0.1 btc. {story} How does ETH look on the 4h?")
    assert reading.requests == ()
    assert not reading.asks_for_order
    assert [r.tool for r in reading.listed] == ["propose_order", "analyze_cipher"]
    assert "- `buy 0.1 BTC/USDT`" in reading.reply
    assert "- `cipher ETH/USDT 4h`" in reading.reply


def test_more_requests_than_a_turn_carries_are_listed(say: Say) -> None:
    reading = say("cipher btc eth sol xrp ada doge link ltc bnb bch on 4h")
    assert reading.requests == ()
    assert len(reading.listed) == 10


@pytest.mark.parametrize(
    "text",
    [
        "buy 0.1 btc at 58k, stop 55k, target 70k",
        "buy 500 usdt of btc",
        "buy btc with 2.5% of my account",
        "sell stop 58k 0.05 btc",
        "sell a third of my eth",
        "cancel my btc orders",
        "cancel everything",
        "open orders on eth",
        "poc sol 1d",
        "price of doge",
    ],
)
def test_a_listed_request_reads_as_itself_when_it_is_sent_again(say: Say, text: str) -> None:
    (request,) = say(text).requests
    assert say(describe(request)).requests == (request,)


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "help",
        "buy btc",
        "sell btc",
        "close",
        "buy 1 2 btc",
        "buy 0,5 btc",
        "what is rsi",
        "what is a green dot?",
        "what is the value area",
        "buy eth for 500",
        "how do i buy btc",
        "tell me a joke",
        "buy 0.1 btc if it dips",
    ],
)
def test_no_figure_of_the_desks_own_words_looks_like_market_data(say: Say, text: str) -> None:
    reading = say(text)
    words = "\n".join(part for part in (reading.reply, reading.question) if part)
    assert UNSOURCED not in render(words, [], user_words=[text]).text
