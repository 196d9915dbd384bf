"""Opening a database: where it is and how it is tuned."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from engines.errors import ConfigurationError
from engines.storage.migrating import Part, migrate

__all__ = ["Part", "migrate", "open_database"]

# Candles can be imported again, so they need not wait for the disk; the journal must.
_SYNCHRONOUS: Final[dict[Part, str]] = {"candles": "NORMAL", "desk": "FULL"}
_BUSY_SECONDS: Final = 10
_PAUSE_SECONDS: Final = 0.01


def open_database(part: Part, *, home: Path, url: str = "") -> Engine:
    """Open one part of the schema, migrated to its newest revision.

    On SQLite each part has a file of its own in `home`, so a long import never holds up the
    journal; on PostgreSQL (`url` given) both live in one database.

    Raises:
        ConfigurationError: the database cannot be reached, read or written, or a newer release made it.
    """
    engine, place = _postgresql(url) if url else _sqlite(part, home)
    try:
        migrate(engine, part)
    except DBAPIError as error:
        engine.dispose()
        raise _explained(error, place) from error
    except ConfigurationError:
        engine.dispose()
        raise
    return engine


def _sqlite(part: Part, home: Path) -> tuple[Engine, str]:
    path = home / f"{part}.db"
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The home folder {str(home)!r} cannot be used: {error.strerror}.",
            remedy="Give --home (QTP_HOME) a folder that can be written.",
        ) from error
    engine = create_engine(
        f"sqlite:///{path}", connect_args={"timeout": _BUSY_SECONDS}, pool_size=8, max_overflow=56, pool_timeout=60
    )
    event.listen(engine, "connect", _tune_sqlite(_SYNCHRONOUS[part]))
    event.listen(engine, "begin", _begin_sqlite)
    return engine, str(path)


def _postgresql(url: str) -> tuple[Engine, str]:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(
            "QTP_DATABASE_URL is not a database address.",
            remedy="It looks like postgresql://user:password@host:5432/name.",
        ) from error
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise ConfigurationError(
            f"QTP_DATABASE_URL names {parsed.get_backend_name()!r}, which is not supported.",
            remedy="Use postgresql://..., or leave it empty for SQLite files in the home folder.",
        )
    arguments: dict[str, Any] = {} if "connect_timeout" in parsed.query else {"connect_timeout": _BUSY_SECONDS}
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, max_overflow=20, connect_args=arguments
    )
    return engine, parsed.render_as_string(hide_password=True)


def _tune_sqlite(synchronous: str) -> Callable[[DBAPIConnection, ConnectionPoolEntry], None]:
    def tune(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        # The driver must not open transactions by itself: `_begin_sqlite` says which kind it is.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}")
        _switch_to_wal(cursor)
        for pragma in (f"synchronous={synchronous}", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return tune


def _switch_to_wal(cursor: DBAPICursor) -> None:
    """Turn a new file's journal into a write-ahead log.

    SQLite does not wait for a lock that two openers need at once, whatever the busy timeout: one of them is told that
    the file is locked, and asks again.
    """
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(_PAUSE_SECONDS)


def _begin_sqlite(connection: Connection) -> None:
    kind = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {kind}")


def _explained(error: DBAPIError, place: str) -> ConfigurationError:
    reason = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
    if not isinstance(error.orig, sqlite3.Error):
        remedy = "Check that PostgreSQL runs there and that QTP_DATABASE_URL names the right user and database."
    elif "locked" in reason or "busy" in reason:
        remedy = "Another process holds it: stop that one, then start again."
    elif "not a database" in reason or "malformed" in reason:
        remedy = "The file is damaged: restore it from a backup, or move it away to start empty."
    else:
        remedy = "Check that its folder exists, can be written and has free space; --home (QTP_HOME) sets another."
    return ConfigurationError(f"The database {place} cannot be opened: {reason}.", remedy=remedy)
