"""The emulator and a live desk as processes of their own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

TESTS = Path(__file__).resolve().parents[1]
COMMAND = Path(sys.executable).parent / "quantum-trader"
LIMITS = """
version = "rehearsal"
max_order_notional = 20000
max_account_exposure = 200000
"""


@dataclass(frozen=True)
class Venue:
    """A venue of the running emulator."""

    name: str
    port: int
    token: str
    key: str
    secret: str

    def order(self, verb: str, /, **fields: Any) -> Any:
        """Give an instruction at the emulator's control door."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/control/{self.name}/{verb}",
            data=json.dumps(fields).encode(),
            headers={"X-Control-Token": self.token, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def accepts(self) -> int:
        """How many orders of ours the venue ever took."""
        return sum(self.order("truth")["accepts"].values())


@dataclass
class LiveDesk:
    """`quantum-trader serve` in live mode at a venue of the emulator."""

    venue: Venue
    home: Path
    folder: Path
    port: int
    given: dict[str, str]
    log: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("QTP_")}
        return {**kept, "QTP_HOME": str(self.home), "COLUMNS": "200", "NO_COLOR": "1", **self.given}

    def start(self) -> None:
        """Serve, and wait until it answers."""
        command = [sys.executable, str(Path(__file__).parent / "rehearsal.py"), str(self.venue.port)]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [*command, "--port", str(self.port)], stdout=log, stderr=log, env=self.environment, cwd=self.folder
            )
        self.running.append(process)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if httpx.get(f"{self.url}/healthz", timeout=2, trust_env=False).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        pytest.fail(f"the live desk did not start:\n{self.log.read_text()}")

    def kill(self) -> None:
        """`kill -9`."""
        self.running[-1].send_signal(signal.SIGKILL)
        self.running[-1].wait()

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=180, trust_env=False)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `quantum-trader` beside the desk, in the same environment."""
        return subprocess.run(
            [str(COMMAND), *arguments],
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
            env=self.environment,
            cwd=self.folder,
        )


@pytest.fixture(scope="session")
def _emulator() -> Iterator[dict[str, Any]]:
    command = [sys.executable, str(TESTS / "emulator"), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PATH": "/usr/bin"}) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.terminate()


@pytest.fixture
def open_venue(_emulator: dict[str, Any]) -> Callable[..., Venue]:
    """A venue of the emulator, started over with this money."""

    def open_(name: str, **money: str) -> Venue:
        keys = _emulator["venues"][name]
        venue = Venue(name, _emulator["port"], _emulator["token"], keys["key"], keys["secret"])
        venue.order("clear")
        venue.order("reset", money=money)
        return venue

    return open_


@pytest.fixture
def live_desk(tmp_path: Path, open_venue: Callable[..., Venue]) -> Iterator[Callable[[str], LiveDesk]]:
    """Makes a desk that has all that live trading needs, at a venue with 100,000 USDT and 0.1 BTC; not started yet."""
    made: list[LiveDesk] = []

    def make(name: str) -> LiveDesk:
        venue = open_venue(name, USDT="100000", BTC="0.1")
        limits = tmp_path / "limits.toml"
        limits.write_text(LIMITS)
        given = {
            "QTP_MODE": "live",
            "QTP_LIVE_TRADING": "I_UNDERSTAND",
            "QTP_MARKET": name,
            "QTP_VENUE_API_KEY": venue.key,
            "QTP_VENUE_API_SECRET": venue.secret,
            "QTP_LIMITS_FILE": str(limits),
            "QTP_TICKET_SECONDS": "600",
            "QTP_PRICE_BAND_PERCENT": "5",
        }
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        made.append(LiveDesk(venue, tmp_path / "home", tmp_path, port, given, tmp_path / "desk.log"))
        return made[-1]

    yield make
    for process in [process for desk in made for process in desk.running]:
        process.kill()
        process.wait()
