"""What every broker tells about the account as a whole: open orders, balances, fills since a time, readiness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from engines.domain.orders import Fill, OrderTicket
from engines.errors import VenueUnavailable
from engines.execution.broker import ApprovedTicket, Broker, OpenOrder, VenueOrder, protective_ids
from engines.execution.venues import EXERCISED

BTC = "BTC/USDT"
Ticket = Callable[..., OrderTicket]


def place(broker: Broker, ticket: OrderTicket) -> VenueOrder:
    return broker.place(ApprovedTicket(ticket))


def at_ms(fill: Fill) -> int:
    return int(fill.time.timestamp() * 1000)


def undated(fills: tuple[Fill, ...]) -> set[Fill]:
    """Fills at one time: a venue dates a fill in the reply by the reply."""
    return {replace(fill, time=datetime(2026, 3, 2, tzinfo=UTC)) for fill in fills}


def test_a_fresh_account_is_ready_and_has_its_money_and_nothing_else(broker: Broker) -> None:
    broker.ready()
    assert broker.open_orders() == ()
    assert broker.fills_since(BTC, 0 if broker.name == "paper" else now_ms(broker) - 60_000) == ()
    usdt = broker.balances()["USDT"]
    assert (usdt.total, usdt.free) == (Decimal(100_000), Decimal(100_000))


def now_ms(broker: Any) -> int:
    return int(broker._client.now_ms())


def test_open_orders_are_told_as_they_were_placed(broker: Broker, ticket: Ticket) -> None:
    limit = place(broker, ticket(limit_price=49000))
    stop = place(broker, ticket(stop_price=51000, quantity=Decimal("0.05")))
    place(broker, ticket())
    told = {order.client_order_id: order for order in broker.open_orders()}
    assert told == {
        limit.client_order_id: OpenOrder(
            *(limit.client_order_id, limit.venue_order_id, BTC, "buy", "limit"),
            quantity=Decimal("0.1"),
            filled=Decimal(0),
            limit_price=Decimal(49_000),
        ),
        stop.client_order_id: OpenOrder(
            *(stop.client_order_id, stop.venue_order_id, BTC, "buy", "stop"),
            quantity=Decimal("0.05"),
            filled=Decimal(0),
            stop_price=Decimal(51_000),
        ),
    }
    broker.cancel(limit.client_order_id, BTC)
    assert [order.client_order_id for order in broker.open_orders()] == [stop.client_order_id]


def test_balances_follow_fills_and_what_rests_is_not_free(broker: Broker, ticket: Ticket) -> None:
    bought = place(broker, ticket())
    cost = sum((fill.price * fill.quantity for fill in bought.fills), Decimal(0))
    fees = {name: sum((f.fee for f in bought.fills if f.fee_currency == name), Decimal(0)) for name in ("BTC", "USDT")}
    balances = broker.balances()
    assert balances["BTC"].total == balances["BTC"].free == Decimal("0.1") - fees["BTC"]
    assert balances["USDT"].total == balances["USDT"].free == Decimal(100_000) - cost - fees["USDT"]
    resting = place(broker, ticket(limit_price=49000))
    held = broker.balances()["USDT"]
    assert held.total == balances["USDT"].total
    assert Decimal(4_900) <= held.total - held.free <= Decimal(4_950)
    broker.cancel(resting.client_order_id, BTC)
    assert broker.balances() == balances


def test_fills_since_a_time_are_those_of_the_orders_each_once(broker: Broker, ticket: Ticket) -> None:
    orders = [place(broker, ticket()) for _ in range(3)]
    fills = tuple(fill for order in orders for fill in order.fills)
    first = min(at_ms(fill) for fill in fills)
    told = broker.fills_since(BTC, first - 5_000)
    assert undated(told) == undated(fills)
    assert len(told) == len(fills)
    assert [fill.time for fill in told] == sorted(fill.time for fill in told)
    # The very millisecond is told again, the one after it is not.
    newest = max(at_ms(fill) for fill in told)
    assert {fill.id for fill in broker.fills_since(BTC, newest)} == {fill.id for fill in told if at_ms(fill) == newest}
    assert broker.fills_since(BTC, newest + 1) == ()
    assert broker.fills_since("ETH/BTC", first - 5_000) == ()


def test_exits_that_the_venue_holds_go_by_our_ids(
    broker: Broker, ticket: Ticket, request: pytest.FixtureRequest, ledger_order: Any
) -> None:
    stop_id, target_id = protective_ids("")
    one, legs = ticket(limit_price=50010, stop_loss=48000, take_profit=52000), [stop_id, target_id]
    if not broker.holds_protection(one):
        one, legs = ticket(limit_price=50010, stop_loss=48000), [stop_id]
    assert broker.holds_protection(one)
    bought = place(broker, one)
    assert bought.status == "filled"
    held = broker.protect(ledger_order(one, bought))
    assert [leg.client_order_id for leg in held] == [one.client_order_id + leg for leg in legs]
    assert broker.protect(ledger_order(one, bought)) == held
    assert {leg.client_order_id for leg in held} == {order.client_order_id for order in broker.open_orders()}
    stop_id = held[0].client_order_id
    if broker.name == "paper":
        market = request.getfixturevalue("paper_market")
        market.set_quote(BTC, "47900", "47910")
        request.getfixturevalue("paper_venue").match(market.now())
    else:
        request.getfixturevalue("emulator").order(broker.name, "price", symbol=BTC, price="47900")
    told = broker.fills_since(BTC, min(at_ms(fill) for fill in bought.fills) - 5_000)
    assert {fill.order_id for fill in told} == {one.client_order_id, stop_id}
    assert broker.open_orders() == ()


@pytest.fixture(params=EXERCISED)
def venue_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_orders_and_fills_of_others_are_told_as_well(
    venue_name: str, open_venue: Callable[..., Any], venue_broker: Callable[..., Any], ticket: Ticket
) -> None:
    venue, broker = open_venue(venue_name, USDT="100000"), venue_broker(venue_name)
    ours = place(broker, ticket())
    resting = venue.external(symbol=BTC, side="buy", quantity="0.3", price="48000", client_id="web-7")
    filled = venue.external(symbol=BTC, side="buy", quantity="0.2")
    [told] = broker.open_orders()
    assert (told.venue_order_id, told.quantity, told.limit_price) == (resting["id"], Decimal("0.3"), Decimal(48_000))
    assert told.client_order_id == "web-7"
    by_order: dict[str, Decimal] = {}
    for fill in broker.fills_since(BTC, now_ms(broker) - 60_000):
        by_order[fill.order_id] = by_order.get(fill.order_id, Decimal(0)) + fill.quantity
    assert by_order.pop(ours.client_order_id) == Decimal("0.1")
    assert list(by_order.values()) == [Decimal("0.2")]
    assert set(by_order) <= {filled["id"], filled["client_id"]}
    truth = venue.truth()["balances"]
    for currency, balance in broker.balances().items():
        assert balance.total == Decimal(truth[currency]["total"])
        assert balance.free == Decimal(truth[currency]["free"])


@pytest.mark.parametrize("kind", ["unavailable_before", "truncated", "html", "empty", "timeout_after"])
def test_an_outage_is_never_an_empty_answer(
    venue_name: str, kind: str, open_venue: Callable[..., Any], venue_broker: Callable[..., Any], ticket: Ticket
) -> None:
    venue, broker = open_venue(venue_name, USDT="100000"), venue_broker(venue_name, patience=400)
    place(broker, ticket())
    for route, ask in (
        ("open_orders", broker.open_orders),
        ("balances", broker.balances),
        ("fills", lambda: broker.fills_since(BTC, now_ms(broker) - 60_000)),
    ):
        venue.fault(route=route, kind=kind, count=-1)
        with pytest.raises(VenueUnavailable):
            ask()
        venue.clear()
        assert ask() is not None


def test_long_lists_of_fills_are_read_to_their_end(
    venue_name: str, open_venue: Callable[..., Any], venue_broker: Callable[..., Any], ticket: Ticket
) -> None:
    venue, broker = open_venue(venue_name, USDT="100000"), venue_broker(venue_name)
    order = place(broker, ticket(limit_price=49999, quantity=1))
    for _ in range(120):
        venue.crowd(symbol=BTC, side="sell", quantity="0.001", price="49999")
    told = broker.fills_since(BTC, now_ms(broker) - 60_000)
    assert len(told) == 120
    assert {fill.id for fill in told} == {fill.id for fill in broker.find(order.client_order_id, BTC).fills}
