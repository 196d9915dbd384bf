"""Who may do what: scopes by endpoint, hosts, origins, owners, exposure."""

from __future__ import annotations

import contextlib
import http.client
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from agents.settings import load_settings
from api.auth import check_exposure
from api.keys import SCOPES, KeyStore
from engines.domain.clock import SystemClock
from engines.errors import ConfigurationError
from engines.storage.database import open_database

Serve = Callable[..., contextlib.AbstractContextManager[Any]]

PANEL = {"symbol": "BTC/USDT", "timeframe": "1h"}
UNKNOWN_THREAD = "7f2c0a4e-5b1d-4c3a-9e8f-0d6b2a1c4e5f"
# Every endpoint that needs a scope, with a request that is refused for other reasons at the latest behind the scope.
ENDPOINTS = [
    ("POST", "/v1/agent/invoke", "trade", {"message": "hello"}),
    ("POST", "/v1/agent/stream", "trade", {"message": "hello"}),
    ("GET", "/v1/runs/none/events", "read", None),
    ("GET", "/v1/news?thread_id=none", "read", None),
    ("GET", "/v1/threads", "read", None),
    ("GET", f"/v1/threads/{UNKNOWN_THREAD}", "read", None),
    ("PATCH", f"/v1/threads/{UNKNOWN_THREAD}", "trade", {"title": "mine"}),
    ("DELETE", f"/v1/threads/{UNKNOWN_THREAD}", "trade", None),
    ("GET", "/v1/tickets", "read", None),
    ("POST", "/v1/tickets", "trade", {"symbol": "NONE/USDT", "side": "buy", "quantity": "1"}),
    ("GET", "/v1/tickets/none", "read", None),
    ("POST", "/v1/tickets/none/decision", "approve", {"decision": "reject", "ticket_hash": "x"}),
    ("GET", "/v1/portfolio", "read", None),
    ("GET", "/v1/orders", "read", None),
    ("GET", "/v1/fills", "read", None),
    ("GET", "/v1/audit", "read", None),
    ("GET", "/v1/review", "read", None),
    ("POST", "/v1/arm", "admin", {"minutes": 5}),
    ("POST", "/v1/disarm", "approve", None),
    ("GET", "/v1/reconciliation", "read", None),
    ("POST", "/v1/reconciliation", "approve", None),
    ("POST", "/v1/reconciliation/accept", "admin", {"number": 1, "reason": "deposit"}),
    ("GET", "/v1/candles?symbol=BTC/USDT&timeframe=1h", "read", None),
    ("GET", "/v1/chart?symbol=BTC/USDT&timeframe=1h", "read", None),
    ("GET", "/v1/markets", "read", None),
    ("GET", "/v1/status", "read", None),
    ("POST", "/v1/halt", "approve", {}),
    ("POST", "/v1/resume", "approve", {}),
    ("POST", "/v1/cipher", "read", PANEL),
    ("POST", "/v1/cipher/timeframes", "read", {"symbol": "BTC/USDT", "timeframes": ["1h", "4h"]}),
    ("POST", "/v1/volume-profile", "read", PANEL),
    ("POST", "/v1/tpo", "read", {"symbol": "BTC/USDT"}),
    ("POST", "/v1/vwap", "read", PANEL),
    ("POST", "/v1/explain", "read", {**PANEL, "event": "green_dot"}),
]
OPEN = {"/healthz", "/readyz"}
# A key that runs the desk may stop it too.
ALSO_ADMIN = {"/v1/halt", "/v1/resume"}


@pytest.mark.parametrize(("method", "path", "needed", "body"), ENDPOINTS)
def test_each_endpoint_opens_to_its_scope_and_to_no_other(
    keyed: Any, method: str, path: str, needed: str, body: dict[str, Any] | None
) -> None:
    for scope in SCOPES:
        response = keyed.client(scope).request(method, path, json=body)
        if scope == needed or (scope == "admin" and path in ALSO_ADMIN):
            assert response.status_code not in {401, 403}
        else:
            problem = response.json()
            assert (response.status_code, problem["code"]) == (403, "forbidden")
            assert repr(needed) in problem["detail"]
            assert f"--scope {needed}" in problem["remedy"]


