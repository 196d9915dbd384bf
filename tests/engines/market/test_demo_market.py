"""The simulated market: coherent, pure, lifelike."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.candles import CandleFrame
from engines.domain.clock import ManualClock
from engines.domain.timeframe import TIMEFRAMES, Timeframe, duration_ms, to_ms
from engines.errors import InsufficientData, InvalidRequest
from engines.market.demo import DemoMarket

NOW = datetime(2026, 11, 20, 9, 41, 17, tzinfo=UTC)
SYMBOLS = [instrument.symbol for instrument in DemoMarket(ManualClock(NOW)).instruments()]

times = st.datetimes(datetime(2015, 1, 1), datetime(2040, 12, 31)).map(lambda time: time.replace(tzinfo=UTC))  # noqa: DTZ001


def demo(now: datetime = NOW, seed: int = 7) -> DemoMarket:
    return DemoMarket(ManualClock(now), seed)


def rows(candles: CandleFrame) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.column_stack([candles.open, candles.high, candles.low, candles.close, candles.volume])


def returns(candles: CandleFrame) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.diff(np.log(candles.close))


def aggregate(minutes: CandleFrame, timeframe: Timeframe) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    groups = (-1, duration_ms(timeframe) // 60_000)
    return np.column_stack(
        [
            minutes.open.reshape(groups)[:, 0],
            minutes.high.reshape(groups).max(axis=1),
            minutes.low.reshape(groups).min(axis=1),
            minutes.close.reshape(groups)[:, -1],
            minutes.volume.reshape(groups).sum(axis=1),
        ]
    )


@given(as_of=times, symbol=st.sampled_from(SYMBOLS), timeframe=st.sampled_from(TIMEFRAMES))
@settings(max_examples=40, deadline=None)
def test_every_timeframe_is_exactly_the_aggregate_of_its_minutes(
    as_of: datetime, symbol: str, timeframe: Timeframe
) -> None:
    market = demo(datetime(2041, 1, 1, tzinfo=UTC))
    candles = market.closed_candles(symbol, timeframe, count=2, as_of=as_of)
    minutes = market.closed_candles(symbol, "1m", count=2 * duration_ms(timeframe) // 60_000, as_of=candles.as_of)
    assert (rows(candles) == aggregate(minutes, timeframe)).all()


@given(as_of=times, symbol=st.sampled_from(SYMBOLS), timeframe=st.sampled_from(TIMEFRAMES), back=st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_a_candle_is_the_same_in_every_window_and_every_instance(
    as_of: datetime, symbol: str, timeframe: Timeframe, back: int
) -> None:
    late = demo(datetime(2041, 1, 1, tzinfo=UTC)).closed_candles(symbol, timeframe, count=60, as_of=as_of)
    earlier = as_of - timedelta(milliseconds=back * duration_ms(timeframe))
    early = demo(earlier).closed_candles(symbol, timeframe, count=20)
    assert early.open_time[-1] == late.open_time[-1 - back]
    assert (rows(early) == rows(late)[40 - back : 60 - back]).all()


@given(as_of=times, symbol=st.sampled_from(SYMBOLS), timeframe=st.sampled_from(TIMEFRAMES))
@settings(max_examples=40, deadline=None)
def test_candles_are_sane_on_the_tick_and_closed(as_of: datetime, symbol: str, timeframe: Timeframe) -> None:
    market = demo(as_of)
    candles = market.closed_candles(symbol, timeframe, count=50)
    assert len(candles) == 50
    assert (np.diff(candles.open_time) == duration_ms(timeframe)).all()
    assert 0 <= to_ms(as_of) - to_ms(candles.as_of) < duration_ms(timeframe)
    assert (candles.low <= np.minimum(candles.open, candles.close)).all()
    assert (candles.high >= np.maximum(candles.open, candles.close)).all()
    assert (candles.open[1:] == candles.close[:-1]).all()
    assert (candles.low > 0).all()
    assert (candles.volume > 0).all()
    tick = market.instrument(symbol).tick_size
    assert all(Decimal(repr(price)) % tick == 0 for price in candles.close.tolist())


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_prices_stay_near_their_level_from_2015_to_2040(symbol: str) -> None:
    years = demo(datetime(2041, 1, 1, tzinfo=UTC)).closed_candles(symbol, "1w", count=26 * 52)
    middle = np.median(years.close)
    assert middle / 20 < years.low.min() < middle < years.high.max() < middle * 20


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_daily_volatility_is_that_of_a_lively_market(symbol: str) -> None:
    days = returns(demo().closed_candles(symbol, "1d", count=1500))
    assert 0.01 < days.std() < 0.08
    assert np.abs(days).max() < 0.5
    assert float((days**4).mean() / (days**2).mean() ** 2) > 3.5, "tails no fatter than the normal distribution's"


@pytest.mark.parametrize("timeframe", ["5m", "1h", "1d"])
def test_volatility_clusters(timeframe: Timeframe) -> None:
    moves = np.abs(returns(demo().closed_candles("BTC/USDT", timeframe, count=4000)))
    assert np.corrcoef(moves[1:], moves[:-1])[0, 1] > 0.1


def test_more_is_traded_in_the_afternoon_than_at_night() -> None:
    hours = demo().closed_candles("ETH/USDT", "1h", count=24 * 365)
    hour_of_day = hours.open_time // 3_600_000 % 24
    by_hour = np.array([hours.volume[hour_of_day == hour].mean() for hour in range(24)])
    assert by_hour[13:17].mean() > 1.5 * by_hour[2:6].mean()


def test_symbols_move_together_but_not_in_step() -> None:
    bitcoin = returns(demo().closed_candles("BTC/USDT", "4h", count=3000))
    ether = returns(demo().closed_candles("ETH/USDT", "4h", count=3000))
    assert 0.2 < np.corrcoef(bitcoin, ether)[0, 1] < 0.9


def test_there_are_trends_and_there_are_ranges() -> None:
    days = demo().closed_candles("BTC/USDT", "1d", count=3000)
    closes = np.log(days.close).reshape(-1, 30)
    # Kaufman's efficiency ratio: net move over path length, 1 in a straight line.
    efficiency = np.abs(closes[:, -1] - closes[:, 0]) / np.abs(np.diff(closes, axis=1)).sum(axis=1)
    assert (efficiency > 0.35).sum() >= 5
    assert (efficiency < 0.08).sum() >= 5


def test_another_seed_is_another_market() -> None:
    one, other = (demo(seed=seed).closed_candles("BTC/USDT", "1h", count=50) for seed in (7, 8))
    assert (one.close != other.close).all()


def test_twelve_symbols_or_more_are_listed_against_usdt() -> None:
    instruments = demo().instruments()
    assert len(instruments) >= 12
    assert {instrument.quote for instrument in instruments} == {"USDT"}
    assert [instrument.symbol for instrument in instruments] == sorted(instrument.symbol for instrument in instruments)


def test_the_quote_walks_inside_the_candle_of_its_minute() -> None:
    clock = ManualClock(NOW.replace(second=0))
    market = DemoMarket(clock)
    lasts = []
    for _ in range(60):
        quote = market.quote("BTC/USDT")
        assert quote.time == clock.now()
        lasts.append(float(quote.last))
        clock.advance(timedelta(seconds=1))
    minute = market.closed_candles("BTC/USDT", "1m", count=1)
    assert lasts[0] == minute.open[0]
    assert minute.low[0] <= min(lasts) < max(lasts) <= minute.high[0]
    assert float(market.quote("BTC/USDT").last) == minute.close[0]


@given(now=times, symbol=st.sampled_from(SYMBOLS))
@settings(max_examples=40, deadline=None)
def test_a_quote_has_a_spread_of_whole_ticks(now: datetime, symbol: str) -> None:
    market = demo(now)
    quote, tick = market.quote(symbol), market.instrument(symbol).tick_size
    assert quote == demo(now).quote(symbol)
    assert 0 < quote.bid <= quote.last <= quote.ask
    assert quote.ask - quote.bid >= tick
    assert all(price % tick == 0 for price in (quote.bid, quote.last, quote.ask))
    assert (quote.ask - quote.bid) / quote.last < Decimal("0.003")


def test_a_known_candle_keeps_its_bits() -> None:
    """Pins the market: a change of these figures changes what every user sees, and must be meant."""
    candle = demo().closed_candles("BTC/USDT", "1h", count=1, as_of=datetime(2026, 1, 5, 12, tzinfo=UTC))
    assert rows(candle).tolist() == [[104562.13, 104614.37, 104223.62, 104326.43, 5130.7626953125]]


def test_before_its_beginning_the_market_has_no_candle() -> None:
    with pytest.raises(InsufficientData, match="begins at 2000-01-03"):
        demo().closed_candles("BTC/USDT", "1d", as_of=datetime(1999, 1, 1, tzinfo=UTC))
    assert len(demo().closed_candles("BTC/USDT", "1d", count=500, as_of=datetime(2000, 1, 6, tzinfo=UTC))) == 3


def test_no_candle_is_served_from_the_future() -> None:
    with pytest.raises(InvalidRequest, match="in the future"):
        demo().closed_candles("BTC/USDT", "1h", as_of=NOW + timedelta(seconds=1))


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
def test_a_thousand_candles_cost_the_same_wherever_they_lie(timeframe: Timeframe) -> None:
    market = demo(datetime(2040, 1, 1, tzinfo=UTC))
    seconds = []
    for _ in range(5):
        start = time.process_time()
        market.closed_candles("SOL/USDT", timeframe, count=1000)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.05
