"""Coroutines beside blocking code: they run, they end when told, and no thread is left."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from engines.loop_thread import LoopThread


@pytest.fixture
def thread() -> Iterator[LoopThread]:
    made = LoopThread("a loop of a test")
    yield made
    made.close()


async def _where() -> str:
    await asyncio.sleep(0)
    return threading.current_thread().name


def test_nothing_runs_before_the_first_coroutine(thread: LoopThread) -> None:
    assert not thread.is_running
    assert thread.spawn(_where()).result(10) == "a loop of a test"
    assert thread.is_running


def test_an_error_reaches_whoever_waits_and_the_thread_goes_on(thread: LoopThread) -> None:
    async def broken() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        thread.spawn(broken()).result(10)
    assert thread.spawn(_where()).result(10)


def test_closing_lets_what_runs_clean_up_and_leaves_no_thread(thread: LoopThread) -> None:
    begun, cleaned = threading.Event(), threading.Event()

    async def forever() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.set()

    waiting = thread.spawn(forever())
    assert begun.wait(10)
    thread.close()
    thread.close()
    assert (cleaned.is_set(), waiting.cancelled(), thread.is_running) == (True, True, False)
    assert "a loop of a test" not in {each.name for each in threading.enumerate()}


def test_a_closed_thread_takes_nothing_more(thread: LoopThread) -> None:
    thread.close()
    with pytest.raises(RuntimeError, match="was closed"):
        thread.spawn(_where())


def test_what_is_asked_for_at_the_same_time_runs_in_one_thread(thread: LoopThread) -> None:
    names: list[str] = []
    askers = [threading.Thread(target=lambda: names.append(thread.spawn(_where()).result(10) or "")) for _ in range(8)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert names == ["a loop of a test"] * 8
