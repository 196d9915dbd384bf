"""Typed clients of the desk's HTTP surface, shared by the chat and the terminal.

`DeskClient` blocks, `AsyncDeskClient` does not; both speak the requests of `ui.requests` and raise the errors of
`DeskError`. Streams reconnect by themselves: a run is a task of the server, a connection only tails its events.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

import httpx

from ui import requests
from ui.requests import Call, Decision, Json
from ui.sse import Event, EventParser

__all__ = ["AsyncDeskClient", "Decision", "DeskClient", "DeskError", "DeskProblem", "DeskUnreachable", "Event", "Json"]

# A turn with a hosted model can be silent for long; the server's pings keep the stream alive meanwhile.
_TIMEOUT: Final = httpx.Timeout(30, read=120)
_RECONNECTS: Final = 5
# Whoever listens for news holds a connection for as long as the chat is open, which must not keep others waiting.
_LIMITS: Final = httpx.Limits(max_connections=None, max_keepalive_connections=20)
_NEWS_PATIENCE: Final = 10


class DeskError(Exception):
    """A call failed; `message` says what happened and `remedy` what to do."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(f"{message} {remedy}".strip())
        self.message = message
        self.remedy = remedy


class DeskUnreachable(DeskError):
    """The desk did not answer: it is not known whether the request arrived."""


