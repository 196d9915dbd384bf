"""The market of imported candles."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from engines.domain.candles import CandleFrame
from engines.domain.timeframe import TIMEFRAMES, Timeframe, duration_ms, floor_ms, from_ms, to_ms
from engines.errors import ConfigurationError, InsufficientData, InvalidRequest, NotFound
from engines.market.aggregation import aggregate
from engines.market.files import FileMarket
from engines.market.importing import import_candles
from engines.market.store import CandleStore, Provenance

MakeCandles = Callable[..., CandleFrame]
FILE = Provenance("a.csv", "ab12", datetime(2026, 1, 2, tzinfo=UTC), Decimal("0.01"), Decimal("0.0001"))


def test_now_is_the_close_of_the_newest_candle_of_any_series(store: CandleStore, make_candles: MakeCandles) -> None:
    market = FileMarket(store)
    hours = make_candles(50)
    store.write(hours, FILE)
    assert market.now() == hours.as_of
    newer = make_candles(10, symbol="ETH/USD", start=hours.as_of)
    store.write(newer, FILE)
    assert market.now() == newer.as_of
    assert (market.now("BTC/USD"), market.now("ETH/USD")) == (hours.as_of, newer.as_of)
    assert market.quote("BTC/USD").time == market.now("BTC/USD")


def test_before_the_first_import_every_answer_tells_how_to_import(sqlite_store: CandleStore) -> None:
    market = FileMarket(sqlite_store)
    assert market.instruments() == ()
    with pytest.raises(ConfigurationError, match="import-candles FILE --symbol"):
        market.now()
    for ask in (market.quote, market.instrument, lambda symbol: market.closed_candles(symbol, "1h")):
        with pytest.raises(NotFound, match="import-candles FILE --symbol"):
            ask("BTC/USD")


def test_an_unknown_symbol_names_the_nearest(sqlite_store: CandleStore, make_candles: MakeCandles) -> None:
    for symbol in ("ETH/USD", "BTC/USD", "BTC/EUR"):
        sqlite_store.write(make_candles(3, symbol=symbol), FILE)
    with pytest.raises(NotFound, match=r"'BTC/USDT' is not listed on files\. Nearest: BTC/EUR, BTC/USD"):
        FileMarket(sqlite_store).instrument("BTC/USDT")


def test_the_quote_is_the_last_close_with_two_basis_points(store: CandleStore, make_candles: MakeCandles) -> None:
    candles = make_candles(50)
    store.write(candles, FILE)
    quote = FileMarket(store).quote("BTC/USD")
    assert float(quote.last) == candles.close[-1]
    assert quote.time == candles.as_of
    assert quote.bid < quote.last < quote.ask
    assert Decimal("0.00019") < (quote.ask - quote.bid) / quote.last < Decimal("0.00021")
    assert (quote.market, quote.simulated) == ("files", False)


def test_a_cheap_symbol_still_has_a_spread_of_a_tick(sqlite_store: CandleStore, tmp_path: Path) -> None:
    path = tmp_path / "cheap.csv"
    path.write_text("time,open,high,low,close,volume\n2024-01-01,0.03,0.05,0.01,0.02,7\n")
    import_candles(path, symbol="PEPE/USD", timeframe="1d", store=sqlite_store)
    quote = FileMarket(sqlite_store).quote("PEPE/USD")
    assert (quote.bid, quote.ask) == (Decimal("0.01"), Decimal("0.03"))


def test_the_quote_comes_from_the_latest_candle_whatever_its_timeframe(
    sqlite_store: CandleStore, make_candles: MakeCandles
) -> None:
    minutes, hours = make_candles(60, "1m", seed=2), make_candles(48, seed=3)
    sqlite_store.write(minutes, FILE)
    sqlite_store.write(hours, FILE)
    assert float(FileMarket(sqlite_store).quote("BTC/USD").last) == hours.close[-1]
    later = make_candles(60, "1m", start=hours.as_of - timedelta(hours=1), seed=4)
    sqlite_store.write(later, FILE)
    assert float(FileMarket(sqlite_store).quote("BTC/USD").last) == later.close[-1], (
        "the finest of those that end together"
    )


@pytest.mark.parametrize("timeframe", [each for each in TIMEFRAMES if duration_ms(each) > duration_ms("1h")])
def test_longer_timeframes_are_made_of_whole_periods(
    store: CandleStore, make_candles: MakeCandles, timeframe: Timeframe
) -> None:
    hours = make_candles(24 * 40, start=datetime(2024, 1, 3, 5, tzinfo=UTC))
    store.write(hours, FILE)
    made = FileMarket(store).closed_candles("BTC/USD", timeframe, count=10_000)
    assert (made.symbol, made.timeframe, made.market) == ("BTC/USD", timeframe, "files")
    assert int(made.open_time[0]) >= int(hours.open_time[0])
    assert made.as_of <= hours.as_of < made.as_of + timedelta(milliseconds=duration_ms(timeframe))
    for row in range(len(made)):
        start = int(made.open_time[row])
        assert start == floor_ms(start, timeframe)
        parts = (hours.open_time >= start) & (hours.open_time < start + duration_ms(timeframe))
        assert parts.sum() == duration_ms(timeframe) // duration_ms("1h")
        assert made.open[row] == hours.open[parts][0]
        assert made.high[row] == hours.high[parts].max()
        assert made.low[row] == hours.low[parts].min()
        assert made.close[row] == hours.close[parts][-1]
        assert made.volume[row] == pytest.approx(hours.volume[parts].sum())


def test_a_made_candle_does_not_change_with_the_window_or_with_what_comes_later(
    sqlite_store: CandleStore, make_candles: MakeCandles
) -> None:
    sqlite_store.write(make_candles(24 * 30), FILE)
    market = FileMarket(sqlite_store)
    whole = market.closed_candles("BTC/USD", "4h", count=1000)
    for hours in range(24 * 20, 24 * 20 + 9):
        as_of = whole.as_of - timedelta(hours=hours)
        past = market.closed_candles("BTC/USD", "4h", count=7, as_of=as_of)
        assert len(past) == 7
        assert past.as_of <= as_of < past.as_of + timedelta(hours=4)
        rows = np.isin(whole.open_time, past.open_time)
        np.testing.assert_array_equal(whole.close[rows], past.close)


def test_an_imported_timeframe_is_served_as_it_is_and_beats_one_made(
    sqlite_store: CandleStore, make_candles: MakeCandles
) -> None:
    hours, days = make_candles(24 * 10), make_candles(10, "1d", seed=9)
    sqlite_store.write(hours, FILE)
    sqlite_store.write(days, FILE)
    market = FileMarket(sqlite_store)
    np.testing.assert_array_equal(market.closed_candles("BTC/USD", "1d").close, days.close)
    np.testing.assert_array_equal(market.closed_candles("BTC/USD", "1h").close, hours.close)


def test_a_weekend_without_trade_breaks_no_period(sqlite_store: CandleStore, shared: Path) -> None:
    import_candles(shared / "data/eurusd-1h.csv.gz", symbol="EUR/USD", timeframe="1h", store=sqlite_store)
    market = FileMarket(sqlite_store)
    days = market.closed_candles("EUR/USD", "1d", count=10)
    weekdays = [from_ms(int(time)).strftime("%a") for time in days.open_time]
    assert weekdays == ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sun", "Mon", "Tue", "Wed", "Thu"][-10:]
    assert days.as_of == datetime(2025, 9, 12, tzinfo=UTC), "Friday the 12th still lacks its last hours"


def test_a_shorter_timeframe_cannot_be_made(sqlite_store: CandleStore, make_candles: MakeCandles) -> None:
    sqlite_store.write(make_candles(10, "4h"), FILE)
    with pytest.raises(InsufficientData, match="imported as 4h; 6h candles cannot be made"):
        FileMarket(sqlite_store).closed_candles("BTC/USD", "6h")
    with pytest.raises(InsufficientData, match="imported as 4h; 1m candles cannot be made"):
        FileMarket(sqlite_store).closed_candles("BTC/USD", "1m")


def test_before_the_data_and_within_the_first_period_there_is_no_candle(
    sqlite_store: CandleStore, make_candles: MakeCandles
) -> None:
    hours = make_candles(10)
    sqlite_store.write(hours, FILE)
    market = FileMarket(sqlite_store)
    with pytest.raises(InsufficientData, match="data run from 2024-01-01 00:00 to 2024-01-01 10:00"):
        market.closed_candles("BTC/USD", "1h", as_of=datetime(2024, 1, 1, 0, 59, tzinfo=UTC))
    with pytest.raises(InsufficientData, match="No 1d candle"):
        market.closed_candles("BTC/USD", "1d")


def test_beyond_the_end_of_the_data_lies_the_future(sqlite_store: CandleStore, make_candles: MakeCandles) -> None:
    hours = make_candles(10)
    sqlite_store.write(hours, FILE)
    with pytest.raises(InvalidRequest, match="in the future"):
        FileMarket(sqlite_store).closed_candles("BTC/USD", "1h", as_of=hours.as_of + timedelta(milliseconds=1))


def test_an_aggregate_waits_for_proof_that_its_period_is_over(make_candles: MakeCandles) -> None:
    hours = make_candles(8)
    end_ms = to_ms(hours.as_of)
    assert len(aggregate(hours, "4h", complete_until_ms=end_ms)) == 2
    assert len(aggregate(hours, "4h", complete_until_ms=end_ms - 1)) == 1
    assert len(aggregate(hours[:7], "4h", complete_until_ms=end_ms - 3_600_000)) == 1
    assert len(aggregate(hours[:0], "4h", complete_until_ms=end_ms)) == 0


def test_fees_and_minimum_are_the_documented_defaults(sqlite_store: CandleStore, make_candles: MakeCandles) -> None:
    sqlite_store.write(make_candles(3, symbol="BTC/USD:USD"), FILE)
    instrument = FileMarket(sqlite_store).instrument("BTC/USD:USD")
    assert (instrument.base, instrument.quote) == ("BTC", "USD")
    assert (instrument.maker_fee, instrument.taker_fee) == (Decimal("0.001"), Decimal("0.001"))
    assert (instrument.tick_size, instrument.lot_size) == (Decimal("0.01"), Decimal("0.0001"))
