"""A desk that guards exits, and the exits that most of its entries have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engines.domain.orders import Order
from engines.execution.guard import guard_exits
from engines.execution.submit import submit
from engines.execution.venues import CcxtBroker

from .venue_desk import BTC, VenueDesk, desk_at_venue

__all__ = ["BTC", "EXITS", "Guarded", "desk"]
EXITS: dict[str, Any] = {"stop_loss": Decimal(48_000), "take_profit": Decimal(52_000)}


class Guarded(VenueDesk):
    """A desk at a venue that does not hold both exits of a market entry."""

    def order(self, side: Any = "buy", quantity: str = "0.1", **fields: Any) -> Order:
        ticket = self.approved(self.asked(side, quantity, **fields), resolve_differences=True)
        order = submit(ticket.id, self.context, self.broker)
        assert order is not None
        return order

    def price(self, price: int) -> None:
        """Move the market and the venue's book."""
        self.market.set_quote(BTC, str(price - 5), str(price + 5))
        self.venue.price(symbol=BTC, price=str(price))

    def guard(self) -> dict[str, str]:
        """One round of the watcher; what changed, by the end of the id."""
        changed = guard_exits(self.context, self.broker, self.clock.now())
        return {order.id[-3:]: order.status for order in changed}

    def statuses(self, entry: Order) -> dict[str, str]:
        return {order.id[-3:]: order.status for order in self.ledger.exits_of(entry.id)}

    def sold(self) -> Decimal:
        return sum(
            (Decimal(fill["quantity"]) for fill in self.venue.truth()["fills"] if fill["side"] == "sell"), Decimal(0)
        )


@pytest.fixture(params=["kraken", "bybit"])
def desk(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    open_venue: Callable[..., Any],
    venue_broker: Callable[..., CcxtBroker],
) -> Iterator[Guarded]:
    with desk_at_venue(Guarded, request.param, tmp_path, open_venue, venue_broker) as standing:
        yield standing
