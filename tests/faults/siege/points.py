"""Boundaries between the steps of an order's path, seen from outside: each commit and each request on the wire.

A process can be made to end at any of them, the way a power cut ends it.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from sqlalchemy import Engine, event

CREATES: Final = ("/api/v3/order", "/api/v3/orderList/oco", "/api/v3/orderList/oto", "/api/v3/orderList/otoco")
CREATES_ELSEWHERE: Final = ("/v5/order/create", "/0/private/AddOrder")
_MOST_READS: Final = 3


def creates(method: str, path: str) -> bool:
    """Whether a request makes an order."""
    return method == "POST" and any(path.endswith(each) for each in (*CREATES, *CREATES_ELSEWHERE))


def die() -> None:
    """End this process at once; nothing is flushed, closed or rolled back."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_first(mark: Path) -> None:
    """End this process unless another one made the mark before: of two that come to a boundary one goes on."""
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return
    die()


class Points:
    """Counts the boundaries that are passed, and calls `end` at one of them.

    Args:
        at: number of the boundary to end at, from 0; None for none of them.
        log: file that gets the name of each boundary, written through before anything else happens.
    """

    def __init__(self, at: int | None, log: Path | None = None, end: Callable[[], None] = die) -> None:
        self.at = at
        self.passed: list[str] = []
        self.before_sending: Callable[[str], None] = lambda content: None
        self._end = end
        self._log = log
        self._reads = 0
        self._committed = threading.local()

    def reach(self, name: str) -> None:
        """Pass a boundary, or end there."""
        number = len(self.passed)
        self.passed.append(name)
        if self._log is not None:
            with self._log.open("a") as file:
                file.write(f"{name}\n")
        if number == self.at:
            self._end()

    def watch_database(self, engine: Engine) -> None:
        """A boundary before and one behind every commit."""

        def committing(_: Any) -> None:
            self.reach("before a commit")
            self._committed.done = True

        def returned(*_: Any) -> None:
            if getattr(self._committed, "done", False):
                self._committed.done = False
                self.reach("behind a commit")

        event.listen(engine, "commit", committing)
        event.listen(engine, "checkin", returned)

    def watch_requests(self, session: requests.Session) -> None:
        """Boundaries around every request that makes an order, and before the first few reads."""
        session.mount("http://", _Watched(self))

    def asking(self, method: str, url: str, body: object) -> None:
        """A request is about to be sent."""
        if creates(method, urlsplit(url).path):
            self.before_sending(f"{url} {body!r}")
            self.reach("before an order is sent")
        elif self._reads < _MOST_READS:
            self._reads += 1
            self.reach("before a read")


class _Watched(HTTPAdapter):
    """requests' own adapter over connections that tell what they do."""

    def __init__(self, points: Points) -> None:
        self._points = points
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **more: Any) -> None:
        super().init_poolmanager(*arguments, **more)
        points = self._points

        class Connection(urllib3.connection.HTTPConnection):
            """Sends and receives as ever, and reports."""

            def request(self, method: str, url: str, body: Any = None, *arguments: Any, **more: Any) -> None:
                points.asking(method, url, body)
                self.asked = (method, urlsplit(url).path)
                super().request(method, url, body, *arguments, **more)

            def getresponse(self) -> Any:
                if creates(*self.asked):
                    points.reach("an order is sent")
                answer = super().getresponse()
                if creates(*self.asked):
                    points.reach("an order is answered")
                return answer

        class Pool(urllib3.HTTPConnectionPool):
            ConnectionCls = Connection

        self.poolmanager.pool_classes_by_scheme = {"http": Pool}
