from __future__ import annotations

import json
from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from agents import studio

ROOT = Path(__file__).parents[2]


def test_the_studio_file_names_a_factory_that_exists() -> None:
    graphs = json.loads((ROOT / "langgraph.json").read_text(encoding="utf-8"))["graphs"]

    file, _, name = graphs["desk"].partition(":")
    assert (ROOT / file).is_file()
    assert hasattr(studio, name)


@pytest.mark.anyio
async def test_studio_gets_the_same_graph_without_a_checkpointer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QTP_HOME", str(tmp_path / "home"))
    with studio.opened_until_exit:
        graph = await studio.make_graph()
        assert graph.checkpointer is None
        assert (await studio.make_graph()).get_graph().nodes.keys() == graph.get_graph().nodes.keys()

        graph.checkpointer = InMemorySaver()
        config = {"configurable": {"thread_id": "t"}}
        state = await graph.ainvoke({"messages": [HumanMessage("price of btc")]}, config)  # type: ignore[call-overload]
    assert state["answer"]["reply"].startswith("BTC/USDT trades at ")
