from __future__ import annotations

import contextlib
import json
import socket
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from agents.settings import Settings, load_settings
from api.app import create_app
from api.keys import KeyStore
from engines.domain.clock import ManualClock, SystemClock
from engines.storage.database import open_database
from tests.serving import served


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 3, 2, 12, tzinfo=UTC))


@pytest.fixture
def database(tmp_path: Path, database_url: str) -> Iterator[Engine]:
    """The desk's database, on SQLite and on PostgreSQL in turn."""
    engine = open_database("desk", home=tmp_path, url=database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database("desk", home=tmp_path)
    yield engine
    engine.dispose()


@dataclass(frozen=True)
class Served:
    """A desk on a real socket, and where it is."""

    url: str
    settings: Settings

    def client(self, key: str = "") -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)


@contextlib.contextmanager
def serving(home: Path, *, keep_listening_as: str = "127.0.0.1", **options: Any) -> Iterator[Served]:
    """Serve a desk on a free port until the block ends."""
    chat = options.pop("chat", None)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        settings = load_settings(home=home, host=keep_listening_as, port=port, **options)
        with served(create_app(settings, chat=chat), listener=listener, access_log=False) as url:
            yield Served(url, settings)


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., contextlib.AbstractContextManager[Served]]:
    """Serves a desk on the test's own home, again and again if need be."""

    def serve_home(**options: Any) -> contextlib.AbstractContextManager[Served]:
        return serving(tmp_path / "home", **options)

    return serve_home


@pytest.fixture(scope="session")
def serving_home() -> Callable[..., contextlib.AbstractContextManager[Served]]:
    """Serves a desk on a given home."""
    return serving


@pytest.fixture(scope="session")
def open_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A desk that nobody needs a key for; shared, so tests look only at what they made."""
    with serving(tmp_path_factory.mktemp("open-desk")) as served:
        yield served


@pytest.fixture
def local(open_desk: Served) -> Iterator[httpx.Client]:
    """The local owner of the open desk."""
    with open_desk.client() as client:
        yield client


@dataclass(frozen=True)
class KeyedDesk:
    """A desk that needs keys, and a way to get some."""

    served: Served
    keys: KeyStore
    closing: contextlib.ExitStack

    def client(self, *scopes: str, owner: str = "") -> httpx.Client:
        """A client of a new owner, unless one is named, whose key has these scopes."""
        issued = self.keys.create(name="test", scopes=scopes, owner=owner or f"owner-{uuid.uuid4().hex[:8]}")
        return self.closing.enter_context(self.served.client(issued.token))


@pytest.fixture(scope="session")
def keyed_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, KeyStore]]:
    home = tmp_path_factory.mktemp("keyed-desk")
    engine = open_database("desk", home=home)
    keys = KeyStore(engine, SystemClock())
    keys.create(name="first", scopes=("read",))
    with serving(home) as served:
        yield served, keys
    engine.dispose()


@pytest.fixture
def keyed(keyed_server: tuple[Served, KeyStore]) -> Iterator[KeyedDesk]:
    with contextlib.ExitStack() as closing:
        yield KeyedDesk(*keyed_server, closing)


@dataclass(frozen=True)
class SseEvent:
    id: int
    name: str
    data: dict[str, Any]


def read_events(lines: Iterator[str]) -> Iterator[SseEvent]:
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield SseEvent(int(fields["id"]), fields["event"], json.loads(fields["data"]))
            fields = {}


@pytest.fixture
def sse() -> Callable[[Iterator[str]], Iterator[SseEvent]]:
    """Turns the lines of an event stream into events."""
    return read_events
