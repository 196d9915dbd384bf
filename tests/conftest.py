"""What every test may use: where the real files are, and how a missing program is treated."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from engines.storage.database import Part, open_database

ROOT = Path(__file__).resolve().parent.parent
_OF_THE_TESTS = {"QTP_REQUIRE_ALL", "QTP_TEST_PG_DSN"}


def pytest_configure() -> None:
    """Forget the desk that a developer runs: its model, home and keys are no test's business."""
    for name in list(os.environ):
        mine = name.startswith("QTP_") and name not in _OF_THE_TESTS
        if mine or name in {"GOOGLE_API_KEY", "MISTRAL_API_KEY", "OPENAI_API_KEY"}:
            del os.environ[name]


def _missing(what: str) -> None:
    if os.environ.get("QTP_REQUIRE_ALL"):
        pytest.fail(f"{what} (and QTP_REQUIRE_ALL is set)")
    pytest.skip(what)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real market files and golden values; skips where it is missing."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        _missing("the folder ../shared with real candles and golden values is not here")
    return folder


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


def _postgresql_programs() -> Path | None:
    """Folder with `initdb` and `postgres`: Debian keeps it off the PATH."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists() and (folder / "initdb").exists()), None)


def _as_server_user() -> tuple[list[str], str | None]:
    """Command prefix that ends the server with the tests and, for root, runs it as somebody else."""
    prefix = ["setpriv", "--pdeathsig", "QUIT"] if shutil.which("setpriv") else []
    if os.geteuid() != 0:
        return prefix, None
    for user in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(user)
            return [*prefix, f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"], user
    return prefix, None


@contextlib.contextmanager
def _throwaway_postgresql(programs: Path) -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="qtp-pg-", dir="/tmp"))
    prefix, user = _as_server_user()
    if user is not None:
        shutil.chown(folder, user)
    data, log = folder / "data", folder / "server.log"
    initdb = [str(programs / "initdb"), "-D", str(data), "-U", "qtp", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"]
    environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    subprocess.run([*prefix, *initdb], check=True, capture_output=True, env=environment, cwd=folder)
    # A socket in our own folder instead of a port: no other process can be in the way.
    settings = {"listen_addresses": "", "unix_socket_directories": str(folder), "max_connections": "300"}
    settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}
    flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with log.open("wb") as output:
        command = [*prefix, str(programs / "postgres"), "-D", str(data), *flags]
        server = subprocess.Popen(command, stdout=output, stderr=output, env=environment, cwd=folder)
    url = f"postgresql://qtp@/postgres?host={folder}"
    try:
        _wait_until_answering(url, server, log)
        yield url
    finally:
        # Interrupt is PostgreSQL's fast shutdown: it does not wait for clients.
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_answering(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the throw-away PostgreSQL did not start:\n{log.read_text()}")
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Address of a PostgreSQL server: `QTP_TEST_PG_DSN`, or a throw-away one that ends with the tests."""
    given = os.environ.get("QTP_TEST_PG_DSN")
    if given:
        yield given
        return
    programs = _postgresql_programs()
    if programs is None:
        _missing("PostgreSQL's programs are not here: apt-get install postgresql")
    assert programs is not None
    with _throwaway_postgresql(programs) as url:
        yield url


@contextlib.contextmanager
def _new_database(server_url: str, template: str) -> Iterator[str]:
    name = f"qtp_test_{secrets.token_hex(6)}"
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, (name, template))))
    try:
        yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(server_url, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def _migrated_postgres(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Name of a database with the whole schema, to copy: migrating takes ten times as long."""
    parts: tuple[Part, ...] = ("desk", "candles")
    with _new_database(postgres_url, "template0") as url:
        for part in parts:
            open_database(part, home=tmp_path_factory.mktemp("home"), url=url).dispose()
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture
def postgres_database(postgres_url: str, _migrated_postgres: str) -> Iterator[str]:
    """Address of a PostgreSQL database with our schema and no rows, dropped after the test."""
    with _new_database(postgres_url, _migrated_postgres) as url:
        yield url


@pytest.fixture
def empty_postgres_database(postgres_url: str) -> Iterator[str]:
    """Address of a PostgreSQL database without any table, dropped after the test."""
    with _new_database(postgres_url, "template0") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Both databases in turn: empty for SQLite in the home folder, else a PostgreSQL database without rows."""
    if request.param == "sqlite":
        return ""
    url: str = request.getfixturevalue("postgres_database")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """As `database_url`, but nothing has been migrated yet."""
    if request.param == "sqlite":
        return ""
    url: str = request.getfixturevalue("empty_postgres_database")
    return url
