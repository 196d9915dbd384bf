"""Whether a live order may go out now: armed for a while by a person, alone on the account, equal to the venue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from engines.domain.clock import Clock
from engines.domain.orders import OrderIntent, OrderTicket
from engines.errors import InvalidRequest
from engines.ledger.lease import Lease
from engines.ledger.ledger import Ledger

LONGEST_MINUTES: Final = 720
HOW_TO_ARM: Final = "Arm it for a while: `quantum-trader arm --minutes 60`, or POST /v1/arm."


@dataclass(frozen=True, slots=True)
class Arming:
    """Who armed the desk, and until when."""

    by: str
    until: datetime


class LiveGate:
    """Stands before every order of a live desk. A new one is closed: not armed and not reconciled.

    Arming is kept in this process alone, so a restart ends it. Cancels pass at all times.

    Args:
        account: the one account of the ledger that stands for the venue's.
        lease: None for a process that only looks and cancels beside the desk that trades.
    """

    def __init__(self, *, venue: str, account: str, ledger: Ledger, clock: Clock, lease: Lease | None) -> None:
        self.venue: Final = venue
        self.account: Final = account
        self.lease: Final = lease
        self._ledger = ledger
        self._clock = clock
        self._lock = Lock()
        self._arming: Arming | None = None
        self._doubt = f"it has not been compared with {venue} since the start"
        self._reconciled_at: datetime | None = None

    @property
    def arming(self) -> Arming | None:
        """The arming in force; None when nobody armed it or its time is over."""
        with self._lock:
            arming = self._arming
        return arming if arming is not None and self._clock.now() < arming.until else None

    @property
    def reconciled_at(self) -> datetime | None:
        """When ledger and venue were compared last; None before the first time."""
        return self._reconciled_at

    @property
    def doubt(self) -> str:
        """Why the ledger may not be what the venue has; empty while it was compared and the venue answers."""
        return self._doubt

    def arm(self, minutes: int, *, by: str) -> Arming:
        """Let live orders through from now on for so many minutes; it replaces an earlier arming.

        Raises:
            InvalidRequest: not from 1 to 720 minutes.
        """
        if not 1 <= minutes <= LONGEST_MINUTES:
            raise InvalidRequest(
                f"A desk is armed for 1 to {LONGEST_MINUTES} minutes, not for {minutes}.", remedy="Arm it again later."
            )
        arming = Arming(by, self._clock.now() + timedelta(minutes=minutes))
        # On record before it counts: should the journal fail, the desk stays as it was.
        self._ledger.note("desk_armed", account=self.account, by=by, until=arming.until.isoformat())
        with self._lock:
            self._arming = arming
        return arming

    def disarm(self, *, by: str) -> None:
        """Let no live order through any more; cancels still pass. Doing it again changes nothing."""
        with self._lock:
            was_armed, self._arming = self._arming is not None, None
        if was_armed:
            self._ledger.note("desk_disarmed", account=self.account, by=by)

    def reconciled(self, at: datetime) -> None:
        """Ledger and venue were compared and are equal: orders may pass again."""
        self._reconciled_at, self._doubt = at, ""

    def differs(self, at: datetime, told: str) -> None:
        """Ledger and venue were compared and are not equal: nothing passes before a comparison finds them equal."""
        self._reconciled_at, self._doubt = at, f"they differ ({told.rstrip('.')})"

    def interrupted(self, why: str) -> None:
        """The venue could not be read, so what the ledger has may be behind until the next comparison."""
        if not self._doubt:
            self._doubt = f"the last look at {self.venue} failed ({why.rstrip('.')})"

    def refusal(self, asked: OrderIntent | OrderTicket) -> str:
        """Why this order may not go to the venue now, with what to do about it; empty when it may."""
        if asked.kind == "cancel":
            return ""
        if asked.account != self.account:
            return f"The keys of this desk are those of {self.account}, and this order is for {asked.account}."
        return self.in_the_way()

    def in_the_way(self) -> str:
        """Why no order passes now, with what to do about it; empty when orders pass."""
        if self.lease is None or not self.lease.is_held():
            return f"This desk does not hold the lease of {self.venue}: another one may trade the account. Restart it."
        if self._doubt:
            return f"No new live order before ledger and venue agree: {self._doubt}."
        return "" if self.arming is not None else self._not_armed()

    def _not_armed(self) -> str:
        with self._lock:
            expired = self._arming
        if expired is None:
            return f"This desk trades live on {self.venue} and is not armed. {HOW_TO_ARM}"
        return f"This desk was armed until {expired.until:%H:%M:%S} UTC, which is over. {HOW_TO_ARM}"
