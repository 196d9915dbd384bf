"""Look-ups of what a stream spoke of: each once, at a pace, and again until one succeeds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from engines.errors import VenueUnavailable
from engines.execution.heard import Heard
from engines.execution.wake import Pace, Waker

from .waiting import SECONDS, until


@pytest.fixture
def waker_of() -> Iterator[Callable[..., Waker]]:
    made: list[Waker] = []

    def make(look: Callable[[Heard], bool], pace: Pace | None = None, **more: Any) -> Waker:
        made.append(Waker("look-ups of a test", look, pace or Pace(1_000, 1_000), **more))
        return made[-1]

    yield make
    for waker in made:
        waker.close()


def test_news_of_an_order_that_still_waits_are_looked_up_once(waker_of: Any) -> None:
    begun, go_on, looked = threading.Event(), threading.Event(), list[str]()

    def look(heard: Heard) -> bool:
        begun.set()
        assert go_on.wait(SECONDS)
        looked.append(f"{heard.venue_order_id} {heard.filled}")
        return True

    waker = waker_of(look)
    waker.heard(Heard("", "1"))
    assert begun.wait(SECONDS)
    for filled in range(5):
        waker.heard(Heard("", "2", Decimal(filled)))
    go_on.set()
    until(lambda: len(looked) == 2)
    assert looked == ["1 None", "2 4"]


def test_look_ups_beyond_the_pace_wait_and_are_not_forgotten(waker_of: Any) -> None:
    looked: list[str] = []

    def look(heard: Heard) -> bool:
        looked.append(heard.key)
        return True

    waker = waker_of(look, Pace(2, 20))
    for number in range(6):
        waker.heard(Heard("", str(number)))
    until(lambda: len(looked) == 6)
    assert sorted(looked) == list("012345")


def test_what_is_known_already_uses_up_no_look_up(waker_of: Any) -> None:
    looked: list[str] = []

    def look(heard: Heard) -> bool:
        looked.append(heard.key)
        return True

    # Two look-ups are allowed, and hardly a third for hours.
    waker = waker_of(look, Pace(2, 0.0001), is_news=lambda heard: heard.key.startswith("news"))
    for key in ("old 1", "news 1", "old 2", "old 3", "news 2"):
        waker.heard(Heard("", key))
    until(lambda: len(looked) == 2)
    assert looked == ["news 1", "news 2"]


def test_a_look_up_that_breaks_does_not_end_the_others(waker_of: Any, caplog: pytest.LogCaptureFixture) -> None:
    looked: list[str] = []

    def look(heard: Heard) -> bool:
        looked.append(heard.key)
        if heard.key == "broken" and looked.count("broken") < 2:
            raise ValueError("no")
        if heard.key == "away" and looked.count("away") < 3:
            raise VenueUnavailable("away")
        return True

    waker = waker_of(look)
    for key in ("broken", "away", "fine"):
        waker.heard(Heard("", key))
    until(lambda: (looked.count("away"), looked.count("broken"), looked.count("fine")) == (3, 2, 1))
    assert "could not be looked up" in caplog.text
