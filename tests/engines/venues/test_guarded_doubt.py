"""What an entry's exits meet right after its fill: a venue that fails in any way, and many who look at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engines.domain.orders import Order
from engines.errors import InvalidRequest, NotFound, OrderRejected, QuantumTraderError, VenueUnavailable
from engines.execution.broker import VenueOrder
from engines.execution.cancel import cancel_order
from engines.execution.guard import guard_exits
from engines.execution.sync import sync_fills
from engines.execution.unprotected import unprotected
from engines.execution.venues import CcxtBroker
from engines.ledger.guarding import keep_at_desk
from engines.ledger.ledger import Ledger
from engines.storage.database import open_database

from .guarded import BTC, EXITS, Guarded, desk

__all__ = ["desk"]
STOP_ONLY: dict[str, Any] = {"stop_loss": Decimal(48_000)}


class Failing:
    """The desk's broker, which fails when it is asked to hold exits."""

    def __init__(self, broker: CcxtBroker, error: QuantumTraderError) -> None:
        self._broker = broker
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)

    def protect(self, entry: Order) -> tuple[VenueOrder, ...]:
        raise self._error


@pytest.mark.parametrize("error", [NotFound("no such market"), VenueUnavailable("away")])
def test_an_entry_that_filled_is_told_as_filled_whatever_its_exits_meet_and_they_are_brought_later(
    desk: Guarded, error: QuantumTraderError
) -> None:
    away: Any = Failing(desk.broker, error)
    entry = replace(desk, broker=away).order(**STOP_ONLY)
    assert entry.status == "filled"
    assert [gap.cause for gap in unprotected(desk.ledger, desk.clock.now())] == ["passing"]
    desk.clock.advance(desk.broker.settling + timedelta(seconds=31))
    [gap] = unprotected(desk.ledger, desk.clock.now())
    assert (gap.cause, gap.entry_id) == ("unknown", entry.id)
    sync_fills(desk.ledger, desk.broker)
    [leg] = desk.ledger.exits_of(entry.id)
    assert (leg.held_by, leg.status) == ("venue", "accepted")
    assert unprotected(desk.ledger, desk.clock.now()) == ()


@pytest.mark.parametrize("error", [InvalidRequest("no such price"), OrderRejected("not like this")])
def test_exits_that_the_venue_cannot_take_are_guarded_here_at_once(desk: Guarded, error: QuantumTraderError) -> None:
    entry = replace(desk, broker=Failing(desk.broker, error)).order(**STOP_ONLY)  # type: ignore[arg-type]
    [leg] = desk.ledger.exits_of(entry.id)
    assert leg.waits_at_desk
    # That was decided: the venue is not asked again.
    desk.clock.advance(desk.broker.settling + timedelta(seconds=31))
    desk.market.set_quote(BTC, "49995", "50005")
    sync_fills(desk.ledger, desk.broker)
    desk.guard()
    assert [each.held_by for each in desk.ledger.exits_of(entry.id)] == ["desk"]
    assert len(desk.venue.log(route="create")) == 1


def test_one_entry_whose_exits_fail_does_not_keep_the_others_from_theirs(desk: Guarded) -> None:
    error = VenueUnavailable("away")
    away: Any = Failing(desk.broker, error)
    first = replace(desk, broker=away).order(**STOP_ONLY)
    second = replace(desk, broker=away).order(quantity="0.05", **STOP_ONLY)

    class First(Failing):
        def protect(self, entry: Order) -> tuple[VenueOrder, ...]:
            if entry.id == first.id:
                raise self._error
            return self._broker.protect(entry)

    desk.clock.advance(desk.broker.settling + timedelta(seconds=1))
    with pytest.raises(VenueUnavailable):
        sync_fills(desk.ledger, First(desk.broker, error))
    assert desk.ledger.exits_of(first.id) == ()
    assert [each.held_by for each in desk.ledger.exits_of(second.id)] == ["venue"]


def test_many_who_look_while_an_entry_fills_write_each_exit_once_and_none_for_too_much(
    desk: Guarded, postgres_database: str, tmp_path: Path
) -> None:
    engine = open_database("desk", home=tmp_path, url=postgres_database)
    shared = replace(desk, context=replace(desk.context, ledger=Ledger(engine, desk.clock)))
    shared.venue.price(symbol=BTC, price="50000", depth=1, quantity="0.04")
    entry = shared.order(order_type="limit", limit_price=Decimal(50_010), **EXITS)

    def watch(_: int) -> None:
        sync_fills(shared.ledger, shared.broker)
        guard_exits(shared.context, shared.broker, shared.clock.now())

    def cancel(_: int) -> None:
        cancel_order(f"{entry.id}-gt", ledger=shared.ledger, broker=shared.broker, clock=shared.clock)

    def fill(_: int) -> None:
        shared.venue.crowd(symbol=BTC, side="sell", quantity="0.01")

    work: list[Callable[[int], None]] = [watch, fill, watch, watch, fill, watch, cancel, watch, watch]
    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(each, 0) for each in work]:
            done.result()
    watch(0)
    legs = {each.id[-3:]: each for each in shared.ledger.exits_of(entry.id)}
    assert set(legs) == {"-gs", "-gt"}
    held = shared.ledger.account(entry.account).balances["BTC"]
    assert held == Decimal(shared.venue.truth()["balances"]["BTC"]["total"])
    assert legs["-gs"].waits_at_desk
    assert held - Decimal("0.0001") < legs["-gs"].quantity <= held
    assert legs["-gt"].status == "cancelled"
    kinds = [record.kind for record in shared.ledger.audit(entry.ticket_id)]
    assert kinds.count("exit_guarded") == 2
    assert kinds.count("exit_taken_back") == 1
    assert shared.ledger.verify_audit().intact
    engine.dispose()


def test_an_entry_that_the_desk_was_to_guard_and_that_has_no_exits_gets_them(desk: Guarded) -> None:
    away: Any = Failing(desk.broker, VenueUnavailable("away"))
    entry = replace(desk, broker=away).order(**STOP_ONLY)
    with desk.ledger.journalled() as journal:
        keep_at_desk(journal, entry, "It was decided, and then the process died.")
    desk.guard()
    [leg] = desk.ledger.exits_of(entry.id)
    assert leg.waits_at_desk
    assert unprotected(desk.ledger, desk.clock.now()) == ()
