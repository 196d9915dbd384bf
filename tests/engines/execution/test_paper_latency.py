"""How long an order travels to the paper venue, and what it meets there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from engines.domain.clock import ManualClock, SystemClock
from engines.domain.orders import OrderIntent
from engines.errors import ConfigurationError
from engines.execution.broker import ApprovedTicket, VenueOrder
from engines.execution.context import OrderContext
from engines.execution.paper import PaperBroker
from engines.execution.paper_model import MODEL, PaperModel
from engines.execution.prepare import prepare_ticket
from engines.market.fixed import FixedMarket

ACCOUNT = "paper-fixed-usdt:ann"
BTC = "BTC/USDT"
START = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)


class Road(ManualClock):
    """Time in which the market moves while somebody waits."""

    meanwhile: Callable[[], None] | None = None

    def wait(self, span: timedelta) -> None:
        super().wait(span)
        if self.meanwhile is not None:
            self.meanwhile()


@pytest.fixture
def database_url() -> str:
    """How orders travel does not depend on the database."""
    return ""


@pytest.fixture
def hand_clock() -> Road:
    return Road(START)


@pytest.fixture
def paper(desk_engine: Engine, market: FixedMarket, hand_clock: Road) -> PaperBroker:
    return PaperBroker(desk_engine, market, hand_clock, rules=PaperModel(latency=timedelta(milliseconds=250)))


@pytest.fixture
def place(context: OrderContext, paper: PaperBroker) -> Callable[..., VenueOrder]:
    def place(**fields: Any) -> VenueOrder:
        intent = OrderIntent(ACCOUNT, "thread-1", BTC, "buy", Decimal("0.1"))
        return paper.place(ApprovedTicket(prepare_ticket(replace(intent, **fields), context, owner="ann")))

    return place


def test_an_order_fills_at_the_price_of_its_arrival_not_of_its_sending(
    place: Callable[..., VenueOrder], market: FixedMarket, hand_clock: Road
) -> None:
    hand_clock.meanwhile = lambda: market.set_book(BTC, bids={"64500": "1"}, asks={"64501": "1"})
    [fill] = place().fills
    assert (fill.price, fill.time) == (Decimal(64_501), START + timedelta(milliseconds=250))


def test_a_limit_that_crossed_when_it_was_sent_rests_when_the_price_has_left(
    place: Callable[..., VenueOrder], market: FixedMarket, hand_clock: Road
) -> None:
    hand_clock.meanwhile = lambda: market.set_quote(BTC, "64500", "64501")
    order = place(order_type="limit", limit_price=Decimal(64_200))
    assert (order.status, order.fills) == ("accepted", ())


def test_a_limit_meets_no_candle_that_began_before_it_arrived(
    place: Callable[..., VenueOrder], market: FixedMarket, hand_clock: Road, paper: PaperBroker
) -> None:
    order = place(order_type="limit", limit_price=Decimal(64_000))
    # Sent at 16:00:00 sharp, arrived 250 ms later: the candle of that minute may have been there before.
    market.set_candle(BTC, START, 63_000, 64_200)
    hand_clock.advance(timedelta(minutes=1))
    market.set_quote(BTC, "64119.99", "64120.00")
    assert paper.match(market.now()) == 0
    market.set_candle(BTC, START + timedelta(minutes=1), 63_000, 64_200)
    hand_clock.advance(timedelta(minutes=1))
    market.set_quote(BTC, "64119.99", "64120.00")
    assert paper.match(market.now()) == 1
    found = paper.find(order.client_order_id, BTC)
    assert found is not None
    assert [fill.time for fill in found.fills] == [START + timedelta(minutes=2)]


def test_a_market_that_stands_still_lets_nothing_fill_before_the_arrival(
    place: Callable[..., VenueOrder], market: FixedMarket, hand_clock: Road, paper: PaperBroker
) -> None:
    order = place(order_type="limit", limit_price=Decimal(64_000))
    market.set_quote(BTC, "63000", "63001")
    assert paper.match(START + timedelta(milliseconds=249)) == 0
    assert paper.match(START + timedelta(milliseconds=250)) == 1
    found = paper.find(order.client_order_id, BTC)
    assert found is not None
    assert found.status == "filled"


def test_the_same_order_again_does_not_travel_again(
    context: OrderContext, paper: PaperBroker, hand_clock: Road
) -> None:
    intent = OrderIntent(ACCOUNT, "thread-1", BTC, "buy", Decimal("0.1"))
    sent = ApprovedTicket(prepare_ticket(intent, context, owner="ann"))
    first = paper.place(sent)
    assert hand_clock.now() == START + timedelta(milliseconds=250)
    assert paper.place(sent) == first
    assert hand_clock.now() == START + timedelta(milliseconds=250)


def test_the_running_desk_waits_on_the_wall() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.wait(timedelta(milliseconds=20))
    assert clock.now() - before >= timedelta(milliseconds=20)


def test_the_statement_tells_the_parameters_in_force(desk_engine: Engine, market: FixedMarket) -> None:
    rules = PaperModel(latency=timedelta(milliseconds=35), volume_share=Decimal("0.25"), impact=Decimal("0.0007"))
    told = PaperBroker(desk_engine, market, ManualClock(START), rules=rules).for_account(ACCOUNT).model
    assert all(words in told for words in ("arrives 35 ms after", "at most 25 % of a candle's volume", "0.07 %"))
    assert PaperBroker(desk_engine, market, ManualClock(START)).model == MODEL
    assert all(words in MODEL for words in ("arrives 100 ms after", "at most 10 % of", "up to 5 %", "per 100,000"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"latency": timedelta(seconds=-1)},
        {"volume_share": Decimal(0)},
        {"volume_share": Decimal("1.1")},
        {"impact": Decimal(-1)},
        {"impact_notional": Decimal(0)},
        {"most_slippage": Decimal(1)},
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        PaperModel(**wrong)
