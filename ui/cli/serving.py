"""Starting the server: checks that name the remedy, one desk a home, the chat behind the API."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from engines.errors import ConfigurationError

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

    from agents.settings import Settings

START_SECONDS = 60


def run_server(settings: Settings, *, configure_exchange: Callable[[Any], None] | None = None) -> None:
    """Serve until interrupted.

    Args:
        configure_exchange: receives every ccxt exchange before its first use. For rehearsals: only a program can
            give it, no option and no variable, so that real keys cannot be led elsewhere by mistake.

    Raises:
        ConfigurationError: the home cannot be written, another desk uses it, or the port is taken. Or the mode is live
            and something it needs is missing.
    """
    if settings.mode == "live":
        _announce_live(settings)
    with _listening(settings.host, settings.port) as listener, home_lock(settings.home, _url(settings)):
        _log_to_screen(settings.log_level)
        server = _server(settings, with_chat=True, greeting=_banner(settings), configure_exchange=configure_exchange)
        state = server.config.app.state  # type: ignore[union-attr]  # the app that `_server` made
        # A start that failed on purpose is told once, by the error itself.
        logging.getLogger("uvicorn.error").addFilter(lambda _: getattr(state, "failure", None) is None)
        try:
            server.run(sockets=[listener])
        except SystemExit:
            if failure := getattr(state, "failure", None):
                raise failure from None
            raise


@contextlib.contextmanager
def reachable_desk(url: str, settings: Settings) -> Iterator[str]:
    """The address of a desk: the given one, one already running on this home, or one started for this call.

    Raises:
        ConfigurationError: the given desk does not answer, or none could be started; a live one never is.
    """
    if url:
        if not _answers(url):
            raise ConfigurationError(
                f"No desk answers at {url}.", remedy="Start one with `make run`, or leave out --url."
            )
        yield url
        return
    running = running_on(settings.home)
    if running:
        yield running
        return
    if settings.mode == "live":
        raise ConfigurationError(
            "No desk runs here, and one that trades live is not started on the side.",
            remedy="Start it with `quantum-trader serve`, or talk on paper with QTP_MODE=paper.",
        )
    with _listening("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        embedded = settings.model_copy(update={"host": "127.0.0.1", "port": port})
        with home_lock(settings.home, _url(embedded)):
            server = _server(embedded, with_chat=False)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="desk", daemon=True)
            thread.start()
            _wait_for(_url(embedded), thread)
            try:
                yield _url(embedded)
            finally:
                server.should_exit = True
                thread.join(timeout=20)


@contextlib.contextmanager
def home_lock(home: Path, url: str) -> Iterator[None]:
    """Hold the home for this process: two desks on one home would both watch its orders.

    Raises:
        ConfigurationError: the home cannot be written, or another desk holds it.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = (home / "desk.lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"The home folder {str(home)!r} cannot be written: {error.strerror}.",
            remedy="Give a writable folder with --home or QTP_HOME.",
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigurationError(
                f"Another desk runs on {str(home)!r}: {running_on(home) or 'it is just starting'}.",
                remedy="Use that one, stop it, or give this one a --home of its own.",
            ) from error
        file.seek(0)
        file.truncate()
        json.dump({"pid": os.getpid(), "url": url}, file)
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _log_to_screen(level: str) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    for package in ("agents", "api", "engines", "ui"):
        logging.getLogger(package).setLevel(level.upper())


def _announce_live(settings: Settings) -> None:
    """Say before anything is opened that this is real money, or what keeps it from being that.

    Raises:
        ConfigurationError: something that live trading needs is missing.
    """
    from agents.live import permit_of

    permit = permit_of(settings)
    assert permit is not None
    typer.secho(
        f"LIVE: approved orders of {settings.live_owner!r} go to {permit.venue} and move REAL MONEY.\n"
        f"  limits {settings.limits_file} (version {permit.limits.version})\n"
        "  not armed: until `quantum-trader arm --minutes 60`, for that long, no order passes",
        fg=typer.colors.RED,
        bold=True,
    )
    if not permit.is_exercised:
        typer.secho(
            f"  {permit.venue} was tested request by request and never under faults: begin with small orders",
            fg=typer.colors.YELLOW,
        )


def _server(
    settings: Settings,
    *,
    with_chat: bool,
    greeting: str = "",
    configure_exchange: Callable[[Any], None] | None = None,
) -> uvicorn.Server:
    import uvicorn

    from api.app import create_app

    def chat() -> ASGIApp:
        from ui.chat.mount import load

        return load(_url(settings), settings.home)

    class GreetingServer(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            """Say where the desk is once it is there."""
            await super().startup(sockets)
            if greeting:
                typer.echo(greeting)

    app = create_app(settings, chat=chat if with_chat else None, configure_exchange=configure_exchange)
    level = "warning" if settings.log_level == "info" else settings.log_level
    return GreetingServer(uvicorn.Config(app, log_level=level, access_log=False, timeout_graceful_shutdown=5))


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"Cannot listen on {host}:{port}: {error.strerror}.",
            remedy=f"Stop what uses it, or choose another port: quantum-trader serve --port {port + 1}.",
        ) from error
    return listener


def _url(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104 - a key, not a bind
    return f"http://{host}:{settings.port}"


def _banner(settings: Settings) -> str:
    url = _url(settings)
    label = "simulated" if settings.market == "demo" else "real prices"
    account = "LIVE account, REAL MONEY" if settings.mode == "live" else "paper account"
    return (
        f"Quantum Trader Pro on {url}\n"
        f"  chat    {url}/chat\n"
        f"  API     {url}/v1   docs {url}/docs\n"
        f"  market  {settings.market} ({label}) · {account} · model {settings.model}\n"
        f"  home    {settings.home}\n"
        "Stop with Ctrl+C."
    )


def running_on(home: Path) -> str:
    """The address of the desk that runs on this home; empty where none answers."""
    try:
        url = json.loads((home / "desk.lock").read_text(encoding="utf-8"))["url"]
    except (OSError, ValueError, KeyError):
        return ""
    return url if _answers(url) else ""


def _answers(url: str) -> bool:
    import httpx

    try:
        return httpx.get(f"{url}/healthz", timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _wait_for(url: str, thread: threading.Thread) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(url):
        if not thread.is_alive() or time.monotonic() > deadline:
            raise ConfigurationError("The desk did not start.", remedy="Run `quantum-trader doctor` to see why.")
        time.sleep(0.05)
