"""A real server process, killed at the worst moments: nothing is lost and nothing happens twice."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from api.run_store import Claim, Event, RunRequest, RunStore
from engines.domain.clock import SystemClock
from engines.ledger.ledger import Ledger
from engines.storage.database import open_database

ROOT = Path(__file__).parents[2]
SERVER = """
import sys
from pathlib import Path
import uvicorn
from agents.settings import load_settings
from api.app import create_app
settings = load_settings(home=Path(sys.argv[1]), port=int(sys.argv[2]), ticket_seconds=600)
uvicorn.run(create_app(settings), host="127.0.0.1", port=settings.port, log_level="warning", access_log=False)
"""
Sse = Callable[[Iterator[str]], Iterator[Any]]


class Process:
    """A server process on a home, and a client of it."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def start(self) -> httpx.Client:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [sys.executable, "-c", SERVER, str(self.home), str(port)]
        self.process = subprocess.Popen(command, cwd=ROOT)
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{url}/healthz", trust_env=False).is_success:
                    return httpx.Client(base_url=url, timeout=60, trust_env=False)
            assert self.process.poll() is None, "the server ended while it was starting"
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=10)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path / "home")
    yield process
    with contextlib.suppress(AttributeError):
        process.kill()


@contextlib.contextmanager
def database_of(server: Process) -> Iterator[Engine]:
    engine = open_database("desk", home=server.home)
    try:
        yield engine
    finally:
        engine.dispose()


def propose(client: httpx.Client) -> dict[str, Any]:
    ticket: dict[str, Any] = client.post("/v1/agent/invoke", json={"message": "buy 0.01 BTC"}).json()["ticket"]
    return ticket


def approval(ticket: dict[str, Any]) -> tuple[str, dict[str, str]]:
    return f"/v1/tickets/{ticket['id']}/decision", {"decision": "approve", "ticket_hash": ticket["hash"]}


def assert_filled_once(client: httpx.Client, ticket: dict[str, Any]) -> None:
    assert client.get(f"/v1/tickets/{ticket['id']}").json()["status"] == "filled"
    assert len(client.get("/v1/orders").json()["orders"]) == 1
    assert [fill["quantity"] for fill in client.get("/v1/fills").json()["fills"]] == ["0.01"]


def test_a_ticket_survives_a_kill_and_is_filled_once(server: Process) -> None:
    with server.start() as client:
        ticket = propose(client)
        server.kill()
    with server.start() as client:
        assert client.get("/v1/tickets?status=pending").json()["tickets"] == [ticket]
        path, body = approval(ticket)
        assert client.post(path, json=body).json()["order"]["status"] == "filled"
        assert_filled_once(client, ticket)
        thread = client.get(f"/v1/threads/{ticket['thread_id']}").json()
        assert [message["role"] for message in thread["messages"]] == ["user", "assistant", "assistant"]


def test_an_approval_that_was_recorded_before_a_kill_is_carried_out_at_the_next_start(server: Process) -> None:
    with server.start() as client:
        ticket = propose(client)
        server.kill()
    key, (path, body) = uuid.uuid4().hex, approval(ticket)
    with database_of(server) as engine:
        # What the server has written down when it dies between recording the decision and sending the order.
        request = RunRequest(
            "decision", "local", ticket["thread_id"], ticket["id"], "Ticket T-1", Claim(key, "another body")
        )
        run, _ = RunStore(engine, SystemClock()).begin(request)
        Ledger(engine, SystemClock()).decide(ticket["id"], "approve", ticket["hash"], "local")
    with server.start() as client:
        assert_filled_once(client, ticket)
        assert client.post(path, json=body).status_code == 409
        assert client.post(path, json=body, headers={"Idempotency-Key": key}).status_code == 422
        with client.stream("GET", f"/v1/runs/{run.id}/events") as response:
            text = response.read().decode()
        assert "event: message" in text
        assert '"filled"' in text
        assert text.rstrip().endswith('data: {"status": "completed"}')
        reply = client.get(f"/v1/threads/{ticket['thread_id']}").json()["messages"][-1]
        assert "Filled" in reply["text"]
        server.kill()
    with server.start() as client:
        assert_filled_once(client, ticket)


