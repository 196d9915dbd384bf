"""Levels in a trader's words: what is weighed, what is told, and that every figure is a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.candles import CandleFrame
from engines.domain.clock import ManualClock
from engines.domain.signals import Reason, fill
from engines.domain.timeframe import TIMEFRAMES, Timeframe
from engines.market.demo import DemoMarket
from engines.market.fixed import FixedMarket
from engines.volume_profile.acceptance import Acceptance, read_acceptance
from engines.volume_profile.desk import DeskProfile, desk_profile
from engines.volume_profile.profile import DESK_PROFILE, compute_volume_profile
from engines.volume_profile.reading import read_levels
from engines.volume_profile.summary import Levels, desk_levels, weighed_levels
from engines.volume_profile.telling import tell_levels
from tests.engines.templates import listed

Build = Callable[..., CandleFrame]
NOW = datetime(2026, 3, 11, 17, 20, tzinfo=UTC)
COIN = listed(
    quote="USD", lot_size=Decimal("0.001"), min_notional=Decimal(1), maker_fee=Decimal(0), taker_fee=Decimal(0)
)


def closes(*prices: float, high: float = 0.0, low: float = 1e9) -> CandleFrame:
    """Candles without wicks that open where the one before closed; the last but one may reach further."""
    close = np.array(prices)
    open_ = np.concatenate((close[:1], close[:-1]))
    highs, lows = np.maximum(open_, close), np.minimum(open_, close)
    highs[-2], lows[-2] = max(highs[-2], high), min(lows[-2], low)
    times = np.arange(len(close), dtype=np.int64) * 3_600_000
    volume = np.ones(len(close))
    return CandleFrame("BTC/USD", "1h", "files", False, times, open_, highs, lows, close, volume)  # noqa: FBT003


def acceptance(*prices: float, high: float = 0.0, low: float = 1e9) -> Acceptance:
    return read_acceptance(closes(*prices, high=high, low=low), 90.0, 110.0)


@pytest.mark.parametrize(
    ("prices", "place", "in_a_row", "accepted"),
    [
        ((100, 111, 112, 113), "above", 3, True),
        ((100, 111, 100, 112, 113), "above", 2, False),
        ((100, 85, 84, 83, 82), "below", 4, True),
        ((111, 85), "below", 1, False),
    ],
)
def test_three_closes_in_a_row_outside_value_are_acceptance(
    prices: tuple[float, ...], place: str, in_a_row: int, *, accepted: bool
) -> None:
    found = acceptance(*prices)
    assert (found.place, found.closes, found.accepted, found.left) == (place, in_a_row, accepted, None)


def test_a_wick_through_an_edge_and_a_close_back_inside_is_an_excursion() -> None:
    found = acceptance(100, 101, 102, 103, 104, high=113)
    assert (found.place, found.closes, found.left, found.furthest, found.age) == ("inside", 5, "above", 113, 1)
    assert not found.accepted
    under = acceptance(100, 101, 102, 103, 104, low=87)
    assert (under.left, under.furthest, under.age) == ("below", 87, 1)


def test_an_excursion_with_three_closes_outside_was_accepted_there() -> None:
    found = acceptance(100, 112, 113, 114, 105, 104)
    # The candle that closes back inside opens outside: it is the last one out there.
    assert (found.left, found.furthest, found.age, found.accepted, found.closes) == ("above", 114, 1, True, 2)


def test_an_excursion_longer_than_twelve_candles_ago_tells_nothing() -> None:
    assert acceptance(100, 112, *[100.0] * 12).left == "above"
    assert acceptance(100, 112, *[100.0] * 13).left is None


def test_a_candle_through_both_edges_came_from_the_one_further_from_its_close() -> None:
    assert acceptance(100, 100, 105, 105, high=111, low=89).left == "below"
    assert acceptance(100, 100, 95, 95, high=111, low=89).left == "above"


def levels_of(candles: CandleFrame) -> Levels:
    desk = DeskProfile(compute_volume_profile(candles, DESK_PROFILE), candles, candles)
    return weighed_levels(desk, COIN)


def weighed(levels: Levels) -> dict[str, Reason]:
    return {reason.name: reason for reason in read_levels(levels).reasons}


def around(*last: float, high: float = 0.0, low: float = 1e9) -> CandleFrame:
    """Hours of trade between 95 and 105, which make value, and then these closes."""
    return closes(*[100 + 5 * np.sin(step) for step in range(150)], *last, high=high, low=low)


def test_price_above_value_that_is_accepted_speaks_for_a_rise_with_all_its_weight() -> None:
    found = weighed(levels_of(around(107, 108, 109, 110)))
    assert {name: reason.weight for name, reason in found.items()} == {"value": 0.1, "acceptance": 0.05, "vwap": 0.05}
    assert found["acceptance"].spoken().startswith("accepted above value: 4 closes in a row over 10")
    assert found["value"].spoken().startswith("price 110.00 is above value, which ends at 10")
    assert found["vwap"].spoken().startswith("price is over the session's VWAP 10")
    assert fill(found["acceptance"].turns, found["acceptance"].values).startswith("a close back inside value, under 10")


def test_the_first_close_outside_value_is_not_yet_acceptance() -> None:
    found = weighed(levels_of(around(100, 90)))
    assert (found["value"].weight, found["acceptance"].weight) == (-0.1, 0.0)
    assert found["acceptance"].spoken().startswith("not yet accepted below value: 1 close in a row under 9")


def test_a_wick_over_value_that_closes_back_inside_is_rejection_and_speaks_against_a_rise() -> None:
    found = weighed(levels_of(around(100, 100, 101, 101, high=112)))
    assert found["acceptance"].weight == -0.05
    assert re.fullmatch(
        r"rejected above value: traded up to 112.00 and closed back under 10\d\.\d\d, last out there 1 candle ago",
        found["acceptance"].spoken(),
    )


def test_a_return_into_value_after_a_stay_below_speaks_for_a_rise() -> None:
    found = weighed(levels_of(around(92, 91, 90, 89, 99, 100)))
    assert found["acceptance"].weight == 0.05
    assert found["acceptance"].spoken() == (
        "back inside value from below: 2 closes in a row after 89.00, last out there 1 candle ago"
    )


def test_price_on_the_average_and_the_point_of_control_leans_nowhere() -> None:
    signal = read_levels(levels_of(closes(*[100.0] * 30)))
    assert signal.strength == 0
    assert {reason.name for reason in signal.reasons} == {"value", "vwap"}
    assert "acceptance" not in weighed(levels_of(closes(*[100.0] * 30)))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(2, 120))
def test_a_reading_of_levels_stays_within_a_fifth_and_half_of_it_is_the_place_in_value(
    seed: int, count: int, random_frame: Build
) -> None:
    candles = random_frame(seed, count=count)
    candles = replace(candles, volume=candles.volume + 1.0)
    levels = levels_of(candles)
    signal = read_levels(levels)
    assert -0.2 <= signal.strength <= 0.2
    assert signal.confirmed_at == candles.as_of
    (value,) = [reason for reason in signal.reasons if reason.name == "value"]
    profile, close = levels.desk.profile, levels.close
    if profile.val <= close <= profile.vah:
        assert value.weight == pytest.approx(0.05 * np.sign(close - profile.poc) * (abs(value.weight) > 0))
        assert value.weight or abs(close - profile.poc) <= 0.0005 * close
    else:
        assert value.weight == (0.10 if close > profile.vah else -0.10)
    assert all(np.isfinite(float(str(each.value))) for each in value.values.values())


def every_reason() -> Iterator[Reason]:
    for day in range(0, 60, 5):
        demo = DemoMarket(ManualClock(NOW - timedelta(days=day, hours=day % 24)))
        for instrument in demo.instruments()[:3]:
            for timeframe in ("15m", "1h", "4h"):
                levels = desk_levels(demo, desk_profile(demo, instrument.symbol, timeframe), instrument)
                yield from (*read_levels(levels).reasons, *tell_levels(levels))


def test_every_figure_in_words_is_a_value_with_a_label_and_no_name_stands_for_two_things() -> None:
    names: set[str] = set()
    for reason in every_reason():
        for text in (reason.text, reason.turns):
            assert not re.search(r"\d", re.sub(r"\{\w+\}", "", text)), text
            assert set(re.findall(r"\{(\w+)\}", text)) <= set(reason.values)
        assert "{" not in reason.spoken()
        assert all(value.label and value.text for value in reason.values.values())
        names.add(reason.name)
    assert names == {
        *("value", "acceptance", "vwap"),
        *("nodes", "naked", "drift", "migration", "balance", "single_prints", "extremes"),
    }


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
def test_one_value_of_a_name_is_meant_by_all_reasons_on_every_timeframe(timeframe: Timeframe) -> None:
    demo = DemoMarket(ManualClock(NOW))
    instrument = demo.instrument("DOGE/USDT")
    levels = desk_levels(demo, desk_profile(demo, "DOGE/USDT", timeframe), instrument)
    merged: dict[str, object] = {}
    for reason in (*read_levels(levels).reasons, *tell_levels(levels)):
        assert reason.name in {"value", "acceptance", "vwap"} or reason.weight == 0
        for name, value in reason.values.items():
            assert merged.setdefault(name, value) == value, name
    assert ("session_poc" in merged) == (timeframe != "1w")


def three_days() -> Iterator[tuple[datetime, float, float]]:
    """Half-hours of a market that jumps from 100 to 110 to 118, with the low and high of each."""
    opened = datetime(2026, 2, 28, tzinfo=UTC)
    ranges = [(99.0, 101.0)] * 48 + [(109.0, 111.0)] * 48 + [(110.5, 112.5)] * 2 + [(112.0, 118.0)]
    for low, high in [*ranges, *[(117.0, 119.0)] * 29]:
        yield opened, low, high
        opened += timedelta(minutes=30)


@pytest.fixture
def by_hand() -> Levels:
    market = FixedMarket((COIN,), ManualClock(datetime(2026, 3, 2, 16, 0, tzinfo=UTC)))
    for opened, low, high in three_days():
        market.set_candle("BTC/USD", opened, low, high, "30m")
        if opened.minute == 0:
            first = (low, high)
        else:
            market.set_candle("BTC/USD", opened - timedelta(minutes=30), min(low, first[0]), max(high, first[1]), "1h")
    return desk_levels(market, desk_profile(market, "BTC/USD", "1h"), COIN)


def test_the_days_of_a_market_by_hand_are_told_as_a_trader_would(by_hand: Levels) -> None:
    assert by_hand.desk.built_from == "30m"
    told = {reason.name: reason.spoken() for reason in tell_levels(by_hand)}
    assert told["naked"] == "nearest naked points of control: 109.99 (6.8 % below) of 2026-03-01"
    assert told["balance"] == "initial balance 110.50 to 112.50, extended upward only"
    assert told["single_prints"].startswith("nearest single prints of the session 112.55 to 117.00 (")
    assert "a poor high of the session so far at 119.00 (0.8 % above)" in told["extremes"]
    assert "a poor low of the session before at 109.00" in told["extremes"]
    assert "a poor high of the session before" not in told["extremes"]
    assert "lies wholly above that of the session before" in told["migration"]
    assert re.fullmatch(
        r"the session's point of control moved up from 11\d\.\d\d to 11[78]\.\d\d at 2026-03-02 0\d:\d\d UTC",
        told["drift"],
    )


def test_a_freak_candle_makes_coarser_rows_and_keeps_no_other_level_from_being_told() -> None:
    demo = DemoMarket(ManualClock(NOW))
    desk = desk_profile(demo, "BTC/USDT", "1h")
    high = desk.lower.high.copy()
    high[-1] = 1e7
    lower = replace(desk.lower, high=high)
    freak = DeskProfile(compute_volume_profile(lower, DESK_PROFILE), desk.candles, lower)
    levels = desk_levels(demo, freak, demo.instrument("BTC/USDT"))
    assert levels.letters is not None
    assert len(levels.letters.counts) <= 1_001
    assert {"drift", "balance"} <= {reason.name for reason in tell_levels(levels)}


def test_a_chart_of_weeks_has_no_sessions_to_tell_of() -> None:
    demo = DemoMarket(ManualClock(NOW))
    levels = desk_levels(demo, desk_profile(demo, "BTC/USDT", "1w"), demo.instrument("BTC/USDT"))
    assert levels.sessions is None
    assert {reason.name for reason in tell_levels(levels)} <= {"nodes"}


def test_levels_known_at_a_time_do_not_change_when_more_candles_come() -> None:
    as_of = NOW - timedelta(days=4, hours=2)
    told = []
    for now in (as_of, NOW):
        demo = DemoMarket(ManualClock(now))
        levels = desk_levels(demo, desk_profile(demo, "BTC/USDT", "1h", as_of=as_of), demo.instrument("BTC/USDT"))
        told.append([reason.spoken() for reason in (*read_levels(levels).reasons, *tell_levels(levels))])
    assert told[0] == told[1]
