"""The part of a thread that a model sees: whole, valid, and small enough."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, ToolMessage, trim_messages
from langchain_core.messages.utils import count_tokens_approximately

from agents.state import turn_start


def visible_history(messages: Sequence[AnyMessage], max_tokens: int) -> list[BaseMessage]:
    """The newest whole turns that fit in `max_tokens` (approximately); the current turn always.

    A tool call that a crash left without its result gets one that says so: providers refuse a
    conversation with unanswered calls.
    """
    whole = _answered(messages)
    kept: list[BaseMessage] = trim_messages(
        whole, max_tokens=max_tokens, token_counter=count_tokens_approximately, strategy="last", start_on="human"
    )
    current = whole[turn_start(whole) :]
    return kept if len(kept) >= len(current) else [*current]


def _answered(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    results = {message.tool_call_id for message in messages if isinstance(message, ToolMessage)}
    whole: list[AnyMessage] = []
    for message in messages:
        whole.append(message)
        if isinstance(message, AIMessage):
            lost = [call for call in message.tool_calls if call["id"] not in results]
            whole += [
                ToolMessage(content="Error: not carried out.", tool_call_id=call["id"] or "", status="error")
                for call in lost
            ]
    return whole
