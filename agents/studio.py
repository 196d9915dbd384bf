"""The same graph for LangGraph Studio, which brings its own checkpointer (`langgraph.json` names `make_graph`)."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from agents.graph import build_graph
from agents.opening import open_services
from agents.settings import load_settings
from engines.errors import ConfigurationError

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph

    from agents.services import Services

# The server process has no place to close a desk: what is opened stays open until it exits.
opened_until_exit = ExitStack()
_opened: dict[str, Services] = {}
_opening = asyncio.Lock()


async def make_graph() -> CompiledStateGraph[Any, None, Any, Any]:
    """Compile the graph over the desk that the environment's settings describe, opened once in this process."""
    async with _opening:
        if "desk" not in _opened:
            _opened["desk"] = await asyncio.to_thread(_open)
    return await asyncio.to_thread(lambda: build_graph(_opened["desk"]).compile())


def _open() -> Services:
    settings = load_settings()
    if settings.mode != "paper":
        raise ConfigurationError(
            "LangGraph Studio draws and steps through the graph on paper only.", remedy="Start it with QTP_MODE=paper."
        )
    return opened_until_exit.enter_context(open_services(settings))
