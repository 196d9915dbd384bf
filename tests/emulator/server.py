"""Serves the venues over HTTP and WebSocket, and spoils what the faults say."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from .dialect import Dialect
from .exchanges import Call, Reply, rewritten
from .faults import AFTER, Fault
from .sockets import Socket

_LOST = frozenset({"timeout_before", "timeout_after", "drop_before", "drop_after"})


@dataclass(slots=True)
class Logged:
    """One request as a test reads it back."""

    number: int
    venue: str
    method: str
    path: str
    route: str
    params: Mapping[str, str]
    received_ns: int
    fault: str | None = None
    status: int | None = None
    answered_ns: int | None = None


class VenueServer:
    """HTTP front of one venue."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.log: list[Logged] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request or connection."""
        received_ns = time.monotonic_ns()
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._converse(request)
        prefix = len(self.dialect.venue.name) + 1
        call = Call(
            method=request.method,
            path=request.rel_url.raw_path[prefix:],
            query=request.rel_url.raw_query_string,
            body=await request.text() if request.can_read_body else "",
            headers=request.headers,
        )
        params, route = call.params(), self.dialect.route(call)
        entry = Logged(len(self.log), self.dialect.venue.name, call.method, call.path, route, params, received_ns)
        self.log.append(entry)
        fault = self.dialect.faults.take(route, params)
        entry.fault = fault.kind if fault else None
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        reply = self._decide(call, fault)
        response = await self._deliver(request, reply, fault)
        entry.status, entry.answered_ns = reply.status, time.monotonic_ns()
        return response

    def _decide(self, call: Call, fault: Fault | None) -> Reply:
        if fault is not None and fault.kind not in AFTER:
            return self.dialect.failure(fault)
        venue = self.dialect.venue
        venue.hide_for_ms = int(fault.seconds * 1000) if fault and fault.kind == "hidden" else 0
        venue.behind_ms = int(fault.seconds * 1000) if fault and fault.kind == "stale" else 0
        try:
            reply = self.dialect.answer(call)
        finally:
            venue.hide_for_ms = venue.behind_ms = 0
        return reply if fault is None else self._spoiled(reply, fault)

    def _spoiled(self, reply: Reply, fault: Fault) -> Reply:
        dialect = self.dialect
        if fault.kind in {"unavailable_after", "status_unknown", "timeout_code", "error_after"}:
            return dialect.failure(fault)
        if fault.kind == "html":
            return Reply(text="<html><body>Please wait.</body></html>", kind="text/html")
        if fault.kind == "empty":
            return Reply(text="")
        if fault.kind == "no_id":
            reply.content = rewritten(reply.content, dialect.id_fields | dialect.client_id_fields, lambda _: None)
        if fault.kind == "other_id":
            reply.content = rewritten(reply.content, dialect.client_id_fields, lambda _: "someone-elses-order")
        if fault.kind == "unknown_status":
            word = str(fault.details.get("word", "SLEEPING"))
            reply.content = rewritten(reply.content, dialect.status_fields, lambda _: word)
        return reply

    async def _deliver(self, request: web.Request, reply: Reply, fault: Fault | None) -> web.StreamResponse:
        kind = fault.kind if fault else ""
        body = reply.body()
        if fault is not None and kind in {"timeout_before", "timeout_after", "late_ack"}:
            await asyncio.sleep(fault.seconds)
        if kind in _LOST and request.transport is not None:
            request.transport.abort()
        if kind == "truncated":
            return await _half(request, reply, body)
        return web.Response(body=body, status=reply.status, headers=reply.headers, content_type=reply.kind)

    async def _converse(self, request: web.Request) -> web.StreamResponse:
        sockets = self.dialect.sockets
        if time.monotonic() < sockets.refused_until:
            return web.Response(status=503)
        ws = web.WebSocketResponse(autoping=True, compress=False)
        await ws.prepare(request)
        socket = Socket(ws, request, self.dialect.faults, self.dialect.status_fields)
        sockets.add(socket)
        writer = asyncio.create_task(socket.write())
        try:
            self.dialect.opened(socket)
            async for message in ws:
                if message.type == WSMsgType.TEXT:
                    self._hear(socket, message.data)
        finally:
            sockets.remove(socket)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await writer
        return ws

    def _hear(self, socket: Socket, text: str) -> None:
        try:
            document: Any = json.loads(text)
        except ValueError:
            document = text
        self.dialect.received(socket, document)


async def _half(request: web.Request, reply: Reply, body: bytes) -> web.StreamResponse:
    """Promise the whole body, send half of it and hang up."""
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_type, response.content_length = reply.kind, len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response
