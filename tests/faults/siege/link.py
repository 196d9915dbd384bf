"""A venue emulator of our own: started, told what to do, and asked what really happened."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).resolve().parents[2] / "emulator"
VENUES = ("binance", "bybit", "kraken")
BLOCKED = "http://127.0.0.1:9/BLOCKED"
"""Where every address leads that is not the emulator's: nobody listens on the discard port."""


@dataclass(frozen=True)
class Link:
    """Where an emulator listens; plain data, so that it can be handed to another process."""

    port: int
    token: str
    keys: dict[str, dict[str, str]]

    def addresses(self, venue: str) -> dict[str, str]:
        """The parts of ccxt's `urls['api']` that lead to the emulator."""
        base = f"http://127.0.0.1:{self.port}/{venue}"
        if venue == "binance":
            return {"public": f"{base}/api/v3", "private": f"{base}/api/v3"}
        return dict.fromkeys(("spot", "public", "private", "v2"), base)

    def point(self, exchange: Any) -> None:
        """Let a ccxt exchange reach the emulator and nothing else."""
        exchange.urls = _blocked(exchange.urls)
        exchange.urls["api"] |= self.addresses(exchange.id)


class Handle:
    """One venue of the emulator and its control door."""

    def __init__(self, link: Link, venue: str) -> None:
        self.link = link
        self.venue = venue
        self._door = http.client.HTTPConnection("127.0.0.1", link.port, timeout=30)

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        return lambda **fields: self.order(verb, fields)

    def order(self, verb: str, fields: dict[str, Any]) -> Any:
        """Give one instruction."""
        headers = {"X-Control-Token": self.link.token, "Content-Type": "application/json"}
        self._door.request("POST", f"/control/{self.venue}/{verb}", json.dumps(fields), headers)
        answer = self._door.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise ValueError(f"{verb}: {answer.status} {body.decode()}")
        return json.loads(body)

    def close(self) -> None:
        """Hang up."""
        self._door.close()


@contextmanager
def emulator() -> Iterator[Link]:
    """An emulator that ends with the block."""
    command = [sys.executable, str(PROGRAM), "--port", "0"]
    # It complains of every client that dies in the middle of a request, which is what clients do here.
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **streams, text=True, env={"PATH": "/usr/bin"}) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        try:
            yield Link(ready["port"], ready["token"], ready["venues"])
        finally:
            process.terminate()


@contextmanager
def control(link: Link, venue: str) -> Iterator[Handle]:
    """A venue's control door, open for the block."""
    handle = Handle(link, venue)
    try:
        yield handle
    finally:
        handle.close()


def _blocked(addresses: Any) -> Any:
    if isinstance(addresses, dict):
        return {name: _blocked(value) for name, value in addresses.items()}
    if isinstance(addresses, list):
        return [_blocked(value) for value in addresses]
    return BLOCKED if addresses else addresses
