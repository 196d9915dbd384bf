"""The market profile against golden values, a literal count, and what holds whatever the candles."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.candles import CandleFrame
from engines.domain.timeframe import to_ms
from engines.errors import InsufficientData, InvalidRequest
from engines.volume_profile import find_sessions
from engines.volume_profile.tpo import LETTERS, TpoProfile, compute_tpo
from engines.volume_profile.tpo_close_only import compute_close_only
from engines.volume_profile.tpo_params import TpoParams

Build = Callable[..., CandleFrame]
BLOCK = st.tuples(st.integers(1, 60), st.integers(0, 25))


@pytest.fixture(scope="session")
def google(shared: Path) -> Callable[[dict[str, Any]], CandleFrame]:
    """Half-hour candles out of a part of the file."""
    with (shared / "data" / "google-30m.csv").open() as file:
        rows = list(csv.DictReader(file))
    stamps = [datetime.fromisoformat(row["Timestamp"]).replace(tzinfo=UTC) for row in rows]
    columns = {name: np.array([float(row[name.title()]) for row in rows]) for name in _NAMES}
    times = np.array([to_ms(stamp) for stamp in stamps], dtype=np.int64)
    whole = CandleFrame("GOOG/USD", "30m", "files", simulated=False, open_time=times, **columns)
    return lambda source: whole[source["first_row"] : source["first_row"] + source["row_count"]]


_NAMES = ("open", "high", "low", "close", "volume")


def blocks_of(ranges: list[tuple[float, float]]) -> CandleFrame:
    """One half-hour candle for each low and high."""
    low, high = (np.array(column, dtype=np.float64) for column in zip(*ranges, strict=True))
    times = np.arange(len(ranges), dtype=np.int64) * 1_800_000
    return CandleFrame("BTC/USD", "30m", "files", False, times, low, high, low, high, np.ones(len(low)))  # noqa: FBT003


def profile_of(ranges: list[tuple[float, float]], row_height: float = 1.0) -> TpoProfile:
    return compute_tpo(blocks_of(ranges), TpoParams(rows=None, row_height=row_height))


def test_market_profiles_equal_the_golden_values(shared_golden: dict[str, Any], google: Build) -> None:
    assert len(shared_golden["tpo"]) == 4
    for case in shared_golden["tpo"]:
        params = TpoParams(rows=None, row_height=case["row_height"], value_area_fraction=case["value_area_fraction"])
        profile, expected = compute_tpo(google(case["input"]), params), case["expected"]
        assert list(profile.letters) == expected["letters"]
        assert profile.counts.tolist() == expected["counts"]
        assert profile.counts.sum() == expected["total"]
        for name in ("poc_row", "val_row", "vah_row", "tail_low_rows", "tail_high_rows", "poor_low", "poor_high"):
            assert getattr(profile, name) == expected[name], name
        assert list(profile.single_print_rows) == expected["single_print_rows"]
        for name in ("base", "row_height", "val", "vah", "low", "high", "balanced_target"):
            assert getattr(profile, name) == pytest.approx(expected[name], rel=1e-9), name
        assert profile.poc == pytest.approx(expected["poc_price"], rel=1e-9)
        balance = (expected["initial_balance_low"], expected["initial_balance_high"])
        assert profile.initial_balance == pytest.approx(balance, rel=1e-9)


def test_profiles_of_closes_equal_the_golden_values(shared_golden: dict[str, Any], google: Build) -> None:
    assert len(shared_golden["close_only_compat"]) == 4
    for case in shared_golden["close_only_compat"]:
        profile = compute_close_only(
            google(case["input"]),
            case["row_height"],
            by="volume" if case["mode"] == "vol" else "time",
            value_area_fraction=case["value_area_fraction"],
        )
        expected = case["expected"]
        assert profile.labels == pytest.approx(expected["labels"], rel=1e-9)
        assert profile.values.tolist() == expected["values"]
        for name in ("poc", "val", "vah", "balanced_target"):
            assert getattr(profile, name) == pytest.approx(expected[name], rel=1e-9), name
        balance = (expected["initial_balance_low"], expected["initial_balance_high"])
        assert profile.initial_balance == pytest.approx(balance, rel=1e-9)
        assert (profile.labels[0], profile.labels[-1]) == pytest.approx((expected["low"], expected["high"]))


@settings(max_examples=150, deadline=None)
@given(drawn=st.lists(BLOCK, min_size=1, max_size=60), rows=st.integers(1, 40), by_height=st.booleans())
def test_letters_and_levels_equal_a_literal_count(drawn: list[tuple[int, int]], rows: int, *, by_height: bool) -> None:
    # Whole quarters, which doubles hold exactly.
    ranges = [(low * 0.25, (low + span) * 0.25) for low, span in drawn]
    params = TpoParams(rows=None, row_height=0.75) if by_height else TpoParams(rows=rows)
    profile = compute_tpo(blocks_of(ranges), params)
    count, last = len(profile.counts), len(profile.counts) - 1
    expected = [""] * count
    for number, (low, high) in enumerate(ranges):
        for row in range(count):
            lower, upper = profile.base + row * profile.row_height, profile.base + (row + 1) * profile.row_height
            slack = 1e-9 * profile.row_height
            starts_below_top = low < upper - slack or row == last
            if high >= lower - slack and starts_below_top:
                expected[row] += LETTERS[number % 52]
    assert list(profile.letters) == expected
    assert profile.counts.tolist() == [len(letters) for letters in expected]
    assert profile.val_row <= profile.poc_row <= profile.vah_row
    assert profile.counts[profile.poc_row] == profile.counts.max()
    inside = profile.counts[profile.val_row : profile.vah_row + 1].sum()
    assert inside >= 0.7 * profile.counts.sum() - 1e-9


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), power=st.integers(-6, 6))
def test_rows_stay_where_they_are_when_prices_scale(seed: int, power: int, random_frame: Build) -> None:
    plain = compute_tpo(random_frame(seed), TpoParams(rows=30))
    scaled = compute_tpo(random_frame(seed, scale=2.0**power), TpoParams(rows=30))
    assert scaled.letters == plain.letters
    assert scaled.single_print_rows == plain.single_print_rows
    assert scaled.balanced_target == pytest.approx(plain.balanced_target * 2.0**power, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(1, 119))
def test_later_candles_change_no_block_that_had_ended(seed: int, cut: int, random_frame: Build) -> None:
    candles = random_frame(seed)
    params = TpoParams(rows=None, row_height=0.5, block_minutes=5)
    whole, part = compute_tpo(candles, params), compute_tpo(candles[:cut], params)
    shift = round((part.base - whole.base) / 0.5)
    ended = [(block.letter, block.low, block.high, block.first_row + shift) for block in part.blocks[:-1]]
    assert ended == [
        (block.letter, block.low, block.high, block.first_row) for block in whole.blocks[: len(part.blocks) - 1]
    ]


def test_candles_of_one_block_print_one_letter_from_the_lowest_low_to_the_highest_high(random_frame: Build) -> None:
    minutes = random_frame(5, count=95)
    profile = compute_tpo(minutes, TpoParams(rows=20))
    assert [block.letter for block in profile.blocks] == ["A", "B", "C", "D"]
    assert profile.blocks[1].low == minutes.low[30:60].min()
    assert profile.blocks[3].high == minutes.high[90:].max()


def test_blocks_are_counted_from_the_opening_and_a_block_without_a_candle_takes_no_letter(random_frame: Build) -> None:
    minutes = random_frame(5, count=90)
    opens = datetime(1970, 1, 1, 0, 10, tzinfo=UTC)
    gap = replace(minutes, open_time=minutes.open_time + np.where(np.arange(90) >= 45, 7_200_000, 0))
    blocks = compute_tpo(gap[10:], opens=opens).blocks
    assert [f"{block.letter} {block.opens:%H:%M}" for block in blocks] == ["A 00:10", "B 00:40", "C 02:45", "D 03:10"]


def test_letters_of_a_session_begin_at_its_own_opening_however_the_clocks_change(random_frame: Build) -> None:
    opened = to_ms(datetime(2024, 3, 9, 10, tzinfo=UTC))
    candles = replace(random_frame(5, count=350), timeframe="15m")
    candles = replace(candles, open_time=opened + np.arange(350, dtype=np.int64) * 900_000)
    sessions = find_sessions(candles, timezone="America/New_York", session_start="09:30")
    found = [
        compute_tpo(candles[each.first_row : each.last_row + 1], TpoParams(rows=30), opens=each.opens)
        for each in sessions
    ]
    firsts = [(each.name, f"{letters.blocks[0].opens:%d %H:%M}") for each, letters in zip(sessions, found, strict=True)]
    # New York's clocks went forward on 10 March; the first session had begun before the first candle.
    assert firsts == [
        ("2024-03-08", "09 10:00"),
        ("2024-03-09", "09 14:30"),
        ("2024-03-10", "10 13:30"),
        ("2024-03-11", "11 13:30"),
        ("2024-03-12", "12 13:30"),
    ]
    assert all(letters.blocks[0].letter == "A" for letters in found)
    assert [len(letters.blocks) for letters in found[:3]] == [9, 46, 48]
    assert sum(len(letters.candles) for letters in found) == 350


def test_letters_go_from_capital_to_small_ones_and_begin_again() -> None:
    (letters,) = profile_of([(10.0, 10.5)] * 54).letters
    assert letters == LETTERS + "AB"
    assert letters[25:27] == "Za"


def test_single_prints_tails_and_poor_extremes_of_a_day_by_hand() -> None:
    #  row 0 is twice visited, row 3 and 4 once between fatter rows, the top two rows once
    profile = profile_of([(0.5, 2.5), (0.6, 2.9), (2.2, 5.5), (5.1, 6.5), (5.2, 8.5)])
    assert profile.letters == ("AB", "AB", "ABC", "C", "C", "CDE", "DE", "E", "E")
    assert profile.single_print_rows == (3, 4)
    assert profile.single_prints == ((3.0, 5.0),)
    assert (profile.poor_low, profile.poor_high) == (True, False)
    assert (profile.tail_low_rows, profile.tail_high_rows) == (0, 2)
    assert profile.initial_balance == (0.5, 2.9)
    assert profile.rotation_factor == 2 + 2 + 2 + 2
    # Of the two rows with three letters CDE is nearer to the middle, and the low is further away from it.
    assert profile.poc == 5.5
    assert profile.balanced_target == pytest.approx(2 * 5.5 - 0.5)


def test_one_letter_at_an_extreme_is_neither_a_tail_nor_poor() -> None:
    profile = profile_of([(0.5, 3.5), (1.2, 2.8)])
    assert profile.letters == ("A", "AB", "AB", "A")
    assert (profile.tail_low_rows, profile.tail_high_rows) == (0, 0)
    assert not profile.poor_low
    assert not profile.poor_high
    assert profile.rotation_factor == 0
    assert profile.single_prints == ()


def test_a_price_on_an_inner_edge_touches_the_row_above_it() -> None:
    assert profile_of([(0.3, 0.7), (0.3, 0.8)], row_height=0.1).letters == ("AB", "AB", "AB", "AB", "AB")
    # 0.7 / 0.1 falls short of 7 in doubles.
    assert profile_of([(0.1, 0.7), (0.7, 0.95)], row_height=0.1).letters == ("A",) * 6 + ("AB", "B", "B")


def test_a_market_that_does_not_move_has_one_row() -> None:
    flat = compute_tpo(blocks_of([(7.0, 7.0)] * 3))
    assert flat.letters == ("ABC",)
    assert (flat.poc, flat.val, flat.vah, flat.balanced_target) == (7.0, 7.0, 7.0, 7.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows": None},
        {"row_height": 1.0},
        {"rows": 0},
        {"rows": 2.5},
        {"rows": None, "row_height": -1.0},
        {"block_minutes": 7},
        {"initial_balance_blocks": 0},
        {"value_area_fraction": 1.5},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        TpoParams(**wrong)


def test_candles_that_cannot_make_a_market_profile_are_refused(random_frame: Build) -> None:
    candles = random_frame(1)
    with pytest.raises(InsufficientData, match="needs 1"):
        compute_tpo(candles[:0])
    with pytest.raises(InvalidRequest, match="1h candles cannot fill blocks of 30 minutes"):
        compute_tpo(replace(candles, timeframe="1h"))
    with pytest.raises(InvalidRequest, match=r"make .* rows"):
        compute_tpo(candles, TpoParams(rows=None, row_height=1e-6))
    with pytest.raises(InvalidRequest, match="row 3"):
        compute_tpo(replace(candles, low=np.where(np.arange(120) == 3, np.nan, candles.low)))


def test_closes_without_volume_or_with_impossible_settings_are_refused(random_frame: Build) -> None:
    candles = replace(random_frame(1), volume=np.zeros(120))
    with pytest.raises(InsufficientData, match="no volume"):
        compute_close_only(candles, 0.5)
    assert compute_close_only(candles, 0.5, by="time").values.sum() == 120
    for row_height, fraction in ((0.0, 0.7), (0.5, 0.0)):
        with pytest.raises(InvalidRequest):
            compute_close_only(candles, row_height, value_area_fraction=fraction)
