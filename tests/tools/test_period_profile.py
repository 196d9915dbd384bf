"""The profile of a stretch of time is the engine's over exactly its candles, every figure of it with its value."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import ToolMessage

from engines.chart import chart_data
from engines.domain.candles import CandleFrame
from engines.domain.clock import ManualClock
from engines.domain.evidence import Evidence
from engines.domain.timeframe import Timeframe, to_ms
from engines.errors import InsufficientData, InvalidRequest
from engines.market.demo import DemoMarket
from engines.volume_profile import DESK_PROFILE, composite_profile, compute_volume_profile
from tools.volume_profile import volume_profile_tools

NOW = datetime(2026, 3, 18, 14, 20, tzinfo=UTC)
REFERENCE = re.compile(r"\{(\w+)\}")


class HoursOnly(DemoMarket):
    """A market that has no candles shorter than an hour."""

    def closed_candles(
        self, symbol: str, timeframe: Timeframe, *, count: int = 500, as_of: datetime | None = None
    ) -> CandleFrame:
        if timeframe.endswith("m"):
            raise InsufficientData(f"no {timeframe} candles of {symbol}")
        return super().closed_candles(symbol, timeframe, count=count, as_of=as_of)


class Silent(DemoMarket):
    """A market on which nothing is traded."""

    def closed_candles(
        self, symbol: str, timeframe: Timeframe, *, count: int = 500, as_of: datetime | None = None
    ) -> CandleFrame:
        found = super().closed_candles(symbol, timeframe, count=count, as_of=as_of)
        return replace(found, volume=np.zeros(len(found)))


def call(period: dict[str, Any], *, market: DemoMarket | None = None, **arguments: Any) -> tuple[str, Evidence]:
    (analyze,) = volume_profile_tools(market or DemoMarket(ManualClock(NOW)))
    args = {"symbol": "BTC/USDT", "timeframe": "1h", "period": period} | arguments
    message = analyze.invoke({"type": "tool_call", "id": "call-1", "name": "analyze_volume_profile", "args": args})
    assert isinstance(message, ToolMessage)
    assert isinstance(message.artifact, Evidence)
    return str(message.content), message.artifact


def candles(timeframe: Timeframe, begins: str, ends: str) -> CandleFrame:
    """The demo market's candles that lie between two times."""
    market = DemoMarket(ManualClock(datetime(2026, 4, 1, tzinfo=UTC)))
    first, last = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (begins, ends))
    found = market.closed_candles("BTC/USDT", timeframe, count=20_000, as_of=last)
    return found[int(np.searchsorted(found.open_time, to_ms(first))) :]


@pytest.mark.parametrize(
    ("period", "timeframe", "begins", "ends"),
    [
        ({"kind": "session", "session": "london", "from": "yesterday"}, "5m", "2026-03-17T08:00", "2026-03-17T17:00"),
        ({"kind": "session", "session": "new_york"}, "5m", "2026-03-18T12:00", "2026-03-18T14:00"),
        ({"kind": "session", "from": "tuesday"}, "5m", "2026-03-17", "2026-03-18"),
        (
            {"kind": "session", "timezone": "America/New_York", "from": "2026-03-08"},
            "5m", "2026-03-08T05:00", "2026-03-09T04:00",
        ),
        ({"kind": "range", "from": "last week"}, "3m", "2026-03-09", "2026-03-16"),
        ({"kind": "anchored", "from": "monday"}, "1m", "2026-03-16", "2026-03-18T14:00"),
        ({"kind": "anchored", "from": "13 mar 14:00"}, "3m", "2026-03-13T14:00", "2026-03-18T14:00"),
        ({"kind": "composite", "count": 5}, "3m", "2026-03-13", "2026-03-18"),
    ],
)  # fmt: skip
def test_levels_are_those_of_the_engine_over_exactly_that_time(
    period: dict[str, Any], timeframe: Timeframe, begins: str, ends: str
) -> None:
    _, evidence = call(period)
    part = candles(timeframe, begins, ends)
    profile = compute_volume_profile(part, DESK_PROFILE)
    assert evidence.parameters["built_from"] == timeframe
    for name in ("poc", "vah", "val"):
        assert evidence.values[name].value == pytest.approx(getattr(profile, name), rel=1e-12)
    price = (part.high + part.low + part.close) / 3
    assert evidence.values["vwap"].value == pytest.approx(float((price * part.volume).sum() / part.volume.sum()))
    assert evidence.values["from"].value == f"{begins if 'T' in begins else begins + 'T00:00'}:00+00:00"
    assert evidence.values["to"].value == f"{ends if 'T' in ends else ends + 'T00:00'}:00+00:00"


