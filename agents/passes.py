"""One pass through the graph, and telling whoever watches what happens in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphRecursionError
from langgraph.types import Command

from agents.results import OnEvent
from agents.state import Answer
from engines.errors import InvalidRequest

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

_CHUNK: Final = re.compile(r"(?:\S+\s*){1,6}|\s+")


@dataclass(slots=True)
class Pass:
    """What one pass did; `tickets` are the ids of those it sealed."""

    answers: list[Answer] = field(default_factory=list)
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    tickets: list[str] = field(default_factory=list)
    steps: int = 0


async def run_graph(
    graph: CompiledStateGraph[Any, None, Any, Any],
    entry: Command[Any] | dict[str, Any],
    config: RunnableConfig,
    on_event: OnEvent,
) -> Pass:
    """Run the graph until it ends or waits, each step on disk before the next begins.

    Raises:
        InvalidRequest: it took more steps than a turn may.
    """
    done = Pass()
    stream = graph.astream(entry, config, stream_mode=["custom", "updates"], durability="sync", version="v2")
    try:
        async for part in stream:
            if part["type"] == "custom":
                _note(done, part["data"])
                await tell(on_event, part["data"]["event"], part["data"]["data"])
            elif part["type"] == "updates":
                update = part["data"].get("respond")
                done.answers += [update["answer"]] if update else []
    except GraphRecursionError as error:
        raise InvalidRequest(
            f"This took more than {config['recursion_limit']} steps, the limit of a turn "
            "(QTP_RECURSION_LIMIT), and was stopped.",
            remedy="Ask for less at once.",
        ) from error
    return done


async def tell(on_event: OnEvent, name: str, data: dict[str, Any]) -> None:
    """Pass one event on, awaiting where the watcher is asynchronous."""
    told = on_event(name, data)
    if told is not None:
        await told


async def tell_reply(on_event: OnEvent, reply: str) -> None:
    """Pass the finished reply on in pieces: before it is rendered no figure in it has a source."""
    for chunk in _CHUNK.findall(reply):
        await tell(on_event, "token", {"text": chunk})


def _note(done: Pass, part: dict[str, Any]) -> None:
    name, data = part["event"], part["data"]
    if name == "step":
        done.steps += 1
    elif name == "tool_call":
        done.tool_calls.append(data)
    elif name == "ticket":
        done.tickets.append(data["id"])
