"""The volume profile tool: levels with distances, and a value behind every figure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import ToolMessage

from engines.domain.candles import CandleFrame
from engines.domain.clock import ManualClock
from engines.domain.evidence import Evidence
from engines.domain.timeframe import Timeframe
from engines.errors import InsufficientData, InvalidRequest, NotFound
from engines.market.demo import DemoMarket
from engines.volume_profile.desk import desk_profile
from tools.volume_profile import volume_profile_tools

NOW = datetime(2026, 3, 11, 17, 20, tzinfo=UTC)
REFERENCE = re.compile(r"\{(\w+)\}")


class AlteredMarket(DemoMarket):
    """The demo market at a fixed time, with a change made to every series it serves."""

    def __init__(self, change: Callable[[CandleFrame], CandleFrame] = lambda candles: candles) -> None:
        super().__init__(ManualClock(NOW))
        self._change = change

    def closed_candles(
        self, symbol: str, timeframe: Timeframe, *, count: int = 500, as_of: datetime | None = None
    ) -> CandleFrame:
        return self._change(super().closed_candles(symbol, timeframe, count=count, as_of=as_of))


def call(market: DemoMarket, **arguments: Any) -> tuple[str, Evidence]:
    (analyze,) = volume_profile_tools(market)
    message = analyze.invoke({"type": "tool_call", "id": "call-1", "name": "analyze_volume_profile", "args": arguments})
    assert isinstance(message, ToolMessage)
    assert isinstance(message.artifact, Evidence)
    return str(message.content), message.artifact


def last_close(price: float) -> Callable[[CandleFrame], CandleFrame]:
    """The same hours with another last one; the shorter candles behind them stay."""

    def change(candles: CandleFrame) -> CandleFrame:
        if candles.timeframe != "1h":
            return candles
        columns = {name: getattr(candles, name).copy() for name in ("open", "high", "low", "close")}
        for column in columns.values():
            column[-1] = price
        return replace(candles, **columns)

    return change


@pytest.mark.parametrize("lookback", [None, 50, 1000])
def test_levels_are_those_of_the_engine_over_the_candles_asked_for(lookback: int | None) -> None:
    market = AlteredMarket()
    _, evidence = call(market, symbol="BTC/USDT", timeframe="1h", **({"lookback": lookback} if lookback else {}))
    desk = desk_profile(market, "BTC/USDT", "1h", count=lookback or 200)
    for name in ("poc", "vah", "val"):
        level = getattr(desk.profile, name)
        assert evidence.values[name].value == level
        close = float(desk.candles.close[-1])
        assert evidence.values[f"{name}_distance"].value == pytest.approx((level / close - 1) * 100)
    assert evidence.values["lookback"].value == len(desk.candles) == (lookback or 200)
    assert evidence.parameters["built_from"] == desk.built_from != "1h"
    assert evidence.parameters["rows"] == 100
    assert (evidence.kind, evidence.tool) == ("volume", "analyze_volume_profile")
    drawn = {"limit": lookback} if lookback else {}
    assert evidence.chart == {"symbol": "BTC/USDT", "timeframe": "1h", "as_of": evidence.as_of} | drawn


def test_the_headline_answers_with_level_distance_span_and_time() -> None:
    content, evidence = call(AlteredMarket(), symbol="BTC/USDT", timeframe="4h")
    pattern = (
        r"The point of control of BTC/USDT 4h is [\d,]+\.\d\d \((\d+\.\d % (above|below)|at the price)\) over the last "
        r"200 candles to the 2026-03-11 16:00 UTC close; price [\d,.]+ is (inside|above|below) value, [\d,.]+ to "
        r"[\d,.]+\. \*Simulated market\.\*"
    )
    assert re.fullmatch(pattern, content.splitlines()[0])
    assert f"poc = {evidence.values['poc'].text} (point of control)" in content


@pytest.mark.parametrize(("price", "place"), [(1.0, "below"), (1e7, "above")])
def test_price_outside_value_is_said_with_the_nearest_level(price: float, place: str) -> None:
    content, evidence = call(AlteredMarket(last_close(price)), symbol="BTC/USDT", timeframe="1h")
    assert f"is {place} value" in content
    side = "over" if place == "below" else "under"
    assert f"What to watch: a 1h close {side} " in content
    assert ", or a 1h close" not in content
    assert f"ccepted {place} value: " in content
    assert set(REFERENCE.findall(evidence.headline + evidence.brief)) <= set(evidence.values)


def test_nodes_naked_levels_sessions_and_average_are_told_with_their_figures() -> None:
    content, evidence = call(AlteredMarket(), symbol="BTC/USDT", timeframe="1h")
    for words in (
        "Nearest volume nodes: HVN",
        "The session's value",
        "VWAP",
        "Initial balance",
    ):
        assert words in content, words
    for name in ("yesterday_poc", "yesterday_val", "session_poc", "vwap", "balance_low", "hvn_below"):
        assert evidence.values[name].unit == "price", name
    assert evidence.values["yesterday_day"].text == "2026-03-10"
    wording = f"{evidence.headline}\n{evidence.brief}"
    assert set(REFERENCE.findall(wording)) <= set(evidence.values)
    typed = REFERENCE.sub("", wording).replace("BTC/USDT", "")
    assert re.findall(r"(?<![\w.])\d[\d.,]*(?!\w)", typed) == []


def test_candles_too_long_for_sessions_leave_them_out() -> None:
    content, evidence = call(AlteredMarket(), symbol="BTC/USDT", timeframe="1w")
    assert "session" not in content
    assert not [name for name in evidence.values if name.startswith(("session", "yesterday", "naked"))]


def test_shares_of_volume_add_up() -> None:
    market = AlteredMarket()
    _, evidence = call(market, symbol="ETH/USDT", timeframe="1h")
    candles = desk_profile(market, "ETH/USDT", "1h").lower
    rising = candles.volume[candles.close >= candles.open].sum() / candles.volume.sum() * 100
    assert evidence.values["up_share"].value == pytest.approx(rising)
    inside = evidence.values["value_share"].value
    assert isinstance(inside, float)
    assert 70 <= inside <= 85


def test_candles_without_volume_are_refused_by_name() -> None:
    silent = AlteredMarket(lambda candles: replace(candles, volume=np.zeros(len(candles))))
    with pytest.raises(InsufficientData, match="BTC/USDT has no volume in its 200 1h candles"):
        call(silent, symbol="BTC/USDT", timeframe="1h")


@pytest.mark.parametrize("lookback", [0, 9, -5, 5_001])
def test_a_lookback_out_of_range_is_refused_with_the_range(lookback: int) -> None:
    with pytest.raises(InvalidRequest, match=r"Use 10 to 5,000"):
        call(AlteredMarket(), symbol="BTC/USDT", timeframe="1h", lookback=lookback)


def test_symbol_and_timeframe_are_checked_by_their_owners() -> None:
    with pytest.raises(NotFound, match="BTCC/USDT"):
        call(AlteredMarket(), symbol="BTCC/USDT", timeframe="1h")
    with pytest.raises(InvalidRequest, match="'1y' is not a timeframe"):
        call(AlteredMarket(), symbol="BTC/USDT", timeframe="1y")


def test_the_docstring_tells_a_model_what_it_is_for_and_what_not() -> None:
    (analyze,) = volume_profile_tools(AlteredMarket())
    assert analyze.name == "analyze_volume_profile"
    assert list(analyze.args) == ["symbol", "timeframe", "lookback", "period"]
    for words in ("point of control", "analyze_cipher", "get_quote"):
        assert words in analyze.description
