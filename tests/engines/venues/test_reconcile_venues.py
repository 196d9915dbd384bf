"""After a comparison the ledger has what the venue has, or says with numbers where it has not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engines.confirmation.risk import default_limits
from engines.domain.clock import ManualClock
from engines.domain.instruments import Instrument
from engines.domain.orders import Order, OrderIntent
from engines.errors import Conflict, InvalidRequest, VenueUnavailable
from engines.execution.broker import VenueOrder
from engines.execution.context import OrderContext
from engines.execution.prepare import prepare_ticket
from engines.execution.reconcile import reconcile
from engines.execution.submit import submit
from engines.execution.switch import cancel_all
from engines.execution.venues import EXERCISED, VENUES, CcxtBroker
from engines.execution.venues.budget import RequestBudget
from engines.execution.venues.ccxt_client import VenueClient
from engines.ledger.ledger import Ledger
from engines.ledger.reconciliation import Reconciliation, Trigger
from engines.market.fixed import FixedMarket
from engines.storage.database import open_database

BTC = "BTC/USDT"
ACCOUNT = "live-fixed-usdt:ann"


@dataclass(frozen=True)
class Desk:
    venue: Any
    broker: CcxtBroker
    context: OrderContext
    clock: ManualClock
    client: VenueClient

    @property
    def ledger(self) -> Ledger:
        return self.context.ledger

    def order(self, **fields: Any) -> Order:
        """Buy at the market, or as the fields say; journalled, sent and recorded."""
        intent = OrderIntent(ACCOUNT, "thread-1", BTC, **{"side": "buy", "quantity": Decimal("0.1"), **fields})
        ticket = prepare_ticket(intent, self.context, owner="ann")
        self.ledger.decide(ticket.id, "approve", ticket.hash, "ann")
        order = submit(ticket.id, self.context, self.broker)
        assert order is not None
        return order

    def reconcile(
        self, trigger: Trigger = "request", sleep: Callable[[float], None] = lambda _: None
    ) -> Reconciliation:
        self.clock.advance(timedelta(seconds=1))
        return reconcile(self.context, self.broker, ACCOUNT, trigger=trigger, sleep=sleep)

    def at_venue(self) -> dict[str, Decimal]:
        """What the account really has."""
        held = {name: Decimal(each["total"]) for name, each in self.venue.truth()["balances"].items()}
        return {name: amount for name, amount in held.items() if amount}

    def in_ledger(self) -> dict[str, Decimal]:
        balances = self.ledger.account(ACCOUNT).balances
        return {name: amount for name, amount in balances.items() if amount}

    def state(self) -> str:
        return self.ledger.standing_state(ACCOUNT).state


@pytest.fixture
def open_desk(
    tmp_path: Path, open_venue: Callable[..., Any], _exchanges: Callable[[str, int], Any]
) -> Iterator[Callable[..., Desk]]:
    """Opens a live desk at a venue that holds some money; the limits leave room for many orders."""
    clock = ManualClock(datetime.now(UTC).replace(microsecond=0))
    step, fee = Decimal("0.0001"), Decimal("0.001")
    market = FixedMarket((Instrument(BTC, "BTC", "USDT", Decimal("0.1"), step, step, Decimal(5), fee, fee),), clock)
    market.set_quote(BTC, "49995", "50005")
    engine = open_database("desk", home=tmp_path)
    ledger = Ledger(engine, clock)
    ledger.ensure_account("ann", currency="USDT", cash=Decimal(0), market="fixed", mode="live")

    def open_(name: Any, **money: str) -> Desk:
        handle = open_venue(name, **money)
        exchange = _exchanges(name, 400)
        exchange.session.hooks["response"].clear()
        client = VenueClient(exchange, RequestBudget(1e6, 1e6, sleep=lambda _: None))
        broker = CcxtBroker(VENUES[name][0](client), client, account=ACCOUNT)
        broker.ready()
        many = 10**6
        limits = replace(
            default_limits(),
            max_open_orders=many,
            duplicate_seconds=0,
            max_orders_per_second=many,
            max_orders_per_minute=many,
            max_day_notional=None,
            max_losing_streak=many,
            max_daily_loss_fraction=Decimal(1),
            max_drawdown_fraction=Decimal(1),
        )
        context = OrderContext(ledger, market, clock, limits, mode="live", within="live-")
        return Desk(handle, broker, context, clock, client)

    yield open_
    engine.dispose()


@pytest.fixture(params=EXERCISED)
def desk(request: pytest.FixtureRequest, open_desk: Callable[..., Desk]) -> Desk:
    """A live desk that was compared with its venue once: 100,000 USDT and 0.4 BTC."""
    opened = open_desk(request.param, USDT="100000", BTC="0.4")
    assert opened.reconcile("start").matches
    return opened


def test_what_the_venue_holds_is_what_the_account_began_with(desk: Desk) -> None:
    account = desk.ledger.account(ACCOUNT)
    assert desk.in_ledger() == desk.at_venue() == {"USDT": Decimal(100_000), "BTC": Decimal("0.4")}
    [held] = account.positions
    assert (held.symbol, held.quantity, held.average_price) == (BTC, Decimal("0.4"), Decimal(50_005))
    [symbol] = desk.ledger.profit(ACCOUNT).symbols
    assert (symbol.average.realised, symbol.fifo.realised, symbol.fifo.cost) == (
        Decimal(0),
        Decimal(0),
        Decimal(20_002),
    )


def test_what_was_there_before_the_desk_can_be_sold_and_is_counted_to_the_last_digit(desk: Desk) -> None:
    order = desk.order(side="sell")
    assert order.status == "filled"
    assert desk.reconcile().differences == ()
    assert desk.in_ledger() == desk.at_venue()


def test_comparing_again_changes_nothing_and_leaves_no_second_record(desk: Desk) -> None:
    desk.order()
    first = desk.reconcile("routine")
    before = desk.ledger.audit()
    again = desk.reconcile("routine")
    assert (first.matches, again.orders, again.fills, again.seq) == (True, (), (), first.seq)
    assert desk.ledger.audit() == before
    assert len(desk.ledger.adjustments(ACCOUNT)) == 2


def test_a_fill_that_happened_while_nobody_watched_is_taken_over(desk: Desk) -> None:
    order = desk.order(limit_price=Decimal(49_000), order_type="limit")
    desk.venue.price(symbol=BTC, price="48000")
    found = desk.reconcile("start")
    assert [(each.id, each.status) for each in found.orders] == [(order.id, "filled")]
    assert found.differences == ()
    assert desk.in_ledger() == desk.at_venue()
    assert desk.ledger.verify_audit().intact


def test_an_order_that_nobody_knew_the_outcome_of_is_found(desk: Desk) -> None:
    desk.venue.fault(kind="timeout_after", route="create", seconds=1)
    order = desk.order()
    assert order.status == "unknown"
    found = desk.reconcile("reconnect")
    assert (found.unsettled, found.matches) == ((), True)
    assert desk.ledger.order(order.id).status == "filled"
    assert desk.in_ledger() == desk.at_venue()
    assert sum(desk.venue.truth()["accepts"].values()) == 1


def test_rule_36_an_order_of_somebody_else_is_external_counts_as_exposure_and_is_not_touched(desk: Desk) -> None:
    placed = desk.venue.external(symbol=BTC, side="buy", quantity="0.2", price="40000")
    found = desk.reconcile()
    [external] = desk.ledger.external_orders(ACCOUNT)
    assert found.externals == (external.order,)
    assert (external.order.symbol, external.order.quantity, external.order.limit_price) == (
        BTC,
        Decimal("0.2"),
        Decimal(40_000),
    )
    account, entries = desk.ledger.standing(ACCOUNT)
    assert (entries.count, entries.buying, dict(entries.external)) == (0, Decimal(0), {BTC: Decimal(8_000)})
    assert account.free("USDT") == 92_000
    assert (found.matches, desk.state()) == (True, "active")
    [left] = [each for each in desk.venue.truth()["orders"] if each["id"] == placed["id"]]
    assert left["state"] in {"open", "new"}

    desk.venue.cancel(id=placed["id"])
    assert desk.reconcile().externals == ()
    assert desk.ledger.external_orders(ACCOUNT) == ()
    assert desk.ledger.account(ACCOUNT).free("USDT") == 100_000


def test_rule_36_cancelling_all_and_a_halt_leave_the_order_of_somebody_else_alone(desk: Desk) -> None:
    placed = desk.venue.external(symbol=BTC, side="sell", quantity="0.2", price="60000")
    ours = desk.order(limit_price=Decimal(49_000), order_type="limit")
    desk.reconcile()
    desk.ledger.change_state("halted", reason="Stop.", by="ann", account=ACCOUNT)
    cancelled = cancel_all(desk.ledger, desk.broker, clock=desk.clock, by="ann", within="live-", sleep=lambda _: None)
    assert [each.order_id for each in cancelled] == [ours.id]
    [left] = [each for each in desk.venue.truth()["orders"] if each["id"] == placed["id"]]
    assert left["state"] in {"open", "new"}
    assert [each.venue_order_id for each in desk.reconcile().externals] == [placed["id"]]


def test_rule_36_an_order_of_somebody_else_that_fills_in_part_counts_with_what_is_left(desk: Desk) -> None:
    desk.venue.external(symbol=BTC, side="sell", quantity="0.3", price="60000")
    desk.reconcile()
    assert desk.ledger.account(ACCOUNT).free("BTC") == Decimal("0.1")
    desk.venue.withdraw(symbol=BTC)
    desk.venue.crowd(symbol=BTC, side="buy", quantity="0.1", price="60000")
    found = desk.reconcile()
    assert desk.ledger.account(ACCOUNT).free("BTC") == Decimal("0.2")
    # What somebody else sold is nothing that this ledger can know the reason of.
    assert ({each.currency for each in found.mismatches}, desk.state()) == ({"BTC", "USDT"}, "halted")
    assert desk.ledger.verify_audit().intact


def test_rule_36_our_own_open_orders_are_not_external(desk: Desk) -> None:
    resting = desk.order(limit_price=Decimal(49_000), order_type="limit")
    protected = desk.order(stop_loss=Decimal(40_000), take_profit=Decimal(60_000))
    assert (resting.status, protected.status) == ("accepted", "filled")
    assert desk.reconcile().externals == ()


def test_rule_37_money_that_left_halts_the_account_with_the_numbers(desk: Desk) -> None:
    desk.venue.deposit(asset="USDT", amount="-250")
    paused: list[float] = []
    found = desk.reconcile("routine", sleep=paused.append)
    [difference] = found.mismatches
    assert (difference.currency, difference.expected, difference.found) == ("USDT", Decimal(100_000), Decimal(99_750))
    assert paused == [0.5, 1.0, 2.0]
    standing = desk.ledger.standing_state(ACCOUNT)
    assert (standing.state, standing.by) == ("halted", "reconciliation")
    for number in ("99750", "100000", "-250"):
        assert number in standing.reason


@pytest.mark.parametrize(("left", "state"), [("-0.1", "active"), ("0.1", "active"), ("-0.2", "halted")])
def test_rule_37_a_millionth_of_a_balance_is_told_and_only_more_halts(desk: Desk, left: str, state: str) -> None:
    desk.venue.deposit(asset="USDT", amount=left)
    found = desk.reconcile("routine")
    [difference] = found.differences
    assert (difference.currency, difference.found) == ("USDT", Decimal(100_000) + Decimal(left))
    assert (found.matches, desk.state()) == (state == "active", state)


def test_rule_37_a_difference_that_goes_away_halts_nothing(desk: Desk) -> None:
    desk.venue.deposit(asset="BTC", amount="-0.001")

    def back(_: float) -> None:
        desk.venue.deposit(asset="BTC", amount="0.001")

    assert desk.reconcile(sleep=back).matches
    assert desk.state() == "active"


def test_a_difference_that_a_person_explains_is_booked_once_and_trading_goes_on(desk: Desk) -> None:
    desk.venue.deposit(asset="BTC", amount="0.5")
    found = desk.reconcile()
    with pytest.raises(InvalidRequest, match="reason"):
        desk.ledger.accept_differences(ACCOUNT, found.seq, reason=" ", by="ann")
    booked = desk.ledger.accept_differences(ACCOUNT, found.seq, reason="My deposit.", by="ann")
    assert booked == {"BTC": Decimal("0.5")}
    with pytest.raises(Conflict):
        desk.ledger.accept_differences(ACCOUNT, found.seq, reason="Again.", by="ann")
    desk.ledger.change_state("active", reason="My deposit.", by="ann", account=ACCOUNT)
    assert desk.reconcile().matches
    assert (desk.state(), desk.in_ledger()) == ("active", desk.at_venue())
    assert desk.ledger.account(ACCOUNT).positions[0].quantity == Decimal("0.9")


def test_rule_37_lifting_the_halt_without_an_explanation_halts_again(desk: Desk) -> None:
    desk.venue.deposit(asset="USDT", amount="-250")
    desk.reconcile()
    desk.ledger.change_state("active", reason="No idea.", by="ann", account=ACCOUNT)
    desk.reconcile("routine")
    assert desk.state() == "halted"


def test_rule_37_a_trade_of_somebody_else_is_told_and_halts(desk: Desk) -> None:
    desk.order()
    desk.reconcile()
    desk.venue.external(symbol=BTC, side="sell", quantity="0.3")
    found = desk.reconcile()
    assert sum(fill.quantity for fill in found.external_fills) == Decimal("0.3")
    assert {each.currency for each in found.mismatches} == {"BTC", "USDT"}
    assert desk.state() == "halted"


def test_rule_37_a_currency_the_desk_never_had_is_told_and_stops_nothing(desk: Desk) -> None:
    desk.venue.deposit(asset="ETH", amount="3")
    found = desk.reconcile()
    [difference] = found.differences
    assert (difference.currency, difference.found, difference.tolerated) == ("ETH", Decimal(3), True)
    assert (found.matches, desk.state()) == (True, "active")


def test_a_venue_that_does_not_answer_is_not_taken_for_one_that_agrees(desk: Desk) -> None:
    before = desk.ledger.reconciliation(ACCOUNT)
    for route in ("open_orders", "balances"):
        desk.venue.clear()
        desk.venue.fault(kind="unavailable_before", route=route, count=-1)
        with pytest.raises(VenueUnavailable):
            desk.reconcile()
    desk.venue.clear()
    assert desk.ledger.reconciliation(ACCOUNT) == before


def test_many_resting_orders_are_compared_without_asking_for_each(desk: Desk) -> None:
    for number in range(30):
        desk.order(limit_price=Decimal(30_000 + number), order_type="limit", quantity=Decimal("0.001"))
    before = len(desk.venue.log())
    found = desk.reconcile("start")
    assert (found.orders, found.externals, found.differences) == ((), (), ())
    assert len(desk.venue.log()) - before < 8


def test_many_orders_that_filled_meanwhile_are_taken_over_without_asking_for_each(desk: Desk) -> None:
    sent = {
        desk.order(limit_price=Decimal(40_000 + n), order_type="limit", quantity=Decimal("0.001")).id for n in range(30)
    }
    desk.venue.price(symbol=BTC, price="39000")
    before = len(desk.venue.log())
    found = desk.reconcile("reconnect")
    assert {order.id for order in found.orders if order.status == "filled"} == sent
    assert sum(fill.quantity for fill in found.fills) == Decimal("0.03")
    assert len(desk.venue.log()) - before < 15
    assert (found.differences, desk.in_ledger()) == ((), desk.at_venue())
    assert desk.ledger.verify_audit().intact


def cancelled_without_its_trade(desk: Desk) -> Order:
    """An order that filled, and whose look-up told it cancelled with nothing filled."""
    order = desk.order(limit_price=Decimal(49_000), order_type="limit")
    desk.venue.price(symbol=BTC, price="48000")
    told = VenueOrder(order.id, order.venue_order_id or "", "cancelled", order.quantity, Decimal(0), ())
    return desk.ledger.record_venue_order(order.id, told, desk.broker.name)


def test_a_fill_that_the_venue_lists_late_is_taken_over_and_halts_nothing(desk: Desk) -> None:
    order = cancelled_without_its_trade(desk)
    found = desk.reconcile("routine")
    assert (found.matches, desk.state()) == (True, "active")
    assert [fill.order_id for fill in found.fills] == [order.id]
    assert desk.in_ledger() == desk.at_venue()
    assert desk.ledger.verify_audit().intact


def test_fills_are_asked_for_since_ledger_and_venue_last_agreed(desk: Desk) -> None:
    order = cancelled_without_its_trade(desk)
    desk.venue.fault(kind="stale", route="fills", count=-1, seconds=3_600)
    desk.clock.advance(timedelta(hours=1))
    assert not desk.reconcile().matches
    desk.venue.clear()
    desk.clock.advance(timedelta(hours=1))
    found = desk.reconcile()
    assert (found.matches, [fill.order_id for fill in found.fills]) == (True, [order.id])
    assert desk.in_ledger() == desk.at_venue()


def test_rule_36_a_list_of_somebody_else_over_one_holding_holds_it_back_once(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk("binance", USDT="100000", BTC="0.4")
    desk.reconcile("start")
    legs = {"aboveType": "LIMIT_MAKER", "abovePrice": "60000", "belowType": "STOP_LOSS", "belowStopPrice": "40000"}
    params = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.3", "listClientOrderId": "by-hand", **legs}
    desk.client.call("private_post_orderlist_oco", params, "order", 2)
    found = desk.reconcile()
    assert (len(found.externals), len({each.list_id for each in found.externals})) == (2, 1)
    assert desk.ledger.account(ACCOUNT).free("BTC") == Decimal("0.1")
    assert desk.broker.balances()["BTC"].free == Decimal("0.1")
    assert (found.matches, desk.state()) == (True, "active")
