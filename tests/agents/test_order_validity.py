"""Conversations about orders that are good for a time only."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime

import pytest

from agents.runtime import Desk
from engines.domain.clock import ManualClock
from engines.execution.prepare import TicketEdits

pytestmark = pytest.mark.anyio

OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]
SATURDAY = datetime(2026, 3, 14, tzinfo=UTC)


async def test_an_order_good_till_friday_says_so_on_its_ticket_and_ends_with_that_day(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        result = await desk.ask(None, "buy 0.01 btc at 50k good till friday", "ada")
        (shown,) = result.tickets
        ticket = desk.services.ticket(shown["id"], "ada")

    assert (ticket.time_in_force, ticket.good_till, ticket.differences) == ("GTD", SATURDAY, ())
    assert "good till 2026-03-14 00:00 UTC, when this desk cancels what is open of it" in shown["text"]


async def test_an_order_for_today_only_ends_at_midnight(desk_on: OpenDesk, clock: ManualClock) -> None:
    async with desk_on() as desk:
        result = await desk.ask(None, "buy 0.01 btc at 50k for today only", "ada")
        (shown,) = result.tickets
        ticket = desk.services.ticket(shown["id"], "ada")

    assert (ticket.time_in_force, ticket.good_till) == ("DAY", datetime(2026, 3, 11, tzinfo=UTC))
    assert clock.now().date() == datetime(2026, 3, 10, tzinfo=UTC).date()


@pytest.mark.parametrize(
    ("words", "force", "why"),
    [
        ("immediate or cancel", "IOC", "none of it was to be had at once"),
        ("fill or kill", "FOK", "its whole quantity was not to be had at once"),
    ],
)
async def test_an_order_that_must_fill_at_once_says_so_and_why_nothing_filled(
    desk_on: OpenDesk, words: str, force: str, why: str
) -> None:
    async with desk_on() as desk:
        result = await desk.ask(None, f"buy 0.01 btc at 50k {words}", "ada")
        (shown,) = result.tickets
        outcome = await desk.decide(shown["id"], "approve", shown["hash"], "ada", "ada")

    assert (shown["time_in_force"], words in shown["text"]) == (force, True)
    assert outcome.order is not None
    assert (outcome.order["status"], outcome.order["filled"]) == ("cancelled", "0")
    assert f"Nothing was filled: it was {words}, and {why}." in outcome.reply


async def test_an_edit_changes_how_long_an_order_is_good(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        result = await desk.ask(None, "buy 0.01 btc at 50k good till friday", "ada")
        (shown,) = result.tickets
        edits = TicketEdits(time_in_force="GTC")
        first = await desk.decide(shown["id"], "edit", shown["hash"], "ada", "ada", edits=edits)
        assert first.replacement is not None
        edits = TicketEdits(good_till=SATURDAY)
        second = await desk.decide(
            first.replacement["id"], "edit", first.replacement["hash"], "ada", "ada", edits=edits
        )

    assert second.replacement is not None
    assert (first.replacement["time_in_force"], first.replacement.get("good_till")) == ("GTC", None)
    assert (second.replacement["time_in_force"], second.replacement["good_till"]) == ("GTD", SATURDAY.isoformat())
