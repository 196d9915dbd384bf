"""The certificate catches every way of looking ahead that was planted, and blames no honest engine."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engines.certificate import Certificate, Outputs, certify
from engines.domain.candles import CandleFrame
from engines.errors import InsufficientData, InvalidRequest

Walk = Callable[..., CandleFrame]
Floats = NDArray[np.float64]
DAY_MS = 86_400_000
HOUR_MS = 3_600_000


def mean(x: Floats, length: int) -> Floats:
    """Trailing mean, undefined until there are enough."""
    found = np.full(len(x), np.nan)
    found[length - 1 :] = np.lib.stride_tricks.sliding_window_view(x, length).sum(axis=1) / length
    return found


def exponential(x: Floats, length: int) -> Floats:
    found = np.empty(len(x))
    average = x[0]
    for t, value in enumerate(x.tolist()):
        average += 2.0 / (length + 1) * (value - average)
        found[t] = average
    return found


def lows_of_five(candles: CandleFrame) -> NDArray[np.intp]:
    """Rows whose low is below those of two candles on each side."""
    low = candles.low
    middle = low[2:-2]
    around = (low[:-4], low[1:-3], low[3:-1], low[4:])
    return np.flatnonzero(np.all([middle < each for each in around], axis=0)) + 2


def by_day(candles: CandleFrame) -> list[tuple[int, int]]:
    """First and last row of every day, the last one maybe unfinished."""
    days = candles.open_time // DAY_MS
    firsts = np.flatnonzero(np.diff(days, prepend=days[0] - 1)).tolist()
    return list(zip(firsts, [*firsts[1:], len(days)], strict=True))


def centred_mean(candles: CandleFrame) -> Floats:
    return np.convolve(candles.close, np.full(5, 0.2), mode="same").astype(float)


def centred_mean_with_an_undefined_end(candles: CandleFrame) -> Floats:
    found = centred_mean(candles)
    found[-2:] = np.nan
    return found


def next_close(candles: CandleFrame) -> Floats:
    return np.append(candles.close[1:], candles.close[-1:])


def pivot_at_its_own_candle(candles: CandleFrame) -> NDArray[np.bool_]:
    flags = np.zeros(len(candles), dtype=np.bool_)
    flags[lows_of_five(candles)] = True
    return flags


def normalised_over_the_whole_series(candles: CandleFrame) -> Floats:
    found: Floats = (candles.close - candles.close.mean()) / candles.close.std()
    return found


def place_in_the_range_of_the_whole_series(candles: CandleFrame) -> Floats:
    found: Floats = (candles.close - candles.low.min()) / (candles.high.max() - candles.low.min())
    return found


def forming_day_close(candles: CandleFrame) -> Floats:
    found = np.empty(len(candles))
    for first, end in by_day(candles):
        found[first:end] = candles.close[end - 1]
    return found


def high_of_the_whole_day(candles: CandleFrame) -> Floats:
    found = np.empty(len(candles))
    for first, end in by_day(candles):
        found[first:end] = candles.high[first:end].max()
    return found


def filled_backwards(candles: CandleFrame) -> Floats:
    """Gaps of ten candles, each filled with the next defined value where it has come."""
    rows = np.arange(len(candles))
    source = np.where(rows % 50 < 10, rows - rows % 50 + 10, rows)
    return candles.close[np.minimum(source, len(candles) - 1)]


def above_half_of_the_largest_volume(candles: CandleFrame) -> NDArray[np.bool_]:
    return np.asarray(candles.volume > 0.5 * candles.volume.max())


def later_low_taken_as_index(candles: CandleFrame) -> NDArray[np.int64]:
    """At each candle, the row of the next low: known only once it has come."""
    lows = lows_of_five(candles)
    rows = np.searchsorted(lows, np.arange(len(candles)))
    return np.append(lows, -1)[rows].astype(np.int64)


LEAKS = [
    centred_mean,
    centred_mean_with_an_undefined_end,
    next_close,
    pivot_at_its_own_candle,
    normalised_over_the_whole_series,
    place_in_the_range_of_the_whole_series,
    forming_day_close,
    high_of_the_whole_day,
    filled_backwards,
    later_low_taken_as_index,
]


def pivot_at_its_confirmation(candles: CandleFrame) -> NDArray[np.bool_]:
    flags = np.zeros(len(candles), dtype=np.bool_)
    flags[lows_of_five(candles) + 2] = True
    return flags


def day_high_so_far(candles: CandleFrame) -> Floats:
    found = np.empty(len(candles))
    for first, end in by_day(candles):
        found[first:end] = np.maximum.accumulate(candles.high[first:end])
    return found


def high_of_the_last_closed_day(candles: CandleFrame) -> Floats:
    found = np.full(len(candles), np.nan)
    days = by_day(candles)
    for (first, end), (today, tonight) in itertools.pairwise(days):
        found[today:tonight] = candles.high[first:end].max()
    return found


def two_columns(candles: CandleFrame) -> Floats:
    return np.stack((candles.low, candles.high), axis=1)


HONEST = [
    pivot_at_its_confirmation,
    day_high_so_far,
    high_of_the_last_closed_day,
    two_columns,
    lambda candles: mean(candles.close, 20),
    lambda candles: exponential(candles.close, 20),
    lambda candles: candles.close > candles.open,
]


def alone(column: Callable[[CandleFrame], NDArray[np.generic]], needs: int = 20) -> Callable[[CandleFrame], Outputs]:
    def compute(candles: CandleFrame) -> Outputs:
        if len(candles) < needs:
            raise InsufficientData(f"The planted engine needs {needs} candles.")
        return {"planted": column(candles), "close": candles.close}

    return compute


def differing(certificate: Certificate) -> set[tuple[str, str]]:
    return {(verdict.output, verdict.check) for verdict in certificate.verdicts if verdict.failed}


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
def test_a_planted_leak_is_caught_by_cutting_and_by_poison_and_nothing_else_is_blamed(
    leak: Callable[[CandleFrame], NDArray[np.generic]], walk: Walk
) -> None:
    certificate = certify(alone(leak, 520), walk())
    assert not certificate.passed
    assert differing(certificate) == {("planted", "cut"), ("planted", "poison")}


def test_a_leak_that_has_not_acted_on_these_candles_is_caught_by_poison_alone(walk: Walk) -> None:
    certificate = certify(alone(above_half_of_the_largest_volume, 520), walk())
    assert differing(certificate) == {("planted", "poison")}


@pytest.mark.parametrize("honest", HONEST)
def test_an_honest_engine_passes_every_check(honest: Callable[[CandleFrame], NDArray[np.generic]], walk: Walk) -> None:
    certificate = certify(alone(honest), walk())
    assert certificate.passed
    assert certificate.failures == ()
    assert [certificate.verdict("planted", check).runs for check in ("cut", "poison", "dates")] == [200, 200, 1]


def test_a_failure_names_output_row_and_both_values_and_how_far_it_reaches_back(walk: Walk) -> None:
    candles = walk()
    certificate = certify(alone(next_close), candles)
    failure = certificate.failures[0]
    assert failure.row == failure.known - 1
    assert failure.whole == candles.close[failure.row + 1]
    assert failure.altered == candles.close[failure.row]
    assert certificate.verdict("planted", "cut").reach == 1
    assert str(failure).startswith(f"planted at row {failure.row} (candle of 2017-")
    assert f"is {failure.whole!r}, and {failure.altered!r} when later candles are cut off" in str(failure)
    assert certify(alone(pivot_at_its_own_candle), candles).verdict("planted", "cut").reach == 2
    assert certify(alone(high_of_the_whole_day), candles).verdict("planted", "cut").reach == 23


def test_values_that_follow_the_calendar_year_are_told_apart_from_those_that_follow_the_week(walk: Walk) -> None:
    def years(candles: CandleFrame) -> Outputs:
        since = candles.open_time / (365.25 * DAY_MS)
        return {"year": np.floor(since), "hour": (candles.open_time // HOUR_MS % 168).astype(float)}

    assert differing(certify(years, walk())) == {("year", "dates")}


def test_an_output_that_never_forgets_its_beginning_fails_only_where_it_promised_to(walk: Walk) -> None:
    def averages(candles: CandleFrame) -> Outputs:
        count = np.arange(1, len(candles) + 1)
        return {"since_start": np.cumsum(candles.close) / count, "recent": exponential(candles.close, 20)}

    candles = walk()
    assert certify(averages, candles).passed
    promised = certify(averages, candles, settles={"since_start": 600, "recent": 600})
    assert differing(promised) == {("since_start", "start")}
    assert promised.verdict("recent", "start").runs == 4


def test_a_promise_that_needs_more_candles_than_there_are_is_not_checked(walk: Walk) -> None:
    certificate = certify(alone(day_high_so_far), walk(count=300), settles={"planted": 5_000})
    assert certificate.verdict("planted", "start").runs == 0


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1_000), count=st.integers(60, 400), cuts=st.integers(1, 80))
def test_a_look_of_one_candle_ahead_is_caught_at_every_single_cut(seed: int, count: int, cuts: int, walk: Walk) -> None:
    candles = walk(seed, count=count)
    verdict = certify(alone(next_close), candles, cuts=cuts, seed=seed).verdict("planted", "cut")
    moved = candles.close[1:] != candles.close[:-1]
    assert verdict.runs == min(cuts, count - 20)
    assert verdict.failed == verdict.runs or not moved.all()


def test_the_same_seed_gives_the_same_certificate_and_another_one_other_cuts(walk: Walk) -> None:
    candles = walk(count=400)
    first, again, other = (certify(alone(next_close), candles, cuts=20, seed=seed) for seed in (3, 3, 4))
    assert first == again
    assert first.failures != other.failures


def test_cuts_begin_where_the_engine_has_enough_candles(walk: Walk) -> None:
    def needing(candles: CandleFrame) -> Outputs:
        if len(candles) < 290:
            raise InsufficientData("This engine needs 290 candles.")
        return {"mean": mean(candles.close, 20)}

    assert certify(needing, walk(count=300)).cuts == 10
    with pytest.raises(InsufficientData, match=r"BTC/USD has 290 closed 1h candles, too few to leave some out"):
        certify(needing, walk(count=290))


def test_progress_is_told_up_to_the_last_history(walk: Walk) -> None:
    told: list[tuple[int, int]] = []
    certify(alone(day_high_so_far), walk(count=200), cuts=5, progress=lambda done, total: told.append((done, total)))
    assert told == [(done, 11) for done in range(1, 12)]


def test_an_output_that_has_not_one_row_a_candle_is_refused(walk: Walk) -> None:
    with pytest.raises(InvalidRequest, match=r"short has 99 rows on 100 candles"):
        certify(lambda candles: {"short": candles.close[1:]}, walk(count=100))


def test_an_output_that_appears_only_later_is_refused(walk: Walk) -> None:
    def growing(candles: CandleFrame) -> Outputs:
        late = {"late": candles.close} if len(candles) > 90 else {}
        return {"close": candles.close, **late}

    with pytest.raises(InvalidRequest, match="late on some candles and not on others"):
        certify(growing, walk(count=100))


def test_zero_cuts_are_refused(walk: Walk) -> None:
    with pytest.raises(InvalidRequest, match="cuts=0"):
        certify(alone(next_close), walk(count=100), cuts=0)


def test_signed_zeros_are_told_apart_and_undefined_values_are_not(walk: Walk) -> None:
    def odd(candles: CandleFrame) -> Outputs:
        zero = np.where(np.arange(len(candles)) < 1, -0.0 if len(candles) % 2 else 0.0, 1.0)
        undefined = np.full(len(candles), np.nan if len(candles) % 2 else -np.nan)
        return {"zero": zero, "undefined": undefined}

    assert differing(certify(odd, walk(count=100), cuts=50)) >= {("zero", "cut")}
    assert not any(name == "undefined" for name, _ in differing(certify(odd, walk(count=100), cuts=50)))


def test_every_poisoned_candle_is_one_that_could_be(walk: Walk) -> None:
    def sound(candles: CandleFrame) -> Outputs:
        assert (candles.low > 0).all()
        assert (candles.low <= np.minimum(candles.open, candles.close)).all()
        assert (candles.high >= np.maximum(candles.open, candles.close)).all()
        assert np.isfinite(candles.high + candles.volume).all()
        assert (candles.volume >= 0).all()
        return {"close": candles.close}

    assert certify(sound, replace(walk(count=200), symbol="X/Y")).passed
