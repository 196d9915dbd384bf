"""Which shorter candles stand behind a profile: the published rules, and what a market cannot give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from engines.domain.candles import CandleFrame
from engines.domain.clock import ManualClock
from engines.domain.timeframe import TIMEFRAMES, Timeframe, duration_ms
from engines.errors import InsufficientData, InvalidRequest, QuantumTraderError, VenueUnavailable
from engines.market.demo import DemoMarket
from engines.volume_profile.lower import lower_candles, profile_timeframe, session_timeframe

NOW = datetime(2026, 3, 11, 17, 20, tzinfo=UTC)
HOUR = 3_600_000


@dataclass
class PartialMarket(DemoMarket):
    """The demo market without some of its candles, keeping account of what it was asked for."""

    lacking: dict[Timeframe, QuantumTraderError] = field(default_factory=dict)
    change: Callable[[CandleFrame], CandleFrame] = lambda candles: candles
    asked: list[tuple[Timeframe, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(ManualClock(NOW))

    def closed_candles(
        self, symbol: str, timeframe: Timeframe, *, count: int = 500, as_of: datetime | None = None
    ) -> CandleFrame:
        self.asked.append((timeframe, count))
        if timeframe in self.lacking:
            raise self.lacking[timeframe]
        return self.change(super().closed_candles(symbol, timeframe, count=count, as_of=as_of))


class RemoteMarket(PartialMarket):
    """The same, reached over a network."""

    candles_per_request = 1_000


def chart(timeframe: Timeframe = "1h", count: int = 200) -> CandleFrame:
    return DemoMarket(ManualClock(NOW)).closed_candles("BTC/USDT", timeframe, count=count)


@pytest.mark.parametrize(
    ("chart_timeframe", "candles", "expected"),
    [
        ("1m", 200, "1m"),
        ("5m", 200, "1m"),
        ("5m", 999, "1m"),
        ("5m", 1_000, "5m"),
        ("15m", 200, "1m"),
        ("1h", 83, "1m"),
        ("1h", 84, "3m"),
        ("1h", 200, "3m"),
        ("1h", 1_000, "15m"),
        ("1h", 5_000, "1h"),
        ("4h", 200, "15m"),
        ("6h", 200, "15m"),
        ("1d", 200, "1h"),
        ("1w", 200, "1d"),
        ("1w", 1_000, "1w"),
    ],
)
def test_a_range_is_built_from_the_finest_timeframe_with_fewer_than_five_thousand_candles(
    chart_timeframe: Timeframe, candles: int, expected: Timeframe
) -> None:
    assert profile_timeframe(chart_timeframe, candles * duration_ms(chart_timeframe)) == expected


def test_the_range_rule_keeps_its_promise_for_every_chart_and_length() -> None:
    for timeframe in TIMEFRAMES:
        for candles in (1, 7, 99, 416, 417, 2_500, 4_999):
            span = candles * duration_ms(timeframe)
            lower = profile_timeframe(timeframe, span)
            assert duration_ms(timeframe) % duration_ms(lower) == 0
            assert span // duration_ms(lower) < 5_000


def test_sessions_are_built_from_the_published_table_with_five_minutes_for_ten() -> None:
    expected = dict(zip(TIMEFRAMES, ["1m"] * 4 + ["5m", "5m", "15m", "30m", "1h", "1h", "1h", "1h"], strict=True))
    assert {timeframe: session_timeframe(timeframe) for timeframe in TIMEFRAMES} == expected


@pytest.mark.parametrize("timeframe", ["15m", "1h", "4h", "6h", "1d", "1w"])
def test_shorter_candles_cover_exactly_the_charts_candles(timeframe: Timeframe) -> None:
    candles = chart(timeframe, 150)
    found = lower_candles(PartialMarket(), candles)
    assert found.timeframe == profile_timeframe(timeframe, 150 * duration_ms(timeframe)) != timeframe
    assert found.open_time[0] == candles.open_time[0]
    assert found.as_of == candles.as_of
    assert (found.low.min(), found.high.max()) == (candles.low.min(), candles.high.max())
    assert found.volume.sum() == pytest.approx(candles.volume.sum())


def test_they_end_with_the_chart_however_late_it_is() -> None:
    past = DemoMarket(ManualClock(NOW)).closed_candles("BTC/USDT", "1h", count=50, as_of=NOW - timedelta(days=9))
    assert lower_candles(PartialMarket(), past).as_of == past.as_of


@pytest.mark.parametrize("error", [InsufficientData("none"), InvalidRequest("no such timeframe")])
def test_a_market_without_the_finest_candles_gives_the_next_and_in_the_end_the_charts_own(
    error: QuantumTraderError,
) -> None:
    candles = chart()
    market = PartialMarket(lacking={"3m": error, "5m": error})
    assert lower_candles(market, candles).timeframe == "15m"
    assert [timeframe for timeframe, _ in market.asked] == ["3m", "5m", "15m"]
    assert lower_candles(PartialMarket(lacking=dict.fromkeys(TIMEFRAMES, error)), candles) is candles


def test_shorter_candles_with_a_hole_are_passed_over_unless_nothing_was_traded_there() -> None:
    candles = chart()
    hole = int(candles.open_time[40])

    def holed(found: CandleFrame) -> CandleFrame:
        kept = (found.open_time < hole) | (found.open_time >= hole + HOUR)
        return found if found.timeframe != "3m" else _rows(found, kept)

    assert lower_candles(PartialMarket(change=holed), candles).timeframe == "5m"
    silent = replace(candles, volume=np.where(candles.open_time == hole, 0.0, candles.volume))
    assert lower_candles(PartialMarket(change=holed), silent).timeframe == "3m"


def test_shorter_candles_that_lack_a_part_of_an_hours_volume_are_passed_over() -> None:
    candles = chart()
    hour = int(candles.open_time[40])

    def thinned(found: CandleFrame) -> CandleFrame:
        kept = (found.open_time <= hour) | (found.open_time >= hour + HOUR)
        return found if found.timeframe != "3m" else _rows(found, kept)

    assert lower_candles(PartialMarket(change=thinned), candles).timeframe == "5m"


def test_shorter_candles_that_begin_late_are_passed_over() -> None:
    def recent(found: CandleFrame) -> CandleFrame:
        return found[-720:]

    # 720 candles, all that some exchanges give, reach back 200 hours from half-hours on.
    assert lower_candles(PartialMarket(change=recent), chart()).timeframe == "30m"


PAGED: list[tuple[Timeframe, Timeframe]] = [("15m", "3m"), ("1h", "15m"), ("4h", "30m"), ("1d", "4h"), ("1w", "1d")]


@pytest.mark.parametrize(("timeframe", "expected"), PAGED)
def test_a_market_that_answers_in_pages_is_asked_once_for_two_pages_at_most(
    timeframe: Timeframe, expected: Timeframe
) -> None:
    market = RemoteMarket()
    assert lower_candles(market, chart(timeframe)).timeframe == expected
    assert [count < 2_000 for _, count in market.asked] == [True]


def test_an_exchange_that_reaches_back_720_candles_is_asked_for_no_more_than_that_again() -> None:
    def recent(found: CandleFrame) -> CandleFrame:
        return found[-720:]

    hourly, four_hourly = RemoteMarket(change=recent), RemoteMarket(change=recent)
    assert lower_candles(hourly, chart("1h")).timeframe == "30m"
    assert hourly.asked == [("15m", 800), ("30m", 400)]
    assert lower_candles(four_hourly, chart("4h")).timeframe == "4h"
    assert four_hourly.asked == [("30m", 1_600)]


def test_an_outage_is_told_and_not_taken_for_missing_candles() -> None:
    with pytest.raises(VenueUnavailable):
        lower_candles(PartialMarket(lacking={"3m": VenueUnavailable("down")}), chart())


def test_a_finer_timeframe_can_be_asked_for() -> None:
    market = PartialMarket()
    assert lower_candles(market, chart("1h", 1_000), wanted="5m").timeframe == "5m"
    assert market.asked == [("5m", 12_000)]
    assert lower_candles(RemoteMarket(), chart("1h", 1_000), wanted="5m").timeframe == "1h"


def _rows(candles: CandleFrame, kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> CandleFrame:
    names = ("open_time", "open", "high", "low", "close", "volume")
    return replace(candles, **{name: getattr(candles, name)[kept] for name in names})
