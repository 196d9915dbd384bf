"""What holds for every profile, whatever the candles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.candles import CandleFrame
from engines.errors import InsufficientData, InvalidRequest
from engines.volume_profile import ProfileParams, compute_volume_profile

Build = Callable[..., CandleFrame]
CANDLE = st.tuples(
    st.integers(1, 400), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 10**6)
)


@settings(max_examples=150, deadline=None)
@given(drawn=st.lists(CANDLE, min_size=1, max_size=40), rows=st.integers(1, 300), fraction=st.floats(0.01, 1.0))
def test_volume_is_conserved_and_the_value_area_holds_its_share_whatever_the_candles(
    drawn: list[tuple[int, int, int, int, int]], rows: int, fraction: float, drawn_frame: Build
) -> None:
    candles = drawn_frame(drawn)
    if candles.volume.sum() == 0:
        with pytest.raises(InsufficientData):
            compute_volume_profile(candles)
        return
    profile = compute_volume_profile(candles, ProfileParams(rows=rows, value_area_fraction=fraction))
    assert profile.volume_by_row.sum() == pytest.approx(candles.volume.sum(), rel=1e-11)
    assert profile.up_by_row.sum() == pytest.approx(candles.volume[candles.close >= candles.open].sum(), rel=1e-11)
    assert np.array_equal(profile.up_by_row + profile.down_by_row, profile.volume_by_row)
    assert profile.volume_by_row.min() >= 0
    assert profile.val_row <= profile.poc_row <= profile.vah_row
    assert profile.val <= profile.poc <= profile.vah
    area = profile.volume_by_row[profile.val_row : profile.vah_row + 1].sum()
    assert area >= (fraction - 1e-9) * profile.total_volume
    assert profile.volume_by_row[profile.poc_row] >= profile.volume_by_row.max() - 1e-11 * profile.total_volume


@settings(max_examples=60, deadline=None)
@given(drawn=st.lists(CANDLE, min_size=1, max_size=40), rows=st.integers(1, 120))
def test_up_and_down_make_the_row_and_delta_lies_between_them(
    drawn: list[tuple[int, int, int, int, int]], rows: int, drawn_frame: Build
) -> None:
    candles = replace(drawn_frame(drawn), volume=drawn_frame(drawn).volume + 1.0)
    profile = compute_volume_profile(candles, ProfileParams(rows=rows))
    assert np.array_equal(profile.up_by_row + profile.down_by_row, profile.volume_by_row)
    assert np.array_equal(profile.delta_by_row, profile.up_by_row - profile.down_by_row)
    assert np.all(np.abs(profile.delta_by_row) <= profile.volume_by_row)
    rising = candles.close >= candles.open
    assert profile.up_by_row.sum() == pytest.approx(candles.volume[rising].sum(), rel=1e-11)
    assert profile.down_by_row.sum() == pytest.approx(candles.volume[~rising].sum(), rel=1e-11)


@settings(max_examples=60, deadline=None)
@given(drawn=st.lists(CANDLE, min_size=2, max_size=40), seed=st.integers(0, 10_000), rows=st.integers(1, 120))
def test_the_order_of_candles_does_not_matter(
    drawn: list[tuple[int, int, int, int, int]], seed: int, rows: int, drawn_frame: Build
) -> None:
    candles = replace(drawn_frame(drawn), volume=drawn_frame(drawn).volume + 1.0)
    order = np.random.default_rng(seed).permutation(len(candles))
    columns = {name: getattr(candles, name)[order] for name in ("open", "high", "low", "close", "volume")}
    plain = compute_volume_profile(candles, ProfileParams(rows=rows))
    mixed = compute_volume_profile(replace(candles, **columns), ProfileParams(rows=rows))
    tolerance = 1e-11 * plain.volume_by_row.max()
    assert np.allclose(mixed.up_by_row, plain.up_by_row, rtol=0, atol=tolerance)
    assert np.allclose(mixed.down_by_row, plain.down_by_row, rtol=0, atol=tolerance)
    assert (mixed.poc, mixed.val, mixed.vah) == (plain.poc, plain.val, plain.vah)


@settings(max_examples=60, deadline=None)
@given(drawn=st.lists(CANDLE, min_size=1, max_size=20), share=st.floats(0.1, 0.9), rows=st.integers(1, 120))
def test_a_candle_split_in_two_of_the_same_prices_changes_nothing(
    drawn: list[tuple[int, int, int, int, int]], share: float, rows: int, drawn_frame: Build
) -> None:
    candles = replace(drawn_frame(drawn), volume=drawn_frame(drawn).volume + 1.0)
    twice = drawn_frame([row for row in drawn for _ in range(2)])
    shares = np.tile((share, 1 - share), len(candles))
    twice = replace(twice, volume=np.repeat(candles.volume, 2) * shares)
    whole = compute_volume_profile(candles, ProfileParams(rows=rows))
    parts = compute_volume_profile(twice, ProfileParams(rows=rows))
    assert np.allclose(parts.volume_by_row, whole.volume_by_row, rtol=0, atol=1e-11 * whole.volume_by_row.max())
    assert (parts.poc_row, parts.val_row, parts.vah_row) == (whole.poc_row, whole.val_row, whole.vah_row)


@settings(max_examples=60, deadline=None)
@given(drawn=st.lists(CANDLE, min_size=1, max_size=20), rows=st.integers(1, 120))
def test_a_candle_cut_at_its_middle_into_two_of_half_its_volume_changes_nothing(
    drawn: list[tuple[int, int, int, int, int]], rows: int, drawn_frame: Build
) -> None:
    even = [(low, 2 * max(span, 1), 0, 0, volume + 1) for low, span, _, _, volume in drawn]
    halves = []
    for low, span, _, _, volume in even:
        halves += [(low, span // 2, 0, 0, volume), (low + span // 2, span // 2, 0, 0, volume)]
    whole = compute_volume_profile(drawn_frame(even), ProfileParams(rows=rows))
    cut = compute_volume_profile(drawn_frame(halves), ProfileParams(rows=rows))
    assert np.allclose(cut.volume_by_row, 2 * whole.volume_by_row, rtol=0, atol=1e-10 * whole.volume_by_row.max())


@settings(max_examples=60, deadline=None)
@given(drawn=st.lists(CANDLE, min_size=1, max_size=30), rows=st.integers(1, 60))
def test_rows_equal_a_literal_spread_candle_by_candle(
    drawn: list[tuple[int, int, int, int, int]], rows: int, drawn_frame: Build
) -> None:
    candles = replace(drawn_frame(drawn), volume=drawn_frame(drawn).volume + 1.0)
    profile = compute_volume_profile(candles, ProfileParams(rows=rows))
    literal = np.zeros(len(profile.volume_by_row))
    edges = profile.edges
    for low, high, volume in zip(candles.low, candles.high, candles.volume, strict=True):
        if high == low:
            row = int(np.searchsorted(edges, low, side="right")) - 1
            literal[min(max(row, 0), len(literal) - 1)] += volume
            continue
        shares = np.minimum(edges[1:], high) - np.maximum(edges[:-1], low)
        literal += volume * np.maximum(shares, 0.0) / (high - low)
    # A flat candle within rounding of an edge may fall to either side of it; compare what lies below each edge.
    on_edge = candles.volume[(candles.high == candles.low)].sum()
    below = np.abs(np.cumsum(profile.volume_by_row) - np.cumsum(literal))
    assert np.max(below) <= on_edge + 1e-9 * profile.total_volume
    if on_edge == 0:
        assert np.allclose(profile.volume_by_row, literal, rtol=0, atol=1e-10 * literal.max())


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 5_000), power=st.integers(-8, 8))
def test_levels_scale_with_price_and_do_not_move_with_volume(seed: int, power: int, random_frame: Build) -> None:
    factor = 2.0**power
    plain = compute_volume_profile(random_frame(seed), ProfileParams(rows=50))
    scaled = compute_volume_profile(random_frame(seed, scale=factor), ProfileParams(rows=50))
    louder = random_frame(seed)
    louder = replace(louder, volume=louder.volume * factor)
    assert (scaled.poc, scaled.val, scaled.vah) == (plain.poc * factor, plain.val * factor, plain.vah * factor)
    loud = compute_volume_profile(louder, ProfileParams(rows=50))
    assert (loud.poc_row, loud.val_row, loud.vah_row) == (plain.poc_row, plain.val_row, plain.vah_row)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 5_000), shift=st.integers(1, 1_000))
def test_levels_shift_with_price(seed: int, shift: int, random_frame: Build) -> None:
    plain = compute_volume_profile(random_frame(seed), ProfileParams(rows=40))
    shifted = compute_volume_profile(random_frame(seed, shift=float(shift)), ProfileParams(rows=40))
    assert shifted.poc == pytest.approx(plain.poc + shift, rel=1e-9)
    assert (shifted.val, shifted.vah) == pytest.approx((plain.val + shift, plain.vah + shift), rel=1e-9)


def test_poc_is_unchanged_when_future_candles_are_appended(random_frame: Build) -> None:
    candles = random_frame(11, count=300)
    early = compute_volume_profile(candles[:200], ProfileParams(rows=30))
    poisoned = replace(candles, volume=np.where(np.arange(300) < 200, candles.volume, 1e12))
    again = compute_volume_profile(poisoned[:200], ProfileParams(rows=30))
    assert np.array_equal(early.volume_by_row, again.volume_by_row)
    assert early.poc == again.poc != compute_volume_profile(poisoned, ProfileParams(rows=30)).poc


def test_a_multiple_of_the_row_height_lies_on_the_grid_although_doubles_cannot_hold_it(rows_frame: Build) -> None:
    candle = {"open": 0.3, "high": 0.7, "low": 0.3, "close": 0.6, "volume": 4.0}
    profile = compute_volume_profile(rows_frame([candle]), ProfileParams(rows=None, row_height=0.1))
    assert profile.base == pytest.approx(0.3)
    assert profile.volume_by_row == pytest.approx([1.0, 1.0, 1.0, 1.0])


def test_a_range_below_the_resolution_of_doubles_is_one_row(rows_frame: Build) -> None:
    price = 64_000.0
    candle = {"open": price, "high": np.nextafter(price, np.inf), "low": price, "close": price, "volume": 4.0}
    profile = compute_volume_profile(rows_frame([candle]))
    assert (len(profile.volume_by_row), profile.poc, profile.vah) == (1, price, price)


def test_no_volume_is_refused_with_symbol_timeframe_and_range(random_frame: Build) -> None:
    silent = replace(random_frame(1), volume=np.zeros(120))
    words = r"BTC/USD has no volume in its 120 1m candles from 1970-01-01 00:00 to 1970-01-01 02:00 UTC"
    with pytest.raises(InsufficientData, match=words):
        compute_volume_profile(silent)
    with pytest.raises(InsufficientData, match="BTC/USD has 0 closed 1m candles; a volume profile needs 1"):
        compute_volume_profile(silent[:0])


def test_a_market_that_never_moved_is_one_row_that_holds_everything(rows_frame: Build) -> None:
    candle = {"open": 5.0, "high": 5.0, "low": 5.0, "close": 5.0, "volume": 2.0}
    for params in (ProfileParams(), ProfileParams(rows=None, row_height=0.5), ProfileParams(rows=None, row_height=3.0)):
        profile = compute_volume_profile(rows_frame([candle] * 7), params)
        assert profile.volume_by_row.tolist() == [14.0]
        assert profile.val <= profile.poc <= profile.vah
        assert profile.hvn == profile.lvn == ()


@pytest.mark.parametrize("column", ["open", "high", "low", "close"])
@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), 0.0, -3.0])
@pytest.mark.parametrize("row", [0, 60, 119])
def test_a_price_that_cannot_be_is_refused_with_its_row(
    column: str, wrong: float, row: int, random_frame: Build
) -> None:
    candles = random_frame(1)
    prices = getattr(candles, column).copy()
    prices[row] = wrong
    broken = replace(candles, **{column: prices})
    for params in (ProfileParams(), ProfileParams(split="range"), ProfileParams(rows=None, row_height=0.5)):
        with pytest.raises(InvalidRequest, match=rf"cannot be: row {row} "):
            compute_volume_profile(broken, params)


@pytest.mark.parametrize("step", [0, -60_000])
@pytest.mark.parametrize("row", [1, 2047, 2048, 2999])
def test_candles_that_repeat_or_go_back_in_time_are_refused(step: int, row: int, random_frame: Build) -> None:
    candles = random_frame(1, count=3000)
    times = candles.open_time.copy()
    times[row] = times[row - 1] + step
    with pytest.raises(InvalidRequest, match=rf"row {row} .* does not come after the row before it"):
        compute_volume_profile(replace(candles, open_time=times))


def test_columns_that_differ_in_length_are_refused(random_frame: Build) -> None:
    candles = random_frame(1)
    with pytest.raises(InvalidRequest, match="columns differ in length"):
        compute_volume_profile(replace(candles, volume=candles.volume[:-1]))


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf")])
def test_a_volume_that_cannot_be_is_refused_with_its_row(wrong: float, random_frame: Build) -> None:
    candles = random_frame(1)
    volume = candles.volume.copy()
    volume[7] = wrong
    with pytest.raises(InvalidRequest, match=r"row 7 .* has a volume that is not zero or more"):
        compute_volume_profile(replace(candles, volume=volume))


@pytest.mark.parametrize(
    ("rows", "row_height", "fraction"),
    [
        (None, None, 0.7),
        (10, 1.0, 0.7),
        (0, None, 0.7),
        (10, None, 0.0),
        (10, None, 1.5),
        (None, -1.0, 0.7),
        (10**9, None, 0.7),
    ],
)
def test_settings_that_make_no_sense_are_refused(rows: int | None, row_height: float | None, fraction: float) -> None:
    with pytest.raises(InvalidRequest):
        ProfileParams(rows=rows, row_height=row_height, value_area_fraction=fraction)


def test_a_row_height_that_makes_too_many_rows_is_refused_with_one_that_works(random_frame: Build) -> None:
    with pytest.raises(InvalidRequest, match=r"the most is 10,000.*at least"):
        compute_volume_profile(random_frame(1), ProfileParams(rows=None, row_height=1e-6))
