"""The kill switch: per-order results of cancelling all, a second press, a venue or database that fails."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from engines.domain.clock import ManualClock
from engines.domain.orders import Account, Order, OrderIntent
from engines.errors import InvalidRequest, OutcomeUnknown, VenueUnavailable
from engines.execution.broker import ApprovedTicket, VenueOrder
from engines.execution.context import OrderContext
from engines.execution.paper import PaperBroker
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit
from engines.execution.switch import cancel_all, halt, resume
from engines.ledger.halt_file import HaltFile
from engines.ledger.ledger import Ledger
from engines.market.fixed import FixedMarket


@dataclass
class Deaf(PaperBroker):
    """A paper venue that does not hear the first so many cancels, and may cut off its answer to an order."""

    def __init__(self, *arguments: Any, deaf_for: int = 0, cut_off: bool = False) -> None:
        super().__init__(*arguments)
        self.deaf_for = deaf_for
        self.cut_off = cut_off

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        seen = super().place(approved)
        if self.cut_off:
            raise OutcomeUnknown("The answer was cut off.")
        return seen

    def cancel(self, client_order_id: str, symbol: str) -> VenueOrder:
        if self.deaf_for > 0:
            self.deaf_for -= 1
            raise VenueUnavailable("The venue does not answer.")
        return super().cancel(client_order_id, symbol)


def placed(context: OrderContext, account: Account, broker: PaperBroker, **fields: Any) -> Order:
    intent = OrderIntent(account.id, "thread-1", "BTC/USDT", "buy", Decimal("0.1"))
    ticket = prepare_ticket(replace(intent, **fields), context, owner=account.owner)
    context.ledger.decide(ticket.id, "approve", ticket.hash, "ann", resolve_differences=True)
    order = submit(ticket.id, context, broker)
    assert order is not None
    return order


def resting(context: OrderContext, account: Account, broker: PaperBroker, price: int) -> Order:
    return placed(context, account, broker, order_type="limit", limit_price=Decimal(price))


def test_rule_18_cancelling_all_tells_what_became_of_each_order(
    context: OrderContext, account: Account, paper: PaperBroker
) -> None:
    first, second = (resting(context, account, paper, price) for price in (60_000, 61_000))
    filled = placed(context, account, paper, symbol="ETH/USDT", quantity=Decimal(1), stop_loss=Decimal(2_900))
    told = cancel_all(context.ledger, paper, clock=context.clock, by="ann")
    assert {each.order_id for each in told} == {first.id, second.id, f"{filled.id}-sl"}
    assert all(each.is_done and each.status == "cancelled" for each in told)
    assert "limit 60,000" in next(each.words for each in told if each.order_id == first.id)
    assert context.ledger.orders(status="open") == ()
    assert context.ledger.order(filled.id).status == "filled"
    record = context.ledger.audit()[-1]
    assert (record.kind, record.data["by"]) == ("all_cancelled", "ann")
    assert set(record.data["orders"]) == {each.order_id for each in told}


def test_rule_18_a_second_press_finds_nothing_to_do(
    context: OrderContext, account: Account, paper: PaperBroker
) -> None:
    resting(context, account, paper, 60_000)
    cancel_all(context.ledger, paper, clock=context.clock, by="ann")
    records = len(context.ledger.audit())
    assert cancel_all(context.ledger, paper, clock=context.clock, by="ann") == ()
    assert len(context.ledger.audit()) == records


def test_rule_18_a_cancel_that_is_not_answered_is_sent_again_and_never_dropped(
    context: OrderContext, account: Account, paper: PaperBroker, desk_engine: Engine
) -> None:
    order, pauses = resting(context, account, paper, 60_000), list[float]()
    deaf = Deaf(desk_engine, context.market, context.clock, deaf_for=2)
    told = cancel_all(context.ledger, deaf, clock=context.clock, by="ann", sleep=pauses.append)
    assert [(each.order_id, each.status) for each in told] == [(order.id, "cancelled")]
    assert len(pauses) == 2


def test_a_venue_that_stays_silent_is_told_as_unclear_and_the_next_press_works(
    context: OrderContext, account: Account, paper: PaperBroker, desk_engine: Engine
) -> None:
    order = resting(context, account, paper, 60_000)
    deaf = Deaf(desk_engine, context.market, context.clock, deaf_for=3)
    (told,) = cancel_all(context.ledger, deaf, clock=context.clock, by="ann", sleep=lambda _: None)
    assert (told.is_done, told.status) == (False, "accepted")
    assert "The venue does not answer." in told.detail
    (told,) = cancel_all(context.ledger, deaf, clock=context.clock, by="ann")
    assert (told.is_done, told.order_id) == (True, order.id)


def test_an_order_whose_answer_was_cut_off_is_found_and_cancelled(
    context: OrderContext, account: Account, desk_engine: Engine
) -> None:
    venue = Deaf(desk_engine, context.market, context.clock, cut_off=True)
    assert resting(context, account, venue, 60_000).status == "unknown"
    (told,) = cancel_all(context.ledger, venue, clock=context.clock, by="ann")
    assert told.status == "cancelled"


def test_an_order_filled_meanwhile_is_told_as_filled(
    context: OrderContext, account: Account, paper: PaperBroker, market: FixedMarket, hand_clock: ManualClock
) -> None:
    resting(context, account, paper, 60_000)
    hand_clock.advance(timedelta(minutes=1))
    market.set_quote("BTC/USDT", "59000", "59000.01")
    paper.match(market.now())
    (told,) = cancel_all(context.ledger, paper, clock=context.clock, by="ann")
    assert (told.status, told.is_done) == ("filled", True)


def test_only_the_accounts_that_are_named_are_cancelled(
    context: OrderContext, account: Account, paper: PaperBroker
) -> None:
    other = context.ledger.ensure_account("bob", currency="USDT", cash=Decimal(100_000), market="fixed")
    mine, theirs = (resting(context, who, paper, 60_000) for who in (account, other))
    told = cancel_all(context.ledger, paper, clock=context.clock, by="ann", accounts=(account.id,))
    assert [each.order_id for each in told] == [mine.id]
    assert context.ledger.order(theirs.id).status == "accepted"


def test_rule_18_while_halted_no_ticket_is_made_and_the_denial_is_on_record(
    context: OrderContext, account: Account, paper: PaperBroker, tmp_path: Path
) -> None:
    halt(context.ledger, HaltFile.of(tmp_path), reason="stop", by="bob")
    with pytest.raises(Exception, match="The desk is HALTED, so only cancels pass"):
        placed(context, account, paper)
    assert context.ledger.audit()[-1].kind == "intent_denied"
    assert not (tmp_path / "HALT").exists()


def test_rule_18_a_halt_without_a_database_halts_by_file(
    ledger: Ledger, account: Account, desk_engine: Engine, hand_clock: ManualClock, tmp_path: Path
) -> None:
    with desk_engine.begin() as connection:
        connection.execute(text("DROP TABLE trading_states"))
    found = halt(ledger, HaltFile.of(tmp_path), reason="the database is broken", by="bob", account=account.id)
    assert (found.state, found.reason) == ("halted", "the database is broken")
    assert (tmp_path / "HALT").read_text() == "the database is broken\n"


def test_resuming_lifts_what_it_is_told_to_and_needs_a_reason(
    desk_engine: Engine, hand_clock: ManualClock, account: Account, tmp_path: Path
) -> None:
    ledger = Ledger(desk_engine, hand_clock, halt_file=HaltFile.of(tmp_path))
    HaltFile.of(tmp_path).write("stop")
    ledger.change_state("reducing", reason="losses", by="risk", account=account.id)
    with pytest.raises(InvalidRequest, match="reason"):
        resume(ledger, reason=" ", by="ann", accounts=(account.id,), desk=True)
    assert ledger.standing_state(account.id).state == "halted"
    resume(ledger, reason="fine", by="ann", accounts=(), desk=True)
    assert ledger.standing_state(account.id).state == "reducing"
    resume(ledger, reason="fine", by="ann", accounts=(account.id,), desk=False)
    assert ledger.standing_state(account.id).state == "active"


def test_one_order_whose_cancel_fails_in_an_unforeseen_way_keeps_no_other_from_being_cancelled(
    context: OrderContext, account: Account, paper: PaperBroker
) -> None:
    orders = [resting(context, account, paper, price) for price in (60_000, 61_000, 62_000)]

    @dataclass
    class Defective(PaperBroker):
        def __init__(self) -> None:
            super().__init__(paper._engine, paper._market, paper._clock)

        def cancel(self, client_order_id: str, symbol: str) -> VenueOrder:
            if client_order_id == orders[1].id:
                raise InvalidRequest("The venue cannot take such an id.")
            return super().cancel(client_order_id, symbol)

    told = cancel_all(context.ledger, Defective(), clock=context.clock, by="ann", sleep=lambda _: None)
    outcome = {each.order_id: each for each in told}
    assert [outcome[order.id].status for order in orders] == ["cancelled", "accepted", "cancelled"]
    assert "cannot take such an id" in outcome[orders[1].id].detail
    assert context.ledger.audit()[-1].kind == "all_cancelled"
