"""Listening for news through a server that breaks off, is away for a moment, and refuses."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, aclosing
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.serving import served
from ui.client import AsyncDeskClient, DeskProblem

NEWS = {7: "first", 8: "second", 12: "third"}


class Desk:
    """Tells one event a connection, and answers as it is told to before that."""

    def __init__(self, *refusals: int) -> None:
        self.refusals = list(refusals)
        self.asked: list[tuple[str, str]] = []
        self.app = Starlette(routes=[Route("/v1/news", self.news)])

    async def news(self, request: Request) -> Response:
        self.asked.append((request.query_params["thread_id"], request.headers["last-event-id"]))
        if self.refusals:
            status = self.refusals.pop(0)
            return JSONResponse({"code": "no", "detail": f"status {status}"}, status_code=status)

        async def body() -> Any:
            yield ": ping\n\n"
            for number, text in NEWS.items():
                if number > int(request.headers["last-event-id"]):
                    yield f"id: {number}\nevent: message\ndata: {json.dumps({'reply': text})}\n\n"
                    return

        return StreamingResponse(body(), media_type="text/event-stream")


@pytest.fixture
def serve() -> Iterator[Callable[[Desk], str]]:
    with ExitStack() as stack:
        yield lambda desk: stack.enter_context(served(desk.app))


async def heard(url: str, count: int, *, after: int) -> list[str]:
    found: list[str] = []
    async with AsyncDeskClient(url) as client, aclosing(client.news("t 1", after=after)) as news:
        while len(found) < count:
            found.append((await anext(news)).data["reply"])
    return found


@pytest.mark.anyio
async def test_news_go_on_behind_the_last_one_whenever_the_connection_ends(serve: Any) -> None:
    desk = Desk()
    assert await heard(serve(desk), 3, after=0) == ["first", "second", "third"]
    assert desk.asked == [("t 1", "0"), ("t 1", "7"), ("t 1", "8")]


@pytest.mark.anyio
async def test_what_the_page_shows_already_is_not_asked_for_again(serve: Any) -> None:
    desk = Desk()
    assert await heard(serve(desk), 1, after=8) == ["third"]
    assert desk.asked == [("t 1", "8")]


@pytest.mark.anyio
async def test_a_desk_that_is_starting_is_asked_again(serve: Any) -> None:
    desk = Desk(503, 503)
    assert await heard(serve(desk), 1, after=0) == ["first"]
    assert len(desk.asked) == 3


@pytest.mark.anyio
async def test_a_desk_that_is_not_there_yet_is_waited_for(serve: Any) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    desk = Desk()
    server = uvicorn.Server(uvicorn.Config(desk.app, log_level="error", port=port))
    later = threading.Timer(1.5, server.run)
    later.start()
    try:
        assert await heard(f"http://127.0.0.1:{port}", 1, after=7) == ["second"]
    finally:
        server.should_exit = True
        later.join(timeout=10)


@pytest.mark.anyio
async def test_a_refusal_ends_the_listening_and_says_why(serve: Any) -> None:
    with pytest.raises(DeskProblem, match="status 401"):
        await heard(serve(Desk(401)), 1, after=0)
