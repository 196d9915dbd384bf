"""What has to be done at a venue is done within the requests that it allows, however few they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engines.confirmation.risk import default_limits
from engines.domain.clock import ManualClock
from engines.domain.instruments import Instrument
from engines.domain.orders import Order, OrderIntent
from engines.execution.context import OrderContext
from engines.execution.prepare import prepare_ticket
from engines.execution.reconcile import reconcile
from engines.execution.submit import submit
from engines.execution.switch import cancel_all
from engines.execution.venues import EXERCISED, VENUES, CcxtBroker
from engines.execution.venues.budget import RequestBudget
from engines.execution.venues.ccxt_client import VenueClient
from engines.ledger.ledger import Ledger
from engines.ledger.reconciliation import Reconciliation
from engines.market.fixed import FixedMarket
from engines.storage.database import open_database

BTC = "BTC/USDT"
ACCOUNT = "live-fixed-usdt:ann"


@dataclass
class Frugal:
    """A live desk that keeps to its venue's own request limit, in seconds that pass when somebody waits."""

    venue: Any
    broker: CcxtBroker
    context: OrderContext
    seconds: list[float] = field(default_factory=lambda: [0.0])

    def wait(self, seconds: float) -> None:
        self.seconds[0] += seconds

    def resting(self, number: int) -> Order:
        intent = OrderIntent(
            ACCOUNT, "t", BTC, "buy", Decimal("0.001"), order_type="limit", limit_price=Decimal(49_000 - number)
        )
        ticket = prepare_ticket(intent, self.context, owner="ann")
        self.context.ledger.decide(ticket.id, "approve", ticket.hash, "ann")
        order = submit(ticket.id, self.context, self.broker)
        assert order is not None
        return order

    def reconcile(self) -> Reconciliation:
        return reconcile(self.context, self.broker, ACCOUNT, sleep=self.wait)


@pytest.fixture(params=EXERCISED)
def desk(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    open_venue: Callable[..., Any],
    _exchanges: Callable[[str, int], Any],
) -> Iterator[Frugal]:
    clock = ManualClock(datetime.now(UTC).replace(microsecond=0))
    step, fee = Decimal("0.0001"), Decimal("0.001")
    market = FixedMarket((Instrument(BTC, "BTC", "USDT", Decimal("0.1"), step, step, Decimal(5), fee, fee),), clock)
    market.set_quote(BTC, "49995", "50005")
    engine = open_database("desk", home=tmp_path)
    ledger = Ledger(engine, clock)
    ledger.ensure_account("ann", currency="USDT", cash=Decimal(0), market="fixed", mode="live")
    limits = replace(default_limits(), max_open_orders=100, max_orders_per_second=100, duplicate_seconds=0)
    context = OrderContext(ledger, market, clock, limits, mode="live", within="live-")
    handle = open_venue(request.param, USDT="100000", BTC="0.4")
    exchange = _exchanges(request.param, 5000)
    exchange.session.hooks["response"].clear()
    seconds = [0.0]

    def sleep(pause: float) -> None:
        # Not by less than a float can tell apart.
        seconds[0] += pause + 0.001

    dialect, capacity, per_second = VENUES[request.param]
    client = VenueClient(exchange, RequestBudget(capacity, per_second, monotonic=lambda: seconds[0], sleep=sleep))
    broker = CcxtBroker(dialect(client), client, account=ACCOUNT)
    broker.ready()
    desk = Frugal(handle, broker, context, seconds)
    assert desk.reconcile().matches
    desk.wait(120)
    yield desk
    engine.dispose()


def test_a_difference_halts_the_account_at_a_venue_that_lets_little_be_asked_for(desk: Frugal) -> None:
    desk.resting(1)
    desk.wait(120)
    desk.venue.deposit(asset="USDT", amount="-250")
    found = desk.reconcile()
    assert not found.matches
    assert desk.context.ledger.standing_state(ACCOUNT).state == "halted"


def test_no_cancel_is_dropped_at_a_venue_that_lets_little_be_asked_for(desk: Frugal) -> None:
    orders = []
    for number in range(20):
        orders.append(desk.resting(number))
        desk.wait(30)
    cancel_all(desk.context.ledger, desk.broker, clock=desk.context.clock, by="ann", sleep=desk.wait)
    states = {each["client_id"]: each["state"] for each in desk.venue.truth()["orders"]}
    assert set(states.values()) == {"cancelled"}
    assert len(states) == len(orders)


def test_a_cancel_that_went_out_is_not_told_as_one_that_did_not(desk: Frugal) -> None:
    orders = []
    for number in range(20):
        orders.append(desk.resting(number))
        desk.wait(30)
    told = cancel_all(desk.context.ledger, desk.broker, clock=desk.context.clock, by="ann", sleep=desk.wait)
    assert not [each.detail for each in told if "Nothing was sent" in each.detail]


def test_the_fills_of_all_symbols_are_asked_for_within_one_limit(desk: Frugal) -> None:
    listed = [symbol for symbol, told in desk.broker._client.markets().items() if told.get("spot")]
    assert len(listed) >= 3
    now_ms = desk.broker._client.now_ms()
    for _ in range(3):
        told = desk.broker.fills_on((*listed, "GONE/USDT"), now_ms - 60_000)
        assert set(told) == set(listed)
        desk.wait(30)
