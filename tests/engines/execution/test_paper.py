"""The paper venue's fill model: what rests, what fills, at which price, and what follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from engines.domain.clock import ManualClock
from engines.domain.orders import Order, OrderIntent
from engines.errors import ConfigurationError, NotFound
from engines.execution.context import OrderContext
from engines.execution.paper import PaperBroker
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit
from engines.execution.sync import sync_fills
from engines.market.fixed import FixedMarket

ACCOUNT = "paper-fixed-usdt:ann"


@pytest.fixture
def database_url() -> str:
    """The fill model does not depend on the database; the broker contract runs on both."""
    return ""


class Desk:
    """Orders in one line, and a minute that passes with the candle it made."""

    def __init__(self, context: OrderContext, market: FixedMarket, paper: PaperBroker, clock: ManualClock) -> None:
        self.context, self.market, self.paper, self.clock = context, market, paper, clock

    def order(self, quantity: str, **fields: Any) -> Order:
        intent = OrderIntent(ACCOUNT, "thread-1", "BTC/USDT", "buy", Decimal(quantity))
        ticket = prepare_ticket(replace(intent, **fields), self.context, owner="ann")
        self.context.ledger.decide(ticket.id, "approve", ticket.hash, "ann")
        order = submit(ticket.id, self.context, self.paper)
        assert order is not None
        return order

    def minute(self, low: float, high: float, opened: float | None = None) -> int:
        """One 1m candle passes while the quote stays where the candle closed; how many orders filled."""
        start = self.clock.now().replace(second=0, microsecond=0)
        middle = (low + high) / 2
        self.market.set_ohlc("BTC/USDT", start, (middle if opened is None else opened, high, low, middle))
        self.clock.advance(timedelta(minutes=1))
        self.market.set_quote("BTC/USDT", str(middle), str(middle + 0.01))
        filled = self.paper.match(self.market.now())
        sync_fills(self.context.ledger, self.paper)
        return filled

    def status(self, order_id: str) -> tuple[str, Decimal | None]:
        order = self.context.ledger.order(order_id)
        return order.status, order.average_price

    def held(self) -> Decimal:
        return self.context.ledger.account(ACCOUNT).balances.get("BTC", Decimal(0))


@pytest.fixture
def desk(context: OrderContext, market: FixedMarket, paper: PaperBroker, hand_clock: ManualClock) -> Desk:
    return Desk(context, market, paper, hand_clock)


def test_the_model_is_stated_in_words(paper: PaperBroker) -> None:
    assert all(word in paper.model for word in ("0 ms", "0.01 %", "10 %", "order book", "stop-loss counts", "Fees"))


def test_a_market_sale_gets_less_than_the_bid(desk: Desk) -> None:
    desk.order("0.1")
    sale = desk.order("0.1", side="sell")
    # 64,119.99 less 0.01064120 %, down to the tick.
    assert sale.average_price == Decimal("64113.16")
    assert desk.held() == 0


def test_a_limit_order_that_crosses_fills_at_once_and_never_above_its_price(desk: Desk) -> None:
    order = desk.order("0.1", order_type="limit", limit_price=Decimal(64121))
    assert desk.status(order.id) == ("filled", Decimal(64_121))
    assert order.fills[0].fee == Decimal("6.4121")


def test_a_resting_buy_fills_at_its_price_as_maker_once_a_candle_touches_it(desk: Desk) -> None:
    order = desk.order("0.1", order_type="limit", limit_price=Decimal(64_000))
    assert order.status == "accepted"
    assert desk.minute(64_000.01, 64_200) == 0
    assert desk.minute(64_000, 64_200) == 1
    assert desk.status(order.id) == ("filled", Decimal(64_000))
    [fill] = desk.context.ledger.fills(ACCOUNT)
    assert fill.fee == Decimal("5.12")


def test_a_candle_that_opened_before_the_order_arrived_does_not_fill_it(desk: Desk) -> None:
    desk.clock.advance(timedelta(seconds=30))
    desk.market.set_quote("BTC/USDT", "64119.99", "64120.00")
    order = desk.order("0.1", order_type="limit", limit_price=Decimal(64_000))
    desk.clock.advance(timedelta(seconds=-30))
    assert desk.minute(63_000, 65_000) == 0
    assert desk.status(order.id)[0] == "accepted"


def test_a_resting_order_fills_from_the_quote_between_candles(desk: Desk) -> None:
    order = desk.order("0.1", order_type="limit", limit_price=Decimal(64_000))
    desk.clock.advance(timedelta(seconds=5))
    desk.market.set_quote("BTC/USDT", "63999.98", "63999.99")
    assert desk.paper.match(desk.market.now()) == 1
    [changed] = sync_fills(desk.context.ledger, desk.paper)
    assert (changed.id, changed.average_price) == (order.id, Decimal(64_000))


@pytest.mark.parametrize(
    ("opened", "price"),
    [
        (64_100.0, "61993.41"),  # through 62,000 within the candle: the stop, less impact
        (61_500.0, "61493.47"),  # opened beyond it: the open, less impact
    ],
)
def test_a_stop_loss_fills_at_its_price_or_worse(desk: Desk, opened: float, price: str) -> None:
    entry = desk.order("0.1", stop_loss=Decimal(62_000))
    assert desk.minute(61_000, 64_200, opened) == 1
    assert desk.status(f"{entry.id}-sl") == ("filled", Decimal(price))
    assert desk.held() == 0


def test_a_take_profit_fills_at_its_price_and_takes_the_stop_loss_away(desk: Desk) -> None:
    entry = desk.order("0.1", stop_loss=Decimal(62_000), take_profit=Decimal(66_000))
    assert desk.minute(64_000, 66_100) == 1
    assert desk.status(f"{entry.id}-tp") == ("filled", Decimal(66_000))
    other = desk.context.ledger.order(f"{entry.id}-sl")
    assert (other.status, other.reason) == ("cancelled", f"The other leg, {entry.id}-tp, was filled.")
    assert desk.minute(60_000, 66_000) == 0


def test_a_candle_that_touches_both_legs_counts_as_the_stop_loss(desk: Desk) -> None:
    entry = desk.order("0.1", stop_loss=Decimal(62_000), take_profit=Decimal(66_000))
    assert desk.minute(61_000, 67_000) == 1
    assert desk.status(f"{entry.id}-sl")[0] == "filled"
    assert desk.status(f"{entry.id}-tp")[0] == "cancelled"


def test_the_earlier_of_two_candles_decides_after_a_pause(desk: Desk) -> None:
    entry = desk.order("0.1", stop_loss=Decimal(62_000), take_profit=Decimal(66_000))
    start = desk.clock.now()
    desk.market.set_candle("BTC/USDT", start, 64_000, 66_500)
    desk.market.set_candle("BTC/USDT", start + timedelta(minutes=1), 61_000, 66_500)
    desk.clock.advance(timedelta(minutes=2))
    desk.market.set_quote("BTC/USDT", "64000", "64000.01")
    assert desk.paper.match(desk.market.now()) == 1
    sync_fills(desk.context.ledger, desk.paper)
    filled = desk.context.ledger.order(f"{entry.id}-tp")
    assert (filled.status, filled.fills[0].time) == ("filled", start + timedelta(minutes=1))


def test_a_resting_entry_brings_its_bracket_when_it_fills(desk: Desk) -> None:
    prices = {"limit_price": Decimal(63_000), "stop_loss": Decimal(62_000), "take_profit": Decimal(66_000)}
    entry = desk.order("0.1", order_type="limit", **prices)
    assert len(desk.context.ledger.orders(ACCOUNT)) == 1
    # The same candle also touches the take-profit; that may have been before the entry, so it does not count.
    assert desk.minute(62_900, 66_100) == 1
    assert desk.status(f"{entry.id}-tp")[0] == desk.status(f"{entry.id}-sl")[0] == "accepted"
    assert desk.held() == Decimal("0.1")


def test_an_entry_and_its_stop_loss_can_fall_to_one_candle(desk: Desk) -> None:
    entry = desk.order("0.1", order_type="limit", limit_price=Decimal(63_000), stop_loss=Decimal(62_000))
    assert desk.minute(61_900, 64_100) == 2
    assert desk.status(f"{entry.id}-sl")[0] == "filled"
    assert desk.held() == 0


def test_a_stop_entry_buys_above_its_price(desk: Desk) -> None:
    order = desk.order("0.1", order_type="stop", stop_price=Decimal(65_000))
    assert desk.minute(64_000, 64_999) == 0
    assert desk.minute(64_000, 65_100) == 1
    assert desk.status(order.id) == ("filled", Decimal("65006.93"))


def test_selling_a_holding_takes_its_protection_away(desk: Desk) -> None:
    entry = desk.order("0.1", stop_loss=Decimal(62_000), take_profit=Decimal(66_000))
    desk.order("0.04", side="sell")
    sync_fills(desk.context.ledger, desk.paper)
    legs = [desk.context.ledger.order(f"{entry.id}-{leg}") for leg in ("sl", "tp")]
    assert [(leg.status, leg.quantity) for leg in legs] == [("accepted", Decimal("0.06"))] * 2
    desk.order("0.06", side="sell", reduce_only=True)
    sync_fills(desk.context.ledger, desk.paper)
    legs = [desk.context.ledger.order(f"{entry.id}-{leg}") for leg in ("sl", "tp")]
    assert [(leg.status, leg.reason) for leg in legs] == [("cancelled", "The holding it protected was sold.")] * 2
    assert desk.minute(61_000, 67_000) == 0
    assert desk.held() == 0


def test_a_buy_that_the_cash_no_longer_covers_when_it_triggers_is_cancelled(desk: Desk) -> None:
    roomy = replace(desk.context.limits, max_order_notional=Decimal(99_000), resting_collar_percent=Decimal(90))
    desk.context = replace(desk.context, limits=roomy)
    order = desk.order("1.5", order_type="stop", stop_price=Decimal(65_900))
    assert desk.minute(64_000, 90_000, 89_000) == 0
    after = desk.context.ledger.order(order.id)
    assert after.status == "cancelled"
    assert "the account has 100000.00" in after.reason
    assert desk.context.ledger.account(ACCOUNT).reserved == {}


def test_a_long_pause_is_matched_with_coarser_candles(desk: Desk) -> None:
    order = desk.order("0.1", order_type="limit", limit_price=Decimal(60_000))
    start = desk.clock.now()
    for hour in range(72):
        desk.market.set_candle(
            "BTC/USDT", start + timedelta(hours=hour), 59_900 if hour == 50 else 64_000, 64_200, "1h"
        )
    desk.clock.advance(timedelta(hours=72))
    desk.market.set_quote("BTC/USDT", "64119.99", "64120.00")
    assert desk.paper.match(desk.market.now()) == 1
    sync_fills(desk.context.ledger, desk.paper)
    assert desk.context.ledger.order(order.id).fills[0].time == start + timedelta(hours=51)


def test_matching_twice_fills_once(desk: Desk) -> None:
    desk.order("0.1", order_type="limit", limit_price=Decimal(64_000))
    assert desk.minute(63_900, 64_200) == 1
    assert desk.paper.match(desk.market.now()) == 0
    assert len(desk.context.ledger.fills(ACCOUNT)) == 1


def test_a_clock_set_back_matches_nothing_until_it_has_caught_up(desk: Desk) -> None:
    order = desk.order("0.1", order_type="limit", limit_price=Decimal(64_000))
    desk.clock.advance(timedelta(minutes=-10))
    desk.market.set_quote("BTC/USDT", "64119.99", "64120.00")
    assert desk.paper.match(desk.market.now()) == 0
    desk.clock.advance(timedelta(minutes=10))
    assert desk.minute(63_900, 64_200) == 1
    assert desk.status(order.id) == ("filled", Decimal(64_000))


def test_orders_of_another_market_never_meet_this_markets_prices(desk: Desk, desk_engine: Engine) -> None:
    order = desk.order("0.1", order_type="limit", limit_price=Decimal(60_000))
    elsewhere = FixedMarket(desk.market.listed[:1], desk.clock, name="elsewhere")
    elsewhere.set_quote("BTC/USDT", "50000", "50001")
    assert PaperBroker(desk_engine, elsewhere, desk.clock).match(elsewhere.now()) == 0
    without_btc = FixedMarket(desk.market.listed[1:], desk.clock, name="without-btc")
    assert PaperBroker(desk_engine, without_btc, desk.clock).match(without_btc.now()) == 0
    assert desk.minute(59_900, 64_200) == 1
    assert desk.status(order.id) == ("filled", Decimal(60_000))


def test_a_symbol_that_is_no_longer_listed_holds_up_no_other(desk: Desk) -> None:
    delisted = desk.order("0.1", order_type="limit", limit_price=Decimal(64_000))
    other = desk.order("1", symbol="ETH/USDT", order_type="limit", limit_price=Decimal(3_000))
    desk.market.listed = desk.market.listed[1:]
    desk.market.set_quote("ETH/USDT", "2999.98", "2999.99")
    assert desk.paper.match(desk.market.now()) == 1
    sync_fills(desk.context.ledger, desk.paper)
    assert desk.status(other.id) == ("filled", Decimal(3_000))
    assert desk.status(delisted.id) == ("accepted", None)


def test_what_is_not_known_cannot_be_found_or_cancelled(desk: Desk) -> None:
    assert desk.paper.find("qtp-none", "BTC/USDT") is None
    with pytest.raises(NotFound, match="no order 'qtp-none'"):
        desk.paper.cancel("qtp-none", "BTC/USDT")


def test_the_venue_tells_its_open_orders_balances_and_fills(desk: Desk, paper: PaperBroker) -> None:
    own = paper.for_account(ACCOUNT)
    bought = desk.order("0.1", stop_loss=Decimal(60_000), take_profit=Decimal(70_000))
    waiting = desk.order("0.1", order_type="limit", limit_price=Decimal(60_000))
    told = {order.client_order_id: order for order in own.open_orders()}
    assert set(told) == {waiting.id, f"{bought.id}-sl", f"{bought.id}-tp"}
    assert (told[waiting.id].side, told[waiting.id].limit_price) == ("buy", Decimal(60_000))
    assert (told[f"{bought.id}-sl"].order_type, told[f"{bought.id}-sl"].stop_price) == ("stop", Decimal(60_000))
    balances, account = own.balances(), desk.context.ledger.account(ACCOUNT)
    assert {name: balance.total for name, balance in balances.items()} == account.balances
    # What the buy would cost and its fee; exits hold nothing back here.
    assert balances["USDT"].total - balances["USDT"].free == Decimal(6006)
    assert balances["BTC"].free == Decimal("0.1")
    [fill] = bought.fills
    at_ms = int(fill.time.timestamp() * 1000)
    assert own.fills_since("BTC/USDT", at_ms) == (fill,)
    assert own.fills_since("BTC/USDT", at_ms + 1) == own.fills_since("ETH/USDT", 0) == ()
    assert paper.open_orders() == own.open_orders()
    with pytest.raises(ConfigurationError, match="Whose balances"):
        paper.balances()
    with pytest.raises(NotFound, match="no account"):
        paper.for_account("paper-fixed-usdt:nobody").balances()
    assert paper.for_account("paper-fixed-usdt:nobody").open_orders() == ()
