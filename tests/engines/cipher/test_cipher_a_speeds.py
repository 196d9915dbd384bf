"""Cipher A candle by candle, symbol by symbol and cut anywhere: the bits of the whole history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.cipher import VUMANCHU_A, CipherAParams, CipherPanel, compute_cipher_a
from engines.cipher.block import CipherBlock
from engines.cipher.stream import CipherStream
from engines.domain.candles import CandleFrame
from engines.errors import InvalidRequest

Build = Callable[..., CandleFrame]
PARAMS = [VUMANCHU_A, replace(VUMANCHU_A, name="odd", ribbon_lengths=(1, 40, 2, 18, 3, 24, 300, 34), rsi_length=5)]


def row_of(panel: CipherPanel, row: int) -> bytes:
    return np.array([column[row] for column in panel.values.values()]).tobytes() + bytes([panel.masks[row] & 0xFF])


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), still=st.integers(0, 100), data=st.data())
def test_nothing_changes_when_later_candles_are_cut_off(
    seed: int, still: int, data: st.DataObject, random_frame: Build
) -> None:
    candles = random_frame(seed, count=500, still=still)
    whole = compute_cipher_a(candles)
    for _ in range(8):
        end = data.draw(st.integers(VUMANCHU_A.candles_needed, len(candles)))
        part = compute_cipher_a(candles[:end])
        assert row_of(part, -1) == row_of(whole, end - 1)
        assert np.array_equal(part.masks, whole.masks[:end])


@pytest.mark.parametrize("params", PARAMS, ids=lambda params: params.name)
@pytest.mark.parametrize("cut", [0, 1, 33, 255, 256, 399])
def test_a_stream_that_begins_anywhere_gives_the_rows_of_the_whole(
    cut: int, params: CipherAParams, random_frame: Build
) -> None:
    candles = random_frame(cut, count=400, still=20)
    whole = compute_cipher_a(candles, params)
    stream = CipherStream.after(candles[:cut], params) if cut else CipherStream("BTC/USD", "1h", params)
    columns = (candles.open_time, candles.open, candles.high, candles.low, candles.close)
    for row in range(cut, 400):
        candle = [column[row].item() for column in columns]
        stream.forming(candle[0], candle[1], candle[2] * 2, candle[3] / 2, candle[2])
        update = stream.close(*candle)
        expected = np.array([column[row] for column in whole.values.values()])
        assert np.array(list(update.values.values())).tobytes() == expected.tobytes(), row
        assert update.mask == whole.masks[row], row
        assert tuple(update.events) == whole.events(row)[: len(update.events)]


def test_a_block_gives_each_symbol_the_rows_of_its_own_panel(random_frame: Build) -> None:
    frames = [random_frame(seed, count=200) for seed in range(4)]
    panels = [compute_cipher_a(frame) for frame in frames]
    block = CipherBlock(len(frames), "1h", VUMANCHU_A)
    for row in range(200):
        columns = (
            np.array([getattr(frame, name)[row] for frame in frames]) for name in ("open", "high", "low", "close")
        )
        update = block.close(np.full(len(frames), frames[0].open_time[row]), *columns)
        expected = np.array([[column[row] for column in panel.values.values()] for panel in panels])
        assert update.values.tobytes() == expected.tobytes(), row
        assert update.masks.tolist() == [panel.masks[row] for panel in panels], row


def test_a_candle_that_cannot_be_leaves_the_stream_as_it_was(random_frame: Build) -> None:
    candles = random_frame(4, count=200)
    stream = CipherStream.after(candles[:199], VUMANCHU_A)
    last = [
        column[199].item() for column in (candles.open_time, candles.open, candles.high, candles.low, candles.close)
    ]
    for wrong in ([last[0] - 3_600_000, *last[1:]], [*last[:2], last[3] / 2, *last[3:]], [*last[:4], float("nan")]):
        with pytest.raises(InvalidRequest, match="cannot be"):
            stream.close(*wrong)
    assert stream.close(*last).mask == compute_cipher_a(candles).masks[199]


def test_a_ribbon_average_over_one_candle_is_its_close(random_frame: Build) -> None:
    candles = random_frame(7)
    assert np.array_equal(compute_cipher_a(candles, PARAMS[1]).values["ema1"], candles.close)
