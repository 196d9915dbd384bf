"""Timeframes as people say them: `4h`, `H4`, `four-hour`, `the daily`, `15 min`."""

from __future__ import annotations

from typing import Final

from engines.domain.timeframe import TIMEFRAMES

_UNITS: Final = {
    **dict.fromkeys(["m", "min", "mins", "minute", "minutes", "minuts", "minutely"], "m"),
    **dict.fromkeys(["h", "hr", "hrs", "hour", "hours", "hourly"], "h"),
    **dict.fromkeys(["d", "day", "days", "daily"], "d"),
    **dict.fromkeys(["w", "wk", "wks", "week", "weeks", "weekly"], "w"),
    **dict.fromkeys(["mo", "month", "months", "monthly"], "M"),
}
UNIT_WORDS: Final[frozenset[str]] = frozenset(_UNITS)
WORDS: Final = {
    "hourly": "1h",
    "hourley": "1h",
    "daily": "1d",
    "dialy": "1d",
    "dailly": "1d",
    "weekly": "1w",
    "monthly": "1M",
}
_MINUTES: Final = {"m": 1, "h": 60, "d": 1440, "w": 10_080}
_BY_MINUTES: Final = {int(t[:-1]) * _MINUTES[t[-1]]: str(t) for t in TIMEFRAMES}
# "on the 15" and "the 4" have one meaning on a trading desk.
BARE: Final = {3: "3m", 5: "5m", 15: "15m", 30: "30m", 4: "4h", 12: "12h"}


def timeframe_of(count: int, unit: str) -> str:
    """`4h` of (4, "hours"); one the desk has no candles of comes back as it was said, such as `8h`."""
    letter = _UNITS[unit]
    if letter in _MINUTES:
        known = _BY_MINUTES.get(count * _MINUTES[letter])
        if known:
            return known
    return f"{count}{letter}"


def from_code(word: str) -> str | None:
    """`4h` of `h4`, `15m` of `m15`; None for any other word."""
    if len(word) in {2, 3} and word[0] in "mhdw" and word[1:].isascii() and word[1:].isdigit():
        name = timeframe_of(int(word[1:]), word[0])
        return name if is_known(name) else None
    return None


def is_known(timeframe: str) -> bool:
    """True when the desk has candles of it."""
    return timeframe in TIMEFRAMES
