"""What routes need, as types: the desk, the runs, the threads, and paging."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request

from agents.runtime import Desk
from api.runs import Runs
from api.threads import ThreadStore


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _runs(request: Request) -> Runs:
    runs: Runs = request.app.state.runs
    return runs


def _threads(request: Request) -> ThreadStore:
    threads: ThreadStore = request.app.state.threads
    return threads


DeskDep = Annotated[Desk, Depends(_desk)]
RunsDep = Annotated[Runs, Depends(_runs)]
ThreadsDep = Annotated[ThreadStore, Depends(_threads)]

PageSize = Annotated[int, Query(alias="limit", ge=1, le=200, description="How many at most.")]
Cursor = Annotated[
    str | None, Query(max_length=400, description="`next_cursor` of the page before; none for the first page.")
]
