"""Several timeframes in one table: the panels of one instant, a value behind every figure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from langchain_core.messages import ToolMessage

from agents.reading import Reading, ReadingContext, read
from agents.reading.thread import after_turn
from engines.cipher.timeframes import panels
from engines.domain.candles import CandleFrame
from engines.domain.clock import ManualClock
from engines.domain.evidence import Evidence
from engines.domain.timeframe import Timeframe
from engines.errors import InsufficientData, InvalidRequest, NotFound
from engines.market.demo import DemoMarket
from tools.timeframes import timeframe_tools

NOW = datetime(2026, 3, 11, 14, 35, tzinfo=UTC)
REFERENCE = re.compile(r"\{(\w+)\}")
THREAD = ReadingContext(symbols=("BTC/USDT", "ETH/USDT", "XRP/USDT"))


class Young(DemoMarket):
    """A market that began a week ago."""

    def closed_candles(
        self, symbol: str, timeframe: Timeframe, *, count: int = 500, as_of: datetime | None = None
    ) -> CandleFrame:
        most = {"1d": 7, "4h": 42}.get(timeframe, count)
        return super().closed_candles(symbol, timeframe, count=min(count, most), as_of=as_of)


def call(*timeframes: str, symbol: str = "BTC/USDT", market: DemoMarket | None = None) -> tuple[str, Evidence]:
    (compare,) = timeframe_tools(market or DemoMarket(ManualClock(NOW)))
    args = {"symbol": symbol, "timeframes": list(timeframes)}
    message = compare.invoke({"type": "tool_call", "id": "call-1", "name": "compare_timeframes", "args": args})
    assert isinstance(message, ToolMessage)
    assert isinstance(message.artifact, Evidence)
    return str(message.content), message.artifact


def test_each_row_is_the_panel_of_candles_closed_at_one_instant() -> None:
    wanted: list[Timeframe] = ["15m", "1h", "4h", "1d"]
    _, evidence = call(*wanted)
    found = panels(DemoMarket(ManualClock(NOW)), "BTC/USDT", wanted, as_of=NOW)
    for each, panel in found.items():
        latest = panel.latest()
        for name in ("wt1", "wt2", "money_flow", "rsi", "stoch_k"):
            assert evidence.values[f"t{each}_{name}"].value == latest[name]
        assert evidence.values[f"t{each}_close"].value == float(panel.candles.close[-1])
        assert evidence.values[f"t{each}_as_of"].value == panel.candles.as_of.isoformat()
        dot = panel.last_event("green_dot", "red_dot")
        assert (f"t{each}_last_dot" in evidence.values) == (dot is not None)
    assert [evidence.values[f"t{each}_as_of"].text[11:16] for each in wanted] == ["14:30", "14:00", "12:00", "00:00"]
    assert evidence.as_of == NOW.isoformat()


def test_the_headline_says_whether_they_agree_and_the_table_has_a_row_each() -> None:
    content, evidence = call("15m", "1h", "4h", "1d")
    ways = {
        each: evidence.values[f"t{each}_wt1"].value > evidence.values[f"t{each}_wt2"].value  # type: ignore[operator]
        for each in ("15m", "1h", "4h", "1d")
    }
    assert len(set(ways.values())) == 2
    assert content.startswith("The timeframes of BTC/USDT disagree: waves up on ")
    rows = [line for line in content.splitlines() if line.startswith("| **")]
    assert [row.split("**")[1] for row in rows] == ["15m", "1h", "4h", "1d"]
    assert {row.count("|") for row in rows} == {10}
    for each, row in zip(ways, rows, strict=True):
        assert ("| up: " in row) == ways[each]
    wording = f"{evidence.headline}\n{evidence.brief}"
    assert set(REFERENCE.findall(wording)) <= set(evidence.values)
    typed = re.sub(r"\*\*\w+\*\*|\d+[mhdw]\b", "", REFERENCE.sub("", wording))
    assert re.findall(r"(?<![\w.])\d[\d.,]*(?!\w)", typed) == []


def test_timeframes_that_agree_are_said_to() -> None:
    for hours in range(0, 24 * 20, 6):
        market = DemoMarket(ManualClock(datetime.fromtimestamp(NOW.timestamp() - hours * 3600, tz=UTC)))
        content, evidence = call("1h", "4h", market=market)
        above = {evidence.values[f"t{t}_wt1"].value > evidence.values[f"t{t}_wt2"].value for t in ("1h", "4h")}  # type: ignore[operator]
        if len(above) == 1:
            way = "up" if above.pop() else "down"
            assert content.startswith(f"The waves of BTC/USDT point {way} on both of 1h and 4h, at their last closes")
            return
    pytest.fail("the two never agreed")


def test_a_timeframe_with_too_few_candles_is_named_and_the_others_are_told() -> None:
    content, evidence = call("1h", "1d", market=Young(ManualClock(NOW)))
    assert "Too few closed candles for the panel on 1d." in content
    assert "t1h_wt1" in evidence.values
    assert not [name for name in evidence.values if name.startswith("t1d_")]
    with pytest.raises(InsufficientData):
        call("4h", "1d", market=Young(ManualClock(NOW)))


def test_what_there_is_not_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="'1y' is not a timeframe"):
        call("1h", "1y")
    with pytest.raises(NotFound, match="BTCC/USDT"):
        call("1h", symbol="BTCC/USDT")


def test_one_named_twice_is_told_once() -> None:
    _, evidence = call("1h", "4h", "1h")
    assert evidence.arguments["timeframes"] == ["1h", "4h"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("how does BTC look on 15m, 1h, 4h and 1d", ["15m", "1h", "4h", "1d"]),
        ("top down view of btc", ["1d", "4h", "1h", "15m"]),
        ("top-down btc", ["1d", "4h", "1h", "15m"]),
        ("multi-timeframe view of BTC", ["1h", "4h", "1d"]),
        ("do all timeframes agree on btc?", ["1h", "4h", "1d"]),
        ("btc 5m 15m 1h 4h 1d", ["5m", "15m", "1h", "4h", "1d"]),
    ],
)
def test_three_timeframes_or_more_of_a_market_are_one_call(text: str, wanted: list[str]) -> None:
    (request,) = read(text, THREAD).requests
    assert (request.tool, request.args) == ("compare_timeframes", {"symbol": "BTC/USDT", "timeframes": wanted})


def tools_of(reading: Reading) -> list[Any]:
    return [(request.tool, request.args.get("timeframe")) for request in reading.requests]


def test_two_timeframes_or_a_question_for_a_fact_stay_single_panels() -> None:
    assert tools_of(read("btc 4h and 1d", THREAD)) == [("analyze_cipher", "4h"), ("analyze_cipher", "1d")]
    asked = read("is there a green dot on btc 15m, 1h and 4h", THREAD)
    assert {tool for tool, _ in tools_of(asked)} == {"analyze_cipher"}
    assert len(asked.requests) == 3


def test_a_table_is_asked_for_again_of_another_market_and_left_for_one_timeframe() -> None:
    table = read("btc 15m, 1h and 4h", THREAD)
    after = after_turn(THREAD, table)
    (again,) = read("and eth?", after).requests
    assert (again.tool, again.args) == (
        "compare_timeframes",
        {"symbol": "ETH/USDT", "timeframes": ["15m", "1h", "4h"]},
    )
    assert tools_of(read("4h", after)) == [("analyze_cipher", "4h")]
    both = read("btc and eth 1h 4h 1d", THREAD)
    assert [request.args["symbol"] for request in both.requests] == ["BTC/USDT", "ETH/USDT"]
    assert {request.tool for request in both.requests} == {"compare_timeframes"}


def test_where_there_is_no_such_tool_each_timeframe_is_its_own_panel() -> None:
    without = ReadingContext(symbols=("BTC/USDT",), tools=frozenset({"analyze_cipher"}))
    assert tools_of(read("top down view of btc", without)) == [
        ("analyze_cipher", each) for each in ("1d", "4h", "1h", "15m")
    ]
