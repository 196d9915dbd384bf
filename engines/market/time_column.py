"""Times as files write them, as milliseconds since the epoch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import numpy as np

from engines.domain.candles import Floats, Times

UNREADABLE: Final = np.iinfo(np.int64).min
NAIVE_NOTE: Final = "The times carry no offset and were read as UTC."

_SEPARATED: Final = re.compile(r"^(\d{4})[./](\d{1,2})[./](\d{1,2})(?!\d)")
_NUMBER: Final = re.compile(r"^\d{9,}(\.\d*)?$")
# Seconds of this century have 10 digits, milliseconds 13, microseconds 16, nanoseconds 19.
_UNITS: Final = ((1e11, 1e3), (1e14, 1.0), (1e17, 1e-3), (float("inf"), 1e-6))


class TimeColumn:
    """Reads one file's times, all in the manner of the first: unix times of one unit, or ISO 8601."""

    def __init__(self) -> None:
        self._per_unit: float | None = None
        self._is_number: bool | None = None
        self.naive = False

    def read(self, texts: Sequence[str]) -> Times:
        """Milliseconds since the epoch, shape (n,); `UNREADABLE` where a text is no time."""
        if self._is_number is None:
            self._is_number = is_unix_time(texts[0])
        if self._is_number:
            return self.from_numbers(_numbers(texts))
        return np.array([self._iso(text) for text in texts], dtype=np.int64)

    def from_numbers(self, numbers: Floats) -> Times:
        """Milliseconds since the epoch of unix times in the unit that the first one's digits tell."""
        readable = np.isfinite(numbers) & (numbers > 0)
        if self._per_unit is None and readable.any():
            first = float(numbers[readable][0])
            self._per_unit = next(factor for limit, factor in _UNITS if first < limit)
        times = np.full(len(numbers), UNREADABLE, dtype=np.int64)
        times[readable] = np.rint(numbers[readable] * (self._per_unit or 1.0)).astype(np.int64)
        return times

    def _iso(self, text: str) -> int:
        try:
            time = datetime.fromisoformat(_isoformat(text))
        except ValueError:
            return UNREADABLE
        if time.tzinfo is None:
            self.naive = True
            time = time.replace(tzinfo=UTC)
        return round(time.timestamp() * 1000)


def is_unix_time(text: str) -> bool:
    """Whether a cell holds the seconds, milli-, micro- or nanoseconds of a unix time."""
    return bool(_NUMBER.match(text.strip()))


def is_time(text: str) -> bool:
    """Whether a cell holds a time rather than a column's name."""
    return is_unix_time(text) or TimeColumn().read([text])[0] != UNREADABLE


def _isoformat(text: str) -> str:
    stripped = text.strip()
    if stripped.endswith((" UTC", " GMT")):
        stripped = f"{stripped[:-4]}+00:00"
    if len(stripped) > 4 and stripped[4] in "./":
        return _SEPARATED.sub(lambda m: f"{m[1]}-{int(m[2]):02}-{int(m[3]):02}", stripped)
    return stripped


def _numbers(texts: Sequence[str]) -> Floats:
    return np.array([float(text) if is_unix_time(text) else np.nan for text in texts], dtype=np.float64)
