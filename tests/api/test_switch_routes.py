"""The kill switch over HTTP: who may press it, what it stops, and what it says."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.keys import KeyStore, Scope
from engines.domain.clock import SystemClock
from engines.storage.database import open_database

Serve = Callable[..., contextlib.AbstractContextManager[Any]]


def ask(client: httpx.Client, message: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/v1/agent/invoke", json={"message": message}).json()
    return answer


def approve(client: httpx.Client, ticket: dict[str, Any]) -> httpx.Response:
    body = {"decision": "approve", "ticket_hash": ticket["hash"]}
    return client.post(f"/v1/tickets/{ticket['id']}/decision", json=body)


def rest(client: httpx.Client, symbol: str = "BTC/USDT") -> str:
    """Place a buy far below the market; the order's id."""
    candles = client.get("/v1/candles", params={"symbol": symbol, "timeframe": "1h", "limit": 1}).json()["candles"]
    price = round(float(candles[-1]["close"]) * 0.7)
    ticket = ask(client, f"buy 0.02 {symbol.partition('/')[0].lower()} at {price}")["ticket"]
    order: dict[str, Any] = approve(client, ticket).json()["order"]
    assert order["status"] == "accepted"
    return str(order["id"])


def trading(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/v1/status").json()["trading"]
    return found


def test_a_halt_outlives_a_restart_and_denies_orders_but_no_cancel(serve: Serve) -> None:
    with serve() as served, served.client() as client:
        assert trading(client) == {"state": "active", "reason": "", "by": "", "since": None, "account": ""}
        order = rest(client)
        waiting = ask(client, "buy 0.01 eth")["ticket"]
        outcome = client.post("/v1/halt", json={"reason": "prices look wrong"}).json()
        assert outcome["orders"] == []
        assert outcome["trading"] | {"since": None} == {
            "state": "halted", "reason": "prices look wrong", "by": "local", "since": None, "account": ""
        }  # fmt: skip
        refused = approve(client, waiting)
        assert (refused.status_code, refused.json()["code"]) == (422, "risk_denied")
        assert "HALTED" in refused.json()["detail"]
    with serve() as served, served.client() as client:
        assert trading(client)["state"] == "halted"
        denied = ask(client, "buy 0.01 btc")
        assert (denied["status"], denied["ticket"]) == ("completed", None)
        assert "HALTED" in denied["reply"]
        cancel = ask(client, "cancel all my orders")["ticket"]
        assert approve(client, cancel).json()["ticket"]["status"] == "cancelled"
        assert client.get("/v1/orders", params={"status": "open"}).json()["orders"] == []
        resumed = client.post("/v1/resume", json={"reason": "checked"}).json()
        assert resumed["trading"]["state"] == "active"
        assert ask(client, "buy 0.01 btc")["ticket"] is not None
        kinds = [record["kind"] for record in client.get("/v1/audit").json()["records"]]
        assert kinds.count("trading_state_changed") == 2
        assert order in str(client.get("/v1/orders").json())


def protected_holding(client: httpx.Client) -> int:
    """Buy with a stop-loss, which the venue holds; its price."""
    candles = client.get("/v1/candles", params={"symbol": "BTC/USDT", "timeframe": "1h", "limit": 1}).json()["candles"]
    stop = round(float(candles[-1]["close"]) * 0.7)
    order = approve(client, ask(client, f"buy 0.02 btc, stop {stop}")["ticket"]).json()["order"]
    assert order["status"] == "filled"
    return stop


def test_a_halt_tells_of_every_position_whose_stop_loss_it_took_away(serve: Serve) -> None:
    with serve() as served, served.client() as client:
        stop = protected_holding(client)
        assert client.get("/v1/status").json()["unprotected"] == []
        # The venue holds the stop-loss: stopping alone takes nothing away.
        assert client.post("/v1/halt", json={"reason": "stop"}).json()["unprotected"] == []
        [told] = client.post("/v1/halt", json={"reason": "stop", "cancel_all": "yes"}).json()["unprotected"]
        assert (told["symbol"], told["quantity"], told["stop_loss"], told["cause"]) == (
            *("BTC/USDT", "0.02", str(stop), "missing"),
        )
        assert told["text"].startswith(f"0.02 BTC/USDT is not protected (stop-loss {stop:,}): a person cancelled")
        assert client.get("/v1/status").json()["unprotected"] == [told]
        assert client.post("/v1/resume", json={"reason": "on"}).json()["unprotected"] == [told]
        assert approve(client, ask(client, "sell 0.02 btc")["ticket"]).json()["order"]["status"] == "filled"
        assert client.get("/v1/status").json()["unprotected"] == []


@pytest.mark.parametrize("yes", ["yes", True])
def test_rule_18_cancel_all_tells_of_each_order_and_a_second_press_is_harmless(serve: Serve, yes: object) -> None:
    with serve() as served, served.client() as client:
        placed = [rest(client, symbol) for symbol in ("BTC/USDT", "ETH/USDT")]
        first = client.post("/v1/halt", json={"reason": "stop", "cancel_all": yes}).json()
        assert {told["order_id"] for told in first["orders"]} == set(placed)
        assert all(told["done"] and told["status"] == "cancelled" for told in first["orders"])
        second = client.post("/v1/halt", json={"reason": "again", "cancel_all": yes}).json()
        assert second["orders"] == []
        assert second["trading"] == first["trading"]


def test_a_file_halts_a_running_desk_at_once_and_resume_removes_it(serve: Serve, tmp_path: Path) -> None:
    with serve() as served, served.client() as client:
        halt_file = served.settings.home / "HALT"
        halt_file.write_text("pulled by hand\n")
        assert trading(client)["reason"] == "pulled by hand"
        assert "HALTED" in ask(client, "buy 0.01 btc")["reply"]
        assert client.post("/v1/resume", json={"reason": "fine"}).json()["trading"]["state"] == "active"
        assert not halt_file.exists()


@pytest.fixture
def keyed_clients(serve: Serve, tmp_path: Path) -> Iterator[Callable[..., httpx.Client]]:
    """Clients of a desk of this test's own, each of an owner of its own; it can be halted as a whole."""
    engine = open_database("desk", home=tmp_path / "home")
    keys = KeyStore(engine, SystemClock())
    keys.create(name="first", scopes=("read",))
    with serve() as served, contextlib.ExitStack() as closing:

        def client(owner: str, *scopes: Scope) -> httpx.Client:
            token = keys.create(name=owner, scopes=scopes, owner=owner).token
            entered: httpx.Client = closing.enter_context(served.client(token))
            return entered

        yield client
    engine.dispose()


def test_a_key_that_may_approve_halts_its_own_account_and_admin_the_desk(
    keyed_clients: Callable[..., httpx.Client],
) -> None:
    ann, bob = keyed_clients("ann", "read", "trade", "approve"), keyed_clients("bob", "read", "trade")
    admin = keyed_clients("eve", "read", "admin")
    assert ann.post("/v1/halt", json={"reason": "mine"}).json()["trading"]["account"] == "paper-demo-usdt:ann"
    assert (trading(ann)["state"], trading(bob)["state"]) == ("halted", "active")
    assert ann.post("/v1/resume", json={"reason": "on"}).json()["trading"]["state"] == "active"
    assert admin.post("/v1/halt", json={"reason": "all"}).json()["trading"]["account"] == ""
    refused = ann.post("/v1/resume", json={"reason": "on"})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert trading(ann)["reason"] == trading(bob)["reason"] == "all"
    assert admin.post("/v1/resume", json={"reason": "on"}).json()["trading"]["state"] == "active"
    assert trading(ann)["state"] == "active"
    refused = bob.post("/v1/halt", json={"reason": "mine"})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


def test_one_owner_cancels_all_of_their_own_orders_only(keyed_clients: Callable[..., httpx.Client]) -> None:
    ann, bob = (keyed_clients(name, "read", "trade", "approve") for name in ("ann", "bob"))
    orders = [rest(who) for who in (ann, bob)]
    told = ann.post("/v1/halt", json={"reason": "stop", "cancel_all": "yes"}).json()["orders"]
    assert [each["order_id"] for each in told] == orders[:1]
    assert bob.get("/v1/orders", params={"status": "open"}).json()["orders"][0]["id"] == orders[1]


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "   "}, {"reason": "x" * 501}, {"reason": 7}])
@pytest.mark.parametrize("path", ["/v1/halt", "/v1/resume"])
def test_without_a_reason_nothing_changes(open_desk: Any, path: str, body: dict[str, Any]) -> None:
    with open_desk.client() as client:
        assert client.post(path, json=body).status_code == 422
        assert trading(client)["state"] == "active"
