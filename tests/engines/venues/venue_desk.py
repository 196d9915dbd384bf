"""A desk whose orders go to a venue of the emulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from engines.confirmation.risk import default_limits
from engines.domain.clock import ManualClock
from engines.domain.instruments import Instrument
from engines.domain.orders import OrderIntent, OrderTicket
from engines.execution.context import OrderContext
from engines.execution.prepare import prepare_ticket
from engines.execution.venues import CcxtBroker
from engines.ledger.ledger import Ledger
from engines.market.fixed import FixedMarket
from engines.storage.database import open_database

BTC = "BTC/USDT"
PATIENCE_MS = 1_000
"""How long a desk waits for an answer: longer than a busy machine takes."""
TOO_LATE = 1.6
"""Seconds after which a delayed answer reaches nobody."""


@dataclass(frozen=True)
class VenueDesk:
    """What stands on both sides of an order: the venue's control door, and the desk with its clock and market."""

    venue: Any
    broker: CcxtBroker
    context: OrderContext
    market: FixedMarket
    clock: ManualClock

    @property
    def ledger(self) -> Ledger:
        return self.context.ledger

    def asked(self, side: Any = "buy", quantity: str = "0.1", **fields: Any) -> OrderTicket:
        """A ticket of the desk's one account, which has 100,000 USDT."""
        account = self.ledger.ensure_account("ann", currency="USDT", cash=Decimal(100_000), market="fixed")
        intent = OrderIntent(account.id, "thread-1", BTC, side, Decimal(quantity), **fields)
        return prepare_ticket(intent, self.context, owner="ann")

    def approved(self, ticket: OrderTicket, **how: Any) -> OrderTicket:
        """The same ticket, approved."""
        return self.ledger.decide(ticket.id, "approve", ticket.hash, "ann", **how)

    def accepts(self) -> int:
        """How many orders the venue took."""
        return sum(self.venue.truth()["accepts"].values())


AnyDesk = TypeVar("AnyDesk", bound=VenueDesk)


@contextmanager
def desk_at_venue(
    kind: type[AnyDesk],
    name: str,
    folder: Path,
    open_venue: Callable[..., Any],
    venue_broker: Callable[..., CcxtBroker],
) -> Iterator[AnyDesk]:
    """A desk at BTC/USDT 49,995 to 50,005 whose venue has 100,000 USDT and is waited for a second."""
    clock = ManualClock(datetime(2026, 3, 2, 16, 0, tzinfo=UTC))
    step, fee = Decimal("0.0001"), Decimal("0.001")
    market = FixedMarket((Instrument(BTC, "BTC", "USDT", Decimal("0.1"), step, step, Decimal(5), fee, fee),), clock)
    market.set_quote(BTC, "49995", "50005")
    engine = open_database("desk", home=folder)
    context = OrderContext(Ledger(engine, clock), market, clock, default_limits())
    venue = open_venue(name, USDT="100000")
    broker = venue_broker(name, patience=PATIENCE_MS)
    broker.ready()
    yield kind(venue, broker, context, market, clock)
    engine.dispose()