def test_a_composite_of_sessions_holds_their_hours_and_no_others() -> None:
    _, evidence = call({"kind": "composite", "count": 2, "session": "london"})
    parts = [candles("1m", f"2026-03-{day}T08:00", f"2026-03-{day}T17:00") for day in (16, 17)]
    profile = composite_profile(parts, DESK_PROFILE)
    assert [evidence.values[name].value for name in ("poc", "val", "vah")] == [profile.poc, profile.val, profile.vah]
    assert evidence.chart is None


def test_yesterday_asked_for_by_name_is_yesterday_of_the_usual_answer() -> None:
    _, usual = call({"kind": "session"})
    (analyze,) = volume_profile_tools(DemoMarket(ManualClock(NOW)))
    for timeframe in ("15m", "1h", "4h"):
        args = {"symbol": "BTC/USDT", "timeframe": timeframe}
        message = analyze.invoke({"type": "tool_call", "id": "1", "name": "analyze_volume_profile", "args": args})
        _, named = call({"kind": "session", "from": "yesterday"}, timeframe=timeframe)
        for level in ("poc", "val", "vah"):
            assert named.values[level].value == message.artifact.values[f"yesterday_{level}"].value, timeframe
    assert usual.values["poc"].value != named.values["poc"].value


def test_todays_letters_are_those_of_the_usual_answer() -> None:
    (analyze,) = volume_profile_tools(DemoMarket(ManualClock(NOW)))
    args = {"symbol": "BTC/USDT", "timeframe": "1h"}
    message = analyze.invoke({"type": "tool_call", "id": "1", "name": "analyze_volume_profile", "args": args})
    _, today = call({"kind": "session", "from": "today"})
    for name in ("balance_low", "balance_high"):
        assert today.values[name].value == message.artifact.values[name].value
    if "single_low" in message.artifact.values:
        assert today.values["single_low"].value == message.artifact.values["single_low"].value


TIMEFRAME_MINUTES = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "30m": 30, "1h": 60}

CHARTED: list[dict[str, Any]] = [
    *({"kind": "range", "from": said} for said in ("last week", "this month", "this morning", "november", "last 3d")),
    {"kind": "anchored", "from": "monday"},
    {"kind": "anchored", "from": "14:07"},
    {"kind": "composite", "count": 7},
    {"kind": "session", "session": "london"},
    {"kind": "session", "session": "london", "from": "yesterday"},
    {"kind": "session", "session": "new_york", "from": "yesterday"},
]


@pytest.mark.parametrize("period", CHARTED)
@pytest.mark.parametrize("timeframe", ["15m", "1h", "1d"])
def test_the_chart_that_comes_with_it_shows_the_same_profile_or_none_comes(
    period: dict[str, Any], timeframe: str
) -> None:
    _, evidence = call(period, timeframe=timeframe)
    if evidence.chart is None:
        return
    chart = chart_data(
        DemoMarket(ManualClock(NOW)),
        evidence.chart["symbol"],
        evidence.chart["timeframe"],
        as_of=datetime.fromisoformat(evidence.chart["as_of"]),
        count=evidence.chart["limit"],
    )
    shown = chart["volume_profile"]
    assert [shown[name] for name in ("poc", "val", "vah")] == [
        evidence.values[name].value for name in ("poc", "val", "vah")
    ]
    assert 20 <= evidence.chart["limit"] <= 1000


