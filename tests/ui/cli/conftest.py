"""A real `quantum-trader`, run as people run it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

COMMAND = Path(sys.executable).parent / "quantum-trader"

START_SECONDS = 120

Run = Callable[..., subprocess.CompletedProcess[str]]
Serve = Callable[..., contextlib.AbstractContextManager[str]]


def environment(home: Path, **given: str) -> dict[str, str]:
    """The tests' own environment, without the settings of whoever runs them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QTP_")}
    return {**kept, "QTP_HOME": str(home), "COLUMNS": "200", "NO_COLOR": "1", **given}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def run(home: Path, tmp_path: Path) -> Run:
    """Run the command to its end; `stdin` is what a person types."""

    def _run(*arguments: str, stdin: str = "", **given: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(COMMAND), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
            env=environment(home, **given),
            cwd=tmp_path,
        )

    return _run


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def serve(home: Path, tmp_path: Path, free_port: int) -> Serve:
    """Serve a desk while a block runs; gives its address."""

    @contextlib.contextmanager
    def _serve(*options: str) -> Iterator[str]:
        process = subprocess.Popen(
            [str(COMMAND), "serve", "--port", str(free_port), *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(home),
            cwd=tmp_path,
        )
        url = f"http://127.0.0.1:{free_port}"
        try:
            _await_health(url, process)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=20)

    return _serve


@pytest.fixture
def server(serve: Serve) -> Iterator[str]:
    """A served desk's address."""
    with serve() as url:
        yield url


def _await_health(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/healthz", timeout=2, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail(f"the desk at {url} did not start")
