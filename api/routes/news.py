"""What the desk says without being asked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final
from uuid import UUID

import anyio
from fastapi import APIRouter, Depends, Query, Request
from sse_starlette.sse import EventSourceResponse
from starlette.concurrency import run_in_threadpool

from api.auth import Reader
from api.news import Newsroom
from api.problems import problems
from api.streams import PING_SECONDS, SEND_SECONDS, After, LastEventId

_GRACE_SECONDS: Final = 2.0

router = APIRouter(prefix="/v1", tags=["agent"])

_RESPONSE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Events `message`, each with an answer as `invoke` gives it; ids rise.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


def _newsroom(request: Request) -> Newsroom:
    newsroom: Newsroom = request.app.state.newsroom
    return newsroom


@router.get(
    "/news",
    operation_id="watch_news",
    summary="Hear of what happens to orders later",
    response_class=EventSourceResponse,
    responses={**_RESPONSE, **problems()},
)
async def watch_news(
    caller: Reader,
    newsroom: Annotated[Newsroom, Depends(_newsroom)],
    last_event_id: LastEventId = None,
    after: After = None,
    thread_id: Annotated[UUID | None, Query(description="Of this conversation only.")] = None,
) -> EventSourceResponse:
    """Fills that came after their decision was answered: limit orders, stops and targets, parts of orders.

    Each is told once, in the conversation of its ticket, and stays in it. Behind `Last-Event-ID` (or `after`) nothing
    is left out, also after a restart; without either the stream begins now. It ends only when the client hangs up.
    """
    behind = int(last_event_id) if last_event_id is not None else after
    if behind is None:
        behind = await run_in_threadpool(newsroom.store.newest, caller.owner)
    thread = str(thread_id) if thread_id else None
    stopping = anyio.Event()

    async def events() -> AsyncIterator[dict[str, str]]:
        async for news in newsroom.watch(caller.owner, after=behind, thread_id=thread, stopping=stopping):
            yield {"id": str(news.id), "event": "message", "data": json.dumps(news.answer, ensure_ascii=False)}

    # Without a moment to end by itself a stream that never ends is broken off when the server stops.
    return EventSourceResponse(
        events(),
        ping=PING_SECONDS,
        sep="\n",
        send_timeout=SEND_SECONDS,
        shutdown_event=stopping,
        shutdown_grace_period=_GRACE_SECONDS,
    )
