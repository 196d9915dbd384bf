"""Silence of streams, and the patience between connections."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

SILENCE_SECONDS: Final = 60.0
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0
_STORM: Final = 10
_STORM_SECONDS: Final = 60.0

_Key = TypeVar("_Key", bound=Hashable)


class Watchdog(Generic[_Key]):
    """When each stream last sent data. A heartbeat of the exchange is no data: it is never told here.

    Seconds are of any clock that only grows. Not safe between threads.
    """

    def __init__(self, *, silence: float = SILENCE_SECONDS) -> None:
        self._silence: Final = silence
        self._heard: dict[_Key, float] = {}

    def heard(self, key: _Key, now: float) -> None:
        """Data of a stream arrived."""
        self._heard[key] = now

    def forget(self, key: _Key) -> None:
        """A stream broke or ended: it is silent until it speaks again."""
        self._heard.pop(key, None)

    def age(self, key: _Key, now: float) -> float | None:
        """Seconds since a stream's last data; None where there was none."""
        at = self._heard.get(key)
        return None if at is None else max(0.0, now - at)

    def is_alive(self, key: _Key, now: float) -> bool:
        """Whether it sent data, and less than the longest silence ago."""
        age = self.age(key, now)
        return age is not None and age < self._silence


class Reconnects:
    """How long to wait before an exchange is connected to again: doubling, spread out, and no storm of tries.

    Args:
        first: seconds of the first pause; each failure in a row doubles it, up to a minute.
    """

    def __init__(self, *, first: float = _FIRST_PAUSE) -> None:
        self._first: Final = first
        self._tries: deque[float] = deque()
        self.count = 0
        """How often a connection was made again."""

    def pause(self, failures: int, *, now: float, jitter: float) -> float:
        """Seconds to wait after `failures` (at least 1) in a row; `jitter` in [0, 1) spreads desks apart.

        At most ten tries a minute are let through to one exchange, whatever stream they are for.
        """
        self.count += 1
        doubled: float = min(self._first * 2.0 ** min(failures - 1, 10), _LONGEST_PAUSE) * (0.5 + jitter / 2)
        while self._tries and self._tries[0] <= now - _STORM_SECONDS:
            self._tries.popleft()
        at = now + doubled
        if len(self._tries) >= _STORM:
            at = max(at, self._tries[-_STORM] + _STORM_SECONDS)
        self._tries.append(at)
        return at - now
