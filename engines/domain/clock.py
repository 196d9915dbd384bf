"""The only place that reads the wall clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where time comes from: the wall in a running desk, a fixed one in tests."""

    def now(self) -> datetime:
        """Aware UTC time."""
        ...

    def wait(self, span: timedelta) -> None:
        """Return once this much of the clock's time has passed."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Aware UTC time of this machine."""
        return datetime.now(UTC)

    def wait(self, span: timedelta) -> None:
        """Sleep."""
        time.sleep(span.total_seconds())


class ManualClock:
    """A clock that stands until it is moved."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """The time it was last set to."""
        return self._now

    def advance(self, step: timedelta) -> None:
        """Move it forward."""
        self._now += step

    def wait(self, span: timedelta) -> None:
        """Move it forward: on a clock that is moved by hand nobody waits for anything else."""
        self.advance(span)
