"""The volume-weighted average price: against TradingView, exact arithmetic, and itself candle by candle."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.candles import CandleFrame, Floats, Times
from engines.domain.timeframe import from_ms, to_ms
from engines.errors import InvalidRequest
from engines.volume_profile.vwap import Vwap, compute_vwap
from engines.volume_profile.vwap_anchors import Anchor
from engines.volume_profile.vwap_stream import VwapStream

Build = Callable[..., CandleFrame]
HOUR = 3_600_000


@pytest.fixture(scope="module")
def exported(shared: Path) -> tuple[CandleFrame, dict[str, Floats]]:
    """TradingView's candles, and its five columns by short names."""
    with (shared / "data" / "tradingview" / "vwap.csv").open() as file:
        header, *rows = list(csv.reader(file))
    table = np.array(rows, dtype=np.float64).T
    columns = dict(zip(header, table, strict=True))
    times = np.ascontiguousarray(columns["time"] * 1000).astype(np.int64)
    prices = [columns[name] for name in ("open", "high", "low", "close", "Volume")]
    candles = CandleFrame(
        "EUR/USD", "15m", "files", simulated=False, open_time=times, **dict(zip(_NAMES, prices, strict=True))
    )
    return candles, dict(zip(("session", "four_hours", "six_hours", "upper", "lower"), table[5:10], strict=True))


_NAMES = ("open", "high", "low", "close", "volume")


def every(hours: int, candles: CandleFrame) -> list[datetime]:
    """Whole multiples of hours after the first candle, which opens TradingView's session; it is no change itself."""
    first, last = (int(candles.open_time[row]) for row in (0, -1))
    return [from_ms(time) for time in range(first + hours * HOUR, last + 1, hours * HOUR)]


def spaced(candles: CandleFrame, start: datetime, minutes: int) -> CandleFrame:
    return replace(candles, open_time=to_ms(start) + np.arange(len(candles), dtype=np.int64) * minutes * 60_000)


def starts(result: Vwap) -> list[str]:
    return [f"{from_ms(time):%m-%d %H:%M}" for time in np.unique(result.period).tolist()]


def test_sessions_of_new_york_equal_the_chart_exported_from_tradingview(
    exported: tuple[CandleFrame, dict[str, Floats]],
) -> None:
    candles, columns = exported
    ours = compute_vwap(candles, "session", "America/New_York", source="close", session_start="17:00")
    assert np.max(np.abs(ours.vwap / columns["session"] - 1)) < 1e-14
    assert len(np.unique(ours.period)) == 4


@pytest.mark.parametrize(("hours", "name"), [(4, "four_hours"), (6, "six_hours")])
def test_averages_anchored_at_events_equal_the_chart_exported_from_tradingview(
    hours: int, name: str, exported: tuple[CandleFrame, dict[str, Floats]]
) -> None:
    candles, columns = exported
    ours = compute_vwap(candles, every(hours, candles), source="close")
    assert np.array_equal(np.isnan(ours.vwap), np.isnan(columns[name]))
    assert np.nanmax(np.abs(ours.vwap / columns[name] - 1)) < 1e-14


def test_bands_equal_the_chart_exported_from_tradingview(exported: tuple[CandleFrame, dict[str, Floats]]) -> None:
    candles, columns = exported
    ours = compute_vwap(candles, every(6, candles), bands=(2.0,), source="close")
    # The chart's own formula loses digits: sqrt(1e-16 * price^2) is the most that it can be off near zero.
    assert np.nanmax(np.abs(ours.upper[0] - columns["upper"])) < 1e-9
    assert np.nanmax(np.abs(ours.lower[0] - columns["lower"])) < 1e-9


