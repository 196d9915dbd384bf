"""Runs: work in the background that connections only watch. Closing a connection cancels nothing."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from starlette.concurrency import run_in_threadpool

from api.problems import Busy, Problem, Stopping, problem_of, unexpected_problem
from api.run_store import Event, Outcome, Reply, RunRecord, RunRequest, RunStore
from engines.errors import QuantumTraderError

logger = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 64
GRACE_SECONDS: Final = 10.0

Work = Callable[["Run"], Awaitable[tuple[Outcome, Reply | None]]]
Failure = Callable[["Run", Problem], tuple[Outcome, Reply | None]]


class Run:
    """A run that is going on in this process.

    An event becomes visible once it is in the database, so a client that has seen event n finds
    n + 1 after any restart. Consumers read a shared list at their own pace; none has a queue.
    """

    def __init__(self, record: RunRecord) -> None:
        self.record = record
        self.outcome: Outcome | None = None
        self.ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._events: list[Event] = []
        self._waiting: list[tuple[str, str]] = []
        self._wanted = asyncio.Event()
        self._closing = False
        self._news = asyncio.Event()

    def emit(self, name: str, data: dict[str, Any]) -> None:
        """Add an event; callable from any thread."""
        text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        self._loop.call_soon_threadsafe(self._queue, name, text)

    def _queue(self, name: str, text: str) -> None:
        self._waiting.append((name, text))
        self._wanted.set()

    async def wanted(self) -> bool:
        """Wait for events that are not in the database yet; False once the work is done."""
        await self._wanted.wait()
        return not self._closing

    async def close(self) -> None:
        """Say that the work is done: no event comes after those emitted so far."""
        await asyncio.sleep(0)  # emit() takes effect in the loop's next round
        self._closing = True
        self._wanted.set()

    def take(self) -> list[Event]:
        """The events that are not in the database yet, numbered."""
        self._wanted.clear()
        waiting, self._waiting = self._waiting, []
        first = len(self._events) + 1
        return [Event(number, name, text) for number, (name, text) in enumerate(waiting, first)]

    def publish(self, events: list[Event]) -> None:
        """Show events to whoever watches."""
        self._events.extend(events)
        self._news.set()
        self._news = asyncio.Event()

    def end(self, outcome: Outcome) -> None:
        """Show the answer to whoever waits."""
        self.outcome = outcome
        self.ended.set()
        self._news.set()

    async def watch(self, after: int) -> AsyncIterator[Event]:
        """Events with a number above `after`, until the run ends."""
        position = max(after, 0)
        while True:
            news, ended = self._news, self.ended.is_set()
            while position < len(self._events):
                yield self._events[position]
                position += 1
            if ended:
                return
            if news is self._news:
                await news.wait()


class Runs:
    """All runs of this server: starts them, keeps them alive, and finds them again."""

    def __init__(self, store: RunStore, *, most_at_once: int = MOST_AT_ONCE) -> None:
        self.store = store
        self._most_at_once = most_at_once
        self._live: dict[str, Run] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._starting = asyncio.Lock()

    async def start(self, request: RunRequest, *, work: Work, failure: Failure) -> RunRecord:
        """Begin a run, or find the one that the same idempotency key began.

        Raises:
            NotFound: the thread is somebody else's.
            KeyReused: the key was used for a different request.
            Busy: too many runs are going on.
        """
        if len(self._live) >= self._most_at_once:
            raise Busy(
                f"{len(self._live)} runs are going on, which is the most this desk takes.", remedy="Try again soon."
            )
        # The lock keeps a repeated request from finding the row of a run that is not yet live.
        async with self._starting:
            record, new = await run_in_threadpool(self.store.begin, request)
            if new:
                run = self._live[record.id] = Run(record)
                task = asyncio.create_task(self._drive(run, work, failure), name=f"run-{record.id}")
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        return record

    async def outcome(self, record: RunRecord) -> Outcome:
        """Wait until a run has ended and return its answer.

        Raises:
            Busy: it goes on in another process, so it cannot be waited for here.
        """
        run = self._live.get(record.id)
        if run is not None:
            await run.ended.wait()
            assert run.outcome is not None
            return run.outcome
        if record.outcome is None:
            record = await run_in_threadpool(self.store.get, record.id, record.owner)
        if record.outcome is None:
            raise Busy("The same request is being worked on.", remedy="Ask again for its events, or repeat it soon.")
        return record.outcome

    async def watch(self, record: RunRecord, *, after: int) -> AsyncIterator[Event]:
        """Events of a run with a number above `after`, until it ends; of an ended one those that were kept."""
        run = self._live.get(record.id)
        if run is not None:
            async for event in run.watch(after):
                yield event
            return
        while batch := await run_in_threadpool(self.store.events, record.id, after=after):
            for event in batch:
                yield event
            after = batch[-1].number

    def active_in(self, thread_id: str) -> bool:
        """True while a run of this thread goes on here."""
        return any(run.record.thread_id == thread_id for run in self._live.values())

    async def close(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Let running work finish for a while, then end the rest as failed."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(set(self._tasks), timeout=grace_seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def _drive(self, run: Run, work: Work, failure: Failure) -> None:
        recorder = asyncio.create_task(self._record(run))
        outcome, reply = await self._result(run, work, failure)
        run.emit("done", {"status": outcome.status})
        await run.close()
        await recorder
        last = run.take()
        try:
            await run_in_threadpool(self.store.finish, run.record, outcome, last, reply)
        except Exception:
            # Process edge: the disk may be full, but whoever waits still gets the answer.
            logger.exception("run %s could not be kept", run.record.id)
        run.publish(last)
        run.end(outcome)
        del self._live[run.record.id]

    async def _result(self, run: Run, work: Work, failure: Failure) -> tuple[Outcome, Reply | None]:
        try:
            return await work(run)
        except QuantumTraderError as error:
            problem = problem_of(error)
        except asyncio.CancelledError:
            problem = problem_of(interrupted())
        except Exception as error:  # noqa: BLE001 - process edge: it is logged under a reference
            problem = unexpected_problem(error, during=f"run {run.record.id}")
        run.emit("error", problem.model_dump(mode="json"))
        return failure(run, problem)

    async def _record(self, run: Run) -> None:
        while await run.wanted():
            batch = run.take()
            try:
                await run_in_threadpool(self.store.append, run.record.id, batch)
            except Exception:
                # Process edge: without the database the stream goes on, it just cannot be resumed after a restart.
                logger.exception("events of run %s could not be kept", run.record.id)
            run.publish(batch)


def interrupted() -> Stopping:
    """What became of work that the end of the server cut off."""
    return Stopping(
        "The server stopped before this was finished.",
        remedy="Look at the open tickets and orders, then ask again; nothing is ever sent twice.",
    )
