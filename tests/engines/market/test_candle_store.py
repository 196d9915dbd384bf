"""Stored candles, on both databases."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from engines.domain.candles import CandleFrame
from engines.domain.timeframe import from_ms, to_ms
from engines.errors import VenueUnavailable
from engines.market.store import CandleStore, Provenance, Written
from engines.storage.database import open_database

MakeCandles = Callable[..., CandleFrame]
FILE = Provenance("a.csv", "ab12", datetime(2026, 1, 2, tzinfo=UTC), Decimal("0.01"), Decimal("0.0001"))
COLUMNS = ("open_time", "open", "high", "low", "close", "volume")


def assert_same(one: CandleFrame, other: CandleFrame) -> None:
    assert (one.symbol, one.timeframe, one.market, one.simulated) == (
        other.symbol,
        other.timeframe,
        other.market,
        other.simulated,
    )
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def read_all(store: CandleStore, candles: CandleFrame) -> CandleFrame:
    return store.read(candles.symbol, candles.timeframe, end_ms=to_ms(candles.as_of), count=10**7)


def test_what_was_written_is_read_back_to_the_last_bit(store: CandleStore, make_candles: MakeCandles) -> None:
    candles = make_candles(45_000, "1m")
    assert store.write(candles, FILE) == Written(added=45_000, revised=0, unchanged=0)
    assert_same(read_all(store, candles), candles)


def test_writing_again_changes_nothing(store: CandleStore, make_candles: MakeCandles) -> None:
    candles = make_candles(300)
    store.write(candles, FILE)
    assert store.write(candles, FILE) == Written(added=0, revised=0, unchanged=300)
    assert_same(read_all(store, candles), candles)


def test_a_changed_candle_is_counted_as_revised_and_the_newer_values_stay(
    store: CandleStore, make_candles: MakeCandles
) -> None:
    candles = make_candles(300)
    store.write(candles[:200], FILE)
    corrected = replace(candles, volume=candles.volume.copy())
    corrected.volume[[3, 150, 250]] += 1.0
    assert store.write(corrected, FILE) == Written(added=100, revised=2, unchanged=198)
    assert_same(read_all(store, candles), corrected)


@pytest.mark.parametrize("seed", range(3))
def test_overlapping_pieces_in_any_order_make_the_same_table(
    store: CandleStore, make_candles: MakeCandles, seed: int
) -> None:
    candles, random = make_candles(400), np.random.default_rng(seed)
    pieces = [candles[start : start + 120] for start in (0, 80, 160, 240, 320, 0, 200)]
    for place in random.permutation(len(pieces)):
        store.write(pieces[place], FILE)
    assert_same(read_all(store, candles), candles)


def test_holes_between_candles_stay_holes(store: CandleStore, make_candles: MakeCandles) -> None:
    candles = make_candles(100)
    store.write(candles[:40], FILE)
    store.write(candles[60:], FILE)
    assert len(read_all(store, candles)) == 80


def test_the_window_ends_with_the_last_candle_closed_by_then(store: CandleStore, make_candles: MakeCandles) -> None:
    candles = make_candles(100)
    store.write(candles, FILE)
    close_of_tenth = int(candles.open_time[9]) + 3_600_000
    assert_same(store.read("BTC/USD", "1h", end_ms=close_of_tenth, count=4), candles[6:10])
    assert_same(store.read("BTC/USD", "1h", end_ms=close_of_tenth - 1, count=4), candles[5:9])
    assert len(store.read("BTC/USD", "1h", end_ms=int(candles.open_time[0]), count=4)) == 0


def test_series_tell_extent_precision_and_source(store: CandleStore, make_candles: MakeCandles) -> None:
    hours, minutes = make_candles(48), make_candles(30, "1m")
    store.write(hours, FILE)
    store.write(minutes, FILE)
    store.write(make_candles(5, symbol="AAA/USD"), FILE)
    first, second, third = store.series()
    assert [(each.symbol, each.timeframe) for each in (first, second, third)] == [
        ("AAA/USD", "1h"),
        ("BTC/USD", "1m"),
        ("BTC/USD", "1h"),
    ]
    assert (third.candles, third.first, third.end) == (48, from_ms(int(hours.open_time[0])), hours.as_of)
    assert third.provenance == FILE


def test_a_coarser_file_does_not_coarsen_the_steps_of_a_series(store: CandleStore, make_candles: MakeCandles) -> None:
    store.write(make_candles(5), FILE)
    store.write(make_candles(9), replace(FILE, tick_size=Decimal(1), lot_size=Decimal(1), source="b.csv"))
    (series,) = store.series()
    assert series.provenance == replace(FILE, source="b.csv")


def test_a_failed_write_leaves_nothing(store: CandleStore, make_candles: MakeCandles) -> None:
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.write(make_candles(50_000, "1m"), FILE, progress=interrupt)
    assert store.series() == ()


def test_stores_of_two_markets_keep_apart(tmp_path: Path, make_candles: MakeCandles) -> None:
    engine = open_database("candles", home=tmp_path)
    CandleStore(engine, "kraken").write(make_candles(5), FILE)
    assert CandleStore(engine).series() == ()
    engine.dispose()


def test_progress_rises_to_the_number_of_candles(store: CandleStore, make_candles: MakeCandles) -> None:
    seen: list[tuple[int, int]] = []
    store.write(make_candles(45_000, "1m"), FILE, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (45_000, 45_000)


def test_a_database_without_its_tables_is_an_outage_in_words(tmp_path: Path, make_candles: MakeCandles) -> None:
    engine = open_database("candles", home=tmp_path)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE candles")
    with pytest.raises(VenueUnavailable, match="Nothing was imported"):
        CandleStore(engine).write(make_candles(5), FILE)
    engine.dispose()


def test_ten_thousand_candles_are_read_in_fifty_milliseconds_of_work(
    store: CandleStore, make_candles: MakeCandles
) -> None:
    """Processor time, because other work on the machine is none of ours; `make bench` measures the wall's."""
    candles = make_candles(60_000, "1m")
    store.write(candles, FILE)
    seconds = []
    for _ in range(9):
        start = time.process_time()
        assert len(store.read("BTC/USD", "1m", end_ms=to_ms(candles.as_of), count=10_000)) == 10_000
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.05
