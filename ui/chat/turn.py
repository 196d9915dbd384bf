"""One turn in the browser: the desk's events become steps, a streamed message and elements."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Final, cast

import chainlit as cl
from chainlit.utils import utc_now

from ui.chat import present
from ui.client import DeskError, DeskProblem, Event, Json

if TYPE_CHECKING:
    from chainlit.element import ElementDict
    from literalai.observability.step import TrueStepType

Handler = Callable[[Json], Awaitable[None]]

_LONG_RESULT: Final = 4000


class Turn:
    """Shows the events of one run while they arrive."""

    def __init__(self) -> None:
        self._reply = cl.Message(content="", author=present.ASSISTANT)
        self._steps: dict[str, cl.Step] = {}
        self._doing: cl.Step | None = None
        run = cl.context.current_run
        self._parent = run.id if run else None
        self._handlers: dict[str, Handler] = {
            "step": self._step,
            "tool_call": self._tool_call,
            "tool_result": self._tool_result,
            "token": self._token,
            "message": self._message,
            "error": self._error,
        }

    async def show(self, events: AsyncIterator[Event]) -> None:
        """Show everything; what goes wrong is shown too, with its remedy."""
        try:
            async for event in events:
                handler = self._handlers.get(event.name)
                if handler is not None:
                    await handler(event.data)
        except DeskError as error:
            await self._finish_steps()
            await show_error(error)
        else:
            await self._finish_steps()

    async def _step(self, data: Json) -> None:
        await self._end_doing()
        if self._steps:
            return  # a specialist at work on a tool call that is shown already
        step = self._doing = self._new_step(str(data.get("label") or data["node"]), "run", icon="arrow-right")
        await step.send()

    async def _tool_call(self, data: Json) -> None:
        step = self._new_step(present.tool_label(data), "tool", icon="search")
        step.input = data.get("args") or {}
        self._steps[str(data["id"])] = step
        await step.send()

    async def _tool_result(self, data: Json) -> None:
        step = self._steps.pop(str(data["id"]), None)
        if step is not None:
            step.output = str(data.get("brief") or "")[:_LONG_RESULT]
            step.end = utc_now()
            await step.update()

    async def _token(self, data: Json) -> None:
        await self._reply.stream_token(str(data["text"]))

    async def _message(self, answer: Json) -> None:
        await self._finish_steps()
        await show_answer(self._reply, answer)

    async def _error(self, problem: Json) -> None:
        # The answer that follows may carry what was said before it failed; the reason stands on its own.
        await cl.ErrorMessage(content=present.problem(problem), author=present.ASSISTANT).send()

    def _new_step(self, name: str, kind: TrueStepType, *, icon: str) -> cl.Step:
        step = cl.Step(name=name, type=kind, parent_id=self._parent, metadata={"icon": icon}, show_input="json")
        step.start = step.created_at
        return step

    async def _end_doing(self) -> None:
        step, self._doing = self._doing, None
        if step is not None:
            step.end = utc_now()
            await step.update()

    async def _finish_steps(self) -> None:
        await self._end_doing()
        for step in self._steps.values():
            step.end = utc_now()
            await step.update()
        self._steps.clear()


async def show_answer(message: cl.Message, answer: Json) -> None:
    """Put the final text of an answer and everything that belongs to it into a message."""
    reply = str(answer.get("reply") or "")
    if not reply and not message.content and not answer.get("tickets"):
        return
    message.content = present.markdown(reply, answer.get("receipts") or [], message.id)
    await message.send()
    thread_id = cl.context.session.thread_id
    for element in present.elements(answer, message_id=message.id, thread_id=thread_id):
        await cl.context.emitter.send_element(cast("ElementDict", element))


async def show_error(error: DeskError) -> None:
    """Say what failed and what to do."""
    remedy = error.remedy
    if isinstance(error, DeskProblem) and error.status == 401:
        remedy = "Sign out (menu at the top right) and in again with an API key of this desk."
    content = present.problem({"detail": error.message, "remedy": remedy})
    await cl.ErrorMessage(content=content, author=present.ASSISTANT).send()
