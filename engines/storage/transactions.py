"""How transactions begin: one that writes, and one that reads a single state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that will write: committed at the end, rolled back by an error.

    SQLite takes the write lock at once (BEGIN IMMEDIATE): a transaction that reads first and
    writes later would otherwise fail as busy instead of waiting its turn.
    """
    with engine.connect() as connection:
        connection.execution_options(sqlite_begin="IMMEDIATE")
        with connection.begin():
            yield connection


@contextmanager
def reading_one_state(engine: Engine) -> Iterator[Connection]:
    """A transaction whose every query sees the database as of its first one, whatever others commit meanwhile."""
    with engine.connect() as connection:
        # SQLite's deferred transaction does so by itself.
        if engine.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection
