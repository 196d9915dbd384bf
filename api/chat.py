"""The place of the chat at /chat: loaded in the background, since its libraries take seconds to import."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

logger = logging.getLogger(__name__)

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">{refresh}<title>Quantum Trader Pro</title><link rel="icon" href="data:,">
<style>:root{{color-scheme:light dark}}body{{font:16px/1.5 system-ui;margin:20vh auto;max-width:32rem}}</style>
</head><body><p role="status">{text}</p></body></html>
"""
_REFRESH: Final = '<meta http-equiv="refresh" content="1">'


class ChatGate:
    """Forwards to the chat once it is loaded; until then it shows a page that looks again by itself.

    The chat's own lifespan is not run: its end would end the process.
    """

    def __init__(self, load: Callable[[], ASGIApp]) -> None:
        self._load = load
        self._app: ASGIApp | None = None
        self._failed = False

    @property
    def ready(self) -> bool:
        """True once the chat answers."""
        return self._app is not None

    async def load(self) -> None:
        """Load the chat in a thread; what goes wrong is logged and shown at its place."""
        try:
            self._app = await run_in_threadpool(self._load)
        except Exception:
            # Process edge: without the chat the rest of the desk still works.
            logger.exception("the chat could not be loaded")
            self._failed = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward, or say that it is not there yet."""
        if self._app is not None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1013, "reason": "The chat is still loading."})
        else:
            await self._page()(scope, receive, send)

    def _page(self) -> HTMLResponse:
        if self._failed:
            text = 'The chat could not be loaded; the server\'s log says why. The <a href="/docs">API</a> works.'
            return HTMLResponse(_PAGE.format(refresh="", text=text), status_code=HTTPStatus.SERVICE_UNAVAILABLE)
        page = _PAGE.format(refresh=_REFRESH, text="The chat is starting. This takes a few seconds.")
        return HTMLResponse(page, status_code=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": "1"})
