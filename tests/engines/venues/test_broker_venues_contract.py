"""What every broker must do: the paper venue and the real ones, over the emulator, pass the same tests."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from engines.domain.orders import OrderTicket
from engines.errors import NotFound, OrderRejected
from engines.execution.broker import ApprovedTicket, Broker, VenueOrder, protective_ids

BTC = "BTC/USDT"
NEVER_SENT = "qtp-000000000000000000000000"
Ticket = Callable[..., OrderTicket]
_ASKS = ("50005", "50010", "50015")


def place(broker: Broker, ticket: OrderTicket) -> VenueOrder:
    return broker.place(ApprovedTicket(ticket))


def undated(order: VenueOrder | None) -> VenueOrder | None:
    """An order with its fills at one time: a venue dates a fill in the reply by the reply."""
    if order is None:
        return None
    return replace(order, fills=tuple(replace(fill, time=datetime(2026, 3, 2, tzinfo=UTC)) for fill in order.fills))


@pytest.fixture
def thin_book(request: pytest.FixtureRequest, broker: Broker) -> None:
    """0.05 BTC on each of three levels, 5 USDT apart, from 49,995 down and from 50,005 up."""
    if broker.name == "paper":
        bids, asks = (dict.fromkeys(prices, "0.05") for prices in (("49995", "49990", "49985"), _ASKS))
        request.getfixturevalue("paper_market").set_book(BTC, bids=bids, asks=asks)
        return
    ladder = {"symbol": BTC, "price": "50000", "quantity": "0.05", "depth": 3, "gap": "5"}
    request.getfixturevalue("emulator").order(broker.name, "price", **ladder)


def test_it_has_a_name_and_says_how_it_fills(broker: Broker) -> None:
    assert broker.name
    assert broker.model.endswith(".")


def test_a_placed_order_answers_under_our_id_with_its_fills(broker: Broker, ticket: Ticket) -> None:
    sent = ticket()
    seen = place(broker, sent)
    assert (seen.client_order_id, seen.status) == (sent.client_order_id, "filled")
    assert seen.venue_order_id
    assert seen.quantity == seen.filled == sum(fill.quantity for fill in seen.fills) == Decimal("0.1")
    for fill in seen.fills:
        assert (fill.order_id, fill.account, fill.symbol, fill.side) == (seen.client_order_id, sent.account, BTC, "buy")
        assert isinstance(fill.price, Decimal)
        assert fill.price > 0
        assert fill.fee > 0
        assert fill.fee_currency in {"BTC", "USDT"}
        assert fill.time.utcoffset() is not None


def test_every_trade_has_an_id_of_its_own(broker: Broker, ticket: Ticket) -> None:
    fills = [fill for _ in range(3) for fill in place(broker, ticket()).fills]
    assert len({fill.id for fill in fills}) == len(fills) >= 3


def test_an_order_is_found_by_our_id_in_any_state(broker: Broker, ticket: Ticket) -> None:
    filled, resting = place(broker, ticket()), place(broker, ticket(limit_price=49000))
    assert undated(broker.find(filled.client_order_id, BTC)) == undated(filled)
    assert broker.find(resting.client_order_id, BTC) == resting
    cancelled = broker.cancel(resting.client_order_id, BTC)
    assert broker.find(resting.client_order_id, BTC) == cancelled


def test_an_order_is_not_found_under_another_symbol(broker: Broker, ticket: Ticket) -> None:
    resting = place(broker, ticket(limit_price=49000))
    assert broker.find(resting.client_order_id, "ETH/BTC") is None


def test_an_id_it_never_saw_is_none_and_cannot_be_cancelled(broker: Broker) -> None:
    assert broker.find(NEVER_SENT, BTC) is None
    with pytest.raises(NotFound):
        broker.cancel(NEVER_SENT, BTC)


def test_the_same_id_placed_again_is_not_a_second_order(broker: Broker, ticket: Ticket) -> None:
    sent = ticket()
    with ThreadPoolExecutor(4) as pool:
        answers = [undated(answer) for answer in pool.map(lambda _: place(broker, sent), range(4))]
    assert answers == [answers[0]] * 4
    assert undated(broker.find(sent.client_order_id, BTC)) == answers[0]


def test_a_resting_order_is_cancelled_once_and_stays_so(broker: Broker, ticket: Ticket) -> None:
    order = place(broker, ticket(limit_price=49000))
    assert (order.status, order.filled, order.fills) == ("accepted", Decimal(0), ())
    first = broker.cancel(order.client_order_id, BTC)
    assert first.status == "cancelled"
    assert broker.cancel(order.client_order_id, BTC) == first


def test_cancelling_a_filled_order_leaves_it_filled(broker: Broker, ticket: Ticket) -> None:
    order = place(broker, ticket())
    assert undated(broker.cancel(order.client_order_id, BTC)) == undated(order)


def test_a_limit_that_crosses_pays_no_more_than_its_price(broker: Broker, ticket: Ticket) -> None:
    order = place(broker, ticket(limit_price=50010))
    assert order.status == "filled"
    assert all(fill.price <= 50_010 for fill in order.fills)


@pytest.mark.parametrize("force", ["IOC", "FOK"])
def test_an_order_for_now_that_meets_no_price_is_over(broker: Broker, ticket: Ticket, force: str) -> None:
    order = place(broker, replace(ticket(limit_price=49000), time_in_force=force))
    assert (order.status, order.filled) == ("cancelled", Decimal(0))
    assert broker.find(order.client_order_id, BTC) == order
    assert broker.open_orders() == ()
    crossing = place(broker, replace(ticket(limit_price=50010), time_in_force=force))
    assert (crossing.status, crossing.filled) == ("filled", Decimal("0.1"))


@pytest.mark.usefixtures("thin_book")
def test_a_market_order_walks_the_book(broker: Broker, ticket: Ticket) -> None:
    order = place(broker, ticket(quantity=Decimal("0.12")))
    assert order.status == "filled"
    taken = [
        (Decimal(price), Decimal(quantity)) for price, quantity in zip(_ASKS, ("0.05", "0.05", "0.02"), strict=True)
    ]
    assert sorted((fill.price, fill.quantity) for fill in order.fills) == taken


@pytest.mark.usefixtures("thin_book")
def test_what_the_book_does_not_fill_of_a_limit_rests_and_a_cancel_keeps_the_fills(
    broker: Broker, ticket: Ticket
) -> None:
    order = place(broker, ticket(limit_price=50010, quantity=Decimal("0.12")))
    assert (order.status, order.quantity, order.filled) == ("partially_filled", Decimal("0.12"), Decimal("0.1"))
    assert {fill.price for fill in order.fills} == {Decimal(50_005), Decimal(50_010)}
    assert undated(broker.find(order.client_order_id, BTC)) == undated(order)
    [resting] = broker.open_orders()
    assert (resting.quantity, resting.filled) == (Decimal("0.12"), Decimal("0.1"))
    cancelled = broker.cancel(order.client_order_id, BTC)
    assert (cancelled.status, cancelled.filled) == ("cancelled", Decimal("0.1"))
    ended = replace(order, status="cancelled", reason=cancelled.reason, by_request=True)
    assert undated(cancelled) == undated(ended)
    assert broker.open_orders() == ()


@pytest.mark.usefixtures("thin_book")
@pytest.mark.parametrize(("force", "filled"), [("IOC", "0.1"), ("FOK", "0")])
def test_an_order_for_now_takes_what_is_there_or_nothing_and_is_over(
    broker: Broker, ticket: Ticket, force: str, filled: str
) -> None:
    order = place(broker, replace(ticket(limit_price=50010, quantity=Decimal("0.12")), time_in_force=force))
    assert (order.status, order.filled) == ("cancelled", Decimal(filled))
    assert undated(broker.find(order.client_order_id, BTC)) == undated(order)
    assert broker.open_orders() == ()


@pytest.mark.parametrize("force", ["DAY", "GTD"])
def test_an_order_that_the_desk_takes_back_rests_until_then(broker: Broker, ticket: Ticket, force: str) -> None:
    order = place(broker, replace(ticket(limit_price=49000), time_in_force=force))
    assert order.status == "accepted"
    assert broker.cancel(order.client_order_id, BTC).status == "cancelled"


def test_a_stop_rests_until_its_price_and_can_be_cancelled(broker: Broker, ticket: Ticket) -> None:
    order = place(broker, ticket(stop_price=51000))
    assert (order.status, order.fills) == ("accepted", ())
    assert broker.cancel(order.client_order_id, BTC).status == "cancelled"


def test_an_order_the_account_cannot_pay_is_rejected_and_unknown_to_it(broker: Broker, ticket: Ticket) -> None:
    sent = ticket(quantity=3)
    with pytest.raises(OrderRejected):
        place(broker, sent)
    assert broker.find(sent.client_order_id, BTC) is None


def test_selling_what_is_not_held_is_rejected(broker: Broker, ticket: Ticket) -> None:
    with pytest.raises(OrderRejected):
        place(broker, ticket(side="sell"))


@pytest.mark.parametrize("fields", [{}, {"limit_price": 49000}], ids=["market", "limit"])
def test_an_order_below_the_least_size_is_rejected(broker: Broker, ticket: Ticket, fields: dict[str, int]) -> None:
    sent = ticket(quantity=Decimal("0.00001"), **fields)
    with pytest.raises(OrderRejected):
        place(broker, sent)
    assert broker.find(sent.client_order_id, BTC) is None


def test_what_open_orders_hold_back_cannot_be_spent_twice(broker: Broker, ticket: Ticket) -> None:
    place(broker, ticket(limit_price=49000, quantity=Decimal("1.5")))
    with pytest.raises(OrderRejected):
        place(broker, ticket(limit_price=49000, quantity=Decimal("1.5")))
    assert len(broker.open_orders()) == 1
    bought = place(broker, ticket())
    kept = bought.filled - sum((fill.fee for fill in bought.fills if fill.fee_currency == "BTC"), Decimal(0))
    place(broker, ticket(side="sell", quantity=kept, limit_price=60000))
    with pytest.raises(OrderRejected):
        place(broker, ticket(side="sell", quantity=kept, limit_price=61000))


def test_what_was_bought_can_be_sold_again(broker: Broker, ticket: Ticket) -> None:
    bought = place(broker, ticket())
    kept = bought.filled - sum((fill.fee for fill in bought.fills if fill.fee_currency == "BTC"), Decimal(0))
    sold = place(broker, ticket(side="sell", quantity=kept))
    assert (sold.status, sold.filled) == ("filled", kept)
    assert {fill.side for fill in sold.fills} == {"sell"}


def test_an_entry_without_exits_has_none(broker: Broker, ticket: Ticket) -> None:
    order = place(broker, ticket())
    assert [broker.find(exit_id, BTC) for exit_id in protective_ids(order.client_order_id)] == [None, None]
