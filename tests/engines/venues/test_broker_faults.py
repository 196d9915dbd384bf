"""Every fault of a venue, on the way of a real order: at most one accept, and never more certainty than there is."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from engines.domain.orders import OrderTicket
from engines.errors import NotFound, OrderRejected, OutcomeUnknown, VenueUnavailable
from engines.execution.broker import ApprovedTicket, VenueOrder
from engines.execution.venues import EXERCISED, CcxtBroker
from engines.execution.venues.budget import RequestBudget

BTC = "BTC/USDT"
Ticket = Callable[..., OrderTicket]
Make = Callable[..., CcxtBroker]

LOST = ("unavailable_before", "timeout_before", "drop_before")
BOOKED = (
    *("unavailable_after", "timeout_after", "drop_after", "truncated", "html", "empty", "no_id", "other_id"),
    *("status_unknown", "timeout_code"),
)
KINDS: dict[str, dict[str, Any]] = {"market": {}, "limit": {"limit_price": 49000}, "stop": {"stop_price": 51000}}


@pytest.fixture(params=EXERCISED)
def venue(request: pytest.FixtureRequest, open_venue: Callable[..., Any]) -> Any:
    return open_venue(request.param, USDT="100000")


@pytest.fixture
def impatient(venue: Any, venue_broker: Make) -> CcxtBroker:
    broker = venue_broker(venue.venue, patience=400)
    broker.ready()
    assert broker.find("qtp-000000000000000000000000", BTC) is None
    return broker


def place(broker: CcxtBroker, ticket: OrderTicket) -> VenueOrder:
    return broker.place(ApprovedTicket(ticket))


def accepts(venue: Any) -> int:
    return sum(venue.truth()["accepts"].values())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", [*LOST, *BOOKED])
def test_an_unclear_answer_is_unknown_and_the_order_is_found_or_was_never_there(
    venue: Any, impatient: CcxtBroker, ticket: Ticket, fault: str, kind: str
) -> None:
    sent = ticket(**KINDS[kind])
    venue.fault(route="create", kind=fault, seconds=0.8)
    with pytest.raises(OutcomeUnknown) as raised:
        place(impatient, sent)
    assert "never sent again" in raised.value.remedy
    booked = fault in BOOKED
    assert accepts(venue) == int(booked)
    found = impatient.find(sent.client_order_id, BTC)
    assert (found is not None) == booked
    if found is not None:
        assert found.status == ("filled" if kind == "market" else "accepted")
    # Asked once more, it is looked up and not sent.
    try:
        assert place(impatient, sent) == found
    except OutcomeUnknown:
        assert found is None
    assert accepts(venue) == int(booked)
    assert len(venue.log(route="create")) == 1


@pytest.mark.parametrize("fault", ["rate_limited", "banned"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_limit_is_a_refusal_and_nothing_is_sent_again(
    venue: Any, impatient: CcxtBroker, ticket: Ticket, fault: str, kind: str
) -> None:
    sent = ticket(**KINDS[kind])
    venue.fault(route="create", kind=fault)
    with pytest.raises(OrderRejected):
        place(impatient, sent)
    assert accepts(venue) == 0
    assert len(venue.log(route="create")) == 1


def test_after_a_limit_nothing_is_asked_until_the_venue_said(venue: Any, venue_broker: Make, ticket: Ticket) -> None:
    hand = [0.0]
    budget = RequestBudget(1e6, 1e6, monotonic=lambda: hand[0], sleep=lambda seconds: None)
    broker = venue_broker(venue.venue, budget=budget)
    broker.ready()
    venue.fault(route="create", kind="rate_limited", retry_after=30)
    with pytest.raises(OrderRejected):
        place(broker, ticket())
    before = len(venue.log())
    with pytest.raises(OrderRejected, match="Nothing was sent"):
        place(broker, ticket())
    with pytest.raises(VenueUnavailable, match="Nothing was sent"):
        broker.find("qtp-000000000000000000000000", BTC)
    assert len(venue.log()) == before
    hand[0] += 31
    assert place(broker, ticket()).status == "filled"


@pytest.mark.parametrize(
    "fields",
    [{"quantity": 3}, {"quantity": 3, "limit_price": 49000}, {"side": "sell"}],
    ids=["market", "limit", "not held"],
)
def test_missing_funds_are_a_refusal(venue: Any, impatient: CcxtBroker, ticket: Ticket, fields: dict[str, Any]) -> None:
    with pytest.raises(OrderRejected):
        place(impatient, ticket(**fields))
    assert accepts(venue) == 0


def test_a_price_or_quantity_off_the_step_is_refused_before_anything_is_sent(
    venue: Any, impatient: CcxtBroker, ticket: Ticket
) -> None:
    for fields in (
        {"quantity": Decimal("0.1234567899")},
        {"quantity": Decimal("1e-12")},
        {"limit_price": Decimal("49000.129")},
        {"stop_price": Decimal("51000.129")},
        {"stop_loss": Decimal("48000.129")},
        {"take_profit": Decimal("52000.129")},
    ):
        with pytest.raises(OrderRejected, match="Nothing was sent"):
            place(impatient, ticket(**fields))
    assert venue.log(route="create") == []


def test_a_ticket_of_another_account_or_market_is_refused_before_anything_is_sent(
    venue: Any, impatient: CcxtBroker, ticket: Ticket
) -> None:
    for fields in ({"account": "somebody else's"}, {"symbol": "DOGE/USDT"}):
        with pytest.raises(OrderRejected):
            place(impatient, ticket(**fields))
    assert venue.log(route="create") == []


def test_an_order_that_shows_up_late_is_not_denied(venue: Any, impatient: CcxtBroker, ticket: Ticket) -> None:
    venue.fault(route="create", kind="hidden", seconds=1)
    sent = ticket(limit_price=49000)
    try:
        assert place(impatient, sent).status == "accepted"
        with pytest.raises(VenueUnavailable, match="does not show it yet"):
            impatient.find(sent.client_order_id, BTC)
    except OutcomeUnknown:
        assert impatient.find(sent.client_order_id, BTC) is None
    venue.clock(advance_ms=1000)
    found = impatient.find(sent.client_order_id, BTC)
    assert found is not None
    assert found.status == "accepted"
    assert accepts(venue) == 1


def test_an_order_booked_after_we_gave_up_is_found(venue: Any, impatient: CcxtBroker, ticket: Ticket) -> None:
    sent = ticket(limit_price=49000)
    venue.fault(route="create", kind="slow", seconds=0.8)
    with pytest.raises(OutcomeUnknown):
        place(impatient, sent)
    deadline = time.monotonic() + 10
    while not venue.truth()["accepts"] and time.monotonic() < deadline:
        time.sleep(0.05)
    found = impatient.find(sent.client_order_id, BTC)
    assert found is not None
    assert found.status == "accepted"
    assert impatient.settling.total_seconds() >= 5


@pytest.mark.parametrize("fault", ["unavailable_before", "timeout_before", "drop_before", "html", "empty", "truncated"])
def test_a_look_up_that_fails_is_no_denial(venue: Any, impatient: CcxtBroker, ticket: Ticket, fault: str) -> None:
    order = place(impatient, ticket(limit_price=49000))
    venue.fault(routes=["lookup", "open_orders", "closed_orders", "fills"], kind=fault, count=-1, seconds=0.8)
    with pytest.raises(VenueUnavailable):
        impatient.find(order.client_order_id, BTC)
    with pytest.raises(VenueUnavailable):
        impatient.find("qtp-000000000000000000000000", BTC)
    venue.clear()
    assert impatient.find(order.client_order_id, BTC) == order


def test_a_trade_list_that_lags_keeps_the_order_open(venue: Any, impatient: CcxtBroker, ticket: Ticket) -> None:
    venue.clock(stopped=True)
    order = place(impatient, ticket(limit_price=49990, quantity=1))
    venue.clock(advance_ms=3000)
    venue.crowd(symbol=BTC, side="sell", quantity="30", price="49990")
    venue.fault(route="fills", kind="stale", seconds=2)
    behind = impatient.find(order.client_order_id, BTC)
    assert behind is not None
    assert (behind.status, behind.filled) == ("accepted", Decimal(0))
    assert "lists trades over 0 so far" in behind.reason
    after = impatient.find(order.client_order_id, BTC)
    assert after is not None
    assert (after.status, after.filled, after.reason) == ("filled", Decimal(1), "")
    venue.clock(stopped=False)


def test_fills_add_up_in_parts_and_stay_after_a_cancel(venue: Any, impatient: CcxtBroker, ticket: Ticket) -> None:
    order = place(impatient, ticket(limit_price=49999, quantity=1))
    venue.crowd(symbol=BTC, side="sell", quantity="0.25", price="49999")
    venue.crowd(symbol=BTC, side="sell", quantity="0.5", price="49999")
    partly = impatient.find(order.client_order_id, BTC)
    assert partly is not None
    assert (partly.status, partly.filled) == ("partially_filled", Decimal("0.75"))
    assert [fill.quantity for fill in partly.fills] == [Decimal("0.25"), Decimal("0.5")]
    cancelled = impatient.cancel(order.client_order_id, BTC)
    assert (cancelled.status, cancelled.fills) == ("cancelled", partly.fills)


@pytest.mark.parametrize(
    ("fees", "currency", "fee"),
    [
        ({"maker": "0.001", "taker": "0.001", "pay_in": "base"}, "BTC", "0.0001"),
        ({"maker": "0.001", "taker": "0.001", "pay_in": "quote"}, "USDT", "5.0005"),
        ({"maker": "-0.0002", "taker": "-0.0002", "pay_in": "quote"}, "USDT", "-1.0001"),
    ],
    ids=["base", "quote", "rebate"],
)
def test_fees_come_in_their_own_currency_and_may_be_rebates(
    venue: Any, impatient: CcxtBroker, ticket: Ticket, fees: dict[str, str], currency: str, fee: str
) -> None:
    venue.fees(**fees)
    order = place(impatient, ticket())
    [fill] = order.fills
    if venue.venue == "kraken":
        currency = "USDT"
        fee = {"0.0001": "5.0005"}.get(fee, fee)
    assert (fill.fee_currency, fill.fee) == (currency, Decimal(fee))
    found = impatient.find(order.client_order_id, BTC)
    assert found is not None
    assert found.fills[0].fee == Decimal(fee)


@pytest.mark.parametrize("fault", ["unavailable_after", "timeout_after", "drop_after", "unavailable_before"])
def test_a_cancel_without_an_answer_is_unclear_and_can_be_repeated(
    venue: Any, impatient: CcxtBroker, ticket: Ticket, fault: str
) -> None:
    order = place(impatient, ticket(limit_price=49000))
    venue.fault(route="cancel", kind=fault, seconds=0.8)
    with pytest.raises(VenueUnavailable):
        impatient.cancel(order.client_order_id, BTC)
    assert impatient.cancel(order.client_order_id, BTC).status == "cancelled"


def test_a_cancel_that_comes_after_the_fill_tells_of_the_fill(
    venue: Any, impatient: CcxtBroker, ticket: Ticket
) -> None:
    order = place(impatient, ticket(limit_price=49999))
    venue.crowd(symbol=BTC, side="sell", quantity="0.1", price="49999")
    after = impatient.cancel(order.client_order_id, BTC)
    assert (after.status, after.filled) == ("filled", Decimal("0.1"))
    with pytest.raises(NotFound):
        impatient.cancel("qtp-000000000000000000000000", BTC)


def test_a_status_word_nobody_knows_stays_open_and_says_so(venue: Any, impatient: CcxtBroker, ticket: Ticket) -> None:
    order = place(impatient, ticket(limit_price=49000))
    venue.fault(routes=["lookup", "open_orders"], kind="unknown_status", word="UNDER_REVIEW", count=-1)
    seen = impatient.find(order.client_order_id, BTC)
    assert seen is not None
    assert seen.status == "accepted"
    assert "UNDER_REVIEW" in seen.reason


@pytest.mark.parametrize("skew_ms", [2500, -2500])
def test_rule_23_no_order_is_sent_while_the_clocks_are_apart(
    venue: Any, venue_broker: Make, ticket: Ticket, skew_ms: int
) -> None:
    broker = venue_broker(venue.venue)
    venue.clock(skew_ms=skew_ms)
    with pytest.raises(OrderRejected, match="s apart; 1 s is the most"):
        place(broker, ticket())
    assert venue.log(route="create") == []
    venue.clock(skew_ms=0)
    assert place(broker, ticket()).status == "filled"


@pytest.mark.parametrize("skew_ms", [900, -900])
def test_rule_23_clocks_less_than_a_second_apart_stop_nothing(
    venue: Any, venue_broker: Make, ticket: Ticket, skew_ms: int
) -> None:
    broker = venue_broker(venue.venue)
    venue.clock(skew_ms=skew_ms)
    assert place(broker, ticket()).status == "filled"
    venue.clock(skew_ms=0)


def test_no_order_is_sent_while_the_venue_does_not_tell_its_time(
    venue: Any, venue_broker: Make, ticket: Ticket
) -> None:
    venue.fault(route="time", kind="unavailable_before", count=-1)
    with pytest.raises(OrderRejected, match="does not tell its time"):
        place(venue_broker(venue.venue), ticket())
    assert venue.log(route="create") == []


def test_secrets_stay_out_of_every_message(
    venue: Any, impatient: CcxtBroker, ticket: Ticket, emulator: Any, caplog: pytest.LogCaptureFixture
) -> None:
    said = []
    for fault in ("unavailable_before", "timeout_before", "rate_limited", "html", "truncated"):
        venue.fault(routes=["create", "lookup", "open_orders"], kind=fault, seconds=0.8)
        try:
            place(impatient, ticket())
        except (OrderRejected, OutcomeUnknown) as error:
            said.append(str(error))
        try:
            impatient.find("qtp-" + "0" * 24, BTC)
        except VenueUnavailable as error:
            said.append(str(error))
    keys = emulator.keys[venue.venue]
    assert said
    for words in (*said, caplog.text, repr(impatient)):
        assert keys["key"] not in words
        assert keys["secret"] not in words
        assert "signature" not in words
