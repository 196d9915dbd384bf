"""The client under every venue: keys, one request at a time, no retries, and a budget that keeps room for cancels."""

from __future__ import annotations

import decimal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from engines.domain.orders import OrderTicket
from engines.errors import ConfigurationError, OrderRejected, OutcomeUnknown, VenueUnavailable
from engines.execution.broker import ApprovedTicket
from engines.execution.venues import EXERCISED, CcxtBroker, Credentials, open_venue_account
from engines.execution.venues.budget import RequestBudget
from engines.execution.venues.ccxt_client import VenueClient, connect

ROOT = Path(__file__).resolve().parents[3]
BTC = "BTC/USDT"
Ticket = Callable[..., OrderTicket]


def every_text(addresses: Any) -> list[str]:
    if isinstance(addresses, dict):
        return [text for value in addresses.values() for text in every_text(value)]
    if isinstance(addresses, list):
        return [text for value in addresses for text in every_text(value)]
    return [addresses] if isinstance(addresses, str) else []


def test_the_package_is_imported_without_ccxt() -> None:
    program = "import sys, engines.execution.venues; print('ccxt' in sys.modules, 'requests' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize(("key", "secret"), [("", "s"), ("k", ""), (" ", "s")])
def test_without_a_key_and_a_secret_there_is_no_client(key: str, secret: str) -> None:
    with pytest.raises(ConfigurationError, match="both needed"):
        Credentials(key, secret)


def test_a_client_without_keys_is_refused(sync_client: Callable[..., Any]) -> None:
    exchange = sync_client("binance", apiKey="", secret="")
    with pytest.raises(ConfigurationError, match="has no keys"):
        VenueClient(exchange, RequestBudget(1, 1))


def test_credentials_do_not_show_themselves() -> None:
    shown = repr(Credentials("the-key", "the-secret"))
    assert "the-key" not in shown
    assert "the-secret" not in shown


@pytest.mark.parametrize("name", EXERCISED)
def test_a_broker_opened_with_keys_places_orders_and_reaches_nothing_but_loopback(
    name: Any, emulator: Any, on_loopback: Callable[[Any], Any], open_venue: Callable[..., Any], ticket: Ticket
) -> None:
    venue = open_venue(name, USDT="100000")
    made: list[Any] = []
    keys = Credentials(emulator.keys[name]["key"], emulator.keys[name]["secret"])
    one = ticket()
    broker = open_venue_account(
        name, keys, account=one.account, configure=lambda new: made.append(on_loopback(new))
    ).broker
    assert broker.name == name
    assert venue.log() == []
    broker.ready()
    assert broker.place(ApprovedTicket(one)).status == "filled"
    addresses = every_text(made[0].urls)
    assert len(addresses) > 5
    assert {text.split("//")[1].split(":")[0] for text in addresses} == {"127.0.0.1"}
    made[0].session.close()


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("name", EXERCISED)
def test_a_client_that_would_send_twice_is_refused(
    name: str, nested: bool, open_venue: Any, venue_broker: Any, ticket: Ticket
) -> None:
    venue = open_venue(name)
    broker = venue_broker(name)
    broker.ready()
    exchange = broker._client._exchange
    place = exchange.options.setdefault("order", {}) if nested else exchange.options
    place["maxRetriesOnFailure"] = 2
    try:
        with pytest.raises(ConfigurationError, match="maxRetriesOnFailure"):
            broker.place(ApprovedTicket(ticket()))
    finally:
        place["maxRetriesOnFailure"] = 0
    assert venue.log(route="create") == []


class _Elsewhere(BaseHTTPRequestHandler):
    """Sends every order on to its own address, as a proxy in front of a venue may."""

    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.asked.append(self.path)
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(307)
        self.send_header("Location", self.path)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


def test_a_redirect_is_not_followed(open_venue: Any, venue_broker: Any, ticket: Ticket) -> None:
    open_venue("binance")
    broker = venue_broker("binance")
    broker.ready()
    addresses = broker._client._exchange.urls["api"]
    before = addresses["private"]
    with ThreadingHTTPServer(("127.0.0.1", 0), _Elsewhere) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        addresses["private"] = f"http://127.0.0.1:{server.server_port}"
        try:
            with pytest.raises(OutcomeUnknown):
                broker.place(ApprovedTicket(ticket()))
        finally:
            addresses["private"] = before
            server.shutdown()
    assert _Elsewhere.asked == ["/order"]


def test_ccxts_rounding_leaves_our_decimals_alone(venue_broker: Any, open_venue: Any) -> None:
    open_venue("binance")
    broker = venue_broker("binance")
    broker.ready()
    before = decimal.getcontext().copy()
    assert broker._client.price_text(BTC, Decimal("50000.10")) == "50000.1"
    assert broker._client.quantity_text(BTC, Decimal("1E+1")) == "10"
    after = decimal.getcontext()
    assert (after.rounding, after.traps) == (before.rounding, before.traps)


def test_reads_leave_room_for_orders_and_orders_for_cancels() -> None:
    budget = RequestBudget(100, 1e-9, monotonic=lambda: 0.0)
    assert [spend(budget, use) for use in ("read", "order", "cancel")] == [60, 25, 15]
    with pytest.raises(VenueUnavailable, match="Nothing was sent"):
        budget.take("cancel", 1)


