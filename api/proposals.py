"""What a program asks for, as an intent of its account: unchecked, in a thread of its own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from starlette.concurrency import run_in_threadpool

from agents.runtime import Desk
from api.problems import Problem
from api.run_store import Outcome, Reply, RunRequest
from api.runs import Run, Work
from api.schemas.proposals import ProposalRequest
from api.views import ticket_view
from engines.domain.orders import OrderIntent, OrderTicket
from engines.execution.replacing import change_of

_AMOUNTS = ("quantity", "limit_price", "stop_price", "stop_loss", "take_profit")


def proposed_intent(body: ProposalRequest, desk: Desk, owner: str, thread_id: str) -> OrderIntent:
    """The intent of a request.

    Raises:
        NotFound: there is no order to replace.
        InvalidRequest: the replacement changes nothing.
    """
    given: dict[str, Any] = {name: Decimal(value) for name in _AMOUNTS if (value := getattr(body, name)) is not None}
    given |= {"time_in_force": body.time_in_force or "", "good_till": body.good_till}
    own: dict[str, Any] = {"account": desk.account_id(owner), "thread_id": thread_id}
    if body.replaces_order is not None:
        terms = change_of(desk.ledger.order(body.replaces_order, owner), **given)
    else:
        terms = {"symbol": body.symbol, "side": body.side, "unit": body.unit, **given}
        terms["order_type"] = body.order_type or "market"
    return OrderIntent(**terms, **own)


def proposed(desk: Desk, body: ProposalRequest, owner: str, thread_id: str) -> tuple[Outcome, Reply]:
    """Seal the ticket of a request; blocks while the market is asked.

    Raises:
        QuantumTraderError: it cannot become a ticket.
    """
    intent = proposed_intent(body, desk, owner, thread_id)
    return proposed_outcome(desk, desk.services.seal(intent, owner))


def proposal(desk: Desk, request: RunRequest, body: ProposalRequest) -> Work:
    """The work of a `proposal` run."""

    async def work(_: Run) -> tuple[Outcome, Reply | None]:
        return await run_in_threadpool(proposed, desk, body, request.owner, request.thread_id)

    return work


def failed_proposal(_: Run, problem: Problem) -> tuple[Outcome, Reply | None]:
    """The answer to a proposal that became no ticket; the thread it began says why."""
    reply = f"{problem.detail} {problem.remedy}".strip()
    return Outcome("failed", problem.model_dump(mode="json"), problem.status), Reply(reply, {})


def proposed_outcome(desk: Desk, ticket: OrderTicket) -> tuple[Outcome, Reply]:
    """The answer to a proposal, and what its thread keeps of it."""
    reply = f"{ticket.label} was asked for by a program; it waits for its decision."
    body = ticket_view(desk, ticket).model_dump(mode="json")
    return Outcome("awaiting_approval", body, 201), Reply(reply, {"receipts": [], "ticket_ids": [ticket.id]})
