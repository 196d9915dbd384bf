"""What is known about a candle that is not there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

# An exchange may be late with a candle, so that one empty answer proves nothing.
APART_MS: Final = 30_000


class GapState(StrEnum):
    """How far the search for a missing candle is."""

    UNKNOWN = "unknown"
    FILLED = "filled"
    EMPTY_AT_EXCHANGE = "empty_at_exchange"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Gap:
    """A candle that was missed: how far the search is, and when the exchange first had none (milliseconds)."""

    open_ms: int
    state: GapState = GapState.UNKNOWN
    absent_since_ms: int | None = None

    def absent(self, now_ms: int) -> Gap:
        """The exchange answered without it; the second time, long enough after the first, it is proven empty."""
        if self.state is GapState.EMPTY_AT_EXCHANGE:
            return self
        if self.absent_since_ms is None:
            return replace(self, state=GapState.UNKNOWN, absent_since_ms=now_ms)
        proven = now_ms - self.absent_since_ms >= APART_MS
        return replace(self, state=GapState.EMPTY_AT_EXCHANGE if proven else GapState.UNKNOWN)

    def failed(self) -> Gap:
        """Asking for it failed; what was proven before stays."""
        return self if self.state is GapState.EMPTY_AT_EXCHANGE else replace(self, state=GapState.FAILED)

    def filled(self) -> Gap:
        """It came."""
        return replace(self, state=GapState.FILLED)
