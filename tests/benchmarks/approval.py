"""From a person's decision to the first byte at a venue, and the comparison of many open orders, over loopback."""

from __future__ import annotations

import importlib
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

ROUNDS = 300
OPEN_ORDERS = 200
TARGETS_MS = (20, 60)
TARGET_SECONDS = 2.0


def main() -> None:
    """Print both for every venue that the emulator speaks; the journal is on this disk, with full sync."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "faults"))
    desks, link = importlib.import_module("siege.desk"), importlib.import_module("siege.link")
    with link.emulator() as running, tempfile.TemporaryDirectory() as folder:
        for venue in link.VENUES:
            exchange = desks.exchange_of(running, venue)
            home = desks.prepare_home(Path(folder), venue)
            with link.control(running, venue) as door, desks.open_desk(home, venue, exchange) as desk:
                door.reset(money={"USDT": "100000"})
                desks.open_account(desk)
                desk.broker.ready()
                _tell_approvals(venue, desk, door)
                _tell_reconciliation(venue, desk)
                _tell_reconciliation_of_fills(venue, desk, door)
            exchange.session.close()


def _tell_approvals(venue: str, desk: Any, door: Any) -> None:
    taken = sorted(_approved(desk, door, number) for number in range(ROUNDS))
    half, most = taken[len(taken) // 2], taken[int(len(taken) * 0.99)]
    print(
        f"{venue}: approval to first byte at the venue: p50 {half:.1f} ms, p99 {most:.1f} ms "
        f"(targets {TARGETS_MS[0]} and {TARGETS_MS[1]} ms), n = {len(taken)}"
    )


def _approved(desk: Any, door: Any, number: int) -> float:
    """Milliseconds from the decision to the order's arrival, by the clock that both processes share."""
    # A fee in base units makes what was bought a little less.
    selling = number % 2 == 1
    quantity = Decimal("0.009" if selling else "0.01")
    ticket = desk.ask("market", quantity=quantity, side="sell" if selling else "buy")
    before = len(door.log())
    started = time.monotonic_ns()
    desk.approve(ticket)
    desk.submit(ticket.id)
    [arrived] = [entry["received_ns"] for entry in door.log(since=before) if entry["route"] == "create"]
    return float(arrived - started) / 1e6


def _tell_reconciliation(venue: str, desk: Any) -> None:
    from engines.execution.reconcile import reconcile

    for number in range(OPEN_ORDERS):
        limit = Decimal(40_000 + number)
        desk.submit(desk.approve(desk.ask("limit", quantity=Decimal("0.001"), limit_price=limit)).id)
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        found = reconcile(desk.context, desk.broker, "paper-fixed-usdt:ann")
        seconds.append(time.perf_counter() - started)
    print(
        f"{venue}: {OPEN_ORDERS} open orders compared with the venue: best {min(seconds):.2f} s, worst "
        f"{max(seconds):.2f} s of {len(seconds)} (target {TARGET_SECONDS:.0f} s), equal: {found.matches}"
    )


def _tell_reconciliation_of_fills(venue: str, desk: Any, door: Any) -> None:
    """The same once all of them have filled while nobody looked, which happens only once."""
    from engines.execution.reconcile import reconcile

    door.price(symbol="BTC/USDT", price="39000")
    started = time.perf_counter()
    found = reconcile(desk.context, desk.broker, "paper-fixed-usdt:ann")
    print(
        f"{venue}: {len(found.fills)} fills of {OPEN_ORDERS} orders brought and compared in "
        f"{time.perf_counter() - started:.2f} s (target {TARGET_SECONDS:.0f} s), equal: {found.matches}"
    )


if __name__ == "__main__":
    main()
