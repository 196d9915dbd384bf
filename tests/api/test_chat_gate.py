"""The chat's place: a page that waits, then the chat with its websockets, or a word on what went wrong."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

Serve = Callable[..., contextlib.AbstractContextManager[Any]]


async def page(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"chat at {request.url.path}")


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
    await websocket.close()


def chat_app() -> Starlette:
    return Starlette(routes=[WebSocketRoute("/ws", echo), Route("/{path:path}", page)])


def wait_until_ready(client: httpx.Client) -> None:
    deadline = time.monotonic() + 10
    while not client.get("/v1/status").json()["chat_ready"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_page_that_looks_again_stands_in_until_the_chat_is_loaded(serve: Serve) -> None:
    go_on = threading.Event()

    def load() -> Starlette:
        go_on.wait(20)
        return chat_app()

    with serve(chat=load) as served, served.client() as client:
        try:
            assert client.get("/").headers["location"] == "/chat"
            waiting = client.get("/chat/", follow_redirects=True)
            assert waiting.status_code == 503
            assert 'http-equiv="refresh"' in waiting.text
            assert client.get("/v1/status").json()["chat_ready"] is False
            with pytest.raises(InvalidStatus):
                connect(f"{served.url.replace('http', 'ws')}/chat/ws")
        finally:
            go_on.set()
        wait_until_ready(client)
        assert client.get("/chat/", follow_redirects=True).text == "chat at /chat/"
        assert client.get("/chat/a/b").text == "chat at /chat/a/b"
        with connect(f"{served.url.replace('http', 'ws')}/chat/ws") as websocket:
            websocket.send("hello")
            assert websocket.recv() == "hello"


def test_pages_of_other_sites_cannot_open_the_chats_websocket(serve: Serve) -> None:
    with serve(chat=chat_app) as served, served.client() as client:
        wait_until_ready(client)
        address = f"{served.url.replace('http', 'ws')}/chat/ws"
        with pytest.raises(InvalidStatus):
            connect(address, origin=Origin("http://evil.example"))
        with connect(address, origin=Origin(served.url)) as websocket:
            websocket.send("hello")
            assert websocket.recv() == "hello"


def test_a_chat_that_cannot_be_loaded_leaves_the_rest_working(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    def load() -> Starlette:
        raise RuntimeError("no such library")

    with serve(chat=load) as served, served.client() as client:
        deadline = time.monotonic() + 10
        while "could not be loaded" not in (text := client.get("/chat/").text):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert "refresh" not in text
        assert "no such library" not in text
        assert client.post("/v1/agent/invoke", json={"message": "hello"}).is_success
    assert "no such library" in caplog.text
