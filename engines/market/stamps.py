"""When prices held, as their venue says it."""

from __future__ import annotations

from datetime import datetime

from engines.domain.instruments import CLOCK_SKEW
from engines.domain.timeframe import from_ms


def told_at(stamp_ms: int | None, now: datetime) -> datetime:
    """The time of an answer that has just come.

    One without a time is of now, and so is one that a clock a little ahead of ours wrote. A time further ahead stays:
    the limits refuse prices from the future, which a clamped time would hide from them.

    Args:
        stamp_ms: as the venue told it, epoch milliseconds.
        now: by our clock.
    """
    if not stamp_ms:
        return now
    told = from_ms(stamp_ms)
    return now if now < told <= now + CLOCK_SKEW else told
