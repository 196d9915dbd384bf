"""A real server and a real Chromium."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from ui.client import DeskClient
from ui.requests import Call

PROGRAM = Path(sys.executable).parent / "quantum-trader"
START_SECONDS = 90
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
# Chainlit asks who is signed in before anybody is; a killed server breaks connections, a starting one says 503.
_EXPECTED = re.compile(
    r"Unauthorized|401|status of 503|ERR_CONNECTION_REFUSED|WebSocket|ERR_EMPTY_RESPONSE"
    r"|ERR_CONNECTION_RESET|Failed to fetch"
)


@dataclass
class RunningDesk:
    """One server on a port of its own, which can be killed and started again."""

    home: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.home / "server.log").read_text(errors="replace")

    def start(self) -> None:
        """Start and wait until the chat answers."""
        self.home.mkdir(exist_ok=True)
        self.port = self.port or _free_port()
        command = [str(PROGRAM), "serve", "--home", str(self.home), "--port", str(self.port)]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("QTP_")}
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**inherited, **self.settings}, cwd=self.home
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the server did not start:\n{self.log}")
            time.sleep(0.1)

    def run(self, *arguments: str) -> str:
        """Carry out another command on the same home."""
        command = [str(PROGRAM), *arguments, "--home", str(self.home)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=self.home.parent, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def kill(self) -> None:
        """End it without any chance to tidy up."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as an operator would."""
        self._end(signal.SIGTERM)

    def ask(self, path: str, **query: str) -> Any:
        """GET JSON of the HTTP surface."""
        with DeskClient(self.url) as client:
            return client.send(Call("GET", path, dict(query)))

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(timeout=30)

    def _ready(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/chat/auth/config", timeout=5, trust_env=False).is_success
        return False


StartDesk = Callable[..., RunningDesk]


@pytest.fixture(scope="module")
def start_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartDesk]:
    """Starts desks, after preparing their home where something is to be done first, and stops them all at the end."""
    started: list[RunningDesk] = []

    def start(prepare: Callable[[RunningDesk], None] | None = None, **settings: str) -> RunningDesk:
        desk = RunningDesk(tmp_path_factory.mktemp("desk"), settings)
        started.append(desk)
        if prepare is not None:
            prepare(desk)
        desk.start()
        return desk

    yield start
    for desk in started:
        desk.stop()


@pytest.fixture(scope="module")
def desk(start_desk: StartDesk) -> RunningDesk:
    """A desk on the demo market with time enough to decide."""
    return start_desk(QTP_TICKET_SECONDS="600")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; skips visibly where it is missing."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        missing = "Chromium is not here: apt-get install chromium"
        if os.environ.get("QTP_REQUIRE_ALL"):
            pytest.fail(f"{missing} (and QTP_REQUIRE_ALL is set)")
        pytest.skip(missing)
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        yield browser
        browser.close()


@dataclass
class Chat:
    """The chat as a person uses it."""

    page: Page
    url: str

    def open(self, path: str = "/") -> None:
        self.page.goto(f"{self.url}{path}", wait_until="commit")
        self.page.wait_for_selector("#chat-input", timeout=60_000)
        self.page.wait_for_selector("#desk-badge .desk-market")

    def say(self, text: str) -> None:
        self.page.locator("#chat-input").click()
        self.page.keyboard.insert_text(text)
        self.page.keyboard.press("Enter")

    def reload(self) -> None:
        self.page.reload(wait_until="commit")
        self.page.wait_for_selector("#desk-badge .desk-market", timeout=60_000)

    def replies(self) -> Locator:
        return self.page.locator('[data-step-type="assistant_message"]')

    def ticket(self, status: str = "pending") -> Locator:
        """The newest ticket of this status, once it can be decided or has been."""
        card = self.page.locator(f'.desk-ticket[data-status="{status}"]').last
        card.wait_for(timeout=30_000)
        return card

    def propose(self, text: str) -> Locator:
        self.say(text)
        card = self.ticket()
        card.get_by_role("button", name="Approve").and_(self.page.locator(":enabled")).wait_for(timeout=30_000)
        return card


@pytest.fixture
def open_chat(chromium: Browser) -> Iterator[Callable[..., Chat]]:
    """Opens chats, and afterwards checks that none of them asked anybody but this machine or broke silently."""
    foreign: list[str] = []
    broken: list[str] = []
    contexts = []

    def open_(desk: RunningDesk, **context: Any) -> Chat:
        made = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
        made.set_default_timeout(30_000)
        contexts.append(made)
        page = made.new_page()
        page.on("request", lambda request: _note_foreign(request.url, foreign))
        page.on("websocket", lambda socket: _note_foreign(socket.url, foreign))
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.on("console", lambda said: broken.append(said.text) if said.type == "error" else None)
        return Chat(page, desk.url)

    yield open_
    for context in contexts:
        context.close()
    assert not foreign
    assert not [text for text in broken if not _EXPECTED.search(text)]


@pytest.fixture
def chat(open_chat: Callable[..., Chat], desk: RunningDesk) -> Chat:
    """A fresh visitor of the shared desk."""
    opened = open_chat(desk)
    opened.open()
    return opened


def fills_of(desk: RunningDesk, label: str) -> list[dict[str, Any]]:
    """Every fill of the order that the ticket with this label became."""
    (ticket,) = [ticket for ticket in _tickets(desk) if ticket["label"] == label]
    fills = desk.ask("/v1/fills")["fills"]
    return [fill for fill in fills if fill["order_id"] == ticket["client_order_id"]]


@pytest.fixture
def fills() -> Callable[[RunningDesk, str], list[dict[str, Any]]]:
    """How often a ticket was really executed."""
    return fills_of


def _tickets(desk: RunningDesk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.ask("/v1/tickets")["tickets"]
    return found


def _note_foreign(url: str, foreign: list[str]) -> None:
    if not re.match(r"(https?|wss?)://127\.0\.0\.1[:/]|data:|blob:|about:", url):
        foreign.append(url)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
