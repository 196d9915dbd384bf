"""Which chat models answer, in which order, and what is said when one of them does not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool

from agents.providers import describe, make_provider_model, parse_model_name
from engines.domain.clock import Clock
from engines.errors import QuantumTraderError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from agents.settings import Settings

logger = logging.getLogger(__name__)

OFFLINE: Final = "offline"
# A provider that just failed is left alone for a while, so that not every step of a turn waits for it again.
_REST: Final = timedelta(seconds=60)
_FIRST_PAUSE_SECONDS: Final = 0.4
_WORTH_RETRYING: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})


class ModelUnavailable(QuantumTraderError):
    """No configured chat model answered."""

    code = "model_unavailable"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model by name and how to make it; it is made on first use, because providers import slowly."""

    name: str
    make: Callable[[], BaseChatModel]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A model's message, the model that made it, and what has to be said about those that failed."""

    message: AIMessage
    model: str
    notice: str


@dataclass(slots=True)
class _Failure:
    what: str
    until: datetime


class ModelChain:
    """The configured models in order; the next one is asked where one fails."""

    def __init__(self, candidates: Sequence[Candidate], *, clock: Clock, timeout_seconds: float, retries: int) -> None:
        self._candidates = tuple(candidates)
        self._clock = clock
        self._timeout = timeout_seconds
        self._attempts = retries + 1
        self._models: dict[str, BaseChatModel] = {}
        self._failed: dict[str, _Failure] = {}

    @classmethod
    def of(cls, model: BaseChatModel, *, clock: Clock, name: str = "given") -> Self:
        """A chain of one model that is already made."""
        return cls([Candidate(name, lambda: model)], clock=clock, timeout_seconds=600, retries=0)

    @property
    def name(self) -> str:
        """The first choice."""
        return self._candidates[0].name

    async def reply(self, messages: Sequence[BaseMessage], tools: Sequence[BaseTool]) -> Spoken:
        """Ask for the next message of a conversation, tool calls included.

        Raises:
            ModelUnavailable: every configured model failed; the message says how each did.
        """
        failures: list[str] = []
        for candidate in self._candidates:
            resting = self._failed.get(candidate.name)
            if resting is not None and resting.until > self._clock.now() and len(self._candidates) > 1:
                failures.append(resting.what)
                continue
            try:
                message = await self._ask(candidate, messages, tools)
            except _ModelFailed as failure:
                failures.append(failure.what)
                self._failed[candidate.name] = _Failure(failure.what, self._clock.now() + _REST)
                continue
            self._failed.pop(candidate.name, None)
            return Spoken(message, candidate.name, _notice(failures, candidate.name))
        raise ModelUnavailable(
            f"No chat model answered: {'; '.join(failures)}.",
            remedy="Nothing was done. Try again, or add `offline` to QTP_MODEL_FALLBACKS to go on without a provider.",
        )

    async def _ask(self, candidate: Candidate, messages: Sequence[BaseMessage], tools: Sequence[BaseTool]) -> AIMessage:
        model = await self._bound(candidate, tools)
        for attempt in range(1, self._attempts + 1):
            try:
                async with asyncio.timeout(self._timeout + 5):
                    message = await model.ainvoke(list(messages))
            except QuantumTraderError:
                raise
            except Exception as error:
                # Process edge: each provider has an exception tree of its own. Keys are not in these messages' types.
                logger.warning("%s failed (attempt %d): %s", candidate.name, attempt, type(error).__name__)
                logger.debug("provider error", exc_info=True)
                if attempt == self._attempts or not _worth_retrying(error):
                    raise _ModelFailed(_told(candidate.name, error, attempt)) from error
                await asyncio.sleep(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
            else:
                if not isinstance(message, AIMessage):
                    raise TypeError(f"{candidate.name} answered with {type(message).__name__}")
                return message
        raise AssertionError("unreachable")

    async def _bound(self, candidate: Candidate, tools: Sequence[BaseTool]) -> Runnable[list[BaseMessage], AIMessage]:
        if candidate.name not in self._models:
            self._models[candidate.name] = await asyncio.to_thread(candidate.make)
        runnable: Any = self._models[candidate.name].bind_tools(list(tools))
        return runnable  # type: ignore[no-any-return]


def make_model(settings: Settings, *, clock: Clock, offline: Callable[[], BaseChatModel]) -> ModelChain:
    """The models that the settings name, in order; none is imported or called yet.

    Args:
        offline: makes the offline model, which knows the desk's symbols.

    Raises:
        ConfigurationError: a model has no provider, no key or no address; the message names the setting.
    """
    candidates = []
    for text in (settings.model, *settings.model_fallbacks):
        name = parse_model_name(text, settings)
        if name is None:
            candidates.append(Candidate(OFFLINE, offline))
        else:
            candidates.append(Candidate(name.shown, lambda name=name: make_provider_model(name, settings)))  # type: ignore[misc]
    return ModelChain(
        candidates, clock=clock, timeout_seconds=settings.model_timeout_seconds, retries=settings.model_retries
    )


def check_model(settings: Settings) -> str:
    """The configured models in words, checked without asking any of them.

    Raises:
        ConfigurationError: as `make_model`.
    """
    told = [describe(text, settings) for text in (settings.model, *settings.model_fallbacks)]
    return ", then ".join(told)


class _ModelFailed(Exception):
    """One candidate did not answer; `what` tells it in words."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def _status(error: BaseException) -> int | None:
    """The HTTP status of a provider's exception, wherever it keeps it."""
    seen: BaseException | None = error
    while seen is not None:
        response = getattr(seen, "response", None)
        for holder, attribute in ((seen, "status_code"), (seen, "code"), (response, "status_code")):
            status = getattr(holder, attribute, None)
            if isinstance(status, int) and 400 <= status < 600:
                return status
        seen = seen.__cause__
    return None


def _worth_retrying(error: Exception) -> bool:
    status = _status(error)
    return status in _WORTH_RETRYING if status is not None else not isinstance(error, TypeError | ValueError)


def _told(name: str, error: Exception, attempts: int) -> str:
    status = _status(error)
    times = {1: "", 2: " twice"}.get(attempts, f" {attempts} times")
    if status in {401, 403}:
        return f"{name} refused the key ({status})"
    if status is not None:
        return f"{name} answered {status}{times}"
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        return f"{name} did not answer in time{times}"
    return f"{name} failed{times} ({type(error).__name__})"


def _notice(failures: Sequence[str], answered: str) -> str:
    if not failures:
        return ""
    by = "the offline model" if answered == OFFLINE else answered
    return f"{', '.join(failures)}; this reply was made by {by}."
