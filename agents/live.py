"""The live side of a desk: what opens it, the comparisons with its venue, and the lease it holds."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Lock
from typing import TYPE_CHECKING, Final

from engines.domain.orders import Account
from engines.errors import VenueUnavailable
from engines.execution.context import OrderContext
from engines.execution.live import LiveParts, LivePermit, permit_live
from engines.execution.live_gate import LiveGate
from engines.execution.reconcile import FEW, reconcile, sync_resting
from engines.execution.wake import Pace, Waker, bring_heard, is_news
from engines.ledger.lease import Lease, acquire_lease

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from agents.settings import Settings
    from engines.domain.clock import Clock
    from engines.execution.broker import Broker
    from engines.execution.heard import Heard
    from engines.execution.venues.private_stream import PrivateStream
    from engines.ledger.ledger import Ledger
    from engines.ledger.reconciliation import Reconciliation, Trigger

logger = logging.getLogger(__name__)

# Balances and everything else are compared this often; open orders in every round.
_COMPARE_SECONDS: Final = 60.0
# The list of all open orders is heavy at some venues, so many orders are looked at less often than few.
_LIST_SECONDS: Final = 12.0
# A round asks at least once; it may take a third of what the venue lets be asked for.
_SHARE: Final = 3.0
# A stream without an event for so long may have missed some: fills are then compared, too.
SILENT_SECONDS: Final = 60.0
# A look-up takes a few requests, and the rounds have to be left their share.
_PER_LOOK: Final = 8.0
# An event may be this much later than the look that found what it speaks of.
_LATE_SECONDS: Final = 5.0
# After rounds that failed, each next one waits twice as long: a venue that lets little be asked for has to recover.
_MOST_PATIENCE: Final = 60.0


def parts_of(settings: Settings) -> LiveParts:
    """What the operator set of all that live trading needs."""
    given = (settings.venue_api_key, settings.venue_api_secret, settings.venue_api_passphrase)
    key, secret, passphrase = (each.get_secret_value() if each else "" for each in given)
    return LiveParts(
        mode=settings.mode,
        switch=settings.live_trading,
        venue=settings.market,
        key=key,
        secret=secret,
        limits_file=settings.limits_file,
        passphrase=passphrase,
    )


def permit_of(settings: Settings, *, trades: bool = True) -> LivePermit | None:
    """The permit to trade live; None on paper.

    Args:
        trades: False for a process that only looks and cancels: its limits file is not read.

    Raises:
        ConfigurationError: the mode is live and something else is missing; everything missing is named.
    """
    return permit_live(parts_of(settings), trades=trades) if settings.mode == "live" else None


def open_live_account(settings: Settings, ledger: Ledger, permit: LivePermit, currency: str) -> Account:
    """The one account of the ledger that stands for the venue's."""
    return ledger.ensure_account(
        settings.live_owner, mode="live", market=permit.venue, currency=currency, cash=Decimal(0)
    )


@contextmanager
def held_lease(engine: Engine, clock: Clock, venue: str, *, wanted: bool) -> Iterator[Lease | None]:
    """The venue account's lease while the block runs; None where it is not wanted.

    Raises:
        ConfigurationError: another process holds it.
    """
    if not wanted:
        yield None
        return
    lease = acquire_lease(engine, clock, venue)
    try:
        yield lease
    finally:
        lease.release()


