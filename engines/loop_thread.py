"""A thread with an asyncio loop of its own, for what has to go on beside blocking code."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, Final, TypeVar

_Result = TypeVar("_Result")
_PATIENCE: Final = 10.0


class LoopThread:
    """Runs coroutines in one thread of its own, which begins with the first of them and ends with `close`.

    A process may end without `close`: the thread does not keep it.

    Args:
        name: what the thread is called.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    @property
    def is_running(self) -> bool:
        """True from the first coroutine on until `close`."""
        return self._thread is not None and self._thread.is_alive()

    def spawn(self, coroutine: Coroutine[Any, Any, _Result]) -> Future[_Result]:
        """Run a coroutine in the thread; from any thread.

        Returns:
            What it comes to; cancelling it cancels the coroutine.

        Raises:
            RuntimeError: the thread was closed; the coroutine did not begin.
        """
        with self._lock:
            if self._closed:
                coroutine.close()
                raise RuntimeError(f"The thread {self._name!r} was closed.")
            return asyncio.run_coroutine_threadsafe(coroutine, self._running())

    def close(self) -> None:
        """Cancel what still runs, wait until it has ended, and end the thread; again does no harm.

        Raises:
            RuntimeError: a coroutine does not end although it was cancelled.
        """
        with self._lock:
            self._closed = True
            loop, thread = self._loop, self._thread
        if loop is None or thread is None or not thread.is_alive():
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_PATIENCE)
        if thread.is_alive():
            raise RuntimeError(f"The thread {self._name!r} does not end: one of its tasks ignores being cancelled.")

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=_run, args=(self._loop,), name=self._name, daemon=True)
            self._thread.start()
        return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
