"""`quantum-trader audit` proves that nothing was changed, and finds the place where something was."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from engines.confirmation.risk import default_limits
from engines.domain.clock import SystemClock
from engines.domain.orders import OrderIntent
from engines.execution.context import OrderContext
from engines.execution.paper import PaperBroker
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit
from engines.ledger.ledger import Ledger
from engines.market.factory import open_market
from engines.storage.database import open_database

Run = Callable[..., subprocess.CompletedProcess[str]]


def trade(engine: Engine, home: Path, *decisions: str) -> None:
    """Ask for one order a decision on the simulated market, decide, and carry out what was approved."""
    clock = SystemClock()
    market, ledger = open_market("demo", home=home, clock=clock), Ledger(engine, clock)
    account = ledger.ensure_account("local", currency="USDT", cash=Decimal(100_000), market="demo")
    context = OrderContext(ledger, market, clock, default_limits())
    for number, decision in enumerate(decisions, 1):
        quantity = Decimal(number) / 1000
        intent = OrderIntent(account.id, "thread-1", "BTC/USDT", "buy", quantity)
        ticket = prepare_ticket(intent, context, owner="local")
        ledger.decide(ticket.id, "approve" if decision == "approve" else "reject", ticket.hash, "local")
        if decision == "approve":
            submit(ticket.id, context, PaperBroker(engine, market, clock))


@pytest.fixture
def busy(home: Path) -> Path:
    """A home whose desk carried out two orders and rejected one."""
    engine = open_database("desk", home=home)
    trade(engine, home, "approve", "reject", "approve")
    engine.dispose()
    return home


def tamper(home: Path, *statements: str) -> None:
    with sqlite3.connect(home / "desk.db") as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount > 0
    connection.close()


def test_a_journal_that_nobody_touched_is_whole(busy: Path, run: Run) -> None:
    result = run("audit", "verify")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "the chain is whole" in result.stdout
    assert "3 tickets, 3 decisions, 2 fills, 1 accounts, 0 movements, 3 ticket states, 2 orders" in result.stdout
    assert "Not covered by the chain: the simulated venue's own memory" in result.stdout
    assert "--export FILE" in result.stdout


def test_the_first_record_that_was_changed_is_named(busy: Path, run: Run) -> None:
    tamper(busy, "UPDATE audit SET data = replace(data, 'local', 'eve') WHERE seq IN (4, 7)")
    result = run("audit", "verify")
    assert result.returncode == 1
    assert "BROKEN at record 4: Its content is not what its hash was made of" in result.stdout
    assert "Records 1 to 3 fit" in result.stdout


def test_an_end_that_was_cut_off_cleanly_is_found_only_against_a_head_that_was_kept(
    home: Path, run: Run, tmp_path: Path
) -> None:
    engine = open_database("desk", home=home)
    trade(engine, home, "reject", "reject", "reject")
    engine.dispose()
    head = tmp_path / "kept.json"
    assert run("audit", "verify", "--export", str(head)).returncode == 0
    last = "(SELECT id FROM tickets WHERE label = 'T-3')"
    tamper(
        home,
        "DELETE FROM audit WHERE seq > 6",
        "UPDATE audit_head SET seq = 6, hash = (SELECT hash FROM audit WHERE seq = 6)",
        f"DELETE FROM decisions WHERE ticket_id = {last}",
        "DELETE FROM tickets WHERE label = 'T-3'",
    )
    unaided = run("audit", "verify")
    assert (unaided.returncode, "looks whole from inside" in unaided.stdout) == (0, True)
    aided = run("audit", "verify", "--against", str(head))
    assert aided.returncode == 1
    assert "BROKEN at record 7: It is missing" in aided.stdout
    assert "names record 8, and the chain now ends at 6" in aided.stdout


def test_a_chain_that_was_written_anew_is_found_against_a_head_that_was_kept(
    busy: Path, run: Run, tmp_path: Path
) -> None:
    head = tmp_path / "kept.json"
    assert run("audit", "verify", "--export", str(head)).returncode == 0
    other = tmp_path / "other"
    engine = open_database("desk", home=other)
    trade(engine, other, "approve", "approve", "approve")
    engine.dispose()
    assert run("audit", "verify", "--home", str(other)).returncode == 0
    result = run("audit", "verify", "--home", str(other), "--against", str(head))
    assert result.returncode == 1
    assert "BROKEN at record 14: It has another hash than the head that was kept" in result.stdout


def test_a_journal_that_has_grown_goes_on_from_the_head_that_was_kept(busy: Path, run: Run, tmp_path: Path) -> None:
    head = tmp_path / "kept.json"
    run("audit", "verify", "--export", str(head))
    before = json.loads(head.read_text())
    engine = open_database("desk", home=busy)
    trade(engine, busy, "reject")
    engine.dispose()
    result = run("audit", "verify", "--against", str(head), "--export", str(head))
    assert result.returncode == 0
    assert f"It goes on from record {before['seq']}" in result.stdout
    assert json.loads(head.read_text())["seq"] > before["seq"]


def test_a_broken_journal_leaves_the_head_that_was_kept_as_it_is(busy: Path, run: Run, tmp_path: Path) -> None:
    head = tmp_path / "kept.json"
    run("audit", "verify", "--export", str(head))
    before = head.read_bytes()
    tamper(busy, "DELETE FROM audit WHERE seq = 4")
    assert run("audit", "verify", "--export", str(head)).returncode == 1
    assert head.read_bytes() == before


@pytest.mark.parametrize(
    "content", ["[]", '{"format": "quantum-trader audit head", "seq": 3, "hash": "x", "exported_at": ""}']
)
def test_a_file_that_is_no_head_is_refused_before_anything_is_compared(
    busy: Path, run: Run, tmp_path: Path, content: str
) -> None:
    (tmp_path / "head.json").write_text(content)
    result = run("audit", "verify", "--against", str(tmp_path / "head.json"))
    assert result.returncode == 2
    assert "is no head of an audit chain" in result.stderr


def test_a_home_without_a_journal_is_refused_and_stays_as_it_is(run: Run, tmp_path: Path) -> None:
    result = run("audit", "verify", "--home", str(tmp_path / "nothing"))
    assert result.returncode == 2
    assert "There is no journal in" in result.stderr
    assert not (tmp_path / "nothing").exists()


def test_the_records_of_one_ticket_are_shown_by_its_label(busy: Path, run: Run) -> None:
    result = run("audit", "show", "--ticket", "t-2")
    assert result.returncode == 0, result.stderr
    kinds = [line.split()[3] for line in result.stdout.splitlines()]
    assert kinds == ["ticket_sealed", "ticket_rejected"]
    unknown = run("audit", "show", "--ticket", "T-99")
    assert (unknown.returncode, "There is no ticket 'T-99'." in unknown.stderr) == (2, True)


def test_the_newest_records_are_shown_and_as_json_with_their_hashes(busy: Path, run: Run) -> None:
    shown = run("audit", "show", "--kind", "fill", "--last", "1")
    assert len(shown.stdout.splitlines()) == 1
    assert "newest 1 of 2" in shown.stderr
    records = [json.loads(line) for line in run("audit", "show", "--json").stdout.splitlines()]
    assert [record["seq"] for record in records] == list(range(1, 15))
    assert all(after["previous_hash"] == before["hash"] for before, after in pairwise(records))


def test_nothing_that_was_typed_steers_the_terminal_that_shows_it(home: Path, run: Run) -> None:
    engine = open_database("desk", home=home)
    ledger = Ledger(engine, SystemClock())
    account = ledger.ensure_account("local", currency="USDT", cash=Decimal(1), market="demo")
    told = {"symbol": "BTC/USDT", "words": "buy \x1b]0;owned\x07 \x9b2J"}
    ledger.record_denial(account.id, owner="local", thread_id="t", reason="no\nno", intent=told)
    engine.dispose()
    shown = run("audit", "show").stdout
    assert "owned" in shown
    assert not set(shown) & {"\x1b", "\x07", "\x9b"}
    assert len(shown.splitlines()) == 2


def test_a_journal_on_postgresql_is_verified_the_same_way(home: Path, run: Run, postgres_database: str) -> None:
    engine = open_database("desk", home=home, url=postgres_database)
    trade(engine, home, "approve", "reject")
    assert run("audit", "verify", QTP_DATABASE_URL=postgres_database).returncode == 0
    with engine.begin() as connection:
        connection.execute(text("UPDATE audit SET kind = 'fill' WHERE seq = 2"))
    engine.dispose()
    result = run("audit", "verify", QTP_DATABASE_URL=postgres_database)
    assert result.returncode == 1
    assert "BROKEN at record 2" in result.stdout


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE audit SET kind = 'other' WHERE seq = 3", "Record 3 of the audit chain: Its content"),
        ("UPDATE fills SET price = '1' WHERE seq = 1", "has another price than was recorded."),
    ],
)
def test_doctor_finds_what_was_tampered_with(busy: Path, run: Run, statement: str, told: str) -> None:
    tamper(busy, statement)
    result = run("doctor", QTP_PORT="0")
    assert result.returncode == 1
    assert told in result.stdout
    assert "quantum-trader audit verify" in result.stdout
