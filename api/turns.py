"""Messages and decisions as work for runs: let the desk do it, pass on what happens, answer."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from agents.results import DecisionOutcome as Decided
from agents.runtime import Desk
from api.problems import Problem
from api.run_store import Outcome, Reply, RunRequest
from api.runs import Run, Work
from api.schemas.agent import AgentAnswer
from api.schemas.decisions import DecisionOutcome, DecisionRequest
from engines.errors import InvalidRequest
from engines.execution.prepare import TicketEdits

_AMOUNTS = ("quantity", "limit_price", "stop_price", "stop_loss", "take_profit")
_VALIDITY = ("time_in_force", "good_till")


def turn(desk: Desk, request: RunRequest) -> Work:
    """The work of a `message` run."""

    async def work(run: Run) -> tuple[Outcome, Reply | None]:
        result = await desk.ask(
            request.thread_id, request.subject, request.owner, on_event=_begin(run), run_id=run.record.id
        )
        answer = AgentAnswer.model_validate(result.to_json()).model_dump(mode="json")
        run.emit("message", answer)
        extras = {name: answer[name] for name in ("receipts", "artifacts", "next_steps")}
        extras["ticket_ids"] = [ticket["id"] for ticket in answer["tickets"]]
        return Outcome(result.status, answer), Reply(result.reply, extras)

    return work


def failed_turn(run: Run, problem: Problem) -> tuple[Outcome, Reply | None]:
    """The answer to a message whose run broke."""
    reply = f"{problem.detail} {problem.remedy}".strip()
    answer = AgentAnswer(
        thread_id=run.record.thread_id, run_id=run.record.id, status="failed", reply=reply, error=problem
    ).model_dump(mode="json")
    run.emit("message", answer)
    return Outcome("failed", answer), Reply(reply, {})


def decision(desk: Desk, request: RunRequest, body: DecisionRequest, *, by: str) -> Work:
    """The work of a `decision` run.

    Raises:
        InvalidRequest: edits without `edit`, or `edit` without any.
    """
    edits = _edits(body)

    async def work(run: Run) -> tuple[Outcome, Reply | None]:
        decided = await desk.decide(
            request.subject,
            body.decision,
            body.ticket_hash,
            by,
            request.owner,
            edits=edits,
            resolve_differences=body.resolve_differences == "yes",
            on_event=_begin(run),
            run_id=run.record.id,
        )
        outcome, reply = decided_outcome(decided, run.record.id)
        run.emit("message", outcome.body)
        return outcome, reply

    return work


def failed_decision(_: Run, problem: Problem) -> tuple[Outcome, Reply | None]:
    """The answer to a decision that was not taken."""
    return Outcome("failed", problem.model_dump(mode="json"), problem.status), None


def decided_outcome(decided: Decided, run_id: str) -> tuple[Outcome, Reply]:
    """The answer to a decision, and what the thread keeps of it."""
    answer = DecisionOutcome.model_validate({**decided.to_json(), "run_id": run_id}).model_dump(mode="json")
    shown = answer["replacement"] or answer["ticket"]
    return Outcome(decided.status, answer), Reply(
        decided.reply, {"receipts": answer["receipts"], "ticket_ids": [shown["id"]]}
    )


def _begin(run: Run) -> Callable[[str, dict[str, Any]], None]:
    """Tell who runs, and pass on the desk's events; its `message` comes from here, complete."""
    run.emit("run", {"run_id": run.record.id, "thread_id": run.record.thread_id})

    def forward(name: str, data: dict[str, Any]) -> None:
        if name != "message":
            run.emit(name, data)

    return forward


def _edits(body: DecisionRequest) -> TicketEdits | None:
    given: dict[str, Any] = {name: Decimal(value) for name in _AMOUNTS if (value := getattr(body, name)) is not None}
    given |= {name: value for name in _VALIDITY if (value := getattr(body, name)) is not None}
    if body.decision != "edit" and given:
        raise InvalidRequest(
            f"{', '.join(given)} can only be given with the decision 'edit'.",
            remedy="Edit first, then approve the new ticket.",
        )
    if body.decision == "edit" and not given:
        raise InvalidRequest(
            "This edit changes nothing.", remedy=f"Give at least one of {', '.join((*_AMOUNTS, *_VALIDITY))}."
        )
    return TicketEdits(**given) if given else None
