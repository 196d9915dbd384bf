"""A program that asks for its ticket again under the same `Idempotency-Key` gets the same one."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.run_store import Claim, RunRequest, RunStore
from engines.domain.clock import SystemClock
from engines.storage.database import open_database

Serve = Callable[..., contextlib.AbstractContextManager[Any]]
BID = {"symbol": "BTC/USDT", "side": "buy", "quantity": "0.01", "order_type": "limit", "limit_price": "50000"}


@pytest.fixture
def trader(keyed: Any) -> httpx.Client:
    client: httpx.Client = keyed.client("read", "trade", "approve")
    return client


def ask(client: httpx.Client, key: str, **changes: str) -> httpx.Response:
    return client.post("/v1/tickets", json=BID | changes, headers={"Idempotency-Key": key})


def tickets(client: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/v1/tickets").json()["tickets"]
    return found


def test_the_same_request_under_its_key_is_the_same_ticket_also_when_it_was_decided(trader: httpx.Client) -> None:
    key = uuid.uuid4().hex
    first = ask(trader, key)
    assert (first.status_code, first.json()["status"]) == (201, "pending")
    assert ask(trader, key).json() == first.json()
    assert tickets(trader) == [first.json()]
    ticket = first.json()
    body = {"decision": "reject", "ticket_hash": ticket["hash"]}
    assert trader.post(f"/v1/tickets/{ticket['id']}/decision", json=body).is_success
    again = ask(trader, key)
    assert (again.status_code, again.json()) == (201, ticket)
    assert [(t["id"], t["status"]) for t in tickets(trader)] == [(ticket["id"], "rejected")]


def test_another_request_under_the_key_is_refused_and_makes_no_ticket(trader: httpx.Client) -> None:
    key = uuid.uuid4().hex
    first = ask(trader, key).json()
    decision = {"decision": "approve", "ticket_hash": first["hash"]}
    refused = [
        ask(trader, key, quantity="0.02"),
        trader.post("/v1/agent/invoke", json={"message": "hello"}, headers={"Idempotency-Key": key}),
        trader.post(f"/v1/tickets/{first['id']}/decision", json=decision, headers={"Idempotency-Key": key}),
    ]
    assert [(r.status_code, r.json()["code"]) for r in refused] == [(422, "idempotency_key_reused")] * 3
    assert tickets(trader) == [first]


def test_the_key_of_one_owner_is_no_key_of_another(keyed: Any) -> None:
    key = uuid.uuid4().hex
    ids = {ask(keyed.client("read", "trade"), key).json()["id"] for _ in range(2)}
    assert len(ids) == 2


def test_without_a_key_every_request_is_a_ticket_of_its_own(trader: httpx.Client) -> None:
    for _ in range(2):
        assert trader.post("/v1/tickets", json=BID).status_code == 201
    assert len(tickets(trader)) == 2
    assert trader.get("/v1/threads").json()["threads"] == []


def test_what_was_refused_is_refused_again_under_its_key_and_its_conversation_says_why(trader: httpx.Client) -> None:
    key = uuid.uuid4().hex
    answers = [ask(trader, key, quantity="1000000000") for _ in range(2)]
    assert answers[0].status_code in {409, 422}, answers[0].text
    assert answers[0].status_code == answers[1].status_code
    assert answers[0].json() == answers[1].json()
    (thread,) = trader.get("/v1/threads").json()["threads"]
    (message,) = trader.get(f"/v1/threads/{thread['id']}").json()["messages"]
    assert message["text"].startswith(answers[0].json()["detail"])
    assert tickets(trader) == []


def test_repeats_at_once_and_after_a_restart_are_one_ticket_in_either_database(serve: Serve, database_url: str) -> None:
    key = uuid.uuid4().hex
    with serve(database_url=database_url) as served, served.client() as client:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: ask(client, key), range(8)))
        assert [answer.status_code for answer in answers] == [201] * 8, [a.text for a in answers]
        assert all(answer.json() == answers[0].json() for answer in answers)
        assert len(tickets(client)) == 1
    with serve(database_url=database_url) as served, served.client() as client:
        assert ask(client, key).json() == answers[0].json()
        assert len(tickets(client)) == 1


def test_two_servers_on_one_database_seal_one_ticket_for_a_key(
    serving_home: Serve, tmp_path: Path, postgres_url: str
) -> None:
    key = uuid.uuid4().hex
    with (
        serving_home(tmp_path / "one", database_url=postgres_url) as one,
        serving_home(tmp_path / "two", database_url=postgres_url) as two,
        one.client() as first,
        two.client() as second,
        ThreadPoolExecutor(8) as pool,
    ):
        answers = list(pool.map(lambda n: ask((first, second)[n % 2], key), range(8)))
        # Of a request that another process works on the answer may be "busy: repeat it soon".
        made = [answer.json() for answer in answers if answer.status_code == 201]
        busy = [answer.json()["code"] for answer in answers if answer.status_code != 201]
        assert made
        assert set(busy) <= {"busy"}
        assert all(ticket == made[0] for ticket in made)
        assert ask(first, key).json() == ask(second, key).json() == made[0]
        assert len(tickets(first)) == 1


@pytest.mark.parametrize("sealed", [True, False])
def test_a_request_that_a_stop_cut_off_has_its_ticket_or_may_be_made_again(
    serve: Serve, tmp_path: Path, *, sealed: bool
) -> None:
    key = uuid.uuid4().hex
    with serve() as served, served.client() as client:
        ticket = client.post("/v1/tickets", json=BID).json()
    engine = open_database("desk", home=tmp_path / "home")
    # What the server has written down when it dies before, or just after, it has sealed the ticket.
    thread = ticket["thread_id"] if sealed else str(uuid.uuid4())
    run, _ = RunStore(engine, SystemClock()).begin(RunRequest("proposal", "local", thread, "", "", Claim(key, "f")))
    with serve() as served, served.client() as client:
        record = RunStore(engine, SystemClock()).get(run.id, "local")
        assert record.outcome is not None
        again = ask(client, key)
        if sealed:
            assert (record.outcome.status_code, record.outcome.body) == (201, ticket)
            # The key is still taken; only the fingerprint written above is that of no request.
            assert (again.status_code, len(tickets(client))) == (422, 1)
        else:
            assert record.outcome.status == "failed"
            assert (again.status_code, len(tickets(client))) == (201, 2)
    engine.dispose()
