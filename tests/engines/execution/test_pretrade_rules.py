"""The pre-trade rules, each by its number: what breaks one is stopped before the venue has seen anything.

Rules 1, 2 and 23 are about live trading and are tested where it is: without all of its parts no live broker exists,
and no order leaves while our clock and the venue's are apart.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from engines.confirmation.risk import default_limits
from engines.domain.clock import ManualClock
from engines.domain.instruments import Quote
from engines.domain.orders import Account, Order, OrderIntent, OrderTicket
from engines.errors import Conflict, Expired, InvalidRequest, NotFound, OutcomeUnknown, RiskDenied, VenueUnavailable
from engines.execution.broker import ApprovedTicket, VenueOrder
from engines.execution.context import OrderContext
from engines.execution.losses import watch_losses
from engines.execution.paper import PaperBroker
from engines.execution.prepare import TicketEdits, edit_ticket, prepare_ticket
from engines.execution.submit import submit
from engines.execution.switch import cancel_all
from engines.ledger.ledger import Ledger
from engines.market.fixed import FixedMarket

HUGE = Decimal(10**9)


class Desk:
    """What a rule is broken on: a paper account of 100,000 USDT at fixed prices."""

    def __init__(self, context: OrderContext, account: Account, market: FixedMarket, broker: PaperBroker) -> None:
        self.context = context
        self.account = account
        self.market = market
        self.broker = broker

    def limit(self, **limits: Any) -> None:
        """Change the limits in force."""
        self.context = replace(self.context, limits=replace(self.context.limits, **limits))

    def list_as(self, **rules: Any) -> None:
        """Change how the market lists BTC."""
        btc, *others = self.market.listed
        self.market.listed = (replace(btc, **rules), *others)

    def ticket(self, side: Any = "buy", amount: str = "0.1", **fields: Any) -> OrderTicket:
        """A sealed ticket for an amount of BTC, unless the fields say otherwise."""
        intent = OrderIntent(self.account.id, "thread-1", "BTC/USDT", side, Decimal(amount))
        return prepare_ticket(replace(intent, **fields), self.context, owner="ann")

    def approved(self, ticket: OrderTicket, **how: Any) -> OrderTicket:
        """The same ticket, approved."""
        return self.context.ledger.decide(ticket.id, "approve", ticket.hash, "ann", **how)

    def sent(self, ticket: OrderTicket) -> Order | None:
        """What becomes of an approved ticket."""
        return submit(ticket.id, self.context, self.broker)

    def trade(self, side: Any = "buy", amount: str = "0.1", **fields: Any) -> Order:
        """An order that is asked for, approved and sent."""
        order = self.sent(self.approved(self.ticket(side, amount, **fields), resolve_differences=True))
        assert order is not None
        return order

    def rest(self, side: Any, price: int, amount: str = "0.1") -> Order:
        """A limit order that waits."""
        order = self.trade(side, amount, order_type="limit", limit_price=Decimal(price))
        assert order.status == "accepted"
        return order

    def at(self, price: int) -> None:
        """Move the price of BTC, a cent between bid and ask."""
        self.market.set_quote("BTC/USDT", f"{price - Decimal('0.01')}", f"{price}")

    def refused(self, message: str, kind: type[Exception] = RiskDenied, **fields: Any) -> None:
        """No ticket comes of it, and the venue has seen nothing."""
        before = self.broker.open_orders(), self.broker.fills_since("BTC/USDT", 0)
        with pytest.raises(kind, match=message):
            self.ticket(**fields)
        assert (self.broker.open_orders(), self.broker.fills_since("BTC/USDT", 0)) == before

    def denied(self, ticket: OrderTicket, message: str) -> None:
        """An approved ticket that is not sent."""
        assert self.sent(ticket) is None
        now = self.context.ledger.ticket(ticket.id)
        assert now.status == "denied"
        assert message in now.reason
        assert self.broker.find(ticket.client_order_id, ticket.symbol) is None


@pytest.fixture
def desk(context: OrderContext, account: Account, market: FixedMarket, paper: PaperBroker) -> Desk:
    return Desk(replace(context, limits=default_limits()), account, market, paper)


def test_rule_03_an_unknown_symbol_is_denied(desk: Desk) -> None:
    desk.refused("no XYZ/USDT", NotFound, symbol="XYZ/USDT")


def test_rule_03_an_inactive_symbol_is_denied(desk: Desk) -> None:
    ticket = desk.approved(desk.ticket())
    desk.list_as(is_trading=False)
    desk.refused("BTC/USDT is listed and does not trade now")
    desk.denied(ticket, "does not trade now")


def test_rule_03_trading_rules_read_too_long_ago_are_not_relied_on(desk: Desk) -> None:
    desk.list_as(listed_at=desk.market.now() - timedelta(hours=24))
    assert desk.ticket().status == "pending"
    desk.list_as(listed_at=desk.market.now() - timedelta(hours=24, seconds=1))
    desk.refused(r"The trading rules of BTC/USDT were read 24 h ago and the limit is 24 h \(limits v1\)")


BAD_NUMBERS = [Decimal(text) for text in ("NaN", "sNaN", "Infinity", "-Infinity", "0", "-0", "-0.1", "1e400", "1e16")]


def test_rule_04_what_is_no_positive_amount_is_denied_as_quantity(desk: Desk) -> None:
    for number in (*BAD_NUMBERS, True, False, 0.1, "0.1", "0.1 BTC", None):
        desk.refused("is no quantity to buy", InvalidRequest, quantity=number)


@pytest.mark.parametrize("name", ["limit_price", "stop_price", "stop_loss", "take_profit"])
def test_rule_04_what_is_no_positive_amount_is_denied_as_price(desk: Desk, name: str) -> None:
    spoken = name.replace("stop_loss", "stop-loss").replace("take_profit", "take-profit").replace("_", " ")
    for number in (*BAD_NUMBERS, True, 60_000.0, "60k"):
        desk.refused(f"is no {spoken}", InvalidRequest, **{name: number})


def test_rule_05_off_step_numbers_are_rounded_to_safety_and_shown_again(desk: Desk) -> None:
    asked: dict[str, Any] = {"amount": "0.12345678", "order_type": "limit", "limit_price": Decimal("60000.129")}
    ticket = desk.ticket(**asked)
    assert (ticket.quantity, ticket.limit_price) == (Decimal("0.1234"), Decimal("60000.12"))
    order = desk.sent(desk.approved(ticket))
    assert order is not None
    assert (order.quantity, order.limit_price) == (Decimal("0.1234"), Decimal("60000.12"))
    desk.trade("buy", "0.1")
    above = desk.ticket("sell", "0.05009", order_type="limit", limit_price=Decimal("66000.121"))
    assert (above.quantity, above.limit_price) == (Decimal("0.0500"), Decimal("66000.13"))


@pytest.mark.parametrize(
    ("rules", "amount", "message"),
    [
        ({}, "0.00005", "below this market's minimum of 0.0001 BTC"),
        ({"min_notional": Decimal(700)}, "0.01", "below this market's minimum of 0.011 BTC"),
    ],
)
def test_rule_06_less_than_the_market_takes_is_denied(
    desk: Desk, rules: dict[str, Any], amount: str, message: str
) -> None:
    desk.list_as(**rules)
    desk.refused(message, InvalidRequest, amount=amount)


def test_rule_06_more_than_the_market_takes_is_denied(desk: Desk) -> None:
    desk.list_as(max_quantity=Decimal("0.1"))
    assert desk.ticket().status == "pending"
    desk.refused("above this market's maximum of 0.1 BTC", amount="0.1001")
    # 0.1 BTC is 6,412 at the ask and 6,418.41 when a market order slips by 0.1 %.
    desk.list_as(max_quantity=None, max_notional=Decimal(6_415))
    desk.refused("above this market's maximum of 6,415 USDT")
    assert desk.ticket(order_type="limit", limit_price=Decimal(64_120)).status == "pending"


def test_rule_07_each_cap_denies_what_goes_over_it(desk: Desk) -> None:
    desk.refused("limit per order is 10,000 USDT", amount="0.156")
    desk.trade()
    desk.limit(max_symbol_exposure=Decimal(12_800))
    desk.refused("in BTC with this order the account would hold about 12,82")
    desk.limit(max_symbol_exposure=None, max_account_exposure=Decimal(12_800))
    desk.refused("with this order the account would hold about 12,82")
    desk.limit(max_account_exposure=HUGE, max_day_notional=Decimal(12_800))
    desk.refused(r"would have bought about 12,8\d\d.* today \(UTC\) and its limit is 12,800 USDT a day")
    desk.limit(max_day_notional=Decimal(14_000), max_open_orders=1)
    desk.rest("buy", 60_000, "0.01")
    desk.refused("There are 1 open orders and this account's limit is 1", amount="0.01")


def test_rule_07_the_day_counts_open_buys_and_forgets_the_cancelled_and_yesterday(
    desk: Desk, hand_clock: ManualClock
) -> None:
    desk.limit(max_day_notional=Decimal(10_000))
    resting = desk.rest("buy", 60_000)
    desk.refused("today")
    cancel = desk.ticket(kind="cancel", cancels=(resting.id,))
    desk.sent(desk.approved(cancel))
    desk.trade("buy", "0.15")
    desk.refused("today", amount="0.01")
    assert desk.ticket("sell", "0.15").status == "pending"
    hand_clock.advance(timedelta(hours=8))
    desk.at(64_120)
    assert desk.ticket().status == "pending"


def test_rule_07_caps_hold_again_when_the_ticket_is_sent(desk: Desk) -> None:
    desk.limit(max_symbol_exposure=Decimal(10_000), duplicate_seconds=0)
    first, second = (desk.approved(desk.ticket()) for _ in range(2))
    desk.sent(first)
    desk.denied(second, "in BTC with this order the account would hold")


def test_rule_08_a_price_far_from_the_market_is_denied(desk: Desk) -> None:
    desk.refused("10.7 % from the market's", order_type="limit", limit_price=Decimal(71_000))


def test_rule_08_a_last_trade_far_from_bid_and_ask_is_denied(desk: Desk) -> None:
    def quoted(last: str) -> None:
        quote = desk.market.quote("BTC/USDT")
        desk.market._quotes["BTC/USDT"] = replace(quote, last=Decimal(last))

    quoted("67000")
    assert desk.ticket().status == "pending"
    quoted("68000")
    desk.refused(r"The last trade of BTC/USDT, 68,000 USDT, is 6.1 % from the middle of bid and ask, 64,120 USDT")
    for broken in ("NaN", "Infinity", "0", "-1"):
        quoted(broken)
        desk.refused("The last trade of BTC/USDT")


@pytest.mark.parametrize(("bid", "ask"), [("0", "64120"), ("NaN", "NaN"), ("64121", "64120"), ("-1", "1")])
def test_rule_08_without_a_reference_price_nothing_is_ordered(desk: Desk, bid: str, ask: str) -> None:
    ticket = desk.approved(desk.ticket())
    desk.market.set_quote("BTC/USDT", bid, ask)
    desk.refused("no usable price", VenueUnavailable)
    with pytest.raises(VenueUnavailable):
        desk.sent(ticket)
    assert desk.broker.find(ticket.client_order_id, "BTC/USDT") is None


@pytest.mark.parametrize(("seconds", "message"), [(61, "is 61 s old"), (-3, "lies in the future")])
def test_rule_09_a_stale_quote_or_one_from_the_future_is_denied(desk: Desk, seconds: int, message: str) -> None:
    quote = desk.market.quote("BTC/USDT")
    desk.market._quotes["BTC/USDT"] = replace(quote, time=quote.time - timedelta(seconds=seconds))
    desk.refused(message)


class CutOff(PaperBroker):
    """A paper venue whose answers are cut off and which cannot be asked."""

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        raise OutcomeUnknown("The answer was cut off.")

    def find(self, client_order_id: str, symbol: str) -> VenueOrder | None:
        raise VenueUnavailable("The venue does not answer.")


def test_rule_10_open_and_unclear_orders_hold_back_their_balance_with_fees(desk: Desk, desk_engine: Engine) -> None:
    desk.limit(max_order_notional=HUGE, max_symbol_exposure=None, max_account_exposure=HUGE, max_day_notional=None)
    # 100,000 pays for 1.5564 BTC at 64,120 with a fee of 0.1 % and 0.1 % kept for slippage.
    desk.refused("needs about 100,1.* with fees and 100,000 USDT is free", amount="1.5582")
    desk.rest("buy", 60_000, "0.5")
    desk.refused("is free", amount="1.1")
    desk.broker = CutOff(desk_engine, desk.market, desk.context.clock)
    unclear = desk.trade("buy", "10", symbol="ETH/USDT")
    assert unclear.status == "unknown"
    desk.refused("is free", amount="0.7")
    assert desk.ticket("buy", "0.5").status == "pending"


def test_rule_11_more_than_is_held_is_not_sold(desk: Desk) -> None:
    desk.trade("buy", "0.1")
    desk.refused("selling 0.1001 BTC is not possible on a spot account", side="sell", amount="0.1001")
    desk.refused("may only reduce a holding, and you hold 0.1 BTC", side="sell", amount="0.2", reduce_only=True)
    desk.refused("may only reduce a holding", reduce_only=True)


def test_rule_12_a_hundred_orders_at_once_never_spend_more_than_there_is(desk: Desk) -> None:
    desk.limit(max_account_exposure=HUGE, max_symbol_exposure=None, max_day_notional=None, duplicate_seconds=0)
    desk.limit(max_orders_per_second=1_000, max_orders_per_minute=1_000, max_open_orders=1_000)
    resting: dict[str, Any] = {"order_type": "limit", "limit_price": Decimal(60_000)}
    tickets = [desk.approved(desk.ticket("buy", "0.1", **resting)) for _ in range(100)]
    with ThreadPoolExecutor(20) as pool:
        orders = [order for order in pool.map(desk.sent, tickets) if order is not None]
    reserved = desk.context.ledger.account(desk.account.id).reserved["USDT"]
    assert reserved <= 100_000
    # Each sets aside 6,000 and a fee of 6.
    assert len(orders) == 16


def test_rule_13_one_ticket_is_one_order_however_often_it_is_pressed(desk: Desk) -> None:
    ticket = desk.ticket()

    def press(_: int) -> Order | None:
        with suppress(Conflict):
            desk.approved(ticket)
        return desk.sent(ticket)

    with ThreadPoolExecutor(10) as pool:
        orders = {order.id for order in pool.map(press, range(30)) if order is not None}
    assert orders == {ticket.client_order_id}
    assert len(desk.broker.fills_since("BTC/USDT", 0)) == 1
    assert desk.context.ledger.account(desk.account.id).balances["BTC"] == Decimal("0.1")


def test_rule_14_a_look_alike_says_so_on_its_ticket_and_needs_to_be_meant(desk: Desk, hand_clock: ManualClock) -> None:
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


def test_rule_14_of_two_tickets_alike_the_second_is_not_sent_unless_it_said_so(desk: Desk) -> None:
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
def test_rule_14_another_order_is_no_look_alike(desk: Desk, other: dict[str, Any]) -> None:
    desk.trade()
    assert desk.ticket(**other).look_alikes == ()


def test_rule_14_after_a_while_or_when_the_first_was_refused_it_is_no_repetition(
    desk: Desk, hand_clock: ManualClock
) -> None:
    first = desk.ticket()
    desk.context.ledger.decide(first.id, "reject", first.hash, "ann")
    assert desk.ticket().look_alikes == ()
    desk.trade()
    hand_clock.advance(timedelta(seconds=30))
    assert desk.ticket().look_alikes == ()


def test_rule_15_orders_above_the_rate_are_denied_and_pass_again_later(desk: Desk, hand_clock: ManualClock) -> None:
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


def test_rule_15_no_cancel_is_dropped_whatever_the_order_rate(desk: Desk) -> None:
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
def test_rule_16_an_order_that_would_meet_ones_own_is_denied(desk: Desk, at_market: bool) -> None:
    desk.trade("buy", "0.1")
    own = desk.rest("sell", 64_150, "0.05")
    price: dict[str, Any] = {} if at_market else {"order_type": "limit", "limit_price": Decimal(64_150)}
    desk.refused(f"would trade with your own resting order {own.id} .sell 0.05 at 64,150.", amount="0.07", **price)
    below = desk.ticket("buy", "0.07", order_type="limit", limit_price=Decimal("64149.99"))
    assert below.status == "pending"
    if at_market:
        resting = desk.rest("buy", 64_100, "0.01")
        desk.refused(resting.id, side="sell", amount="0.01")


def test_rule_17_a_daily_loss_leaves_only_reducing_orders_until_somebody_resumes(desk: Desk) -> None:
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


def test_rule_17_a_loss_that_nobody_watched_for_restricts_at_the_next_order(desk: Desk) -> None:
    desk.limit(max_order_notional=HUGE, max_symbol_exposure=None)
    desk.trade("buy", "1")
    desk.at(59_000)
    desk.refused("down since the market's day began", amount="0.01")
    assert desk.context.ledger.standing_state(desk.account.id).state == "reducing"


def test_rule_17_a_loss_between_approval_and_sending_denies(desk: Desk) -> None:
    desk.limit(max_order_notional=HUGE, max_symbol_exposure=None, max_daily_loss_fraction=Decimal("0.004"))
    desk.trade("buy", "1.4")
    ticket = desk.approved(desk.ticket("buy", "0.01"))
    desk.at(63_850)
    desk.denied(ticket, "down since the market's day began")


def test_rule_17_a_drawdown_counts_from_the_highest_equity_over_days(desk: Desk, hand_clock: ManualClock) -> None:
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


def test_rule_17_a_new_day_opens_with_its_own_equity(desk: Desk, hand_clock: ManualClock) -> None:
    desk.limit(max_order_notional=HUGE, max_symbol_exposure=None)
    desk.trade("buy", "1.5")
    for price in (61_500, 59_500):
        desk.at(price)
        assert watch_losses(desk.context) == ()
        hand_clock.advance(timedelta(days=1))


def test_rule_17_losing_sells_in_a_row_restrict_and_a_gain_begins_anew(desk: Desk, hand_clock: ManualClock) -> None:
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


def test_rule_17_an_account_whose_market_does_not_answer_is_looked_at_again(desk: Desk, desk_engine: Engine) -> None:
    class Silent(FixedMarket):
        def quote(self, symbol: str) -> Quote:
            raise VenueUnavailable("The market does not answer.")

    desk.trade()
    silent = Silent(desk.market.listed, desk.context.clock)
    assert watch_losses(replace(desk.context, market=silent)) == ()
    assert desk.context.ledger.standing_state(desk.account.id).state == "active"


def test_rule_18_halted_denies_all_but_cancels_over_a_restart(
    desk: Desk, desk_engine: Engine, hand_clock: ManualClock
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
    desk: Desk, hand_clock: ManualClock
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


def test_rule_19_a_price_that_moved_since_the_preview_is_not_taken(desk: Desk) -> None:
    ticket = desk.approved(desk.ticket())
    desk.at(64_500)
    desk.denied(ticket, "The price moved 0.6 % since the quote and the band is 0.5 %")


def test_rule_20_restricted_and_unlisted_symbols_are_denied(desk: Desk) -> None:
    desk.limit(restricted=frozenset({"BTC/USDT"}))
    desk.refused(r"BTC/USDT is on this account's restricted list \(limits v1\)")
    desk.limit(restricted=frozenset(), allow_list=frozenset({"ETH/USDT"}))
    desk.refused(r"BTC/USDT is not on this account's list \(ETH/USDT; limits v1\)")
    desk.limit(restricted=frozenset({"ETH/USDT"}))
    desk.refused("restricted", symbol="ETH/USDT", amount="1")


def test_rule_21_a_type_or_time_in_force_that_the_market_lacks_is_denied_and_not_replaced(desk: Desk) -> None:
    desk.list_as(order_types=frozenset({"market", "limit"}))
    desk.refused(
        r"The market takes no stop GTC order on BTC/USDT \(it takes limit, market; ",
        order_type="stop",
        stop_price=Decimal(65_000),
    )
    desk.list_as(order_types=frozenset({"market", "limit"}), times_in_force=frozenset({"GTC"}))
    desk.refused("The market takes no market IOC order")
    assert desk.ticket(order_type="limit", limit_price=Decimal(60_000)).status == "pending"


def test_rule_22_every_ticket_names_the_limits_it_was_checked_under(desk: Desk) -> None:
    desk.limit(version="7", max_order_notional=Decimal(7_000))
    assert desk.ticket().limits_version == "7"
    desk.refused(r"limit per order is 7,000 USDT \(limits v7\)", amount="0.11")
