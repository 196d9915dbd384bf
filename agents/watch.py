"""What goes on while nobody asks: resting paper orders fill, tickets expire, unclear orders are looked up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from agents.services import Services
from engines.errors import QuantumTraderError, VenueUnavailable
from engines.execution.paper import PaperBroker
from engines.execution.submit import unfinished
from engines.execution.sync import sync_fills

logger = logging.getLogger(__name__)


@asynccontextmanager
async def keep_watch(services: Services) -> AsyncIterator[None]:
    """Run `watch_once` every few seconds until the block ends."""
    task = asyncio.create_task(_watch(services), name="watch")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def watch_once(services: Services) -> None:
    """Fill what can fill, expire what is over, and settle what is unclear. Blocks."""
    services.ledger.expire_due()
    # Asked even when the ledger has no open order: a crash may have kept a protective one from it.
    if isinstance(services.broker, PaperBroker):
        services.broker.match(services.market.now())
    sync_fills(services.ledger, services.broker)
    for ticket_id in unfinished(services.ledger):
        # A turn may be carrying out the same ticket: the claim inside makes them take turns at one submission.
        try:
            services.submit(ticket_id)
        except QuantumTraderError as error:
            logger.warning("ticket %s is not settled yet: %s", ticket_id, error)


async def _watch(services: Services) -> None:
    while True:
        await asyncio.sleep(services.settings.matching_seconds)
        try:
            await asyncio.to_thread(watch_once, services)
        except VenueUnavailable as error:
            logger.warning("the market did not answer; resting orders wait: %s", error)
        except Exception:
            # Process edge: the next round may work again, and the desk must go on answering.
            logger.exception("watching resting orders failed")
