"""Rule 22: nothing that a model, a conversation or a caller is given can set a limit."""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import fields
from pathlib import Path

import pytest

from agents.runtime import Desk
from engines.confirmation.risk import RiskLimits

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("agents", "api", "engines", "tools", "ui")
NAMES = {field.name for field in fields(RiskLimits)}
OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]


@pytest.mark.anyio
async def test_rule_22_no_tool_takes_a_limit_as_an_argument(desk_on: OpenDesk) -> None:
    from agents.nodes.toolbox import Toolbox

    async with desk_on() as desk:
        tools = Toolbox(desk.services).tools
    taken = {tool.name: set(tool.args) for tool in tools}
    assert taken["propose_order"] > {"symbol", "side"}
    assert {name: arguments & NAMES for name, arguments in taken.items() if arguments & NAMES} == {}


def _callers(*names: str) -> set[str]:
    """Files of ours that call one of these functions."""
    found = set()
    for path in (file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        calls = [node.func for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
        if any({getattr(call, "id", ""), getattr(call, "attr", "")} & set(names) for call in calls):
            found.add(str(path.relative_to(ROOT)))
    return found


def test_rule_22_limits_come_into_force_where_a_desk_starts_and_nowhere_else() -> None:
    assert _callers("record_limits") == {"agents/opening.py"}
    assert _callers("RiskLimits") == {"engines/confirmation/risk_limits.py", "engines/execution/limits_file.py"}
    # The last two look at the file and tell of it.
    readers = {"agents/opening.py", "engines/execution/live.py", "engines/execution/limits_log.py", "ui/cli/doctor.py"}
    assert _callers("load_limits", "default_limits") == readers


def test_rule_22_nothing_replaces_a_limit_in_a_copy() -> None:
    changed = {
        f"{path.relative_to(ROOT)}: {keyword.arg}"
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "replace"
        for keyword in node.keywords
        if keyword.arg in NAMES | {"limits"}
    }
    assert changed == set()
