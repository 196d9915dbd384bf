"""The clients of the HTTP surface, against a real server that breaks off on purpose."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.serving import served
from ui.client import AsyncDeskClient, Decision, DeskClient, DeskError, DeskProblem, DeskUnreachable
from ui.requests import Call

EVENTS = [
    ("run", {"run_id": "r 1", "thread_id": "t"}),
    ("token", {"text": "a"}),
    ("token", {"text": "b"}),
    ("done", {}),
]


class Desk:
    """Serves four events of one run and drops the first connection after `keep` of them."""

    def __init__(self, *, keep: int = 4, name_run: bool = True) -> None:
        self.keep = keep
        self.events = EVENTS if name_run else EVENTS[1:]
        self.seen: list[dict[str, Any]] = []
        self.app = Starlette(
            routes=[
                Route("/v1/agent/stream", self.stream, methods=["POST"]),
                Route("/v1/runs/{run_id}/events", self.resume),
                Route("/v1/tickets/{ticket_id:path}/decision", self.decide, methods=["POST"]),
                Route("/v1/status", self.status),
                Route("/v1/tickets", self.tickets),
                Route("/", self.page),
            ]
        )

    async def stream(self, request: Request) -> Response:
        self.seen.append({"path": request.url.path, "body": await request.json()})
        return self._send(0, self.keep)

    async def resume(self, request: Request) -> Response:
        after = int(request.headers.get("last-event-id", "0"))
        self.seen.append({"path": request.url.path, "after": after})
        return self._send(after, len(self.events))

    async def decide(self, request: Request) -> Response:
        self.seen.append({"path": request.url.path, "body": await request.json()})
        problem = {"code": "conflict", "detail": "T-1 is already approved.", "remedy": "Nothing was sent twice."}
        return JSONResponse(problem, status_code=409, media_type="application/problem+json")

    async def status(self, request: Request) -> Response:
        return JSONResponse({"key": request.headers.get("authorization", "")})

    async def tickets(self, request: Request) -> Response:
        return JSONResponse({"tickets": [dict(request.query_params)]})

    async def page(self, request: Request) -> Response:
        return HTMLResponse("<p>Welcome</p>")

    def _send(self, start: int, end: int) -> StreamingResponse:
        async def body() -> Any:
            for number, (name, data) in list(enumerate(self.events, 1))[start:end]:
                yield f": ping\n\nid: {number}\nevent: {name}\ndata: {json.dumps(data)}\n\n"

        return StreamingResponse(body(), media_type="text/event-stream")


@pytest.fixture
def serve() -> Iterator[Callable[[Desk], str]]:
    with ExitStack() as stack:
        yield lambda desk: stack.enter_context(served(desk.app))


def test_stream_yields_every_event_in_order(serve: Any) -> None:
    desk = Desk()
    with DeskClient(serve(desk)) as client:
        events = list(client.stream("hello", "t"))
    assert [(event.name, event.data) for event in events] == EVENTS
    assert desk.seen == [{"path": "/v1/agent/stream", "body": {"message": "hello", "thread_id": "t"}}]


def test_a_broken_stream_is_taken_up_where_it_was_without_asking_twice(serve: Any) -> None:
    desk = Desk(keep=2)
    with DeskClient(serve(desk)) as client:
        events = list(client.stream("hello"))
    assert [(event.name, event.data) for event in events] == EVENTS
    assert desk.seen[1:] == [{"path": "/v1/runs/r 1/events", "after": 2}]


@pytest.mark.anyio
async def test_the_async_client_takes_a_broken_stream_up_too(serve: Any) -> None:
    desk = Desk(keep=3)
    async with AsyncDeskClient(serve(desk)) as client:
        events = [event.name async for event in client.stream("hello")]
    assert events == ["run", "token", "token", "done"]


def test_a_stream_that_broke_before_its_run_was_named_is_not_asked_again(serve: Any) -> None:
    desk = Desk(keep=1, name_run=False)
    with DeskClient(serve(desk)) as client, pytest.raises(DeskUnreachable, match="before it was complete"):
        list(client.stream("buy 1 btc"))
    assert len(desk.seen) == 1


def test_a_refusal_carries_code_message_and_remedy(serve: Any) -> None:
    with DeskClient(serve(Desk())) as client, pytest.raises(DeskProblem) as refused:
        client.decide("k1", Decision("approve", "h"))
    assert (refused.value.status, refused.value.code) == (409, "conflict")
    assert str(refused.value) == "T-1 is already approved. Nothing was sent twice."


def test_a_decision_sends_the_hash_the_edits_and_the_resolution(serve: Any) -> None:
    desk = Desk()
    decision = Decision("edit", "h", edits={"quantity": "0.02"}, resolve_differences=True)
    with DeskClient(serve(desk)) as client, pytest.raises(DeskProblem):
        client.decide("k1", decision)
    body = {"decision": "edit", "ticket_hash": "h", "resolve_differences": "yes", "quantity": "0.02"}
    assert desk.seen == [{"path": "/v1/tickets/k1/decision", "body": body}]


def test_an_id_from_the_address_bar_cannot_leave_its_place_in_the_path(serve: Any) -> None:
    desk = Desk()
    with DeskClient(serve(desk)) as client, pytest.raises(DeskProblem):
        client.decide("../../x", Decision("reject", "h"))
    assert desk.seen[0]["path"] == "/v1/tickets/../../x/decision"


def test_the_key_travels_as_bearer_and_unset_filters_do_not_travel(serve: Any) -> None:
    with DeskClient(serve(Desk()), key="qtp_1") as client:
        assert client.status() == {"key": "Bearer qtp_1"}
        assert client.tickets(status="pending") == [{"status": "pending"}]


def test_a_server_that_is_no_desk_is_told_in_words(serve: Any) -> None:
    with DeskClient(serve(Desk())) as client, pytest.raises(DeskError, match=r"is no desk\. Check the address"):
        client.send(Call("GET", "/"))


def test_a_desk_that_is_not_there_is_named_with_a_remedy() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with (
            DeskClient(address) as client,
            pytest.raises(DeskUnreachable, match=r"does not answer\. Check that it runs"),
        ):
            client.status()