@pytest.mark.parametrize("session", ["london", "new_york"])
def test_a_session_that_is_over_comes_with_a_chart_of_that_session_alone(session: str) -> None:
    _, evidence = call({"kind": "session", "session": session, "from": "yesterday"})
    assert evidence.chart is not None
    assert evidence.chart["as_of"] == evidence.values["to"].value
    length = TIMEFRAME_MINUTES[evidence.chart["timeframe"]] * evidence.chart["limit"]
    begins, ends = (datetime.fromisoformat(str(evidence.values[name].value)) for name in ("from", "to"))
    assert (ends - begins).total_seconds() == 60 * length


def test_last_week_comes_with_its_own_chart() -> None:
    _, evidence = call({"kind": "range", "from": "last week"})
    assert evidence.chart == {
        "symbol": "BTC/USDT", "timeframe": "1h", "as_of": "2026-03-16T00:00:00+00:00", "limit": 168,
    }  # fmt: skip


@pytest.mark.parametrize(
    "period",
    [
        {"kind": "session", "session": "london", "from": "yesterday"},
        {"kind": "range", "from": "last week"},
        {"kind": "composite"},
    ],
)
def test_every_figure_is_a_reference_and_every_reference_has_its_value(period: dict[str, Any]) -> None:
    content, evidence = call(period)
    wording = f"{evidence.headline}\n{evidence.brief}"
    assert set(REFERENCE.findall(wording)) <= set(evidence.values)
    typed = re.sub(r"`[^`]*`|\d\d:\d\d|\d+m\b", "", REFERENCE.sub("", wording))
    assert re.findall(r"(?<![\w.])\d[\d.,]*(?!\w)", typed) == []
    assert content.splitlines()[0].startswith("The point of control of BTC/USDT ")
    assert evidence.arguments["period"] == period


def test_what_is_traded_later_changes_nothing_of_a_time_that_is_over() -> None:
    later = DemoMarket(ManualClock(datetime(2026, 3, 20, 9, tzinfo=UTC)))
    for period in (
        {"kind": "session", "session": "london", "from": "2026-03-17"},
        {"kind": "range", "from": "2026-03-09", "to": "2026-03-15"},
    ):
        (_, now), (_, then) = call(period), call(period, market=later)
        assert [now.values[name].value for name in ("poc", "val", "vah", "vwap")] == [
            then.values[name].value for name in ("poc", "val", "vah", "vwap")
        ]


def test_a_market_of_hours_answers_from_hours() -> None:
    market = HoursOnly(ManualClock(NOW))
    _, evidence = call({"kind": "session", "session": "london", "from": "yesterday"}, market=market)
    assert evidence.parameters["built_from"] == "1h"
    assert (evidence.values["from"].text, evidence.values["to"].text) == (
        "2026-03-17 08:00 UTC",
        "2026-03-17 17:00 UTC",
    )
    _, morning = call({"kind": "range", "from": "this morning"}, market=market)
    assert (morning.parameters["built_from"], morning.chart) == ("1h", None)


def test_a_time_without_volume_or_candles_is_refused_by_name() -> None:
    with pytest.raises(InsufficientData, match="BTC/USDT"):
        call({"kind": "session", "from": "yesterday"}, market=Silent(ManualClock(NOW)))
    with pytest.raises(InsufficientData, match="BTC/USDT"):
        call({"kind": "range", "from": "last week"}, market=Silent(ManualClock(NOW)))
    with pytest.raises(InsufficientData, match="in the New York session of 2026-03-18 so far"):
        call({"kind": "session", "session": "new_york"}, market=HoursOnly(ManualClock(NOW.replace(hour=12))))


def test_a_lookback_and_a_period_are_not_both_honoured() -> None:
    with pytest.raises(InvalidRequest, match="not both"):
        call({"kind": "range", "from": "last week"}, lookback=50)


def test_a_model_sees_the_period_as_typed_fields() -> None:
    (analyze,) = volume_profile_tools(DemoMarket(ManualClock(NOW)))
    schema = str(analyze.tool_call_schema.model_json_schema())  # type: ignore[union-attr]
    for words in ("'from'", "'to'", "'new_york'", "'anchored'", "'composite'", "'timezone'", "'count'"):
        assert words in schema
