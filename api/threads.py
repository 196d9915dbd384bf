"""Conversations as their owner sees them: a list, and one with its messages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, and_, delete, or_, select, update

from api.cursors import decode_number, decode_time_and_id, encode_cursor
from engines.errors import NotFound
from engines.storage.threads import messages, threads
from engines.storage.transactions import writing


@dataclass(frozen=True, slots=True)
class Thread:
    """One conversation."""

    id: str
    title: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation; `extras` are the receipts and the like of an answer."""

    id: int
    role: str
    text: str
    run_id: str
    created_at: datetime
    extras: dict[str, Any]


class ThreadStore:
    """Threads of every owner. Calls block for milliseconds."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(self, owner: str, *, limit: int, cursor: str | None) -> tuple[list[Thread], str | None]:
        """Threads of an owner, the last used first, and the cursor of the next page."""
        chosen = select(threads).where(threads.c.owner == owner)
        if cursor is not None:
            moment, last_id = decode_time_and_id(cursor)
            chosen = chosen.where(
                or_(threads.c.updated_at < moment, and_(threads.c.updated_at == moment, threads.c.id < last_id))
            )
        chosen = chosen.order_by(threads.c.updated_at.desc(), threads.c.id.desc()).limit(limit + 1)
        with self._engine.connect() as connection:
            found = [Thread(row.id, row.title, row.created_at, row.updated_at) for row in connection.execute(chosen)]
        more = len(found) > limit
        found = found[:limit]
        return found, encode_cursor(found[-1].updated_at.isoformat(), found[-1].id) if more else None

    def get(self, thread_id: str, owner: str) -> Thread:
        """One thread of an owner.

        Raises:
            NotFound: there is no such thread, or it is somebody else's.
        """
        chosen = select(threads).where(threads.c.id == thread_id, threads.c.owner == owner)
        with self._engine.connect() as connection:
            row = connection.execute(chosen).one_or_none()
        if row is None:
            raise NotFound(f"There is no thread {thread_id[:64]!r}.", remedy="GET /v1/threads lists yours.")
        return Thread(row.id, row.title, row.created_at, row.updated_at)

    def messages(self, thread_id: str, *, limit: int, cursor: str | None) -> tuple[list[Message], str | None]:
        """The newest messages of a thread, oldest of them first, and the cursor of those before."""
        chosen = select(messages).where(messages.c.thread_id == thread_id)
        if cursor is not None:
            chosen = chosen.where(messages.c.id < decode_number(cursor))
        chosen = chosen.order_by(messages.c.id.desc()).limit(limit + 1)
        with self._engine.connect() as connection:
            found = [
                Message(row.id, row.role, row.text, row.run_id, row.created_at, json.loads(row.extras))
                for row in connection.execute(chosen)
            ]
        more = len(found) > limit
        found = found[:limit][::-1]
        return found, encode_cursor(found[0].id) if more else None

    def rename(self, thread_id: str, owner: str, title: str) -> Thread:
        """Give a thread of an owner another title; when it was last used stays as it is.

        Raises:
            NotFound: there is no such thread, or it is somebody else's.
        """
        changed = update(threads).where(threads.c.id == thread_id, threads.c.owner == owner).values(title=title)
        with writing(self._engine) as connection:
            connection.execute(changed)
        return self.get(thread_id, owner)

    def delete(self, thread_id: str, owner: str) -> None:
        """Forget a thread with its messages, runs and events; tickets, orders and fills stay in the ledger."""
        with writing(self._engine) as connection:
            connection.execute(delete(threads).where(threads.c.id == thread_id, threads.c.owner == owner))
