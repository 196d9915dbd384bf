from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from agents.runtime import Desk
from engines.execution.broker import Broker
from engines.execution.paper import PaperBroker
from engines.ledger.ledger import Ledger
from tools.orders import order_tools

OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]
ROOT = Path(__file__).parents[2]


@pytest.mark.anyio
async def test_no_path_reaches_execution_without_confirmation(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        drawn = desk.graph.get_graph()

    nodes = set(drawn.nodes)
    assert {"supervisor", "cipher", "volume_profile", "market_desk", "order_desk"} <= nodes
    assert {"confirmation", "execution", "respond"} <= nodes
    before = {edge.source for edge in drawn.edges if edge.target == "execution"}
    assert before == {"confirmation"}
    reachable, waiting = {"__start__"}, ["__start__"]
    while waiting:
        here = waiting.pop()
        for edge in drawn.edges:
            if edge.source == here and edge.target not in reachable | {"confirmation"}:
                reachable.add(edge.target)
                waiting.append(edge.target)
    assert "respond" in reachable
    assert "execution" not in reachable


@pytest.mark.anyio
async def test_no_tool_that_a_model_is_given_holds_a_ledger_or_a_broker_it_could_call(desk_on: OpenDesk) -> None:
    from agents.nodes.toolbox import Toolbox

    async with desk_on() as desk:
        tools = Toolbox(desk.services).tools

    assert {tool.name for tool in tools} == {
        "get_quote",
        "get_portfolio",
        "list_orders",
        "explain_decision",
        "review_decisions",
        "analyze_cipher",
        "compare_timeframes",
        "analyze_volume_profile",
        "propose_order",
        "propose_close",
        "propose_cancel",
        "propose_replace",
    }
    for tool in tools:
        held = [cell.cell_contents for cell in (getattr(tool, "func", None).__closure__ or ())]  # type: ignore[union-attr]
        assert not [value for value in held if isinstance(value, PaperBroker | Ledger)], tool.name


def test_a_proposals_body_reaches_nothing() -> None:
    arguments: dict[str, dict[str, Any]] = {
        "propose_order": {"symbol": "BTC/USDT", "side": "buy", "quantity": 1},
        "propose_close": {"symbol": "BTC/USDT"},
        "propose_cancel": {"scope": "all"},
        "propose_replace": {"symbol": "BTC/USDT", "price": 61_000},
    }
    tools = {tool.name: tool for tool in order_tools()}
    assert tools.keys() == arguments.keys()
    for name, tool in tools.items():
        with pytest.raises(NotImplementedError):
            tool.invoke(arguments[name])


def test_the_tools_package_imports_no_ledger_and_no_execution() -> None:
    imported = {
        name
        for file in (ROOT / "tools").glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])
    }
    assert not [name for name in imported if name.startswith(("engines.execution", "engines.ledger", "agents", "api"))]


def test_only_the_services_submit_orders() -> None:
    users = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "agents").rglob("*.py")
        if "services.submit(" in file.read_text(encoding="utf-8")
    }
    assert users == {"agents/nodes/execution.py", "agents/runtime.py", "agents/watch.py"}
    assert hasattr(Broker, "place")
    assert not [file.name for file in (ROOT / "agents").rglob("*.py") if ".place(" in file.read_text(encoding="utf-8")]


def test_importing_the_runtime_brings_no_heavy_package() -> None:
    code = (
        "import sys, agents.runtime; "
        "heavy = ['pandas', 'pyarrow', 'ccxt', 'plotly', 'chainlit', 'langchain_google_genai', 'langchain_mistralai', "
        "'langchain_openai', 'google.genai', 'openai']; "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_strict_checkpoints_are_switched_on_before_langgraph_is_imported() -> None:
    code = (
        "import agents.runtime; from langgraph.checkpoint.serde import _msgpack; print(_msgpack.STRICT_MSGPACK_ENABLED)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "True"
