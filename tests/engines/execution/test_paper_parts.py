"""Orders that the paper venue fills in parts: books are walked, candles give a share, exits follow."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engines.domain.clock import ManualClock
from engines.domain.orders import Order, OrderIntent, OrderType
from engines.errors import OrderRejected
from engines.execution.broker import ApprovedTicket
from engines.execution.context import OrderContext
from engines.execution.guard import guard_exits
from engines.execution.paper import PaperBroker
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit
from engines.execution.sync import sync_fills
from engines.market.fixed import FixedMarket

ACCOUNT = "paper-fixed-usdt:ann"
BTC = "BTC/USDT"
BIDS = {"64119.99": "0.02", "64110": "0.03", "64000": "1"}
ASKS = {"64120": "0.02", "64130": "0.03", "64200": "1"}


@pytest.fixture
def database_url() -> str:
    """The fill model does not depend on the database; the broker contract runs on both."""
    return ""


class Desk:
    """Orders in one line, and a minute that passes with the candle it made."""

    def __init__(self, context: OrderContext, market: FixedMarket, paper: PaperBroker, clock: ManualClock) -> None:
        self.context, self.market, self.paper, self.clock = context, market, paper, clock

    def order(self, quantity: str, **fields: Any) -> Order:
        intent = OrderIntent(ACCOUNT, "thread-1", BTC, "buy", Decimal(quantity))
        ticket = prepare_ticket(replace(intent, **fields), self.context, owner="ann")
        self.context.ledger.decide(ticket.id, "approve", ticket.hash, "ann")
        order = submit(ticket.id, self.context, self.paper)
        assert order is not None
        return order

    def limit(self, quantity: str, price: int, **fields: Any) -> Order:
        return self.order(quantity, order_type="limit", limit_price=Decimal(price), **fields)

    def minute(self, low: float, high: float, *, volume: float) -> int:
        """One 1m candle passes, at the end of which the quote stands where no order is reached; how many filled."""
        self.market.set_candle(BTC, self.clock.now(), low, high, volume=volume)
        self.clock.advance(timedelta(minutes=1))
        self.market.set_quote(BTC, "64119.99", "64120.00")
        filled = self.paper.match(self.market.now())
        sync_fills(self.context.ledger, self.paper)
        return filled

    def standing(self, order_id: str) -> tuple[str, Decimal]:
        """Status and filled quantity in the ledger."""
        order = self.context.ledger.order(order_id)
        return order.status, order.filled

    def leg(self, order_id: str) -> tuple[str, Decimal]:
        """Status and quantity of an exit at the venue."""
        seen = self.paper.find(order_id, BTC)
        assert seen is not None
        return seen.status, seen.quantity

    def held(self) -> Decimal:
        return self.paper.for_account(ACCOUNT).balances()["BTC"].total


@pytest.fixture
def desk(context: OrderContext, market: FixedMarket, paper: PaperBroker, hand_clock: ManualClock) -> Desk:
    return Desk(context, market, paper, hand_clock)


def test_a_market_order_walks_the_book_level_by_level(desk: Desk) -> None:
    desk.market.set_book(BTC, bids=BIDS, asks=ASKS)
    order = desk.order("0.06")
    assert [(fill.price, fill.quantity) for fill in order.fills] == [
        (Decimal(64_120), Decimal("0.02")),
        (Decimal(64_130), Decimal("0.03")),
        (Decimal(64_200), Decimal("0.01")),
    ]
    assert [fill.fee for fill in order.fills] == [Decimal("1.2824"), Decimal("1.9239"), Decimal("0.642")]
    assert len({fill.id for fill in order.fills}) == 3
    sale = desk.order("0.06", side="sell")
    assert [fill.price for fill in sale.fills] == [Decimal("64119.99"), Decimal(64_110), Decimal(64_000)]


def test_a_small_market_order_fills_at_the_best_price_without_impact(desk: Desk) -> None:
    desk.market.set_book(BTC, bids=BIDS, asks=ASKS)
    [fill] = desk.order("0.02").fills
    assert fill.price == Decimal(64_120)


def test_what_the_book_does_not_offer_a_market_order_is_cancelled_and_the_fills_stay(desk: Desk) -> None:
    desk.market.set_book(BTC, bids=BIDS, asks={"64120": "0.02", "64130": "0.03"})
    order = desk.order("0.06")
    assert (order.status, order.filled) == ("cancelled", Decimal("0.05"))
    assert order.reason == "0.05 of 0.06 BTC could be filled at once."
    assert desk.held() == Decimal("0.05")


def test_a_market_order_leaves_levels_alone_that_are_too_far_from_the_best_price(desk: Desk) -> None:
    desk.market.set_book(BTC, bids=BIDS, asks={"64120": "0.02", "67326": "0.01", "67326.01": "1"})
    order = desk.order("0.05")
    # Five per cent above 64,120 is 67,326 exactly.
    assert (order.status, order.filled) == ("cancelled", Decimal("0.03"))


def test_a_crossing_limit_takes_what_its_price_reaches_and_rests_with_the_rest(desk: Desk) -> None:
    desk.market.set_book(BTC, bids={"64100": "1"}, asks={"64105": "0.02", "64110": "0.03", "64200": "1"})
    order = desk.limit("0.06", 64_115)
    assert (order.status, order.filled) == ("partially_filled", Decimal("0.05"))
    assert desk.context.ledger.ticket(order.ticket_id).status == "partially_filled"
    # What rests holds back its own price and a taker's fee, no more.
    held_back = desk.paper.for_account(ACCOUNT).balances()["USDT"]
    assert held_back.total - held_back.free == Decimal("641.79115")
    [told] = desk.paper.open_orders()
    assert (told.quantity, told.filled) == (Decimal("0.06"), Decimal("0.05"))
    assert desk.minute(64_116, 64_200, volume=50) == 0
    assert desk.minute(64_115, 64_200, volume=50) == 1
    assert desk.standing(order.id) == ("filled", Decimal("0.06"))
    last = desk.context.ledger.order(order.id).fills[-1]
    # The rest rested: it gets its own price and pays a maker's fee.
    assert (last.price, last.fee) == (Decimal(64_115), Decimal("0.51292"))


def test_an_immediate_or_cancel_order_keeps_what_it_got_and_ends(desk: Desk) -> None:
    desk.market.set_book(BTC, bids=BIDS, asks=ASKS)
    order = desk.limit("0.06", 64_150, time_in_force="IOC")
    assert (order.status, order.filled) == ("cancelled", Decimal("0.05"))
    assert desk.paper.open_orders() == ()
    assert desk.held() == Decimal("0.05")


def test_a_fill_or_kill_order_that_the_book_cannot_fill_whole_fills_nothing(desk: Desk) -> None:
    desk.market.set_book(BTC, bids=BIDS, asks=ASKS)
    killed = desk.limit("0.06", 64_150, time_in_force="FOK")
    assert (killed.status, killed.filled, killed.fills) == ("cancelled", Decimal(0), ())
    assert killed.reason == "Nothing could be filled at once."
    whole = desk.limit("0.06", 64_200, time_in_force="FOK")
    assert (whole.status, whole.filled) == ("filled", Decimal("0.06"))


def test_without_a_book_a_market_order_gets_a_tenth_of_what_is_traded_in_a_candle(desk: Desk) -> None:
    for number in range(1, 5):
        desk.market.set_candle(BTC, desk.clock.now() - timedelta(minutes=number), 64_100, 64_200, volume=0.5)
    order = desk.order("0.08")
    assert (order.status, order.filled) == ("cancelled", Decimal("0.05"))
    # The same account has had its share of this minute.
    again = desk.order("0.02")
    assert (again.status, again.filled) == ("cancelled", Decimal(0))
    desk.clock.advance(timedelta(minutes=1))
    desk.market.set_quote(BTC, "64119.99", "64120.00")
    assert desk.order("0.02").status == "filled"


def test_a_resting_order_fills_a_tenth_of_each_candle_that_touches_it(desk: Desk) -> None:
    order = desk.limit("0.06", 64_000)
    assert desk.minute(63_990, 64_200, volume=0.25) == 1
    # A tenth of 0.25 is no whole number of lots of 0.0001 short of 0.025.
    assert desk.standing(order.id) == ("partially_filled", Decimal("0.025"))
    assert desk.minute(64_010, 64_200, volume=50) == 0
    assert desk.minute(63_990, 64_200, volume=0.25) == 1
    assert desk.minute(63_990, 64_200, volume=0.25) == 1
    assert desk.standing(order.id) == ("filled", Decimal("0.06"))
    fills = desk.context.ledger.order(order.id).fills
    assert [fill.quantity for fill in fills] == [Decimal("0.025"), Decimal("0.025"), Decimal("0.01")]
    assert {fill.price for fill in fills} == {Decimal(64_000)}


def test_a_candle_is_held_against_an_order_once(desk: Desk) -> None:
    order = desk.limit("0.06", 64_000)
    assert desk.minute(63_990, 64_200, volume=0.25) == 1
    assert desk.paper.match(desk.market.now()) == 0
    other = PaperBroker(desk.paper._engine, desk.market, desk.clock)
    assert other.match(desk.market.now()) == 0
    assert desk.standing(order.id) == ("partially_filled", Decimal("0.025"))


def test_orders_of_one_account_share_a_candle(desk: Desk) -> None:
    first, second = desk.limit("0.02", 64_000), desk.limit("0.02", 63_995)
    assert desk.minute(63_990, 64_200, volume=0.25) == 2
    filled = [desk.standing(order.id)[1] for order in (first, second)]
    assert sum(filled) == Decimal("0.025")


def test_a_candle_without_trades_fills_nothing_where_the_market_tells_volumes(desk: Desk) -> None:
    order = desk.limit("0.02", 64_000)
    desk.minute(64_100, 64_200, volume=1)
    assert desk.minute(63_990, 64_200, volume=0) == 0
    assert desk.standing(order.id) == ("accepted", Decimal(0))


def test_where_the_market_tells_no_volume_at_all_orders_fill_whole(desk: Desk) -> None:
    order = desk.limit("0.1", 64_000)
    desk.minute(64_100, 64_200, volume=0)
    assert desk.minute(63_990, 64_200, volume=0) == 1
    assert desk.standing(order.id) == ("filled", Decimal("0.1"))


def test_a_quote_fills_a_resting_order_no_faster_than_candles_would(desk: Desk) -> None:
    order = desk.limit("0.06", 64_000)
    desk.minute(64_100, 64_200, volume=0.25)
    for _ in range(3):
        desk.clock.advance(timedelta(seconds=3))
        desk.market.set_quote(BTC, "63989.99", "63990.00")
        desk.paper.match(desk.market.now())
    sync_fills(desk.context.ledger, desk.paper)
    assert desk.standing(order.id) == ("partially_filled", Decimal("0.025"))
    desk.clock.advance(timedelta(minutes=1))
    desk.market.set_quote(BTC, "63989.99", "63990.00")
    assert desk.paper.match(desk.market.now()) == 1


def test_cancelling_an_order_that_filled_in_part_keeps_its_fills(desk: Desk) -> None:
    order = desk.limit("0.06", 64_000)
    desk.minute(63_990, 64_200, volume=0.25)
    cancelled = desk.paper.cancel(order.id, BTC)
    assert (cancelled.status, cancelled.filled) == ("cancelled", Decimal("0.025"))
    assert desk.minute(63_990, 64_200, volume=50) == 0
    assert desk.standing(order.id) == ("cancelled", Decimal("0.025"))
    balance = desk.paper.for_account(ACCOUNT).balances()["USDT"]
    assert balance.total == balance.free == desk.context.ledger.account(ACCOUNT).balances["USDT"]


def test_exits_grow_with_the_parts_of_their_entry(desk: Desk) -> None:
    entry = desk.limit("0.06", 64_000, stop_loss=Decimal(62_000), take_profit=Decimal(66_000))
    desk.minute(63_990, 64_200, volume=0.25)
    legs = [f"{entry.id}-sl", f"{entry.id}-tp"]
    assert [desk.leg(leg) for leg in legs] == [("accepted", Decimal("0.025"))] * 2
    # The ledger has them while the entry is still open.
    assert {order.quantity for order in desk.context.ledger.exits_of(entry.id)} == {Decimal("0.025")}
    desk.minute(63_990, 64_200, volume=0.25)
    assert [desk.leg(leg) for leg in legs] == [("accepted", Decimal("0.05"))] * 2
    assert {order.quantity for order in desk.context.ledger.exits_of(entry.id)} == {Decimal("0.05")}
    desk.minute(63_990, 64_200, volume=50)
    assert [desk.leg(leg) for leg in legs] == [("accepted", Decimal("0.06"))] * 2
    assert desk.standing(entry.id) == ("filled", Decimal("0.06"))
    exits = desk.context.ledger.exits_of(entry.id)
    assert [(order.id, order.quantity, order.held_by) for order in exits] == [
        (leg, Decimal("0.06"), "venue") for leg in legs
    ]


def test_an_entry_that_is_cancelled_in_the_middle_stays_protected_for_what_it_filled(desk: Desk) -> None:
    entry = desk.limit("0.06", 64_000, stop_loss=Decimal(62_000))
    desk.minute(63_990, 64_200, volume=0.25)
    desk.paper.cancel(entry.id, BTC)
    sync_fills(desk.context.ledger, desk.paper)
    assert desk.context.ledger.order(f"{entry.id}-sl").quantity == Decimal("0.025")
    assert desk.minute(61_000, 64_200, volume=50) == 1
    assert desk.standing(f"{entry.id}-sl") == ("filled", Decimal("0.025"))
    assert desk.held() == 0


@pytest.mark.parametrize(("low", "high", "leg"), [(61_000, 63_995, "sl"), (64_050, 66_100, "tp")])
def test_an_exit_that_sells_ends_what_is_still_open_of_its_entry(desk: Desk, low: int, high: int, leg: str) -> None:
    entry = desk.limit("0.06", 64_000, stop_loss=Decimal(62_000), take_profit=Decimal(66_000))
    desk.minute(63_990, 64_200, volume=0.25)
    # A candle so small that the entry, which it may touch as well, cannot take it all up first.
    desk.minute(low, high, volume=50)
    sync_fills(desk.context.ledger, desk.paper)
    after = desk.context.ledger.order(entry.id)
    assert after.status in {"cancelled", "filled"}
    assert desk.standing(f"{entry.id}-{leg}") == ("filled", after.filled)
    assert desk.held() == 0
    assert desk.paper.open_orders() == ()
    guard_exits(desk.context, desk.paper, desk.clock.now())
    assert desk.context.ledger.orders(status="open") == ()


def test_a_stop_that_a_candle_fills_in_part_goes_on_selling_though_the_price_came_back(desk: Desk) -> None:
    entry = desk.order("0.06", stop_loss=Decimal(62_000), take_profit=Decimal(66_000))
    assert desk.minute(61_900, 64_100, volume=0.25) == 1
    assert desk.standing(f"{entry.id}-sl") == ("partially_filled", Decimal("0.025"))
    assert desk.leg(f"{entry.id}-tp") == ("accepted", Decimal("0.035"))
    # The quote between the candles had nothing left of that minute's share; the next minute's candle has.
    desk.minute(64_100, 64_200, volume=50)
    assert desk.standing(f"{entry.id}-sl") == ("filled", Decimal("0.06"))
    assert desk.context.ledger.order(f"{entry.id}-tp").status == "cancelled"
    assert desk.held() == 0


def test_a_take_profit_that_fills_in_part_leaves_the_stop_for_the_rest(desk: Desk) -> None:
    entry = desk.order("0.06", stop_loss=Decimal(62_000), take_profit=Decimal(66_000))
    desk.minute(65_000, 66_100, volume=0.25)
    assert desk.leg(f"{entry.id}-tp") == ("partially_filled", Decimal("0.06"))
    assert desk.leg(f"{entry.id}-sl") == ("accepted", Decimal("0.035"))
    desk.minute(61_900, 64_100, volume=50)
    assert desk.standing(f"{entry.id}-sl") == ("filled", Decimal("0.035"))
    assert desk.standing(f"{entry.id}-tp") == ("cancelled", Decimal("0.025"))
    assert desk.held() == 0


def test_an_exit_that_a_person_cancels_does_not_come_back_with_the_next_part(desk: Desk) -> None:
    entry = desk.limit("0.06", 64_000, stop_loss=Decimal(62_000), take_profit=Decimal(66_000))
    desk.minute(63_990, 64_200, volume=0.25)
    assert desk.paper.cancel(f"{entry.id}-tp", BTC).by_request
    desk.minute(63_990, 64_200, volume=50)
    guard_exits(desk.context, desk.paper, desk.clock.now())
    assert desk.leg(f"{entry.id}-tp")[0] == "cancelled"
    assert desk.leg(f"{entry.id}-sl") == ("accepted", Decimal("0.06"))
    waiting = [order.id for order in desk.context.ledger.exits_of(entry.id) if order.status == "accepted"]
    assert waiting == [f"{entry.id}-sl"]


def test_selling_all_that_an_open_entry_bought_ends_the_entry_and_its_exits(desk: Desk) -> None:
    entry = desk.limit("0.06", 64_000, stop_loss=Decimal(62_000))
    desk.minute(63_990, 64_200, volume=0.25)
    desk.minute(64_100, 64_200, volume=50)
    desk.order("0.025", side="sell")
    sync_fills(desk.context.ledger, desk.paper)
    after = desk.context.ledger.order(entry.id)
    assert (after.status, after.reason) == ("cancelled", "The holding that it was building was sold.")
    assert desk.leg(f"{entry.id}-sl")[0] == "cancelled"
    assert desk.held() == 0


def test_a_stop_whose_price_is_reached_walks_the_book(desk: Desk) -> None:
    entry = desk.order("0.06", stop_loss=Decimal(64_100))
    desk.clock.advance(timedelta(seconds=3))
    desk.market.set_book(BTC, bids={"64090": "0.02", "64080": "0.03", "64000": "1"}, asks={"64091": "1"})
    assert desk.paper.match(desk.market.now()) == 1
    sync_fills(desk.context.ledger, desk.paper)
    fills = desk.context.ledger.order(f"{entry.id}-sl").fills
    assert [(fill.price, fill.quantity) for fill in fills] == [
        (Decimal(64_090), Decimal("0.02")),
        (Decimal(64_080), Decimal("0.03")),
        (Decimal(64_000), Decimal("0.01")),
    ]


def test_a_stop_entry_that_fills_in_parts_has_its_exits_from_the_first_part_on(desk: Desk) -> None:
    order = desk.order("0.06", order_type="stop", stop_price=Decimal(65_000), stop_loss=Decimal(62_000))
    desk.minute(64_900, 65_100, volume=0.25)
    assert desk.standing(order.id) == ("partially_filled", Decimal("0.025"))
    assert desk.leg(f"{order.id}-sl") == ("accepted", Decimal("0.025"))
    [told] = [each for each in desk.paper.open_orders() if each.client_order_id == order.id]
    assert (told.order_type, told.stop_price) == ("stop", Decimal(65_000))
    desk.minute(64_100, 64_200, volume=50)
    assert desk.standing(order.id) == ("filled", Decimal("0.06"))


@pytest.mark.parametrize(
    ("listing", "fields", "told"),
    [
        ({"is_trading": False}, {}, "takes no orders now"),
        ({"order_types": frozenset({"market", "limit"})}, {"stop_price": Decimal(65_000)}, "takes no stop orders"),
        (
            {"times_in_force": frozenset({"GTC"})},
            {"limit_price": Decimal(64_200), "time_in_force": "FOK"},
            "takes no FOK orders",
        ),
        ({"lot_size": Decimal("0.04")}, {}, "no whole number of lots"),
        ({"tick_size": Decimal(7)}, {"limit_price": Decimal(64_200)}, "no whole number of ticks"),
        ({"min_notional": Decimal(5_000)}, {}, "below the least"),
        ({"max_quantity": Decimal("0.01")}, {}, "more than the market takes"),
    ],
)
def test_what_the_market_does_not_take_any_more_is_rejected_as_a_venue_would(
    desk: Desk, listing: dict[str, Any], fields: dict[str, Any], told: str
) -> None:
    kind: OrderType = "stop" if "stop_price" in fields else "limit" if "limit_price" in fields else "market"
    intent = OrderIntent(ACCOUNT, "thread-1", BTC, "buy", Decimal("0.05"), order_type=kind)
    sent = ApprovedTicket(prepare_ticket(replace(intent, **fields), desk.context, owner="ann"))
    desk.market.listed = (replace(desk.market.listed[0], **listing), *desk.market.listed[1:])
    with pytest.raises(OrderRejected, match=told):
        desk.paper.place(sent)
    assert desk.paper.find(sent.ticket.client_order_id, BTC) is None
