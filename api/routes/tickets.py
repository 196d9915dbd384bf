"""Orders that wait for a person, and the person's decision."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from api.auth import Approver, Proposer, Reader
from api.cursors import decode_time_and_id, encode_cursor
from api.dependencies import Cursor, DeskDep, PageSize, RunsDep
from api.idempotency import IdempotencyKey, claim_of
from api.problems import Problem, problem_response, problems
from api.proposals import failed_proposal, proposal, proposed
from api.run_store import RunRequest
from api.schemas.decisions import DecisionOutcome, DecisionRequest
from api.schemas.orders import Ticket, TicketPage
from api.schemas.proposals import ProposalRequest
from api.turns import decision, failed_decision
from api.views import ticket_view
from engines.domain.orders import TicketStatus

router = APIRouter(prefix="/v1/tickets", tags=["tickets"])

TicketId = Annotated[str, Path(max_length=64)]


@router.get("", operation_id="list_tickets", summary="Tickets", responses=problems())
def list_tickets(
    caller: Reader,
    desk: DeskDep,
    status: TicketStatus | None = None,
    thread_id: Annotated[str | None, Query(max_length=64)] = None,
    limit: PageSize = 50,
    cursor: Cursor = None,
) -> TicketPage:
    """The caller's tickets, newest first; `status=pending` are those that wait."""
    desk.ledger.expire_due()
    before = decode_time_and_id(cursor) if cursor is not None else None
    found = desk.ledger.tickets(caller.owner, status=status, thread_id=thread_id, limit=limit + 1, before=before)
    page = found[:limit]
    more = encode_cursor(page[-1].created_at.isoformat(), page[-1].id) if len(found) > limit else None
    return TicketPage(tickets=[ticket_view(desk, ticket) for ticket in page], next_cursor=more)


@router.post(
    "",
    operation_id="propose_ticket",
    summary="Ask for a ticket",
    status_code=201,
    response_model=Ticket,
    responses=problems(404, 409, 413, 429, 503),
)
async def propose(
    body: ProposalRequest, caller: Proposer, desk: DeskDep, runs: RunsDep, idempotency_key: IdempotencyKey = None
) -> Any:
    """A sealed ticket that waits for its decision, as the chat makes one; nothing is sent by this.

    Repeated with its `Idempotency-Key` it returns the ticket as it was sealed, and makes no other.
    """
    thread_id = str(uuid.uuid4())
    claim = claim_of(idempotency_key, "proposal", body)
    if claim is None:
        outcome, _ = await run_in_threadpool(proposed, desk, body, caller.owner, thread_id)
        return JSONResponse(outcome.body, status_code=outcome.status_code)
    request = RunRequest(
        kind="proposal",
        owner=caller.owner,
        thread_id=thread_id,
        subject="",
        title=f"Ticket asked for: {body.symbol or 'a replacement'}",
        claim=claim,
    )
    record = await runs.start(request, work=proposal(desk, request, body), failure=failed_proposal)
    outcome = await runs.outcome(record)
    if outcome.status == "failed":
        return problem_response(Problem.model_validate(outcome.body))
    return JSONResponse(outcome.body, status_code=outcome.status_code)


@router.get("/{ticket_id}", operation_id="get_ticket", summary="One ticket", responses=problems(404))
def get_ticket(ticket_id: TicketId, caller: Reader, desk: DeskDep) -> Ticket:
    """A ticket as it stands, with its order."""
    desk.ledger.expire_due()
    return ticket_view(desk, desk.ledger.ticket(ticket_id, caller.owner))


@router.post(
    "/{ticket_id}/decision",
    operation_id="decide_ticket",
    summary="Approve, reject or edit a ticket",
    response_model=DecisionOutcome,
    responses=problems(404, 409, 410, 413, 429, 502, 503),
)
async def decide(
    ticket_id: TicketId,
    body: DecisionRequest,
    caller: Approver,
    desk: DeskDep,
    runs: RunsDep,
    idempotency_key: IdempotencyKey = None,
) -> Any:
    """Decide on a ticket exactly as it was shown; each gets one decision. An edit makes a new ticket.

    409: decided, replaced, or its hash is another. 410: its time is over.
    """
    ticket = await run_in_threadpool(desk.ledger.ticket, ticket_id, caller.owner)
    request = RunRequest(
        kind="decision",
        owner=caller.owner,
        thread_id=ticket.thread_id,
        subject=ticket.id,
        title=f"Ticket {ticket.label}",
        claim=claim_of(idempotency_key, f"decision {ticket.id}", body),
    )
    work = decision(desk, request, body, by=caller.name)
    outcome = await runs.outcome(await runs.start(request, work=work, failure=failed_decision))
    if outcome.status == "failed":
        return problem_response(Problem.model_validate(outcome.body))
    return JSONResponse(outcome.body)
