"""One owner at a time for a submission, released by the system when its process dies."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text

# Only for a database without a file, which no other process can see.
_IN_PROCESS = threading.RLock()
# Each claim holds a connection while its owner needs another: never let claims alone drain the pool.
_ON_SERVER = threading.BoundedSemaphore(8)


@contextmanager
def claimed(engine: Engine, name: str) -> Iterator[None]:
    """Wait for, then hold, the claim on `name` across threads and processes.

    It is a lock of the operating system (SQLite) or the server (PostgreSQL), not a row: whoever gets it
    knows that the previous owner has finished or died, without waiting for a lease to run out. On SQLite
    all claims of one database take turns.
    """
    if engine.dialect.name == "postgresql":
        with _ON_SERVER, _on_server(engine, name):
            yield
    elif engine.url.database:
        with _on_file(f"{engine.url.database}.claims"):
            yield
    else:
        with _IN_PROCESS:
            yield


@contextmanager
def _on_server(engine: Engine, name: str) -> Iterator[None]:
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})


@contextmanager
def _on_file(path: str) -> Iterator[None]:
    # Each claim opens the file anew: `flock` belongs to the open file, so threads exclude each other too.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
