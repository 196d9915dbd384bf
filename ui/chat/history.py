"""Chainlit's data layer on the desk's threads: conversations live in the desk, the chat keeps nothing of its own."""

from __future__ import annotations

from typing import Any, Final, cast

from chainlit.data.base import BaseDataLayer
from chainlit.types import Feedback, PageInfo, PaginatedResponse, Pagination, ThreadDict, ThreadFilter
from chainlit.user import PersistedUser, User

from ui.chat import present
from ui.chat.visitors import Visitors
from ui.client import DeskProblem, Json

_MESSAGES: Final = 100
# A search reads titles only, page by page, and looks at this many pages at most.
_SEARCHED_PAGES: Final = 20


class DeskHistory(BaseDataLayer):
    """Reads threads through the HTTP surface; writing is the desk's own business."""

    def __init__(self, visitors: Visitors) -> None:
        self._visitors = visitors

    async def get_user(self, identifier: str) -> PersistedUser | None:
        """Nobody is stored: the cookie says who it is, and `create_user` takes it from there."""
        return None

    async def create_user(self, user: User) -> PersistedUser | None:
        """Called for every request with the user of its cookie."""
        return self._visitors.remember(user)

    async def list_threads(self, pagination: Pagination, filters: ThreadFilter) -> PaginatedResponse[ThreadDict]:
        """Conversations, last used first; `filters.search` looks into titles."""
        desk, owner = self._visitors.desk(), self._visitors.user().identifier
        wanted = (filters.search or "").casefold()
        found: list[Any] = []
        cursor = pagination.cursor
        for _ in range(_SEARCHED_PAGES if wanted else 1):
            page = await desk.threads(limit=pagination.first, cursor=cursor)
            found += [present.summary(t, owner) for t in page["threads"] if wanted in t["title"].casefold()]
            cursor = page.get("next_cursor")
            if not cursor or len(found) >= pagination.first:
                break
        return PaginatedResponse(
            pageInfo=PageInfo(hasNextPage=bool(cursor), startCursor=pagination.cursor, endCursor=cursor), data=found
        )

    async def get_thread(self, thread_id: str) -> ThreadDict | None:
        """A conversation with its newest messages, or None when it does not exist or is somebody else's."""
        thread = await self.stored(thread_id)
        if thread is None:
            return None
        return cast("ThreadDict", present.conversation(thread, self._visitors.user().identifier))

    async def stored(self, thread_id: str) -> Json | None:
        """The desk's own JSON of a conversation."""
        try:
            return await self._visitors.desk().thread(thread_id, limit=_MESSAGES)
        except DeskProblem as error:
            if error.status in {404, 422}:
                return None
            raise

    async def get_thread_author(self, thread_id: str) -> str:
        """The owner; empty for a thread that is not the visitor's, which Chainlit answers with 404."""
        return "" if await self.stored(thread_id) is None else self._visitors.user().identifier

    async def delete_thread(self, thread_id: str) -> None:
        """Forget a conversation; its orders and their audit stay."""
        await self._visitors.desk().delete_thread(thread_id)

    async def update_thread(
        self,
        thread_id: str,
        name: str | None = None,
        user_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        tags: list[str] | None = None,
    ) -> None:
        """A person's new title for a conversation; everything else of it the desk keeps by itself."""
        # The list marks conversations in which a ticket waits, and the mark is offered as part of the title.
        title = (name or "").removeprefix(present.WAITING_MARK).strip()
        if title and user_id is None:
            await self._visitors.desk().rename_thread(thread_id, title)

    async def get_element(self, thread_id: str, element_id: str) -> None:
        """Elements are drawn from messages; none is stored."""

    async def create_element(self, element: Any) -> None:
        """Elements are drawn from messages; none is stored."""

    async def delete_element(self, element_id: str, thread_id: str | None = None) -> None:
        """Elements are drawn from messages; none is stored."""

    async def create_step(self, step_dict: Any) -> None:
        """The desk stores messages itself."""

    async def update_step(self, step_dict: Any) -> None:
        """The desk stores messages itself."""

    async def delete_step(self, step_id: str) -> None:
        """The desk stores messages itself."""

    async def upsert_feedback(self, feedback: Feedback) -> str:
        """Feedback buttons are not shown.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("this desk keeps no feedback")

    async def delete_feedback(self, feedback_id: str) -> bool:
        """Feedback buttons are not shown."""
        return False

    async def get_favorite_steps(self, user_id: str) -> list[Any]:
        """Favourites are off."""
        return []

    async def build_debug_url(self) -> str:
        """There is no debug page."""
        return ""

    async def close(self) -> None:
        """Nothing is held open."""
