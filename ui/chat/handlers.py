"""What the chat does when somebody arrives, writes, presses a button or comes back; it decides nothing itself."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import chainlit as cl
from chainlit.types import ThreadDict
from starlette.datastructures import Headers

from ui.chat import news, present
from ui.chat.history import DeskHistory
from ui.chat.turn import Turn, show_answer, show_error
from ui.chat.visitors import Visitors
from ui.client import Decision, DeskError, DeskProblem, Json
from ui.requests import MOST_CHARACTERS

# The browser replaces its message list once more after it has opened a thread; what comes sooner vanishes.
_AFTER_RESUME_SECONDS: Final = 1.0
_DECISIONS: Final = ("approve", "reject", "edit")
_EDITS: Final = ("quantity", "limit_price", "stop_price", "stop_loss", "take_profit")


def register(visitors: Visitors) -> None:
    """Connect everything to Chainlit, which keeps one set of callbacks a process."""
    history = DeskHistory(visitors)

    @cl.data_layer
    def data_layer() -> DeskHistory:
        return history

    @cl.header_auth_callback
    async def arrive(headers: Headers) -> cl.User | None:  # noqa: ARG001 - Chainlit's signature
        # The API guards host and origin of every request before it reaches the chat.
        return await visitors.sign_in()

    @cl.password_auth_callback
    async def sign_in(username: str, password: str) -> cl.User | None:  # noqa: ARG001 - the key says who it is
        return await visitors.sign_in(password.strip()) if password.strip() else None

    @cl.set_starters
    async def starters(user: cl.User | None) -> list[cl.Starter]:
        try:
            symbols = (await visitors.desk(user).markets())["symbols"]
        except DeskError:
            symbols = []
        return [cl.Starter(label=label, message=message) for label, message in present.starters(symbols)]

    @cl.on_chat_start
    async def start() -> None:
        """The welcome is drawn by the page; what happens to orders later is listened for."""
        news.listen(visitors.desk(), cl.context.session.thread_id, after=0)

    @cl.on_message
    async def on_message(message: cl.Message) -> None:
        thread_id = cl.context.session.thread_id
        # Mounted under /chat, Chainlit does not put the thread into the address; without it a reload would start anew.
        await cl.send_window_message({"desk": "thread", "thread_id": thread_id})
        if len(message.content) > MOST_CHARACTERS:
            await show_error(_too_long(message.content))
            return
        await Turn().show(visitors.desk().stream(message.content, thread_id))

    @cl.on_chat_resume
    async def resume(thread: ThreadDict) -> None:
        cl.user_session.set("unfinished", asyncio.create_task(_finish_turn(history, visitors, thread["id"])))
        # Behind what the browser is about to show.
        news.listen(visitors.desk(), thread["id"], after=present.newest(thread), wait_seconds=_AFTER_RESUME_SECONDS)

    cl.on_chat_end(news.pause)

    @cl.on_stop
    async def stop() -> None:
        await cl.Message(
            content="Stopped showing. The desk finishes what it began; reload to see it.", author=present.ASSISTANT
        ).send()

    @cl.action_callback("decide")
    async def decide(action: cl.Action) -> Json:
        return await _decide(visitors, action.payload)


def _too_long(text: str) -> DeskError:
    return DeskError(
        f"Your message has {len(text):,} characters and the desk reads at most {MOST_CHARACTERS:,}; nothing was sent.",
        "Send the part that matters, or several messages.",
    )


async def _finish_turn(history: DeskHistory, visitors: Visitors, thread_id: str) -> None:
    """Show the rest of a turn that was under way when the page was reloaded."""
    await asyncio.sleep(_AFTER_RESUME_SECONDS)
    try:
        thread = await history.stored(thread_id)
    except DeskError as error:
        await show_error(error)
        return
    last = thread["messages"][-1] if thread and thread["messages"] else None
    if last is not None and last["role"] == "user" and last.get("run_id"):
        await Turn().show(visitors.desk().events(last["run_id"]))


async def _decide(visitors: Visitors, payload: dict[str, Any]) -> Json:
    """Pass a decision on; the desk holds it against the ticket's hash, so nothing here is trusted."""
    name = payload.get("decision")
    if name not in _DECISIONS:
        return {"problem": {"detail": f"{name!r} is not a decision.", "remedy": "Approve, edit or reject."}}
    edits = {field: str(payload[field]) for field in _EDITS if payload.get(field)}
    decision = Decision(
        decision=name,
        ticket_hash=str(payload.get("ticket_hash", "")),
        edits=edits if name == "edit" else {},
        resolve_differences=payload.get("resolve_differences") is True,
    )
    try:
        outcome = await visitors.desk().decide(str(payload.get("ticket_id", "")), decision)
    except DeskProblem as error:
        return {"problem": {"detail": error.message, "remedy": error.remedy, "code": error.code}}
    except DeskError as error:
        return {"problem": {"detail": error.message, "remedy": error.remedy, "code": "unreachable"}}
    replacement = outcome.get("replacement")
    answer = {**outcome, "tickets": [replacement] if replacement else []}
    await show_answer(cl.Message(content="", author=present.ASSISTANT), answer)
    return {"ticket": outcome["ticket"]}
