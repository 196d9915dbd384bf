"""kill -9 at every step between the approval and the fill: afterwards the ledger is what the venue is."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from engines.confirmation.risk import default_limits
from engines.domain.clock import SystemClock
from engines.domain.orders import Order
from engines.execution.broker import ApprovedTicket, VenueOrder
from engines.execution.context import OrderContext
from engines.execution.paper import PaperBroker
from engines.execution.submit import submit, unfinished
from engines.ledger.ledger import Ledger
from engines.market.demo import DemoMarket
from engines.storage import ledger as tables
from engines.storage.database import open_database

PROGRAM = Path(__file__).parent / "dying_desk.py"
ACCOUNT = "paper-demo-usdt:ann"


class CountingBroker(PaperBroker):
    """Counts what reaches the venue."""

    places = 0

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        self.places += 1
        return super().place(approved)


class Restarted:
    """The desk after the crash, on the same database."""

    def __init__(self, engine: Engine) -> None:
        clock = SystemClock()
        market = DemoMarket(clock)
        self.engine = engine
        self.ledger = Ledger(engine, clock)
        self.broker = CountingBroker(engine, market, clock)
        self.context = OrderContext(self.ledger, market, clock, default_limits())

    def submit(self, ticket_id: str) -> Order | None:
        return submit(ticket_id, self.context, self.broker)

    def entries_at_venue(self) -> int:
        orders = tables.paper_orders
        with self.engine.connect() as connection:
            return connection.execute(select(func.count()).where(orders.c.parent_id.is_(None))).scalar_one()


def killed_at(moment: str, home: Path, url: str) -> str:
    """Run a desk that dies at `moment`; the id of its approved ticket."""
    run = subprocess.run(
        [sys.executable, str(PROGRAM), str(home), url, moment], capture_output=True, text=True, timeout=120, check=False
    )
    expected = 0 if moment == "never" else -signal.SIGKILL
    assert run.returncode == expected, run.stderr
    return run.stdout.strip()


@pytest.fixture
def engine(tmp_path: Path, database_url: str) -> Iterator[Engine]:
    engine = open_database("desk", home=tmp_path, url=database_url)
    yield engine
    engine.dispose()


def assert_ledger_is_venue(desk: Restarted, order: Order) -> None:
    seen = desk.broker.find(order.id, order.symbol)
    assert seen is not None
    assert (order.status, order.fills) == (seen.status, seen.fills)
    account = desk.ledger.account(ACCOUNT)
    paid = sum(fill.price * fill.quantity + fill.fee for fill in order.fills)
    assert account.balances == {"ETH": order.filled, "USDT": 100_000 - paid}
    assert desk.ledger.verify_audit().intact
    assert unfinished(desk.ledger) == ()


def test_an_approval_outlives_its_process_and_is_sent_after_the_restart(
    engine: Engine, tmp_path: Path, database_url: str
) -> None:
    ticket_id = killed_at("decided", tmp_path, database_url)
    desk = Restarted(engine)
    assert unfinished(desk.ledger) == (ticket_id,)
    order = desk.submit(ticket_id)
    assert order is not None
    assert (order.status, desk.broker.places, desk.entries_at_venue()) == ("filled", 1, 1)
    assert_ledger_is_venue(desk, order)


def test_an_order_the_venue_never_got_is_looked_up_and_not_sent_again(
    engine: Engine, tmp_path: Path, database_url: str
) -> None:
    ticket_id = killed_at("journalled", tmp_path, database_url)
    desk = Restarted(engine)
    assert desk.ledger.ticket(ticket_id).status == "submitting"
    order = desk.submit(ticket_id)
    assert order is not None
    assert (order.status, desk.broker.places, desk.entries_at_venue()) == ("not_accepted", 0, 0)
    assert desk.ledger.account(ACCOUNT).reserved == {}
    assert unfinished(desk.ledger) == ()


def test_an_order_the_venue_took_before_the_crash_is_found_and_recorded_once(
    engine: Engine, tmp_path: Path, database_url: str
) -> None:
    ticket_id = killed_at("placed", tmp_path, database_url)
    desk = Restarted(engine)
    assert desk.ledger.ticket(ticket_id).status == "submitting"
    assert desk.ledger.fills(ACCOUNT) == ()
    orders = {desk.submit(ticket_id) for _ in range(3)}
    assert len(orders) == 1
    order = orders.pop()
    assert order is not None
    assert (order.status, desk.broker.places, desk.entries_at_venue()) == ("filled", 0, 1)
    assert_ledger_is_venue(desk, order)
    assert desk.ledger.order(f"{order.id}-sl").status == "accepted"


def test_two_desks_that_recover_at_once_agree(engine: Engine, tmp_path: Path, database_url: str) -> None:
    ticket_id = killed_at("decided", tmp_path, database_url)
    desks, start = [Restarted(engine) for _ in range(2)], threading.Barrier(2)

    def recover(desk: Restarted) -> Order | None:
        start.wait()
        return desk.submit(ticket_id)

    with ThreadPoolExecutor(2) as pool:
        orders = set(pool.map(recover, desks))
    assert len(orders) == 1
    assert sum(desk.broker.places for desk in desks) == desks[0].entries_at_venue() == 1


def test_a_submission_in_progress_elsewhere_is_waited_for_not_looked_up(
    engine: Engine, tmp_path: Path, database_url: str
) -> None:
    ticket_id = killed_at("decided", tmp_path, database_url)
    desk, placing, go_on = Restarted(engine), threading.Event(), threading.Event()

    class SlowBroker(CountingBroker):
        def place(self, approved: ApprovedTicket) -> VenueOrder:
            placing.set()
            assert go_on.wait(30)
            return super().place(approved)

    slow = SlowBroker(engine, desk.context.market, desk.context.clock)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(submit, ticket_id, desk.context, slow)
        assert placing.wait(30)
        second = pool.submit(desk.submit, ticket_id)
        with pytest.raises(TimeoutError):
            second.result(timeout=0.3)
        go_on.set()
        assert first.result() == second.result()
    assert (slow.places, desk.broker.places, desk.entries_at_venue()) == (1, 0, 1)
