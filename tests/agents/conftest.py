"""A desk on the demo market at a fixed time, with models that tests script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable

from agents.runtime import Desk, open_desk
from agents.settings import Settings, load_settings
from engines.domain.clock import ManualClock

Policy = Callable[[list[BaseMessage]], AIMessage]
OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]


class ScriptedModel(BaseChatModel):
    """Answers by a function of the messages; keeps nothing between calls."""

    policy: Policy

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> Runnable[Any, AIMessage]:
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.policy(messages))])


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 3, 10, 14, 30, tzinfo=UTC))


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    return load_settings(home=tmp_path / "home")


@pytest.fixture
def desk_on(settings: Settings, clock: ManualClock) -> OpenDesk:
    """Open a desk on the test's home; again on the same home it is that desk after a restart."""

    def opened(**seams: Any) -> AbstractAsyncContextManager[Desk]:
        chosen = seams.pop("settings", settings)
        return open_desk(chosen, **{"clock": clock, "watch": False, **seams})

    return opened


@pytest.fixture
def scripted() -> Callable[[Policy], BaseChatModel]:
    """A chat model made from a function of the messages."""
    return lambda policy: ScriptedModel(policy=policy)
