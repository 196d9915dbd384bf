"""A desk that submits one ticket and is killed by itself at a given point; run as a program by the tests.

Usage: dying_desk.py HOME DATABASE_URL MOMENT   (moment: decided, journalled, placed, never)
"""

from __future__ import annotations

import os
import signal
import sys
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from engines.confirmation.risk import default_limits
from engines.domain.clock import SystemClock
from engines.domain.orders import OrderIntent
from engines.execution.broker import ApprovedTicket, VenueOrder
from engines.execution.context import OrderContext
from engines.execution.paper import PaperBroker
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit
from engines.ledger.ledger import Ledger
from engines.market.demo import DemoMarket
from engines.storage.database import open_database


class DyingBroker(PaperBroker):
    """Dies right before or right after the venue takes the order."""

    moment = "never"

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        """Place, unless it is time to die."""
        if self.moment == "journalled":
            _die()
        seen = super().place(approved)
        if self.moment == "placed":
            _die()
        return seen


def _die() -> None:
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


def main(home: str, url: str, moment: str) -> None:
    """Ask, approve, submit; print the ticket's id first."""
    engine, clock = open_database("desk", home=Path(home), url=url), SystemClock()
    market, ledger = DemoMarket(clock), Ledger(engine, clock)
    account = ledger.ensure_account("ann", currency="USDT", cash=Decimal(100_000), market="demo")
    context = OrderContext(ledger, market, clock, default_limits())
    intent = OrderIntent(account.id, "thread-1", "ETH/USDT", "buy", Decimal(1), stop_loss=Decimal(1))
    ticket = prepare_ticket(intent, context, owner="ann")
    print(ticket.id, flush=True)
    ledger.decide(ticket.id, "approve", ticket.hash, "ann")
    if moment == "decided":
        _die()
    broker = DyingBroker(engine, market, clock)
    broker.moment = moment
    submit(ticket.id, context, broker)
    engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
