"""Talking to the desk, and watching it work."""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sse_starlette.sse import EventSourceResponse
from starlette.concurrency import run_in_threadpool

from agents.runtime import Desk
from api.auth import Principal, Proposer, Reader
from api.dependencies import DeskDep, RunsDep
from api.idempotency import IdempotencyKey, claim_of
from api.problems import problems
from api.run_store import RunRecord, RunRequest
from api.runs import Runs
from api.schemas.agent import AgentAnswer, AgentRequest
from api.streams import STREAM_RESPONSE, After, LastEventId, event_stream
from api.turns import failed_turn, turn

router = APIRouter(prefix="/v1", tags=["agent"])


@router.post(
    "/agent/invoke",
    operation_id="invoke_agent",
    summary="Ask, and wait for the whole answer",
    response_model=AgentAnswer,
    responses=problems(404, 409, 413, 429, 503),
)
async def invoke(
    body: AgentRequest, caller: Proposer, desk: DeskDep, runs: RunsDep, idempotency_key: IdempotencyKey = None
) -> Any:
    """Answer a message. A run that fails answers 200 with the status `failed` and its `error`.

    Messages of one thread are answered one after the other; closing the connection cancels nothing.
    """
    record = await _begin(body, caller, desk, runs, idempotency_key)
    outcome = await runs.outcome(record)
    return JSONResponse(outcome.body, status_code=outcome.status_code)


@router.post(
    "/agent/stream",
    operation_id="stream_agent",
    summary="Ask, and watch the answer being made",
    response_class=EventSourceResponse,
    responses={**STREAM_RESPONSE, **problems(404, 409, 413, 429, 503)},
)
async def stream(
    body: AgentRequest, caller: Proposer, desk: DeskDep, runs: RunsDep, idempotency_key: IdempotencyKey = None
) -> EventSourceResponse:
    """The same as `invoke`, as server-sent events. The `message` event carries what `invoke` answers.

    A stream that breaks goes on at `/v1/runs/{run_id}/events`; the run itself does not notice.
    """
    record = await _begin(body, caller, desk, runs, idempotency_key)
    return event_stream(runs, record)


@router.get(
    "/runs/{run_id}/events",
    operation_id="get_run_events",
    summary="Watch a run again, or go on watching",
    response_class=EventSourceResponse,
    responses={**STREAM_RESPONSE, **problems(404)},
)
async def events(
    run_id: str, caller: Reader, runs: RunsDep, last_event_id: LastEventId = None, after: After = None
) -> EventSourceResponse:
    """Events behind `Last-Event-ID` (or `after`), also after the run has ended or the server was restarted."""
    record = await run_in_threadpool(runs.store.get, run_id, caller.owner)
    behind = int(last_event_id) if last_event_id is not None else after or 0
    return event_stream(runs, record, after=behind)


async def _begin(body: AgentRequest, caller: Principal, desk: Desk, runs: Runs, key: str | None) -> RunRecord:
    request = RunRequest(
        kind="message",
        owner=caller.owner,
        thread_id=str(body.thread_id or uuid.uuid4()),
        subject=body.message,
        title=body.message,
        claim=claim_of(key, "message", body),
    )
    return await runs.start(request, work=turn(desk, request), failure=failed_turn)
