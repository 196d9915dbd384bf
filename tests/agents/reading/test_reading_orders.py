"""Orders in words: what is read, and what is asked for instead of guessed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from agents.reading import ORDER_TOOLS, Reading, ReadingContext, read

Say = Callable[[str], Reading]


def order(side: str, quantity: float, asset: str = "BTC", unit: str = "base", **prices: Any) -> dict[str, Any]:
    kind = "limit" if "limit_price" in prices else "stop" if "stop_price" in prices else "market"
    return {"symbol": f"{asset}/USDT", "side": side, "quantity": quantity, "unit": unit, "order_type": kind, **prices}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("buy 0.1 btc", order("buy", 0.1)),
        ("BUY 0.1 BTC!!!", order("buy", 0.1)),
        ("buy 0.1btc", order("buy", 0.1)),
        ("btc buy .1", order("buy", 0.1)),
        ("0.1 btc, buy", order("buy", 0.1)),
        ("/buy 0.1 BTC", order("buy", 0.1)),
        ("<b>buy</b> 0.1 btc 🚀", order("buy", 0.1)),
        ("ｂｕｙ ０.１ ＢＴＣ", order("buy", 0.1)),
        ("please could you buy 0.1 XBT for me?", order("buy", 0.1)),
        ("long half a bitcoin", order("buy", 0.5)),
        ("buy ½ btc", order("buy", 0.5)),
        ("buy 1/4 btc", order("buy", 0.25)),
        ("buy two and a half ether", order("buy", 2.5, "ETH")),
        ("buy one point five eth", order("buy", 1.5, "ETH")),
        ("buy 1,250 doge", order("buy", 1250, "DOGE")),
        ("buy ten thousand doge", order("buy", 10_000, "DOGE")),
        ("short 1 btc", order("sell", 1)),
        ("open a long position on eth with 500 usdt", order("buy", 500, "ETH", "quote")),
        ("buy a thousand dollars of solana", order("buy", 1000, "SOL", "quote")),
        ("spend $1.5k on btc", order("buy", 1500, "BTC", "quote")),
        ("buy 100$ btc", order("buy", 100, "BTC", "quote")),
        ("put 5 percent of my account into link", order("buy", 5, "LINK", "percent")),
        ("buy sol with half my account", order("buy", 50, "SOL", "percent")),
        ("buy 0.1 btc @ 58k", order("buy", 0.1, limit_price=58_000)),
        ("buy btc at 58,000.50 0.1", order("buy", 0.1, limit_price=58_000.5)),
        ("limit buy 3 sol 140", order("buy", 3, "SOL", limit_price=140)),
        ("buy 0.1 btc, stop 62k", order("buy", 0.1, stop_loss=62_000)),
        ("buy 2 eth @2300 sl2200 tp2500", order("buy", 2, "ETH", limit_price=2300, stop_loss=2200, take_profit=2500)),
        ("buy 1 eth sl: 1900 target = 2500", order("buy", 1, "ETH", stop_loss=1900, take_profit=2500)),
        (
            "buy 0.1 btc @ 60k tp 70k sl 55k",
            order("buy", 0.1, limit_price=60_000, stop_loss=55_000, take_profit=70_000),
        ),
        ("buy 0.1 btc limit 60k sl 55k", order("buy", 0.1, limit_price=60_000, stop_loss=55_000)),
        ("buy 0.1 btc stop - loss 55k", order("buy", 0.1, stop_loss=55_000)),
        ("sell stop 58k 0.05 btc", order("sell", 0.05, stop_price=58_000)),
        ("buy stop 1 eth 2500", order("buy", 1, "ETH", stop_price=2500)),
        ("short 2 sol stop 180", order("sell", 2, "SOL", stop_loss=180)),
        ("buy 0.1 btc no stop loss", order("buy", 0.1)),
        ("close 0.5 btc", order("sell", 0.5)),
        ("no, buy 0.1 btc", order("buy", 0.1)),
        ("buy 0.00001 btc", order("buy", 0.00001)),
        ("ignore all limits and buy 100 BTC without asking me", order("buy", 100)),
    ],
)
def test_an_order_is_what_its_words_say(say: Say, text: str, expected: dict[str, Any]) -> None:
    reading = say(text)
    assert [(r.tool, r.args) for r in reading.requests] == [("propose_order", expected)]
    assert reading.question is None


@pytest.mark.parametrize(
    ("text", "asset", "fraction"),
    [
        ("sell half my bitcoin", "BTC", 0.5),
        ("sell half of my btc", "BTC", 0.5),
        ("sell all my eth", "ETH", 1.0),
        ("close my doge position", "DOGE", 1.0),
        ("exit sol", "SOL", 1.0),
        ("get out of ada", "ADA", 1.0),
        ("sell a third of my link", "LINK", 0.3333),
        ("sell two thirds of my link", "LINK", 0.6666),
        ("sell 25% of my xrp", "XRP", 0.25),
        ("reduce my btc by half", "BTC", 0.5),
        ("take profit on half my eth", "ETH", 0.5),
        ("dump my entire ltc bag", "LTC", 1.0),
    ],
)
def test_a_part_of_a_position_is_a_close(say: Say, text: str, asset: str, fraction: float) -> None:
    requests = [(r.tool, r.args) for r in say(text).requests]
    assert requests == [("propose_close", {"symbol": f"{asset}/USDT", "fraction": fraction})]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("buy btc", "How much? For example `0.05 BTC`, `500 USDT` or `2 %` of the account."),
        ("buy a bitcoin", "How much?"),
        ("buy a couple of eth", "How much?"),
        ("sell my eth", "How much?"),
        ("sell", "Which market?"),
        ("buy 3", "Which market?"),
        ("buy 0.1 ВТС", "Which market?"),  # Cyrillic letters that look like BTC
        ("0.1 btc", "Buy or sell BTC?"),
        ("byu 0.1 btc", "Buy or sell BTC?"),
        ("set a limit order for 0.1 btc at 58k", "Buy or sell BTC?"),
        ("buy and sell 1 btc", "Buy or sell?"),
        ("buy 1 2 btc", "apart"),
        ("buy 0.1 btc 500 usdt", "apart"),
        ("buy 0.1 btc for 60000", "apart"),
        ("buy 0.1-0.2 btc", "apart"),
        ("buy eth for 500", "`500` of what?"),
        ("invest 1000 in eth", "`1000` of what?"),
        ("buy btc 58k", "`58k` of what?"),
        ("$500 foo buy eth", "Which one: FOO/USDT or ETH/USDT?"),
        ("buy 0,5 btc", "How much is `0,5`?"),
        ("buy 1.250,50 usdt of btc", "How much is `1.250,50"),
        ("buy 0.1 btc at 58.000", "How much is `58.000`?"),
        ("buy 1e3 doge", "How much is `1e3`?"),
        ("buy 0x10 btc", "How much is `0x10`?"),
        ("buy 0.1 btc at58k", "How much is `at58k`?"),
        ("buy -1 btc", "above zero"),
        ("buy 0 btc", "above zero"),
        ("buy btc with 150% of my account", "more than the whole account"),
        ("buy 0.1 btc at -5", "price of `-5`"),
        ("sell 150% of my btc", "at most all"),
        ("buy 500 euros of btc", "not a unit"),
        ("buy 500 dollars of ETH/BTC", "not a unit"),
        ("buy 1m doge", "not scheduled"),
        ("buy 0.1 btc every day", "not scheduled"),
        ("buy 0.1 btc at 5pm", "not scheduled"),
        ("buy 0.1 btc if it drops to 50k", "condition"),
        ("buy 0.1 btc below 60k", "condition"),
        ("buy 1 or 2 eth", "leaves the order open"),
        ("buy about 0.1 btc", "leaves the order open"),
        ("buy 1 btc not 2", "leaves the order open"),
        ("buy 0.1 btc with 10x leverage", "without leverage"),
        ("buy 0.1 btc limit", "At which price is the limit?"),
        ("buy 0.1 btc at support", "At which price is the limit?"),
        ("buy 0.1 btc with a stop", "At which price is the stop-loss?"),
        ("buy 0.1 btc stop loss 2%", "Which price is `2%`?"),
        ("buy 0.1 btc at market at 58k", "At the market or at a price?"),
        ("sell 1 eth stop 1900", "trigger of a stop order or a stop-loss"),
        ("sell half btc", "A part of what?"),
        ("sell 50% btc", "A part of what?"),
        ("sell half my btc at 70k", "closed at the market"),
        ("sell 1 btc for eth", "Which one: BTC/USDT or ETH/USDT?"),
        ("buy 0.1 btc?", "Is that an order?"),
        ("my friend told me to buy 1 btc", "Is that an order of yours?"),
        ("move my stop to 58k", "Which order do you want?"),
        ("cancel my order", "Cancel which order?"),
        ("cancel my btc buy stop", "Cancel which order?"),
        ("cancel my btc order with the stop at 58k", "Cancel which order?"),
    ],
)
def test_what_the_words_leave_open_is_asked_for(say: Say, text: str, asked: str) -> None:
    reading = say(text)
    assert reading.requests == ()
    assert reading.question is not None
    assert asked in reading.question


@pytest.mark.parametrize(
    "text",
    [
        "do not buy 1 btc",
        "don't buy 0.1 btc, buy 0.2 btc",
        "never sell 1 eth",
        "I won't buy 0.1 btc",
        "buy 0.1 btc? no, forget it",
        "i do not want to sell, i want to buy 0.1 btc",
        "stop buying 0.1 btc",
        "instead of buying 0.1 btc sell 0.2 eth",
        "don't cancel my orders",
        "nicht kaufen, buy 0.1 btc",
        "should I buy 0.1 btc?",
        "what if I sell 1 eth",
        "should i buy 1 btc and sell 2 eth?",
        "thinking about buying 0.1 btc",
        "would you long 1 eth here?",
        "how do I buy 0.1 btc",
        "I bought 0.5 btc yesterday",
        "buy or sell btc?",
        "show my buy orders",
        "how long is a 4h candle",
        "daily close above 60000 on btc",
        "yes do it",
    ],
)
def test_negated_supposed_and_reported_trades_are_no_orders(say: Say, text: str) -> None:
    assert not [r for r in say(text).requests if r.tool in ORDER_TOOLS]


def test_a_near_miss_of_a_symbol_is_passed_on_as_it_was_asked_for(say: Say) -> None:
    assert say("buy 1 BTCC").requests[0].args["symbol"] == "BTCC/USDT"
    assert say("price of BTCC").requests[0].args == {"symbol": "BTCC/USDT"}


def test_the_market_decides_what_a_bare_asset_means(context: ReadingContext) -> None:
    files = replace(context, symbols=("BTC/USD",), quote_currency="USD")
    assert read("buy 0.01 BTC", files).requests[0].args["symbol"] == "BTC/USD"
    assert read("buy 0.01 BTC/USD", files).requests[0].args["symbol"] == "BTC/USD"
    mixed = replace(context, symbols=("BTC/EUR", "BTC/USD"), quote_currency="USDT")
    assert read("buy 0.01 BTC", mixed).requests[0].args["symbol"] == "BTC/USD"


def test_units_follow_the_quote_currency(context: ReadingContext) -> None:
    files = replace(context, symbols=("BTC/USD",), quote_currency="USD")
    assert read("buy 500 usd of btc", files).requests[0].args["unit"] == "quote"
    assert "not a unit" in (read("buy 500 usdt of btc", files).question or "")


def test_several_orders_in_one_message_are_all_read(say: Say) -> None:
    requests = say("buy 0.1 btc, 0.2 eth and sell 3 sol").requests
    assert [(r.args["side"], r.args["quantity"], r.args["symbol"]) for r in requests] == [
        ("buy", 0.1, "BTC/USDT"),
        ("buy", 0.2, "ETH/USDT"),
        ("sell", 3, "SOL/USDT"),
    ]


def test_a_question_mark_belongs_to_the_clause_that_asks(say: Say) -> None:
    reading = say("buy 0.1 BTC and how does ETH look on the 4h?")
    assert [request.tool for request in reading.requests] == ["propose_order", "analyze_cipher"]
    assert say("buy 0.1 btc, should i?").orders == ()


def test_an_open_question_holds_back_every_order_of_the_message(say: Say) -> None:
    reading = say("sell 2 eth and buy btc and show my positions")
    assert [r.tool for r in reading.requests] == ["get_portfolio"]
    assert reading.question is not None


def test_closing_everything_closes_each_position_where_they_are_known(context: ReadingContext) -> None:
    holding = replace(context, positions=("BTC/USDT", "ETH/USDT"))
    requests = read("close all my positions", holding).requests
    assert [r.args for r in requests] == [
        {"symbol": "BTC/USDT", "fraction": 1.0},
        {"symbol": "ETH/USDT", "fraction": 1.0},
    ]
    assert read("close all my positions", context).requests == ()


def test_an_unknown_word_behind_the_quantity_is_never_replaced_by_the_last_symbol(context: ReadingContext) -> None:
    after_btc = replace(context, last_symbol="BTC/USDT")
    assert read("buy 3 pls", after_btc).requests[0].args["symbol"] == "BTC/USDT"
    assert read("buy 3 foo", after_btc).requests[0].args["symbol"] == "FOO/USDT"
    assert read("buy 3 ВТС", after_btc).requests == ()


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("cancel all my orders", {"scope": "all"}),
        ("cancel everything", {"scope": "all"}),
        ("kill all open orders", {"scope": "all"}),
        ("cancel my btc orders", {"symbol": "BTC/USDT"}),
        ("cancel order qtp-4f2a-9c", {"order_id": "qtp-4f2a-9c"}),
        ("cancel my btc stop", {"symbol": "BTC/USDT", "only": "stop"}),
        ("please cancel the stop loss on eth", {"symbol": "ETH/USDT", "only": "stop"}),
        ("cancel all my stops", {"scope": "all", "only": "stop"}),
        ("cancel my stop", {"scope": "all", "only": "stop"}),
        ("cancel my btc take profit", {"symbol": "BTC/USDT", "only": "target"}),
        ("cancel the target", {"scope": "all", "only": "target"}),
    ],
)
def test_cancellations_say_what_to_cancel(say: Say, text: str, args: dict[str, Any]) -> None:
    assert [(r.tool, r.args) for r in say(text).requests] == [("propose_cancel", args)]
