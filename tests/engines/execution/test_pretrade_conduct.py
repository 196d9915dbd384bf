"""The pre-trade rules 14 to 22: repetition, pace, meeting oneself, losses, the switch, decisions, lists and limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from engines.domain.clock import ManualClock
from engines.domain.instruments import Quote
from engines.errors import (
    Conflict,
    Expired,
    NotFound,
    OrderRejected,
    RiskDenied,
    VenueUnavailable,
)
from engines.execution.broker import ApprovedTicket, VenueOrder
from engines.execution.losses import watch_losses
from engines.execution.paper import PaperBroker
from engines.execution.prepare import TicketEdits, edit_ticket
from engines.execution.switch import cancel_all
from engines.ledger.ledger import Ledger
from engines.market.fixed import FixedMarket

HUGE = Decimal(10**9)


def test_rule_14_a_look_alike_says_so_on_its_ticket_and_needs_to_be_meant(desk: Any, hand_clock: ManualClock) -> None:
    desk.trade()
    hand_clock.advance(timedelta(seconds=12))
    again = desk.ticket()
    assert again.look_alikes == ("It is the same as T-1, sent 12 s ago.",)
    assert again.sealed_content()["look_alikes"] == list(again.look_alikes)
    with pytest.raises(Conflict, match=r"looks like an order that was just sent: It is the same as T-1"):
        desk.approved(again)
    order = desk.sent(desk.approved(again, resolve_differences=True))
    assert order is not None
    assert order.status == "filled"


def test_rule_14_of_two_tickets_alike_the_second_is_not_sent_unless_it_said_so(desk: Any) -> None:
    first, second = desk.approved(desk.ticket()), desk.approved(desk.ticket())
    desk.sent(first)
    desk.denied(second, "It is the same as T-1, sent 0 s ago. Nothing was sent; ask again if you mean it once more.")


@pytest.mark.parametrize(
    "other",
    [
        {"amount": "0.11"},
        {"side": "sell", "amount": "0.1"},
        {"symbol": "ETH/USDT"},
        {"order_type": "limit", "limit_price": Decimal(60_000)},
    ],
)
def test_rule_14_another_order_is_no_look_alike(desk: Any, other: dict[str, Any]) -> None:
    desk.trade()
    assert desk.ticket(**other).look_alikes == ()


def test_rule_14_after_a_while_or_when_the_first_was_refused_it_is_no_repetition(
    desk: Any, hand_clock: ManualClock
) -> None:
    first = desk.ticket()
    desk.context.ledger.decide(first.id, "reject", first.hash, "ann")
    assert desk.ticket().look_alikes == ()
    desk.trade()
    hand_clock.advance(timedelta(seconds=30))
    assert desk.ticket().look_alikes == ()


class Refusing(PaperBroker):
    """A paper venue that refuses everything."""

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        raise OrderRejected("Not today.")


def test_rule_14_an_order_that_the_venue_refused_may_be_asked_for_again(desk: Any, desk_engine: Engine) -> None:
    accepting, desk.broker = desk.broker, Refusing(desk_engine, desk.market, desk.context.clock)
    assert desk.trade().status == "rejected_by_venue"
    desk.broker = accepting
    again = desk.ticket()
    assert again.look_alikes == ()
    order = desk.sent(desk.approved(again))
    assert order is not None
    assert order.status == "filled"


def test_rule_15_orders_above_the_rate_are_denied_and_pass_again_later(desk: Any, hand_clock: ManualClock) -> None:
    desk.limit(max_orders_per_second=2, max_orders_per_minute=3, duplicate_seconds=0)
    for _ in range(2):
        desk.trade("buy", "0.01")
    desk.refused("order 3 within a second and 3 within a minute, and the limit is 2 a second, 3 a minute")
    hand_clock.advance(timedelta(seconds=1))
    waiting = desk.approved(desk.ticket("buy", "0.02"))
    desk.trade("buy", "0.01")
    desk.denied(waiting, "order 2 within a second and 4 within a minute")
    hand_clock.advance(timedelta(seconds=60))
    desk.at(64_120)
    assert desk.ticket().status == "pending"


def test_rule_15_no_cancel_is_dropped_whatever_the_order_rate(desk: Any) -> None:
    desk.limit(duplicate_seconds=0)
    orders = [desk.rest("buy", 60_000 - step, "0.01") for step in range(4)]
    desk.limit(max_orders_per_second=1, max_orders_per_minute=1)
    cancel = desk.ticket(kind="cancel", cancels=(orders[0].id, orders[1].id))
    desk.sent(desk.approved(cancel))
    pauses: list[float] = []
    told = cancel_all(
        desk.context.ledger, desk.broker, clock=desk.context.clock, by="ann", per_second=1, sleep=pauses.append
    )
    assert {each.order_id for each in told} == {orders[2].id, orders[3].id}
    assert desk.broker.open_orders() == ()
    assert pauses == [1.0]


@pytest.mark.parametrize("at_market", [True, False])
def test_rule_16_an_order_that_would_meet_ones_own_is_denied(desk: Any, at_market: bool) -> None:
    desk.trade("buy", "0.1")
    own = desk.rest("sell", 64_150, "0.05")
    price: dict[str, Any] = {} if at_market else {"order_type": "limit", "limit_price": Decimal(64_150)}
    desk.refused(f"would trade with your own resting order {own.id} .sell 0.05 at 64,150.", amount="0.07", **price)
    below = desk.ticket("buy", "0.07", order_type="limit", limit_price=Decimal("64149.99"))
    assert below.status == "pending"
    if at_market:
        resting = desk.rest("buy", 64_100, "0.01")
        desk.refused(resting.id, side="sell", amount="0.01")


class Staggered(FixedMarket):
    """A market whose symbols end on different days, as imported files do: ETH a day before BTC."""

    def now(self, symbol: str | None = None) -> datetime:
        return self.clock.now() - timedelta(days=symbol == "ETH/USDT")

    def quote(self, symbol: str) -> Quote:
        return replace(super().quote(symbol), time=self.now(symbol))


def test_rule_17_a_symbol_that_ends_a_day_earlier_does_not_open_the_day_again(desk: Any, market: FixedMarket) -> None:
    desk.limit(max_daily_loss_fraction=Decimal("0.03"), max_order_notional=HUGE, max_account_exposure=HUGE)
    desk.trade(amount="0.75")
    desk.context = replace(desk.context, market=Staggered(market.listed, market.clock, _quotes=market._quotes))
    assert watch_losses(desk.context) == ()
    for price in (63_000, 62_000):
        desk.at(price)
        desk.ticket(symbol="ETH/USDT", amount="1")
        assert watch_losses(desk.context) == ()
    desk.at(59_800)
    (standing,) = watch_losses(desk.context)
    assert standing.state == "reducing"


def test_rule_17_an_earlier_day_does_not_come_again(desk: Any) -> None:
    ledger, account = desk.context.ledger, desk.account.id
    ledger.observe_equity(account, Decimal(100_000), "2026-03-03")
    for day in ("2026-03-02", "2026-03-03"):
        marks = ledger.observe_equity(account, Decimal(90_000), day)
        assert (marks.day, marks.opening) == ("2026-03-03", Decimal(100_000))
    assert ledger.observe_equity(account, Decimal(90_000), "2026-03-04").opening == Decimal(90_000)


def test_rule_17_a_daily_loss_leaves_only_reducing_orders_until_somebody_resumes(desk: Any) -> None:
    desk.limit(max_order_notional=HUGE, max_symbol_exposure=None)
    desk.trade("buy", "1")
    waiting = desk.approved(desk.ticket("buy", "0.01"))
    assert watch_losses(desk.context) == ()
    desk.at(59_000)
    (standing,) = watch_losses(desk.context)
    assert (standing.state, standing.by, standing.account) == ("reducing", "the risk engine", desk.account.id)
    assert "5.2 %) down since the market's day began" in standing.reason
    assert "the limit is 5 % (limits v1)" in standing.reason
    assert watch_losses(desk.context) == ()
    desk.denied(waiting, "The price moved")
    desk.refused("is REDUCING, so only cancels and orders that reduce a holding pass", amount="0.01")
    assert desk.trade("sell", "0.5").status == "filled"
    desk.context.ledger.change_state("active", reason="I know", by="ann", account=desk.account.id)
    assert watch_losses(desk.context) == ()
    assert desk.ticket("buy", "0.01").status == "pending"


def test_rule_17_a_loss_that_nobody_watched_for_restricts_at_the_next_order(desk: Any) -> None:
    desk.limit(max_order_notional=HUGE, max_symbol_exposure=None)
    desk.trade("buy", "1")
    desk.at(59_000)
    desk.refused("down since the market's day began", amount="0.01")
    assert desk.context.ledger.standing_state(desk.account.id).state == "reducing"


def test_rule_17_a_loss_between_approval_and_sending_denies(desk: Any) -> None:
    desk.limit(max_order_notional=HUGE, max_symbol_exposure=None, max_daily_loss_fraction=Decimal("0.004"))
    desk.trade("buy", "1.4")
    ticket = desk.approved(desk.ticket("buy", "0.01"))
    desk.at(63_850)
    desk.denied(ticket, "down since the market's day began")


def test_rule_17_a_drawdown_counts_from_the_highest_equity_over_days(desk: Any, hand_clock: ManualClock) -> None:
    desk.limit(max_order_notional=HUGE, max_symbol_exposure=None, max_daily_loss_fraction=Decimal(1))
    desk.trade("buy", "1.5")
    for price in (90_000, 80_000, 72_001):
        hand_clock.advance(timedelta(days=1))
        desk.at(price)
        assert watch_losses(desk.context) == ()
    hand_clock.advance(timedelta(days=1))
    desk.at(71_000)
    (standing,) = watch_losses(desk.context)
    assert "below its highest equity and the limit is 20 %" in standing.reason


def test_rule_17_a_new_day_opens_with_its_own_equity(desk: Any, hand_clock: ManualClock) -> None:
    desk.limit(max_order_notional=HUGE, max_symbol_exposure=None)
    desk.trade("buy", "1.5")
    for price in (61_500, 59_500):
        desk.at(price)
        assert watch_losses(desk.context) == ()
        hand_clock.advance(timedelta(days=1))


def test_rule_17_losing_sells_in_a_row_restrict_and_a_gain_begins_anew(desk: Any, hand_clock: ManualClock) -> None:
    desk.limit(max_losing_streak=3, duplicate_seconds=0, max_day_notional=None)

    def round_trip(bought_at: int, sold_at: int) -> None:
        hand_clock.advance(timedelta(minutes=2))
        desk.at(bought_at)
        desk.trade("buy", "0.01")
        desk.at(sold_at)
        desk.trade("sell", "0.01")

    for bought_at, sold_at in (
        (64_000, 63_900),
        (64_000, 63_900),
        (64_000, 64_900),
        (64_000, 63_900),
        (64_000, 63_900),
    ):
        round_trip(bought_at, sold_at)
        assert watch_losses(desk.context) == ()
    round_trip(64_000, 63_900)
    (standing,) = watch_losses(desk.context)
    assert standing.reason == (
        "The last 3 sells of this account closed at a loss and the limit is 3 (limits v1): only orders that reduce a "
        "holding pass."
    )
    hand_clock.advance(timedelta(minutes=2))
    desk.context.ledger.change_state("active", reason="I know", by="ann", account=desk.account.id)
    desk.at(64_000)
    round_trip(64_000, 63_900)
    assert watch_losses(desk.context) == ()


def test_rule_17_an_account_whose_market_does_not_answer_is_looked_at_again(desk: Any, desk_engine: Engine) -> None:
    class Silent(FixedMarket):
        def quote(self, symbol: str) -> Quote:
            raise VenueUnavailable("The market does not answer.")

    desk.trade()
    silent = Silent(desk.market.listed, desk.context.clock)
    assert watch_losses(replace(desk.context, market=silent)) == ()
    assert desk.context.ledger.standing_state(desk.account.id).state == "active"


def test_rule_18_halted_denies_all_but_cancels_over_a_restart(
    desk: Any, desk_engine: Engine, hand_clock: ManualClock
) -> None:
    order, waiting = desk.rest("buy", 60_000), desk.ticket()
    approved = desk.approved(desk.ticket("buy", "0.02"))
    desk.context.ledger.change_state("halted", reason="stop", by="ann")
    desk.context = replace(desk.context, ledger=Ledger(desk_engine, hand_clock))
    desk.refused("The desk is HALTED, so only cancels pass")
    with pytest.raises(RiskDenied, match="HALTED"):
        desk.approved(waiting)
    desk.denied(approved, "HALTED")
    (told,) = cancel_all(desk.context.ledger, desk.broker, clock=hand_clock, by="ann")
    assert (told.order_id, told.status) == (order.id, "cancelled")
    assert cancel_all(desk.context.ledger, desk.broker, clock=hand_clock, by="ann") == ()


def test_rule_19_a_decision_counts_only_in_time_on_what_was_seen_by_its_owner(
    desk: Any, hand_clock: ManualClock
) -> None:
    ticket = desk.ticket()
    with pytest.raises(Conflict, match="is not that of ticket T-1"):
        desk.context.ledger.decide(ticket.id, "approve", "0" * 64, "ann")
    with pytest.raises(NotFound):
        desk.context.ledger.decide(ticket.id, "approve", ticket.hash, "eve", owner="eve")
    edits = TicketEdits(quantity=Decimal("0.05"))
    edited = edit_ticket(ticket.id, ticket.hash, edits, desk.context, by="ann", owner="ann")
    with pytest.raises(Conflict, match="replaced after an edit"):
        desk.approved(ticket)
    hand_clock.advance(timedelta(seconds=60))
    with pytest.raises(Expired):
        desk.approved(edited)


def test_rule_19_a_price_that_moved_since_the_preview_is_not_taken(desk: Any) -> None:
    ticket = desk.approved(desk.ticket())
    desk.at(64_500)
    desk.denied(ticket, "The price moved 0.6 % since the quote and the band is 0.5 %")


def test_rule_20_restricted_and_unlisted_symbols_are_denied(desk: Any) -> None:
    desk.limit(restricted=frozenset({"BTC/USDT"}))
    desk.refused(r"BTC/USDT is on this account's restricted list \(limits v1\)")
    desk.limit(restricted=frozenset(), allow_list=frozenset({"ETH/USDT"}))
    desk.refused(r"BTC/USDT is not on this account's list \(ETH/USDT; limits v1\)")
    desk.limit(restricted=frozenset({"ETH/USDT"}))
    desk.refused("restricted", symbol="ETH/USDT", amount="1")


def test_rule_21_a_type_or_time_in_force_that_the_market_lacks_is_denied_and_not_replaced(desk: Any) -> None:
    desk.list_as(order_types=frozenset({"market", "limit"}))
    desk.refused(
        r"The market takes no stop GTC order on BTC/USDT \(it takes limit, market; ",
        order_type="stop",
        stop_price=Decimal(65_000),
    )
    desk.list_as(order_types=frozenset({"market", "limit"}), times_in_force=frozenset({"GTC"}))
    desk.refused("The market takes no market IOC order")
    assert desk.ticket(order_type="limit", limit_price=Decimal(60_000)).status == "pending"


def test_rule_22_every_ticket_names_the_limits_it_was_checked_under(desk: Any) -> None:
    desk.limit(version="7", max_order_notional=Decimal(7_000))
    assert desk.ticket().limits_version == "7"
    desk.refused(r"limit per order is 7,000 USDT \(limits v7\)", amount="0.11")
