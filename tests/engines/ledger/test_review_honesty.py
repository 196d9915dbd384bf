"""What a look back may not do: claim more certainty than its calls carry, or change what it said was over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engines.domain.review import Calibration
from engines.ledger.calibration import Call, calibrate, hit_rate

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def calls(went: list[int], *, score: float = 0.3, apart: timedelta = DAY) -> list[Call]:
    """Calls on one symbol that came of age, one after the other."""
    return [Call("BTC/USDT", START + number * apart, score, of_age=True, went=each) for number, each in enumerate(went)]


def judged(made: list[Call]) -> Calibration:
    return calibrate(made, 24)


def test_a_hundred_tickets_of_one_hour_leave_the_interval_of_one() -> None:
    made = calls([1] * 100, apart=timedelta(seconds=30))
    found = judged(made)
    assert (found.scored.calls, found.scored.right, found.independent) == (100, 100, 1)
    assert (found.scored.low, found.scored.high) == (hit_rate(1, 1).low, 1.0)
    [bucket] = [each.moved for each in found.buckets if each.moved.calls]
    assert bucket.low == found.scored.low


def test_asking_again_and_again_makes_no_interval_narrower() -> None:
    days = [1, 1, -1] * 12
    once = judged(calls(days))
    often = judged([again for each in calls(days) for again in [each] * 7])
    assert often.scored.share == once.scored.share
    assert (often.scored.low, often.scored.high) == pytest.approx((once.scored.low, once.scored.high))


@pytest.mark.parametrize("score", [0.4, -0.4])
def test_a_price_that_has_not_moved_makes_no_score_right(score: float) -> None:
    found = judged(calls([0], score=score))
    assert (found.scored.calls, found.scored.right) == (1, 0)
    assert found.brier == pytest.approx(0.04)


def test_a_score_that_always_leans_one_way_in_a_market_that_goes_there_is_told_to_know_nothing() -> None:
    found = judged(calls([1] * 36 + [-1] * 4))
    assert found.scored.low > 0.5
    assert found.warning == ("No better than always saying the same: the price went the tickets' way in 36 of 40.")


def test_a_score_that_tells_both_ways_is_left_without_a_warning() -> None:
    ups = calls([1] * 20)
    downs = [Call(each.symbol, each.time + 20 * DAY, -0.3, of_age=True, went=-1) for each in ups]
    assert not judged([*ups, *downs]).warning
