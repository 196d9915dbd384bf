"""What a conversation is told without asking, shown in every browser that has it open."""

from __future__ import annotations

import asyncio
from typing import Final

import chainlit as cl
from chainlit.session import WebsocketSession

from ui.chat import present
from ui.chat.turn import show_answer, show_error
from ui.client import AsyncDeskClient, DeskError

_LISTENER: Final = "listener"
_LOOK_SECONDS: Final = 1.0


def listen(desk: AsyncDeskClient, thread_id: str, *, after: int, wait_seconds: float = 0) -> None:
    """Show the news of a conversation in the current session from now on; an earlier listener of it ends.

    Args:
        after: number of the newest message that the browser shows.
        wait_seconds: until the browser is ready to take them.
    """
    session = cl.context.session
    assert isinstance(session, WebsocketSession)
    earlier = cl.user_session.get(_LISTENER)
    if earlier is not None:
        earlier.end()
    listener = _Listener(session, desk, thread_id, after)
    cl.user_session.set(_LISTENER, listener)
    listener.start(wait_seconds)


async def pause() -> None:
    """The browser is gone, perhaps for a moment: what is told meanwhile is shown when it comes back."""
    listener = cl.user_session.get(_LISTENER)
    if listener is not None:
        listener.pause()


class _Listener:
    """Listens while a session's browser is connected; what was shown is not shown again."""

    def __init__(self, session: WebsocketSession, desk: AsyncDeskClient, thread_id: str, after: int) -> None:
        self._session = session
        self._desk = desk
        self._thread_id = thread_id
        self._shown = after
        self._task: asyncio.Task[None] | None = None

    def start(self, wait_seconds: float) -> None:
        self._task = asyncio.create_task(self._listen(wait_seconds), name="news")

    def pause(self) -> None:
        self.end()
        self._task = asyncio.create_task(self._wait_for_return(self._session.socket_id), name="news-paused")

    def end(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _listen(self, wait_seconds: float) -> None:
        await asyncio.sleep(wait_seconds)
        try:
            async for event in self._desk.news(self._thread_id, after=self._shown):
                await show_answer(cl.Message(content="", author=present.ASSISTANT), event.data)
                self._shown = int(event.id)
        except DeskError as error:
            await show_error(error)

    async def _wait_for_return(self, left: str) -> None:
        """Chainlit says when a browser leaves and not when it is back; then its session has another socket."""
        while WebsocketSession.get_by_id(self._session.id) is self._session:
            if self._session.socket_id != left:
                await self._listen(0)
                return
            await asyncio.sleep(_LOOK_SECONDS)
