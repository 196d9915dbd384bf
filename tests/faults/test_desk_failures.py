"""What must hold when the desk itself fails: its disk, what stands beside it, and what it must keep to itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from engines.errors import VenueUnavailable

from .siege.desk import Desk
from .siege.link import Link
from .siege.site import Site

LATE = 0.4


def _break(desk: Desk, table: str) -> None:
    """From now on this table takes no row, as on a full disk."""
    statement = f"CREATE TRIGGER full_{table} BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
    with desk.engine.begin() as connection:
        connection.execute(text(statement))


def _mend(desk: Desk, table: str) -> None:
    with desk.engine.begin() as connection:
        connection.execute(text(f"DROP TRIGGER full_{table}"))


def test_rule_40_nothing_is_sent_when_the_journal_cannot_be_written(site: Site) -> None:
    ticket_id = site.approved()
    _break(site.desk, "orders")
    with pytest.raises(DatabaseError, match="disk is full"):
        site.desk.submit(ticket_id)
    assert (site.accepts(), site.sent()) == ([], 0)
    _mend(site.desk, "orders")
    assert site.submit(ticket_id).status == "filled"
    site.assert_equal()


def test_rule_40_after_an_accept_that_cannot_be_written_down_nothing_more_is_sent_until_the_journal_is_replayed(
    site: Site,
) -> None:
    first, second = site.approved(), site.approved()
    _break(site.desk, "fills")
    with pytest.raises(DatabaseError, match="disk is full"):
        site.desk.submit(first)
    with pytest.raises(VenueUnavailable, match=r"could not be written down\. Nothing was sent"):
        site.desk.submit(second)
    assert (site.accepts(), site.sent()) == ([1], 1)
    _mend(site.desk, "fills")
    assert site.submit(first).status == "filled"
    assert site.submit(second).status == "filled"
    assert (site.accepts(), site.sent()) == ([1, 1], 2)
    site.assert_equal()


def test_rule_41_the_order_path_needs_no_broker_of_messages_no_cache_and_no_model() -> None:
    program = (
        "import sys, engines.execution.submit, engines.execution.venues, engines.execution.sync\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(loaded & {'redis', 'kafka', 'aiokafka', 'socketio', 'langgraph', 'langchain_core', 'httpx'}))"
    )
    root = Path(__file__).parents[2]
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=root, check=True)
    assert ran.stdout.strip() == "[]"


def test_rule_41_keys_secrets_and_signatures_reach_neither_the_database_nor_a_log(
    site: Site, link: Link, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for fault in ("unavailable_after", "html", "drop_before", "rate_limited", "truncated"):
        site.venue.fault(route="create", kind=fault, seconds=LATE)
        ticket_id = site.approved("limit")
        site.desk.submit(ticket_id)
        site.venue.fault(routes=["lookup", "open_orders"], kind="unavailable_before")
        site.desk.settle()
        site.wait()
        site.desk.settle_all(pause=0)
    stored = b"".join(file.read_bytes() for file in site.home.iterdir())
    keys = link.keys[site.venue.venue]
    for secret in (keys["key"], keys["secret"], "signature="):
        assert secret.encode() not in stored
        assert secret not in caplog.text
