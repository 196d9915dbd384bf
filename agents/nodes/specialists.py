"""Nodes that measure: each runs one read-only tool call and puts its evidence into the state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool
from pydantic import ValidationError

from agents.nodes.events import emit_step
from agents.nodes.results import completed, failed
from agents.services import Services
from agents.state import ToolTask
from engines.domain.evidence import Evidence
from engines.errors import InvalidRequest, QuantumTraderError

ToolNode = Callable[[ToolTask], Awaitable[dict[str, Any]]]


def specialist(name: str, services: Services, tools_of: Callable[[str], Sequence[BaseTool]]) -> ToolNode:
    """A node that runs one call of its own tools.

    Args:
        tools_of: the node's tools for an owner; what a tool may read is bound when it is made.

    Returns:
        An async node over a `ToolTask`. Errors raised on purpose become a tool message with status
        `error`; anything else goes up to the runtime.
    """

    async def node(task: ToolTask) -> dict[str, Any]:
        call = task["call"]
        emit_step(name, " ".join(str(call["args"][part]) for part in ("symbol", "timeframe") if call["args"].get(part)))
        tool = next(tool for tool in tools_of(task["owner"]) if tool.name == call["name"])
        try:
            message = await tool.ainvoke({"type": "tool_call", **call})
        except ValidationError as error:
            return await failed(task, invalid_arguments(error), services.market)
        except QuantumTraderError as error:
            return await failed(task, error, services.market)
        if not isinstance(message, ToolMessage) or not isinstance(message.artifact, Evidence):
            raise TypeError(f"tool {call['name']} returned no evidence")
        return completed(task, message.artifact)

    return node


def invalid_arguments(error: ValidationError) -> InvalidRequest:
    """A tool's complaint about its arguments in one line."""
    told = "; ".join(
        f"{'.'.join(str(part) for part in problem['loc']) or 'arguments'}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_context=False)
    )
    return InvalidRequest(f"The arguments do not fit: {told}.")
