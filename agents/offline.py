"""The model that needs no key and no network: it reads with a grammar, calls tools and words the answer itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.base import LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import ToolCall
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

from agents.offline_text import compose
from agents.reading import Reading, ReadingContext, Request, context_from_messages, read
from agents.reading.thread import text_of_message
from engines.errors import VenueError

_NO_TOKENS: Final[UsageMetadata] = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}


def _no_symbols() -> tuple[str, ...]:
    return ()


class OfflineChatModel(BaseChatModel):
    """A deterministic chat model: the same messages always give the same answer, and nothing is kept between calls.

    A conversation that ends with the person's words is answered with tool calls, or with text where nothing is to
    be called; one that ends with tool results is answered with text made of their evidence. The system prompt is
    not read, only the facts in its `additional_kwargs["desk"]` (`agents.reading.context_from_messages`).

    Attributes:
        symbols: gives what the market lists; where the market does not answer, symbols are read without a listing
            and the tool reports the outage.
        quote_currency: what a bare asset is priced in.
        bound: names of the tools that may be called.
    """

    symbols: Callable[[], tuple[str, ...]] = Field(default=_no_symbols, exclude=True)
    quote_currency: str = "USDT"
    bound: tuple[str, ...] = ()

    @property
    def _llm_type(self) -> str:
        return "offline"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": "offline", "quote_currency": self.quote_currency, "bound": list(self.bound)}

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **_: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """A copy that may call these tools, and says of everything else that the desk cannot do it."""
        return self.model_copy(update={"bound": tuple(_name(t) for t in tools)})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._answer(messages))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **_: Any,
    ) -> Iterator[ChatGenerationChunk]:
        answer = self._answer(messages)
        text = str(answer.content)
        for index, word in enumerate(text.split(" ") if text else []):
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=(" " if index else "") + word))
            if run_manager:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk
        if answer.tool_calls:
            yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=_call_chunks(answer)))
        last = AIMessageChunk(
            content="",
            usage_metadata=_NO_TOKENS,
            response_metadata=dict(answer.response_metadata),
            chunk_position="last",
        )
        yield ChatGenerationChunk(message=last)

    def _answer(self, messages: list[BaseMessage]) -> AIMessage:
        start = _last_person(messages)
        if start is None:
            return _message(Reading(reply="Ask me about a market or your account."), ())
        context = self._context(messages[: start + 1])
        reading = read(text_of_message(messages[start]), context)
        results = [m for m in messages[start + 1 :] if isinstance(m, ToolMessage)]
        if results:
            return _text(compose(results, reading))
        # A trimmed thread counts its turns anew; the id of the person's message stays what it is.
        turn = messages[start].id or str(sum(isinstance(m, HumanMessage) for m in messages[: start + 1]))
        return _message(reading, _tool_calls(reading.requests, turn))

    def _context(self, messages: list[BaseMessage]) -> ReadingContext:
        try:
            symbols = self.symbols()
        except VenueError:
            symbols = ()
        return context_from_messages(
            messages, symbols=symbols, quote_currency=self.quote_currency, tools=frozenset(self.bound)
        )


def _name(tool: dict[str, Any] | type | Callable[..., Any] | BaseTool) -> str:
    return tool.name if isinstance(tool, BaseTool) else str(convert_to_openai_tool(tool)["function"]["name"])


def _last_person(messages: list[BaseMessage]) -> int | None:
    return next((i for i in range(len(messages) - 1, -1, -1) if isinstance(messages[i], HumanMessage)), None)


def _tool_calls(requests: tuple[Request, ...], turn: str) -> list[ToolCall]:
    """Calls whose ids follow from their place in the thread, so that a replayed turn gives the same ones."""
    calls = []
    for position, request in enumerate(requests):
        seed = json.dumps([turn, position, request.tool, request.args], sort_keys=True)
        call_id = f"call_{hashlib.sha256(seed.encode()).hexdigest()[:20]}"
        calls.append(ToolCall(name=request.tool, args=dict(request.args), id=call_id, type="tool_call"))
    return calls


def _message(reading: Reading, calls: list[ToolCall] | tuple[()]) -> AIMessage:
    if calls:
        return _text("", list(calls))
    return _text("\n\n".join(part for part in (_lead(reading), reading.reply, reading.question) if part))


def _lead(reading: Reading) -> str:
    """What is said first of a question; of a reply only which language was read."""
    return reading.lead if reading.question else ""


def _text(text: str, calls: list[ToolCall] | None = None) -> AIMessage:
    metadata = {"model_name": "offline", "model_provider": "offline"}
    return AIMessage(content=text, tool_calls=calls or [], usage_metadata=_NO_TOKENS, response_metadata=metadata)


def _call_chunks(answer: AIMessage) -> list[Any]:
    return [
        {"name": c["name"], "args": json.dumps(c["args"]), "id": c["id"], "index": i, "type": "tool_call_chunk"}
        for i, c in enumerate(answer.tool_calls)
    ]
