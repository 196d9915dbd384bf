"""Real money from end to end, rehearsed: served, armed, ordered, killed, restarted, compared, halted, explained."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

# A machine that was just set up compiles the engines' kernels behind the first ticket.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

Make = Callable[[str], Any]


def ask(client: httpx.Client, message: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/v1/agent/invoke", json={"message": message}).raise_for_status().json()
    return answer


def approve(client: httpx.Client, ticket: dict[str, Any]) -> dict[str, Any]:
    body = {"decision": "approve", "ticket_hash": ticket["hash"]}
    decided = client.post(f"/v1/tickets/{ticket['id']}/decision", json=body)
    outcome: dict[str, Any] = decided.raise_for_status().json()
    return outcome


def in_ledger(client: httpx.Client) -> dict[str, Decimal]:
    portfolio = client.get("/v1/portfolio").raise_for_status().json()
    held = {each["symbol"].partition("/")[0]: Decimal(each["quantity"]) for each in portfolio["positions"]}
    return {"USDT": Decimal(portfolio["cash"]), **held}


def at_venue(desk: Any) -> dict[str, Decimal]:
    held = {name: Decimal(each["total"]) for name, each in desk.venue.order("truth")["balances"].items()}
    return {name: amount for name, amount in held.items() if amount}


def until(reached: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)


@pytest.mark.parametrize("venue", ["binance", "bybit", "kraken"])
def test_rule_35_an_armed_desk_fills_an_approved_order_at_the_venue_and_survives_a_kill(
    venue: str, live_desk: Make
) -> None:
    desk = live_desk(venue)
    desk.start()
    with desk.client() as client:
        status = client.get("/v1/status").json()
        assert (status["mode"], status["account"]) == ("live", f"live-{venue}-usdt:local")
        assert status["live"]["reconciled_at"] is not None
        assert "is not armed" in status["live"]["in_the_way"]
        assert in_ledger(client) == at_venue(desk) == {"USDT": Decimal(100_000), "BTC": Decimal("0.1")}

        refused = ask(client, "buy 0.01 BTC")
        assert "is not armed" in refused["reply"]
        assert refused["tickets"] == []
        assert desk.venue.accepts() == 0

        armed = desk.command("arm", "--minutes", "5")
        assert (armed.returncode, "REAL MONEY" in armed.stdout) == (0, True), armed.stderr
        [ticket] = ask(client, "buy 0.01 BTC")["tickets"]
        assert (ticket["mode"], ticket["simulated"], ticket["market"]) == ("live", False, venue)
        outcome = approve(client, ticket)
        assert outcome["ticket"]["status"] == "filled"
        assert outcome["order"]["filled"] == "0.01"
        assert desk.venue.accepts() == 1
        assert in_ledger(client) == at_venue(desk)

        [second] = ask(client, "buy 0.02 BTC")["tickets"]
    _killed_while_sending(desk, second)

    desk.start()
    with desk.client() as client:
        # A venue that lets little be asked for is compared with in several goes; no order passes before that is done.
        until(lambda: "is not armed" in client.get("/v1/status").json()["live"]["in_the_way"], seconds=120)
        decided = client.get(f"/v1/tickets/{second['id']}").json()
        assert (decided["status"], decided["order"]["filled"]) == ("filled", "0.02")
        assert desk.venue.accepts() == 2
        assert in_ledger(client) == at_venue(desk)
        compared = client.get("/v1/reconciliation").json()
        assert (compared["matches"], compared["trigger"], compared["differences"]) == ("yes", "start", [])
    _tells_nobody_its_secret(desk)


def _killed_while_sending(desk: Any, ticket: dict[str, Any]) -> None:
    """Approve, and kill the desk when the venue has the order and has not answered yet."""
    desk.venue.order("fault", kind="late_ack", route="create", seconds=4)

    def approving() -> None:
        with desk.client() as client, pytest.raises(httpx.HTTPError):
            approve(client, ticket)

    thread = threading.Thread(target=approving)
    thread.start()
    until(lambda: desk.venue.accepts() == 2)
    desk.kill()
    thread.join()


def _tells_nobody_its_secret(desk: Any) -> None:
    written = [desk.log, *(path for path in desk.home.rglob("*") if path.is_file())]
    planted = [value.encode() for value in (desk.venue.key, desk.venue.secret)]
    assert [path for path in written for value in planted if value in path.read_bytes()] == []


def test_foreign_orders_are_external_and_money_that_left_halts_until_a_person_explains_it(live_desk: Make) -> None:
    desk = live_desk("binance")
    desk.start()
    assert desk.command("arm").returncode == 0
    placed = desk.venue.order("external", symbol="BTC/USDT", side="buy", quantity="0.2", price="40000")
    with desk.client() as client:
        [external] = client.post("/v1/reconciliation").json()["external_orders"]
        assert (external["label"], external["venue_order_id"], external["quantity"]) == (
            "EXTERNAL",
            placed["id"],
            "0.2",
        )
        assert Decimal(client.get("/v1/portfolio").json()["reserved"]) == 8_000
        assert "EXTERNAL" in ask(client, "my portfolio")["reply"]
        assert "EXTERNAL" in ask(client, "my open orders")["reply"]

        desk.venue.order("deposit", asset="USDT", amount="-250")
        compared = desk.command("reconcile")
        assert compared.returncode == 1
        assert "DIFFERS    USDT: 99750 there, 100000 by the ledger" in compared.stdout
        standing = client.get("/v1/status").json()["trading"]
        assert (standing["state"], standing["by"]) == ("halted", "reconciliation")
        assert "99750" in standing["reason"]
        assert "HALTED" in ask(client, "buy 0.01 BTC")["reply"]
        assert desk.venue.accepts() == 0
        failing = desk.command("doctor")
        assert (failing.returncode, "USDT -250" in failing.stdout) == (1, True)

        assert desk.command("reconcile", "--accept", "I took 250 out.").returncode == 0
        assert desk.command("resume", "I took 250 out.").returncode == 0
        assert desk.command("reconcile").returncode == 0
        assert client.get("/v1/status").json()["trading"]["state"] == "active"
        [ticket] = ask(client, "buy 0.01 BTC")["tickets"]
        assert approve(client, ticket)["ticket"]["status"] == "filled"
        assert in_ledger(client) == at_venue(desk)
        [left] = [each for each in desk.venue.order("truth")["orders"] if each["id"] == placed["id"]]
        assert left["filled"] == "0"
        assert left["state"] not in {"cancelled", "canceled"}


def test_while_the_venue_is_away_no_order_passes_and_afterwards_it_is_compared_first(live_desk: Make) -> None:
    desk = live_desk("binance")
    desk.venue.order("fault", kind="unavailable_before", route="balances", count=-1)
    desk.start()
    with desk.client() as client:
        assert (
            "No new live order before ledger and venue agree" in client.get("/v1/status").json()["live"]["in_the_way"]
        )
        assert client.get("/v1/reconciliation").status_code == 404
        client.post("/v1/arm", json={"minutes": 5}).raise_for_status()
        assert "No new live order" in ask(client, "buy 0.01 BTC")["reply"]
        desk.venue.order("clear")
        until(lambda: client.get("/v1/status").json()["live"]["in_the_way"] == "")
        assert client.get("/v1/reconciliation").json()["trigger"] == "start"
        [ticket] = ask(client, "buy 0.01 BTC")["tickets"]
        assert approve(client, ticket)["ticket"]["status"] == "filled"
