"""Where streams leave what they heard until it is taken: candles all, of the rest the newest."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_Item = TypeVar("_Item")
CAPACITY: Final = 1_000


class Mailbox(Generic[_Key, _Item]):
    """Two queues of bounded length. Not safe between threads.

    A full one takes no further candle: the stream that has it must be asked over REST again, so that none is lost.
    """

    def __init__(self, *, capacity: int = CAPACITY) -> None:
        self._capacity: Final = capacity
        self._whole: deque[tuple[_Key, _Item]] = deque()
        self._newest: OrderedDict[_Key, _Item] = OrderedDict()
        self.counts: Final[Counter[str]] = Counter()
        """`dropped` ticks that a newer one took the place of, `overflows` of candles."""

    def __len__(self) -> int:
        return len(self._whole) + len(self._newest)

    def put(self, key: _Key, item: _Item) -> bool:
        """Leave something that must not be lost; False when there is no room for it."""
        if len(self._whole) >= self._capacity:
            self.counts["overflows"] += 1
            return False
        self._whole.append((key, item))
        return True

    def conflate(self, key: _Key, item: _Item) -> None:
        """Leave the newest state of a key, in the place of the one before."""
        if key in self._newest:
            self.counts["dropped"] += 1
        elif len(self._newest) >= self._capacity:
            self._newest.popitem(last=False)
            self.counts["dropped"] += 1
        self._newest[key] = item

    def take(self) -> tuple[_Key, _Item] | None:
        """The next: candles first, then the longest waiting; None when it is empty."""
        if self._whole:
            return self._whole.popleft()
        return self._newest.popitem(last=False) if self._newest else None
