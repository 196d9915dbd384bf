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
        went: 1 where the price then lay on the ticket's side of its quote, -1 on the other, 0 where it had not moved;
            None where no price is known.
    """

    symbol: str
    time: datetime
    score: float | None
    of_age: bool
    went: int | None


def calibrate(calls: Sequence[Call], horizon_hours: int) -> Calibration:
    """Count how often scores leaned the way the price went; every call is in exactly one count.

    A price that has not moved makes no score right. Calls that overlap share an outcome, so an interval is that of as
    many calls as overlap no other: a hundred tickets of one hour tell no more than one. Symbols count as independent
    of each other, which coins that move together are not.
    """
    horizon = timedelta(hours=horizon_hours)
    lacking = [call for call in calls if not call.score]
    viewed = [call for call in calls if call.score]
    young = [call for call in viewed if not call.of_age]
    counted = [
        _Counted(call, call.score, call.went) for call in viewed if call.of_age and call.score and call.went is not None
    ]
    squares = [((1 + each.score) / 2 - (1 + each.went) / 2) ** 2 for each in counted]
    independent = _independent(counted, horizon)
    scored = hit_rate(sum(each.score * each.went > 0 for each in counted), len(counted), independent)
    followed = sum(each.went > 0 for each in counted)
    return Calibration(
        horizon_hours=horizon_hours,
        scored=scored,
        brier=sum(squares) / len(squares) if squares else None,
        buckets=tuple(_bucket(low, high, counted, horizon) for low, high in pairwise(_EDGES)),
        independent=independent,
        too_young=len(young),
        without_view=len(lacking),
        unmarked=len(viewed) - len(young) - len(counted),
        warning=_warning(scored, independent, followed),
    )


def hit_rate(right: int, calls: int, independent: int | None = None) -> HitRate:
    """A share with its 95 % Wilson interval; without a call anything from 0 to 1 is possible.

    Args:
        independent: how many calls the interval rests on; all when None.

    Source: E. B. Wilson, Probable inference, JASA 22 (1927); the score interval without continuity correction.
    """
    if not calls:
        return HitRate(0, 0, 0.0, 1.0)
    share, square, carrying = right / calls, _Z * _Z, independent or calls
    centre = (share + square / (2 * carrying)) / (1 + square / carrying)
    spread = share * (1 - share) / carrying + square / (4 * carrying * carrying)
    half = _Z / (1 + square / carrying) * math.sqrt(spread)
    return HitRate(calls, right, max(0.0, centre - half), min(1.0, centre + half))


@dataclass(frozen=True, slots=True)
class _Counted:
    """A call of age with a score other than 0, and where its price went."""

    call: Call
    score: float
    went: int


def _bucket(low: float, high: float, counted: Sequence[_Counted], horizon: timedelta) -> ScoreBucket:
    """Scores from low to high; one on an edge belongs to the bucket nearer to 0."""
    inside = [each for each in counted if (low < each.score <= high if each.score > 0 else low <= each.score < high)]
    moved = sum(each.went > 0 for each in inside)
    return ScoreBucket(low, high, hit_rate(moved, len(inside), _independent(inside, horizon)))


def _independent(counted: Sequence[_Counted], horizon: timedelta) -> int:
    """How many calls are left when those on one symbol may not overlap: tickets of one hour share one outcome."""
    until: dict[str, datetime] = {}
    count = 0
    for call in sorted((each.call for each in counted), key=lambda call: call.time):
        if call.symbol not in until or call.time >= until[call.symbol]:
            until[call.symbol] = call.time + horizon
            count += 1
    return count


def _warning(scored: HitRate, independent: int, followed: int) -> str:
    if not scored.calls:
        return "No score has come of age yet, so nothing can be said about how often it is right."
    if independent < ENOUGH:
        return (
            f"Only {independent} of {scored.calls} calls overlap no other: too few to judge the score by. The weights "
            f"behind it are a convention, not a probability."
        )
    if scored.low <= 0.5 <= scored.high:
        return "A coin could have done the same: one half lies within the interval."
    if scored.right <= max(followed, scored.calls - followed):
        return (
            f"No better than always saying the same: the price went the tickets' way in {followed} of {scored.calls}."
        )
    return ""
