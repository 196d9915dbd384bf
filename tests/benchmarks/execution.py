"""From a person's decision to the fill in the ledger: paper venue, SQLite with full sync on this disk; then venues."""

from __future__ import annotations

import importlib
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from engines.confirmation.risk import RiskLimits, default_limits
from engines.domain.clock import SystemClock
from engines.domain.orders import OrderIntent
from engines.execution.context import OrderContext
from engines.execution.paper import PaperBroker
from engines.execution.paper_model import PaperModel
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit
from engines.ledger.ledger import Ledger
from engines.market.demo import DemoMarket
from engines.storage.database import open_database

ROUNDS = 200
TARGET_MS = 30


def main() -> None:
    """Print the median and the slowest of many orders, and the cost of opening the database."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        open_database("desk", home=home).dispose()
        started = time.perf_counter()
        engine = open_database("desk", home=home)
        print(f"open a migrated database: {(time.perf_counter() - started) * 1000:.1f} ms")
        clock = SystemClock()
        market, ledger = DemoMarket(clock), Ledger(engine, clock)
        account = ledger.ensure_account("bench", currency="USDT", cash=Decimal(10_000_000), market="demo")
        context = OrderContext(ledger, market, clock, _unhurried(default_limits()))
        # What the desk needs by itself: the way to the venue is what the model says it is.
        broker = PaperBroker(engine, market, clock, rules=PaperModel(latency=timedelta(0)))
        sealing, filling = [], []
        for number in range(ROUNDS):
            quantity = Decimal("0.4" if number % 2 else "0.5")
            intent = OrderIntent(account.id, "bench", "ETH/USDT", "sell" if number % 2 else "buy", quantity)
            started = time.perf_counter()
            ticket = prepare_ticket(intent, context, owner="bench")
            sealed = time.perf_counter()
            ledger.decide(ticket.id, "approve", ticket.hash, "bench")
            order = submit(ticket.id, context, broker)
            filled = time.perf_counter()
            if order is None or order.status != "filled":
                raise SystemExit(f"order {number} was not filled: {ledger.ticket(ticket.id).reason}")
            sealing.append((sealed - started) * 1000)
            filling.append((filled - sealed) * 1000)
        engine.dispose()
    _report("intent to sealed ticket", sealing)
    _report(f"decision to fill (target {TARGET_MS} ms)", filling)
    importlib.import_module("approval").main()


def _unhurried(limits: RiskLimits) -> RiskLimits:
    """The same limits without those on pace, repetition and losses: the same order is sent again and again."""
    often = 10**6
    limits = replace(limits, max_symbol_exposure=None, max_day_notional=None, max_losing_streak=often)
    return replace(limits, duplicate_seconds=0, max_orders_per_second=often, max_orders_per_minute=often)


def _report(what: str, milliseconds: list[float]) -> None:
    ordered = sorted(milliseconds)
    slow = ordered[int(len(ordered) * 0.95)]
    print(f"{what}: median {statistics.median(ordered):.1f} ms, 95th percentile {slow:.1f} ms, n = {len(ordered)}")


if __name__ == "__main__":
    main()