def spend(budget: RequestBudget, use: Any) -> int:
    """Take single weights until there are none for that use."""
    for count in range(1000):
        with suppress(VenueUnavailable):
            if budget.take(use, 1) == 0.0:
                continue
        return count
    pytest.fail("it never ends")


def test_a_short_wait_is_told_and_a_refilled_budget_goes_on() -> None:
    hand = [0.0]
    budget = RequestBudget(10, 5, monotonic=lambda: hand[0])
    assert [budget.take("cancel", 1) for _ in range(10)] == [0.0] * 10
    assert budget.take("cancel", 1) == pytest.approx(0.2)
    hand[0] = 0.2
    assert budget.take("cancel", 1) == 0.0


def test_a_cancel_goes_before_reads_that_wait(open_venue: Any, venue_broker: Any, ticket: Ticket) -> None:
    venue = open_venue("binance")
    released = threading.Event()
    hand = [0.0]
    # Reads find their part spent and wait; what is kept back is for the cancel.
    budget = RequestBudget(100, 50, monotonic=lambda: hand[0], sleep=lambda seconds: void(released.wait(10)))
    broker = venue_broker("binance", budget=budget)
    broker.ready()
    order = broker.place(ApprovedTicket(ticket(limit_price=49000)))
    spend(budget, "read")
    reading = threading.Thread(target=lambda: broker.find(order.client_order_id, BTC))
    reading.start()
    cancelling = threading.Thread(target=lambda: broker.cancel(order.client_order_id, BTC))
    cancelling.start()
    deadline = time.monotonic() + 10
    while not venue.log(route="cancel") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [entry["status"] for entry in venue.log(route="cancel")] == [200]
    assert venue.log(route="lookup") == []
    hand[0] += 1
    released.set()
    reading.join(10)
    cancelling.join(10)
    assert len(venue.log(route="lookup")) == 2


def void(_: object) -> None:
    """Nothing comes of it."""


def test_an_order_without_budget_is_refused_and_may_be_sent_later(
    open_venue: Any, venue_broker: Any, ticket: Ticket
) -> None:
    venue = open_venue("binance")
    hand = [0.0]
    budget = RequestBudget(50, 1, monotonic=lambda: hand[0])
    broker = venue_broker("binance", budget=budget)
    broker.ready()
    spend(budget, "order")
    hand[0] -= 5
    one = ticket()
    with pytest.raises(OrderRejected, match="Nothing was sent"):
        broker.place(ApprovedTicket(one))
    assert venue.log(route="create") == []
    hand[0] += 500
    assert broker.place(ApprovedTicket(one)).status == "filled"


def test_a_client_asks_in_its_own_name_only_what_the_options_allow(emulator: Any, on_loopback: Any) -> None:
    made: list[Any] = []
    keys = Credentials(emulator.keys["binance"]["key"], emulator.keys["binance"]["secret"])
    connect("binance", keys, RequestBudget(1, 1), configure=lambda new: made.append(on_loopback(new)))
    options = made[0].options
    assert (options["maxRetriesOnFailure"], options["recvWindow"], made[0].enableRateLimit) == (0, 5000, False)
    assert (options["fetchMargins"], options["fetchCurrencies"]) == (False, False)
    made[0].session.close()


@pytest.mark.parametrize("name", EXERCISED)
def test_one_request_in_three_spoiled_loses_and_doubles_nothing(
    name: str, open_venue: Any, venue_broker: Callable[..., CcxtBroker], ticket: Ticket
) -> None:
    venue = open_venue(name, USDT="100000")
    broker = venue_broker(name, patience=400)
    broker.ready()
    kinds = ["unavailable_before", "unavailable_after", "drop_before", "drop_after", "truncated", "html", "empty"]
    kinds += ["no_id", "other_id", "status_unknown", "timeout_code", "unknown_status"]
    routes = ["create", "lookup", "open_orders", "closed_orders", "fills", "cancel"]
    venue.chaos(seed=11, rate=0.3, routes=routes, kinds=kinds)
    tickets = [ticket(quantity=Decimal("0.001"), **({} if n % 2 else {"limit_price": 49000})) for n in range(40)]
    refused = set()
    for one in tickets:
        try:
            broker.place(ApprovedTicket(one))
        except OutcomeUnknown:
            pass
        except OrderRejected:
            refused.add(one.client_order_id)
    venue.clear()
    truth = venue.truth()
    assert max(truth["accepts"].values()) == 1
    assert len(venue.log(route="create")) == len(tickets)
    seen = [broker.find(one.client_order_id, BTC) for one in tickets]
    found = [order for order in seen if order is not None]
    assert refused.isdisjoint({order.client_order_id for order in found})
    assert len(found) == len(truth["orders"])
    assert {(fill.price, fill.quantity) for order in found for fill in order.fills} == {
        (Decimal(fill["price"]), Decimal(fill["quantity"])) for fill in truth["fills"]
    }
    assert sum(len(order.fills) for order in found) == len(truth["fills"])
    assert truth["imbalance"] == {}
