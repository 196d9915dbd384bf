from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from agents.results import DecisionOutcome, TurnResult
from agents.runtime import Desk
from agents.watch import watch_once
from engines.domain.clock import ManualClock
from engines.domain.instruments import Quote
from engines.domain.orders import OrderIntent
from engines.errors import Conflict, Expired, InvalidRequest, NotFound, VenueUnavailable
from engines.execution.context import no_confluence
from engines.execution.prepare import TicketEdits, prepare_ticket
from engines.execution.submit import submit
from engines.market.demo import DemoMarket
from engines.market.fixed import FixedMarket

pytestmark = pytest.mark.anyio

OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]


class _MovingMarket:
    """The demo market, its quotes times a factor, or out of reach."""

    def __init__(self, market: DemoMarket) -> None:
        self._market = market
        self.factor = Decimal(1)
        self.down = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._market, name)

    def quote(self, symbol: str) -> Quote:
        if self.down:
            raise VenueUnavailable("demo does not answer.", remedy="Try again later.")
        quote = self._market.quote(symbol)
        return replace(quote, bid=quote.bid * self.factor, ask=quote.ask * self.factor, last=quote.last * self.factor)


async def _ask(desk: Desk, message: str, thread: str | None = None) -> TurnResult:
    return await desk.ask(thread, message, "ada")


async def _decide(desk: Desk, ticket: dict[str, Any], decision: Any = "approve", **more: Any) -> DecisionOutcome:
    return await desk.decide(ticket["id"], decision, ticket["hash"], "ada", "ada", **more)


def _fills(desk: Desk) -> int:
    return len(desk.ledger.fills(desk.account_id("ada")))