def literal(candles: CandleFrame, period: Times) -> tuple[list[float], list[float]]:
    """Average and deviation by exact rational arithmetic, from the period's own candles."""
    averages, deviations = [], []
    for row in range(len(candles)):
        inside = [each for each in range(row + 1) if period[each] == period[row]]
        prices = [
            (Fraction(candles.high[each]) + Fraction(candles.low[each]) + Fraction(candles.close[each])) / 3
            for each in inside
        ]
        volumes = [Fraction(candles.volume[each]) for each in inside]
        total = sum(volumes)
        if total == 0:
            averages.append(np.nan)
            deviations.append(np.nan)
            continue
        average = sum(volume * price for volume, price in zip(volumes, prices, strict=True)) / total
        square = sum(v * (p - average) ** 2 for v, p in zip(volumes, prices, strict=True)) / total
        averages.append(float(average))
        deviations.append(float(square) ** 0.5)
    return averages, deviations


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), shift=st.sampled_from([0.0, 1e3, 1e9]))
def test_average_and_deviation_equal_exact_arithmetic_whatever_the_price_level(
    seed: int, shift: float, random_frame: Build
) -> None:
    candles = spaced(random_frame(seed, count=60, shift=shift), datetime(2024, 3, 8, 21, 30, tzinfo=UTC), 30)
    ours = compute_vwap(candles)
    averages, deviations = literal(candles, ours.period)
    np.testing.assert_allclose(ours.vwap, averages, rtol=1e-14)
    # 1e9 resolves prices to 1e-7; the deviations here are about one.
    np.testing.assert_allclose(ours.sigma, deviations, rtol=1e-9, atol=1e-6 if shift else 1e-12)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    cut=st.integers(0, 80),
    anchor=st.sampled_from(["session", "week", "month", [datetime(2024, 3, 9, 3, tzinfo=UTC)]]),
    zone=st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu"]),
)
def test_candle_by_candle_gives_the_whole_series_bit_for_bit(
    seed: int, cut: int, anchor: Anchor, zone: str, random_frame: Build
) -> None:
    candles = spaced(random_frame(seed, count=80), datetime(2024, 3, 8, 12, tzinfo=UTC), 60)
    whole = compute_vwap(candles, anchor, zone, session_start="09:30")
    stream = VwapStream.after(candles[:cut], anchor, zone, session_start="09:30")
    for row in range(cut, len(candles)):
        values = [float(getattr(candles, name)[row]) for name in _NAMES]
        time = int(candles.open_time[row])
        stream.forming(time, *[value * 1.5 for value in values])
        for update in (stream.forming(time, *values), stream.close(time, *values)):
            expected = [whole.vwap[row], whole.sigma[row], *whole.upper[:, row], *whole.lower[:, row]]
            np.testing.assert_array_equal([update.vwap, update.sigma, *update.upper, *update.lower], expected)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(1, 119))
def test_nothing_after_a_candle_changes_its_row(seed: int, cut: int, random_frame: Build) -> None:
    candles = spaced(random_frame(seed), datetime(2024, 3, 8, tzinfo=UTC), 60)
    whole, part = compute_vwap(candles), compute_vwap(candles[:cut])
    np.testing.assert_array_equal(whole.vwap[:cut], part.vwap)
    np.testing.assert_array_equal(whole.upper[:, :cut], part.upper)


