"""Parts of an entry that fill while it is still open: protected as they fill, never for more than is held."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engines.domain.orders import Order
from engines.errors import VenueUnavailable
from engines.execution.cancel import cancel_order
from engines.execution.guard import guard_exits
from engines.execution.sync import sync_fills
from engines.execution.venues import CcxtBroker
from tests.engines.between import Between, Died

from .guarded import BTC, EXITS, Guarded, desk
from .venue_desk import PATIENCE_MS

__all__ = ["desk"]
pytestmark = pytest.mark.parametrize("desk", ["binance", "bybit", "kraken"], indirect=True)
STOP_ONLY: dict[str, Any] = {"stop_loss": Decimal(48_000)}
LIMIT = Decimal(50_010)


def part_filled(desk: Guarded, exits: dict[str, Any]) -> Order:
    """An entry over 0.1 of which 0.04 are filled and the rest is bid for."""
    desk.venue.price(symbol=BTC, price="50000", depth=1, quantity="0.04")
    entry = desk.order(order_type="limit", limit_price=LIMIT, **exits)
    assert (entry.status, entry.filled) == ("partially_filled", Decimal("0.04"))
    return entry


def fill_more(desk: Guarded, quantity: str) -> None:
    """Somebody sells into the entry's bid."""
    desk.venue.crowd(symbol=BTC, side="sell", quantity=quantity)


def bring(desk: Guarded) -> None:
    """One round of the watcher, after the time that a venue may take to show things."""
    desk.clock.advance(desk.broker.settling + timedelta(seconds=1))
    desk.market.set_quote(BTC, "49995", "50005")
    sync_fills(desk.ledger, desk.broker)
    desk.guard()


def guarded(desk: Guarded, entry: Order) -> set[Decimal]:
    """Quantities of the exits that are at work, wherever they are."""
    return {each.quantity for each in desk.ledger.exits_of(entry.id) if each.status in {"accepted", "partially_filled"}}


def held(desk: Guarded) -> Decimal:
    return Decimal(desk.venue.truth()["balances"]["BTC"]["total"])


def floored(quantity: Decimal) -> Decimal:
    return quantity // Decimal("0.0001") * Decimal("0.0001")


@pytest.mark.parametrize("exits", [EXITS, STOP_ONLY])
def test_a_part_that_filled_is_guarded_while_the_rest_is_still_bid_for(desk: Guarded, exits: dict[str, Any]) -> None:
    entry = part_filled(desk, exits)
    desk.guard()
    legs = desk.ledger.exits_of(entry.id)
    assert {leg.held_by for leg in legs} == {"desk"}
    assert len(legs) == len(exits)
    assert guarded(desk, entry) == {floored(held(desk))}
    fill_more(desk, "0.03")
    sync_fills(desk.ledger, desk.broker)
    desk.guard()
    assert guarded(desk, entry) == {floored(held(desk))}
    assert Decimal("0.069") < held(desk) <= Decimal("0.07")
    assert desk.ledger.verify_audit().intact


@pytest.mark.parametrize("exits", [EXITS, STOP_ONLY])
def test_once_the_entry_has_filled_whoever_shall_hold_its_exits_holds_them_alone(
    desk: Guarded, exits: dict[str, Any]
) -> None:
    entry = part_filled(desk, exits)
    desk.guard()
    fill_more(desk, "0.06")
    for _ in range(3):
        bring(desk)
    at_work = [each for each in desk.ledger.exits_of(entry.id) if each.status == "accepted"]
    holder = "desk" if desk.venue.venue == "kraken" and exits is EXITS else "venue"
    assert {each.held_by for each in at_work} == {holder}
    assert len(at_work) == len(exits)
    assert {floored(each.quantity) for each in at_work} == {floored(held(desk))}
    desk.price(47_990)
    sync_fills(desk.ledger, desk.broker)
    for _ in range(3):
        desk.guard()
        sync_fills(desk.ledger, desk.broker)
    assert held(desk) < Decimal("0.0001")
    assert set(desk.venue.truth()["accepts"].values()) == {1}
    assert desk.ledger.verify_audit().intact


@pytest.mark.parametrize("exits", [EXITS, STOP_ONLY])
def test_an_exit_that_is_due_ends_the_entry_before_it_sells_what_filled(desk: Guarded, exits: dict[str, Any]) -> None:
    entry = part_filled(desk, exits)
    desk.guard()
    desk.market.set_quote(BTC, "47985", "47995")
    desk.clock.advance(timedelta(seconds=1))
    for _ in range(3):
        with_patience(desk)
    after = desk.ledger.order(entry.id)
    assert (after.status, after.filled) == ("cancelled", Decimal("0.04"))
    assert "was taken back" in after.reason
    assert desk.sold() == floored(desk.sold()) > Decimal("0.039")
    assert held(desk) < Decimal("0.0001")
    fill_more(desk, "0.06")
    assert held(desk) < Decimal("0.0001")


