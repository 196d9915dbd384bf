"""What is kept of runs: who asked what, every event, the answer; in the desk's database."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from sqlalchemy import Connection, Engine, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from api.news_store import mark_told
from api.problems import KeyReused
from engines.domain.clock import Clock
from engines.errors import NotFound
from engines.storage.threads import idempotency, messages, run_events, runs, threads
from engines.storage.transactions import writing

# `news` is what the desk says without being asked; it is kept complete, and nobody starts it.
RunKind = Literal["message", "decision", "proposal", "news"]
RunStatus = Literal["running", "completed", "awaiting_approval", "failed"]

KEY_LIFETIME: Final = timedelta(hours=24)
EVENT_LIFETIME: Final = timedelta(days=30)
TITLE_LENGTH: Final = 60


@dataclass(frozen=True, slots=True)
class Claim:
    """An `Idempotency-Key` and the fingerprint of the request it came with."""

    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Work to be done for somebody.

    Attributes:
        subject: the message of a `message` run, the ticket id of a `decision` run,
            empty for a `proposal` run.
        title: of the thread, where the run begins it.
    """

    kind: RunKind
    owner: str
    thread_id: str
    subject: str
    title: str
    claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: the body and status of its HTTP answer."""

    status: RunStatus
    body: dict[str, Any]
    status_code: int = 200


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a run: numbered from 1 without a gap; `data` is JSON."""

    number: int
    name: str
    data: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as the database knows it; `outcome` is None while it runs."""

    id: str
    kind: RunKind
    owner: str
    thread_id: str
    subject: str
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the desk said at the end of a run, as the thread keeps it; `extras` are its receipts and the like."""

    text: str
    extras: dict[str, Any]


