"""The pre-trade rules 3 to 13, each by its number: what breaks one is stopped before the venue has seen anything.

Rules 1, 2 and 23 are about live trading and are tested where it is: without all of its parts no live broker exists,
and no order leaves while our clock and the venue's are apart.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from engines.domain.clock import ManualClock
from engines.domain.orders import Order
from engines.errors import (
    Conflict,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    VenueUnavailable,
)
from engines.execution.broker import ApprovedTicket, VenueOrder
from engines.execution.paper import PaperBroker

HUGE = Decimal(10**9)


def test_rule_03_an_unknown_symbol_is_denied(desk: Any) -> None:
    desk.refused("no XYZ/USDT", NotFound, symbol="XYZ/USDT")


def test_rule_03_an_inactive_symbol_is_denied(desk: Any) -> None:
    ticket = desk.approved(desk.ticket())
    desk.list_as(is_trading=False)
    desk.refused("BTC/USDT is listed and does not trade now")
    desk.denied(ticket, "does not trade now")


def test_rule_03_trading_rules_read_too_long_ago_are_not_relied_on(desk: Any) -> None:
    desk.list_as(listed_at=desk.market.now() - timedelta(hours=24))
    assert desk.ticket().status == "pending"
    desk.list_as(listed_at=desk.market.now() - timedelta(hours=24, seconds=1))
    desk.refused(r"The trading rules of BTC/USDT were read 24 h ago and the limit is 24 h \(limits v1\)")


BAD_NUMBERS = [Decimal(text) for text in ("NaN", "sNaN", "Infinity", "-Infinity", "0", "-0", "-0.1", "1e400", "1e16")]


def test_rule_04_what_is_no_positive_amount_is_denied_as_quantity(desk: Any) -> None:
    for number in (*BAD_NUMBERS, True, False, 0.1, "0.1", "0.1 BTC", None):
        desk.refused("is no quantity to buy", InvalidRequest, quantity=number)


@pytest.mark.parametrize("name", ["limit_price", "stop_price", "stop_loss", "take_profit"])
def test_rule_04_what_is_no_positive_amount_is_denied_as_price(desk: Any, name: str) -> None:
    spoken = name.replace("stop_loss", "stop-loss").replace("take_profit", "take-profit").replace("_", " ")
    for number in (*BAD_NUMBERS, True, 60_000.0, "60k"):
        desk.refused(f"is no {spoken}", InvalidRequest, **{name: number})


def test_rule_05_off_step_numbers_are_rounded_to_safety_and_shown_again(desk: Any) -> None:
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
    desk: Any, rules: dict[str, Any], amount: str, message: str
) -> None:
    desk.list_as(**rules)
    desk.refused(message, InvalidRequest, amount=amount)


def test_rule_06_more_than_the_market_takes_is_denied(desk: Any) -> None:
    desk.list_as(max_quantity=Decimal("0.1"))
    assert desk.ticket().status == "pending"
    desk.refused("above this market's maximum of 0.1 BTC", amount="0.1001")
    # 0.1 BTC is 6,412 at the ask and 6,418.41 when a market order slips by 0.1 %.
    desk.list_as(max_quantity=None, max_notional=Decimal(6_415))
    desk.refused("above this market's maximum of 6,415 USDT")
    assert desk.ticket(order_type="limit", limit_price=Decimal(64_120)).status == "pending"


def test_rule_07_each_cap_denies_what_goes_over_it(desk: Any) -> None:
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
    desk: Any, hand_clock: ManualClock
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


def test_rule_07_caps_hold_again_when_the_ticket_is_sent(desk: Any) -> None:
    desk.limit(max_symbol_exposure=Decimal(10_000), duplicate_seconds=0)
    first, second = (desk.approved(desk.ticket()) for _ in range(2))
    desk.sent(first)
    desk.denied(second, "in BTC with this order the account would hold")


def test_rule_08_a_price_far_from_the_market_is_denied(desk: Any) -> None:
    desk.refused("10.7 % from the market's", order_type="limit", limit_price=Decimal(71_000))


def test_rule_08_a_last_trade_far_from_bid_and_ask_is_denied(desk: Any) -> None:
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
def test_rule_08_without_a_reference_price_nothing_is_ordered(desk: Any, bid: str, ask: str) -> None:
    ticket = desk.approved(desk.ticket())
    desk.market.set_quote("BTC/USDT", bid, ask)
    desk.refused("no usable price", VenueUnavailable)
    with pytest.raises(VenueUnavailable):
        desk.sent(ticket)
    assert desk.broker.find(ticket.client_order_id, "BTC/USDT") is None


@pytest.mark.parametrize(("seconds", "message"), [(61, "is 61 s old"), (-3, "lies in the future")])
def test_rule_09_a_stale_quote_or_one_from_the_future_is_denied(desk: Any, seconds: int, message: str) -> None:
    quote = desk.market.quote("BTC/USDT")
    desk.market._quotes["BTC/USDT"] = replace(quote, time=quote.time - timedelta(seconds=seconds))
    desk.refused(message)


class CutOff(PaperBroker):
    """A paper venue whose answers are cut off and which cannot be asked."""

    def place(self, approved: ApprovedTicket) -> VenueOrder:
        raise OutcomeUnknown("The answer was cut off.")

    def find(self, client_order_id: str, symbol: str, *, since: datetime | None = None) -> VenueOrder | None:
        raise VenueUnavailable("The venue does not answer.")


def test_rule_10_open_and_unclear_orders_hold_back_their_balance_with_fees(desk: Any, desk_engine: Engine) -> None:
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


def test_rule_11_more_than_is_held_is_not_sold(desk: Any) -> None:
    desk.trade("buy", "0.1")
    desk.refused("selling 0.1001 BTC is not possible on a spot account", side="sell", amount="0.1001")
    desk.refused("may only reduce a holding, and you hold 0.1 BTC", side="sell", amount="0.2", reduce_only=True)
    desk.refused("may only reduce a holding", reduce_only=True)


def test_rule_12_a_hundred_orders_at_once_never_spend_more_than_there_is(desk: Any) -> None:
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


def test_rule_13_one_ticket_is_one_order_however_often_it_is_pressed(desk: Any) -> None:
    ticket = desk.ticket()

    def press(_: int) -> Order | None:
        with suppress(Conflict):
            desk.approved(ticket)
        order: Order | None = desk.sent(ticket)
        return order

    with ThreadPoolExecutor(10) as pool:
        orders = {order.id for order in pool.map(press, range(30)) if order is not None}
    assert orders == {ticket.client_order_id}
    assert len(desk.broker.fills_since("BTC/USDT", 0)) == 1
    assert desk.context.ledger.account(desk.account.id).balances["BTC"] == Decimal("0.1")