def with_patience(desk: Guarded) -> None:
    """Rounds of the watcher at a price below the stop-loss, after the time that a venue may take to show things."""
    desk.clock.advance(desk.broker.settling + timedelta(seconds=31))
    desk.market.set_quote(BTC, "47985", "47995")
    try:
        desk.guard()
    except VenueUnavailable:
        sync_fills(desk.ledger, desk.broker)


def test_an_entry_that_fills_while_it_is_taken_back_is_not_sold_twice(desk: Guarded) -> None:
    entry = part_filled(desk, STOP_ONLY)
    desk.guard()
    desk.market.set_quote(BTC, "47985", "47995")
    racing = Between(desk.broker, "cancel", lambda: fill_more(desk, "0.06"))
    try:
        guard_exits(desk.context, racing, desk.clock.now())
    except VenueUnavailable:
        assert desk.venue.venue != "kraken"
    assert desk.ledger.order(entry.id).status == "filled"
    for _ in range(3):
        desk.price(47_000)
        sync_fills(desk.ledger, desk.broker)
        with_patience(desk)
    assert held(desk) < Decimal("0.0001")
    assert desk.sold() <= Decimal("0.1")
    holders = {each.held_by for each in desk.ledger.exits_of(entry.id) if each.filled}
    assert holders == {"desk" if desk.venue.venue == "kraken" else "venue"}
    assert set(desk.venue.truth()["accepts"].values()) == {1}


def test_no_exit_is_sent_while_it_is_not_known_whether_the_entry_still_fills(desk: Guarded) -> None:
    entry = part_filled(desk, EXITS)
    desk.guard()
    desk.market.set_quote(BTC, "47985", "47995")
    desk.venue.fault(route="cancel", kind="unavailable_before", count=5)
    desk.guard()
    leg = desk.ledger.order(f"{entry.id}-gs")
    assert leg.waits_at_desk
    assert desk.sold() == 0
    assert "not known whether the entry still fills" in leg.reason
    desk.venue.clear()
    for _ in range(3):
        with_patience(desk)
    assert held(desk) < Decimal("0.0001")


@pytest.mark.parametrize("moment", ["protect", "record"])
def test_a_desk_that_dies_while_the_venue_takes_the_exits_over_leaves_one_holder(
    desk: Guarded, venue_broker: Callable[..., CcxtBroker], moment: str
) -> None:
    entry = part_filled(desk, STOP_ONLY)
    desk.guard()
    fill_more(desk, "0.06")

    def die() -> None:
        raise Died

    desk.clock.advance(desk.broker.settling + timedelta(seconds=1))
    call = "protect" if moment == "protect" else "holds_protection"
    with pytest.raises(Died):
        sync_fills(desk.ledger, Between(desk.broker, call, die, after=moment == "protect"))
    risen = Guarded(
        desk.venue, venue_broker(desk.venue.venue, patience=PATIENCE_MS), desk.context, desk.market, desk.clock
    )
    # The desk's own still waits, and nothing is sold twice whatever the price does.
    risen.market.set_quote(BTC, "47985", "47995")
    for _ in range(3):
        with_patience(risen)
    at_work = [each for each in desk.ledger.exits_of(entry.id) if each.status == "accepted"]
    assert [(each.held_by, floored(each.quantity)) for each in at_work] == [("venue", floored(held(desk)))]
    assert desk.sold() == 0
    assert len([each for each in desk.broker.open_orders() if each.side == "sell"]) == 1


def test_whoever_cancels_an_exit_that_the_venue_was_given_with_the_entry_is_told_that_it_will_begin_there(
    desk: Guarded,
) -> None:
    entry = part_filled(desk, EXITS)
    desk.guard()
    outcome = cancel_order(f"{entry.id}-gs", ledger=desk.ledger, broker=desk.broker, clock=desk.clock)
    assert (outcome.order.status, outcome.is_settled) == ("cancelled", True)
    told = f"begins to hold them once it has filled; cancel {entry.id} as well" in outcome.detail
    assert told == (desk.venue.venue != "kraken")


def test_the_part_of_an_entry_that_a_person_cancels_stays_protected(desk: Guarded) -> None:
    entry = part_filled(desk, STOP_ONLY)
    desk.venue.cancel(id=entry.venue_order_id)
    for _ in range(3):
        bring(desk)
    [leg] = [each for each in desk.ledger.exits_of(entry.id) if each.status == "accepted"]
    assert floored(leg.quantity) == floored(held(desk))
    desk.price(47_000)
    sync_fills(desk.ledger, desk.broker)
    for _ in range(2):
        with_patience(desk)
    assert held(desk) < Decimal("0.0001")