@pytest.mark.parametrize("anchor", ["session", "week", "month", [datetime(2024, 3, 31, 0, 30, tzinfo=UTC)]])
@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Asia/Kathmandu"])
def test_a_stream_begins_its_periods_where_the_whole_series_does_over_gaps_and_clock_changes(
    anchor: Anchor, zone: str, random_frame: Build
) -> None:
    # Five hours apart from February to May, without every eleventh week: months of all lengths, both kinds of days.
    candles = spaced(random_frame(11, count=400), datetime(2024, 2, 27, 1, 30, tzinfo=UTC), 300)
    candles = replace(candles, open_time=candles.open_time + np.arange(400) // 34 * 7 * 24 * HOUR)
    whole = compute_vwap(candles, anchor, zone, session_start="02:30")
    stream = VwapStream("BTC/USD", "1m", anchor, zone, session_start="02:30")
    columns = [getattr(candles, name).tolist() for name in ("open_time", *_NAMES)]
    later = [row[0] + 40 * 24 * HOUR for row in zip(*columns, strict=True)]
    for row, candle in enumerate(zip(*columns, strict=True)):
        stream.forming(later[row], *candle[1:])
        np.testing.assert_array_equal(stream.close(*candle).vwap, whole.vwap[row])


def test_sessions_follow_daylight_saving_time(random_frame: Build) -> None:
    candles = spaced(random_frame(1, count=96), datetime(2024, 3, 9, tzinfo=UTC), 60)
    ours = compute_vwap(candles, "session", "America/New_York", session_start="09:30")
    assert starts(ours) == ["03-08 14:30", "03-09 14:30", "03-10 13:30", "03-11 13:30", "03-12 13:30"]


def test_weeks_begin_on_monday_and_months_on_their_first_day(random_frame: Build) -> None:
    candles = spaced(random_frame(1, count=120), datetime(2024, 2, 20, tzinfo=UTC), 360)
    assert starts(compute_vwap(candles, "week")) == [
        "02-19 00:00",
        "02-26 00:00",
        "03-04 00:00",
        "03-11 00:00",
        "03-18 00:00",
    ]
    assert starts(compute_vwap(candles, "month", "Europe/Berlin")) == ["01-31 23:00", "02-29 23:00"]


def test_nothing_is_averaged_before_the_first_event_and_a_candle_under_way_at_it_does_not_count(
    random_frame: Build,
) -> None:
    candles = spaced(random_frame(3, count=10), datetime(2024, 3, 8, tzinfo=UTC), 60)
    candles = replace(candles, volume=np.ones(10))
    event = datetime(2024, 3, 8, 3, 20, tzinfo=UTC)
    ours = compute_vwap(candles, event)
    assert np.isnan(ours.vwap).tolist() == [True] * 4 + [False] * 6
    np.testing.assert_array_equal(ours.vwap[4:], compute_vwap(candles[4:]).vwap)
    assert np.isnan(compute_vwap(candles, event + timedelta(days=1)).vwap).all()


def test_candles_without_volume_are_undefined_at_a_start_and_repeat_what_stands_later(random_frame: Build) -> None:
    candles = spaced(random_frame(4, count=6), datetime(2024, 3, 8, tzinfo=UTC), 60)
    candles = replace(candles, volume=np.array([0.0, 0.0, 2.0, 0.0, 1.0, 0.0]))
    ours = compute_vwap(candles)
    assert np.isnan(ours.vwap[:2]).all()
    assert np.isnan(ours.upper[:, :2]).all()
    assert ours.vwap[3] == ours.vwap[2]
    assert ours.sigma[2] == 0.0
    assert ours.vwap[5] == ours.vwap[4] != ours.vwap[3]


def test_arrays_cannot_be_written(random_frame: Build) -> None:
    ours = compute_vwap(random_frame(1))
    for array in (ours.vwap, ours.sigma, ours.period, ours.upper, ours.lower):
        assert not array.flags.writeable


def test_no_candles_give_no_rows(random_frame: Build) -> None:
    assert compute_vwap(random_frame(1)[:0]).upper.shape == (3, 0)


@pytest.mark.parametrize(
    ("anchor", "zone", "start", "bands", "words"),
    [
        ("year", "UTC", "00:00", (1.0,), "anchor is 'year'"),
        ([], "UTC", "00:00", (1.0,), "at least one aware time"),
        (datetime(2024, 1, 1), "UTC", "00:00", (1.0,), "has no time zone"),  # noqa: DTZ001 - what is refused
        ("session", "Mars/Base", "00:00", (1.0,), "'Mars/Base' is not a time zone"),
        ("session", "../etc", "00:00", (1.0,), "is not a time zone"),
        ("session", "UTC", "25:00", (1.0,), "'25:00' is not a time of day"),
        ("session", "UTC", "00:00", (0.0,), "bands are"),
        ("session", "UTC", "00:00", (float("nan"),), "bands are"),
    ],
)
def test_settings_out_of_range_are_refused(
    anchor: Anchor, zone: str, start: str, bands: tuple[float, ...], words: str, random_frame: Build
) -> None:
    with pytest.raises(InvalidRequest, match=words):
        compute_vwap(random_frame(1), anchor, zone, bands, session_start=start)
    with pytest.raises(InvalidRequest, match=words):
        VwapStream("BTC/USD", "1m", anchor, zone, bands=bands, session_start=start)


def test_candles_that_cannot_be_are_refused_and_leave_the_stream_as_it_was(random_frame: Build) -> None:
    candles = random_frame(1, count=5)
    with pytest.raises(InvalidRequest, match="row 2"):
        compute_vwap(replace(candles, volume=np.array([1.0, 1.0, np.nan, 1.0, 1.0])))
    stream, twin = VwapStream.after(candles), VwapStream.after(candles)
    later = int(candles.open_time[-1]) + 60_000
    for time, *values in [(later, 1.0, 0.5, 1.0, 1.0, 1.0), (later, *[1.0] * 4, -1.0), (later - 60_000, *[1.0] * 5)]:
        with pytest.raises(InvalidRequest):
            stream.close(int(time), *values)
    good = (later, 100.0, 101.0, 99.0, 100.0, 2.0)
    assert stream.close(*good) == twin.close(*good)
