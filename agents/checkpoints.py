"""Where threads are kept, by LangGraph's SQLite or PostgreSQL saver, and the lock that gives each its turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakValueDictionary

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

if TYPE_CHECKING:
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver


class Checkpoints(Protocol):
    """The threads of one desk. A thread is worked on by one turn at a time, on PostgreSQL across processes too."""

    @property
    def saver(self) -> BaseCheckpointSaver[Any]:
        """What the graph is compiled with."""
        ...

    @asynccontextmanager
    async def locked(self, thread_id: str) -> AsyncIterator[None]:
        """Wait for, then hold, a thread."""
        yield

    async def prune(self, thread_id: str) -> None:
        """Forget all but the newest checkpoint of a thread: each holds the whole thread."""
        ...

    async def delete(self, thread_id: str) -> None:
        """Forget a thread."""
        ...


@asynccontextmanager
async def open_checkpoints(home: Path, database_url: str) -> AsyncIterator[Checkpoints]:
    """Open the checkpoints of a desk and bring their schema up to date."""
    # Strict: what is read back is plain data and messages, whatever a stored byte string claims to be.
    serde = JsonPlusSerializer(allowed_msgpack_modules=None)
    opened = _postgres(database_url, serde) if database_url else _sqlite(home / "checkpoints.db", serde)
    async with opened as checkpoints:
        yield checkpoints


class _ThreadLocks:
    """A lock for each thread that somebody uses or waits for."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, thread_id: str) -> asyncio.Lock:
        """The lock of a thread; whoever holds a reference keeps it alive."""
        lock = self._locks.get(thread_id)
        if lock is None:
            lock = self._locks[thread_id] = asyncio.Lock()
        return lock


class _SqliteCheckpoints:
    def __init__(self, saver: AsyncSqliteSaver) -> None:
        self.saver = saver
        self._locks = _ThreadLocks()

    @asynccontextmanager
    async def locked(self, thread_id: str) -> AsyncIterator[None]:
        async with self._locks.of(thread_id):
            yield

    async def prune(self, thread_id: str) -> None:
        newest = "(SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = ? AND checkpoint_ns = '')"
        async with self.saver.lock:
            for table in ("writes", "checkpoints"):
                statement = f"DELETE FROM {table} WHERE thread_id = ? AND checkpoint_id < {newest}"  # noqa: S608 - constants
                await self.saver.conn.execute(statement, (thread_id, thread_id))
            await self.saver.conn.commit()

    async def delete(self, thread_id: str) -> None:
        await self.saver.adelete_thread(thread_id)


class _PostgresCheckpoints:
    def __init__(self, saver: AsyncPostgresSaver, url: str) -> None:
        self.saver = saver
        self._url = url
        self._locks = _ThreadLocks()

    @asynccontextmanager
    async def locked(self, thread_id: str) -> AsyncIterator[None]:
        import psycopg

        # A connection of its own: turns that wait must not use up the pool that the running one saves through.
        async with self._locks.of(thread_id), await psycopg.AsyncConnection.connect(self._url, autocommit=True) as held:
            await held.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (f"thread:{thread_id}",))
            yield

    async def prune(self, thread_id: str) -> None:
        await self.saver.aprune([thread_id], strategy="keep_latest")

    async def delete(self, thread_id: str) -> None:
        await self.saver.adelete_thread(thread_id)


@asynccontextmanager
async def _sqlite(file: Path, serde: JsonPlusSerializer) -> AsyncIterator[Checkpoints]:
    import aiosqlite
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    async with aiosqlite.connect(file) as connection:
        saver = AsyncSqliteSaver(connection, serde=serde)
        await saver.setup()
        # A decision's truth is in the ledger, which does wait for the disk.
        await connection.execute("PRAGMA synchronous=NORMAL")
        await connection.execute("PRAGMA busy_timeout=10000")
        yield _SqliteCheckpoints(saver)


@asynccontextmanager
async def _postgres(url: str, serde: JsonPlusSerializer) -> AsyncIterator[Checkpoints]:
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from psycopg.rows import dict_row
    from psycopg_pool import AsyncConnectionPool

    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    options: dict[str, Any] = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    async with AsyncConnectionPool(plain, kwargs=options, min_size=1, max_size=10, open=False) as pool:
        saver = AsyncPostgresSaver(pool, serde=serde)  # type: ignore[arg-type]
        await saver.setup()
        yield _PostgresCheckpoints(saver, plain)
