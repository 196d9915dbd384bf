"""What goes over the wire to Bybit: order forms, attached exits, look-ups in two places and the table of refusals."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from engines.domain.orders import OrderTicket
from engines.errors import InvalidRequest, NotFound, OrderRejected, OutcomeUnknown, VenueUnavailable
from engines.execution.broker import ApprovedTicket, VenueOrder, protective_ids
from engines.execution.venues import CcxtBroker

BTC = "BTC/USDT"
Ticket = Callable[..., OrderTicket]


@pytest.fixture
def venue(open_venue: Callable[..., Any]) -> Any:
    return open_venue("bybit", USDT="100000")


@pytest.fixture
def broker(venue: Any, venue_broker: Callable[..., CcxtBroker]) -> CcxtBroker:
    made = venue_broker("bybit", patience=400)
    made.ready()
    return made


def place(broker: CcxtBroker, ticket: OrderTicket) -> VenueOrder:
    return broker.place(ApprovedTicket(ticket))


def sent(venue: Any, route: str = "create") -> list[dict[str, str]]:
    return [entry["params"] for entry in venue.log(route=route)]


@pytest.mark.parametrize(
    ("fields", "form"),
    [
        ({}, {"orderType": "Market", "marketUnit": "baseCoin"}),
        ({"limit_price": Decimal("49000.5")}, {"orderType": "Limit", "price": "49000.5", "timeInForce": "GTC"}),
        (
            {"stop_price": 51000},
            {"orderType": "Market", "marketUnit": "baseCoin", "triggerPrice": "51000", "orderFilter": "StopOrder"},
        ),
    ],
    ids=["market", "limit", "stop"],
)
def test_each_type_goes_out_in_its_own_form(
    venue: Any, broker: CcxtBroker, ticket: Ticket, fields: dict[str, Any], form: dict[str, str]
) -> None:
    one = ticket(**fields)
    place(broker, one)
    common = {"category": "spot", "symbol": "BTCUSDT", "side": "Buy", "qty": "0.1", "orderLinkId": one.client_order_id}
    assert sent(venue) == [common | form]


def test_nothing_but_the_order_goes_out_on_its_way(venue: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    before = len(venue.log())
    place(broker, ticket())
    assert venue.log(since=before)[0]["route"] == "create"


def test_a_look_up_asks_by_link_id_in_both_places_and_for_trades_before_it_denies(
    venue: Any, broker: CcxtBroker
) -> None:
    assert broker.find("qtp-1", BTC) is None
    [live] = sent(venue, "open_orders")
    assert live == {"category": "spot", "symbol": "BTCUSDT", "orderLinkId": "qtp-1", "limit": "50"}
    ended = sent(venue, "closed_orders")
    assert {each["orderLinkId"] for each in ended} == {"qtp-1"}
    assert all("orderStatus" not in each and "clientOrderId" not in each for each in ended)
    weeks = [(int(each["startTime"]), int(each["endTime"])) for each in ended]
    assert all(end - start == 7 * 86_400_000 for start, end in weeks)
    assert all(earlier[1] == later[0] for later, earlier in itertools.pairwise(weeks))
    assert weeks[0][1] - weeks[-1][0] >= 90 * 86_400_000
    assert sent(venue, "fills")[0]["orderLinkId"] == "qtp-1"


def test_a_denial_asks_only_for_the_weeks_in_which_the_order_can_have_been_sent(venue: Any, broker: CcxtBroker) -> None:
    now = datetime.now(UTC)
    for days, spans in ((0, 1), (10, 2), (80, 12)):
        before = len(venue.log())
        assert broker.find("qtp-1", BTC, since=now - timedelta(days=days)) is None
        asked = [entry["route"] for entry in venue.log(since=before)]
        assert asked == ["open_orders", *["closed_orders"] * spans, *["fills"] * spans], days
        oldest = min(int(each["startTime"]) for each in sent(venue, "closed_orders"))
        assert oldest <= (now - timedelta(days=days + 1)).timestamp() * 1000


def test_trades_of_an_order_that_no_look_up_shows_are_no_denial(
    venue: Any, broker: CcxtBroker, ticket: Ticket, venue_broker: Any
) -> None:
    order = place(broker, ticket())
    # A process that never heard the answer.
    other = venue_broker("bybit", patience=400)
    venue.fault(routes=["closed_orders"], kind="stale", seconds=60, count=-1)
    with pytest.raises(VenueUnavailable, match="lists trades of order"):
        other.find(order.client_order_id, BTC)
    venue.clear()
    found = other.find(order.client_order_id, BTC)
    assert found is not None
    assert found.status == "filled"


def test_an_order_that_is_filled_while_it_is_looked_up_is_found(venue: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    order = place(broker, ticket(limit_price=49999))
    venue.crowd(symbol=BTC, side="sell", quantity="0.1", price="49999")
    found = broker.find(order.client_order_id, BTC)
    assert found is not None
    assert (found.status, found.filled) == ("filled", Decimal("0.1"))


def test_trades_are_paged_by_cursor(venue: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    order = place(broker, ticket(limit_price=49999, quantity=1))
    for _ in range(120):
        venue.crowd(symbol=BTC, side="sell", quantity="0.001", price="49999")
    found = broker.find(order.client_order_id, BTC)
    assert found is not None
    assert (len(found.fills), found.filled, found.reason) == (120, Decimal("0.12"), "")
    assert [fill.id for fill in found.fills] == [fill["id"] for fill in venue.truth()["fills"]]
    assert len(sent(venue, "fills")) == 3


def test_a_reply_that_only_names_the_order_is_enough_when_the_look_up_fails(
    venue: Any, broker: CcxtBroker, ticket: Ticket
) -> None:
    venue.fault(routes=["open_orders", "closed_orders", "fills"], kind="unavailable_before", count=-1)
    order = place(broker, ticket())
    assert (order.status, order.filled) == ("accepted", Decimal(0))
    venue.clear()
    found = broker.find(order.client_order_id, BTC)
    assert found is not None
    assert found.status == "filled"


def test_a_duplicate_is_looked_up(venue: Any, broker: CcxtBroker, ticket: Ticket, venue_broker: Any) -> None:
    one = ticket()
    order = place(broker, one)
    assert place(venue_broker("bybit", patience=400), one) == order
    assert sum(venue.truth()["accepts"].values()) == 1


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (170131, "Insufficient balance."),
        (170140, "Order value exceeded lower limit."),
        (170121, "Invalid symbol."),
        (10001, "params error: qty invalid"),
        (10004, "error sign!"),
    ],
)
def test_a_refusal_of_the_table_is_definite(
    venue: Any, broker: CcxtBroker, ticket: Ticket, code: int, message: str
) -> None:
    venue.fault(route="create", kind="error", code=code, message=message)
    with pytest.raises(OrderRejected, match="refused order"):
        place(broker, ticket())


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (10002, "invalid request, please check your server timestamp or recv_window param."),
        (10016, "Server error."),
        (170007, "Timeout waiting for response from backend server."),
        (170035, "Submitted to the system for processing!"),
        (170146, "Order creation timeout."),
        (170149, "Create order failed"),
        (999999, "A code nobody has heard of."),
    ],
)
def test_everything_else_is_unknown(venue: Any, broker: CcxtBroker, ticket: Ticket, code: int, message: str) -> None:
    venue.fault(route="create", kind="error_after", code=code, message=message)
    one = ticket()
    with pytest.raises(OutcomeUnknown):
        place(broker, one)
    found = broker.find(one.client_order_id, BTC)
    assert found is not None
    assert found.status == "filled"


def test_an_id_bybit_cannot_take_is_refused(broker: CcxtBroker) -> None:
    with pytest.raises(InvalidRequest, match="cannot take"):
        broker.find("x" * 37, BTC)


def test_a_limit_entry_carries_its_exits(venue: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    one = ticket(limit_price=49000, stop_loss=48000, take_profit=52000)
    stop_id, target_id = protective_ids(one.client_order_id)
    assert broker.holds_protection(one)
    assert place(broker, one).status == "accepted"
    assert broker.find(stop_id, BTC) is None
    exits = {"takeProfit": "52000", "tpOrderType": "Market", "stopLoss": "48000", "slOrderType": "Market"}
    assert exits.items() <= sent(venue)[0].items()
    # Another entry's exits are not taken for this one's.
    place(broker, ticket(limit_price=48999, stop_loss=47000, take_profit=53000))
    venue.price(symbol=BTC, price="48990")
    stop, target = broker.find(stop_id, BTC), broker.find(target_id, BTC)
    assert stop is not None
    assert target is not None
    assert (stop.client_order_id, stop.status, stop.quantity) == (stop_id, "accepted", Decimal("0.0999"))
    assert (target.client_order_id, target.status, target.quantity) == (target_id, "accepted", Decimal("0.0999"))
    venue.price(symbol=BTC, price="47900")
    stop, target = broker.find(stop_id, BTC), broker.find(target_id, BTC)
    assert stop is not None
    assert target is not None
    assert (stop.status, stop.filled, target.status) == ("filled", Decimal("0.0999"), "cancelled")
    assert {fill.order_id for fill in stop.fills} == {stop_id}


def test_an_exit_is_cancelled_by_the_id_bybit_gave_it(venue: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    one = ticket(limit_price=50010, stop_loss=48000)
    place(broker, one)
    stop_id, target_id = protective_ids(one.client_order_id)
    stop = broker.find(stop_id, BTC)
    assert stop is not None
    cancelled = broker.cancel(stop_id, BTC)
    assert cancelled.status == "cancelled"
    assert sent(venue, "cancel")[0]["orderId"] == stop.venue_order_id
    assert broker.cancel(stop_id, BTC) == cancelled
    with pytest.raises(NotFound):
        broker.cancel(target_id, BTC)


@pytest.mark.parametrize("fields", [{}, {"stop_price": 50001}], ids=["market", "stop"])
def test_two_exits_of_other_entries_are_not_held(
    venue: Any, broker: CcxtBroker, ticket: Ticket, fields: dict[str, int], ledger_order: Any
) -> None:
    one = ticket(stop_loss=48000, take_profit=55000, **fields)
    assert not broker.holds_protection(one)
    place(broker, one)
    venue.price(symbol=BTC, price="50100")
    order = broker.find(one.client_order_id, BTC)
    assert order is not None
    assert order.status == "filled"
    assert "stopLoss" not in sent(venue)[0]
    assert broker.protect(ledger_order(one, order)) == ()
    assert len(sent(venue)) == 1


def test_a_stop_loss_alone_follows_its_entry(venue: Any, broker: CcxtBroker, ticket: Ticket, ledger_order: Any) -> None:
    one = ticket(stop_loss=48000)
    assert broker.holds_protection(one)
    entry = ledger_order(one, place(broker, one))
    [held] = broker.protect(entry)
    stop_id = protective_ids(one.client_order_id)[0]
    assert (held.client_order_id, held.status, held.quantity) == (stop_id, "accepted", Decimal("0.0999"))
    assert (sent(venue)[1]["orderFilter"], sent(venue)[1]["triggerPrice"]) == ("StopOrder", "48000")
    assert broker.protect(entry) == (held,)
    assert broker.cancel(stop_id, BTC).status == "cancelled"
    assert [each["orderFilter"] for each in sent(venue, "cancel")] == ["tpslOrder"]
    assert len(sent(venue)) == 2
