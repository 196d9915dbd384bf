"""A venue's far end as it shows on the wire: requests are kept as they were sent, answers are given word by word."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from requests.adapters import BaseAdapter
from urllib3.response import HTTPResponse

from engines.execution.venues import VENUES, CcxtBroker, Credentials
from engines.execution.venues.budget import RequestBudget
from engines.execution.venues.ccxt_client import connect


@dataclass(frozen=True)
class Sent:
    """One request as it went out."""

    method: str
    path: str
    query: dict[str, Any]
    body: Any
    headers: dict[str, str]
    raw: str


@dataclass
class Wire(BaseAdapter):
    """Answers by method and path; a path that nobody told an answer for is a failure of the test."""

    answers: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def answer(self, method: str, path: str, *documents: Any, status: int = 200) -> None:
        """Answer with each document in turn and with the last one for good."""
        self.answers[method, path] = [(status, each) for each in documents]

    def of(self, method: str, path: str) -> list[Sent]:
        """The requests of one kind."""
        return [each for each in self.sent if (each.method, each.path) == (method, path)]

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Keep the request and answer it; no socket is opened."""
        parts = urlsplit(request.url or "")
        raw = request.body.decode() if isinstance(request.body, bytes) else str(request.body or "")
        query: dict[str, Any] = {}
        for name, value in parse_qsl(parts.query):
            query[name] = (
                [*([query[name]] if isinstance(query[name], str) else query[name]), value] if (name in query) else value
            )
        headers = {name: str(value) for name, value in request.headers.items()}
        method = request.method or ""
        path_query = f"{parts.path}?{parts.query}" if parts.query else parts.path
        self.sent.append(
            Sent(method, parts.path, query, json.loads(raw) if raw else None, headers, f"{path_query}{raw}")
        )
        told = self.answers[method, parts.path]
        status, document = told.pop(0) if len(told) > 1 else told[0]
        if isinstance(document, Exception):
            raise document
        if callable(document):
            document = document()
        text = document if isinstance(document, str) else json.dumps(document)
        response = requests.Response()
        response.status_code, response.request, response.url = status, request, request.url or ""
        response.headers["Content-Type"] = "application/json"
        response.raw = HTTPResponse(io.BytesIO(text.encode()), preload_content=False)
        return response

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture(scope="session")
def _wired() -> Iterator[Callable[[str], Any]]:
    made: dict[str, Any] = {}

    def exchange(venue: str) -> Any:
        if venue not in made:
            keys = Credentials("key", "secret", passphrase="words" if venue == "okx" else "")
            connect(venue, keys, RequestBudget(1, 1), configure=lambda new: made.__setitem__(venue, new))
        return made[venue]

    yield exchange
    for client in made.values():
        client.session.close()


@pytest.fixture
def wire() -> Wire:
    """The far end of the venue under test."""
    return Wire()


@pytest.fixture
def wired_broker(_wired: Callable[[str], Any], wire: Wire) -> Callable[[str], CcxtBroker]:
    """Makes brokers whose every request goes to `wire`."""

    def make(venue: Any) -> CcxtBroker:
        from engines.execution.venues.ccxt_client import VenueClient

        exchange = _wired(venue)
        exchange.session.hooks["response"].clear()
        exchange.session.adapters.clear()
        exchange.session.mount("https://", wire)
        exchange.markets = None
        client = VenueClient(exchange, RequestBudget(1e6, 1e6, sleep=lambda seconds: None))
        return CcxtBroker(VENUES[venue][0](client), client, account="paper-fixed-usdt:ann")

    return make
