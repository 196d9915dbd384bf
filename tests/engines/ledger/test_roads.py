"""What an order that was not taken would have come to, candle by candle."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.domain.clock import ManualClock
from engines.domain.orders import Account, OrderIntent, OrderTicket
from engines.domain.review import Road
from engines.domain.timeframe import Timeframe
from engines.errors import InsufficientData
from engines.execution.context import OrderContext
from engines.execution.prepare import prepare_ticket
from engines.ledger.candle_path import PathReader
from engines.ledger.marking import read_road, road_of
from engines.market.fixed import FixedMarket
from tests.engines.templates import START, TICKET, listed

COIN = listed(maker_fee=Decimal("0.001"), taker_fee=Decimal("0.002"))
Candle = tuple[float, float, float, float]


def ticket(**given: object) -> OrderTicket:
    """Two coins at the market, quoted at 100, unless something else is given."""
    plain = replace(TICKET, quantity=Decimal(2), notional=Decimal(200), time_in_force="GTC", status="pending")
    prices = {name: Decimal(str(value)) for name, value in given.items() if name.endswith(("price", "loss", "profit"))}
    return replace(plain, **cast("Any", {**given, **prices}))


def hours(*candles: Candle, step: timedelta = timedelta(hours=1), timeframe: Timeframe = "1h") -> FixedMarket:
    """A market on which these candles followed each other from the start, and whose time is their end."""
    clock = ManualClock(START)
    market = FixedMarket((COIN,), clock)
    for number, candle in enumerate(candles):
        market.set_ohlc("BTC/USDT", START + number * step, candle, timeframe)
        clock.advance(step)
    return market


def road(market: FixedMarket, made: OrderTicket) -> Road:
    return road_of(made, PathReader(market).read(made.symbol, made.quote_time), COIN)


QUIET: Candle = (100, 101, 99, 100)


def test_a_purchase_that_is_still_held_is_marked_at_the_last_close_less_both_fees() -> None:
    found = road(hours(QUIET, (100, 112, 99, 110)), ticket())
    assert (found.state, found.exit, found.is_final) == ("held", None, False)
    assert found.mark.price == 110
    assert found.as_of == START + timedelta(hours=2)
    assert found.fees == Decimal("0.4") + Decimal("0.44")
    assert found.result == Decimal(20) - found.fees


def test_a_sale_is_held_against_holding_on_and_pays_one_fee() -> None:
    found = road(hours((100, 101, 88, 90)), ticket(side="sell"))
    assert (found.state, found.fees, found.result) == ("sold", Decimal("0.4"), Decimal("19.6"))


def test_a_limit_that_was_never_touched_comes_to_nothing() -> None:
    found = road(hours(QUIET, QUIET), ticket(order_type="limit", limit_price="98.99"))
    assert (found.state, found.entry) == ("unfilled", None)
    assert found.result == found.fees == 0


def test_a_resting_limit_fills_at_its_price_with_the_fee_of_a_maker() -> None:
    found = road(hours(QUIET, (100, 101, 94, 99)), ticket(order_type="limit", limit_price="95"))
    assert found.entry is not None
    assert (found.entry.price, found.entry.time) == (Decimal(95), START + timedelta(hours=2))
    assert "limit touched by the 1h candle that closed 2026-03-02 18:00 UTC" in found.entry.rule
    assert found.fees == Decimal("0.19") + Decimal("0.396")
    assert found.result == Decimal(8) - found.fees


def test_a_limit_that_the_quote_had_reached_fills_at_the_quote() -> None:
    found = road(hours(QUIET), ticket(order_type="limit", limit_price="105"))
    assert found.entry is not None
    assert (found.entry.price, found.entry.time) == (Decimal(100), START)


@pytest.mark.parametrize(("opened", "price"), [(100.0, "104"), (106.0, "106")])
def test_a_stop_fills_at_its_price_or_where_the_candle_jumped_over_it(opened: float, price: str) -> None:
    found = road(hours(QUIET, (opened, 108, 99, 107)), ticket(order_type="stop", stop_price="104"))
    assert found.entry is not None
    assert found.entry.price == Decimal(price)


def test_a_stop_loss_ends_it_and_what_comes_later_changes_nothing() -> None:
    market = hours(QUIET, (99, 99, 94, 98))
    made = ticket(stop_loss="95", take_profit="120")
    found = road(market, made)
    assert (found.state, found.is_final) == ("stopped", True)
    assert found.exit is not None
    assert found.exit.price == 95
    assert found.result == Decimal(-10) - Decimal("0.4") - Decimal("0.38")
    later = road(hours(QUIET, (99, 99, 94, 98), (98, 200, 1, 150)), made)
    assert (later.exit, later.result) == (found.exit, found.result)


def test_a_stop_loss_that_was_jumped_over_fills_at_the_open() -> None:
    found = road(hours(QUIET, (90, 92, 88, 91)), ticket(stop_loss="95"))
    assert found.exit is not None
    assert found.exit.price == 90


def test_a_take_profit_fills_at_its_price() -> None:
    found = road(hours(QUIET, (104, 121, 103, 118)), ticket(stop_loss="95", take_profit="120"))
    assert found.state == "target"
    assert found.exit is not None
    assert found.exit.price == 120
    assert found.result == Decimal(40) - Decimal("0.4") - Decimal("0.24")


def test_where_one_candle_touches_both_exits_the_stop_loss_counts_and_it_is_told() -> None:
    found = road(hours(QUIET, (100, 130, 80, 125)), ticket(stop_loss="95", take_profit="120"))
    assert found.state == "stopped"
    assert "Both exits lie within the 1h candle" in found.notes[0]


def test_the_candle_that_fills_a_limit_can_stop_it_but_not_take_its_profit() -> None:
    both = (100.0, 120.0, 89.0, 110.0)
    stopped = road(hours(both), ticket(order_type="limit", limit_price="95", stop_loss="90", take_profit="115"))
    assert stopped.state == "stopped"
    assert stopped.exit is not None
    assert stopped.exit.price == 90
    held = road(hours(both), ticket(order_type="limit", limit_price="95", take_profit="115"))
    assert held.state == "held"


@pytest.mark.parametrize(("good_for", "state"), [(timedelta(hours=2), "held"), (timedelta(minutes=119), "unfilled")])
def test_a_resting_order_fills_only_in_candles_that_were_over_before_its_own_end(
    good_for: timedelta, state: str
) -> None:
    made = ticket(order_type="limit", limit_price="95", time_in_force="GTD", good_till=START + good_for)
    found = road(hours(QUIET, (100, 101, 94, 99)), made)
    assert (found.state, found.is_final) == (state, state == "unfilled")


def test_what_fills_at_once_or_not_at_all_does_not_rest() -> None:
    market = hours((100, 101, 94, 99))
    assert road(market, ticket(order_type="limit", limit_price="95", time_in_force="IOC")).state == "unfilled"
    assert road(market, ticket(order_type="limit", limit_price="100", time_in_force="FOK")).state == "held"


def test_nothing_is_marked_before_a_candle_has_closed() -> None:
    with pytest.raises(InsufficientData, match="No candle of BTC/USDT that opened after the ticket"):
        road(hours(), ticket())


def test_minutes_lead_to_the_full_hour_and_away_from_it() -> None:
    clock = ManualClock(START + timedelta(hours=3, minutes=20))
    market = FixedMarket((COIN,), clock)
    for minute in range(200):
        market.set_ohlc("BTC/USDT", START + timedelta(minutes=minute), QUIET, "1m")
    for hour in range(3):
        market.set_ohlc("BTC/USDT", START + timedelta(hours=hour), QUIET, "1h")
    path = PathReader(market).read("BTC/USDT", START + timedelta(minutes=42, seconds=30))
    assert path.counted() == {"1m": 17 + 20, "1h": 2}
    assert path.unseen_seconds == 30
    assert (np.diff(path.open_time) > 0).all()
    assert (path.close_time[:-1] <= path.open_time[1:]).all()


def test_a_market_without_minutes_leaves_the_time_they_would_cover_unseen() -> None:
    market = hours(QUIET, QUIET)
    path = PathReader(market).read("BTC/USDT", START + timedelta(minutes=15))
    assert path.counted() == {"1h": 1}
    assert path.unseen_seconds == 45 * 60


def two_days_of_minutes(clock: ManualClock, *told: float) -> FixedMarket:
    """A market at 100 whose minutes after the first midnight stood at what is told and then at 97 for 80 days.

    The hours and days are those that the minutes make up; the minutes are there for two days.
    """
    market = FixedMarket((COIN,), clock)
    market.set_quote("BTC/USDT", "100", "100")
    prices = [*[100.0] * 480, *told, *[97.0] * (80 * 1440)]
    lengths: tuple[tuple[Timeframe, int, int, int], ...] = (
        ("1m", 1, 0, 2 * 1440),
        ("1h", 60, 0, 80 * 1440),
        ("1d", 1440, 480, 80 * 1440),
    )
    for timeframe, length, begin, end in lengths:
        for first in range(begin, end, length):
            part = prices[first : first + length]
            opened = START + timedelta(minutes=first)
            market.set_ohlc("BTC/USDT", opened, (part[0], max(part), min(part), part[-1]), timeframe)
    return market


MIDNIGHT = START + timedelta(hours=8)


@pytest.mark.parametrize(
    ("made", "state"),
    [
        (ticket(stop_loss="95", take_profit="105"), "target"),
        (ticket(order_type="limit", limit_price="99", take_profit="105"), "target"),
        (
            ticket(
                order_type="limit", limit_price="99", time_in_force="GTD", good_till=MIDNIGHT + timedelta(minutes=5)
            ),
            "held",
        ),
        (ticket(order_type="stop", stop_price="104", stop_loss="95"), "stopped"),
    ],
)
def test_what_minutes_have_told_stays_when_their_hour_has_closed_and_when_their_day_has(
    made: OrderTicket, state: str
) -> None:
    clock = ManualClock(START)
    market = two_days_of_minutes(clock, 100, 100, 99, 99, 103, 106, 106, 90, 90, 97)
    roads = []
    for step in (timedelta(hours=8, minutes=20), timedelta(hours=1), timedelta(days=1), timedelta(days=76)):
        clock.advance(step)
        roads.append(read_road(made, PathReader(market), COIN))
    first = roads[0]
    assert (first.state, first.exit is not None) == (state, state != "held")
    assert first.entry is not None
    assert "1d" in roads[-1].candles
    for later in roads[1:]:
        assert (later.state, later.entry, later.exit, later.result) == (
            first.state,
            first.entry,
            first.exit,
            first.result,
        )


def test_minutes_that_do_not_reach_what_their_hour_did_are_not_believed() -> None:
    clock = ManualClock(START + timedelta(hours=2))
    market = FixedMarket((COIN,), clock)
    market.set_ohlc("BTC/USDT", START, (100, 106, 90, 97), "1h")
    market.set_ohlc("BTC/USDT", START, (100, 106, 99, 105), "1m")
    market.set_ohlc("BTC/USDT", START + timedelta(hours=1), QUIET, "1h")
    found = read_road(ticket(stop_loss="95", take_profit="105"), PathReader(market), COIN)
    assert found.state == "stopped"
    assert "Both exits lie within the 1h candle" in found.notes[0]


def test_after_two_months_days_stand_for_hours_in_between() -> None:
    clock = ManualClock(START + timedelta(days=80))
    market = FixedMarket((COIN,), clock)
    for hour in range(24 * 80):
        market.set_ohlc("BTC/USDT", START + timedelta(hours=hour), QUIET, "1h")
    for day in range(1, 80):
        market.set_ohlc("BTC/USDT", START.replace(hour=0) + timedelta(days=day), QUIET, "1d")
    path = PathReader(market).read("BTC/USDT", START)
    assert path.counted() == {"1h": 8 + 16, "1d": 79}
    assert path.unseen_seconds == 0


@st.composite
def walks(draw: st.DrawFn) -> list[Candle]:
    """Candles whose opens and closes lie within their extremes."""
    candles = []
    for _ in range(draw(st.integers(2, 12))):
        prices = sorted(draw(st.lists(st.integers(80, 120), min_size=4, max_size=4)))
        opened, closed = draw(st.permutations(prices[1:3]))
        candles.append((float(opened), float(prices[3]), float(prices[0]), float(closed)))
    return candles


@given(walks(), st.sampled_from([None, 90, 96]), st.sampled_from([None, 104, 110]), st.sampled_from([None, 95, 99]))
def test_a_final_road_is_the_same_however_many_candles_follow(
    candles: list[Candle], stop: int | None, target: int | None, limit: int | None
) -> None:
    given_prices = {"stop_loss": stop, "take_profit": target, "limit_price": limit}
    kind = "market" if limit is None else "limit"
    made = ticket(order_type=kind, **{name: value for name, value in given_prices.items() if value is not None})
    roads = [road(hours(*candles[:count]), made) for count in range(1, len(candles) + 1)]
    for before, after in pairwise(roads):
        if before.entry is not None:
            assert after.entry == before.entry
        if before.is_final:
            assert (after.exit, after.result, after.state) == (before.exit, before.result, before.state)


@given(walks(), st.sampled_from([90, 96]), st.sampled_from([104, 110]))
def test_no_exit_is_better_than_its_own_price(candles: list[Candle], stop: int, target: int) -> None:
    found = road(hours(*candles), ticket(stop_loss=stop, take_profit=target))
    if found.state == "stopped" and found.exit is not None:
        assert found.exit.price <= stop
        assert found.result < 0
    if found.state == "target" and found.exit is not None:
        assert found.exit.price == target


def test_a_sealed_tickets_road_begins_at_its_own_quote(
    context: OrderContext, account: Account, market: FixedMarket, hand_clock: ManualClock
) -> None:
    intent = OrderIntent(account.id, "t", "BTC/USDT", "buy", Decimal("0.1"), stop_loss=Decimal(60_000))
    made = prepare_ticket(intent, context, owner="ann")
    for hour in range(2):
        market.set_candle("BTC/USDT", hand_clock.now(), 64_000 - 3_000 * hour, 64_500, "1h")
        hand_clock.advance(timedelta(hours=1))
    found = road_of(made, PathReader(market).read("BTC/USDT", made.quote_time), market.instrument("BTC/USDT"))
    assert found.entry is not None
    assert found.entry.price == Decimal(64_120)
    assert found.mark.price == Decimal(62_750)
    assert found.state == "held"
