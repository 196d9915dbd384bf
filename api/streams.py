"""Runs as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import Header, Query
from sse_starlette.sse import EventSourceResponse

from api.run_store import RunRecord
from api.runs import Runs

PING_SECONDS: Final = 15
# A client that takes nothing for this long is let go; it can come back with Last-Event-ID.
SEND_SECONDS: Final = 30

LastEventId = Annotated[
    str | None, Header(alias="Last-Event-ID", pattern=r"^[0-9]{1,9}$", description="Go on behind this event.")
]
After = Annotated[int | None, Query(ge=0, description="The same as Last-Event-ID, for clients that cannot send it.")]

STREAM_RESPONSE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Events `run`, `step`, `tool_call`, `tool_result`, `token`, `artifact`, `ticket`, `message`, "
        "`error`, `done`; ids rise by one from 1, and each event's data is a JSON object.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


def event_stream(runs: Runs, record: RunRecord, *, after: int = 0) -> EventSourceResponse:
    """The events of a run behind `after`, as they come, until it is done."""

    async def events() -> AsyncIterator[dict[str, str]]:
        async for event in runs.watch(record, after=after):
            yield {"id": str(event.number), "event": event.name, "data": event.data}

    # Some clients split events at "\n\n" only, which the library's own "\r\n" would break.
    return EventSourceResponse(events(), ping=PING_SECONDS, sep="\n", send_timeout=SEND_SECONDS)
