"""`Idempotency-Key`: repeating a request is answered, not done again."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

Sse = Callable[[Iterator[str]], Iterator[Any]]
Serve = Callable[..., contextlib.AbstractContextManager[Any]]


@pytest.fixture
def trader(keyed: Any) -> httpx.Client:
    client: httpx.Client = keyed.client("read", "trade", "approve")
    return client


def new_key() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


def test_a_repeated_message_gets_the_first_answer_and_makes_no_second_ticket(trader: httpx.Client, sse: Sse) -> None:
    key, body = new_key(), {"message": "buy 0.01 BTC"}
    first = trader.post("/v1/agent/invoke", json=body, headers=key)
    second = trader.post("/v1/agent/invoke", json=body, headers=key)
    assert second.json() == first.json()
    with trader.stream("POST", "/v1/agent/stream", json=body, headers=key) as response:
        events = list(sse(response.iter_lines()))
    assert events[-2].data == first.json()
    assert len(trader.get("/v1/tickets").json()["tickets"]) == 1
    assert len(trader.get("/v1/threads").json()["threads"]) == 1


def test_without_a_key_a_repeated_message_is_a_new_one(trader: httpx.Client) -> None:
    for _ in range(2):
        trader.post("/v1/agent/invoke", json={"message": "buy 0.01 BTC"})
    assert len(trader.get("/v1/tickets").json()["tickets"]) == 2


def test_duplicates_in_flight_wait_for_the_first_one(trader: httpx.Client) -> None:
    key, body = new_key(), {"message": "buy 0.01 BTC"}
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: trader.post("/v1/agent/invoke", json=body, headers=key).json(), range(6)))
    assert all(answer == answers[0] for answer in answers)
    assert len(trader.get("/v1/tickets").json()["tickets"]) == 1


def test_a_key_with_another_request_is_refused(trader: httpx.Client) -> None:
    key = new_key()
    answer = trader.post("/v1/agent/invoke", json={"message": "buy 0.01 BTC"}, headers=key).json()
    ticket = answer["ticket"]
    decision = {"decision": "approve", "ticket_hash": ticket["hash"]}
    others = [
        trader.post("/v1/agent/invoke", json={"message": "buy 0.02 BTC"}, headers=key),
        trader.post(
            "/v1/agent/invoke", json={"message": "buy 0.01 BTC", "thread_id": answer["thread_id"]}, headers=key
        ),
        trader.post(f"/v1/tickets/{ticket['id']}/decision", json=decision, headers=key),
    ]
    problems = [(response.status_code, response.json()["code"]) for response in others]
    assert problems == [(422, "idempotency_key_reused")] * 3
    assert trader.get(f"/v1/tickets/{ticket['id']}").json()["status"] == "pending"


def test_the_same_key_of_another_owner_is_another_key(keyed: Any) -> None:
    key, body = new_key(), {"message": "hello"}
    runs = {keyed.client("trade").post("/v1/agent/invoke", json=body, headers=key).json()["run_id"] for _ in range(2)}
    assert len(runs) == 2


def test_a_repeated_decision_returns_the_first_outcome_and_fills_once(trader: httpx.Client) -> None:
    ticket = trader.post("/v1/agent/invoke", json={"message": "buy 0.01 BTC"}).json()["ticket"]
    key, body = new_key(), {"decision": "approve", "ticket_hash": ticket["hash"]}
    path = f"/v1/tickets/{ticket['id']}/decision"
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: trader.post(path, json=body, headers=key), range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert trader.post(path, json=body, headers=key).json() == answers[0].json()
    assert trader.post(path, json=body).status_code == 409
    assert len(trader.get("/v1/fills").json()["fills"]) == 1


def test_a_refused_decision_is_refused_again_under_its_key(trader: httpx.Client) -> None:
    ticket = trader.post("/v1/agent/invoke", json={"message": "buy 0.01 BTC"}).json()["ticket"]
    key, wrong = new_key(), {"decision": "approve", "ticket_hash": "wrong"}
    path = f"/v1/tickets/{ticket['id']}/decision"
    answers = [trader.post(path, json=wrong, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [409, 409]
    assert answers[0].json() == answers[1].json()
    right = {"decision": "approve", "ticket_hash": ticket["hash"]}
    assert trader.post(path, json=right, headers=new_key()).is_success


def test_keys_outlive_a_restart(serve: Serve) -> None:
    message_key, decision_key = new_key(), new_key()
    with serve() as served, served.client() as client:
        answer = client.post("/v1/agent/invoke", json={"message": "buy 0.01 BTC"}, headers=message_key).json()
        path = f"/v1/tickets/{answer['ticket']['id']}/decision"
        body = {"decision": "approve", "ticket_hash": answer["ticket"]["hash"]}
        decided = client.post(path, json=body, headers=decision_key).json()
    with serve() as served, served.client() as client:
        assert client.post("/v1/agent/invoke", json={"message": "buy 0.01 BTC"}, headers=message_key).json() == answer
        assert client.post(path, json=body, headers=decision_key).json() == decided
        assert len(client.get("/v1/fills").json()["fills"]) == 1


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_has_a_sensible_length(trader: httpx.Client, key: str) -> None:
    response = trader.post("/v1/agent/invoke", json={"message": "hello"}, headers={"Idempotency-Key": key})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "Idempotency-Key")
