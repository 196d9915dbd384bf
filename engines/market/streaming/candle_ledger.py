"""The candles of one symbol and timeframe: streamed ones are provisional until REST tells them, too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from engines.domain.timeframe import Timeframe, duration_ms, floor_ms
from engines.market.streaming.gaps import Gap, GapState
from engines.market.streaming.rows import Row, fault_of, row_of

CAPACITY: Final = 2_000
# Without a successor a candle counts as closed only this much after its end, for clocks differ.
GRACE_MS: Final = 3_000

Verdict = Literal["rejected", "old", "new", "updated", "repeated", "disagrees"]


@dataclass(frozen=True, slots=True)
class Kept:
    """A candle of the ledger; `revision` counts how often REST changed its mind about it."""

    row: Row
    confirmed: bool = False
    revision: int = 0


class CandleLedger:
    """Takes rows in any order, any number of times, and comes to the same table.

    Only confirmed candles are served: closed, and told by REST. Of several streamed states of one candle the fullest
    is kept, for volume only grows while a candle forms. Not safe between threads.

    Args:
        capacity: candles kept; older ones are forgotten.
    """

    def __init__(self, timeframe: Timeframe, *, capacity: int = CAPACITY) -> None:
        self.timeframe: Final = timeframe
        self._span: Final = duration_ms(timeframe)
        self._capacity: Final = capacity
        self._kept: dict[int, Kept] = {}
        self._gaps: dict[int, Gap] = {}
        self._doubtful: set[int] = set()
        self._newest = 0
        self.counts: Final[Counter[str]] = Counter()
        """`rejected_<fault>`, `old`, `repeated`, `disagreements` of stream and REST, `revisions` by REST."""

    def observe(self, raw: Sequence[Any], *, now_ms: int) -> Verdict:
        """Take a row of the stream, forming or closed."""
        row = self._accepted(raw, now_ms)
        if row is None:
            return "rejected"
        if row.open_ms <= self._newest - self._capacity * self._span:
            self.counts["old"] += 1
            return "old"
        kept = self._kept.get(row.open_ms)
        if kept is None:
            self._put(Kept(row))
            return "new"
        if kept.row == row or _fullness(row) < _fullness(kept.row):
            self.counts["repeated"] += 1
            return "repeated"
        if kept.confirmed:
            # REST wins, but what traded more than REST knew is asked for again.
            self.counts["disagreements"] += 1
            self._doubtful.add(row.open_ms)
            return "disagrees"
        self._kept[row.open_ms] = Kept(row)
        return "updated"

    def confirm(self, rows: Iterable[Sequence[Any]], *, first_ms: int, end_ms: int, now_ms: int) -> tuple[Row, ...]:
        """Take REST's answer about the candles that open in [first_ms, end_ms): it wins, and shows what is missing.

        Returns:
            The candles that it changed after they had been confirmed.
        """
        found = {row.open_ms: row for raw in rows if (row := self._accepted(raw, now_ms)) is not None}
        newest = max(found, default=0)
        revised: list[Row] = []
        for row in found.values():
            closed = row.open_ms < newest or row.open_ms + self._span + GRACE_MS <= now_ms
            if closed and first_ms <= row.open_ms < end_ms and self._confirm_one(row):
                revised.append(row)
        for open_ms in self._multiples(first_ms, min(end_ms, floor_ms(now_ms - GRACE_MS, self.timeframe))):
            kept = self._kept.get(open_ms)
            # Traded on the stream: REST is only late with it.
            if open_ms not in found and (kept is None or (not kept.confirmed and kept.row.volume == 0)):
                self._gaps[open_ms] = self._gaps.get(open_ms, Gap(open_ms)).absent(now_ms)
        self._forget()
        return tuple(revised)

    def failed(self, *, first_ms: int, end_ms: int) -> None:
        """REST could not be asked about the candles that open in [first_ms, end_ms)."""
        for open_ms in self._multiples(first_ms, end_ms):
            kept = self._kept.get(open_ms)
            if kept is None or not kept.confirmed:
                self._gaps[open_ms] = self._gaps.get(open_ms, Gap(open_ms)).failed()

    def closed(self, end_ms: int, count: int) -> tuple[Row, ...] | None:
        """The candles of the last `count` periods before `end_ms`, ascending; None while one of them is not certain."""
        rows = []
        for open_ms in self._multiples(end_ms - count * self._span, end_ms):
            kept = self._kept.get(open_ms)
            if kept is not None and kept.confirmed:
                rows.append(kept.row)
            elif not self._is_empty(open_ms):
                return None
        return tuple(rows)

    def unconfirmed(self, end_ms: int, count: int) -> tuple[int, ...]:
        """Open times, ascending, of the last `count` periods before `end_ms` that REST has to be asked about."""
        return tuple(
            open_ms
            for open_ms in self._multiples(end_ms - count * self._span, end_ms)
            if open_ms in self._doubtful or not self._is_certain(open_ms)
        )

    def gaps(self) -> tuple[Gap, ...]:
        """Every candle that was missed and what became of it, ascending."""
        return tuple(self._gaps[open_ms] for open_ms in sorted(self._gaps))

    def forming(self) -> Row | None:
        """The newest streamed row: by the stream's word only, and not closed."""
        kept = self._kept.get(self._newest)
        return kept.row if kept is not None and not kept.confirmed else None

    def kept(self) -> tuple[Kept, ...]:
        """The whole table, ascending."""
        return tuple(self._kept[open_ms] for open_ms in sorted(self._kept))

    def _accepted(self, raw: Sequence[Any], now_ms: int) -> Row | None:
        row = row_of(raw)
        fault = "shape" if row is None else fault_of(row, self.timeframe, now_ms=now_ms)
        if fault:
            self.counts[f"rejected_{fault}"] += 1
            return None
        return row

    def _confirm_one(self, row: Row) -> bool:
        """Whether it changed a candle that was confirmed before."""
        kept = self._kept.get(row.open_ms)
        revised = kept is not None and kept.confirmed and kept.row != row
        revision = (kept.revision if kept else 0) + (1 if revised else 0)
        self.counts["revisions"] += 1 if revised else 0
        if kept is not None and not kept.confirmed and kept.row != row:
            self.counts["disagreements"] += 1
        self._put(Kept(row, confirmed=True, revision=revision))
        self._doubtful.discard(row.open_ms)
        if row.open_ms in self._gaps:
            self._gaps[row.open_ms] = self._gaps[row.open_ms].filled()
        return revised

    def _put(self, kept: Kept) -> None:
        self._kept[kept.row.open_ms] = kept
        self._newest = max(self._newest, kept.row.open_ms)
        if len(self._kept) > 2 * self._capacity:
            self._forget()

    def _forget(self) -> None:
        oldest = self._newest - self._capacity * self._span
        for table in (self._kept, self._gaps):
            for open_ms in [each for each in table if each <= oldest]:
                del table[open_ms]
        self._doubtful &= self._kept.keys()

    def _is_certain(self, open_ms: int) -> bool:
        kept = self._kept.get(open_ms)
        return (kept is not None and kept.confirmed) or self._is_empty(open_ms)

    def _is_empty(self, open_ms: int) -> bool:
        gap = self._gaps.get(open_ms)
        return gap is not None and gap.state is GapState.EMPTY_AT_EXCHANGE

    def _multiples(self, first_ms: int, end_ms: int) -> range:
        start = floor_ms(first_ms + self._span - 1, self.timeframe)
        return range(start, end_ms, self._span)


def _fullness(row: Row) -> tuple[float, ...]:
    """Grows while a candle forms; the rest only makes any order come to the same end."""
    return (row.volume, row.high, -row.low, row.close, row.open)
