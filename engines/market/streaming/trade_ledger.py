"""Trades of one symbol, each once, and the numbers that are missing between them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Final

CAPACITY: Final = 2_000
# More missing numbers than one page of REST holds: the hole is too large to be filled.
MOST_MISSING: Final = 1_000


class TradeLedger:
    """Takes trades in batches, as they arrive, in any order and as often as they are sent. Not safe between threads.

    Args:
        sequential: the exchange numbers a symbol's trades without a hole, so that a hole is a loss.
        capacity: how many trades are remembered, to know one that comes again.
    """

    def __init__(self, *, sequential: bool, capacity: int = CAPACITY) -> None:
        self._sequential: Final = sequential
        self._seen: set[Hashable] = set()
        self._order: deque[Hashable] = deque()
        self._capacity: Final = capacity
        self._highest: int | None = None
        self._missing: set[int] = set()
        self.counts: Final[Counter[str]] = Counter()
        """`trades`, `repeated`, `gaps` found, `lost` numbers that were given up."""

    @property
    def missing(self) -> tuple[int, ...]:
        """Numbers that were passed over and have not come yet, ascending."""
        return tuple(sorted(self._missing))

    def accept(self, batch: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The trades of a batch (ccxt's form) that were not known, in the batch's order."""
        fresh = []
        same: Counter[Hashable] = Counter()
        for trade in batch:
            key = _key(trade, same)
            if key in self._seen:
                self.counts["repeated"] += 1
                continue
            self._remember(key)
            self._number(trade.get("id"))
            fresh.append(trade)
        self.counts["trades"] += len(fresh)
        return fresh

    def give_up(self) -> int:
        """Count what is still missing as lost, once REST was asked and did not have it; how many there were."""
        lost = len(self._missing)
        self._missing.clear()
        self.counts["lost"] += lost
        return lost

    def _remember(self, key: Hashable) -> None:
        self._seen.add(key)
        self._order.append(key)
        while len(self._order) > self._capacity:
            self._seen.discard(self._order.popleft())

    def _number(self, id_: Any) -> None:
        if not self._sequential or not str(id_).isdecimal():
            return
        number = int(id_)
        self._missing.discard(number)
        if self._highest is not None and number > self._highest + 1:
            self.counts["gaps"] += 1
            skipped = range(self._highest + 1, number)
            self.counts["lost"] += max(0, len(skipped) - MOST_MISSING)
            self._missing.update(skipped[-MOST_MISSING:])
        self._highest = number if self._highest is None else max(self._highest, number)


def _key(trade: Mapping[str, Any], same: Counter[Hashable]) -> Hashable:
    """Its id; without one, what it says and which of its likes in this batch it is."""
    if trade.get("id"):
        return str(trade["id"])
    said = tuple(trade.get(name) for name in ("timestamp", "price", "amount", "side"))
    same[said] += 1
    return (*said, same[said])
