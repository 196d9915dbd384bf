"""Telling conversations what happened to their orders since: once each, also over restarts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Final

import anyio
from starlette.concurrency import run_in_threadpool

from agents.nodes.late_fills import LateFills, tell_late_fills
from agents.nodes.outcome import NEXT_STEPS
from agents.runtime import Desk
from api.news_store import News, NewsStore, Untold
from api.schemas.agent import AgentAnswer
from api.schemas.receipts import Receipt
from engines.errors import QuantumTraderError

logger = logging.getLogger(__name__)

_ROUND_SECONDS: Final = 1.0
# Another process may tell, too; what this one tells is passed on at once.
_LOOK_SECONDS: Final = 5.0


class Newsroom:
    """Tells of fills that came after the answer to their decision, and passes what was told on to who listens."""

    def __init__(self, store: NewsStore, desk: Desk) -> None:
        self.store = store
        self._desk = desk
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Tell what is to be told, round after round, until cancelled."""
        while True:
            try:
                if await run_in_threadpool(self.tell_once):
                    self._news.set()
                    self._news = asyncio.Event()
            except Exception:
                # Process edge: nothing counts as told that was not kept, so the next round tells it.
                logger.exception("late fills could not be told")
            await asyncio.sleep(_ROUND_SECONDS)

    def tell_once(self) -> int:
        """Tell of every fill that nobody has heard of; how many messages that took. Blocks."""
        told = 0
        for untold in self.store.untold():
            try:
                told += self._tell(untold)
            except QuantumTraderError as error:
                logger.warning("what filled of order %s is not told yet: %s", untold.order_id, error)
        return told

    async def watch(
        self, owner: str, *, after: int, thread_id: str | None, stopping: anyio.Event
    ) -> AsyncIterator[News]:
        """What is told to an owner behind a message's number, until nobody listens or the desk is stopping."""
        behind = after
        while not stopping.is_set():
            news = self._news
            found = await run_in_threadpool(self.store.after, owner, behind, thread_id=thread_id)
            for each in found:
                yield each
                behind = each.id
            if not found:
                await _first_of(news, stopping)

    def _tell(self, untold: Untold) -> bool:
        desk = self._desk
        order = desk.ledger.order(untold.order_id, untold.owner)
        wanted = set(untold.trade_ids)
        late = LateFills(order, tuple(fill for fill in order.fills if fill.id in wanted))
        rendered = tell_late_fills(desk.services, desk.ledger.ticket(untold.ticket_id, untold.owner), late)
        answer = AgentAnswer(
            thread_id=untold.thread_id,
            run_id="",
            status="completed",
            reply=rendered.text,
            receipts=[Receipt.model_validate(receipt) for receipt in rendered.receipts],
            next_steps=list(NEXT_STEPS),
        ).model_dump(mode="json")
        return self.store.tell(untold, rendered.text, answer)


async def _first_of(*events: asyncio.Event | anyio.Event) -> None:
    """Wait for any of them, or for the time of the next look."""
    with anyio.move_on_after(_LOOK_SECONDS):
        async with anyio.create_task_group() as group:

            async def wait(event: asyncio.Event | anyio.Event) -> None:
                await event.wait()
                group.cancel_scope.cancel()

            for event in events:
                group.start_soon(wait, event)
