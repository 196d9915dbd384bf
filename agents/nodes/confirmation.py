"""The graph's wait for a person. The ledger is the truth of a decision; the interrupt is only how the graph waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Literal

from langgraph.types import Command, Send, interrupt

from agents.nodes.outcome import undone_outcome
from agents.services import Services
from agents.state import TicketTask
from engines.domain.orders import OrderTicket
from engines.errors import Conflict, RiskDenied

Decided = Command[Literal["execution", "respond"]]
# What a ticket may be when there is nothing left to carry out.
_UNDONE = frozenset({"rejected", "expired", "superseded", "denied"})


def make_confirmation(services: Services) -> Callable[[TicketTask], Awaitable[Decided]]:
    """The node that looks up a ticket's recorded decision, and waits where there is none.

    Before the interrupt it does nothing but that read, because a resumed node begins again at its
    first line. A resume value decides nothing by itself: without a recorded decision the node waits
    on. Only LangGraph Studio, which has no ticket endpoint, may have a `{decision, ticket_hash}`
    recorded here, through the same ledger call, in paper mode on loopback.
    """

    async def confirmation(task: TicketTask) -> Decided:
        ticket = await asyncio.to_thread(services.ticket, task["ticket_id"], task["owner"])
        while ticket.status == "pending":
            shown = await asyncio.to_thread(services.ticket_json, ticket)
            answer = interrupt(shown)
            ticket = await asyncio.to_thread(_after_resume, services, ticket, answer)
        if ticket.status in _UNDONE:
            outcome = await asyncio.to_thread(undone_outcome, services, ticket)
            return Command(update={"outcomes": [outcome.said], "evidence": outcome.evidence}, goto="respond")
        return Command(goto=[Send("execution", task)])

    return confirmation


def _after_resume(services: Services, ticket: OrderTicket, answer: object) -> OrderTicket:
    """The ticket after a resume; a Studio decision is recorded first."""
    decision = _studio_decision(answer)
    if decision is not None and services.records_studio_decisions:
        # Somebody was faster, the hash is of another ticket, or the desk is halted: what the ledger says next counts.
        with suppress(Conflict, RiskDenied):
            services.decide(ticket.id, decision["decision"], decision["ticket_hash"], by="studio")
    return services.ticket(ticket.id, ticket.owner)


def _studio_decision(answer: object) -> dict[str, Any] | None:
    if not isinstance(answer, dict) or answer.get("decision") not in {"approve", "reject"}:
        return None
    return answer if isinstance(answer.get("ticket_hash"), str) else None
