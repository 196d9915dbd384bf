"""Sessions by local time, and profiles of parts: of a session, from an anchor, of several days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from engines.domain.candles import CandleFrame
from engines.domain.timeframe import Timeframe, duration_ms, to_ms
from engines.errors import InsufficientData, InvalidRequest
from engines.volume_profile import (
    ProfileParams,
    anchored_profile,
    composite_profile,
    compute_volume_profile,
    find_sessions,
    session_profiles,
)

Build = Callable[..., CandleFrame]
GRID = ProfileParams(rows=None, row_height=0.5)


@pytest.fixture(scope="session")
def from_time(random_frame: Build) -> Build:
    """Candles of a random walk that follow each other from a time on."""

    def build(first: datetime, count: int, timeframe: Timeframe = "1h") -> CandleFrame:
        times = to_ms(first) + np.arange(count, dtype=np.int64) * duration_ms(timeframe)
        return replace(random_frame(5, count=count), open_time=times, timeframe=timeframe)

    return build


def test_a_day_is_23_hours_long_when_the_clocks_go_forward_and_25_when_they_go_back(from_time: Build) -> None:
    for first, hours in (
        (datetime(2026, 3, 7, 5, tzinfo=UTC), [24, 23, 24]),
        (datetime(2026, 10, 31, 4, tzinfo=UTC), [24, 25, 24]),
    ):
        candles = from_time(first, 72)
        found = find_sessions(candles, timezone="America/New_York")[:3]
        assert [session.last_row - session.first_row + 1 for session in found[:2]] == hours[:2]
        assert [(session.closes - session.opens) // timedelta(hours=1) for session in found] == hours
        assert found[0].opens == first
        assert [session.opens.tzinfo for session in found] == [UTC] * 3


def test_sessions_begin_at_the_local_time_of_day_that_is_asked_for(from_time: Build) -> None:
    candles = from_time(datetime(2026, 1, 5, tzinfo=UTC), 48, "30m")
    found = find_sessions(candles, timezone="Asia/Kolkata", session_start="09:15")
    # 09:15 in Kolkata is 03:45 UTC: the candle that opens at 03:30 belongs to the day before.
    assert [(session.name, session.first_row, session.last_row) for session in found] == [
        ("2026-01-04", 0, 7),
        ("2026-01-05", 8, 47),
    ]
    assert found[1].opens == datetime(2026, 1, 5, 3, 45, tzinfo=UTC)
    assert [session.complete for session in found] == [False, False]


def test_a_time_of_day_that_the_clocks_skip_opens_the_session_as_much_later(from_time: Build) -> None:
    candles = from_time(datetime(2026, 3, 7, tzinfo=UTC), 72)
    opens = {
        session.name: session.opens
        for session in find_sessions(candles, timezone="America/New_York", session_start="02:30")
    }
    assert opens["2026-03-07"] == datetime(2026, 3, 7, 7, 30, tzinfo=UTC)
    assert opens["2026-03-08"] == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
    assert opens["2026-03-09"] == datetime(2026, 3, 9, 6, 30, tzinfo=UTC)


def test_every_candle_belongs_to_one_session_and_days_without_candles_make_none(from_time: Build) -> None:
    candles = from_time(datetime(2026, 1, 2, 3, tzinfo=UTC), 200)
    weekday = (candles.open_time // 86_400_000 + 3) % 7 < 5
    columns = {
        name: getattr(candles, name)[weekday] for name in ("open_time", "open", "high", "low", "close", "volume")
    }
    candles = replace(candles, **columns)
    found = find_sessions(candles)
    assert [row for session in found for row in range(session.first_row, session.last_row + 1)] == list(
        range(len(candles))
    )
    assert [session.name for session in found] == ["2026-01-02", *(f"2026-01-0{day}" for day in range(5, 10))]
    assert [session.complete for session in found] == [False, True, True, True, True, True]


def test_the_running_session_and_one_cut_off_at_its_beginning_are_not_complete(from_time: Build) -> None:
    candles = from_time(datetime(2026, 1, 5, 0, tzinfo=UTC), 71)
    assert [session.complete for session in find_sessions(candles)] == [True, True, False]
    assert [session.complete for session in find_sessions(candles[1:])] == [False, True, False]
    whole = from_time(datetime(2026, 1, 5, 0, tzinfo=UTC), 72)
    assert [session.complete for session in find_sessions(whole)] == [True, True, True]


def test_a_session_is_the_same_however_many_candles_follow(from_time: Build) -> None:
    candles = from_time(datetime(2026, 1, 5, 0, tzinfo=UTC), 200)
    early, late = session_profiles(candles[:48], GRID), session_profiles(candles, GRID)
    for session, same in zip(early, late[:2], strict=True):
        assert (session.name, session.opens, session.closes, session.complete) == (
            same.name,
            same.opens,
            same.closes,
            same.complete,
        )
        assert session.profile is not None
        assert same.profile is not None
        assert np.array_equal(session.profile.volume_by_row, same.profile.volume_by_row)


def test_a_session_without_volume_has_no_profile(from_time: Build) -> None:
    candles = from_time(datetime(2026, 1, 5, 0, tzinfo=UTC), 48)
    silent = replace(candles, volume=np.where(np.arange(48) < 24, 0.0, 1.0))
    first, second = session_profiles(silent, GRID)
    assert (first.profile, first.poc) == (None, None)
    assert second.profile is not None
    assert second.poc == second.profile.poc


def test_rows_of_all_sessions_lie_on_one_grid(from_time: Build) -> None:
    for session in session_profiles(from_time(datetime(2026, 1, 5, 0, tzinfo=UTC), 200), GRID):
        assert session.profile is not None
        assert session.profile.base % 0.5 == 0


def test_a_composite_is_the_sum_of_its_sessions_rows(from_time: Build) -> None:
    candles = from_time(datetime(2026, 1, 5, 0, tzinfo=UTC), 120)
    sessions = session_profiles(candles, GRID)
    chosen = [sessions[index].profile for index in (0, 2, 4)]
    parts = [profile for profile in chosen if profile is not None]
    composite = composite_profile([profile.candles for profile in parts], GRID)
    summed = np.zeros(len(composite.volume_by_row))
    for profile in parts:
        first = round((profile.base - composite.base) / 0.5)
        summed[first : first + len(profile.volume_by_row)] += profile.volume_by_row
    # A price on a session's top edge is in its last row, and in the row above where the composite goes on.
    assert np.cumsum(composite.volume_by_row) == pytest.approx(np.cumsum(summed), rel=1e-9)
    assert composite.total_volume == pytest.approx(sum(profile.total_volume for profile in parts))
    assert len(composite.candles) == 72


def test_parts_that_do_not_belong_together_make_no_composite(from_time: Build) -> None:
    candles = from_time(datetime(2026, 1, 5, 0, tzinfo=UTC), 48)
    # A real market's volume and a simulated one's are not added up, nor two markets'.
    for other in ({"symbol": "ETH/USD"}, {"timeframe": "30m"}, {"market": "another"}, {"simulated": True}):
        with pytest.raises(InvalidRequest, match="do not make one profile"):
            composite_profile([candles[:24], replace(candles[24:], **other)], GRID)
    with pytest.raises(InvalidRequest, match="does not come after the row before it"):
        composite_profile([candles[:30], candles[24:]], GRID)
    with pytest.raises(InsufficientData, match="there is no part"):
        composite_profile([], GRID)


def test_an_anchored_profile_holds_what_was_traded_from_the_anchor_on(from_time: Build) -> None:
    candles = from_time(datetime(2026, 1, 5, 0, tzinfo=UTC), 48)
    anchored = anchored_profile(candles, datetime(2026, 1, 5, 6, 30, tzinfo=UTC), GRID)
    assert np.array_equal(anchored.candles.open_time, candles.open_time[7:])
    assert np.array_equal(anchored.volume_by_row, compute_volume_profile(candles[7:], GRID).volume_by_row)
    exact = anchored_profile(candles, datetime(2026, 1, 5, 7, tzinfo=UTC), GRID)
    assert len(exact.candles) == 41
    with pytest.raises(InsufficientData, match="from 2026-01-07 00:00 UTC on"):
        anchored_profile(candles, datetime(2026, 1, 7, tzinfo=UTC), GRID)
    with pytest.raises(InvalidRequest, match="has no time zone"):
        anchored_profile(candles, datetime(2026, 1, 5), GRID)  # noqa: DTZ001


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "EST5EDT4"])
def test_an_unknown_time_zone_is_refused(zone: str, from_time: Build) -> None:
    with pytest.raises(InvalidRequest, match="not a time zone"):
        find_sessions(from_time(datetime(2026, 1, 5, tzinfo=UTC), 24), timezone=zone)


@pytest.mark.parametrize("start", ["9", "24:00", "nine", "09:30:00", ""])
def test_a_session_start_that_is_no_time_of_day_is_refused(start: str, from_time: Build) -> None:
    with pytest.raises(InvalidRequest, match="not a time of day"):
        find_sessions(from_time(datetime(2026, 1, 5, tzinfo=UTC), 24), session_start=start)


def test_candles_longer_than_a_day_have_no_sessions_and_no_candles_have_none_either(from_time: Build) -> None:
    with pytest.raises(InvalidRequest, match="1w candles are longer than a session"):
        find_sessions(from_time(datetime(2026, 1, 5, tzinfo=UTC), 4, "1w"))
    days = find_sessions(from_time(datetime(2026, 1, 5, tzinfo=UTC), 4, "1d"))
    assert [session.complete for session in days] == [True] * 4
    nothing = from_time(datetime(2026, 1, 5, tzinfo=UTC), 4)[:0]
    assert find_sessions(nothing) == ()
    with pytest.raises(InsufficientData):
        session_profiles(nothing)
