"""What every request passes before a route sees it: host and origin, size, and one line in the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from sse_starlette.sse import SendTimeoutError
from starlette.datastructures import Headers, State
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Forbidden, TooLarge, problem_of, problem_response, unexpected_problem
from engines.errors import QuantumTraderError

logger = logging.getLogger("api.requests")

MAX_BODY_BYTES: Final = 256 * 1024
LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class StartReport:
    """Tells the operator what is wrong when the desk cannot start, instead of how the program noticed it."""

    def __init__(self, app: ASGIApp, *, state: State) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Replace the traceback of an error raised on purpose by what it says."""

        async def plain_send(message: Message) -> None:
            failure = getattr(self._state, "failure", None)
            if message["type"] == "lifespan.startup.failed" and failure is not None:
                message = {**message, "message": str(failure)}
            await send(message)

        await self._app(scope, receive, plain_send if scope["type"] == "lifespan" else send)


class OriginGuard:
    """Refuse pages of other sites: by `Host` on loopback (DNS rebinding), by `Origin` everywhere (cross-site calls).

    It also covers websockets, which browsers open across sites without asking.
    """

    def __init__(self, app: ASGIApp, *, loopback_only: bool, public_url: str) -> None:
        self._app = app
        self._loopback_only = loopback_only
        public = urlsplit(public_url)
        # An unset address must allow nothing: an empty host or the origin `null` would equal it.
        self._hostnames = LOOPBACK_HOSTS | ({public.hostname} if public.hostname else frozenset())
        self._places = frozenset({public.netloc} if public.netloc else ())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass."""
        refusal = self._refusal(Headers(scope=scope)) if scope["type"] in {"http", "websocket"} else None
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.message})
        else:
            await problem_response(problem_of(refusal))(scope, receive, send)

    def _refusal(self, headers: Headers) -> Forbidden | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._loopback_only and _hostname(host) not in self._hostnames:
            return Forbidden(
                f"This desk does not answer for the host {host[:100]!r}.",
                remedy="Call it as 127.0.0.1 or localhost, or set QTP_PUBLIC_URL to the address it is reached at.",
            )
        if origin is not None and (not host or _netloc(origin) not in {host, *self._places}):
            return Forbidden(
                f"Pages of {origin[:100]!r} may not call this desk.",
                remedy="Call it from a server, or from the address the desk itself is served at.",
            )
        return None


class BodyLimit:
    """Refuse bodies larger than `MAX_BODY_BYTES` before anything is made of them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the whole body, then pass it on at once."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        if "content-length" not in headers and "transfer-encoding" not in headers:
            await self._app(scope, receive, send)
            return
        try:
            body = await _read_body(receive, announced=headers.get("content-length", "0"))
        except TooLarge as error:
            await problem_response(problem_of(error))(scope, receive, send)
            return
        if body is None:  # the client left before it had sent everything
            return
        messages: Iterator[Message] = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def replay() -> Message:
            return next(messages, None) or await receive()

        await self._app(scope, replay, send)


class RequestLog:
    """One log line a request, without query, body or headers; and the last resort for unforeseen errors."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Time the request and note its status."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started = 0, time.perf_counter()

        async def noting_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        line = f"{scope['method']} {scope['path']}"
        try:
            await self._app(scope, receive, noting_send)
        except SendTimeoutError:
            logger.info("%s: the client took no events for too long and was let go", line)
        except Exception as error:  # noqa: BLE001 - process edge: the answer gives nothing away, the log has it all
            problem = unexpected_problem(error, during=line)
            if not status:
                await problem_response(problem)(scope, receive, noting_send)
        finally:
            level = logging.DEBUG if scope["path"] in {"/healthz", "/readyz"} else logging.INFO
            logger.log(level, "%s %s %.0f ms", line, status or "-", (time.perf_counter() - started) * 1000)


async def _read_body(receive: Receive, *, announced: str) -> bytes | None:
    if announced.isdigit() and int(announced) > MAX_BODY_BYTES:
        raise _too_large()
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise _too_large()
        if not message.get("more_body", False):
            return bytes(body)


def _too_large() -> QuantumTraderError:
    return TooLarge(
        f"The request body is larger than {MAX_BODY_BYTES // 1024} kB.",
        remedy="Send less: a message has at most 20,000 characters.",
    )


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _netloc(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""
