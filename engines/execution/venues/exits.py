"""Exits that a venue holds for an entry: seen to once, and never sent while they may be there already."""

from __future__ import annotations

import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from engines.domain.orders import Order
from engines.errors import OrderRejected, VenueUnavailable
from engines.execution.broker import VenueOrder
from engines.execution.venues.ccxt_client import VenueClient
from engines.execution.venues.dialect import Dialect, Exits
from engines.execution.venues.failures import CallFailed

_LOGGER: Final = logging.getLogger(__name__)


class ExitKeeper:
    """Keeps `Broker.protect` at one venue. Not thread-safe: its broker's lock guards it.

    Args:
        find: the broker's look-up by client order id and symbol.
        monotonic: seconds that only grow, for how long ago exits were sent.
    """

    def __init__(
        self,
        dialect: Dialect,
        client: VenueClient,
        find: Callable[[str, str], VenueOrder | None],
        monotonic: Callable[[], float],
    ) -> None:
        self._dialect = dialect
        self._client = client
        self._find = find
        self._monotonic = monotonic
        self._sent_at: dict[str, float] = {}
        self._refused: set[str] = set()

    def protect(self, entry: Order) -> tuple[VenueOrder, ...]:
        """See to it that the venue holds the exits of an entry that has filled; those it knows, in any state.

        Sent once: what the venue refused, or does not show although all of its time has passed, is not sent again,
        and the answer is empty.

        Raises:
            VenueUnavailable: it is not known whether they are there.
        """
        exits = Exits.of(entry)
        if not exits.ids:
            return ()
        known = self._known(exits, entry.symbol)
        if known:
            return known
        settling = self._dialect.settling.total_seconds()
        carried = self._dialect.carries_exits(entry)
        if carried and self._client.now_ms() / 1000 - _filled_at(entry) < settling:
            raise self._not_shown(entry.id)
        if entry.id in self._refused or not self._dialect.follows_with_exits(entry):
            return ()
        sent_at = self._sent_at.get(entry.id)
        if sent_at is None:
            return self._send(entry, exits)
        if self._monotonic() - sent_at < settling:
            raise self._not_shown(entry.id)
        return ()

    def _send(self, entry: Order, exits: Exits) -> tuple[VenueOrder, ...]:
        market = self._client.market(entry.symbol)
        base_fees = sum((fill.fee for fill in entry.fills if fill.fee_currency == market.base), Decimal(0))
        held = (entry.filled - base_fees) // market.lot_size * market.lot_size
        self._client.check_no_retries()
        try:
            request = self._dialect.protection(exits, market, held)
        except OrderRejected as error:
            _LOGGER.warning("the exits of %s are not placed: %s", entry.id, error)
            return ()
        try:
            self._client.call(request.method, request.params, "order", request.weight)
        except CallFailed as failure:
            self._after_failure(entry, failure)
        else:
            self._sent_at[entry.id] = self._monotonic()
        known = self._known(exits, entry.symbol)
        if not known and entry.id not in self._refused:
            raise self._not_shown(entry.id)
        return known

    def _after_failure(self, entry: Order, failure: CallFailed) -> None:
        verdict = self._dialect.failures.reading(failure)
        limited = failure.status in {418, 429} or failure.kind in {"DDoSProtection", "RateLimitExceeded"}
        if verdict == "refused" and limited:
            raise self._unclear(entry.id, failure) from failure
        self._sent_at[entry.id] = self._monotonic()
        if verdict == "refused":
            _LOGGER.warning("%s refused the exits of %s: %s", self._client.title, entry.id, failure.told)
            self._refused.add(entry.id)
        elif verdict != "duplicate":
            raise self._unclear(entry.id, failure) from failure

    def _known(self, exits: Exits, symbol: str) -> tuple[VenueOrder, ...]:
        found = (self._find(order_id, symbol) for order_id in exits.ids)
        return tuple(order for order in found if order is not None)

    def _not_shown(self, entry_id: str) -> VenueUnavailable:
        return VenueUnavailable(
            f"{self._client.title} does not show the exits of {entry_id} yet.", remedy="Look them up again."
        )

    def _unclear(self, entry_id: str, failure: CallFailed) -> VenueUnavailable:
        return VenueUnavailable(
            f"Placing the exits of {entry_id} at {self._client.title} failed ({failure.told}).",
            remedy="Look them up again.",
        )


def _filled_at(entry: Order) -> float:
    """When an entry was filled last, seconds since 1970 UTC."""
    return max((fill.time.timestamp() for fill in entry.fills), default=0.0)
