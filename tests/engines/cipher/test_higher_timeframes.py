"""Higher-timeframe columns against a literal reading of their rules, one candle at a time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engines.cipher import VUMANCHU_B, CipherPanel, CipherParams, compute_panel
from engines.domain.candles import CandleFrame
from engines.domain.timeframe import Timeframe, duration_ms

Series = list[float]
Table = dict[str, list[str]]
Build = Callable[..., CandleFrame]
NAN = float("nan")
EPSILON = 1e-10
MINUTE_MS = 60_000
# Lengths so short that a few hundred candles fill them on every timeframe.
QUICK = replace(
    VUMANCHU_B,
    name="quick",
    channel_length=3,
    average_length=4,
    money_flow_length=7,
    macd_fast=3,
    macd_slow=5,
    macd_signal=4,
)


def ema(x: Sequence[float], length: int) -> Series:
    seen: Series = []
    found: Series = []
    average = NAN
    for value in x:
        if not np.isnan(value):
            seen.append(value)
            if len(seen) == length:
                average = sum(seen) / length
            elif len(seen) > length:
                average += 2.0 / (length + 1) * (value - average)
        found.append(NAN if np.isnan(value) else average)
    return found


def sma(x: Sequence[float], length: int) -> Series:
    seen: Series = []
    found: Series = []
    for value in x:
        if not np.isnan(value):
            seen.append(value)
        found.append(sum(seen[-length:]) / length if len(seen) >= length else NAN)
    return found


def share(part: float, whole: float) -> float:
    return part / whole if whole else NAN if part == 0 else float(np.copysign(np.inf, part))


class Higher:
    """Closed candles of a higher timeframe, and what is computed on them, made the slow way."""

    def __init__(self, candles: CandleFrame, minutes: int, params: CipherParams) -> None:
        rows: dict[int, list[int]] = {}
        for row, time in enumerate(candles.open_time.tolist()):
            rows.setdefault(time // (minutes * MINUTE_MS), []).append(row)
        self.params = params
        self.ends = [(bucket + 1) * minutes * MINUTE_MS for bucket in rows]
        self.open = [float(candles.open[inside[0]]) for inside in rows.values()]
        self.high = [float(candles.high[inside].max()) for inside in rows.values()]
        self.low = [float(candles.low[inside].min()) for inside in rows.values()]
        self.close = [float(candles.close[inside[-1]]) for inside in rows.values()]
        closes = candles.open_time + duration_ms(candles.timeframe)
        self.newest = [bisect_right(self.ends, close) - 1 for close in closes.tolist()]
        places = {bucket: place for place, bucket in enumerate(rows)}
        self.inside = [places[time // (minutes * MINUTE_MS)] for time in candles.open_time.tolist()]

    def closed(self, values: Sequence[float]) -> Series:
        return [values[newest] if newest >= 0 else NAN for newest in self.newest]

    def leaking(self, values: Sequence[float]) -> Series:
        return [values[inside] for inside in self.inside]

    def rests_on(self) -> list[int]:
        return [self.ends[newest] if newest >= 0 else 0 for newest in self.newest]

    def vwap(self) -> Series:
        typical = [(h + low + c) / 3.0 for h, low, c in zip(self.high, self.low, self.close, strict=True)]
        mean = ema(typical, self.params.channel_length)
        away = [x - m for x, m in zip(typical, mean, strict=True)]
        spread = ema([abs(x) for x in away], self.params.channel_length)
        wt1 = ema([share(x, 0.015 * s) for x, s in zip(away, spread, strict=True)], self.params.average_length)
        return [fast - slow for fast, slow in zip(wt1, sma(wt1, self.params.signal_length), strict=True)]

    def money_flow(self) -> Series:
        candles = zip(self.open, self.high, self.low, self.close, strict=True)
        bodies = [share(c - o, h - low) * self.params.money_flow_multiplier for o, h, low, c in candles]
        return [x - self.params.money_flow_shift for x in sma(bodies, self.params.money_flow_length)]

    def rises(self) -> Series:
        """1.0 where the Heikin-Ashi body is up, 0.0 where it is not."""
        found: Series = []
        open_ = close = NAN
        for o, h, low, c in zip(self.open, self.high, self.low, self.close, strict=True):
            open_ = (open_ + close) / 2 if found else (o + c) / 2
            close = (o + h + low + c) / 4
            found.append(float(close - open_ > EPSILON))
        return found

    def colours(self) -> tuple[Series, Series]:
        fast, slow = ema(self.close, self.params.macd_fast), ema(self.close, self.params.macd_slow)
        macd = [a - b for a, b in zip(fast, slow, strict=True)]
        first: Series = []
        second: Series = []
        for m, s, flow in zip(macd, sma(macd, self.params.macd_signal), self.money_flow(), strict=True):
            if np.isnan(m + s + flow):
                codes = (NAN, NAN)
            elif m - s <= EPSILON:
                codes = (3.0, 3.0) if flow < -EPSILON else (1.0, 1.0)
            else:
                codes = (2.0 if flow > EPSILON else 0.0, 2.0 if flow < -EPSILON else 0.0)
            first.append(codes[0])
            second.append(codes[1])
        return first, second


def whole_multiple(minutes: int, timeframe: Timeframe) -> bool:
    return minutes * MINUTE_MS % duration_ms(timeframe) == 0


def assert_same(values: Sequence[float], expected: Sequence[float], name: str) -> None:
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-9, equal_nan=True, err_msg=name)


def assert_flag(panel: CipherPanel, vwap: Series) -> None:
    p = panel.params
    assert isinstance(p, CipherParams)
    up, down = panel.flags("cross_up"), panel.flags("cross_down")
    flow, wt2 = panel.money_flow, panel.wt2
    bulls, bears = panel.flags("sommi_bull"), panel.flags("sommi_bear")
    for row, v in enumerate(vwap):
        bull = flow[row] - p.flag_flow_bull > EPSILON and wt2[row] - p.flag_wt_bull < -EPSILON and up[row]
        bear = flow[row] - p.flag_flow_bear < -EPSILON and wt2[row] - p.flag_wt_bear > EPSILON and down[row]
        assert bulls[row] == bool(bull and v - p.flag_vwap_bull > EPSILON), row
        assert bears[row] == bool(bear and v - p.flag_vwap_bear < -EPSILON), row


def assert_diamonds(panel: CipherPanel, first: Series, second: Series) -> None:
    p = panel.params
    assert isinstance(p, CipherParams)
    up, down = panel.flags("cross_up"), panel.flags("cross_down")
    bulls, bears = panel.flags("sommi_bull_diamond"), panel.flags("sommi_bear_diamond")
    for row, (one, two) in enumerate(zip(first, second, strict=True)):
        bull = up[row] and panel.wt2[row] - p.diamond_wt_bull <= EPSILON
        bear = down[row] and panel.wt2[row] - p.diamond_wt_bear >= -EPSILON
        assert bulls[row] == bool(bull and one == 1.0 and two == 1.0), row
        assert bears[row] == bool(bear and one == 0.0 and two == 0.0), row


def assert_as_told(candles: CandleFrame, params: CipherParams) -> CipherPanel:
    panel = compute_panel(candles, params)
    minutes = (
        params.flag_timeframe_minutes,
        params.macd_minutes,
        params.diamond_minutes_1,
        params.diamond_minutes_2,
    )
    fits = [whole_multiple(m, candles.timeframe) for m in minutes]
    nothing = [NAN] * len(candles)
    flag, macd, one, two = (Higher(candles, m, params) for m in minutes)
    vwap = flag.closed(flag.vwap()) if fits[0] else nothing
    assert_same(panel.values["htf_vwap"].tolist(), vwap, "htf_vwap")
    assert_flag(panel, vwap)
    colours = [macd.closed(codes) for codes in macd.colours()] if fits[1] else [nothing, nothing]
    assert_same(panel.values["macd_wt1_colour"].tolist(), colours[0], "macd_wt1_colour")
    assert_same(panel.values["macd_wt2_colour"].tolist(), colours[1], "macd_wt2_colour")
    on_chart = [
        (tf.leaking(tf.rises()) if params.tv_parity else tf.closed(tf.rises())) if ok else nothing
        for tf, ok in zip((one, two), fits[2:], strict=True)
    ]
    assert_diamonds(panel, on_chart[0], on_chart[1])
    return panel


def thinned(candles: CandleFrame, seed: int, timeframe: Timeframe = "1h", start: int = 0) -> CandleFrame:
    """The same prices on a market that closes now and then, for hours or days."""
    random = np.random.default_rng(seed)
    pause = np.where(random.random(len(candles)) < 0.05, random.integers(1, 60, len(candles)), 0)
    steps = np.arange(len(candles)) + np.cumsum(pause)
    return replace(candles, timeframe=timeframe, open_time=(start + steps) * duration_ms(timeframe))


@pytest.fixture(scope="module")
def real_hours(btc_hourly: CandleFrame) -> CandleFrame:
    """The real hours at their own times: buckets depend on them."""
    start = np.datetime64("2017-07-01T11:00", "ms").astype(np.int64)
    return replace(btc_hourly, open_time=btc_hourly.open_time + start)


def test_htf_vwap_and_sommi_flags_of_real_hours_equal_the_golden_values(
    real_hours: CandleFrame, shared: Path, table: Callable[[Path], Table]
) -> None:
    golden = table(shared / "golden" / "cipher_b.btcusd-1h.csv.gz")
    assert golden["open_time"][0] == "2017-07-01T11:00:00Z"
    panel = compute_panel(real_hours)
    expected = np.array(golden["htf_vwap"], dtype=float)
    assert np.array_equal(np.isnan(panel.values["htf_vwap"]), np.isnan(expected))
    assert np.nanmax(np.abs(panel.values["htf_vwap"] - expected)) <= 1e-10
    for name in ("sommi_bull", "sommi_bear"):
        rows = np.flatnonzero(np.array(golden[name]) == "1")
        assert len(rows) >= 70
        assert np.flatnonzero(panel.flags(name)).tolist() == rows.tolist(), name


@pytest.mark.parametrize("tv_parity", [False, True])
def test_every_higher_column_of_real_hours_is_as_the_rules_tell(real_hours: CandleFrame, *, tv_parity: bool) -> None:
    panel = assert_as_told(real_hours, replace(VUMANCHU_B, tv_parity=tv_parity))
    assert panel.flags("sommi_bull_diamond").sum() > 15
    assert panel.flags("sommi_bear_diamond").sum() > 15
    assert set(np.unique(panel.values["macd_wt1_colour"][-3000:])) == {0.0, 1.0, 2.0, 3.0}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("timeframe", ["1m", "5m", "15m", "1h", "4h", "6h"])
def test_gaps_week_ends_and_partial_buckets_are_as_the_rules_tell(
    seed: int, timeframe: Timeframe, random_frame: Build
) -> None:
    candles = thinned(random_frame(seed), seed, timeframe, start=17 * seed)
    fitting = replace(QUICK, flag_timeframe_minutes=7 * 60, macd_minutes=45, diamond_minutes_1=15, diamond_minutes_2=60)
    for params in (QUICK, fitting, replace(fitting, tv_parity=True)):
        assert_as_told(candles, params)
