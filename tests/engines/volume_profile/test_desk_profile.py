"""The desk's profiles: of the chart's candles, from the shorter candles behind them, known at that time."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from engines.domain.clock import ManualClock
from engines.domain.timeframe import Timeframe
from engines.errors import InsufficientData, InvalidRequest, NotFound
from engines.market.demo import DemoMarket
from engines.market.fixed import FixedMarket
from engines.volume_profile.desk import desk_naked_pocs, desk_profile, desk_sessions
from engines.volume_profile.lower import session_candles
from engines.volume_profile.naked import naked_pocs
from engines.volume_profile.params import ProfileParams
from engines.volume_profile.profile import DESK_PROFILE, VolumeProfile, compute_volume_profile
from engines.volume_profile.sessions import session_profiles
from engines.volume_profile.summary import weighed_levels

NOW = datetime(2026, 3, 11, 17, 20, tzinfo=UTC)


@pytest.fixture
def demo() -> DemoMarket:
    return DemoMarket(ManualClock(NOW))


def assert_same(one: VolumeProfile, other: VolumeProfile) -> None:
    for each in fields(VolumeProfile):
        if each.name != "candles":
            np.testing.assert_array_equal(getattr(one, each.name), getattr(other, each.name), err_msg=each.name)


@pytest.mark.parametrize(("timeframe", "built_from"), [("15m", "1m"), ("1h", "3m"), ("4h", "15m"), ("1w", "1d")])
def test_a_desk_profile_spreads_the_shorter_candles_and_is_read_against_the_charts(
    timeframe: Timeframe, built_from: Timeframe, demo: DemoMarket
) -> None:
    desk = desk_profile(demo, "BTC/USDT", timeframe)
    assert (desk.timeframe, desk.built_from, len(desk.candles)) == (timeframe, built_from, 200)
    assert_same(desk.profile, compute_volume_profile(desk.lower, DESK_PROFILE))
    assert desk.profile.candles is desk.candles
    assert desk.profile.total_volume == pytest.approx(desk.candles.volume.sum())


def test_candles_at_hand_are_not_asked_for_again(demo: DemoMarket) -> None:
    candles = demo.closed_candles("BTC/USDT", "1h", count=150, as_of=NOW - timedelta(days=3))
    given = desk_profile(demo, "BTC/USDT", "1h", candles=candles)
    assert given.candles is candles
    assert_same(given.profile, desk_profile(demo, "BTC/USDT", "1h", as_of=candles.as_of, count=150).profile)


def test_nothing_after_as_of_is_in_a_profile_a_session_or_a_naked_level(demo: DemoMarket) -> None:
    as_of = NOW - timedelta(days=2, hours=5)
    later, then = (DemoMarket(ManualClock(now)) for now in (NOW, as_of))
    ours, theirs = (desk_profile(market, "ETH/USDT", "4h", as_of=as_of) for market in (later, then))
    assert_same(ours.profile, theirs.profile)
    found, expected = (desk_sessions(market, desk) for market, desk in ((later, ours), (then, theirs)))
    assert [(each.name, each.poc, each.complete) for each in found.sessions] == [
        (each.name, each.poc, each.complete) for each in expected.sessions
    ]
    assert desk_naked_pocs(found) == desk_naked_pocs(expected)
    assert found.candles.as_of <= as_of


def test_a_market_with_one_timeframe_is_profiled_from_its_own_candles() -> None:
    market = DemoMarket(ManualClock(NOW))
    own = FixedMarket(market.instruments(), ManualClock(NOW))
    candles = market.closed_candles("BTC/USDT", "1h", count=30)
    for row in range(30):
        prices = tuple(float(getattr(candles, name)[row]) for name in ("open", "high", "low", "close"))
        opened = candles.as_of - timedelta(hours=30 - row)
        own.set_ohlc("BTC/USDT", opened, (prices[0], prices[1], prices[2], prices[3]), "1h")
    desk = desk_profile(own, "BTC/USDT", "1h")
    assert desk.built_from == "1h"
    assert desk.lower is desk.candles
    assert_same(desk.profile, compute_volume_profile(desk.candles, DESK_PROFILE))
    assert desk_sessions(own, desk).built_from == "1h"


def test_sessions_come_from_the_profiles_candles_where_they_are_as_long_as_sessions_want(demo: DemoMarket) -> None:
    desk = desk_profile(demo, "BTC/USDT", "15m")
    sessions = desk_sessions(demo, desk, timezone="America/New_York", session_start="09:30")
    assert sessions.candles is desk.lower
    expected = session_profiles(desk.lower, DESK_PROFILE, timezone="America/New_York", session_start="09:30")
    assert [(each.name, each.poc) for each in sessions.sessions] == [(each.name, each.poc) for each in expected]


@pytest.mark.parametrize(
    ("timeframe", "shortest", "built_from"), [("15m", 320, "1m"), ("1h", 90, "5m"), ("4h", 60, "30m"), ("1d", 60, "1h")]
)
def test_the_levels_of_a_finished_session_do_not_move_with_the_number_of_candles(
    timeframe: Timeframe, shortest: int, built_from: Timeframe, demo: DemoMarket
) -> None:
    found = []
    for count in (shortest, 400, 1_500):
        sessions = desk_sessions(demo, desk_profile(demo, "BTC/USDT", timeframe, count=count))
        assert sessions.built_from == built_from
        finished = {
            each.name: (each.profile.poc, each.profile.vah, each.profile.val)
            for each in sessions.sessions
            if each.complete and each.profile
        }
        found.append((finished, {each.session: each.price for each in desk_naked_pocs(sessions)}))
    few = found[0]
    assert len(few[0]) >= 2
    for many in found[1:]:
        assert few[0].items() <= many[0].items()
        assert few[1].items() <= many[1].items()
        assert {name: price for name, price in many[1].items() if name in few[0]} == few[1]


def test_too_many_candles_leave_out_old_sessions_instead_of_blurring_them(demo: DemoMarket) -> None:
    candles = demo.closed_candles("BTC/USDT", "1h", count=200)
    whole, few = session_candles(demo, candles), session_candles(demo, candles, most=1_000)
    assert (whole.timeframe, len(whole), few.timeframe, len(few)) == ("5m", 2_400, "5m", 996)
    # A part of the first hour is left out with it.
    assert few.open_time.tolist() == whole.open_time[-996:].tolist()
    # Less than three days would lose yesterday.
    assert session_candles(demo, candles, most=600).timeframe == "15m"


def test_charts_without_days_have_no_sessions(demo: DemoMarket) -> None:
    assert desk_sessions(demo, desk_profile(demo, "BTC/USDT", "1w")).sessions == ()


def test_the_average_of_a_day_counts_what_lies_before_the_charts_first_candle(demo: DemoMarket) -> None:
    few, many = (desk_profile(demo, "BTC/USDT", "1m", count=count) for count in (200, 2_000))
    assert few.lower is few.candles
    assert few.averaged.open_time[-200:].tolist() == few.candles.open_time.tolist()
    instrument = demo.instrument("BTC/USDT")
    averages = [weighed_levels(desk, instrument).average for desk in (few, many)]
    assert averages[0] == averages[1]


def test_naked_levels_are_those_of_complete_sessions_that_price_has_not_come_back_to(demo: DemoMarket) -> None:
    desk = desk_profile(demo, "BTC/USDT", "4h")
    sessions = desk_sessions(demo, desk)
    found = desk_naked_pocs(sessions)
    assert found == tuple(each for each in naked_pocs(sessions.candles, sessions.sessions) if each.naked)
    assert found
    for each in found:
        after = sessions.candles.open_time >= each.born.timestamp() * 1000
        assert not np.any((sessions.candles.low[after] <= each.price) & (each.price <= sessions.candles.high[after]))
    assert sessions.sessions[0].name not in {each.session for each in found}


def test_what_cannot_be_profiled_is_refused(demo: DemoMarket) -> None:
    with pytest.raises(NotFound):
        desk_profile(demo, "BTCC/USDT", "1h")
    with pytest.raises(InvalidRequest, match="Mars"):
        desk_sessions(demo, desk_profile(demo, "BTC/USDT", "1h"), timezone="Mars")
    with pytest.raises(InsufficientData):
        desk_profile(demo, "BTC/USDT", "1h", as_of=datetime(2000, 1, 1, tzinfo=UTC))
    coarse = desk_profile(demo, "BTC/USDT", "1h", params=ProfileParams(rows=7))
    assert len(coarse.profile.volume_by_row) == 7
