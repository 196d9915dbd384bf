"""Talking to a desk over HTTP: whole answers, streams, streams taken up again."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

Sse = Callable[[Iterator[str]], Iterator[Any]]
Serve = Callable[..., contextlib.AbstractContextManager[Any]]


def ask(client: httpx.Client, message: str, thread_id: str | None = None, **headers: str) -> dict[str, Any]:
    body = {"message": message} | ({"thread_id": thread_id} if thread_id else {})
    response = client.post("/v1/agent/invoke", json=body, headers=headers)
    response.raise_for_status()
    answer: dict[str, Any] = response.json()
    return answer


def streamed(client: httpx.Client, sse: Sse, message: str, thread_id: str | None = None) -> list[Any]:
    body = {"message": message} | ({"thread_id": thread_id} if thread_id else {})
    with client.stream("POST", "/v1/agent/stream", json=body) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        return list(sse(response.iter_lines()))


def resumed(client: httpx.Client, sse: Sse, run_id: str, **headers: str) -> list[Any]:
    with client.stream("GET", f"/v1/runs/{run_id}/events", headers=headers) as response:
        assert response.status_code == 200
        return list(sse(response.iter_lines()))


def test_an_analysis_is_answered_with_a_receipt_for_each_figure(local: httpx.Client) -> None:
    answer = ask(local, "How does BTC look on the 4h?")
    assert answer["status"] == "completed"
    assert [call["name"] for call in answer["tool_calls"]] == ["analyze_cipher"]
    assert {receipt["source"]["symbol"] for receipt in answer["receipts"]} == {"BTC/USDT"}
    assert all(f"[{receipt['n']}]" in answer["reply"] for receipt in answer["receipts"])
    assert answer["error"] is None
    assert answer["ticket"] is None
    chart = local.get(answer["artifacts"][0]["url"])
    assert chart.json()["symbol"] == "BTC/USDT"


def test_an_order_is_answered_with_a_ticket_that_waits(local: httpx.Client) -> None:
    answer = ask(local, "buy 0.01 BTC")
    assert answer["status"] == "awaiting_approval"
    ticket = answer["ticket"]
    assert answer["tickets"] == [ticket]
    assert (ticket["side"], ticket["quantity"], ticket["status"]) == ("buy", "0.01", "pending")
    assert local.get(f"/v1/tickets/{ticket['id']}").json()["hash"] == ticket["hash"]
    thread = local.get(f"/v1/threads/{answer['thread_id']}").json()
    assert [pending["id"] for pending in thread["pending"]] == [ticket["id"]]
    assert [shown["id"] for shown in thread["messages"][-1]["tickets"]] == [ticket["id"]]


def test_a_stream_tells_what_invoke_answers_in_numbered_events(local: httpx.Client, sse: Sse) -> None:
    events = streamed(local, sse, "How does ETH look on the 1h?")
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    names = [event.name for event in events]
    assert names[0] == "run"
    assert names[-2:] == ["message", "done"]
    assert {"step", "tool_call", "tool_result", "token", "artifact"} <= set(names)
    message = events[-2].data
    assert "".join(event.data["text"] for event in events if event.name == "token") == message["reply"]
    assert message["run_id"] == events[0].data["run_id"]
    assert message["thread_id"] == events[0].data["thread_id"]
    assert set(message) == set(ask(local, "How does ETH look on the 1h?"))


def test_events_end_in_newlines_that_every_client_splits(local: httpx.Client) -> None:
    with local.stream("POST", "/v1/agent/stream", json={"message": "hello"}) as response:
        text = response.read().decode()
    assert "\r" not in text
    assert text.endswith("\n\n")


def test_a_stream_goes_on_behind_the_last_event_a_client_saw(local: httpx.Client, sse: Sse) -> None:
    events = streamed(local, sse, "my positions")
    run_id = events[0].data["run_id"]
    assert resumed(local, sse, run_id) == events
    assert resumed(local, sse, run_id, **{"Last-Event-ID": "3"}) == events[3:]
    assert resumed(local, sse, f"{run_id}", **{"Last-Event-ID": str(len(events))}) == []
    with local.stream("GET", f"/v1/runs/{run_id}/events?after=5") as response:
        assert list(sse(response.iter_lines())) == events[5:]


def test_a_stream_goes_on_after_a_restart(serve: Serve, sse: Sse) -> None:
    with serve() as served, served.client() as client:
        events = streamed(client, sse, "How does BTC look on the 4h?")
    with serve() as served, served.client() as client:
        run_id = events[0].data["run_id"]
        assert resumed(client, sse, run_id, **{"Last-Event-ID": "2"}) == events[2:]
        threads = client.get("/v1/threads").json()["threads"]
        assert [thread["title"] for thread in threads] == ["How does BTC look on the 4h?"]
        again = ask(client, "and on the 1h?", events[0].data["thread_id"])
        assert again["tool_calls"][0]["args"] == {"symbol": "BTC/USDT", "timeframe": "1h"}


def test_closing_the_connection_cancels_nothing(local: httpx.Client, sse: Sse) -> None:
    with local.stream("POST", "/v1/agent/stream", json={"message": "buy 0.01 ETH"}) as response:
        first = next(sse(response.iter_lines()))
    events = resumed(local, sse, first.data["run_id"])
    assert events[0] == first
    assert events[-1].name == "done"
    assert events[-2].data["ticket"]["symbol"] == "ETH/USDT"


def test_leaving_invoke_early_does_not_lose_the_answer(local: httpx.Client) -> None:
    thread_id = str(uuid.uuid4())
    with pytest.raises(httpx.ReadTimeout):
        local.post("/v1/agent/invoke", json={"message": "scan it all", "thread_id": thread_id}, timeout=0.001)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = local.get(f"/v1/threads/{thread_id}")
        if found.is_success and len(found.json()["messages"]) == 2:
            break
        time.sleep(0.05)
    assert [message["role"] for message in found.json()["messages"]] == ["user", "assistant"]


def test_messages_of_one_thread_are_answered_one_after_the_other(local: httpx.Client) -> None:
    thread_id = str(uuid.uuid4())
    messages = [f"price of {asset}" for asset in ("BTC", "ETH", "SOL", "LTC", "XRP")]
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda message: ask(local, message, thread_id), messages))
    assert {answer["status"] for answer in answers} == {"completed"}
    symbols = [answer["tool_calls"][0]["args"]["symbol"] for answer in answers]
    assert symbols == ["BTC/USDT", "ETH/USDT", "SOL/USDT", "LTC/USDT", "XRP/USDT"]
    assert len(local.get(f"/v1/threads/{thread_id}").json()["messages"]) == 10


def test_a_thread_id_of_the_clients_own_making_begins_a_thread_when_it_is_a_uuid(local: httpx.Client) -> None:
    thread_id = str(uuid.uuid4())
    assert ask(local, "hello", thread_id.upper())["thread_id"] == thread_id
    for bad in ("1", "../../etc/passwd", "x" * 36):
        response = local.post("/v1/agent/invoke", json={"message": "hello", "thread_id": bad})
        assert response.status_code == 422
        assert response.json()["errors"][0]["field"] == "thread_id"


def test_threads_are_listed_with_what_waits_in_them_and_can_be_deleted(local: httpx.Client) -> None:
    answer = ask(local, "buy 2 SOL")
    thread_id, ticket = answer["thread_id"], answer["ticket"]
    listed = local.get("/v1/threads", params={"limit": 1}).json()
    assert (listed["threads"][0]["id"], listed["threads"][0]["pending"]) == (thread_id, 1)
    assert local.delete(f"/v1/threads/{thread_id}").json()["code"] == "conflict"
    decision = {"decision": "reject", "ticket_hash": ticket["hash"]}
    assert local.post(f"/v1/tickets/{ticket['id']}/decision", json=decision).is_success
    assert local.delete(f"/v1/threads/{thread_id}").status_code == 204
    assert local.get(f"/v1/threads/{thread_id}").status_code == 404
    assert local.delete(f"/v1/threads/{thread_id}").status_code == 404
    assert local.get(f"/v1/runs/{answer['run_id']}/events").status_code == 404
    assert local.get(f"/v1/tickets/{ticket['id']}").json()["status"] == "rejected"


def test_a_thread_is_renamed_and_keeps_its_place_and_what_was_said(local: httpx.Client) -> None:
    older, newer = (ask(local, text)["thread_id"] for text in ("hello", "help"))
    renamed = local.patch(f"/v1/threads/{older}", json={"title": "  my   first  "})
    assert (renamed.status_code, renamed.json()["title"]) == (200, "my first")
    listed = local.get("/v1/threads").json()["threads"]
    ours = [(thread["id"], thread["title"]) for thread in listed if thread["id"] in {older, newer}]
    assert ours == [(newer, "help"), (older, "my first")]
    assert local.get(f"/v1/threads/{older}").json()["messages"][0]["text"] == "hello"
    for title in ("", "   ", "x" * 61):
        assert local.patch(f"/v1/threads/{older}", json={"title": title}).status_code == 422
    assert local.patch(f"/v1/threads/{uuid.uuid4()}", json={"title": "nobody's"}).status_code == 404


def test_threads_can_be_paged_without_missing_one(local: httpx.Client) -> None:
    made = {ask(local, f"hello {number}")["thread_id"] for number in range(5)}
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = local.get("/v1/threads", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [thread["id"] for thread in page["threads"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert made <= set(seen)
    assert len(seen) == len(set(seen))


def test_the_whole_path_works_on_postgresql_and_over_a_restart(serve: Serve, sse: Sse, postgres_database: str) -> None:
    with serve(database_url=postgres_database) as served, served.client() as client:
        events = streamed(client, sse, "buy 0.01 BTC")
        ticket = events[-2].data["ticket"]
    with serve(database_url=postgres_database) as served, served.client() as client:
        assert resumed(client, sse, events[0].data["run_id"]) == events
        body = {"decision": "approve", "ticket_hash": ticket["hash"]}
        decided = client.post(f"/v1/tickets/{ticket['id']}/decision", json=body).json()
        assert decided["order"]["status"] == "filled"
        thread = client.get(f"/v1/threads/{ticket['thread_id']}").json()
        assert [message["role"] for message in thread["messages"]] == ["user", "assistant", "assistant"]
        assert client.get("/readyz").json()["status"] == "ready"
