"""Waiting for what another thread brings about."""

from __future__ import annotations

import time
from collections.abc import Callable

SECONDS = 60.0
"""How long at most, on a machine that does much else."""


def until(holds: Callable[[], bool]) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)
