"""WebSocket connections: what they subscribed to, and how faults spoil what they are sent."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator

from aiohttp import web

from .exchanges import Json, rewritten
from .faults import Fault, Faults


class Socket:
    """One connection. Messages leave in the order they are put, unless a fault says otherwise."""

    def __init__(
        self, ws: web.WebSocketResponse, request: web.Request, faults: Faults, status_fields: frozenset[str]
    ) -> None:
        self.ws = ws
        self.path = request.path
        self.subscriptions: dict[str, Json] = {}
        self.private = False
        self.sequence = 0
        """How many private messages were sent, for dialects that number them."""
        self._request = request
        self._faults = faults
        self._status_fields = status_fields
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._kept: list[str] = []
        self._silent_until: dict[str, float] = {}

    def reply(self, message: Json) -> None:
        """Answer a request of the client; faults do not touch it."""
        self._queue.put_nowait(json.dumps(message, separators=(",", ":")))

    def put(self, channel: str, message: Json) -> None:
        """Send one message of a channel: `private`, `trades`, `book`, `candles` or `ticker`."""
        if self._silent_until and self._is_silent(channel):
            return
        fault = self._faults.take(f"stream:{channel}", {})
        if fault is not None and fault.kind == "unknown_status":
            word = str(fault.details.get("word", "SLEEPING"))
            message = rewritten(message, self._status_fields, lambda _: word)
        text = json.dumps(message, separators=(",", ":"))
        if fault is None or fault.kind == "unknown_status":
            self._send(text)
        else:
            self._spoil(fault, channel, text)

    def _send(self, text: str) -> None:
        self._queue.put_nowait(text)
        while self._kept:
            self._queue.put_nowait(self._kept.pop(0))

    def _spoil(self, fault: Fault, channel: str, text: str) -> None:
        if fault.kind == "duplicate":
            self._send(text)
            self._send(text)
        elif fault.kind == "reorder":
            self._kept.append(text)
        elif fault.kind == "late":
            asyncio.get_running_loop().call_later(fault.seconds, self._queue.put_nowait, text)
        elif fault.kind == "silent":
            self.silence(channel, fault.seconds)
        elif fault.kind == "cut":
            self.cut()

    def silence(self, channel: str, seconds: float) -> None:
        """Send nothing on a channel (`*`: on any) for a while; the connection stays up."""
        self._silent_until[channel] = time.monotonic() + seconds

    def _is_silent(self, channel: str) -> bool:
        now = time.monotonic()
        return any(self._silent_until.get(name, 0.0) > now for name in (channel, "*"))

    def cut(self) -> None:
        """Break the connection without a closing handshake."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def write(self) -> None:
        """Send what is queued until the connection ends."""
        while True:
            await self.ws.send_str(await self._queue.get())


class Sockets:
    """The open connections of one venue."""

    def __init__(self) -> None:
        self._open: dict[int, Socket] = {}
        self.refused_until = 0.0
        self.opened = 0

    def add(self, socket: Socket) -> None:
        """Count a connection in."""
        self.opened += 1
        self._open[id(socket)] = socket

    def remove(self, socket: Socket) -> None:
        """Count a connection out."""
        self._open.pop(id(socket), None)

    def __iter__(self) -> Iterator[Socket]:
        return iter(list(self._open.values()))

    def __len__(self) -> int:
        return len(self._open)
