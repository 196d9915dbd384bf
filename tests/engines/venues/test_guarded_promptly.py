"""An exit that is due waits for nothing but what really is in its way, and is never sold twice over."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from engines.domain.orders import Order
from engines.errors import VenueUnavailable
from engines.execution.guard import guard_exits
from engines.execution.heard import Heard
from engines.execution.sync import sync_fills
from engines.execution.unprotected import unprotected
from engines.execution.wake import bring_heard
from tests.engines.between import Between

from .guarded import BTC, EXITS, Guarded, desk

__all__ = ["desk"]
ACCOUNT = "paper-fixed-usdt:ann"


def part_filled(desk: Guarded, **exits: Any) -> Order:
    """An entry over 0.1 of which 0.04 are filled and the rest is bid for."""
    desk.venue.price(symbol=BTC, price="50000", depth=1, quantity="0.04")
    entry = desk.order(order_type="limit", limit_price=Decimal(50_010), **exits)
    desk.guard()
    return entry


def test_an_exit_that_a_halt_held_back_is_sent_with_the_next_round_after_it(desk: Guarded) -> None:
    desk.order(**EXITS)
    desk.ledger.change_state("halted", reason="something is wrong", by="ann")
    desk.price(47_990)
    desk.guard()
    desk.ledger.change_state("active", reason="looked at it", by="ann")
    desk.clock.advance(timedelta(seconds=1))
    desk.price(47_990)
    assert desk.guard()["-gs"] == "filled"


def test_an_entry_that_could_not_be_ended_for_its_exit_is_cancelled_again_in_the_next_round(desk: Guarded) -> None:
    entry = part_filled(desk, **EXITS)
    desk.market.set_quote(BTC, "47985", "47995")
    desk.venue.fault(route="cancel", kind="unavailable_before")
    desk.guard()
    assert desk.sold() == 0
    desk.clock.advance(timedelta(seconds=3))
    desk.market.set_quote(BTC, "47985", "47995")
    with suppress(VenueUnavailable):
        # Bybit was given the exits with the entry, and may still come to show them.
        desk.guard()
    assert desk.ledger.order(entry.id).status == "cancelled"


def test_an_exit_that_waits_for_the_same_reason_is_noted_once(desk: Guarded) -> None:
    entry = desk.order(**EXITS)
    desk.ledger.change_state("halted", reason="something is wrong", by="ann")
    for _ in range(5):
        desk.price(47_990)
        desk.guard()
        desk.clock.advance(timedelta(seconds=40))
    waits = [each for each in desk.ledger.audit() if each.kind == "guarded_exit_waits"]
    assert [each.data["order"] for each in waits] == [f"{entry.id}-gs"]


def test_news_of_an_entry_that_its_exit_ends_does_not_have_the_exits_placed_beside_the_sale(desk: Guarded) -> None:
    """The venue's stream tells of the cancelled entry while the guard, which cancelled it, is about to sell."""
    desk.order()
    entry = part_filled(desk, stop_loss=Decimal(48_000))
    context, heard = replace(desk.context, within="paper-"), Heard(entry.id, filled=entry.filled, ended=True)
    about_to_place, sold = threading.Event(), threading.Event()

    def hold_up() -> None:
        about_to_place.set()
        sold.wait(10)

    slow: Any = Between(desk.broker, "protect", hold_up)
    waker = threading.Thread(target=lambda: bring_heard(heard, context, slow, ACCOUNT))

    def news() -> None:
        waker.start()
        # Long enough to come to it where nothing keeps it from it.
        about_to_place.wait(1)

    desk.market.set_quote(BTC, "47985", "47995")
    broker: Any = Between(desk.broker, "cancel", news, after=True)
    with suppress(VenueUnavailable):
        # Bybit was given the exits with the entry, and may still come to show them.
        guard_exits(context, broker, desk.clock.now())
    sold.set()
    waker.join()
    for _ in range(2):
        desk.clock.advance(desk.broker.settling + timedelta(seconds=31))
        desk.market.set_quote(BTC, "47985", "47995")
        desk.guard()
    sales = [each for each in desk.venue.truth()["orders"] if each["side"] == "sell" and each["state"] != "cancelled"]
    assert sum(Decimal(each["quantity"]) for each in sales) <= entry.filled
    assert desk.ledger.verify_audit().intact


def test_what_fills_while_trading_is_halted_has_no_exit_sent_and_is_named_as_unprotected(desk: Guarded) -> None:
    entry = desk.order(order_type="limit", limit_price=Decimal(49_000), stop_loss=Decimal(48_000))
    carried = desk.broker.carries_exits(desk.ledger.ticket(entry.ticket_id))
    desk.ledger.change_state("halted", reason="something is wrong", by="ann")
    desk.price(48_990)
    sent = len(desk.venue.log(route="create"))
    for _ in range(3):
        with suppress(VenueUnavailable):
            sync_fills(desk.ledger, desk.broker)
        desk.guard()
        desk.clock.advance(desk.broker.settling + timedelta(seconds=31))
        desk.price(48_990)
    assert desk.ledger.order(entry.id).status == "filled"
    assert len(desk.venue.log(route="create")) == sent
    named = [gap.entry_id for gap in unprotected(desk.ledger, desk.clock.now())]
    assert named == ([] if carried else [entry.id])
    desk.ledger.change_state("active", reason="looked at it", by="ann")
    sync_fills(desk.ledger, desk.broker)
    at_work = [(leg.id[-3:], leg.held_by) for leg in desk.ledger.exits_of(entry.id) if leg.status == "accepted"]
    assert at_work == [("-sl", "venue")]
