"""Opening a database: where it is, how it is tuned, and bringing its schema up to date."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

Part = Literal["candles", "desk"]

# Alembic branches of each part. Candles can be imported again, so they need not wait for the disk; the journal must.
_BRANCHES: Final[dict[Part, tuple[str, ...]]] = {"candles": ("candles",), "desk": ("ledger", "threads")}
_SYNCHRONOUS: Final[dict[Part, str]] = {"candles": "NORMAL", "desk": "FULL"}


def open_database(part: Part, *, home: Path, url: str = "") -> Engine:
    """Open one part of the schema, migrated to its newest revision.

    On SQLite each part has a file of its own in `home`, so a long import never holds up the
    journal; on PostgreSQL (`url` given) both live in one database.

    Raises:
        sqlalchemy.exc.OperationalError: the database cannot be reached or written.
    """
    if url:
        engine = create_engine(_psycopg(url), pool_pre_ping=True)
    else:
        engine = create_engine(f"sqlite:///{home / f'{part}.db'}", connect_args={"timeout": 10})
        event.listen(engine, "connect", _tune_sqlite(_SYNCHRONOUS[part]))
    migrate(engine, part)
    return engine


def migrate(engine: Engine, part: Part) -> None:
    """Run the missing migrations of one part; a database that is up to date is left alone."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        for branch in _BRANCHES[part]:
            command.upgrade(config, f"{branch}@head")


def _psycopg(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg{separator}{rest}" if scheme in {"postgres", "postgresql"} else url


def _tune_sqlite(synchronous: str) -> Callable[[DBAPIConnection, ConnectionPoolEntry], None]:
    def tune(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "foreign_keys=ON", "busy_timeout=10000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return tune
