"""Our clock against the venue's: requests signed with a wrong time are refused late, or worse, taken late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engines.errors import VenueUnavailable
from engines.execution.venues.ccxt_client import VenueClient
from engines.execution.venues.dialect import Dialect
from engines.execution.venues.failures import NoAnswer

LARGEST_SKEW_MS: Final = 1_000
_GOOD_FOR: Final = 60.0
_SLOWEST_ANSWER_MS: Final = 2_000


class ClockCheck:
    """Remembers for a minute that the clocks agreed."""

    def __init__(self, dialect: Dialect, client: VenueClient, monotonic: Callable[[], float]) -> None:
        self._dialect = dialect
        self._client = client
        self._monotonic = monotonic
        self._agreed_at: float | None = None

    def require(self) -> None:
        """Compare the clocks unless they agreed within the last minute.

        Raises:
            VenueUnavailable: they are more than a second apart, or it cannot be told.
        """
        if self._agreed_at is None or self._monotonic() - self._agreed_at > _GOOD_FOR:
            self.check()

    def forget(self) -> None:
        """Compare again before the next order."""
        self._agreed_at = None

    def check(self) -> None:
        """Compare the clocks now.

        The venue read its clock between our sending and its answer's arrival, so a difference counts only as far
        as it exceeds that span and the step in which the venue tells time.

        Raises:
            VenueUnavailable: they are more than a second apart, or it cannot be told.
        """
        self._agreed_at = None
        before = self._client.now_ms()
        try:
            told, step = self._dialect.venue_time_ms()
        except NoAnswer as failure:
            raise VenueUnavailable(f"{self._client.title} does not tell its time ({failure.told}).") from failure
        after = self._client.now_ms()
        if not 0 <= after - before <= _SLOWEST_ANSWER_MS:
            raise VenueUnavailable(
                f"{self._client.title} took {after - before} ms to tell its time: too long to compare."
            )
        skew = max(told - after, before - (told + step))
        if skew > LARGEST_SKEW_MS:
            raise VenueUnavailable(
                f"This machine's clock and {self._client.title}'s are {skew / 1000:.1f} s apart; 1 s is the most.",
                remedy="Set the machine's clock (NTP), then try again.",
            )
        self._agreed_at = self._monotonic()
