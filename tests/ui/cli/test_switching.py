"""The kill switch on the command line: with a desk running, with none, and with its database gone."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from agents.opening import open_services
from agents.settings import load_settings
from engines.domain.orders import OrderIntent

Run = Callable[..., subprocess.CompletedProcess[str]]
Serve = Callable[..., contextlib.AbstractContextManager[str]]


def ask(url: str, message: str) -> dict[str, Any]:
    answer = httpx.post(f"{url}/v1/agent/invoke", json={"message": message}, timeout=120, trust_env=False)
    found: dict[str, Any] = answer.json()
    return found


def test_a_desk_halted_while_nothing_runs_starts_halted_and_is_resumed_with_a_reason(
    run: Run, serve: Serve, home: Path
) -> None:
    halted = run("halt", "going on holiday")
    assert (halted.returncode, halted.stderr) == (0, "")
    assert "HALTED" in halted.stdout
    assert (home / "HALT").read_text().startswith("going on holiday (by ")
    with serve() as url:
        assert "HALTED" in ask(url, "buy 0.01 btc")["reply"]
        again = run("halt", "pressed twice", "--cancel-all")
        assert again.returncode == 0
        assert "No order was open." in again.stdout
        resumed = run("resume", "back again")
        assert resumed.returncode == 0
        assert "Lifted: The desk, halted since" in resumed.stdout
        assert "The desk is active." in resumed.stdout
        assert not (home / "HALT").exists()
        assert ask(url, "buy 0.01 btc")["ticket"] is not None


def test_cancel_all_works_after_the_desk_has_died(run: Run, serve: Serve) -> None:
    with serve() as url:
        candles = httpx.get(f"{url}/v1/candles?symbol=BTC/USDT&timeframe=1h&limit=1", timeout=60, trust_env=False)
        price = round(float(candles.json()["candles"][-1]["close"]) * 0.7)
        ticket = ask(url, f"buy 0.01 btc at {price}")["ticket"]
        body = {"decision": "approve", "ticket_hash": ticket["hash"]}
        decided = httpx.post(f"{url}/v1/tickets/{ticket['id']}/decision", json=body, timeout=60, trust_env=False)
        order_id = decided.json()["order"]["id"]
    halted = run("halt", "the desk is dead", "--cancel-all")
    assert halted.returncode == 0, halted.stderr
    assert f"cancelled        buy 0.01 BTC/USDT, limit {price:,} ({order_id})" in halted.stdout
    assert "No order was open." in run("halt", "again", "--cancel-all").stdout


def test_positions_that_lose_their_stop_loss_are_told_in_red_ink(run: Run, serve: Serve) -> None:
    with serve() as url:
        candles = httpx.get(f"{url}/v1/candles?symbol=BTC/USDT&timeframe=1h&limit=1", timeout=60, trust_env=False)
        stop = round(float(candles.json()["candles"][-1]["close"]) * 0.7)
        ticket = ask(url, f"buy 0.01 btc, stop {stop}")["ticket"]
        body = {"decision": "approve", "ticket_hash": ticket["hash"]}
        decided = httpx.post(f"{url}/v1/tickets/{ticket['id']}/decision", json=body, timeout=60, trust_env=False)
        assert decided.json()["order"]["status"] == "filled"
    assert "UNPROTECTED" not in run("halt", "looking").stderr
    halted = run("halt", "all off", "--cancel-all")
    assert halted.returncode == 0
    assert f"0.01 BTC/USDT is not protected (stop-loss {stop:,}): a person cancelled" in halted.stderr
    assert "UNPROTECTED (paper-demo-usdt:local)" in halted.stderr


def test_cancel_all_works_while_the_limits_file_is_edited_or_broken(run: Run, tmp_path: Path) -> None:
    limits = tmp_path / "limits.toml"
    wording = 'version = "1"\nmax_order_notional = 10000\nmax_account_exposure = 100000\n'
    limits.write_text(wording)
    settings = {"QTP_LIMITS_FILE": str(limits)}
    with open_services(load_settings(home=tmp_path / "home", limits_file=limits)) as services:
        price = services.market.quote("BTC/USDT").last
        asked = OrderIntent(
            services.account("ann"),
            "thread-1",
            "BTC/USDT",
            "buy",
            Decimal("0.01"),
            order_type="limit",
            limit_price=(price * Decimal("0.7")).quantize(Decimal(1)),
        )
        for found, amount in (("10001", "0.01"), ("no number", "0.02")):
            limits.write_text(wording)
            ticket = services.seal(replace(asked, quantity=Decimal(amount)), "ann")
            services.decide(ticket.id, "approve", ticket.hash, "ann")
            order = services.submit(ticket.id)
            assert order is not None
            limits.write_text(wording.replace("10000\n", f"{found}\n", 1))
            halted = run("halt", "the limits are wrong", "--cancel-all", **settings)
            assert halted.returncode == 0, halted.stderr
            assert services.ledger.order(order.id).status == "cancelled"
            assert run("resume", "on", **settings).returncode == 0


def test_without_a_database_the_file_halts_and_the_command_says_so(run: Run, home: Path) -> None:
    halted = run("halt", "broken", QTP_DATABASE_URL="postgresql://me:secret@127.0.0.1:1/desk?connect_timeout=1")
    assert halted.returncode == 0
    assert "only the file halts" in halted.stderr
    assert "secret" not in halted.stdout + halted.stderr
    assert (home / "HALT").exists()


def test_a_damaged_database_does_not_stop_the_switch(run: Run, home: Path) -> None:
    home.mkdir()
    (home / "desk.db").write_bytes(b"this is no database" * 100)
    halted = run("halt", "broken")
    assert halted.returncode == 0
    assert "HALTED" in halted.stdout
    assert "Traceback" not in halted.stderr
    resumed = run("resume", "hope")
    assert resumed.returncode == 2
    assert (home / "HALT").exists()


def test_when_neither_file_nor_ledger_can_be_written_it_says_that_nothing_is_halted(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    halted = run("halt", "stop", "--home", str(tmp_path / "file" / "home"))
    assert halted.returncode == 1
    assert "HALTED" not in halted.stdout
    assert "Create it by hand" in halted.stderr


def test_resuming_needs_a_reason(run: Run, home: Path) -> None:
    run("halt", "stop")
    assert run("resume").returncode == 2
    assert run("resume", "  ").returncode == 2
    assert (home / "HALT").exists()
