"""What goes over the wire to Binance: order forms, lists, look-ups and the table of refusals."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from engines.domain.orders import OrderTicket
from engines.errors import InvalidRequest, OrderRejected, OutcomeUnknown, VenueUnavailable
from engines.execution.broker import ApprovedTicket, VenueOrder, protective_ids
from engines.execution.venues import CcxtBroker

BTC = "BTC/USDT"
Ticket = Callable[..., OrderTicket]


@pytest.fixture
def venue(open_venue: Callable[..., Any]) -> Any:
    return open_venue("binance", USDT="100000")


@pytest.fixture
def broker(venue: Any, venue_broker: Callable[..., CcxtBroker]) -> CcxtBroker:
    made = venue_broker("binance", patience=400)
    made.ready()
    return made


def place(broker: CcxtBroker, ticket: OrderTicket) -> VenueOrder:
    return broker.place(ApprovedTicket(ticket))


def sent(venue: Any, route: str = "create") -> list[dict[str, str]]:
    """Parameters of the requests on a route, without what signs them."""
    signing = {"timestamp", "recvWindow", "signature"}
    return [
        {name: text for name, text in entry["params"].items() if name not in signing}
        for entry in venue.log(route=route)
    ]


@pytest.mark.parametrize(
    ("fields", "form"),
    [
        ({}, {"type": "MARKET"}),
        ({"limit_price": Decimal("49000.5")}, {"type": "LIMIT", "price": "49000.5", "timeInForce": "GTC"}),
        ({"stop_price": 51000}, {"type": "STOP_LOSS", "stopPrice": "51000"}),
    ],
    ids=["market", "limit", "stop"],
)
def test_each_type_goes_out_in_its_own_form(
    venue: Any, broker: CcxtBroker, ticket: Ticket, fields: dict[str, Any], form: dict[str, str]
) -> None:
    one = ticket(**fields)
    place(broker, one)
    common = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.1", "newClientOrderId": one.client_order_id}
    assert sent(venue) == [common | form | {"newOrderRespType": "FULL"}]


def test_the_window_in_which_a_request_counts_is_five_seconds(venue: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    place(broker, ticket())
    assert venue.log(route="create")[0]["params"]["recvWindow"] == "5000"


def test_numbers_go_out_and_come_back_digit_by_digit(venue: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    order = place(broker, ticket(quantity=Decimal("0.12345"), limit_price=Decimal("49999.01")))
    assert (sent(venue)[0]["quantity"], sent(venue)[0]["price"]) == ("0.12345", "49999.01")
    venue.crowd(symbol=BTC, side="sell", quantity="0.00007", price="49999.01")
    found = broker.find(order.client_order_id, BTC)
    assert found is not None
    [fill] = found.fills
    assert (fill.quantity, fill.price, fill.fee) == (Decimal("0.00007"), Decimal("49999.01"), Decimal("7E-8"))


def test_a_look_up_asks_by_our_id_and_denies_only_after_the_full_history(venue: Any, broker: CcxtBroker) -> None:
    assert broker.find("qtp-1", BTC) is None
    assert sent(venue, "lookup") == [{"symbol": "BTCUSDT", "origClientOrderId": "qtp-1"}]
    assert sent(venue, "open_orders") == [{"symbol": "BTCUSDT"}]
    assert sent(venue, "closed_orders") == [{"symbol": "BTCUSDT", "limit": "1000"}]


def test_an_order_that_only_the_list_shows_is_found_there(venue: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    order = place(broker, ticket())
    venue.fault(route="lookup", kind="not_found")
    found = broker.find(order.client_order_id, BTC)
    assert found is not None
    assert (found.status, found.fills[0].id) == ("filled", order.fills[0].id)


def test_a_cancel_goes_out_by_our_id(venue: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    order = place(broker, ticket(limit_price=49000))
    broker.cancel(order.client_order_id, BTC)
    assert sent(venue, "cancel") == [{"symbol": "BTCUSDT", "origClientOrderId": order.client_order_id}]


def test_trades_are_paged_by_id_and_named_by_market(venue: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    venue.price(symbol=BTC, price="50000", depth=1, quantity="0.00001")
    order = place(broker, ticket(limit_price=50100, quantity=Decimal("0.02")))
    for _ in range(1005):
        venue.crowd(symbol=BTC, side="sell", quantity="0.00001", price="50100")
    found = broker.find(order.client_order_id, BTC)
    assert found is not None
    assert len(found.fills) == 1006
    assert len({fill.id for fill in found.fills}) == 1006
    assert found.filled == Decimal("0.01006")
    assert found.fills[0].id == f"BTCUSDT-{venue.truth()['fills'][0]['id']}"
    assert [page["fromId"] for page in sent(venue, "fills")] == ["0", str(int(found.fills[999].id.split("-")[1]) + 1)]


def test_a_fee_in_a_third_coin_is_told_as_it_is(venue: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    venue.reset(money={"USDT": "100000", "BNB": "10"})
    venue.fees(maker="0.00075", taker="0.00075", pay_in="coin", coin="BNB")
    [fill] = place(broker, ticket()).fills
    assert (fill.fee_currency, fill.fee) == ("BNB", Decimal(venue.truth()["fills"][0]["fee"]))


def test_a_duplicate_is_looked_up(venue: Any, broker: CcxtBroker, ticket: Ticket, venue_broker: Any) -> None:
    resting = ticket(limit_price=49000)
    order = place(broker, resting)
    another_process = venue_broker("binance", patience=400)
    assert place(another_process, resting) == order
    assert sum(venue.truth()["accepts"].values()) == 1


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-2010, "Account has insufficient balance for requested action."),
        (-2010, "This action is disabled on this account..."),
        (-1013, "Filter failure: NOTIONAL"),
        (-1013, "Filter failure: LOT_SIZE"),
        (-1111, "Parameter 'price' has too much precision."),
        (-1121, "Invalid symbol."),
        (-1022, "Signature for this request is not valid."),
    ],
)
def test_a_refusal_of_the_table_is_definite(
    venue: Any, broker: CcxtBroker, ticket: Ticket, code: int, message: str
) -> None:
    venue.fault(route="create", kind="error", code=code, message=message)
    with pytest.raises(OrderRejected, match="refused order"):
        place(broker, ticket())


@pytest.mark.parametrize(
    ("code", "message", "status"),
    [
        (-1000, "An unknown error occurred while processing the request.", 400),
        (-1001, "Internal error; unable to process your request. Please try again.", 400),
        (-1021, "Timestamp for this request is outside of the recvWindow.", 400),
        (-2010, "Account has insufficient balance for requested action.", 503),
        (-9999, "A code nobody has heard of.", 400),
    ],
)
def test_everything_else_is_unknown(
    venue: Any, broker: CcxtBroker, ticket: Ticket, code: int, message: str, status: int
) -> None:
    venue.fault(route="create", kind="error_after", code=code, message=message, status=status)
    one = ticket()
    with pytest.raises(OutcomeUnknown):
        place(broker, one)
    found = broker.find(one.client_order_id, BTC)
    assert found is not None
    assert found.status == "filled"


def test_an_id_binance_cannot_take_is_refused(broker: CcxtBroker) -> None:
    with pytest.raises(InvalidRequest, match="cannot take"):
        broker.find("an id with blanks", BTC)


def test_a_limit_entry_carries_its_exits_as_one_list(venue: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    one = ticket(limit_price=49000, stop_loss=48000, take_profit=52000)
    stop_id, target_id = protective_ids(one.client_order_id)
    assert broker.holds_protection(one)
    order = place(broker, one)
    assert (order.client_order_id, order.status, order.quantity) == (one.client_order_id, "accepted", Decimal("0.1"))
    [list_sent] = sent(venue)
    assert venue.log(route="create")[0]["path"] == "/api/v3/orderList/otoco"
    assert list_sent["pendingQuantity"] == "0.0999"
    assert (list_sent["pendingBelowType"], list_sent["pendingBelowStopPrice"]) == ("STOP_LOSS", "48000")
    assert (list_sent["pendingAboveType"], list_sent["pendingAbovePrice"]) == ("LIMIT_MAKER", "52000")
    venue.price(symbol=BTC, price="48990")
    entry, stop, target = (broker.find(each, BTC) for each in (one.client_order_id, stop_id, target_id))
    assert entry is not None
    assert stop is not None
    assert target is not None
    assert [entry.status, stop.status, target.status] == ["filled", "accepted", "accepted"]
    assert stop.quantity == target.quantity == Decimal("0.0999")
    venue.price(symbol=BTC, price="47900")
    stop, target = broker.find(stop_id, BTC), broker.find(target_id, BTC)
    assert stop is not None
    assert target is not None
    assert (stop.status, stop.filled, target.status) == ("filled", Decimal("0.0999"), "cancelled")
    assert venue.truth()["imbalance"] == {}


@pytest.mark.parametrize(("field", "leg"), [("stop_loss", 0), ("take_profit", 1)])
@pytest.mark.parametrize("entry", [{}, {"limit_price": 49000}], ids=["market", "limit"])
def test_one_exit_alone_is_held_too(
    venue: Any, broker: CcxtBroker, ticket: Ticket, field: str, leg: int, entry: dict[str, int], ledger_order: Any
) -> None:
    one = ticket(**entry, **{field: 48000 if field == "stop_loss" else 52000})
    order = place(broker, one)
    if order.status == "filled":
        broker.protect(ledger_order(one, order))
    venue.price(symbol=BTC, price="48990")
    ids = protective_ids(one.client_order_id)
    held, other = broker.find(ids[leg], BTC), broker.find(ids[1 - leg], BTC)
    assert held is not None
    assert (held.status, held.quantity, other) == ("accepted", Decimal("0.0999"), None)


@pytest.mark.parametrize("fields", [{}, {"stop_price": 50001}], ids=["market", "stop"])
def test_an_entry_that_carries_none_is_followed_by_its_exits(
    venue: Any, broker: CcxtBroker, ticket: Ticket, ledger_order: Any, fields: dict[str, int]
) -> None:
    one = ticket(stop_loss=48000, take_profit=52000, **fields)
    assert broker.holds_protection(one)
    place(broker, one)
    venue.price(symbol=BTC, price="50100")
    order = broker.find(one.client_order_id, BTC)
    assert order is not None
    assert (order.status, order.reason) == ("filled", "")
    stop, target = broker.protect(ledger_order(one, order))
    assert [entry["path"] for entry in venue.log(route="create")] == ["/api/v3/order", "/api/v3/orderList/oco"]
    assert (stop.client_order_id, target.client_order_id) == protective_ids(one.client_order_id)
    assert (stop.status, stop.quantity, target.status) == ("accepted", Decimal("0.0999"), "accepted")
    venue.price(symbol=BTC, price="52000")
    stop, target = broker.protect(ledger_order(one, order))
    assert (stop.status, target.status) == ("cancelled", "filled")
    assert len(venue.log(route="create")) == 2


@pytest.mark.parametrize("fault", ["unavailable_after", "html", "timeout_after"])
def test_exits_whose_placing_is_unclear_are_looked_up_and_not_sent_again(
    venue: Any, broker: CcxtBroker, ticket: Ticket, ledger_order: Any, fault: str
) -> None:
    one = ticket(stop_loss=48000, take_profit=52000)
    entry = ledger_order(one, place(broker, one))
    venue.fault(route="create", kind=fault, seconds=0.8)
    with pytest.raises(VenueUnavailable, match="exits"):
        broker.protect(entry)
    assert [leg.status for leg in broker.protect(entry)] == ["accepted", "accepted"]
    assert len(venue.log(route="create")) == 2


def test_exits_that_never_arrived_are_given_up_once_their_time_has_passed(
    venue: Any, ticket: Ticket, ledger_order: Any, venue_broker: Any
) -> None:
    passed = [0.0]
    broker = venue_broker("binance", patience=400, monotonic=lambda: passed[0])
    one = ticket(stop_loss=48000, take_profit=52000)
    entry = ledger_order(one, place(broker, one))
    venue.fault(route="create", kind="unavailable_before")
    for _ in range(2):
        with pytest.raises(VenueUnavailable, match="exits"):
            broker.protect(entry)
    passed[0] += broker.settling.total_seconds() + 1
    assert broker.protect(entry) == ()
    assert len(venue.log(route="create")) == 2


def test_exits_that_are_refused_are_not_sent_again(
    venue: Any, broker: CcxtBroker, ticket: Ticket, ledger_order: Any
) -> None:
    one = ticket(stop_loss=48000, take_profit=52000)
    entry = ledger_order(one, place(broker, one))
    venue.fault(route="create", kind="error", code=-2010, message="Stop price would trigger immediately.")
    assert broker.protect(entry) == broker.protect(entry) == ()
    assert len(venue.log(route="create")) == 2


def test_exits_are_sent_later_when_the_venue_is_asked_too_often(
    venue: Any, ticket: Ticket, ledger_order: Any, venue_broker: Any
) -> None:
    broker = venue_broker("binance", patience=400)
    one = ticket(stop_loss=48000, take_profit=52000)
    entry = ledger_order(one, place(broker, one))
    venue.fault(route="create", kind="rate_limited", retry_after=0)
    with pytest.raises(VenueUnavailable, match="exits"):
        broker.protect(entry)
    assert [leg.status for leg in broker.protect(entry)] == ["accepted", "accepted"]


def test_cancelling_a_listed_entry_takes_its_exits_along(venue: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    one = ticket(limit_price=49000, stop_loss=48000, take_profit=52000)
    place(broker, one)
    assert broker.cancel(one.client_order_id, BTC).status == "cancelled"
    for each in protective_ids(one.client_order_id):
        leg = broker.find(each, BTC)
        assert leg is not None
        assert leg.status == "cancelled"


@pytest.mark.parametrize("fault", ["unavailable_after", "timeout_after", "truncated", "no_id", "other_id", "html"])
def test_a_list_without_an_answer_is_unknown_and_booked_once(
    venue: Any, broker: CcxtBroker, ticket: Ticket, fault: str
) -> None:
    one = ticket(limit_price=49000, stop_loss=48000, take_profit=52000)
    venue.fault(route="create", kind=fault, seconds=0.8)
    with pytest.raises(OutcomeUnknown):
        place(broker, one)
    found = broker.find(one.client_order_id, BTC)
    assert found is not None
    assert place(broker, one) == found
    assert venue.truth()["accepts"][one.client_order_id] == 1
    assert len(venue.log(route="create")) == 1


def test_an_answer_about_another_order_is_no_look_up(venue: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    order = place(broker, ticket(limit_price=49000))
    venue.fault(route="lookup", kind="other_id")
    with pytest.raises(VenueUnavailable, match="not about order"):
        broker.find(order.client_order_id, BTC)
