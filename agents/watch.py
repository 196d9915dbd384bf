"""What goes on while nobody asks: resting orders fill, tickets expire, unclear orders are looked up.

A live desk also listens to its venue: what the venue speaks of is looked up at once, and its exits are seen to.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from typing import Final

from agents.services import Services
from engines.errors import QuantumTraderError
from engines.execution.expiry import expire_orders
from engines.execution.guard import guard_exits
from engines.execution.limits_log import note_changed_file
from engines.execution.losses import watch_losses
from engines.execution.paper import PaperBroker
from engines.execution.submit import unfinished
from engines.execution.sync import sync_fills
from engines.ledger.lease import Lease

logger = logging.getLogger(__name__)

# Six times in the life of a lease.
_RENEW_SECONDS: Final = 5


@asynccontextmanager
async def keep_watch(services: Services) -> AsyncIterator[None]:
    """Run `watch_once` every few seconds, listen to a live desk's venue and keep its lease, until the block ends."""
    tasks = [asyncio.create_task(_watch(services), name="watch")]
    if services.live is not None and services.live.gate.lease is not None:
        # A task of its own: a round that waits for a slow venue must not let the lease run out.
        tasks.append(asyncio.create_task(_keep(services.live.gate.lease), name="lease"))
    ears = ExitStack()
    if services.live is not None and services.live.gate.lease is not None:
        ears.enter_context(services.live.listening(lambda: _guard_now(services)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        # Hanging up waits for a look-up that is under way.
        await asyncio.to_thread(ears.close)


def watch_once(services: Services) -> None:
    """Fill what can fill, expire what is over, and settle what is unclear; a step that fails stops no other. Blocks."""
    for step in (_expire_tickets, _bring, _expire_orders, _guard, _settle, _watch_risk, _watch_limits):
        # While the venue is away no new order passes; what else the desk has to see to is seen to all the same.
        try:
            step(services)
        except QuantumTraderError as error:
            logger.warning("a step of the watch was not done (%s): %s", step.__name__.strip("_"), error)
        except Exception:
            # A defect, or the database: the next round may work again, and what the other steps guard must not wait.
            logger.exception("a step of the watch failed: %s", step.__name__.strip("_"))


def _expire_tickets(services: Services) -> None:
    services.ledger.expire_due()


def _bring(services: Services) -> None:
    """Bring what happened at the venue into the ledger."""
    if services.live is not None:
        services.live.tend(seconds=services.settings.matching_seconds)
        return
    # Asked even when the ledger has no open order: a crash may have kept a protective one from it.
    if isinstance(services.broker, PaperBroker):
        services.broker.match(services.market.now())
    sync_fills(services.ledger, services.broker, within=services.orders.within)


def _expire_orders(services: Services) -> None:
    expire_orders(services.orders, services.broker, services.orders.clock.now())


def _guard(services: Services) -> None:
    """Carry out the exits that the desk guards itself."""
    guard_exits(services.orders, services.broker, services.orders.clock.now())


def _guard_now(services: Services) -> None:
    """What filled is guarded at once; what keeps it from being so is told in the next round."""
    with suppress(QuantumTraderError):
        _guard(services)


def _settle(services: Services) -> None:
    """Carry on with tickets that are approved and not sent, interrupted, or unclear."""
    orders = services.orders
    for ticket_id in orders.patience.due(unfinished(services.ledger, within=orders.within), orders.clock.now()):
        # A turn may be carrying out the same ticket: the claim inside makes them take turns at one submission.
        try:
            services.submit(ticket_id)
        except QuantumTraderError as error:
            logger.warning("ticket %s is not settled yet: %s", ticket_id, error)


def _watch_risk(services: Services) -> None:
    """Restrict accounts that reached a loss limit."""
    for standing in watch_losses(services.orders):
        logger.warning("account %s may only reduce from now on: %s", standing.account, standing.reason)


def _watch_limits(services: Services) -> None:
    """Notice a limits file that is no longer the one in force."""
    if services.settings.limits_file is not None:
        told = note_changed_file(services.ledger, services.orders.limits, services.settings.limits_file)
        if told:
            logger.warning("%s", told)


async def _keep(lease: Lease) -> None:
    """Renew the lease well before it runs out; one that is lost is not taken back: the gate stays closed."""
    while True:
        await asyncio.sleep(_RENEW_SECONDS)
        try:
            if not await asyncio.to_thread(lease.renew):
                logger.error("the lease of %s was lost to another process: no live order passes any more", lease.name)
                return
        except Exception:
            # Process edge: the next renewal may work, and until then the row says how long the lease lasts.
            logger.exception("the lease of %s could not be renewed", lease.name)


async def _watch(services: Services) -> None:
    while True:
        await asyncio.sleep(services.settings.matching_seconds)
        under_way = asyncio.ensure_future(asyncio.to_thread(watch_once, services))
        try:
            await asyncio.shield(under_way)
        except asyncio.CancelledError:
            # The thread goes on: what it has sent is to be on record before the ledger and the lease are given up.
            await asyncio.wait([under_way])
            raise
        except Exception:
            # Process edge: the next round may work again, and the desk must go on answering.
            logger.exception("watching resting orders failed")
