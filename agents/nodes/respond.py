"""The reply: outcomes from records, then the draft; every figure with its receipt."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import END
from langgraph.types import Command, Send

from agents.claims import without_claims
from agents.models import OFFLINE
from agents.nodes.dispatch import PROPOSALS
from agents.nodes.events import emit_step
from agents.nodes.results import REFUSAL, chart_artifact
from agents.receipts import qualified, render
from agents.services import Services
from agents.state import Answer, DeskState, EvidenceRecord, Outcome, TicketTask, current_turn

_MOST_STEPS = 3
_SIMULATED = "*Simulated market.*"

Next = Command[Literal["confirmation", "__end__"]]


def make_respond(services: Services) -> Callable[[DeskState], Awaitable[Next]]:
    """The node that writes the reply, then sends each freshly sealed ticket to wait for its person.

    It runs before the graph waits, so no answer is held back by an open ticket.
    """
    known_figures = (f"{services.settings.price_band_percent} %", f"{services.settings.paper_cash:,f}")

    async def respond(state: DeskState) -> Next:
        emit_step("respond")
        turn, _ = current_turn(state)
        unsaid = [outcome for outcome in state.get("outcomes", []) if not outcome["said"]]
        # A draft that a crash left behind is not what a decided ticket came back for.
        draft = "" if state.get("decided_ticket") else state.get("draft", "")
        evidence = state.get("evidence", [])
        fresh = [record for record in evidence if draft and record["turn"] == turn]
        quoted = [record for record in evidence if _tickets_of([record]) & {item["ticket_id"] for item in unsaid}]
        usage = state.get("usage") or {}
        text = _text(unsaid, draft, fresh, usage, [*fresh, *quoted])
        said = [message.text for message in state.get("messages", []) if isinstance(message, HumanMessage)]
        owner = state.get("owner", "local")
        waiting_elsewhere = await asyncio.to_thread(services.quoted_tickets, draft, owner)
        # Outcomes are written from records and our own errors; no model has a say in their figures.
        known = [*known_figures, *(outcome["text"] for outcome in unsaid)]
        rendered = render(text, [*waiting_elsewhere, *evidence], user_words=said[-6:], settings=known)
        answer = Answer(
            reply=_with_notices(rendered.text, usage) if draft else rendered.text,
            receipts=list(rendered.receipts),
            next_steps=_next_steps(fresh or quoted),
            artifacts=_artifacts(fresh),
            usage=_shown_usage(state, draft),
        )
        update: dict[str, Any] = {
            "messages": [AIMessage(content=rendered.plain)],
            "outcomes": [Outcome(**{**outcome, "said": True}) for outcome in unsaid],
            "draft": "",
            "decided_ticket": "",
            "answer": answer,
        }
        decided = {outcome["ticket_id"] for outcome in state.get("outcomes", [])}
        waiting = sorted(_tickets_of(fresh) - decided) + [item["successor"] for item in unsaid if item["successor"]]
        sends = [Send("confirmation", TicketTask(ticket_id=ticket, owner=owner)) for ticket in waiting]
        return Command(update=update, goto=sends or END)  # type: ignore[arg-type]

    return respond


def _text(
    unsaid: Sequence[Outcome],
    draft: str,
    fresh: Sequence[EvidenceRecord],
    usage: dict[str, Any],
    shown: Sequence[EvidenceRecord],
) -> str:
    parts = [outcome["text"] for outcome in unsaid]
    if draft:
        written = draft if usage.get("model") == OFFLINE else without_claims(draft, fresh)
        parts += [*_order_lines(draft, fresh), written]
    text = "\n\n".join(part for part in parts if part)
    if any(record["simulated"] for record in shown) and "simulated" not in text.lower():
        text = f"{text}\n\n{_SIMULATED}"
    return text


def _with_notices(text: str, usage: dict[str, Any]) -> str:
    """The reply with the desk's own words about this turn, whose figures need no source."""
    return "\n\n".join(part for part in (usage.get("stopped"), text, usage.get("notice")) if part)


def _order_lines(draft: str, fresh: Sequence[EvidenceRecord]) -> list[str]:
    """Tickets and final refusals that the draft left out: they are said whatever a model writes."""
    sealed = [record for record in fresh if record["kind"] == "ticket"]
    refused = [record for record in fresh if record["kind"] == REFUSAL and record["tool"] in PROPOSALS]
    missing = []
    for record in [*sealed, *([] if sealed else refused[-1:])]:
        headline = qualified(record["headline"], record["id"])
        label = str(record["values"].get("label", {}).get("text", "")) or headline
        told = f"{{{record['id']}." in draft or label in draft or render(headline, fresh).plain in draft
        if not told:
            missing.append(headline)
    return missing


def _tickets_of(records: Sequence[EvidenceRecord]) -> set[str]:
    return {str(record["parameters"]["ticket_id"]) for record in records if record["kind"] == "ticket"}


def _next_steps(records: Sequence[EvidenceRecord]) -> list[str]:
    steps = dict.fromkeys(step for record in records for step in record["next_steps"])
    return list(steps)[:_MOST_STEPS]


def _artifacts(records: Sequence[EvidenceRecord]) -> list[dict[str, Any]]:
    charts = [chart for record in records if (chart := chart_artifact(record)) is not None]
    return list({chart["url"]: chart for chart in charts}.values())


def _shown_usage(state: DeskState, draft: str) -> dict[str, Any]:
    usage = (state.get("usage") or {}) if draft else {}
    names = ("input_tokens", "output_tokens", "model_calls")
    return {"model": usage.get("model", ""), **{name: usage.get(name, 0) for name in names}}
