"""Looking up an order in the moment a venue's stream speaks of it, instead of in the next round."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from engines.domain.orders import OPEN_ORDER_STATUSES, Order, OrderStatus
from engines.errors import VenueUnavailable
from engines.execution.broker import Broker
from engines.execution.context import OrderContext
from engines.execution.heard import Heard
from engines.execution.reconcile import FEW, sync_resting
from engines.execution.recover import look_up

_LOGGER: Final = logging.getLogger(__name__)

_IN_FLIGHT: Final[frozenset[OrderStatus]] = frozenset({"submitting", "unknown"})
# A venue's look-up may lag behind its stream; after the last of these the next round of the watcher brings it.
_AGAIN_SECONDS: Final = (0.2, 0.5, 1.0, 2.0)


def bring_heard(heard: Heard, context: OrderContext, broker: Broker, account: str, *, few: int = FEW) -> bool:
    """Look up the order that a stream speaks of and record where the venue's own answer puts it.

    What the stream says decides only what is asked for. An order that the ledger already has at least so far is
    not asked for; one that nobody here knows by its ids makes all resting ones be looked at.

    Args:
        account: the ledger's account that stands for the venue's.
        few: as `sync_resting`.

    Returns:
        True when the ledger has now what the stream spoke of; False when the venue does not show it yet.

    Raises:
        VenueUnavailable: the venue did not answer.
    """
    ledger = context.ledger
    order = _order_of(heard, context, account)
    if order is None:
        sync_resting(ledger, broker, account, few=few)
        return True
    if _is_known(order, heard):
        return True
    # Whoever is sending it, or one of its exits, right now holds the claim: wait, then look.
    with ledger.claim(order.ticket_id):
        order = ledger.order(order.id)
        if not _is_known(order, heard):
            _look(order, context, broker)
    if _is_exit_of(order, heard):
        # The entry brings its exits; one that is still missing is waited for.
        if not ledger.known_orders({heard.client_order_id}):
            return False
        order = ledger.order(heard.client_order_id)
    return _is_there(ledger.order(order.id), heard)


def is_news(heard: Heard, context: OrderContext, account: str) -> bool:
    """False when the ledger has all of it already: what was just sent is told by the stream as well."""
    order = _order_of(heard, context, account)
    if order is not None and order.status in _IN_FLIGHT:
        # The answer to whoever is sending it right now may tell all of it: the claim is theirs until then.
        with context.ledger.claim(order.ticket_id):
            order = context.ledger.order(order.id)
    return order is None or not _is_known(order, heard)


def _is_known(order: Order, heard: Heard) -> bool:
    return not _is_exit_of(order, heard) and _is_there(order, heard)


def _is_exit_of(order: Order, heard: Heard) -> bool:
    return heard.client_order_id.startswith(f"{order.id}-")


def _look(order: Order, context: OrderContext, broker: Broker) -> None:
    if order.status in OPEN_ORDER_STATUSES or order.status == "filled":
        look_up(order, ledger=context.ledger, broker=broker, clock=context.clock)
        return
    # It has ended here, and the stream speaks of more: a fill that the venue lists late.
    seen = broker.find(order.id, order.symbol, since=order.created_at)
    if seen is not None:
        context.ledger.record_venue_order(order.id, seen, broker.name)


def _order_of(heard: Heard, context: OrderContext, account: str) -> Order | None:
    """The order that is meant; the entry of an exit that the ledger does not have yet."""
    ledger, own = context.ledger, heard.client_order_id
    names = {own, own.rpartition("-")[0]} - {""}
    known = ledger.known_orders(names)
    for name in sorted(names & known, key=len, reverse=True):
        return ledger.order(name)
    if heard.venue_order_id:
        resting = ledger.orders(account, status="open", limit=10_000)
        return next((order for order in resting if order.venue_order_id == heard.venue_order_id), None)
    return None


def _is_there(order: Order, heard: Heard) -> bool:
    """True when the ledger has at least what was said; never while nothing was said that could be compared."""
    if order.status in _IN_FLIGHT or heard.filled is None:
        return False
    return order.filled >= heard.filled and (not heard.ended or order.status not in OPEN_ORDER_STATUSES)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a venue may be asked because of its stream.

    Attributes:
        at_once: look-ups in a row.
        per_second: look-ups that come back each second.
    """

    at_once: float
    per_second: float


