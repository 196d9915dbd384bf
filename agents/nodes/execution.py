"""Carrying out an approved ticket. No model can call this: it is reached from `confirmation` alone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from agents.nodes.events import emit_step
from agents.nodes.outcome import carried_out, failed_outcome
from agents.services import Services
from agents.state import TicketTask
from engines.errors import QuantumTraderError

logger = logging.getLogger(__name__)


def make_execution(services: Services) -> Callable[[TicketTask], Awaitable[dict[str, Any]]]:
    """The node that submits one ticket; running it again continues where the journal stands."""

    async def execution(task: TicketTask) -> dict[str, Any]:
        emit_step("execution")
        outcome = await asyncio.to_thread(_carry_out, services, task)
        return {"outcomes": [outcome.said], "evidence": outcome.evidence}

    return execution


def _carry_out(services: Services, task: TicketTask) -> Any:
    try:
        order = services.submit(task["ticket_id"])
    except QuantumTraderError as error:
        logger.info("ticket %s was not carried out: %s", task["ticket_id"], error.code)
        return failed_outcome(services, services.ticket(task["ticket_id"], task["owner"]), error)
    return carried_out(services, services.ticket(task["ticket_id"], task["owner"]), order)
