"""Timeframes and the boundaries of their candles, all in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, Literal, get_args

from engines.errors import InvalidRequest

Timeframe = Literal["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d", "1w"]
TIMEFRAMES: Final[tuple[Timeframe, ...]] = get_args(Timeframe)

_MINUTE_MS: Final = 60_000
_UNIT_MS: Final = {"m": _MINUTE_MS, "h": 60 * _MINUTE_MS, "d": 1_440 * _MINUTE_MS, "w": 10_080 * _MINUTE_MS}
# 1970-01-01 was a Thursday; weeks open on Monday.
_WEEK_ANCHOR_MS: Final = 4 * _UNIT_MS["d"]


def parse_timeframe(text: str) -> Timeframe:
    """Return `text` as a timeframe.

    Raises:
        InvalidRequest: it is not one; the message lists those there are.
    """
    for timeframe in TIMEFRAMES:
        if timeframe == text:
            return timeframe
    raise InvalidRequest(f"{text!r} is not a timeframe.", remedy=f"Use one of {', '.join(TIMEFRAMES)}.")


def duration_ms(timeframe: Timeframe) -> int:
    """Length of one candle in milliseconds."""
    return int(timeframe[:-1]) * _UNIT_MS[timeframe[-1]]


def floor_ms(time_ms: int, timeframe: Timeframe) -> int:
    """Open time of the candle that contains `time_ms` (both milliseconds since the epoch, UTC)."""
    anchor = _WEEK_ANCHOR_MS if timeframe == "1w" else 0
    return time_ms - (time_ms - anchor) % duration_ms(timeframe)


def to_ms(time: datetime) -> int:
    """Milliseconds since the epoch of an aware time.

    Raises:
        InvalidRequest: the time is naive.
    """
    if time.tzinfo is None:
        raise InvalidRequest(f"{time.isoformat()} has no time zone.", remedy="Give it one, such as a trailing Z.")
    return int(time.timestamp() * 1000)


def from_ms(time_ms: int) -> datetime:
    """Aware UTC time of milliseconds since the epoch."""
    return datetime.fromtimestamp(int(time_ms) / 1000, tz=UTC)
