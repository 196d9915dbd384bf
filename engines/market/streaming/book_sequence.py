"""Whether the changes of an order book follow each other."""

from __future__ import annotations

from collections import Counter
from typing import Final, Literal

Step = Literal["applied", "repeated", "gap"]


class BookSequence:
    """Numbers of one book's changes. After a hole nothing is right until the next snapshot."""

    def __init__(self) -> None:
        self._last: int | None = None
        self.is_new = True
        """True until the first snapshot since the connection was made."""
        self.counts: Final[Counter[str]] = Counter()
        """`snapshots`, `gaps`, `repeated`."""

    @property
    def is_whole(self) -> bool:
        """True when the book is a snapshot and every change since."""
        return self._last is not None

    def snapshot(self, number: int) -> None:
        """A whole book, as of change `number`."""
        self._last = number
        self.is_new = False
        self.counts["snapshots"] += 1

    def change(self, first: int, last: int) -> Step:
        """Changes `first` to `last`, in one message."""
        if self._last is None:
            return "gap"
        if last <= self._last:
            self.counts["repeated"] += 1
            return "repeated"
        if first > self._last + 1:
            self.miss()
            return "gap"
        self._last = last
        return "applied"

    def miss(self) -> None:
        """A change is missing, by its number or by a checksum."""
        self.counts["gaps"] += 1
        self._last = None

    def lose(self) -> None:
        """The connection broke: what was missed is not known."""
        self._last = None
        self.is_new = True
