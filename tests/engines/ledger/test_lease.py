"""One process at a time trades a venue's account."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from engines.domain.clock import ManualClock
from engines.errors import ConfigurationError
from engines.ledger.lease import CLOCK_MARGIN, LEASE, Lease, acquire_lease, lease_holder
from engines.ledger.ledger import Ledger
from engines.storage import ledger as tables

ROOT = Path(__file__).parents[3]
HOLDER = """
import sys
from datetime import datetime
from pathlib import Path
from engines.domain.clock import ManualClock
from engines.ledger.lease import acquire_lease
from engines.storage.database import open_database
engine = open_database("desk", home=Path(sys.argv[1]), url=sys.argv[2])
acquire_lease(engine, ManualClock(datetime.fromisoformat(sys.argv[3])), "binance")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held_elsewhere(home: Path, url: str, clock: ManualClock) -> Iterator[subprocess.Popen[str]]:
    """A process that took the lease and lives on without renewing it."""
    command = [sys.executable, "-c", HOLDER, str(home), url, clock.now().isoformat()]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def on_another_machine(engine: Engine) -> None:
    """As if the holder's row had been written elsewhere: nobody here can tell whether it lives."""
    with engine.begin() as connection:
        connection.execute(update(tables.leases).values(host="elsewhere/1/2", process="7@8"))


def test_rule_42_a_second_process_is_refused_and_told_who_holds_the_account(
    desk_engine: Engine, tmp_path: Path, database_url: str, hand_clock: ManualClock
) -> None:
    with held_elsewhere(tmp_path, database_url, hand_clock) as holder:
        with pytest.raises(ConfigurationError) as refused:
            acquire_lease(desk_engine, hand_clock, "binance")
        assert f"Process {holder.pid} " in refused.value.message
        assert acquire_lease(desk_engine, hand_clock, "kraken").is_held()


def test_a_process_that_was_killed_is_replaced_at_once(
    desk_engine: Engine, tmp_path: Path, database_url: str, hand_clock: ManualClock
) -> None:
    with held_elsewhere(tmp_path, database_url, hand_clock) as holder:
        holder.kill()
        holder.wait()
        lease = acquire_lease(desk_engine, hand_clock, "binance")
    assert lease.is_held()
    assert [record.kind for record in Ledger(desk_engine, hand_clock).audit()] == ["lease_taken", "lease_taken"]


def test_rule_42_a_process_that_hangs_loses_the_account_when_its_time_is_over(
    desk_engine: Engine, tmp_path: Path, database_url: str, hand_clock: ManualClock
) -> None:
    with held_elsewhere(tmp_path, database_url, hand_clock):
        hand_clock.advance(LEASE + CLOCK_MARGIN - timedelta(seconds=1))
        with pytest.raises(ConfigurationError):
            acquire_lease(desk_engine, hand_clock, "binance")
        hand_clock.advance(timedelta(seconds=1))
        assert acquire_lease(desk_engine, hand_clock, "binance").is_held()


def test_a_holder_on_another_machine_is_waited_for(desk_engine: Engine, hand_clock: ManualClock) -> None:
    first = acquire_lease(desk_engine, hand_clock, "binance")
    on_another_machine(desk_engine)
    with pytest.raises(ConfigurationError, match="elsewhere"):
        acquire_lease(desk_engine, hand_clock, "binance")
    hand_clock.advance(LEASE + CLOCK_MARGIN)
    second = acquire_lease(desk_engine, hand_clock, "binance")
    assert (first.renew(), first.is_held(), second.is_held()) == (False, False, True)


def test_a_renewed_lease_goes_on_and_one_that_ran_out_is_not_held(desk_engine: Engine, hand_clock: ManualClock) -> None:
    lease = acquire_lease(desk_engine, hand_clock, "binance")
    for _ in range(5):
        hand_clock.advance(LEASE - timedelta(seconds=1))
        assert lease.renew()
    assert lease.is_held()
    hand_clock.advance(LEASE)
    assert not lease.is_held()
    assert lease.renew()
    assert lease.is_held()


def test_a_released_account_is_free_and_releasing_again_takes_nothing_from_the_next(
    desk_engine: Engine, hand_clock: ManualClock
) -> None:
    first = acquire_lease(desk_engine, hand_clock, "binance")
    first.release()
    assert lease_holder(desk_engine, "binance") is None
    second = acquire_lease(desk_engine, hand_clock, "binance")
    first.release()
    assert second.is_held()


def test_of_many_that_ask_at_once_one_gets_it(desk_engine: Engine, hand_clock: ManualClock) -> None:
    start = threading.Barrier(8)

    def ask(_: int) -> Lease | None:
        start.wait()
        try:
            return acquire_lease(desk_engine, hand_clock, "binance")
        except ConfigurationError:
            return None

    with ThreadPoolExecutor(8) as pool:
        got = [lease for lease in pool.map(ask, range(8)) if lease is not None]
    assert len(got) == 1
    assert got[0].is_held()
