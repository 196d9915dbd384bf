"""Which candles a caller may ask for: a positive number of them, up to an instant that has passed."""

from __future__ import annotations

from datetime import datetime

from engines.domain.timeframe import to_ms
from engines.errors import InvalidRequest


def window_end(*, count: int, as_of: datetime | None, now: datetime) -> datetime:
    """The instant at which the last candle may close at the latest: `as_of`, or `now` when None.

    Raises:
        InvalidRequest: `count` is below 1, or `as_of` is naive or later than `now`.
    """
    if count < 1:
        raise InvalidRequest(f"count={count} asks for no candle.", remedy="Ask for at least 1.")
    if as_of is None:
        return now
    if to_ms(as_of) > to_ms(now):
        raise InvalidRequest(
            f"{as_of.isoformat()} is in the future: this market's time is {now.isoformat()}.",
            remedy="Ask for a time that has passed.",
        )
    return as_of
