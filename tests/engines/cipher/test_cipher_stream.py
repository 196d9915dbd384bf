"""Candle by candle and many symbols at once give what the whole history gives, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engines.cipher import (
    PRESETS,
    VUMANCHU_B,
    CipherAParams,
    CipherBlock,
    CipherEvent,
    CipherPanel,
    CipherParams,
    CipherStream,
    CipherUpdate,
    compute_cipher_a,
    compute_panel,
    preset,
)
from engines.domain.candles import CandleFrame
from engines.errors import InvalidRequest

Build = Callable[..., CandleFrame]
Row = tuple[int, float, float, float, float]
SOUND = sorted(name for name, params in PRESETS.items() if not params.repaints)
SHORT = replace(
    VUMANCHU_B,
    name="short",
    money_flow_length=7,
    signal_length=1,
    channel_length=1,
    rsi_length=1,
    stoch_length=2,
    stoch_on_log=False,
    stoch_average=True,
    stc_length=3,
    stc_fast=1,
    stc_slow=2,
    show_rsi_divergences=True,
    show_stoch_divergences=True,
    hidden_ignores_limits=False,
    pine_zero_falsy=False,
    pine_warmup=False,
)


def whole(candles: CandleFrame, params: CipherParams | CipherAParams) -> CipherPanel:
    return compute_panel(candles, params) if isinstance(params, CipherParams) else compute_cipher_a(candles, params)


def rows(candles: CandleFrame) -> list[Row]:
    columns = (candles.open_time, candles.open, candles.high, candles.low, candles.close)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def trouble(candles: CandleFrame, random: np.random.Generator) -> CandleFrame:
    """The same candles with flats, candles without a range, a spike, and gaps in time."""
    count = len(candles)
    prices = np.array([candles.open, candles.high, candles.low, candles.close])
    still = slice(at := int(random.integers(0, count)), at + int(random.integers(0, 90)))
    prices[:, still] = prices[3, at]
    pointed = random.random(count) < 0.02
    prices[:, pointed] = prices[3, pointed]
    prices[1, random.integers(0, count)] *= 1e6
    times = candles.open_time + 3_600_000 * np.cumsum(random.random(count) < 0.03) * int(random.integers(1, 30))
    return replace(candles, open_time=times, open=prices[0], high=prices[1], low=prices[2], close=prices[3])


def assert_is_row(update: CipherUpdate, panel: CipherPanel, row: int) -> None:
    assert np.array([column[row] for column in panel.values.values()]).tobytes() == np.array(update.row).tobytes()
    assert update.mask == panel.masks[row]
    assert update.events == tuple(event for event in panel.events(row) if event.index == row)


@pytest.mark.parametrize("name", [*SOUND, "short"])
def test_a_stream_gives_every_row_of_the_panel(name: str, random_frame: Build) -> None:
    params = SHORT if name == "short" else preset(name)
    candles = trouble(random_frame(11, count=900), np.random.default_rng(11))
    panel, stream = whole(candles, params), CipherStream("BTC/USD", "1h", params)
    told: dict[int, list[CipherEvent]] = {event.index: [] for event in panel.events()}
    for event in panel.events():
        told[event.index].append(event)
    for row, candle in enumerate(rows(candles)):
        update = stream.close(*candle)
        assert np.array([column[row] for column in panel.values.values()]).tobytes() == np.array(update.row).tobytes()
        assert update.mask == panel.masks[row]
        assert list(update.events) == told.get(row, [])
        assert update.values.keys() == panel.values.keys()
        assert update.flat == panel.flat[row]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10_000), name=st.sampled_from(SOUND))
def test_history_and_stream_and_forming_candles_mix_without_a_trace(seed: int, name: str, random_frame: Build) -> None:
    random = np.random.default_rng(seed)
    candles, params = trouble(random_frame(seed, count=400), random), preset(name)
    panel, given_rows = whole(candles, params), rows(candles)
    split = int(random.integers(params.candles_needed, 390))
    stream = CipherStream.after(candles[:split], params)
    for row in range(split, split + 10):
        time, open_, high, low, close = given_rows[row]
        for scale in random.uniform(0.5, 2.0, int(random.integers(0, 3))):
            stream.forming(time, open_ * scale, high * scale, low * scale, close * scale)
        assert_is_row(stream.forming(*given_rows[row]), panel, row)
        assert_is_row(stream.close(time, open_, high, low, close), panel, row)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10_000))
def test_cutting_a_history_anywhere_changes_no_bit(seed: int, random_frame: Build) -> None:
    random = np.random.default_rng(seed)
    candles = trouble(random_frame(seed, count=1_200), random)
    panel = whole(candles, VUMANCHU_B)
    for cut in random.integers(0, 1_199, 6).tolist():
        block = CipherBlock.after([candles[:cut]])
        for row in range(cut, min(cut + 5, 1_200)):
            update = block.close(*(np.array([value]) for value in rows(candles)[row]))
            assert update.values[0].tobytes() == np.array([c[row] for c in panel.values.values()]).tobytes()
            assert update.masks[0] == panel.masks[row]


def test_a_block_gives_the_rows_of_every_symbols_own_panel(random_frame: Build) -> None:
    frames = [trouble(random_frame(seed, count=300), np.random.default_rng(seed)) for seed in range(7)]
    panels = [compute_panel(frame) for frame in frames]
    block = CipherBlock.after([frame[:200] for frame in frames])
    for row in range(200, 300):
        update = block.close(
            *(np.array([getattr(frame, name)[row] for frame in frames]) for name in ("open_time", "open")),
            *(np.array([getattr(frame, name)[row] for frame in frames]) for name in ("high", "low", "close")),
        )
        for number, panel in enumerate(panels):
            expected = np.array([column[row] for column in panel.values.values()])
            assert update.values[number].tobytes() == expected.tobytes()
            assert update.masks[number] == panel.masks[row]


@pytest.mark.parametrize(
    "change",
    [
        {"close": float("nan")},
        {"high": float("inf")},
        {"low": 0.0},
        {"high": 1.0},
        {"open_time": 0},
    ],
)
def test_a_candle_that_cannot_be_is_refused_and_leaves_stream_and_block_as_they_were(
    change: dict[str, float], random_frame: Build
) -> None:
    candles = random_frame(3)
    stream, block = CipherStream.after(candles[:-1]), CipherBlock.after([candles[:-1]] * 2)
    names = ("open_time", "open", "high", "low", "close")
    good = dict(zip(names, rows(candles)[-1], strict=True))
    bad = good | change
    for _ in range(2):
        with pytest.raises(InvalidRequest, match="cannot be, or does not come after the last"):
            stream.close(*bad.values())  # type: ignore[arg-type]
        with pytest.raises(InvalidRequest, match="cannot be, or does not come after the last"):
            stream.forming(*bad.values())  # type: ignore[arg-type]
        with pytest.raises(InvalidRequest, match=r"^Row 1: "):
            block.close(*(np.array([good[name], bad[name]]) for name in names))
    panel = compute_panel(candles)
    assert_is_row(stream.close(*rows(candles)[-1]), panel, len(candles) - 1)
    last = block.close(*(np.array([good[name]] * 2) for name in names))
    assert last.masks.tolist() == [panel.masks[-1]] * 2
    with pytest.raises(InvalidRequest, match="does not come after"):
        stream.close(*rows(candles)[-1])


def test_settings_that_repaint_are_refused_where_something_is_decided() -> None:
    repainting = preset("vumanchu_b_tv_parity")
    with pytest.raises(InvalidRequest, match="repaint"):
        CipherStream("BTC/USD", "1h", repainting)
    with pytest.raises(InvalidRequest, match="repaint"):
        CipherBlock(2, "1h", repainting)


def test_a_block_asks_for_as_many_candles_as_it_has_symbols() -> None:
    with pytest.raises(InvalidRequest, match="2 symbols"):
        CipherBlock(2, "1h").close(*(np.ones(3) for _ in range(5)))  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="nothing to do"):
        CipherBlock(0, "1h")