@pytest.mark.parametrize(("method", "path", "needed", "body"), ENDPOINTS)
def test_once_keys_exist_nobody_gets_in_without_one(
    keyed: Any, method: str, path: str, needed: str, body: dict[str, Any] | None
) -> None:
    for key in ("", "qtp_000000000000_" + "0" * 48, "nonsense"):
        with keyed.served.client(key) as client:
            response = client.request(method, path, json=body)
        assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
        assert response.headers["www-authenticate"] == "Bearer"


def test_every_endpoint_of_the_description_is_in_this_list(local: httpx.Client) -> None:
    described = {
        (method.upper(), path)
        for path, methods in local.get("/openapi.json").json()["paths"].items()
        for method in methods
        if path not in OPEN
    }
    tested = {(method, path.partition("?")[0]) for method, path, _, _ in ENDPOINTS}
    assert len(described) == len(tested) == len(ENDPOINTS)


def test_health_needs_no_key(keyed: Any) -> None:
    with keyed.served.client() as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/readyz").json() == {
            "status": "ready",
            "checks": {"database": "ok", "market": "ok", "graph": "ok"},
        }


def test_a_revoked_key_is_out_at_its_next_request(keyed: Any) -> None:
    issued = keyed.keys.create(name="test", scopes=("read",))
    with keyed.served.client(issued.token) as client:
        assert client.get("/v1/status").is_success
        keyed.keys.revoke(issued.key.id)
        assert client.get("/v1/status").status_code == 401


def test_the_first_key_locks_a_running_desk(serve: Serve, tmp_path: Path) -> None:
    with serve() as served, served.client() as client:
        assert client.get("/v1/status").json()["owner"] == "local"
        engine = open_database("desk", home=tmp_path / "home")
        KeyStore(engine, SystemClock()).create(name="first", scopes=("read",))
        engine.dispose()
        assert client.get("/v1/status").status_code == 401


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8000", "[::2]", "", "127.0.0.1@x"]
)
def test_a_foreign_host_is_refused_on_loopback(open_desk: Any, host: str) -> None:
    with open_desk.client() as client:
        response = client.get("/v1/status", headers={"Host": host})
    assert response.status_code in {400, 403}
    assert "evil" not in response.headers


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "localhost:{port}", "[::1]:{port}"])
def test_names_of_this_machine_are_served(open_desk: Any, host: str) -> None:
    host = host.format(port=open_desk.settings.port)
    with open_desk.client() as client:
        assert client.get("/v1/status", headers={"Host": host}).is_success


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://localhost", "file://", "http://["]
)
def test_pages_of_other_sites_are_refused(open_desk: Any, origin: str) -> None:
    with open_desk.client() as client:
        for method, path in (("POST", "/v1/agent/invoke"), ("GET", "/v1/status")):
            response = client.request(method, path, headers={"Origin": origin}, json={"message": "buy 1 BTC"})
            assert (response.status_code, response.json()["code"]) == (403, "forbidden")


def test_pages_of_the_desk_itself_are_served(open_desk: Any) -> None:
    with open_desk.client() as client:
        assert client.get("/v1/status", headers={"Origin": open_desk.url}).is_success


def test_the_public_address_may_be_another_name(serve: Serve) -> None:
    with serve(public_url="https://desk.example") as served, served.client() as client:
        headers = {"Host": "desk.example", "Origin": "https://desk.example"}
        assert client.get("/v1/status", headers=headers).is_success
        assert client.get("/v1/status", headers={"Host": "evil.example"}).status_code == 403
        assert client.get("/openapi.json").json()["servers"][0]["url"] == "https://desk.example"


