"""Conversations."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from agents.runtime import Desk
from api.auth import Proposer, Reader
from api.dependencies import Cursor, DeskDep, PageSize, RunsDep, ThreadsDep
from api.problems import problems
from api.schemas.threads import RenameRequest, ThreadDetail, ThreadMessage, ThreadPage, ThreadSummary
from api.threads import Message, Thread
from api.views import ticket_view
from engines.errors import Conflict, NotFound

router = APIRouter(prefix="/v1/threads", tags=["threads"])


@router.get("", operation_id="list_threads", summary="Conversations", responses=problems())
def list_threads(
    caller: Reader, desk: DeskDep, threads: ThreadsDep, limit: PageSize = 50, cursor: Cursor = None
) -> ThreadPage:
    """The caller's conversations, the last used first."""
    desk.ledger.expire_due()
    pending = Counter(ticket.thread_id for ticket in desk.ledger.tickets(caller.owner, status="pending"))
    page, more = threads.page(caller.owner, limit=limit, cursor=cursor)
    return ThreadPage(
        threads=[_summary(thread, pending[thread.id]) for thread in page],
        next_cursor=more,
    )


@router.get("/{thread_id}", operation_id="get_thread", summary="One conversation", responses=problems(404))
def get_thread(
    thread_id: UUID,
    caller: Reader,
    desk: DeskDep,
    threads: ThreadsDep,
    limit: PageSize = 100,
    cursor: Cursor = None,
) -> ThreadDetail:
    """Its newest messages, oldest of them first, and the tickets that wait in it."""
    thread = threads.get(str(thread_id), caller.owner)
    messages, more = threads.messages(thread.id, limit=limit, cursor=cursor)
    desk.ledger.expire_due()
    pending = desk.ledger.tickets(caller.owner, status="pending", thread_id=thread.id)
    return ThreadDetail(
        id=thread.id,
        title=thread.title,
        created_at=thread.created_at.isoformat(),
        updated_at=thread.updated_at.isoformat(),
        messages=[_message(message, desk, caller.owner) for message in messages],
        pending=[ticket_view(desk, ticket) for ticket in reversed(pending)],
        next_cursor=more,
    )


@router.patch(
    "/{thread_id}", operation_id="rename_thread", summary="Rename a conversation", responses=problems(404, 422)
)
def rename_thread(
    thread_id: UUID, given: RenameRequest, caller: Proposer, desk: DeskDep, threads: ThreadsDep
) -> ThreadSummary:
    """Its title from now on; what was said stays as it is."""
    thread = threads.rename(str(thread_id), caller.owner, " ".join(given.title.split()))
    desk.ledger.expire_due()
    pending = desk.ledger.tickets(caller.owner, status="pending", thread_id=thread.id)
    return _summary(thread, len(pending))


@router.delete(
    "/{thread_id}",
    operation_id="delete_thread",
    summary="Forget a conversation",
    status_code=204,
    responses=problems(404, 409),
)
async def delete_thread(thread_id: UUID, caller: Proposer, desk: DeskDep, threads: ThreadsDep, runs: RunsDep) -> None:
    """Tickets, orders, fills and audit records stay; they belong to the account."""
    thread = await run_in_threadpool(threads.get, str(thread_id), caller.owner)
    await run_in_threadpool(desk.ledger.expire_due)
    pending = await run_in_threadpool(desk.ledger.tickets, caller.owner, status="pending", thread_id=thread.id)
    if runs.active_in(thread.id) or pending:
        what = f"ticket {pending[0].label} waits in it" if pending else "it is being answered"
        raise Conflict(f"This conversation cannot be deleted now: {what}.", remedy="Decide or wait, then try again.")
    await desk.delete_thread(thread.id, caller.owner)
    await run_in_threadpool(threads.delete, thread.id, caller.owner)


def _summary(thread: Thread, pending: int) -> ThreadSummary:
    return ThreadSummary(
        id=thread.id,
        title=thread.title,
        created_at=thread.created_at.isoformat(),
        updated_at=thread.updated_at.isoformat(),
        pending=pending,
    )


def _message(message: Message, desk: Desk, owner: str) -> ThreadMessage:
    extras = message.extras
    tickets = []
    for ticket_id in extras.get("ticket_ids", ()):
        try:
            tickets.append(ticket_view(desk, desk.ledger.ticket(ticket_id, owner)))
        except NotFound:  # a ledger that was moved away keeps no conversation from being read
            continue
    return ThreadMessage(
        id=str(message.id),
        role="user" if message.role == "user" else "assistant",
        text=message.text,
        run_id=message.run_id,
        created_at=message.created_at.isoformat(),
        receipts=extras.get("receipts", []),
        artifacts=extras.get("artifacts", []),
        next_steps=extras.get("next_steps", []),
        tickets=tickets,
    )
