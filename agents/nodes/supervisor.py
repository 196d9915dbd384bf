"""The only node that asks a chat model: it routes a message to tools, and drafts the reply from their results."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from string import Template
from typing import Any, Literal

from langchain_core.messages import AIMessage, AnyMessage, SystemMessage
from langchain_core.tools import BaseTool
from langgraph.types import Command, Send

from agents.history import visible_history
from agents.models import Spoken
from agents.nodes.dispatch import PROPOSALS, Dispatch, completed_call, last_timeframe, sort_calls
from agents.nodes.events import emit, emit_step
from agents.receipts import qualified
from agents.services import Services, prompt
from agents.state import DeskState, EvidenceRecord, OrderTask, ToolTask, current_turn, next_number, talk_of, turn_start

Route = Command[Literal["supervisor", "cipher", "volume_profile", "market_desk", "order_desk", "respond"]]


def make_supervisor(
    services: Services, tools: Sequence[BaseTool], node_of: Mapping[str, str]
) -> Callable[[DeskState], Awaitable[Route]]:
    """The supervisor over `tools`; `node_of` names the node that runs each of them."""
    takes_timeframe = {tool.name for tool in tools if "timeframe" in tool.args}
    template = Template(prompt("supervisor"))

    async def supervisor(state: DeskState) -> Route:
        turn, words = current_turn(state)
        usage = _usage(state, turn)
        stop = _over_budget(usage, services)
        if stop:
            return _answered(_found(state, turn) or "Nothing was found yet.", usage | {"stopped": stop})
        emit_step("supervisor")
        owner = state.get("owner", "local")
        evidence, messages = state.get("evidence", []), state["messages"]
        timeframe = last_timeframe(evidence)
        facts = await asyncio.to_thread(services.facts, owner)
        system = _system(template, facts, today=f"{services.clock.now():%A %Y-%m-%d}", timeframe=timeframe)
        history = visible_history(messages, services.settings.history_tokens)
        spoken = await services.model.reply([system, *history], tools)
        usage = _counted(usage, spoken)
        if not spoken.message.tool_calls and not spoken.message.invalid_tool_calls:
            said = spoken.message.text.strip()
            return _answered(said or _found(state, turn) or "The model gave no answer. Ask again.", usage)
        message = _completed(spoken.message, facts, timeframe, takes_timeframe)
        dispatch = sort_calls(message, node_of, earlier=messages[turn_start(messages) :])
        _announce(dispatch)
        sends = [
            Send(node_of[call["name"]], _task(call, number, owner=owner, turn=turn, words=words, messages=messages))
            for number, call in enumerate(dispatch.calls, next_number(evidence))
        ]
        update = {"messages": [message, *dispatch.refusals], "usage": usage}
        return Command(update=update, goto=sends or "supervisor")

    return supervisor


def _answered(draft: str, usage: dict[str, Any]) -> Route:
    return Command(update={"draft": draft, "usage": usage}, goto="respond")


def _system(template: Template, facts: dict[str, Any], *, today: str, timeframe: str) -> SystemMessage:
    """The prompt of this turn, and the same facts as data for a model that reads no prose."""
    tickets = "; ".join(f"{ticket['label']}: {ticket['text']}" for ticket in facts["pending_tickets"])
    text = template.substitute(
        today=today,
        market=f"{facts['market']}{', simulated' if facts['simulated'] else ''}",
        quote=facts["quote_currency"],
        mode=facts["mode"],
        symbols=_listed(facts["symbols"]),
        timeframe=timeframe,
        pending=f"\nTickets that wait for the person: {tickets}" if tickets else "",
    )
    return SystemMessage(text, additional_kwargs={"desk": facts})


def _task(
    call: dict[str, Any], number: int, *, owner: str, turn: str, words: str, messages: list[AnyMessage]
) -> ToolTask:
    task = ToolTask(call=call, number=number, owner=owner, turn=turn, user_words=words)
    return OrderTask(**task, talk=talk_of(messages)) if call["name"] in PROPOSALS else task


def _usage(state: DeskState, turn: str) -> dict[str, Any]:
    usage = state.get("usage") or {}
    if usage.get("turn") == turn:
        return usage
    return {
        "turn": turn,
        "model": "",
        "input_tokens": 0,
        "output_tokens": 0,
        "model_calls": 0,
        "notice": "",
        "stopped": "",
    }


def _counted(usage: dict[str, Any], spoken: Spoken) -> dict[str, Any]:
    tokens = spoken.message.usage_metadata or {"input_tokens": 0, "output_tokens": 0}
    return usage | {
        "model": spoken.model,
        "input_tokens": usage["input_tokens"] + tokens["input_tokens"],
        "output_tokens": usage["output_tokens"] + tokens["output_tokens"],
        "model_calls": usage["model_calls"] + 1,
        "notice": spoken.notice or usage["notice"],
    }


def _over_budget(usage: dict[str, Any], services: Services) -> str:
    """Why the turn must end now, or nothing."""
    settings = services.settings
    spent = usage["input_tokens"] + usage["output_tokens"]
    if usage["model_calls"] >= settings.turn_model_calls:
        return _stopped(
            f"the limit of {settings.turn_model_calls} model calls in a turn is reached (QTP_TURN_MODEL_CALLS)"
        )
    if spent >= settings.turn_token_budget:
        budget = f"{settings.turn_token_budget:,} tokens in a turn"
        return _stopped(f"the budget of {budget} is spent: {spent:,} (QTP_TURN_TOKEN_BUDGET)")
    return ""


def _stopped(why: str) -> str:
    return f"I stopped here: {why}. Ask for less at once, or raise the limit. Found so far:"


def _found(state: DeskState, turn: str) -> str:
    records = [record for record in state.get("evidence", []) if record["turn"] == turn]
    return "\n\n".join(_headline(record) for record in records)


def _headline(record: EvidenceRecord) -> str:
    return qualified(record["headline"], record["id"])


def _listed(symbols: Sequence[str]) -> str:
    shown = ", ".join(symbols[:60])
    return f"{shown} and {len(symbols) - 60} more" if len(symbols) > 60 else shown


def _announce(dispatch: Dispatch) -> None:
    for call in dispatch.calls:
        emit("tool_call", call)
    for refusal in dispatch.refusals:
        brief = {"id": refusal.tool_call_id, "name": refusal.name or "", "brief": refusal.text, "evidence": None}
        emit("tool_result", brief)


def _completed(
    message: AIMessage, facts: dict[str, Any], timeframe: str, takes_timeframe: Collection[str]
) -> AIMessage:
    """The message as it is carried out and kept: its arguments completed, and no provider's metadata."""
    calls = [
        completed_call(
            dict(call),
            symbols=facts["symbols"],
            quote=facts["quote_currency"],
            timeframe=timeframe if call["name"] in takes_timeframe else None,
        )
        for call in message.tool_calls
    ]
    return message.model_copy(update={"response_metadata": {}, "tool_calls": calls})