class DeskProblem(DeskError):
    """The desk answered with problem details.

    Attributes:
        status: HTTP status; 401 without a valid key, 403 without the scope, 409 when decided, 410 when expired.
        code: stable and machine readable, such as `conflict`.
    """

    def __init__(self, *, status: int, code: str, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.status = status
        self.code = code


class DeskClient:
    """Blocking client of one desk."""

    def __init__(self, base_url: str, *, key: str = "") -> None:
        # `trust_env=False`: a proxy meant for the internet must not see the desk.
        self._http = httpx.Client(base_url=base_url, headers=_headers(key), timeout=_TIMEOUT, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop all connections."""
        self._http.close()

    def send(self, call: Call) -> Any:
        """Carry out one request and return its JSON.

        Raises:
            DeskProblem: the desk refused it.
            DeskUnreachable: the desk did not answer.
            DeskError: what answered is no desk.
        """
        try:
            response = self._http.request(call.method, call.path, params=call.query(), json=call.body)
        except httpx.TransportError as error:
            raise _unreachable(self._http.base_url, error) from error
        return _json(response)

    def stream(self, message: str, thread_id: str | None = None) -> Iterator[Event]:
        """Ask, and yield the run's events until it is done; a broken connection is taken up where it was.

        Raises:
            DeskProblem: the desk refused the message.
            DeskUnreachable: it did not answer, or stayed away.
        """
        tail = _Tail(requests.stream(message, thread_id))
        while not tail.done:
            try:
                with self._http.stream(
                    tail.call.method, tail.call.path, json=tail.call.body, headers=tail.headers()
                ) as response:
                    if response.is_error:
                        response.read()
                        raise _problem(response)
                    for line in response.iter_lines():
                        yield from tail.feed(line)
            except httpx.TransportError as error:
                tail.failure = _unreachable(self._http.base_url, error)
            if not tail.done:
                time.sleep(tail.reconnect())

    def status(self) -> Json:
        """Market, account, model, version and the desk's time."""
        return _object(self.send(requests.status()))

    def tickets(self, *, status: str | None = None, thread_id: str | None = None) -> list[Json]:
        """Tickets of the owner."""
        return _items(self.send(requests.tickets(status=status, thread_id=thread_id)), "tickets")

    def decide(self, ticket_id: str, decision: Decision) -> Json:
        """Approve, reject or edit exactly the ticket whose hash the decision carries."""
        return _object(self.send(requests.decide(ticket_id, decision)))


class AsyncDeskClient:
    """Client of one desk for an event loop: what the chat needs."""

    def __init__(self, base_url: str, *, key: str = "") -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url, headers=_headers(key), timeout=_TIMEOUT, limits=_LIMITS, trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Drop all connections."""
        await self._http.aclose()

    async def send(self, call: Call) -> Any:
        """Carry out one request and return its JSON; raises like `DeskClient.send`."""
        try:
            response = await self._http.request(call.method, call.path, params=call.query(), json=call.body)
        except httpx.TransportError as error:
            raise _unreachable(self._http.base_url, error) from error
        return _json(response)

    async def stream(self, message: str, thread_id: str | None = None) -> AsyncIterator[Event]:
        """Ask, and yield the run's events until it is done; see `DeskClient.stream`."""
        async for event in self._tail(_Tail(requests.stream(message, thread_id))):
            yield event

    async def events(self, run_id: str) -> AsyncIterator[Event]:
        """The events of a run from its beginning, until it is done."""
        async for event in self._tail(_Tail(requests.run_events(run_id), run_id=run_id)):
            yield event

    async def news(self, thread_id: str, *, after: int) -> AsyncGenerator[Event, None]:
        """What a conversation is told without asking, behind a message's number; for as long as it is listened to.

        A desk that does not answer is tried again: each message comes once, in order.

        Raises:
            DeskProblem: the desk refused, as it does with a key that was taken away.
        """
        call, last, waited = requests.news(thread_id), str(after), 0
        while True:
            parser = EventParser()
            with suppress(httpx.TransportError):
                async with self._http.stream(
                    call.method, call.path, params=call.query(), headers={"Last-Event-ID": last}
                ) as response:
                    if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                        raise httpx.ReadError("the desk is starting or stopping")
                    if response.is_error:
                        await response.aread()
                        raise _problem(response)
                    waited = 0
                    async for line in response.aiter_lines():
                        event = parser.feed(line)
                        if event is not None:
                            last = event.id
                            yield event
            waited = min(waited + 1, _NEWS_PATIENCE)
            await asyncio.sleep(waited)

    async def _tail(self, tail: _Tail) -> AsyncIterator[Event]:
        while not tail.done:
            try:
                async with self._http.stream(
                    tail.call.method, tail.call.path, json=tail.call.body, headers=tail.headers()
                ) as response:
                    if response.is_error:
                        await response.aread()
                        raise _problem(response)
                    async for line in response.aiter_lines():
                        for event in tail.feed(line):
                            yield event
            except httpx.TransportError as error:
                tail.failure = _unreachable(self._http.base_url, error)
            if not tail.done:
                await asyncio.sleep(tail.reconnect())

    async def status(self) -> Json:
        """Market, account, model, version and the desk's time."""
        return _object(await self.send(requests.status()))

    async def markets(self) -> Json:
        """The symbols that can be traded."""
        return _object(await self.send(requests.markets()))

    async def chart(self, symbol: str, timeframe: str, *, as_of: str | None = None, limit: int | None = None) -> Json:
        """Candles, Cipher panel and volume profile, as `ui.charts.figure` draws them."""
        return _object(await self.send(requests.chart(symbol, timeframe, as_of=as_of, limit=limit)))

    async def threads(self, *, limit: int | None = None, cursor: str | None = None) -> Json:
        """A page of conversations, last used first: `threads` and `next_cursor`."""
        return _object(await self.send(requests.threads(limit=limit, cursor=cursor)))

    async def thread(self, thread_id: str, *, limit: int | None = None, cursor: str | None = None) -> Json:
        """One conversation with its newest messages and its pending tickets; `next_cursor` leads to those before."""
        return _object(await self.send(requests.thread(thread_id, limit=limit, cursor=cursor)))

    async def rename_thread(self, thread_id: str, title: str) -> None:
        """Give a conversation another title."""
        await self.send(requests.rename_thread(thread_id, title))

    async def delete_thread(self, thread_id: str) -> None:
        """Forget a conversation; orders and audit records stay."""
        await self.send(requests.delete_thread(thread_id))

    async def tickets(self, *, status: str | None = None, thread_id: str | None = None) -> list[Json]:
        """Tickets of the owner."""
        return _items(await self.send(requests.tickets(status=status, thread_id=thread_id)), "tickets")

    async def ticket(self, ticket_id: str) -> Json:
        """One ticket as it stands."""
        return _object(await self.send(requests.ticket(ticket_id)))

    async def decide(self, ticket_id: str, decision: Decision) -> Json:
        """Approve, reject or edit exactly the ticket whose hash the decision carries."""
        return _object(await self.send(requests.decide(ticket_id, decision)))


class _Tail:
    """Where a stream stands: what to ask next, and whether to go on after a broken connection."""

    def __init__(self, call: Call, run_id: str = "") -> None:
        self.call = call
        self.done = False
        self._run_id = run_id
        self._last_id = ""
        self._failures = 0
        self._parser = EventParser()
        self.failure = DeskUnreachable("The desk ended the answer before it was complete.", "Ask again.")

    def headers(self) -> dict[str, str]:
        return {"Last-Event-ID": self._last_id} if self._last_id else {}

    def feed(self, line: str) -> Iterator[Event]:
        event = self._parser.feed(line)
        if event is None:
            return
        self._failures = 0
        self._last_id = event.id or self._last_id
        if event.name == "run":
            self._run_id = str(event.data.get("run_id", ""))
        self.done = event.name == "done"
        yield event

    def reconnect(self) -> float:
        """Turn to the run's event log and say how many seconds to wait first, or give up."""
        # Without a run id it is not known whether the message arrived, and asking twice could propose twice.
        if not self._run_id or self._failures >= _RECONNECTS:
            raise self.failure
        self._failures += 1
        self._parser = EventParser()
        self.call = requests.run_events(self._run_id)
        return float(min(0.125 * 2**self._failures, 4.0))


def _headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


def _unreachable(url: httpx.URL, error: httpx.TransportError) -> DeskUnreachable:
    what = "took too long to answer" if isinstance(error, httpx.TimeoutException) else "does not answer"
    return DeskUnreachable(f"The desk at {url} {what}.", "Check that it runs, then try again.")


def _json(response: httpx.Response) -> Any:
    if response.is_error:
        raise _problem(response)
    if response.status_code == httpx.codes.NO_CONTENT:
        return None
    try:
        return response.json()
    except ValueError as error:
        raise DeskError(
            f"What answers at {response.url.copy_with(path='/')} is no desk.", "Check the address."
        ) from error


def _problem(response: httpx.Response) -> DeskProblem:
    body: Json = {}
    if "json" in response.headers.get("content-type", ""):
        with suppress(ValueError):
            parsed = response.json()
            body = parsed if isinstance(parsed, dict) else {}
    message = body.get("detail") or body.get("title") or f"The desk answered {response.status_code}."
    return DeskProblem(
        status=response.status_code,
        code=str(body.get("code", "")),
        message=message if isinstance(message, str) else f"The desk answered {response.status_code}.",
        remedy=str(body.get("remedy") or ""),
    )


def _object(value: Any) -> Json:
    if not isinstance(value, dict):
        raise DeskError(f"The desk answered {type(value).__name__} where an object was expected.")
    return value


def _items(value: Any, name: str) -> list[Json]:
    items = value.get(name) if isinstance(value, dict) else value
    if not isinstance(items, list):
        raise DeskError(f"The desk's answer has no list of {name}.")
    return items