async def test_an_order_waits_for_a_person_and_says_everything_that_will_happen(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        result = await _ask(desk, "buy 0.05 btc")
        ticket = result.tickets[0]

        assert result.status == "awaiting_approval"
        assert (ticket["status"], ticket["side"], ticket["quantity"], ticket["mode"]) == (
            "pending",
            "buy",
            "0.05",
            "paper",
        )
        assert ticket["user_words"] == "buy 0.05 btc"
        assert ticket["differences"] == []
        assert f"{ticket['label']}: Buy 0.05" in result.reply
        assert "Nothing is sent before you approve it" in ticket["text"]
        assert _fills(desk) == 0


async def test_an_approved_order_is_filled_once_and_told_from_its_records(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        ticket = (await _ask(desk, "buy 0.05 btc, stop 50k")).tickets[0]
        outcome = await _decide(desk, ticket)

        assert (outcome.ticket["status"], outcome.status) == ("filled", "completed")
        assert outcome.order is not None
        assert len(outcome.fills) == 1
        fill = outcome.fills[0]
        assert outcome.reply.startswith("Approved at 14:30:00 UTC by you. Filled 0.05 [1] BTC at ")
        assert f"{Decimal(fill['price']):,.2f} [2] average" in outcome.reply
        assert "Stop resting at 50,000" in outcome.reply
        assert "Position: 0.05" in outcome.reply
        assert {receipt["source"]["evidence"] for receipt in outcome.receipts} == {"fill-1"}
        assert _fills(desk) == 1


async def test_a_second_decision_is_refused_and_places_nothing(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        ticket = (await _ask(desk, "buy 0.05 btc")).tickets[0]
        await _decide(desk, ticket)
        for decision in ("approve", "reject"):
            with pytest.raises(Conflict, match="already approved"):
                await _decide(desk, ticket, decision)
        assert _fills(desk) == 1


async def test_two_decisions_at_once_lead_to_one_order(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        ticket = (await _ask(desk, "buy 0.05 btc")).tickets[0]
        results = await asyncio.gather(*(_decide(desk, ticket) for _ in range(4)), return_exceptions=True)

        assert sum(isinstance(result, DecisionOutcome) for result in results) == 1
        assert sum(isinstance(result, Conflict) for result in results) == 3
        assert _fills(desk) == 1


async def test_a_rejected_ticket_sends_nothing(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        ticket = (await _ask(desk, "buy 0.05 btc")).tickets[0]
        outcome = await _decide(desk, ticket, "reject")

        assert outcome.ticket["status"] == "rejected"
        assert outcome.reply.startswith(f"{ticket['label']} rejected at 14:30:00 UTC by you. Nothing was sent.")
        assert _fills(desk) == 0


async def test_a_wrong_hash_decides_nothing(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        ticket = (await _ask(desk, "buy 0.05 btc")).tickets[0]
        with pytest.raises(Conflict, match="hash"):
            await _decide(desk, {**ticket, "hash": "0" * 64})
        assert (await _decide(desk, ticket)).ticket["status"] == "filled"


async def test_a_ticket_of_somebody_else_does_not_exist(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        ticket = (await _ask(desk, "buy 0.05 btc")).tickets[0]
        with pytest.raises(NotFound):
            await desk.decide(ticket["id"], "approve", ticket["hash"], "bob", "bob")
        assert _fills(desk) == 0


async def test_an_edit_makes_a_new_ticket_that_needs_its_own_approval(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        ticket = (await _ask(desk, "buy 0.05 btc")).tickets[0]
        edited = await _decide(desk, ticket, "edit", edits=TicketEdits(quantity=Decimal("0.02")))

        assert edited.status == "awaiting_approval"
        assert edited.ticket["status"] == "superseded"
        assert edited.replacement is not None
        assert (edited.replacement["quantity"], edited.replacement["status"]) == ("0.02", "pending")
        assert "edited on the ticket since" in edited.reply
        with pytest.raises(Conflict, match="replaced"):
            await _decide(desk, ticket)
        assert _fills(desk) == 0

        outcome = await _decide(desk, edited.replacement)
        assert (outcome.ticket["status"], outcome.fills[0]["quantity"]) == ("filled", "0.02")


async def test_a_refused_edit_leaves_the_ticket_as_it_was(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        ticket = (await _ask(desk, "buy 0.05 btc")).tickets[0]
        with pytest.raises(InvalidRequest):
            await _decide(desk, ticket, "edit", edits=TicketEdits(quantity=Decimal(-1)))
        with pytest.raises(InvalidRequest):
            await _decide(desk, ticket, "edit")
        assert (await _decide(desk, ticket)).ticket["status"] == "filled"


async def test_an_expired_ticket_cannot_be_approved(desk_on: OpenDesk, clock: ManualClock) -> None:
    async with desk_on() as desk:
        ticket = (await _ask(desk, "buy 0.05 btc")).tickets[0]
        clock.advance(timedelta(seconds=61))
        with pytest.raises(Expired):
            await _decide(desk, ticket)
        assert desk.ledger.ticket(ticket["id"]).status == "expired"
        assert _fills(desk) == 0


async def test_the_watch_expires_tickets_that_nobody_decided(desk_on: OpenDesk, clock: ManualClock) -> None:
    async with desk_on() as desk:
        ticket = (await _ask(desk, "buy 0.05 btc")).tickets[0]
        clock.advance(timedelta(seconds=61))
        await asyncio.to_thread(watch_once, desk.services)
        assert desk.ledger.ticket(ticket["id"]).status == "expired"


async def test_a_stop_loss_that_a_crash_kept_from_the_ledger_is_brought_and_watched(
    desk_on: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with desk_on() as desk:
        ticket = (await _ask(desk, "buy 0.05 btc, stop 50k")).tickets[0]
        # The process ends between the fill's record and that of the order which protects it.
        monkeypatch.setattr("engines.execution.submit.try_protective", lambda *_, **__: None)
        await _decide(desk, ticket)
        assert desk.ledger.orders(desk.account_id("ada"), status="open") == ()

    async with desk_on() as desk:
        await asyncio.to_thread(watch_once, desk.services)
        [stop] = desk.ledger.orders(desk.account_id("ada"), status="open")
        assert (stop.order_type, stop.stop_price, stop.status) == ("stop", Decimal(50_000), "accepted")


async def test_a_ticket_survives_a_restart_between_every_two_steps(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        first = await _ask(desk, "buy 0.05 btc")
    async with desk_on() as desk:
        edited = await _decide(desk, first.tickets[0], "edit", edits=TicketEdits(quantity=Decimal("0.02")))
    assert edited.replacement is not None
    async with desk_on() as desk:
        outcome = await _decide(desk, edited.replacement)
    async with desk_on() as desk:
        portfolio = await _ask(desk, "my positions", first.thread_id)
        assert _fills(desk) == 1

    assert outcome.ticket["status"] == "filled"
    assert "0.02" in portfolio.reply


async def test_an_approval_that_a_crash_cut_off_is_carried_out_once_at_the_next_start(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        ticket = (await _ask(desk, "buy 0.05 btc")).tickets[0]
        desk.ledger.decide(ticket["id"], "approve", ticket["hash"], "ada")
    for expected in (1, 0):
        async with desk_on() as desk:
            outcomes = await desk.recover()
            assert len(outcomes) == expected
            assert _fills(desk) == 1
            assert desk.ledger.ticket(ticket["id"]).status == "filled"


async def test_an_approval_is_carried_out_when_its_conversation_was_deleted(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        result = await _ask(desk, "buy 0.05 btc")
        await desk.delete_thread(result.thread_id, "ada")
        outcome = await _decide(desk, result.tickets[0])

        assert outcome.ticket["status"] == "filled"
        assert outcome.reply.startswith("Approved at")


async def test_a_denied_order_names_the_limit_and_the_way_out(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        result = await _ask(desk, "buy 50 btc")

        assert result.status == "completed"
        assert result.tickets == []
        assert "limit per order" in result.reply
        assert "*unsourced*" not in result.reply
        (way_out,) = result.next_steps
        followed = await _ask(desk, way_out, result.thread_id)
        assert followed.status == "awaiting_approval"
        assert followed.tickets[0]["risk"]["outcome"] == "reduced"
        assert "reduced from 50 BTC by the limit order notional" in followed.tickets[0]["text"]


async def test_an_order_whose_price_has_left_the_band_is_not_sent(desk_on: OpenDesk, clock: ManualClock) -> None:
    market = _MovingMarket(DemoMarket(clock))
    async with desk_on(market=market) as desk:
        ticket = (await _ask(desk, "buy 0.05 btc")).tickets[0]
        market.factor = Decimal("1.01")
        outcome = await _decide(desk, ticket)

        assert outcome.ticket["status"] == "denied"
        assert "Not carried out: The price moved 1 %" in outcome.reply
        assert "the band is 0.5 %" in outcome.reply
        assert (outcome.order, outcome.fills, _fills(desk)) == (None, [], 0)


async def test_an_approval_stands_while_the_market_is_down_and_is_carried_out_when_it_is_back(
    desk_on: OpenDesk, clock: ManualClock
) -> None:
    market = _MovingMarket(DemoMarket(clock))
    async with desk_on(market=market) as desk:
        ticket = (await _ask(desk, "buy 0.05 btc")).tickets[0]
        market.down = True
        outcome = await _decide(desk, ticket)
        assert outcome.ticket["status"] == "approved"
        assert "does not answer" in outcome.reply
        assert _fills(desk) == 0

        market.down = False
        await asyncio.to_thread(watch_once, desk.services)
        assert desk.ledger.ticket(ticket["id"]).status == "filled"
        assert _fills(desk) == 1


async def test_closing_and_cancelling_are_tickets_too(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        bought = await _ask(desk, "buy 0.05 btc, stop 50k")
        await _decide(desk, bought.tickets[0])
        cancel = await _ask(desk, "cancel all my orders", bought.thread_id)
        assert cancel.tickets[0]["kind"] == "cancel"
        assert "Cancel sell 0.05 BTC/USDT, stop 50,000 (protects a position)" in cancel.tickets[0]["text"]
        cancelled = await _decide(desk, cancel.tickets[0])
        assert "is cancelled" in cancelled.reply
        close = await _ask(desk, "close my btc position", bought.thread_id)
        assert (close.tickets[0]["side"], close.tickets[0]["reduce_only"]) == ("sell", True)
        closed = await _decide(desk, close.tickets[0])

        assert "The position is closed." in closed.reply
        nothing = await _ask(desk, "close my btc position", bought.thread_id)
        assert nothing.tickets == []
        assert "no open position" in nothing.reply


async def test_an_order_without_a_quantity_is_asked_for_and_completed_by_the_answer(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        asked = await _ask(desk, "buy btc")
        assert asked.tickets == []
        assert "How much" in asked.reply
        answered = await _ask(desk, "0.05", asked.thread_id)

        assert answered.tickets[0]["quantity"] == "0.05"
        assert answered.tickets[0]["differences"] == []


async def test_tickets_of_another_market_can_still_be_read(desk_on: OpenDesk, clock: ManualClock) -> None:
    async with desk_on() as desk:
        ticket = (await _ask(desk, "buy 0.05 btc at 60000 limit, stop 50k")).tickets[0]

    elsewhere = FixedMarket((), clock, name="elsewhere")
    async with desk_on(market=elsewhere) as desk:
        shown = desk.ticket_json(desk.ledger.ticket(ticket["id"]))
        assert shown["text"].startswith("T-1: Buy 0.05 BTC/USDT at limit 60,000, about 3,000.00 USDT + 2.40 USDT fee")
        rejected = await _decide(desk, ticket, "reject")
        assert rejected.reply.startswith("T-1 rejected")


@pytest.mark.slow
async def test_an_open_order_is_listed_and_can_be_cancelled_however_many_came_after_it(
    desk_on: OpenDesk, clock: ManualClock
) -> None:
    async with desk_on() as desk:
        resting = (await _ask(desk, "buy 0.05 btc at 60000 limit")).tickets[0]
        await _decide(desk, resting)
        intent = OrderIntent(desk.account_id("ada"), "thread-1", "ETH/USDT", "buy", Decimal("0.01"))
        context = replace(desk.services.orders, confluence=no_confluence)
        for number in range(201):
            clock.advance(timedelta(seconds=1))
            other = replace(intent, quantity=intent.quantity + Decimal(number) / 10_000)
            ticket = prepare_ticket(other, context, owner="ada")
            desk.ledger.decide(ticket.id, "approve", ticket.hash, "ada")
            submit(ticket.id, context, desk.broker)

        assert "There is 1" in (await _ask(desk, "show my open orders")).reply
        cancel = await _ask(desk, "cancel all my orders")
        assert cancel.tickets[0]["cancels"] == [desk.ledger.ticket(resting["id"]).client_order_id]


async def test_each_ticket_is_told_as_an_event(desk_on: OpenDesk) -> None:
    events: list[tuple[str, dict[str, Any]]] = []
    async with desk_on() as desk:
        result = await desk.ask(None, "buy 0.05 btc", "ada", on_event=lambda *event: events.append(event))
        outcome_events: list[str] = []
        outcome = await _decide(desk, result.tickets[0], on_event=lambda name, _: outcome_events.append(name))

    assert [data["id"] for name, data in events if name == "ticket"] == [result.tickets[0]["id"]]
    assert outcome_events[-1] == "message"
    assert "token" in outcome_events
    assert outcome.run_id