@dataclass(slots=True)
class _Waiting:
    heard: Heard
    due: float
    tries: int = 0


class Waker:
    """Hands what was heard to whoever looks it up, in a thread of its own; nothing that was heard is forgotten.

    News of an order that still waits takes the place of the older: one look-up tells all of it.

    Args:
        name: what the thread is called.
        look: looks one up; False to be asked again a little later, a few times.
        is_news: False for what need not be looked up, which costs nothing.
        monotonic: seconds that only grow.
    """

    def __init__(
        self,
        name: str,
        look: Callable[[Heard], bool],
        pace: Pace,
        *,
        is_news: Callable[[Heard], bool] = lambda _: True,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._is_news = is_news
        self._pace = pace
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._waiting: dict[str, _Waiting] = {}
        self._jobs: list[Callable[[], None]] = []
        self._closed = False
        self._tokens, self._counted_at = pace.at_once, monotonic()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def heard(self, heard: Heard) -> None:
        """Have it looked up as soon as may be; from any thread, at once."""
        with self._changed:
            self._waiting[heard.key] = _Waiting(heard, self._monotonic())
            self._changed.notify()

    def do(self, job: Callable[[], None]) -> None:
        """Have something done before all look-ups; from any thread, at once."""
        with self._changed:
            self._jobs.append(job)
            self._changed.notify()

    def close(self) -> None:
        """End the thread after what it is at; what still waits is left to the rounds of the watcher."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                todo = self._next()
                while todo is None and not self._closed:
                    self._changed.wait(self._seconds())
                    todo = self._next()
                if self._closed:
                    return
            if isinstance(todo, _Waiting):
                self._attend(todo)
            elif todo is not None:
                self._done(todo)

    def _done(self, job: Callable[[], object]) -> object:
        """What a job comes to; None when it could not be done."""
        try:
            return job()
        except VenueUnavailable as error:
            _LOGGER.info("a look-up after an event of the stream failed: %s", error)
        except Exception:
            # Process edge: a defect, or the database. It is tried again, and the rounds of the watcher go on.
            _LOGGER.exception("what a venue's stream spoke of could not be looked up")
        return None

    def _attend(self, waiting: _Waiting) -> None:
        if self._done(lambda: self._is_news(waiting.heard)) is False:
            return
        self._tokens -= 1
        is_done = self._done(lambda: self._look(waiting.heard))
        if is_done or waiting.tries >= len(_AGAIN_SECONDS):
            return
        again = _Waiting(waiting.heard, self._monotonic() + _AGAIN_SECONDS[waiting.tries], waiting.tries + 1)
        with self._changed:
            # Newer news of it, which came meanwhile, go first.
            self._waiting.setdefault(again.heard.key, again)

    def _next(self) -> _Waiting | Callable[[], None] | None:
        """What is to be done now, taken off the list; None when it has to wait."""
        if self._jobs:
            return self._jobs.pop(0)
        if not self._waiting:
            return None
        now = self._monotonic()
        self._tokens = min(self._pace.at_once, self._tokens + (now - self._counted_at) * self._pace.per_second)
        self._counted_at = now
        key, first = min(self._waiting.items(), key=lambda item: item[1].due)
        if first.due > now or self._tokens < 1:
            return None
        return self._waiting.pop(key)

    def _seconds(self) -> float | None:
        """How long nothing can be done; None until something is heard."""
        if not self._waiting:
            return None
        until_due = min(each.due for each in self._waiting.values()) - self._monotonic()
        until_paid = (1 - self._tokens) / self._pace.per_second
        return max(until_due, until_paid, 0.001)
