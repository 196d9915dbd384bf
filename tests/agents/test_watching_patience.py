"""What the watch does about what stays unclear, and how it ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agents.opening import open_services
from agents.services import Services
from agents.settings import load_settings
from agents.watch import keep_watch, watch_once
from engines.domain.clock import ManualClock
from engines.domain.instruments import Instrument
from engines.domain.orders import OrderIntent
from engines.errors import OutcomeUnknown, VenueUnavailable
from engines.execution.broker import ApprovedTicket, VenueOrder
from engines.execution.paper import PaperBroker
from engines.market.fixed import FixedMarket
from engines.storage.database import open_database

LOT = Decimal("0.0001")
BTC = Instrument("BTC/USDT", "BTC", "USDT", Decimal("0.01"), LOT, LOT, Decimal(5), Decimal("0.0008"), Decimal("0.001"))


class Mute(PaperBroker):
    """A paper venue that answers nothing about orders while it is mute, and counts how often it is asked."""

    is_mute = False
    asked = 0
    at_work: threading.Event | None = None
    go_on = threading.Event()
    rounds_ended = 0

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        if self.is_mute:
            raise OutcomeUnknown("The answer was cut off.")
        return super().place(approved)

    def find(self, client_order_id: str, symbol: str, **more: Any) -> VenueOrder | None:
        self.asked += 1
        if self.is_mute:
            raise VenueUnavailable("The venue does not answer.")
        return super().find(client_order_id, symbol, **more)

    def match(self, now: datetime) -> int:
        if self.at_work is not None:
            self.at_work.set()
            self.go_on.wait(10)
        filled = super().match(now)
        self.rounds_ended += 1
        return filled


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 3, 2, 16, 0, tzinfo=UTC))


@pytest.fixture
def desk(tmp_path: Path, clock: ManualClock) -> Iterator[tuple[Services, Mute]]:
    market = FixedMarket((BTC,), clock)
    market.set_quote("BTC/USDT", "59999.99", "60000")
    engine = open_database("desk", home=tmp_path)
    venue = Mute(engine, market, clock)
    settings = load_settings(home=tmp_path, matching_seconds=0.05)
    with open_services(settings, clock=clock, market=market, broker=venue) as services:
        yield services, venue
    engine.dispose()


def unclear(services: Services, venue: Mute) -> str:
    account = services.account("ann")
    ticket = services.seal(OrderIntent(account, "thread-1", "BTC/USDT", "buy", Decimal("0.01")), "ann")
    services.decide(ticket.id, "approve", ticket.hash, "ann")
    venue.is_mute = True
    services.submit(ticket.id)
    return ticket.id


def test_an_order_that_nobody_can_tell_about_is_asked_for_less_often_in_the_end(
    desk: tuple[Services, Mute], clock: ManualClock
) -> None:
    services, venue = desk
    ticket_id = unclear(services, venue)
    for _ in range(20):
        watch_once(services)
        clock.advance(timedelta(seconds=3))
    assert services.ledger.ticket(ticket_id).status == "needs_operator"
    before = venue.asked
    for _ in range(40):
        watch_once(services)
        clock.advance(timedelta(seconds=3))
    assert venue.asked - before == 2


def test_an_order_that_was_unclear_for_long_is_settled_once_the_venue_answers(
    desk: tuple[Services, Mute], clock: ManualClock
) -> None:
    services, venue = desk
    ticket_id = unclear(services, venue)
    for _ in range(25):
        watch_once(services)
        clock.advance(timedelta(seconds=3))
    venue.is_mute = False
    clock.advance(timedelta(minutes=1))
    watch_once(services)
    assert services.ledger.ticket(ticket_id).status == "not_accepted"


def test_the_end_of_the_watch_waits_for_the_round_that_is_under_way(desk: tuple[Services, Mute]) -> None:
    services, venue = desk
    venue.at_work, venue.go_on = threading.Event(), threading.Event()
    at_work = venue.at_work

    async def watched() -> None:
        async with keep_watch(services):
            await asyncio.to_thread(at_work.wait, 10)
            asyncio.get_running_loop().call_later(0.2, venue.go_on.set)
        assert venue.rounds_ended >= 1

    asyncio.run(watched())
