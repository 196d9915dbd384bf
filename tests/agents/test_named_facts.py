"""A question that names a fact of the panel is answered by that fact first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from agents.panel_facts import named_facts
from agents.runtime import Desk

OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_the_first_sentence_is_the_fact_that_was_asked_for(desk_on: OpenDesk) -> None:
    firsts = {
        "is there a green dot on btc 4h": "No green dot on the last candle of BTC/USDT 4h; the last one was ",
        "is BTC oversold?": "RSI of BTC/USDT 1h is ",
        "what's the RSI on SOL 15m?": "RSI of SOL/USDT 15m is ",
        "what's the stoch on eth 1h": "Stoch RSI of ETH/USDT 1h: K ",
        "money flow on btc 4h": "Money flow of BTC/USDT 4h is ",
        "wave trend on btc 4h": "Wave trend of BTC/USDT 4h: fast wave ",
        "any divergence on btc 4h?": "No divergence on the last candle of BTC/USDT 4h; the last one was a bullish ",
        "hidden divergence on eth 1h?": "No hidden divergence on the last candle of ETH/USDT 1h; the last one was a ",
        "rsi divergence sol 15m": "No RSI divergence on the last candle of SOL/USDT 15m; ",
        "schaff on btc 4h": "Schaff cycle of BTC/USDT 4h is ",
        "naked pocs on btc 4h": "Naked points of control of BTC/USDT 4h: ",
        "yesterday's point of control on btc 1h": "The point of control of BTC/USDT on 2026-03-09 (UTC) is ",
        "vwap on eth 1h": "The session's VWAP of ETH/USDT 1h is ",
        "weekly vwap of eth": "The week's VWAP of ETH/USDT 4h is ",
        "btc monthly vwap": "The month's VWAP of BTC/USDT 1d is ",
        "where is the initial balance on btc 1h": "The initial balance of BTC/USDT 1h is ",
        "hvn on btc 4h": "Nearest volume nodes of BTC/USDT 4h: ",
        "single prints on btc 4h": "The nearest single prints of BTC/USDT 4h in this session (2026-03-10) are ",
        "profile of btc 4h since monday": "The point of control of BTC/USDT since 2026-03-09 00:00 UTC is ",
        "btc volume profile from last monday on 4h": "The point of control of BTC/USDT since 2026-03-09 00:00 UTC",
        "BTC POC of the london session": "The point of control of BTC/USDT in the London session of 2026-03-10 so far",
        "poc ny session btc 1h": "The point of control of BTC/USDT in the New York session of 2026-03-10 so far is",
        "poc of the frankfurt session btc": "Sessions of Frankfurt are not kept here, only those of London, New York, ",
        "POC of march 8 BTC": "The point of control of BTC/USDT on 2026-03-08 (UTC) is ",
        "point of control of last week btc": "The point of control of BTC/USDT over 2026-03-02 to 2026-03-08 (UTC ",
        "is there a white dot on btc": "There is no white dot on this panel; it has green, red and gold dots",
        "when did BTC last have a bearish divergence on the daily?": "No bearish divergence on the last candle of BTC",
        "nearest naked poc below price on ETH 1h": "No naked point of control below price of ETH/USDT 1h ",
        "is there a poor high on BTC?": "No poor high of BTC/USDT 1h stands in this session or the one before.",
        "is BTC accepted below value?": "BTC/USDT 1h: not yet accepted above value: ",
        "how far is btc from value area low": "The value area low of BTC/USDT 1h is ",
        "how many red dots this week on btc": "Dots on BTC/USDT 1h this week, since Monday (UTC): 0 [1] red.",
        "list the last three green dots on btc": "The last green dots on BTC/USDT 1h closed at 2026-03-09 10:00 UTC, ",
        "single prints on BTC yesterday": "Single prints of BTC/USDT on 2026-03-09 (UTC): ",
        "vwap since monday on btc": "The VWAP of BTC/USDT since 2026-03-09 00:00 UTC is ",
        "TPO of today btc": "The TPO point of control of BTC/USDT on 2026-03-10 (UTC) so far is ",
        "btc tpo last week": "No TPO of BTC/USDT over 2026-03-02 to 2026-03-08 (UTC days) can be told: letters are ",
        "did btc leave a poor low yesterday": "No poor low of BTC/USDT on 2026-03-09 (UTC): the low was ",
        "btc initial balance on monday": "The initial balance of BTC/USDT on 2026-03-09 (UTC) is ",
        "profile since last week's high btc": "A profile of `since last week high` cannot be read here: ",
        "where's the nearest support on btc": "The nearest levels by volume below price on BTC/USDT 1h: ",
        "naked pocs on btc 1w": "No naked point of control can be told for BTC/USDT 1w: ",
    }
    async with desk_on() as desk:
        for question, first in firsts.items():
            reply = (await desk.ask(None, question, "ada", on_event=lambda *_: None)).reply
            assert reply.startswith(first), question
            assert "close" in reply
            assert "unsourced" not in reply


def test_a_mark_on_the_last_candle_is_told_with_where_it_is_drawn_and_since_when_it_is_known() -> None:
    values = {
        "last_gold": {"text": "gold dot"},
        "last_gold_age": {"text": "on this candle"},
        "last_gold_pivot": {"text": "2026-03-10 04:00 UTC"},
        "last_gold_time": {"text": "2026-03-10 16:00 UTC"},
    }
    panel = {"kind": "cipher", "symbol": "A/B", "timeframe": "4h", "id": "cipher-1", "values": values}
    assert named_facts([panel], ["gold dot"]) == [
        "Yes, a gold dot on the last candle of A/B 4h, drawn at {cipher-1.last_gold_pivot}, knowable since "
        "{cipher-1.last_gold_time}; its author meant it as a warning."
    ]


@pytest.mark.parametrize(
    ("rsi", "state"),
    [(25.0, ", oversold"), (30.0, ", oversold"), (50.0, "neither"), (60.0, ", overbought (60 or more)")],
)
def test_rsi_is_called_what_the_panel_calls_it(rsi: float, state: str) -> None:
    panel = {"kind": "cipher", "symbol": "A/B", "timeframe": "1h", "id": "cipher-1", "values": {"rsi": {"value": rsi}}}
    (sentence,) = named_facts([panel], ["rsi"])
    assert "{cipher-1.rsi}" in sentence
    assert state in sentence


def test_a_dot_is_told_on_this_candle_of_the_other_colour_or_not_at_all() -> None:
    panel = {"kind": "cipher", "symbol": "A/B", "timeframe": "1h", "id": "cipher-1", "values": {}}
    assert named_facts([panel], ["green dot"]) == [
        "No green dot on the last candle of A/B 1h; there is none in these candles."
    ]
    now = {"last_dot": {"text": "red dot"}, "last_dot_age": {"text": "on this candle"}}
    assert named_facts([panel | {"values": now}], ["red dot"])[0].startswith("Yes, a red dot on the last candle")
    assert "the last dot was a red dot" in named_facts([panel | {"values": now}], ["green dot"])[0]
