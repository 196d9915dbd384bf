"""What makes a row a candle, and a column of candles a series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engines.domain.candles import Floats, Times
from engines.domain.timeframe import TIMEFRAMES, Timeframe, duration_ms, floor_ms, from_ms
from engines.errors import InvalidRequest
from engines.market.raw_candles import PRICES, BadRow, RawCandles
from engines.market.time_column import UNREADABLE

_MAX_DECIMALS: Final = 8
_SHOWN_GAPS: Final = 5

# Which rows break a rule, shape (n,), and the rule with the row's own figures to be filled in.
_Violation: TypeAlias = tuple[NDArray[np.bool_], str]


@dataclass(frozen=True, slots=True)
class Gap:
    """Candles that a series lacks: from the close before to the open after, and how many would fit."""

    start: datetime
    end: datetime
    missing: int

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} ({self.missing:,} missing)"


@dataclass(frozen=True, slots=True)
class Gaps:
    """All gaps of a series: their number, the candles missing, the largest and the first few."""

    count: int
    missing: int
    largest: Gap | None
    first: tuple[Gap, ...]


def check_spacing(open_time: Times, timeframe: Timeframe) -> None:
    """Refuse candles whose usual distance is another timeframe's.

    Raises:
        InvalidRequest: the commonest step between neighbours is not `timeframe`; two steps are needed to tell.
    """
    steps = np.abs(np.diff(open_time[open_time != UNREADABLE]))
    steps = steps[steps > 0]
    if len(steps) < 2:
        return
    sizes, counts = np.unique(steps, return_counts=True)
    usual = sizes[counts == counts.max()]
    if duration_ms(timeframe) not in usual:
        name = next((each for each in TIMEFRAMES if duration_ms(each) == usual[0]), f"{usual[0] / 1000:g} s")
        raise InvalidRequest(
            f"The candles are {name} apart, not {timeframe}. Nothing was imported.",
            remedy=f"Import them with --timeframe {name}." if name in TIMEFRAMES else "Check the time column.",
        )


def bad_rows(raw: RawCandles, timeframe: Timeframe, *, now_ms: int) -> tuple[BadRow, ...]:
    """Every row that is no candle of a rising series, in the file's order, each with its first reason."""
    reasons: dict[int, str] = {}
    for bad in raw.bad:
        reasons.setdefault(bad.line, bad.reason)
    good = ~np.isin(raw.lines, list(reasons))
    for rows, reason in chain(_value_violations(raw), _time_violations(raw, timeframe, now_ms)):
        good &= ~rows
        _note(reasons, raw, rows, reason)
    for rows, reason in _order_violations(raw, good):
        _note(reasons, raw, rows, reason)
    return tuple(sorted(BadRow(line, reason) for line, reason in reasons.items()))


def _value_violations(raw: RawCandles) -> Iterator[_Violation]:
    open_, high, low, close, volume = raw.values.T
    for name, values in zip((*PRICES, "volume"), raw.values.T, strict=True):
        yield ~np.isfinite(values), f"{name} {{{name}}} is not a finite number"
    for name, values in zip(PRICES, raw.values.T, strict=False):
        yield values <= 0, f"{name} {{{name}}} is not above zero"
    yield high < np.maximum(open_, close), "high {high} is below open {open} or close {close}"
    yield low > np.minimum(open_, close), "low {low} is above open {open} or close {close}"
    yield volume < 0, "volume {volume} is negative"


def _time_violations(raw: RawCandles, timeframe: Timeframe, now_ms: int) -> Iterator[_Violation]:
    off_grid = (raw.open_time - floor_ms(0, timeframe)) % duration_ms(timeframe) != 0
    yield off_grid & (raw.open_time != UNREADABLE), f"{{time}} is no start of a {timeframe} candle"
    yield raw.open_time > now_ms, "{time} lies in the future"


def _order_violations(raw: RawCandles, good: NDArray[np.bool_]) -> Iterator[_Violation]:
    """Against the good rows only: one row with a wrong time must not put all later ones in the wrong."""
    latest = np.maximum.accumulate(np.where(good, raw.open_time, UNREADABLE))
    before = np.concatenate([[UNREADABLE], latest[:-1]])
    yield good & (raw.open_time == before), "{time} stands there twice"
    yield good & (raw.open_time < before), "{time} is earlier than a row above it"


def _note(reasons: dict[int, str], raw: RawCandles, rows: NDArray[np.bool_], reason: str) -> None:
    for row in np.flatnonzero(rows):
        line = int(raw.lines[row])
        if line not in reasons:
            reasons[line] = reason.format(**_words(raw, int(row)))


def _words(raw: RawCandles, row: int) -> dict[str, str]:
    words = {name: f"{value:.10g}" for name, value in zip((*PRICES, "volume"), raw.values[row], strict=True)}
    if raw.open_time[row] != UNREADABLE:
        words["time"] = f"{from_ms(int(raw.open_time[row])):%Y-%m-%d %H:%M:%S} UTC"
    return words


def find_gaps(open_time: Times, timeframe: Timeframe) -> Gaps:
    """Holes between ascending open times. O(n)."""
    span = duration_ms(timeframe)
    missing = np.diff(open_time) // span - 1
    places = np.flatnonzero(missing)

    def gap(place: int) -> Gap:
        start, end = from_ms(int(open_time[place]) + span), from_ms(int(open_time[place + 1]))
        return Gap(start, end, int(missing[place]))

    largest = gap(int(missing.argmax())) if len(places) else None
    return Gaps(len(places), int(missing.sum()), largest, tuple(gap(int(place)) for place in places[:_SHOWN_GAPS]))


def tick_size(prices: Floats) -> Decimal:
    """The step that the prices are written in: a power of ten, at least 10^-8."""
    return Decimal(1).scaleb(-_decimals(prices))


def lot_size(volumes: Floats, last_price: float) -> Decimal:
    """The step of quantities: that of the volumes, made finer until one lot is worth at most one quote unit.

    Volumes are often rounded in a file, which says nothing about the smallest order.
    """
    decimals = _decimals(volumes)
    while decimals < _MAX_DECIMALS and last_price > 10**decimals:
        decimals += 1
    return Decimal(1).scaleb(-decimals)


def _decimals(values: Floats) -> int:
    """Digits behind the point that all values (shape (n,)) can be written with, at most 8."""
    few = values[:: max(1, len(values) // 1000)]
    for decimals in range(_MAX_DECIMALS):
        if _have_decimals(few, decimals) and _have_decimals(values, decimals):
            return decimals
    return _MAX_DECIMALS


def _have_decimals(values: Floats, decimals: int) -> bool:
    return bool(np.allclose(values, np.round(values, decimals), rtol=1e-12, atol=0))
