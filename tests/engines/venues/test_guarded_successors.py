"""A guarded exit that ended before it sold everything: another takes its place, under an id of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engines.execution.protection import bring_protective
from engines.execution.switch import cancel_all
from engines.execution.sync import sync_fills
from engines.execution.venues.kraken_ids import kraken_id
from engines.execution.venues.kraken_ids import own_id as kraken_own
from engines.execution.venues.okx import okx_id
from engines.execution.venues.okx import own_id as okx_own
from engines.ledger.guarding import release
from tests.engines.between import Died

from .guarded import BTC, EXITS, Guarded, desk

__all__ = ["desk"]
STOP_ONLY: dict[str, Any] = {"stop_loss": Decimal(48_000)}


def rounds(desk: Guarded, number: int = 8) -> None:
    """Let the watcher look again and again at a price below the stop-loss, with a full book."""
    for _ in range(number):
        desk.clock.advance(timedelta(seconds=40))
        desk.price(47_000)
        desk.guard()


def left_at_venue(desk: Guarded) -> Decimal:
    return Decimal(desk.venue.truth()["balances"]["BTC"]["total"])


@pytest.mark.parametrize("exits", [EXITS, STOP_ONLY])
def test_a_stop_that_the_venue_never_took_is_sent_again_under_another_id(desk: Guarded, exits: dict[str, Any]) -> None:
    if exits is STOP_ONLY:
        desk.broker.holds_protection = lambda ticket: False  # type: ignore[method-assign]
    entry = desk.order(**exits)
    desk.price(47_990)
    desk.venue.fault(route="create", kind="unavailable_before")
    assert desk.guard()["-gs"] == "unknown"
    rounds(desk)
    assert desk.ledger.order(f"{entry.id}-gs").status == "not_accepted"
    assert desk.ledger.order(f"{entry.id}-gs1").status == "filled"
    assert left_at_venue(desk) < Decimal("0.0001")
    assert set(desk.venue.truth()["accepts"].values()) == {1}
    assert desk.ledger.verify_audit().intact


@pytest.mark.parametrize("exits", [EXITS, STOP_ONLY])
def test_what_a_stop_that_filled_in_part_left_is_sold_by_another(desk: Guarded, exits: dict[str, Any]) -> None:
    if exits is STOP_ONLY:
        desk.broker.holds_protection = lambda ticket: False  # type: ignore[method-assign]
    entry = desk.order(**exits)
    desk.market.set_quote(BTC, "47985", "47995")
    desk.venue.price(symbol=BTC, price="47990", depth=1, quantity="0.03")
    assert desk.guard()["-gs"] == "cancelled"
    assert desk.sold() == Decimal("0.03")
    rounds(desk)
    assert desk.ledger.order(f"{entry.id}-gs1").status == "filled"
    assert left_at_venue(desk) < Decimal("0.0001")
    assert {order.status for order in desk.ledger.exits_of(entry.id)} <= {"filled", "cancelled"}
    assert set(desk.venue.truth()["accepts"].values()) == {1}


def test_a_stop_cancelled_here_before_the_venue_took_it_gets_no_successor(desk: Guarded) -> None:
    entry = desk.order(**EXITS)
    desk.price(47_990)
    desk.venue.fault(route="create", kind="unavailable_before")
    desk.guard()
    for _ in range(4):
        desk.clock.advance(timedelta(seconds=40))
        cancel_all(desk.ledger, desk.broker, clock=desk.clock, by="ann", sleep=lambda _: None)
    assert desk.statuses(entry) == {"-gs": "cancelled", "-gt": "cancelled"}
    rounds(desk, 3)
    assert desk.sold() == 0
    assert len(desk.ledger.exits_of(entry.id)) == 2


@pytest.mark.parametrize("suffix", ["-gs1", "-gt1", "-gs99", "-gt99", "-gs", "-gt"])
def test_the_ids_of_successors_are_read_back_from_every_venue(suffix: str) -> None:
    ours = f"qtp-{'0a' * 12}{suffix}"
    assert len(ours) <= 36
    assert len(okx_id(ours)) <= 32
    assert (kraken_own(kraken_id(ours)), okx_own(okx_id(ours))) == (ours, ours)


def test_exits_that_had_ended_unused_when_first_seen_are_guarded_here(desk: Guarded) -> None:
    class Dying:
        def __getattr__(self, name: str) -> Any:
            return getattr(desk.broker, name)

        def protect(self, entry: Any) -> Any:
            desk.broker.protect(entry)
            raise Died

    with pytest.raises(Died):
        replace(desk, broker=Dying()).order(**STOP_ONLY)  # type: ignore[arg-type]
    [resting] = desk.broker.open_orders()
    desk.venue.cancel(id=resting.venue_order_id)
    desk.clock.advance(desk.broker.settling + timedelta(seconds=1))
    [leg] = sync_fills(desk.ledger, desk.broker)
    assert (leg.id[-3:], leg.status, leg.held_by) == ("-gs", "accepted", "desk")
    assert len(desk.venue.log(route="create")) == 2


def test_an_exit_on_record_that_was_cancelled_is_not_guarded_instead(desk: Guarded) -> None:
    entry = desk.order(**STOP_ONLY)
    [leg] = desk.ledger.exits_of(entry.id)
    assert leg.held_by == "venue"
    cancel_all(desk.ledger, desk.broker, clock=desk.clock, by="ann", sleep=lambda _: None)
    desk.clock.advance(desk.broker.settling + timedelta(seconds=1))
    bring_protective(desk.ledger.order(entry.id), ledger=desk.ledger, broker=desk.broker)
    assert [(each.id, each.status) for each in desk.ledger.exits_of(entry.id)] == [(leg.id, "cancelled")]


def test_a_holding_left_without_its_stop_is_told_once(desk: Guarded, caplog: pytest.LogCaptureFixture) -> None:
    entry = desk.order(**EXITS)
    desk.guard()
    assert not caplog.records
    with desk.ledger.journalled() as journal:
        release(journal, desk.ledger.order(f"{entry.id}-gs"), "Cancelled on request.")
    for _ in range(3):
        desk.guard()
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(told) == 1
    assert f"of entry {entry.id} are held without a stop-loss at work: a person cancelled its stop-loss" in told[0]
