"""Exits that no venue holds: the desk guards them, sells once when one is due, and says so."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engines.confirmation.wording import order_in_words
from engines.domain.orders import OrderIntent
from engines.errors import VenueUnavailable
from engines.execution.guard import guard_exits
from engines.execution.prepare import prepare_ticket
from engines.execution.switch import cancel_all
from engines.execution.sync import sync_fills
from engines.execution.venues import CcxtBroker
from tests.engines.between import Died

from .guarded import BTC, EXITS, Guarded, desk
from .venue_desk import PATIENCE_MS, TOO_LATE

__all__ = ["desk"]


def test_exits_wait_at_the_desk_and_are_labelled_so(desk: Guarded) -> None:
    entry = desk.order(**EXITS)
    stop, target = desk.ledger.exits_of(entry.id)
    assert (stop.id, stop.stop_price, target.id, target.limit_price) == (
        *(f"{entry.id}-gs", Decimal(48_000)),
        *(f"{entry.id}-gt", Decimal(52_000)),
    )
    for leg in (stop, target):
        assert (leg.held_by, leg.side, leg.status, leg.venue_order_id) == ("desk", "sell", "accepted", None)
        assert leg.waits_at_desk
    assert desk.guard() == {} if desk.venue.venue == "kraken" else {"-gs": "accepted", "-gt": "accepted"}
    assert desk.broker.open_orders() == ()
    assert sync_fills(desk.ledger, desk.broker) == ()
    # Reading and guarding again changes nothing.
    assert desk.guard() == {}
    assert len(desk.venue.log(route="create")) == 1


@pytest.mark.parametrize(("price", "due", "other"), [(47_990, "-gs", "-gt"), (52_010, "-gt", "-gs")])
def test_the_exit_whose_price_is_reached_sells_what_is_held_once(
    desk: Guarded, price: int, due: str, other: str
) -> None:
    entry = desk.order(**EXITS)
    desk.price(price)
    assert desk.guard()[due] == "filled"
    assert desk.guard() == {other: "cancelled"}
    assert desk.guard() == {}
    held = desk.ledger.account(entry.account).balances["BTC"]
    assert held == Decimal(desk.venue.truth()["balances"]["BTC"]["total"]) < Decimal("0.0001")
    assert desk.sold() == Decimal("0.1") - (Decimal("0.0001") if desk.venue.venue == "bybit" else 0)
    assert desk.venue.truth()["imbalance"] == {}
    kinds = [record.kind for record in desk.ledger.audit(entry.ticket_id)]
    assert kinds.count("submission_journalled") == 2
    assert desk.ledger.verify_audit().intact


def test_nothing_is_sent_between_the_two_prices(desk: Guarded) -> None:
    desk.order(**EXITS)
    for price in (48_010, 50_000, 51_990):
        desk.price(price)
        desk.guard()
    assert desk.sold() == 0


def test_many_watchers_at_once_sell_once(desk: Guarded) -> None:
    entry = desk.order(**EXITS)
    desk.price(47_990)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: desk.guard(), range(8)))
    assert desk.venue.truth()["accepts"][max(desk.venue.truth()["accepts"])] == 1
    assert len(desk.venue.log(route="create")) == 2
    assert desk.statuses(entry) == {"-gs": "filled", "-gt": "cancelled"}


@pytest.mark.parametrize("fault", ["timeout_after", "drop_after", "html", "unavailable_after"])
def test_an_exit_without_an_answer_is_looked_up_and_not_sent_again(desk: Guarded, fault: str) -> None:
    entry = desk.order(**EXITS)
    desk.price(47_990)
    desk.venue.fault(route="create", kind=fault, seconds=TOO_LATE)
    assert desk.guard()["-gs"] == "unknown"
    assert desk.guard()["-gs"] == "filled"
    desk.guard()
    assert desk.statuses(entry) == {"-gs": "filled", "-gt": "cancelled"}
    assert len(desk.venue.log(route="create")) == 2


def test_a_desk_that_died_before_it_heard_the_answer_looks_the_exit_up(
    desk: Guarded, venue_broker: Callable[..., CcxtBroker]
) -> None:
    entry = desk.order(**EXITS)
    desk.price(47_990)

    class Dying:
        def __getattr__(self, name: str) -> Any:
            return getattr(desk.broker, name)

        def place(self, approved: Any) -> Any:
            desk.broker.place(approved)
            raise Died

    with pytest.raises(Died):
        guard_exits(desk.context, Dying(), desk.clock.now())
    assert desk.statuses(entry)["-gs"] == "submitting"
    risen = venue_broker(desk.venue.venue, patience=PATIENCE_MS)
    guard_exits(desk.context, risen, desk.clock.now())
    guard_exits(desk.context, risen, desk.clock.now())
    assert desk.statuses(entry) == {"-gs": "filled", "-gt": "cancelled"}
    assert len(desk.venue.log(route="create")) == 2


def test_a_refused_exit_goes_on_waiting_says_why_and_is_tried_again_later(desk: Guarded) -> None:
    entry = desk.order(**EXITS)
    desk.price(47_990)
    code: dict[str, Any] = (
        {"message": "EOrder:Insufficient funds"}
        if desk.venue.venue == "kraken"
        else {"code": 170131, "message": "Insufficient balance."}
    )
    desk.venue.fault(route="create", kind="error", **code)
    assert desk.guard()["-gs"] == "accepted"
    assert "It is due and was refused" in desk.ledger.order(f"{entry.id}-gs").reason
    assert desk.guard() == {}
    desk.clock.advance(timedelta(seconds=31))
    desk.price(47_990)
    assert desk.guard()["-gs"] == "filled"
    assert desk.ledger.order(f"{entry.id}-gs").reason == ""


def test_a_halted_account_sends_no_exit_and_says_so(desk: Guarded) -> None:
    entry = desk.order(**EXITS)
    desk.ledger.change_state("halted", reason="something is wrong", by="ann")
    desk.price(47_990)
    assert desk.guard()["-gs"] == "accepted"
    assert "trading is halted (something is wrong)" in desk.ledger.order(f"{entry.id}-gs").reason
    assert desk.sold() == 0
    desk.ledger.change_state("active", reason="looked at it", by="ann")
    desk.clock.advance(timedelta(seconds=31))
    desk.price(47_990)
    assert desk.guard()["-gs"] == "filled"


def test_why_a_due_exit_was_not_sent_is_forgotten_when_its_price_comes_back(desk: Guarded) -> None:
    entry = desk.order(**EXITS)
    desk.ledger.change_state("halted", reason="something is wrong", by="ann")
    desk.price(47_990)
    desk.guard()
    assert desk.ledger.order(f"{entry.id}-gs").reason
    desk.price(50_000)
    desk.guard()
    assert desk.ledger.order(f"{entry.id}-gs").reason == ""
    desk.ledger.change_state("active", reason="looked at it", by="ann")
    desk.price(47_990)
    assert desk.guard()["-gs"] == "filled"


def test_a_reducing_account_still_sends_its_exits(desk: Guarded) -> None:
    desk.order(**EXITS)
    desk.ledger.change_state("reducing", reason="a bad day", by="ann")
    desk.price(47_990)
    assert desk.guard()["-gs"] == "filled"


def test_what_was_sold_otherwise_is_not_guarded_any_more(desk: Guarded) -> None:
    entry = desk.order(**EXITS)
    desk.order("sell", "0.06")
    desk.guard()
    left = Decimal("0.04") if desk.venue.venue == "kraken" else Decimal("0.0399")
    assert {leg.quantity for leg in desk.ledger.exits_of(entry.id)} == {left}
    desk.order("sell", format(left, "f"))
    desk.guard()
    assert desk.statuses(entry) == {"-gs": "cancelled", "-gt": "cancelled"}
    # A later buy is none of the old stop-loss's business.
    desk.order()
    desk.price(47_990)
    assert desk.guard() == {}


def test_two_guarded_entries_each_sell_their_own(desk: Guarded) -> None:
    first, second = desk.order(**EXITS), desk.order(stop_loss=Decimal(45_000), take_profit=Decimal(53_000))
    desk.price(47_990)
    desk.guard()
    assert desk.statuses(first)["-gs"] == "filled"
    assert set(desk.statuses(second).values()) == {"accepted"}
    assert desk.ledger.order(f"{first.id}-gs").filled <= Decimal("0.1")
    desk.price(44_990)
    desk.guard()
    assert desk.statuses(second)["-gs"] == "filled"
    assert Decimal(desk.venue.truth()["balances"]["BTC"]["total"]) < Decimal("0.0002") * 2


def test_cancelling_everything_releases_them_without_asking_the_venue(desk: Guarded) -> None:
    entry = desk.order(**EXITS)
    results = cancel_all(desk.ledger, desk.broker, clock=desk.clock, by="ann")
    assert {result.status for result in results} == {"cancelled"}
    assert desk.statuses(entry) == {"-gs": "cancelled", "-gt": "cancelled"}
    assert desk.venue.log(route="cancel") == []
    desk.price(47_990)
    assert desk.guard() == {}
    assert sync_fills(desk.ledger, desk.broker) == ()


def test_without_a_price_nothing_is_sent_and_the_watcher_hears_of_it(desk: Guarded) -> None:
    desk.order(**EXITS)
    desk.price(47_990)
    desk.clock.advance(timedelta(hours=2))
    with pytest.raises(VenueUnavailable):
        desk.guard()
    assert desk.sold() == 0


def test_the_part_of_a_cancelled_entry_that_filled_is_guarded(desk: Guarded) -> None:
    desk.venue.price(symbol=BTC, price="50000", depth=1, quantity="0.04")
    entry = desk.order(order_type="limit", limit_price=Decimal(50_010), **EXITS)
    assert entry.status == "partially_filled"
    filled = entry.filled
    assert set(desk.statuses(entry).values()) == {"accepted"}
    desk.venue.cancel(id=entry.venue_order_id)
    sync_fills(desk.ledger, desk.broker)
    legs = desk.ledger.exits_of(entry.id)
    assert {leg.held_by for leg in legs} == {"desk"}
    assert Decimal("0.99") * filled <= legs[0].quantity <= filled


def test_the_ticket_says_who_will_hold_its_exits(desk: Guarded) -> None:
    context = replace(desk.context, holds_protection=desk.broker.holds_protection)
    desk.ledger.ensure_account("ann", currency="USDT", cash=Decimal(100_000), market="fixed")
    intent = OrderIntent("paper-fixed-usdt:ann", "thread-1", BTC, "buy", Decimal("0.1"))
    tickets = [
        prepare_ticket(replace(intent, quantity=Decimal(f"0.0{number + 1}"), **exits), context, owner="ann")
        for number, exits in enumerate(({}, EXITS, {"stop_loss": Decimal(48_000)}))
    ]
    assert [ticket.exits_held_by for ticket in tickets] == ["", "desk", "venue"]
    for ticket in tickets:
        stored = desk.ledger.ticket(ticket.id)
        assert stored.seal() == ticket.hash
        assert ("exits_held_by" in stored.sealed_content()) is bool(ticket.exits_held_by)


def test_an_exit_that_waits_at_the_desk_is_told_so_in_words(desk: Guarded) -> None:
    entry = desk.order(**EXITS)
    stop, target = desk.ledger.exits_of(entry.id)
    assert order_in_words(stop).endswith("stop 48,000 (protects a position, guarded by this desk)")
    assert order_in_words(target).endswith("limit 52,000 (protects a position, guarded by this desk)")
