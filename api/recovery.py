"""After a crash: carry out what was approved, and end the runs that nobody is working on any more."""

from __future__ import annotations

import json
import logging

from starlette.concurrency import run_in_threadpool

from agents.results import DecisionOutcome as Decided
from agents.runtime import Desk
from agents.tickets import fill_json, order_json
from api.problems import problem_of
from api.proposals import proposed_outcome
from api.run_store import Event, Outcome, Reply, RunRecord, RunStore
from api.runs import interrupted
from api.schemas.agent import AgentAnswer
from api.turns import decided_outcome
from api.views import ticket_view
from engines.errors import NotFound, QuantumTraderError

logger = logging.getLogger(__name__)


async def recover_runs(store: RunStore, desk: Desk) -> None:
    """Finish what the last stop cut off; call it before any run starts.

    A decision that had been recorded is answered as it came out; one that had not may be made again, also
    under its idempotency key. So may a proposal that had sealed no ticket. A message is not asked again by
    itself: it ends as failed, and says so.
    """
    recovered: dict[str, Decided] = {}
    try:
        recovered = {outcome.ticket["id"]: outcome for outcome in await desk.recover()}
    except QuantumTraderError:
        # A market that is out must not keep the desk from starting; the journal still knows what is open.
        logger.exception("what was approved before the last stop could not all be carried out")
    for record in await run_in_threadpool(store.unfinished):
        if record.kind == "proposal":
            await run_in_threadpool(_end_proposal, store, desk, record)
        elif record.kind == "decision":
            await run_in_threadpool(_end_decision, store, desk, record, recovered.get(record.subject))
        else:
            await run_in_threadpool(_end_message, store, record)


def _end_message(store: RunStore, record: RunRecord) -> None:
    problem = problem_of(interrupted())
    reply = f"{problem.detail} {problem.remedy}"
    answer = AgentAnswer(
        thread_id=record.thread_id, run_id=record.id, status="failed", reply=reply, error=problem
    ).model_dump(mode="json")
    _finish(store, record, Outcome("failed", answer), Reply(reply, {}), ("error", answer["error"]), ("message", answer))


def _end_decision(store: RunStore, desk: Desk, record: RunRecord, recovered: Decided | None) -> None:
    decided = recovered or _as_the_ledger_has_it(desk, record)
    if decided is None:
        _take_back(store, record)
        return
    outcome, reply = decided_outcome(decided, record.id)
    _finish(store, record, outcome, reply, ("message", outcome.body))


def _end_proposal(store: RunStore, desk: Desk, record: RunRecord) -> None:
    made = desk.ledger.tickets(record.owner, thread_id=record.thread_id)
    if not made:
        _take_back(store, record)
        return
    # The oldest: an edit may have put another into its place since.
    outcome, reply = proposed_outcome(desk, made[-1])
    _finish(store, record, outcome, reply)


def _take_back(store: RunStore, record: RunRecord) -> None:
    """End a run that did nothing as failed; its idempotency key is free again."""
    problem = problem_of(interrupted())
    body = problem.model_dump(mode="json")
    _finish(store, record, Outcome("failed", body, problem.status), None, ("error", body))
    store.release(record.id)


def _as_the_ledger_has_it(desk: Desk, record: RunRecord) -> Decided | None:
    """What a decision came to that was complete but for its answer; None when it was never recorded."""
    try:
        ticket = desk.ledger.ticket(record.subject, record.owner)
    except NotFound:
        return None
    if not ticket.decided_by and ticket.superseded_by is None:
        return None
    replacement = desk.ledger.ticket(ticket.superseded_by) if ticket.superseded_by else None
    order = desk.ledger.order_of(ticket.id)
    waiting = replacement is not None and replacement.status == "pending"
    return Decided(
        ticket=ticket_view(desk, ticket).model_dump(),
        replacement=ticket_view(desk, replacement).model_dump() if replacement else None,
        order=order_json(order) if order else None,
        fills=[fill_json(fill) for fill in order.fills] if order else [],
        reply=f"{ticket.label} is {ticket.status.replace('_', ' ')}.",
        receipts=[],
        thread_id=ticket.thread_id,
        run_id=record.id,
        status="awaiting_approval" if waiting else "completed",
    )


def _finish(
    store: RunStore, record: RunRecord, outcome: Outcome, reply: Reply | None, *events: tuple[str, dict[str, object]]
) -> None:
    first = store.last_number(record.id) + 1
    ending = [*events, ("done", {"status": outcome.status})]
    numbered = [Event(number, name, json.dumps(data)) for number, (name, data) in enumerate(ending, first)]
    store.finish(record, outcome, numbered, reply)
