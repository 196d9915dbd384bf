"""How many requests a venue is asked, with room kept back so that a cancel never waits behind a read."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Literal

from engines.errors import VenueUnavailable

Use = Literal["read", "survey", "order", "cancel"]

# The part of the capacity that must be left over after a request of this use.
_KEPT_BACK: Final[dict[Use, float]] = {"read": 0.4, "survey": 0.4, "order": 0.15, "cancel": 0.0}
_PATIENCE: Final = 2.0
# Nobody waits for a look at the whole account, and one that is given up is begun anew and costs as much again.
_OF_A_SURVEY: Final = 60.0


class RequestBudget:
    """A bucket of request weight that refills with time. Not thread-safe: its client's lock guards it.

    Args:
        capacity: weight that may be spent at once; a venue's own limit or less of it.
        per_second: weight that comes back each second.
        monotonic, sleep: where time comes from and how to wait.
    """

    def __init__(
        self,
        capacity: float,
        per_second: float,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._capacity = capacity
        self._per_second = per_second
        self._monotonic = monotonic
        self._sleep = sleep
        self._left = capacity
        self._at = monotonic()
        self._closed_until = self._at

    def take(self, use: Use, weight: float) -> float:
        """Spend `weight`, or tell how many seconds to `pause` before asking again; 0.0 when it was spent.

        Raises:
            VenueUnavailable: the wait would be long. Nothing was sent; the message says for how long.
        """
        wait, closed = self._wait(use, weight)
        if max(wait - (_OF_A_SURVEY if use == "survey" else _PATIENCE), closed - _PATIENCE) > 0:
            wait = max(wait, closed)
            raise VenueUnavailable(
                f"The venue's request limit is used up for {wait:.0f} s. Nothing was sent.",
                remedy=f"Try again in {wait:.0f} s.",
            )
        if wait == closed == 0.0:
            self._left -= weight
        return max(wait, closed)

    def pause(self, seconds: float) -> None:
        """Wait, without holding up whoever may go on."""
        self._sleep(seconds)

    def close(self, seconds: float) -> None:
        """Ask nothing for so long: the venue said so."""
        self._closed_until = max(self._closed_until, self._monotonic() + seconds)

    def _wait(self, use: Use, weight: float) -> tuple[float, float]:
        """Seconds until there is room for a request, and until the venue may be asked at all."""
        self._refill()
        lacking = weight + _KEPT_BACK[use] * self._capacity - self._left
        return max(lacking / self._per_second, 0.0), max(self._closed_until - self._at, 0.0)

    def _refill(self) -> None:
        now = self._monotonic()
        self._left = min(self._capacity, self._left + (now - self._at) * self._per_second)
        self._at = now
