"""A desk and its venue, as the tests of single failures drive them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from engines.domain.orders import Order

from .desk import Desk, Kind, MovableClock
from .link import Handle
from .verdict import compared, unjournalled

SETTLING = timedelta(seconds=15)
"""How long an order may take to turn up at the venue."""


@dataclass(frozen=True)
class Site:
    """A desk and its venue."""

    desk: Desk
    venue: Handle
    clock: MovableClock
    home: Path

    def approved(self, what: Kind = "market", /, **fields: Any) -> str:
        return self.desk.approve(self.desk.ask(what, **fields)).id

    def cancellation(self, order: Order) -> str:
        return self.approved(kind="cancel", cancels=(order.id,), quantity=Decimal(0))

    def submit(self, ticket_id: str) -> Order:
        order = self.desk.submit(ticket_id)
        assert order is not None, self.desk.ledger.ticket(ticket_id).reason
        return order

    def accepts(self) -> list[int]:
        return list(self.venue.truth()["accepts"].values())

    def sent(self) -> int:
        return len(self.venue.log(route="create"))

    def wait(self) -> None:
        """Until the venue has done what it was asked, and longer than an order needs to turn up."""
        while any(entry["status"] is None for entry in self.venue.log()):
            time.sleep(0.02)
        self.clock.advance(SETTLING + timedelta(seconds=1))

    def assert_equal(self) -> None:
        assert compared(self.desk, self.venue) == []
        assert unjournalled(self.desk, self.venue) == []
