"""Points of control that price has not come back to, against the golden fixture and a literal search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.candles import CandleFrame
from engines.domain.timeframe import to_ms
from engines.volume_profile import naked_pocs, session_profiles
from engines.volume_profile.naked import NakedMode

Build = Callable[..., CandleFrame]
MONDAY = to_ms(datetime(2024, 3, 4, tzinfo=UTC))
MODES: list[NakedMode] = ["strict", "touch_or_gap"]


@dataclass(frozen=True)
class Level:
    """What of a session a point of control's later life rests on."""

    name: str
    last_row: int
    poc: float | None
    complete: bool = True
    closes: datetime = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("mode", MODES)
def test_levels_touched_jumped_over_and_never_reached_equal_the_golden_values(
    mode: NakedMode, golden_small: dict[str, Any], rows_frame: Build
) -> None:
    (fixture,) = golden_small["naked_poc_fixtures"]
    candles = rows_frame([{**bar, "open": bar["close"], "volume": 1.0} for bar in fixture["bars"]])
    sessions = [Level(told["session"], told["last"], told["poc_price"]) for told in fixture["sessions"]]
    found = naked_pocs(candles, sessions, mode)
    assert len(found) == len(fixture[mode]) == 4
    for level, told in zip(found, fixture[mode], strict=True):
        assert (level.session, level.price, level.naked) == (told["session"], told["price"], told["naked"])
        assert (level.tagged_row, level.age_sessions) == (told["tagged_row"], told["age_sessions"])


BAR = st.tuples(st.integers(0, 30), st.integers(0, 6), st.integers(0, 6))


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=200, deadline=None)
@given(bars=st.lists(BAR, min_size=2, max_size=60), length=st.integers(1, 9), pocs=st.lists(st.integers(0, 36)))
def test_every_level_ends_at_the_first_candle_a_literal_search_finds(
    mode: NakedMode, bars: list[tuple[int, int, int]], length: int, pocs: list[int], rows_frame: Build
) -> None:
    rows = [
        {"low": 1.0 + low, "high": 1.0 + low + span, "close": 1.0 + low + close % (span + 1)}
        for low, span, close in bars
    ]
    candles = rows_frame([{**row, "open": row["close"], "volume": 1.0} for row in rows])
    ends = [min(first + length, len(bars)) - 1 for first in range(0, len(bars), length)]
    sessions = [
        Level(f"s{number}", end, 1.0 + pocs[number] if number < len(pocs) else None) for number, end in enumerate(ends)
    ]
    expected: dict[str, int | None] = {}
    for session in sessions:
        if session.poc is None:
            continue
        expected[session.name] = None
        for row in range(session.last_row + 1, len(bars)):
            before, low, high = rows[row - 1]["close"], rows[row]["low"], rows[row]["high"]
            jumped = before < session.poc < low or high < session.poc < before
            if low <= session.poc <= high or (mode == "touch_or_gap" and jumped):
                expected[session.name] = row
                break
    found = naked_pocs(candles, sessions, mode)
    assert {level.session: level.tagged_row for level in found} == expected
    for level in found:
        born = int(level.session[1:])
        until = len(ends) - 1 if level.tagged_row is None else level.tagged_row // length
        assert level.age_sessions == until - born
        assert level.naked == (level.tagged_at is None) == (level.tagged_row is None)


def test_a_level_is_born_at_the_close_of_its_sessions_last_candle_and_tagged_at_an_opening(rows_frame: Build) -> None:
    bars = [(10.0, 11.0), (20.0, 21.0), (10.0, 30.0)]
    candles = rows_frame([{"open": low, "low": low, "high": high, "close": low, "volume": 1.0} for low, high in bars])
    (level,) = naked_pocs(candles, [Level("first", 0, 10.5)])
    assert level.born == datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
    assert level.tagged_at == datetime(1970, 1, 1, 0, 2, tzinfo=UTC)


def test_a_level_of_a_session_that_ends_in_a_gap_is_born_when_the_session_ends(random_frame: Build) -> None:
    # Fridays end at 21:00, hours before their session: until then another candle could have moved the level.
    hours = [hour for hour in range(14 * 24) if not 117 <= hour % 168 < 165]
    times = MONDAY + np.array(hours, dtype=np.int64) * 3_600_000
    week = random_frame(3, count=len(times))
    candles = replace(week, timeframe="1h", open_time=times, volume=np.ones(len(times)))
    found = naked_pocs(candles, session_profiles(candles))
    friday = next(level for level in found if level.session == "2024-03-08")
    assert friday.born == datetime(2024, 3, 9, tzinfo=UTC)
    # At the close of every candle, the levels born by then are those that its own past gives.
    for row in range(20, len(candles), 7):
        past = candles[: row + 1]
        told = {level.session for level in naked_pocs(past, session_profiles(past))}
        assert told == {level.session for level in found if level.born <= past.as_of}


def test_a_session_that_still_runs_or_has_no_volume_leaves_no_level(random_frame: Build) -> None:
    candles = random_frame(4)
    sessions = [Level("silent", 39, None), Level("whole", 79, 100.0), Level("running", 119, 100.0, complete=False)]
    assert [level.session for level in naked_pocs(candles, sessions)] == ["whole"]


@pytest.mark.parametrize("mode", MODES)
def test_a_tag_is_unchanged_when_future_candles_are_appended(mode: NakedMode, random_frame: Build) -> None:
    candles = random_frame(9, count=600)
    middles = (candles.high + candles.low) / 2
    sessions = [Level(f"{end}", end, float(middles[end - 10])) for end in range(19, 600, 20)]
    late = {level.session: level for level in naked_pocs(candles, sessions, mode)}
    for cut in range(40, 600, 40):
        for level in naked_pocs(candles[:cut], [session for session in sessions if session.last_row < cut], mode):
            told = late[level.session].tagged_row
            assert level.tagged_row == (told if told is not None and told < cut else None)


def test_candles_that_gap_over_a_level_of_their_own_close_do_not_jump_it(rows_frame: Build) -> None:
    # The level lies exactly at the close before: price stood on it, it did not jump over it.
    rows = [(10.0, 12.0, 11.0), (20.0, 22.0, 21.0)]
    candles = rows_frame([{"open": c, "low": low, "high": high, "close": c, "volume": 1.0} for low, high, c in rows])
    (level,) = naked_pocs(candles, [Level("first", 0, 11.0)], "touch_or_gap")
    assert level.naked
    (over,) = naked_pocs(candles, [Level("first", 0, float(np.nextafter(11.0, 12.0)))], "touch_or_gap")
    assert over.tagged_row == 1
