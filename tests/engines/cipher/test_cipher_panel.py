"""What holds for every panel: no look-ahead, no volume, nothing read into a still market, no bad candle let through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.cipher import CORE_COLUMNS, VUMANCHU_B, WARM_UP, CipherPanel, CipherParams, compute_panel
from engines.domain.candles import CandleFrame
from engines.errors import InsufficientData, InvalidRequest

Table = dict[str, list[str]]
Build = Callable[..., CandleFrame]
COLUMNS = CORE_COLUMNS
HOUR_MS = 3_600_000


def at(panel: CipherPanel, row: int) -> bytes:
    """Every value and flag of one candle, bit for bit."""
    values = np.array([column[row] for column in panel.values.values()])
    return values.tobytes() + panel.masks[[row]].tobytes()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), still=st.integers(0, 200), data=st.data())
def test_a_value_is_the_same_bit_for_bit_when_later_candles_are_cut_off(
    seed: int, still: int, data: st.DataObject, random_frame: Build
) -> None:
    candles = random_frame(seed, still=still)
    whole = compute_panel(candles)
    for _ in range(10):
        end = data.draw(st.integers(VUMANCHU_B.candles_needed, len(candles)))
        assert at(compute_panel(candles[:end]), -1) == at(whole, end - 1)


def test_a_poisoned_future_changes_nothing_before_it(random_frame: Build) -> None:
    candles = random_frame(5)
    poison = 1e9 * (1 + np.arange(len(candles)) % 7)
    after = np.arange(len(candles)) >= 400
    poisoned = replace(
        candles,
        open=np.where(after, poison, candles.open),
        close=np.where(after, poison * 2, candles.close),
        high=np.where(after, poison * 3, candles.high),
        low=np.where(after, poison / 2, candles.low),
    )
    clean, dirty = compute_panel(candles), compute_panel(poisoned)
    assert [at(clean, row) for row in range(400)] == [at(dirty, row) for row in range(400)]
    assert at(clean, 400) != at(dirty, 400)


def test_values_do_not_depend_on_where_the_series_begins_after_the_warm_up(random_frame: Build) -> None:
    candles = random_frame(9, count=3_000)
    whole, late = compute_panel(candles), compute_panel(candles[-(WARM_UP + 200) :])
    for name in COLUMNS:
        assert np.max(np.abs(getattr(whole, name)[-200:] - getattr(late, name)[-200:])) < 1e-9, name
    assert [event.name for event in whole.events(len(whole.wt1) - 200)] == [
        event.name for event in late.events(WARM_UP)
    ]


def test_volume_has_no_influence(random_frame: Build) -> None:
    candles = random_frame(3)
    silent = replace(candles, volume=np.zeros(len(candles)))
    assert at(compute_panel(candles), -1) == at(compute_panel(silent), -1)


def test_a_market_that_never_moved_is_flat_and_shows_no_event(
    edge_series: dict[str, tuple[CandleFrame, Table]],
) -> None:
    panel = compute_panel(edge_series["flat"][0])
    assert panel.flat[-1]
    assert panel.events() == ()
    latest = panel.latest()
    assert (latest.pop("rsi"), latest.pop("stc")) == (100.0, 0.0)
    assert all(np.isnan(value) for value in latest.values())


def test_a_market_that_stopped_moving_is_marked_flat_and_one_that_moves_is_not(random_frame: Build) -> None:
    panel = compute_panel(random_frame(1, count=900, still=300))
    assert panel.flat[700:750].all()
    assert not panel.flat[:450].any()
    assert not panel.flat[850:].any()


def test_events_come_in_order_and_are_knowable_at_their_own_close(btc_hourly: CandleFrame) -> None:
    panel = compute_panel(btc_hourly)
    events = panel.events(names=("cross_up", "cross_down", "green_dot", "red_dot"))
    assert len(events) == 1564
    assert all(event.pivot_index == event.confirmed_index == event.index for event in events)
    assert [event.index for event in events] == sorted(event.index for event in events)
    assert all(event.confirmed_time == btc_hourly.open_time[event.index] + HOUR_MS for event in events)
    green = [event for event in events if event.name == "green_dot"]
    assert panel.last_event("green_dot") == green[-1]
    assert panel.events(green[-1].index, ("green_dot",)) == (green[-1],)


def test_every_dot_is_a_cross_beyond_its_level(btc_hourly: CandleFrame) -> None:
    panel = compute_panel(btc_hourly)
    up, down, green, red = (panel.flags(name) for name in ("cross_up", "cross_down", "green_dot", "red_dot"))
    assert up[green].all()
    assert down[red].all()
    assert panel.wt2[green].max() <= -53 < panel.wt2[up & ~green].min()
    assert panel.wt2[red].min() >= 53 > panel.wt2[down & ~red].max()


def test_too_few_candles_are_refused_with_both_numbers(random_frame: Build) -> None:
    candles = replace(random_frame(1)[:41], symbol="XYZ/USDT", timeframe="4h")
    with pytest.raises(InsufficientData, match=r"^XYZ/USDT has 41 closed 4h candles; this panel needs 60\.$"):
        compute_panel(candles)
    assert np.isfinite(compute_panel(random_frame(1)[:60]).money_flow[-1])


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("close", np.nan, "undefined or infinite price"),
        ("high", np.inf, "undefined or infinite price"),
        ("high", 1.0, "high below its open or close"),
        ("low", 1e9, "low above its open or close"),
        ("low", -1.0, "not above zero"),
    ],
)
def test_a_candle_that_cannot_be_is_refused_with_its_row(
    column: str, value: float, words: str, random_frame: Build
) -> None:
    candles = random_frame(2)
    broken = getattr(candles, column).copy()
    broken[[17, 90]] = value
    with pytest.raises(InvalidRequest, match=rf"row 17 \(1970-01-01 17:00 UTC\) has a[n]? .*{words}.*row 90"):
        compute_panel(replace(candles, **{column: broken}))


@pytest.mark.parametrize("second", [4, 5])
def test_times_that_do_not_rise_are_refused_with_their_row(second: int, random_frame: Build) -> None:
    candles = random_frame(2)
    times = candles.open_time.copy()
    times[5] = times[second - 1]
    with pytest.raises(InvalidRequest, match=r"row 5 .* does not come after the row before it"):
        compute_panel(replace(candles, open_time=times))


@pytest.mark.parametrize(
    "setting",
    [
        {"rsi_length": 0},
        {"channel_length": 2.5},
        {"oversold": 60.0},
        {"overbought": float("nan")},
        {"money_flow_multiplier": 0.0},
    ],
)
def test_settings_that_make_no_sense_are_refused(setting: dict[str, float]) -> None:
    name = next(iter(setting))
    with pytest.raises(InvalidRequest, match=name):
        CipherParams(**setting)  # type: ignore[arg-type]


def test_candles_needed_is_where_the_last_column_begins(random_frame: Build) -> None:
    candles = random_frame(4)
    for params in (
        VUMANCHU_B,
        replace(VUMANCHU_B, money_flow_length=5),
        replace(VUMANCHU_B, money_flow_length=5, pine_warmup=False),
        replace(VUMANCHU_B, money_flow_length=5, rsi_length=80),
        replace(VUMANCHU_B, money_flow_length=5, stoch_length=50),
    ):
        panel = compute_panel(candles, params)
        begins = max(int(np.flatnonzero(~np.isnan(getattr(panel, name)))[0]) for name in COLUMNS)
        assert params.candles_needed == begins + 1


def test_read_only_and_strided_candles_are_taken_as_they_are(random_frame: Build) -> None:
    candles = random_frame(6)
    doubled = np.repeat(candles.close, 2)
    frozen = candles.open.copy()
    frozen.flags.writeable = False
    assert at(compute_panel(replace(candles, close=doubled[::2], open=frozen)), -1) == at(compute_panel(candles), -1)