def test_an_order_that_was_journalled_and_not_seen_at_the_venue_is_not_sent_again(server: Process) -> None:
    with server.start() as client:
        ticket = propose(client)
        server.kill()
    with database_of(server) as engine:
        ledger = Ledger(engine, SystemClock())
        ledger.decide(ticket["id"], "approve", ticket["hash"], "local")
        price = Decimal(ticket["reference_price"])
        with ledger.claim(ticket["id"]):
            ledger.journal_submission(ticket["id"], lambda *_: "", price=price, fee=Decimal("0.001"))
    with server.start() as client:
        assert client.get(f"/v1/tickets/{ticket['id']}").json()["status"] == "not_accepted"
        assert client.get("/v1/fills").json()["fills"] == []
        assert client.get("/v1/orders?status=open").json()["orders"] == []
        path, body = approval(ticket)
        assert client.post(path, json=body).status_code == 409


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.005, 0.03, 0.06, 0.1])
def test_whenever_the_kill_comes_a_retry_under_its_key_tells_of_at_most_one_order(
    server: Process, delay: float
) -> None:
    with server.start() as client:
        ticket = propose(client)
        path, body = approval(ticket)
        headers = {"Idempotency-Key": uuid.uuid4().hex}

        def approve() -> None:
            with contextlib.suppress(httpx.TransportError):
                client.post(path, json=body, headers=headers)

        caller = threading.Thread(target=approve)
        caller.start()
        time.sleep(delay)
        server.kill()
        caller.join()
    with server.start() as client:
        decided = client.post(path, json=body, headers=headers)
        assert decided.status_code == 200
        assert client.post(path, json=body, headers=headers).json() == decided.json()
        status, fills = decided.json()["ticket"]["status"], decided.json()["fills"]
        if status == "not_accepted":
            # Killed between journalling and sending: what may have been sent is looked up, never sent again.
            assert fills == client.get("/v1/fills").json()["fills"] == []
            assert "never took order" in decided.json()["reply"]
        else:
            assert (status, len(fills)) == ("filled", 1)
            assert_filled_once(client, ticket)


def test_a_message_that_was_cut_off_ends_as_failed_behind_what_was_seen(server: Process, sse: Sse) -> None:
    server.home.mkdir()
    thread_id, key = str(uuid.uuid4()), uuid.uuid4().hex
    with database_of(server) as engine:
        store = RunStore(engine, SystemClock())
        request = RunRequest("message", "local", thread_id, "buy 1 BTC", "buy 1 BTC", Claim(key, "f"))
        run, _ = store.begin(request)
        store.append(run.id, [Event(1, "run", '{"run_id":"x"}'), Event(2, "step", '{"node":"supervisor"}')])
    with server.start() as client:
        headers = {"Last-Event-ID": "2"}
        with client.stream("GET", f"/v1/runs/{run.id}/events", headers=headers) as response:
            events = list(sse(response.iter_lines()))
        assert [(event.id, event.name) for event in events] == [(3, "error"), (4, "message"), (5, "done")]
        assert (events[0].data["code"], events[1].data["status"], events[2].data) == (
            "interrupted",
            "failed",
            {"status": "failed"},
        )
        messages = client.get(f"/v1/threads/{thread_id}").json()["messages"]
        assert [message["role"] for message in messages] == ["user", "assistant"]
        assert "stopped before this was finished" in messages[1]["text"]
        assert client.get("/v1/tickets").json()["tickets"] == []


def test_a_decision_that_was_never_recorded_may_be_made_again_under_its_key(server: Process) -> None:
    key = uuid.uuid4().hex
    with server.start() as client:
        ticket = propose(client)
        server.kill()
    with database_of(server) as engine:
        request = RunRequest(
            "decision", "local", ticket["thread_id"], ticket["id"], "Ticket T-1", Claim(key, "another body")
        )
        run, _ = RunStore(engine, SystemClock()).begin(request)
    with server.start() as client:
        path, body = approval(ticket)
        assert client.get(f"/v1/tickets/{ticket['id']}").json()["status"] == "pending"
        decided = client.post(path, json=body, headers={"Idempotency-Key": key})
        assert decided.json()["ticket"]["status"] == "filled"
        assert decided.json()["run_id"] != run.id


def test_a_polite_stop_lets_a_running_answer_finish(server: Process, sse: Sse) -> None:
    with server.start() as client:
        with client.stream("POST", "/v1/agent/stream", json={"message": "How does BTC look on the 4h?"}) as response:
            run_id = next(sse(response.iter_lines())).data["run_id"]
            server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=30) == 0 or server.process.returncode == -signal.SIGTERM
    with server.start() as client, client.stream("GET", f"/v1/runs/{run_id}/events") as response:
        events = list(sse(response.iter_lines()))
    assert [event.name for event in events][-2:] == ["message", "done"]
    assert events[-1].data == {"status": "completed"}


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"host": "0.0.0.0"}, "quantum-trader keys create"),
        ({"model": "nonsense:x"}, "QTP_MODEL"),
        ({"home": "/proc/none"}, "QTP_HOME"),
        ({"database_url": "postgresql://127.0.0.1:1/none?connect_timeout=1"}, "QTP_DATABASE_URL"),
    ],
)
def test_a_desk_that_cannot_start_says_what_to_do_and_nothing_else(
    tmp_path: Path, options: dict[str, str], hint: str
) -> None:
    settings = {"home": str(tmp_path / "home"), "port": 1, **options}
    code = (
        "import uvicorn; from agents.settings import load_settings; from api.app import create_app;"
        f"uvicorn.run(create_app(load_settings(**{settings!r})), port=0, log_level='warning')"
    )
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0
    assert hint in ended.stderr
    assert "Traceback" not in ended.stderr
