"""The venue's own time, which a test may move, skew or stop."""

from __future__ import annotations

import time


class VenueClock:
    """Milliseconds since the epoch: the machine's clock plus what a test added, or a fixed instant."""

    def __init__(self) -> None:
        self.offset_ms = 0
        self._stopped_at: int | None = None

    def now_ms(self) -> int:
        """Return the venue's time."""
        if self._stopped_at is not None:
            return self._stopped_at + self.offset_ms
        return time.time_ns() // 1_000_000 + self.offset_ms

    def stop(self) -> None:
        """Freeze time; `offset_ms` still moves it."""
        self._stopped_at = self.now_ms() - self.offset_ms

    def resume(self) -> None:
        """Let time run again."""
        self._stopped_at = None