@dataclass(slots=True)
class LiveDesk:
    """Keeps a live desk's ledger equal to its venue.

    Attributes:
        gate: what every order has to pass.
        stream: the venue's events of the account's orders; None where there is none, and orders are only polled.
        monotonic: seconds that only grow, for when the next round is due.
        pace: how often the venue is asked because of its stream; None for a share of what it allows.
        sleep: how to wait between readings of a balance that does not match.
    """

    orders: OrderContext
    broker: Broker
    gate: LiveGate
    stream: PrivateStream | None = None
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    pace: Pace | None = None
    _lock: Lock = field(default_factory=Lock)
    _round_at: float = float("-inf")
    _compared_at: float = float("-inf")
    _failures: int = 0
    _differs: bool = False
    _changed_at: float = float("-inf")

    @contextmanager
    def listening(self, then: Callable[[], None]) -> Iterator[None]:
        """Look up at once what the venue's stream speaks of, while the block runs; the rounds go on as without it.

        Args:
            then: done after each look-up and comparison, in the thread of the look-ups.
        """
        if self.stream is None:
            yield
            return

        def look(heard: Heard) -> bool:
            try:
                return bring_heard(heard, self.orders, self.broker, self.gate.account, few=self._few())
            finally:
                then()

        def joined(number: int) -> None:
            try:
                self._joined(number)
            finally:
                then()

        waker = Waker(
            f"look-ups at {self.gate.venue}",
            look,
            self.pace or self._pace(),
            is_news=lambda heard: is_news(heard, self.orders, self.gate.account),
        )
        try:
            self.stream.start(waker.heard, lambda number: waker.do(lambda: joined(number)))
            yield
        finally:
            self.stream.close()
            waker.close()

    def _joined(self, number: int) -> None:
        """The stream stands: what happened before it did is asked for."""
        try:
            if number == 1:
                self._bring_orders()
            else:
                self.compare("reconnect")
        except VenueUnavailable as error:
            logger.warning("%s cannot be compared with after the stream came back: %s", self.gate.venue, error)

    def start(self) -> None:
        """Bring the ledger to where the venue is, before anything else; the gate stays closed while it is away."""
        try:
            self.compare("start")
        except VenueUnavailable as error:
            logger.warning("%s cannot be compared with yet, so no order passes: %s", self.gate.venue, error)

    def compare(self, trigger: Trigger) -> Reconciliation:
        """Reconcile now; orders pass again when ledger and venue are equal, else the account is halted.

        Raises:
            VenueUnavailable: the venue did not answer; the gate is closed until it does.
        """
        with self._lock:
            self._round_at = self.monotonic()
            try:
                self.broker.ready()
                found = reconcile(
                    self.orders, self.broker, self.gate.account, trigger=trigger, few=self._few(), sleep=self.sleep
                )
            except Exception as error:
                self._failed(error)
                raise
            self._compared_at, self._failures = self.monotonic(), 0
            self._differs = not found.matches
            if found.matches:
                self.gate.reconciled(found.time)
            else:
                # The halt can be lifted by a person; only the next comparison can say that both agree.
                self.gate.differs(found.time, found.told())
        if not found.matches:
            logger.error("HALTED: ledger and %s differ: %s", found.venue, found.told())
        return found

    def tend(self, *, seconds: float) -> None:
        """One round of the watcher: a comparison when one is due or doubt is in the way, else the open orders alone.

        Args:
            seconds: between rounds at least; a venue that may be asked rarely is given more time.

        Raises:
            VenueUnavailable: the venue did not answer; the gate is closed until it was compared again.
        """
        now, waited = self.monotonic(), self.monotonic() - self._round_at
        pace = max(seconds, _SHARE / self._per_second())
        if waited < min(pace * 2 ** min(self._failures, 10), max(pace, _MOST_PATIENCE)):
            return
        if self.gate.doubt and not self._waits_for_a_person():
            self.compare("start" if self.gate.reconciled_at is None else "reconnect")
        elif now - self._compared_at >= _COMPARE_SECONDS:
            self._compare_in_time(now)
        elif waited >= _LIST_SECONDS or self._open_orders() <= self._few():
            self._bring_orders()

    def _compare_in_time(self, now: float) -> None:
        """The comparison that is due: of the fills, too, while the stream says nothing that they could be known by."""
        silent = self.stream.standing.silent_seconds if self.stream is not None else None
        if self.stream is None or silent is None or silent < SILENT_SECONDS:
            self.compare("routine")
            return
        found = self.compare("reconnect")
        unheard = bool(found.orders) or silent > now - self._changed_at >= _LATE_SECONDS
        if unheard:
            logger.warning("the private stream of %s missed an event: it is opened again", self.gate.venue)
            self.stream.reconnect()

    def _bring_orders(self) -> None:
        with self._lock:
            self._round_at = self.monotonic()
            try:
                if sync_resting(self.orders.ledger, self.broker, self.gate.account, few=self._few()):
                    self._changed_at = self.monotonic()
            except Exception as error:
                self._failed(error)
                raise

    def _waits_for_a_person(self) -> bool:
        """A difference that halted the account: once it is resumed, the next round compares again."""
        return self._differs and self.orders.ledger.standing_state(self.gate.account).state == "halted"

    def _open_orders(self) -> int:
        return len(self.orders.ledger.orders(self.gate.account, status="open", limit=FEW + 1))

    def _few(self) -> int:
        """How many orders are asked for one by one; none where the venue lets little be asked for."""
        return min(FEW, int(self._per_second()))

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        self._differs = False
        self.gate.interrupted(str(error))

    def _pace(self) -> Pace:
        capacity, per_second = self._allowed()
        return Pace(at_once=max(2.0, capacity / _PER_LOOK), per_second=per_second / _PER_LOOK)

    def _per_second(self) -> float:
        return self._allowed()[1]

    def _allowed(self) -> tuple[float, float]:
        """Request weight that may be spent at the venue at once, and each second."""
        from engines.execution.venues import VENUES

        _, capacity, per_second = next(each for name, each in VENUES.items() if name == self.gate.venue)
        return capacity, per_second