class RunStore:
    """Runs and their events. Calls block for milliseconds; each is one transaction."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def begin(self, request: RunRequest) -> tuple[RunRecord, bool]:
        """Write down a new run with its thread, message and idempotency key, or find the one its key belongs to.

        Returns:
            The run, and whether it is new.

        Raises:
            NotFound: the thread belongs to somebody else.
            KeyReused: the key came with a different request before.
        """
        try:
            return self._begin(request)
        except IntegrityError:
            # On PostgreSQL two callers can pass the look-up at once; the second then finds the first one's rows.
            return self._begin(request)

    def _begin(self, request: RunRequest) -> tuple[RunRecord, bool]:
        with writing(self._engine) as connection:
            if request.claim is not None:
                known = self._claimed(connection, request.owner, request.claim)
                if known is not None:
                    return known, False
            self._enter_thread(connection, request)
            run = RunRecord(uuid.uuid4().hex, request.kind, request.owner, request.thread_id, request.subject, None)
            now = self._clock.now()
            connection.execute(
                insert(runs).values(
                    id=run.id,
                    owner=run.owner,
                    thread_id=run.thread_id,
                    kind=run.kind,
                    subject=run.subject if run.kind == "decision" else "",
                    status="running",
                    created_at=now,
                )
            )
            if request.kind == "message":
                self._add_message(connection, run, "user", Reply(request.subject, {}))
            if request.claim is not None:
                connection.execute(
                    insert(idempotency).values(
                        owner=request.owner,
                        key=request.claim.key,
                        fingerprint=request.claim.fingerprint,
                        run_id=run.id,
                        created_at=now,
                    )
                )
            return run, True

    def append(self, run_id: str, events: Sequence[Event]) -> None:
        """Keep events of a running run."""
        with writing(self._engine) as connection:
            _insert_events(connection, run_id, events)

    def finish(self, run: RunRecord, outcome: Outcome, events: Sequence[Event], reply: Reply | None) -> None:
        """Keep the last events, the answer and the desk's message, all or nothing."""
        with writing(self._engine) as connection:
            _insert_events(connection, run.id, events)
            connection.execute(
                update(runs)
                .where(runs.c.id == run.id)
                .values(
                    status=outcome.status,
                    status_code=outcome.status_code,
                    answer=json.dumps(outcome.body),
                    ended_at=self._clock.now(),
                )
            )
            if reply is not None:
                self._add_message(connection, run, "assistant", reply)
                mark_told(connection, run.id, reply.extras.get("receipts", ()))

    def get(self, run_id: str, owner: str) -> RunRecord:
        """One run of an owner.

        Raises:
            NotFound: there is no such run, or it is somebody else's.
        """
        with self._engine.connect() as connection:
            row = connection.execute(select(runs).where(runs.c.id == run_id, runs.c.owner == owner)).one_or_none()
        if row is None:
            raise NotFound(f"There is no run {run_id[:64]!r}.", remedy="Use the run_id of an answer or a `run` event.")
        return _record(row)

    def events(self, run_id: str, *, after: int = 0, limit: int = 500) -> tuple[Event, ...]:
        """Kept events with a number above `after`, in order."""
        chosen = (
            select(run_events)
            .where(run_events.c.run_id == run_id, run_events.c.number > after)
            .order_by(run_events.c.number)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return tuple(Event(row.number, row.name, row.data) for row in connection.execute(chosen))

    def last_number(self, run_id: str) -> int:
        """Number of the newest kept event, 0 without any."""
        with self._engine.connect() as connection:
            newest = select(func.max(run_events.c.number)).where(run_events.c.run_id == run_id)
            return connection.execute(newest).scalar_one() or 0

    def unfinished(self) -> tuple[RunRecord, ...]:
        """Runs that a stopped server left behind, oldest first; ask only before new ones start."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(runs).where(runs.c.status == "running").order_by(runs.c.created_at))
            return tuple(_record(row) for row in rows)

    def release(self, run_id: str) -> None:
        """Forget the idempotency key of a run that did nothing, so that the same request may be made again."""
        with writing(self._engine) as connection:
            connection.execute(delete(idempotency).where(idempotency.c.run_id == run_id))

    def prune(self) -> None:
        """Drop idempotency keys and events that are past their time."""
        now = self._clock.now()
        old = select(runs.c.id).where(runs.c.ended_at < now - EVENT_LIFETIME)
        with writing(self._engine) as connection:
            connection.execute(delete(idempotency).where(idempotency.c.created_at <= now - KEY_LIFETIME))
            connection.execute(delete(run_events).where(run_events.c.run_id.in_(old)))

    def _claimed(self, connection: Connection, owner: str, claim: Claim) -> RunRecord | None:
        mine = (idempotency.c.owner == owner) & (idempotency.c.key == claim.key)
        outdated = idempotency.c.created_at <= self._clock.now() - KEY_LIFETIME
        connection.execute(delete(idempotency).where(mine, outdated))
        known = connection.execute(select(idempotency).where(mine)).one_or_none()
        if known is None:
            return None
        if known.fingerprint != claim.fingerprint:
            raise KeyReused(
                f"The Idempotency-Key {claim.key[:64]!r} was used for a different request.",
                remedy="Use a new key for a new request, and the same key only to repeat one unchanged.",
            )
        return _record(connection.execute(select(runs).where(runs.c.id == known.run_id)).one())

    def _enter_thread(self, connection: Connection, request: RunRequest) -> None:
        now = self._clock.now()
        owner = connection.execute(select(threads.c.owner).where(threads.c.id == request.thread_id)).scalar()
        if owner is None:
            title = " ".join(request.title.split())
            title = title if len(title) <= TITLE_LENGTH else title[: TITLE_LENGTH - 1].rstrip() + "…"
            connection.execute(
                insert(threads).values(
                    id=request.thread_id, owner=request.owner, title=title, created_at=now, updated_at=now
                )
            )
        elif owner != request.owner:
            raise NotFound(
                f"There is no thread {request.thread_id}.", remedy="Leave thread_id out to begin a new conversation."
            )
        else:
            connection.execute(update(threads).where(threads.c.id == request.thread_id).values(updated_at=now))

    def _add_message(self, connection: Connection, run: RunRecord, role: str, reply: Reply) -> None:
        now = self._clock.now()
        connection.execute(
            insert(messages).values(
                thread_id=run.thread_id,
                run_id=run.id,
                role=role,
                text=reply.text,
                extras=json.dumps(reply.extras),
                created_at=now,
            )
        )
        connection.execute(update(threads).where(threads.c.id == run.thread_id).values(updated_at=now))


def _insert_events(connection: Connection, run_id: str, events: Sequence[Event]) -> None:
    if events:
        rows = [{"run_id": run_id, "number": e.number, "name": e.name, "data": e.data} for e in events]
        connection.execute(insert(run_events), rows)


def _record(row: Row[Any]) -> RunRecord:
    outcome = None
    if row.status != "running":
        outcome = Outcome(row.status, json.loads(row.answer), row.status_code)
    return RunRecord(row.id, row.kind, row.owner, row.thread_id, row.subject, outcome)
