"""How often a score was right: hit rates with their uncertainty, and nothing that a few calls cannot carry."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from engines.domain.review import Calibration, HitRate, ScoreBucket

# Fewer independent calls than this leave an interval too wide to act on: some 35 points of a hundred.
ENOUGH: Final = 30
_EDGES: Final = (-1.0, -0.5, -0.2, 0.0, 0.2, 0.5, 1.0)
# Of the normal distribution, for 95 %.
_Z: Final = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Call:
    """One ticket's score and what came of it.

    Attributes:
        of_age: the horizon has passed.
        moved: the price then lay on the ticket's side of its quote; None where no price is known.
    """

    symbol: str
    time: datetime
    score: float | None
    of_age: bool
    moved: bool | None


def calibrate(calls: Sequence[Call], horizon_hours: int) -> Calibration:
    """Count how often scores leaned the way the price went; every call is in exactly one count."""
    lacking = [call for call in calls if not call.score]
    viewed = [call for call in calls if call.score]
    young = [call for call in viewed if not call.of_age]
    counted = [
        (call, call.score, call.moved) for call in viewed if call.of_age and call.score and call.moved is not None
    ]
    right = sum((score > 0) == moved for _, score, moved in counted)
    squares = [((1 + score) / 2 - moved) ** 2 for _, score, moved in counted]
    scored = hit_rate(right, len(counted))
    independent = _independent([call for call, _, _ in counted], timedelta(hours=horizon_hours))
    return Calibration(
        horizon_hours=horizon_hours,
        scored=scored,
        brier=sum(squares) / len(squares) if squares else None,
        buckets=tuple(
            _bucket(low, high, [(score, moved) for _, score, moved in counted]) for low, high in pairwise(_EDGES)
        ),
        independent=independent,
        too_young=len(young),
        without_view=len(lacking),
        unmarked=len(viewed) - len(young) - len(counted),
        warning=_warning(scored, independent),
    )


def hit_rate(right: int, calls: int) -> HitRate:
    """A share with its 95 % Wilson interval; without a call anything from 0 to 1 is possible.

    Source: E. B. Wilson, Probable inference, JASA 22 (1927); the score interval without continuity correction.
    """
    if not calls:
        return HitRate(0, 0, 0.0, 1.0)
    share, square = right / calls, _Z * _Z
    centre = (share + square / (2 * calls)) / (1 + square / calls)
    half = _Z / (1 + square / calls) * math.sqrt(share * (1 - share) / calls + square / (4 * calls * calls))
    return HitRate(calls, right, max(0.0, centre - half), min(1.0, centre + half))


def _bucket(low: float, high: float, counted: Sequence[tuple[float, bool]]) -> ScoreBucket:
    """Scores from low to high; one on an edge belongs to the bucket nearer to 0."""
    inside = [moved for score, moved in counted if (low < score <= high if score > 0 else low <= score < high)]
    return ScoreBucket(low, high, hit_rate(sum(inside), len(inside)))


def _independent(calls: Sequence[Call], horizon: timedelta) -> int:
    """How many calls are left when those on one symbol may not overlap: tickets of one hour share one outcome."""
    until: dict[str, datetime] = {}
    count = 0
    for call in sorted(calls, key=lambda call: call.time):
        if call.symbol not in until or call.time >= until[call.symbol]:
            until[call.symbol] = call.time + horizon
            count += 1
    return count


def _warning(scored: HitRate, independent: int) -> str:
    if not scored.calls:
        return "No score has come of age yet, so nothing can be said about how often it is right."
    if independent < ENOUGH:
        return (
            f"Only {independent} of {scored.calls} calls overlap no other: too few to judge the score by. The weights "
            f"behind it are a convention, not a probability."
        )
    if scored.low <= 0.5 <= scored.high:
        return "A coin could have done the same: one half lies within the interval."
    return ""
