"""Closed candles from one instant to another: fine ones at both ends, coarse ones between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, TypeVar

import numpy as np

from engines.domain.candles import CandleFrame, Floats, Times
from engines.domain.timeframe import Timeframe, duration_ms, from_ms, to_ms
from engines.errors import InsufficientData
from engines.market.data import MarketData

_Column = TypeVar("_Column", Floats, Times)
# Coarsest first. Where one candle of a kind would not do, its neighbours below fill what it leaves at both ends.
_LADDER: Final[tuple[Timeframe, ...]] = ("1d", "1h", "1m")
# So many hours are read before days are.
_MOST_HOURS: Final = 1_500


@dataclass(frozen=True, slots=True, eq=False)
class CandlePath:
    """Candles of one symbol that follow each other; they never overlap, and may leave time uncovered.

    Attributes:
        open_time, close_time: shape (n,), milliseconds since the epoch, ascending.
        open, high, low, close: shape (n,), quote units.
        timeframes: shape (n,), of each candle.
        unseen_seconds: time between the two ends that no candle covers.
    """

    open_time: Times
    close_time: Times
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    timeframes: tuple[Timeframe, ...]
    unseen_seconds: int

    def __len__(self) -> int:
        return len(self.open_time)

    def price(self, row: int, column: Literal["open", "close"]) -> Decimal:
        """A price as it was printed."""
        return Decimal(str(float((self.open if column == "open" else self.close)[row])))

    def closed(self, row: int) -> datetime:
        """When a candle closed."""
        return from_ms(int(self.close_time[row]))

    def told(self, row: int) -> str:
        """A candle in words."""
        return f"the {self.timeframes[row]} candle that closed {self.closed(row):%Y-%m-%d %H:%M} UTC"

    def counted(self) -> dict[str, int]:
        """How many candles of each timeframe there are."""
        return dict(Counter(self.timeframes))

    def row_closed_at(self, time: datetime) -> int | None:
        """The last candle that had closed at an instant; None before the first."""
        row = int(np.searchsorted(self.close_time, to_ms(time), side="right")) - 1
        return row if row >= 0 else None

    def row_around(self, time: datetime) -> int | None:
        """The candle that an instant lies within, both its ends excluded; None where there is none."""
        row = int(np.searchsorted(self.open_time, to_ms(time), side="left")) - 1
        return row if row >= 0 and to_ms(time) < int(self.close_time[row]) else None


class PathReader:
    """Reads paths of one market up to one instant; candles that several paths share are asked for once."""

    def __init__(self, market: MarketData) -> None:
        self._market = market
        self._known: dict[tuple[str, Timeframe, int], CandleFrame] = {}

    def read(self, symbol: str, since: datetime) -> CandlePath:
        """The candles that opened at `since` or later and are closed now.

        Minutes to the next full hour, hours to now, minutes since the last full hour; days between where there are
        more than `_MOST_HOURS` hours. Where a market has no finer candles, the time they would cover stays unseen.

        Raises:
            NotFound, VenueUnavailable: as the market does.
        """
        start, end = to_ms(since), to_ms(self._market.now(symbol))
        ladder = _LADDER if end - start > _MOST_HOURS * duration_ms("1h") else _LADDER[1:]
        return _joined(list(self._covering(symbol, start, end, ladder)), max(end - start, 0))

    def finer(self, symbol: str, path: CandlePath, row: int) -> CandlePath | None:
        """The path with one candle replaced by those of the next finer kind that make it up.

        None for a minute, and where the market's finer candles do not reach the candle's own extremes: then some of
        them are missing, and the coarse candle tells more.

        Raises:
            NotFound, VenueUnavailable: as the market does.
        """
        place = _LADDER.index(path.timeframes[row]) + 1
        if place == len(_LADDER):
            return None
        opened, closed = int(path.open_time[row]), int(path.close_time[row])
        frame = self._between(symbol, _LADDER[place], opened, closed)
        if not len(frame) or frame.high.max() < path.high[row] or frame.low.min() > path.low[row]:
            return None
        return _spliced(path, row, _joined([frame], closed - opened))

    def split_at(self, symbol: str, path: CandlePath, time: datetime) -> CandlePath:
        """The path with a candle's end at an instant, as far as the market has finer candles around it."""
        while (row := path.row_around(time)) is not None and (finer := self.finer(symbol, path, row)) is not None:
            path = finer
        return path

    def _covering(self, symbol: str, start: int, end: int, ladder: tuple[Timeframe, ...]) -> Iterator[CandleFrame]:
        if not ladder or end <= start:
            return
        step = duration_ms(ladder[0])
        first, last = -(-start // step) * step, end // step * step
        if first >= last:
            yield from self._covering(symbol, start, end, ladder[1:])
            return
        yield from self._covering(symbol, start, first, ladder[1:])
        yield self._between(symbol, ladder[0], first, last)
        yield from self._covering(symbol, last, end, ladder[1:])

    def _between(self, symbol: str, timeframe: Timeframe, first: int, last: int) -> CandleFrame:
        """Candles of [first, last), both on the timeframe's boundaries."""
        key, count = (symbol, timeframe, last), (last - first) // duration_ms(timeframe)
        known = self._known.get(key)
        if known is None or (len(known) < count and (not len(known) or int(known.open_time[0]) > first)):
            try:
                known = self._market.closed_candles(symbol, timeframe, count=count, as_of=from_ms(last))
            except InsufficientData:
                known = _none(symbol, timeframe, self._market)
            self._known[key] = known
        return known[int(np.searchsorted(known.open_time, first)) :]


def _none(symbol: str, timeframe: Timeframe, market: MarketData) -> CandleFrame:
    empty = np.empty(0)
    times = np.empty(0, dtype=np.int64)
    return CandleFrame(symbol, timeframe, market.name, market.simulated, times, empty, empty, empty, empty, empty)


def _joined(frames: list[CandleFrame], span_ms: int) -> CandlePath:
    lengths = [np.full(len(frame), duration_ms(frame.timeframe), dtype=np.int64) for frame in frames]
    opened = np.concatenate([np.empty(0, dtype=np.int64), *(frame.open_time for frame in frames)])
    closed = opened + np.concatenate([np.empty(0, dtype=np.int64), *lengths])
    timeframes = tuple(frame.timeframe for frame in frames for _ in range(len(frame)))
    return CandlePath(
        open_time=opened,
        close_time=closed,
        open=_column(frames, "open"),
        high=_column(frames, "high"),
        low=_column(frames, "low"),
        close=_column(frames, "close"),
        timeframes=timeframes,
        unseen_seconds=(span_ms - int((closed - opened).sum())) // 1000,
    )


def _spliced(path: CandlePath, row: int, inside: CandlePath) -> CandlePath:
    """A path with the candles of another in the place of one."""

    def merged(whole: _Column, part: _Column) -> _Column:
        return np.concatenate([whole[:row], part, whole[row + 1 :]])

    return CandlePath(
        open_time=merged(path.open_time, inside.open_time),
        close_time=merged(path.close_time, inside.close_time),
        open=merged(path.open, inside.open),
        high=merged(path.high, inside.high),
        low=merged(path.low, inside.low),
        close=merged(path.close, inside.close),
        timeframes=(*path.timeframes[:row], *inside.timeframes, *path.timeframes[row + 1 :]),
        unseen_seconds=path.unseen_seconds + inside.unseen_seconds,
    )


def _column(frames: list[CandleFrame], name: str) -> Floats:
    return np.concatenate([np.empty(0), *(getattr(frame, name) for frame in frames)])