def test_a_path_in_the_host_header_opens_nothing(keyed: Any) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", keyed.served.settings.port)
    connection.putrequest("GET", "/v1/status", skip_host=True)
    connection.putheader("Host", "127.0.0.1/healthz?")
    connection.endheaders()
    assert connection.getresponse().status in {400, 401, 403}
    connection.close()


def test_serving_other_machines_without_a_key_is_refused_and_with_one_needs_it(tmp_path: Path, serve: Serve) -> None:
    home = tmp_path / "home"
    keys = KeyStore(open_database("desk", home=home), SystemClock())
    for host in ("0.0.0.0", "::", "192.0.2.7", "desk.example"):
        with pytest.raises(ConfigurationError, match=r"keys create"):
            check_exposure(load_settings(home=home, host=host), keys)
    for host in ("127.0.0.1", "127.1.2.3", "::1", "localhost"):
        check_exposure(load_settings(home=home, host=host), keys)
    token = keys.create(name="first", scopes=("read",)).token
    check_exposure(load_settings(home=home, host="0.0.0.0"), keys)
    with serve(keep_listening_as="0.0.0.0") as served, served.client() as nobody, served.client(token) as somebody:
        assert nobody.get("/v1/status").status_code == 401
        assert somebody.get("/v1/status", headers={"Host": "desk.example"}).is_success


def test_one_owners_things_are_not_there_for_another(keyed: Any) -> None:
    ada, bob = keyed.client("read", "trade", "approve"), keyed.client("read", "trade", "approve")
    answer = ada.post("/v1/agent/invoke", json={"message": "buy 0.01 BTC"}).json()
    ticket, thread_id = answer["ticket"], answer["thread_id"]
    decision = {"decision": "approve", "ticket_hash": ticket["hash"]}
    refused = [
        bob.get(f"/v1/threads/{thread_id}"),
        bob.patch(f"/v1/threads/{thread_id}", json={"title": "bob's"}),
        bob.delete(f"/v1/threads/{thread_id}"),
        bob.get(f"/v1/runs/{answer['run_id']}/events"),
        bob.get(f"/v1/tickets/{ticket['id']}"),
        bob.post(f"/v1/tickets/{ticket['id']}/decision", json=decision),
        bob.post("/v1/agent/invoke", json={"message": "hello", "thread_id": thread_id}),
    ]
    assert [(response.status_code, response.json()["code"]) for response in refused] == [(404, "not_found")] * 7
    assert ada.post(f"/v1/tickets/{ticket['id']}/decision", json=decision).json()["order"]["status"] == "filled"
    for path, name in (("tickets", "tickets"), ("orders", "orders"), ("fills", "fills"), ("threads", "threads")):
        assert len(ada.get(f"/v1/{path}").json()[name]) == 1
        assert bob.get(f"/v1/{path}").json()[name] == []
    assert bob.get(f"/v1/audit?ticket_id={ticket['id']}").json()["records"] == []
    assert bob.get("/v1/tickets", params={"thread_id": thread_id}).json()["tickets"] == []
    assert [holding["symbol"] for holding in ada.get("/v1/portfolio").json()["positions"]] == ["BTC/USDT"]
    assert bob.get("/v1/portfolio").json()["equity"] == "100000"


def test_two_keys_of_one_owner_share_everything(keyed: Any) -> None:
    owner = f"desk-{uuid.uuid4().hex[:6]}"
    proposer, approver = keyed.client("trade", owner=owner), keyed.client("read", "approve", owner=owner)
    ticket = proposer.post("/v1/agent/invoke", json={"message": "buy 0.01 BTC"}).json()["ticket"]
    decision = {"decision": "approve", "ticket_hash": ticket["hash"]}
    assert proposer.post(f"/v1/tickets/{ticket['id']}/decision", json=decision).status_code == 403
    decided = approver.post(f"/v1/tickets/{ticket['id']}/decision", json=decision).json()
    assert decided["ticket"]["decided_by"].startswith(f"{owner} (key ")
    assert approver.get("/v1/status").json()["owner"] == owner
