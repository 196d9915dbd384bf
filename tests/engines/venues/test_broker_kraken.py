"""What goes over the wire to Kraken: ids in its form, look-ups in two places, and the table of refusals."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.domain.orders import OrderTicket
from engines.errors import InvalidRequest, OrderRejected, OutcomeUnknown, VenueUnavailable
from engines.execution.broker import ApprovedTicket, VenueOrder, guarded_ids, protective_ids
from engines.execution.prepare import client_order_id
from engines.execution.venues import CcxtBroker
from engines.execution.venues.kraken_ids import kraken_id, own_id

BTC = "BTC/USDT"
Ticket = Callable[..., OrderTicket]


@pytest.fixture
def venue(open_venue: Callable[..., Any]) -> Any:
    return open_venue("kraken", USDT="100000")


@pytest.fixture
def broker(venue: Any, venue_broker: Callable[..., CcxtBroker]) -> CcxtBroker:
    made = venue_broker("kraken", patience=400)
    made.ready()
    return made


def place(broker: CcxtBroker, ticket: OrderTicket) -> VenueOrder:
    return broker.place(ApprovedTicket(ticket))


def sent(venue: Any, route: str = "create") -> list[dict[str, str]]:
    return [{k: v for k, v in entry["params"].items() if k != "nonce"} for entry in venue.log(route=route)]


@given(st.text())
def test_an_id_in_krakens_form_is_read_back(ticket_id: str) -> None:
    entry = client_order_id(ticket_id)
    for ours in (entry, *protective_ids(entry), *guarded_ids(entry)):
        theirs = kraken_id(ours)
        assert re.fullmatch(r"[0-9a-f]{32}", theirs)
        assert own_id(theirs) == own_id(str(UUID(theirs))) == ours


@pytest.mark.parametrize("theirs", ["", "web-order-1", "0" * 32, "71747005" + "0" * 24, "717470000" + "0" * 24])
def test_ids_of_others_are_not_ours(theirs: str) -> None:
    assert own_id(theirs) is None


def test_an_id_that_is_not_ours_is_refused(broker: CcxtBroker, ticket: Ticket) -> None:
    with pytest.raises(InvalidRequest, match="not one of this desk's"):
        broker.find("somebody-elses", BTC)


@pytest.mark.parametrize(
    ("fields", "form"),
    [
        ({}, {"ordertype": "market"}),
        ({"limit_price": Decimal("49000.5")}, {"ordertype": "limit", "price": "49000.5", "timeinforce": "GTC"}),
        ({"stop_price": 51000}, {"ordertype": "stop-loss", "price": "51000"}),
    ],
    ids=["market", "limit", "stop"],
)
def test_each_type_goes_out_in_its_own_form(
    venue: Any, broker: CcxtBroker, ticket: Ticket, fields: dict[str, Any], form: dict[str, str]
) -> None:
    one = ticket(**fields)
    place(broker, one)
    [wire] = sent(venue)
    latest = datetime.fromisoformat(wire.pop("deadline")).timestamp() * 1000
    assert 3_000 < latest - venue.truth()["now_ms"] <= 5_000
    common = {"pair": "XBTUSDT", "type": "buy", "volume": "0.1", "oflags": "fciq"}
    assert wire == common | form | {"cl_ord_id": kraken_id(one.client_order_id)}


def test_a_look_up_asks_by_our_id_in_both_places(venue: Any, broker: CcxtBroker) -> None:
    never = "qtp-" + "0" * 24
    assert broker.find(never, BTC) is None
    asked = {"cl_ord_id": kraken_id(never), "trades": "true"}
    assert sent(venue, "open_orders") == [asked]
    assert sent(venue, "closed_orders") == [asked]
    assert sent(venue, "lookup") == []


def test_a_cancel_goes_out_by_our_id(venue: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    order = place(broker, ticket(limit_price=49000))
    broker.cancel(order.client_order_id, BTC)
    assert sent(venue, "cancel") == [{"cl_ord_id": kraken_id(order.client_order_id)}]


def test_an_answer_counts_only_when_the_look_up_shows_the_same_order(
    venue: Any, broker: CcxtBroker, ticket: Ticket
) -> None:
    one = ticket(limit_price=49000)
    venue.fault(routes=["open_orders"], kind="unavailable_before")
    with pytest.raises(OutcomeUnknown, match="does not prove"):
        place(broker, one)
    found = broker.find(one.client_order_id, BTC)
    assert found is not None
    assert found.status == "accepted"
    assert sum(venue.truth()["accepts"].values()) == 1


def test_trades_are_asked_for_by_id_twenty_at_a_time(venue: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    order = place(broker, ticket(limit_price=49999, quantity=1))
    for _ in range(45):
        venue.crowd(symbol=BTC, side="sell", quantity="0.001", price="49999")
    found = broker.find(order.client_order_id, BTC)
    assert found is not None
    assert (len(found.fills), found.filled, found.reason) == (45, Decimal("0.045"), "")
    assert [len(each["txid"].split(",")) for each in sent(venue, "fills")] == [20, 20, 5]
    assert [fill.id for fill in found.fills] == [fill["id"] for fill in venue.truth()["fills"]]
    assert {fill.fee_currency for fill in found.fills} == {"USDT"}


def test_what_was_bought_is_there_to_be_sold_whole(venue: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    place(broker, ticket())
    assert place(broker, ticket(side="sell")).status == "filled"


@pytest.mark.parametrize(
    "message",
    [
        "EOrder:Insufficient funds",
        "EGeneral:Invalid arguments:volume minimum not met",
        "EGeneral:Invalid arguments",
        "EAPI:Invalid key",
    ],
)
def test_a_refusal_of_the_table_is_definite(venue: Any, broker: CcxtBroker, ticket: Ticket, message: str) -> None:
    venue.fault(route="create", kind="error", message=message)
    with pytest.raises(OrderRejected, match="refused order"):
        place(broker, ticket())


@pytest.mark.parametrize(
    "message",
    ["EService:Busy", "EGeneral:Internal error", "EAPI:Invalid nonce", "EOrder:Something new", "EService:Unavailable"],
)
def test_everything_else_is_unknown(venue: Any, broker: CcxtBroker, ticket: Ticket, message: str) -> None:
    venue.fault(route="create", kind="error_after", message=message)
    one = ticket()
    with pytest.raises(OutcomeUnknown):
        place(broker, one)
    found = broker.find(one.client_order_id, BTC)
    assert found is not None
    assert found.status == "filled"


def test_a_duplicate_is_looked_up(venue: Any, broker: CcxtBroker, ticket: Ticket, venue_broker: Any) -> None:
    one = ticket(limit_price=49000)
    order = place(broker, one)
    assert place(venue_broker("kraken", patience=400), one) == order
    assert sum(venue.truth()["accepts"].values()) == 1


def test_an_order_that_reaches_the_venue_late_is_refused_there(venue: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    venue.clock(skew_ms=5_500)
    one = ticket()
    with pytest.raises(OutcomeUnknown, match="Deadline elapsed"):
        place(broker, one)
    assert broker.find(one.client_order_id, BTC) is None


def test_two_exits_are_not_held(venue: Any, broker: CcxtBroker, ticket: Ticket, ledger_order: Any) -> None:
    one = ticket(limit_price=50010, stop_loss=48000, take_profit=52000)
    assert not broker.holds_protection(one)
    order = place(broker, one)
    assert order.status == "filled"
    assert broker.protect(ledger_order(one, order)) == ()
    assert [broker.find(each, BTC) for each in protective_ids(one.client_order_id)] == [None, None]
    assert not any(name.startswith("close") for name in sent(venue)[0])
    assert len(sent(venue)) == 1


def test_a_stop_loss_alone_follows_its_entry(venue: Any, broker: CcxtBroker, ticket: Ticket, ledger_order: Any) -> None:
    one = ticket(stop_loss=48000)
    assert broker.holds_protection(one)
    entry = ledger_order(one, place(broker, one))
    [held] = broker.protect(entry)
    assert (held.client_order_id, held.status) == (protective_ids(one.client_order_id)[0], "accepted")
    wire = sent(venue)[1]
    assert (wire["ordertype"], wire["type"], wire["price"], wire["volume"]) == ("stop-loss", "sell", "48000", "0.1")
    assert broker.protect(entry) == (held,)
    assert len(sent(venue)) == 2
    venue.price(symbol=BTC, price="47900")
    assert broker.protect(entry)[0].status == "filled"


def test_an_answer_about_another_order_is_no_look_up(venue: Any, broker: CcxtBroker, ticket: Ticket) -> None:
    order = place(broker, ticket(limit_price=49000))
    venue.fault(route="open_orders", kind="other_id")
    with pytest.raises(VenueUnavailable, match="not about order"):
        broker.find(order.client_order_id, BTC)
