"""When higher timeframes become known: never early, whatever the cut, the gap or the speed; and the form that leaks."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.cipher import PRESETS, VUMANCHU_B, CipherPanel, compute_panel
from engines.cipher.block import CipherBlock
from engines.cipher.stream import CipherStream
from engines.domain.candles import CandleFrame
from engines.domain.timeframe import Timeframe, duration_ms
from engines.errors import InvalidRequest

Build = Callable[..., CandleFrame]
HOUR_MS = 3_600_000
COLUMNS = ("htf_vwap", "macd_wt1_colour", "macd_wt2_colour")
DIAMONDS = ("sommi_bull_diamond", "sommi_bear_diamond")
EVENTS = ("sommi_bull", "sommi_bear", *DIAMONDS)
QUICK = replace(
    VUMANCHU_B,
    name="quick",
    channel_length=3,
    average_length=4,
    money_flow_length=7,
    macd_fast=3,
    macd_slow=5,
    macd_signal=4,
    flag_timeframe_minutes=180,
    macd_minutes=120,
)
TV_PARITY = replace(VUMANCHU_B, name="vumanchu_b_tv_parity", tv_parity=True)


def thinned(candles: CandleFrame, seed: int, timeframe: Timeframe = "1h") -> CandleFrame:
    """The same prices on a market that closes now and then, for hours or days."""
    random = np.random.default_rng(seed)
    pause = np.where(random.random(len(candles)) < 0.05, random.integers(1, 60, len(candles)), 0)
    steps = seed % 50 + np.arange(len(candles)) + np.cumsum(pause)
    return replace(candles, timeframe=timeframe, open_time=steps * duration_ms(timeframe))


def at(panel: CipherPanel, row: int) -> bytes:
    """Everything a row knows of higher timeframes, bit for bit."""
    values = np.array([panel.values[name][row] for name in COLUMNS])
    rests = np.array([panel.rests_on(name)[row] for name in (*COLUMNS, *EVENTS)])
    return values.tobytes() + rests.tobytes() + bytes(bool(panel.flags(name)[row]) for name in EVENTS)


def rows_of(candles: CandleFrame) -> list[tuple[int, float, float, float, float]]:
    columns = (candles.open_time, candles.open, candles.high, candles.low, candles.close)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@pytest.fixture(scope="module")
def eurusd(shared: Path) -> CandleFrame:
    """Real EUR/USD hours with their week-ends and holidays."""
    with gzip.open(shared / "data" / "eurusd-1h.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))[:6000]
    times = [int(datetime.fromisoformat(row["time"]).timestamp() * 1000) for row in rows]
    prices = {name: np.array([float(row[name]) for row in rows]) for name in ("open", "high", "low", "close")}
    return CandleFrame(
        symbol="EUR/USD",
        timeframe="1h",
        market="files",
        simulated=False,
        open_time=np.array(times, dtype=np.int64),
        volume=np.ones(len(rows)),
        **prices,
    )


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), data=st.data())
def test_nothing_changes_when_later_candles_are_cut_off(seed: int, data: st.DataObject, random_frame: Build) -> None:
    candles = thinned(random_frame(seed, count=400), seed)
    whole = compute_panel(candles, QUICK)
    for _ in range(8):
        end = data.draw(st.integers(QUICK.candles_needed, len(candles)))
        assert at(compute_panel(candles[:end], QUICK), -1) == at(whole, end - 1)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(0, 400))
def test_a_stream_that_begins_anywhere_gives_the_rows_of_the_whole(seed: int, cut: int, random_frame: Build) -> None:
    candles = thinned(random_frame(seed, count=400), seed)
    whole = compute_panel(candles, QUICK)
    stream = CipherStream.after(candles[:cut], QUICK) if cut else CipherStream("BTC/USD", "1h", QUICK)
    for row, candle in enumerate(rows_of(candles[cut:]), start=cut):
        time, open_, high, low, _ = candle
        stream.forming(time, open_, high * 2, low / 2, high)
        update = stream.close(*candle)
        expected = np.array([column[row] for column in whole.values.values()])
        assert np.array(list(update.values.values())).tobytes() == expected.tobytes(), row
        assert update.mask == whole.masks[row], row


def test_a_block_gives_each_symbol_the_rows_of_its_own_panel(random_frame: Build) -> None:
    frames = [replace(random_frame(seed, count=300), symbol=f"S{seed}/USD") for seed in range(5)]
    frames = [replace(frame, open_time=frames[0].open_time) for frame in frames]
    panels = [compute_panel(frame, QUICK) for frame in frames]
    block = CipherBlock(len(frames), "1h", QUICK)
    for row in range(300):
        columns = (
            np.array([getattr(frame, name)[row] for frame in frames]) for name in ("open", "high", "low", "close")
        )
        update = block.close(np.array([frame.open_time[row] for frame in frames]), *columns)
        expected = np.array([[column[row] for column in panel.values.values()] for panel in panels])
        assert update.values.tobytes() == expected.tobytes(), row
        assert update.masks.tolist() == [panel.masks[row] for panel in panels], row


def test_every_row_rests_on_candles_that_had_closed(eurusd: CandleFrame) -> None:
    panel = compute_panel(eurusd)
    closes = eurusd.open_time + HOUR_MS
    for name in (*COLUMNS, *EVENTS):
        rests = panel.rests_on(name)
        assert (rests <= closes).all(), name
        assert (np.diff(rests) >= 0).all(), name
        assert rests[-1] > 0, name
    assert (panel.rests_on("htf_vwap") % (12 * HOUR_MS) == 0).all()
    assert np.array_equal(panel.rests_on("wt1"), closes)


def test_a_value_changes_only_with_the_candle_it_rests_on(eurusd: CandleFrame) -> None:
    panel = compute_panel(eurusd)
    for name in COLUMNS:
        column, rests = panel.values[name], panel.rests_on(name)
        moved = np.flatnonzero((column[1:] != column[:-1]) & ~np.isnan(column[1:])) + 1
        assert len(moved) > 100, name
        assert (rests[moved] > rests[moved - 1]).all(), name


def test_a_week_end_does_not_close_a_candle_early(eurusd: CandleFrame) -> None:
    panel = compute_panel(eurusd)
    closes, rests = eurusd.open_time + HOUR_MS, panel.rests_on("htf_vwap")
    last_before = np.flatnonzero(np.diff(eurusd.open_time) > 40 * HOUR_MS)
    assert len(last_before) > 40
    pending = last_before[closes[last_before] % (12 * HOUR_MS) != 0]
    assert len(pending) > 20
    for row in pending.tolist():
        end = (closes[row] // (12 * HOUR_MS) + 1) * 12 * HOUR_MS
        assert rests[row] == end - 12 * HOUR_MS
        assert rests[row + 1] == end, "the first candle after the week-end closes after the nominal end"


@pytest.mark.parametrize(("timeframe", "minutes"), [("1d", 720), ("4h", 60), ("1h", 90), ("1w", 1440), ("4h", 250)])
def test_a_timeframe_that_is_no_whole_number_of_candles_shows_nothing(
    timeframe: Timeframe, minutes: int, random_frame: Build
) -> None:
    params = replace(
        QUICK,
        flag_timeframe_minutes=minutes,
        macd_minutes=minutes,
        diamond_minutes_1=minutes,
        diamond_minutes_2=minutes,
    )
    panel = compute_panel(thinned(random_frame(3), 3, timeframe), params)
    assert panel.flags("cross_up").sum() > 10
    for name in COLUMNS:
        assert np.isnan(panel.values[name]).all(), name
        assert not panel.rests_on(name).any(), name
    assert not any(panel.flags(name).any() for name in EVENTS)


def test_a_higher_timeframe_of_the_charts_own_length_is_the_chart(random_frame: Build) -> None:
    candles = thinned(random_frame(8), 8)
    panel = compute_panel(candles, replace(QUICK, flag_timeframe_minutes=60))
    assert np.array_equal(panel.values["htf_vwap"], panel.vwap, equal_nan=True)
    assert np.array_equal(panel.rests_on("htf_vwap"), candles.open_time + HOUR_MS)


def test_weeks_close_on_monday_at_midnight(random_frame: Build) -> None:
    candles = replace(random_frame(5), open_time=np.arange(700, dtype=np.int64) * 4 * HOUR_MS, timeframe="4h")
    panel = compute_panel(candles, replace(QUICK, flag_timeframe_minutes=7 * 1440))
    closes = candles.open_time + 4 * HOUR_MS
    assert np.datetime64(int(closes[panel.rests_on("htf_vwap") > 0][0]), "ms") == np.datetime64("1970-01-05T00:00")
    assert np.isfinite(panel.values["htf_vwap"][-1])


def test_candles_that_straddle_a_buckets_end_close_it_once_and_for_all(random_frame: Build) -> None:
    candles = random_frame(6)
    shifted = replace(candles, open_time=candles.open_time + HOUR_MS // 2)
    whole = compute_panel(shifted, QUICK)
    for end in range(100, 130):
        assert at(compute_panel(shifted[:end], QUICK), -1) == at(whole, end - 1)
    crowded = replace(candles, open_time=np.arange(700, dtype=np.int64) * (HOUR_MS // 3))
    whole = compute_panel(crowded, QUICK)
    for end in range(100, 130):
        assert at(compute_panel(crowded[:end], QUICK), -1) == at(whole, end - 1)


def test_diamonds_of_tv_parity_change_when_the_future_does_and_the_default_ones_do_not(
    btc_hourly: CandleFrame,
) -> None:
    cut = [row for row in range(2000, 2400) if row % 4 != 0]
    changed = {False: 0, True: 0}
    for leaks in changed:
        params = replace(VUMANCHU_B, tv_parity=leaks)
        whole = compute_panel(btc_hourly, params)
        for end in cut:
            part = compute_panel(btc_hourly[:end], params)
            same = all(np.array_equal(part.flags(name), whole.flags(name)[:end]) for name in DIAMONDS)
            changed[leaks] += not same
    assert changed[False] == 0
    assert changed[True] > 0


def test_tv_parity_says_that_it_rests_on_candles_still_to_close(btc_hourly: CandleFrame) -> None:
    leaking = compute_panel(btc_hourly, TV_PARITY)
    sound = compute_panel(btc_hourly)
    closes = btc_hourly.open_time + HOUR_MS
    for name in DIAMONDS:
        assert (leaking.rests_on(name) > closes).any()
        assert (leaking.rests_on(name) >= closes).all()
        assert not np.array_equal(leaking.flags(name), sound.flags(name))
    others = ~np.int64(3 << 27)
    assert np.array_equal(leaking.masks & others, sound.masks & others)


def test_settings_that_repaint_say_so_and_are_refused_by_stream_and_block() -> None:
    assert PRESETS[TV_PARITY.name] == TV_PARITY
    assert [name for name, params in PRESETS.items() if params.repaints] == ["vumanchu_b_tv_parity"]
    with pytest.raises(InvalidRequest, match="vumanchu_b_tv_parity"):
        CipherStream("BTC/USD", "1h", TV_PARITY)
    with pytest.raises(InvalidRequest, match="vumanchu_b_tv_parity"):
        CipherBlock(3, "1h", TV_PARITY)


def test_averaged_candles_leave_higher_timeframes_as_they_are(btc_hourly: CandleFrame) -> None:
    plain, averaged = compute_panel(btc_hourly), compute_panel(btc_hourly, replace(VUMANCHU_B, heikin_ashi=True))
    assert not np.array_equal(plain.wt1, averaged.wt1, equal_nan=True)
    for name in COLUMNS:
        assert np.array_equal(plain.values[name], averaged.values[name], equal_nan=True), name
