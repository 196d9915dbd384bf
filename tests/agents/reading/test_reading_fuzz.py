"""Whatever is typed: no error, the same reading again, and no order that was not written."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.reading import ORDER_TOOLS, ReadingContext, read
from agents.reading.numbers import FRACTION_WORDS, NUMBER_WORDS

VOCABULARY = (
    "buy sell long short close exit cancel stop limit at @ market sl tp take profit loss half all my account of the a "
    "btc BTC eth $SOL BTC/USDT foo BTCC 0.1 2 1,250 0,5 58k $500 5% 4h daily 1d price cipher poc positions orders "
    "and , . ? ! ; or not don't never without if should i please can you for with in on and/or T-7 qtp-ab12 yes no "
    "green dot what is how 12:00 5pm x3 10x -1 1e3 ½ 🚀 <b> </b> & / - ' { } \n купи two thousand point five quarter"
)
WORDS = VOCABULARY.split(" ")
PRICES = ("limit_price", "stop_price", "stop_loss", "take_profit")
COMMANDS = st.lists(st.sampled_from(WORDS), max_size=18).map(" ".join)
TEXTS = st.one_of(st.text(max_size=300), COMMANDS, st.tuples(COMMANDS, st.text(max_size=40)).map(" ".join))
QUIET = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(text=TEXTS, last=st.sampled_from([None, "BTC/USDT"]), listed=st.booleans())
@QUIET
def test_any_text_gives_a_reading_and_the_same_one_again(
    context: ReadingContext, text: str, last: str | None, listed: bool
) -> None:
    thread = replace(context, last_symbol=last, symbols=context.symbols if listed else ())
    reading = read(text, thread)
    assert reading == read(text, thread)
    assert reading.requests or reading.question or reading.reply


@given(text=TEXTS)
@QUIET
def test_an_order_is_complete_and_possible(context: ReadingContext, text: str) -> None:
    for request in read(text, context).requests:
        if request.tool == "propose_order":
            assert request.args["side"] in {"buy", "sell"}
            assert "/" in request.args["symbol"]
            assert Decimal(str(request.args["quantity"])) > 0
            prices = {
                k: v for k, v in request.args.items() if k.endswith("_price") or k in {"stop_loss", "take_profit"}
            }
            assert all(Decimal(str(price)) > 0 for price in prices.values())
            assert ("limit_price" in prices) == (request.args["order_type"] == "limit")
            assert ("stop_price" in prices) == (request.args["order_type"] == "stop")
        if request.tool == "propose_close":
            assert 0 < request.args["fraction"] <= 1


@given(text=TEXTS)
@QUIET
def test_no_order_is_read_from_a_text_without_any_number(context: ReadingContext, text: str) -> None:
    counted = any(c.isnumeric() for c in text)
    worded = (NUMBER_WORDS | FRACTION_WORDS.keys()) & set(re.findall(r"[a-z]+", text.lower()))
    if not counted and not worded:
        assert not [r for r in read(text, context).requests if r.tool == "propose_order"]


@given(
    negation=st.sampled_from(["don't", "do not", "never", "please don't", "I won't", "no need to", "I'd rather not"]),
    order=st.sampled_from(["buy", "sell", "long", "short", "close", "cancel"]),
    amount=st.sampled_from(["0.1 btc", "half my eth", "all my orders", "2 sol at 140", "$500 of doge", "my ada"]),
    tail=st.sampled_from(["", " please", ", thanks", " now", " at market", ", stop 58k"]),
)
@QUIET
def test_nothing_is_ordered_by_a_negated_text(
    context: ReadingContext, negation: str, order: str, amount: str, tail: str
) -> None:
    for text in (f"{negation} {order} {amount}{tail}", f"I said {negation} {order} {amount}{tail}"):
        reading = read(text, context)
        assert not [r for r in reading.requests if r.tool in ORDER_TOOLS], text


@given(
    quantity=st.decimals(min_value="0.00001", max_value="99999", places=5),
    price=st.integers(min_value=1, max_value=999_999),
    side=st.sampled_from(["buy", "sell"]),
)
@QUIET
def test_quantities_and_prices_are_exact(context: ReadingContext, quantity: Decimal, price: int, side: str) -> None:
    plain = format(quantity.normalize(), "f")
    reading = read(f"{side} {plain} btc at {price:,}", context)
    if reading.question is None:  # 1.250 and 1.120 may be European thousands and are asked about
        args = reading.requests[0].args
        assert Decimal(str(args["quantity"])) == quantity
        assert Decimal(str(args["limit_price"])) == price
    else:
        assert plain in reading.question


@pytest.mark.slow
def test_hostile_lengths_take_seconds_not_minutes(context: ReadingContext) -> None:
    started = time.process_time()
    for piece in ("1", "buy ", "<", "a,b;", "$", "buy 1 btc and ", "<a ", "how's my ", "half "):
        read(piece * (60_000 // len(piece)), context)
    assert time.process_time() - started < 30
