"""Points of control that price has not come back to."""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Literal, Protocol

import numpy as np

from engines.domain.candles import CandleFrame
from engines.domain.timeframe import duration_ms, from_ms

NakedMode = Literal["strict", "touch_or_gap"]
# Price, and number of the session that left it.
_Level = tuple[float, int]


class SessionLevel(Protocol):
    """What of a session its point of control's later life rests on; a `SessionProfile` has it."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def last_row(self) -> int:
        """Row of its last candle."""

    @property
    def closes(self) -> datetime:
        """When it ends, aware UTC; its last candle may have closed before, or reach beyond."""

    @property
    def complete(self) -> bool:
        """Whether it is over and all of it is there."""

    @property
    def poc(self) -> float | None:
        """Point of control; None without volume."""


@dataclass(frozen=True, slots=True)
class NakedPoc:
    """A session's point of control and what became of it.

    Attributes:
        session: name of the session that left it.
        price: quote units.
        born: when it was final, aware UTC: the end of its session, or the close of its last candle where that reaches
            beyond; after a session that ends in a gap it waits for the end, since another candle could have come.
        tagged_at: opening of the candle that came back to it, known when that candle closes; None while naked.
        tagged_row: row of that candle; None while naked.
        age_sessions: sessions from birth to the tag, or to the last candle.
        naked: price has not come back.
    """

    session: str
    price: float
    born: datetime
    tagged_at: datetime | None
    tagged_row: int | None
    age_sessions: int
    naked: bool


def naked_pocs(
    candles: CandleFrame, sessions: Sequence[SessionLevel], mode: NakedMode = "strict"
) -> tuple[NakedPoc, ...]:
    """Follow the point of control of every completed session until price comes back to it.

    A level lives from the first candle after its session to the first one with low <= level <= high. In `touch_or_gap`
    mode it also ends where price jumps over it: the close before and the whole candle lie on opposite sides. No
    look-ahead: what is told of a candle's time uses candles up to it. O(n log n): levels that live are kept sorted, and
    candles are gone through one by one only while their session still reaches a level.

    Args:
        candles: n >= 1 closed candles that the sessions are rows of.
        sessions: by time; those not complete, or without volume, leave no level.

    Returns:
        One per level, by birth.
    """
    born = {session.last_row + 1: number for number, session in enumerate(sessions) if session.complete}
    tags = _tags(candles, sessions, born, jumps=mode == "touch_or_gap")
    ends = [session.last_row for session in sessions]
    length, times = duration_ms(candles.timeframe), candles.open_time
    found = []
    for number, session in enumerate(sessions):
        if not session.complete or session.poc is None:
            continue
        row = tags.get(number)
        until = len(sessions) - 1 if row is None else min(bisect_left(ends, row), len(sessions) - 1)
        found.append(
            NakedPoc(
                session=session.name,
                price=session.poc,
                born=max(session.closes, from_ms(int(times[session.last_row]) + length)),
                tagged_at=None if row is None else from_ms(int(times[row])),
                tagged_row=row,
                age_sessions=until - number,
                naked=row is None,
            )
        )
    return tuple(found)


def _tags(
    candles: CandleFrame, sessions: Sequence[SessionLevel], born: dict[int, int], *, jumps: bool
) -> dict[int, int]:
    """Row of the candle that tagged it, by number of session."""
    lower, upper = candles.low, candles.high
    if jumps:
        # A level strictly between the close before and the candle was jumped over.
        before = np.concatenate((candles.close[:1], candles.close[:-1]))
        lower = np.minimum(lower, np.nextafter(before, np.inf))
        upper = np.maximum(upper, np.nextafter(before, -np.inf))
    tags: dict[int, int] = {}
    alive: list[tuple[float, int]] = []
    bounds = [*sorted(row for row in born if row < len(candles)), len(candles)]
    for first, last in pairwise(bounds):
        if (poc := sessions[born[first]].poc) is not None:
            insort(alive, (poc, born[first]))
        low, high = lower[first:last], upper[first:last]
        met = _meet(_between(alive, low.min(), high.max()), low.tolist(), high.tolist())
        tags |= {number: first + row for number, row in met.items()}
        if met:
            alive = [level for level in alive if level[1] not in met]
    return tags


def _meet(levels: list[_Level], low: list[float], high: list[float]) -> dict[int, int]:
    """Row of the first candle to meet each of the sorted levels; those that none meets are left out."""
    met: dict[int, int] = {}
    for row, (bottom, top) in enumerate(zip(low, high, strict=True)):
        if not levels:
            break
        if top < levels[0][0] or bottom > levels[-1][0]:
            continue
        reached = _between(levels, bottom, top)
        met |= {number: row for _, number in reached}
        first = bisect_left(levels, (bottom, -1))
        del levels[first : first + len(reached)]
    return met


def _between(levels: list[_Level], low: float, high: float) -> list[_Level]:
    return levels[bisect_left(levels, (low, -1)) : bisect_right(levels, (high, sys.maxsize))]
