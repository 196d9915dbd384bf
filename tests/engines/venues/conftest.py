"""The venue emulator as a process of its own, and ccxt clients that can reach nothing else."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "emulator"
BLOCKED = "http://127.0.0.1:9/BLOCKED"
"""Where every address leads that a test did not mean to use: nobody listens on the discard port."""


@dataclass(frozen=True)
class Emulator:
    """A running emulator."""

    process: subprocess.Popen[str]
    port: int
    token: str
    keys: dict[str, dict[str, str]]

    def order(self, venue: str, verb: str, /, **fields: Any) -> Any:
        """Give an instruction to a venue's control door."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/control/{venue}/{verb}",
            data=json.dumps(fields).encode(),
            headers={"X-Control-Token": self.token, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def addresses(self, venue: str) -> dict[str, Any]:
        """The `urls['api']` entries of a venue that lead to the emulator; all others are to be blocked."""
        http, ws = (f"{scheme}://127.0.0.1:{self.port}/{venue}" for scheme in ("http", "ws"))
        if venue == "binance":
            # ccxt takes an address for spot by the word `/stream` in it.
            sockets = {"spot": f"{ws}/stream/ws", "ws-api": {"spot": f"{ws}/ws-api/v3"}}
            return {"public": f"{http}/api/v3", "private": f"{http}/api/v3", "ws": sockets}
        if venue == "kraken":
            sockets = {name: f"{ws}/{name}" for name in ("public", "private", "publicV2", "privateV2", "beta")}
            return {"public": http, "private": http, "ws": sockets}
        sockets = {"public": {"spot": f"{ws}/v5/public/spot"}, "private": {"contract": f"{ws}/v5/private"}}
        return {"spot": http, "public": http, "private": http, "v2": http, "ws": sockets}


class Handle:
    """One venue of the emulator, reset for one test."""

    def __init__(self, emulator: Emulator, venue: str) -> None:
        self.emulator = emulator
        self.venue = venue

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        return lambda **fields: self.emulator.order(self.venue, verb, **fields)

    async def aside(self, verb: str, **fields: Any) -> Any:
        """Give an instruction without holding up the event loop."""
        return await asyncio.to_thread(self.emulator.order, self.venue, verb, **fields)

    async def subscribed(self, count: int = 1) -> None:
        """Wait until clients have asked for that many things, so that the next event reaches them."""
        for _ in range(1000):
            opened = (await self.aside("sockets"))["open"]
            if sum(len(socket["subscriptions"]) or socket["private"] for socket in opened) >= count:
                return
            await asyncio.sleep(0.01)
        pytest.fail(f"there are no {count} subscriptions")


def start_emulator() -> Emulator:
    """Start an emulator on a free port."""
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), "--port", "0"], stdout=subprocess.PIPE, text=True, env={"PATH": "/usr/bin"}
    )
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    return Emulator(process, ready["port"], ready["token"], ready["venues"])


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """The emulator, shared by all tests of a process."""
    running = start_emulator()
    yield running
    running.process.terminate()
    running.process.wait(timeout=10)
    assert running.process.stdout is not None
    running.process.stdout.close()


@pytest.fixture
def open_venue(emulator: Emulator) -> Callable[..., Handle]:
    """Resets a venue and gives its control handle."""

    def open_(venue: str, **money: str) -> Handle:
        handle = Handle(emulator, venue)
        handle.clear()
        handle.reset(**({"money": money} if money else {}))
        return handle

    return open_


def _blocked(addresses: Any) -> Any:
    if isinstance(addresses, dict):
        return {name: _blocked(value) for name, value in addresses.items()}
    if isinstance(addresses, list):
        return [_blocked(value) for value in addresses]
    return BLOCKED if addresses else addresses


def _merged(blocked: Any, real: Any) -> Any:
    if not isinstance(blocked, dict) or not isinstance(real, dict):
        return real
    return blocked | {name: _merged(blocked.get(name), value) for name, value in real.items()}


@pytest.fixture(scope="session")
def on_loopback(emulator: Emulator) -> Callable[[Any], Any]:
    """Points every address of a ccxt client at the emulator, or at nothing."""

    def point(client: Any) -> Any:
        client.urls = _blocked(client.urls)
        client.urls["api"] = _merged(client.urls["api"], emulator.addresses(client.id))
        return client

    return point


@pytest.fixture(scope="session")
def settings(emulator: Emulator) -> Callable[[str], dict[str, Any]]:
    """What a ccxt client of a venue is made with."""

    def of(venue: str) -> dict[str, Any]:
        options: dict[str, Any] = {"fetchCurrencies": False, "fetchMargins": False}
        if venue != "kraken":
            options["fetchMarkets"] = {"types": ["spot"]}
        keys = {"apiKey": emulator.keys[venue]["key"], "secret": emulator.keys[venue]["secret"]}
        return {**keys, "timeout": 5000, "enableRateLimit": False, "options": options}

    return of


@pytest.fixture(scope="session")
def sync_client(
    settings: Callable[[str], dict[str, Any]], on_loopback: Callable[[Any], Any]
) -> Iterator[Callable[..., Any]]:
    """Makes blocking ccxt clients; the same settings get the same client, for making one takes long."""
    made: dict[str, Any] = {}

    def make(venue: str, **changes: Any) -> Any:
        import ccxt

        key = venue + json.dumps(changes, sort_keys=True)
        if key not in made:
            made[key] = on_loopback(getattr(ccxt, venue)(settings(venue) | changes))
        return made[key]

    yield make
    for client in made.values():
        client.session.close()


@pytest.fixture(scope="session")
def pro_client(settings: Callable[[str], dict[str, Any]], on_loopback: Callable[[Any], Any]) -> Callable[..., Any]:
    """Makes a ccxt.pro client for an `async with`; it is the async client, too."""

    @asynccontextmanager
    async def make(venue: str, **changes: Any) -> AsyncIterator[Any]:
        import ccxt.pro

        client = on_loopback(getattr(ccxt.pro, venue)(settings(venue) | changes))
        try:
            yield client
        finally:
            await client.close()

    return make
