"""A live desk that differs from its venue lets no order through, whoever lifts the halt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from agents.live import LiveDesk
from engines.confirmation.risk import default_limits
from engines.domain.clock import ManualClock
from engines.domain.instruments import Instrument
from engines.domain.orders import Order, OrderIntent
from engines.execution.context import OrderContext
from engines.execution.live_gate import LiveGate
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit
from engines.execution.sync import sync_fills
from engines.execution.venues import VENUES, CcxtBroker
from engines.execution.venues.budget import RequestBudget
from engines.execution.venues.ccxt_client import VenueClient
from engines.ledger.lease import acquire_lease
from engines.ledger.ledger import Ledger
from engines.market.fixed import FixedMarket
from engines.storage.database import open_database

ACCOUNT = "live-fixed-usdt:ann"
VENUE: Final = "binance"


@dataclass
class Rounds:
    """A live desk, its venue, and seconds that pass when told."""

    venue: Any
    live: LiveDesk
    seconds: list[float]
    exchange: Any

    def order(self, symbol: str) -> Order:
        """A limit order that rests, or is refused."""
        context, broker = self.live.orders, self.live.broker
        intent = OrderIntent(
            ACCOUNT, "t", symbol, "buy", Decimal("0.1"), order_type="limit", limit_price=Decimal(49_000)
        )
        ticket = prepare_ticket(intent, context, owner="ann")
        context.ledger.decide(ticket.id, "approve", ticket.hash, "ann")
        order = submit(ticket.id, context, broker)
        assert order is not None
        return order

    def tend(self) -> None:
        """One round of the watcher, long after the one before."""
        self.seconds[0] += 30
        self.live.tend(seconds=1)

    def resume(self) -> None:
        self.live.orders.ledger.change_state("active", reason="Go on.", by="ann", account=ACCOUNT)

    def state(self) -> str:
        return self.live.orders.ledger.standing_state(ACCOUNT).state


@pytest.fixture
def desk(tmp_path: Path, open_venue: Callable[..., Any], _exchanges: Callable[[str, int], Any]) -> Iterator[Rounds]:
    clock = ManualClock(datetime.now(UTC).replace(microsecond=0))
    step, fee = Decimal("0.0001"), Decimal("0.001")
    rules = Instrument("BTC/USDT", "BTC", "USDT", Decimal("0.1"), step, step, Decimal(5), fee, fee)
    market = FixedMarket((rules, replace(rules, symbol="GONE/USDT", base="GONE")), clock)
    for symbol in ("BTC/USDT", "GONE/USDT"):
        market.set_quote(symbol, "49995", "50005")
    engine = open_database("desk", home=tmp_path)
    ledger = Ledger(engine, clock)
    ledger.ensure_account("ann", currency="USDT", cash=Decimal(0), market="fixed", mode="live")
    handle = open_venue(VENUE, USDT="100000")
    exchange = _exchanges(VENUE, 400)
    client = VenueClient(exchange, RequestBudget(1e6, 1e6, sleep=lambda _: None))
    broker = CcxtBroker(VENUES[VENUE][0](client), client, account=ACCOUNT)
    broker.ready()
    lease = acquire_lease(engine, clock, VENUE)
    gate = LiveGate(venue=VENUE, account=ACCOUNT, ledger=ledger, clock=clock, lease=lease)
    context = OrderContext(ledger, market, clock, default_limits(), mode="live", within="live-")
    seconds = [0.0]
    live = LiveDesk(
        replace(context, gate=gate.refusal), broker, gate, monotonic=lambda: seconds[0], sleep=lambda _: None
    )
    live.start()
    gate.arm(60, by="ann")
    assert gate.in_the_way() == ""
    listed = exchange.markets
    yield Rounds(handle, live, seconds, exchange)
    exchange.markets = listed
    engine.dispose()


def test_resuming_after_a_difference_opens_nothing_while_it_is_there(desk: Rounds) -> None:
    desk.venue.deposit(asset="USDT", amount="-30000")
    assert not desk.live.compare("request").matches
    assert desk.state() == "halted"
    desk.resume()
    assert "they differ (USDT" in desk.live.gate.in_the_way()
    desk.tend()
    assert (desk.state(), "they differ" in desk.live.gate.in_the_way()) == ("halted", True)


def test_a_difference_that_is_explained_opens_the_desk_in_the_round_after_the_resume(desk: Rounds) -> None:
    desk.venue.deposit(asset="USDT", amount="-30000")
    found = desk.live.compare("request")
    desk.live.orders.ledger.accept_differences(ACCOUNT, found.seq, reason="I took it out.", by="ann")
    desk.tend()
    assert "they differ" in desk.live.gate.in_the_way()
    desk.resume()
    desk.tend()
    assert (desk.state(), desk.live.gate.in_the_way()) == ("active", "")


def test_a_difference_that_went_away_frees_the_gate_and_leaves_the_halt_to_a_person(desk: Rounds) -> None:
    desk.venue.deposit(asset="USDT", amount="-30000")
    desk.live.compare("request")
    desk.venue.deposit(asset="USDT", amount="30000")
    desk.seconds[0] += 60
    desk.tend()
    assert (desk.state(), desk.live.gate.in_the_way()) == ("halted", "")


def test_a_symbol_that_is_listed_no_more_stops_no_comparison(desk: Rounds) -> None:
    assert desk.order("GONE/USDT").status == "rejected_by_venue"
    order = desk.order("BTC/USDT")
    desk.venue.price(symbol="BTC/USDT", price="48000")
    found = desk.live.compare("reconnect")
    assert (found.matches, desk.live.gate.in_the_way()) == (True, "")
    assert desk.live.orders.ledger.order(order.id).status == "filled"


def test_a_resting_order_whose_symbol_is_listed_no_more_needs_a_person(desk: Rounds) -> None:
    order = desk.order("BTC/USDT")
    listed = desk.exchange.markets
    desk.exchange.markets = {name: rules for name, rules in listed.items() if name != "BTC/USDT"}
    ledger, broker = desk.live.orders.ledger, desk.live.broker
    [after] = sync_fills(ledger, broker)
    assert (after.status, "no longer lists BTC/USDT" in after.reason) == ("needs_operator", True)
    assert sync_fills(ledger, broker) == ()
    # Once it is listed again the order is found, and goes on.
    desk.exchange.markets = listed
    assert [each.status for each in sync_fills(ledger, broker)] == ["accepted"]
    assert ledger.order(order.id).status == "accepted"


def test_an_unclear_order_whose_symbol_is_listed_no_more_stays_unclear(desk: Rounds) -> None:
    desk.venue.fault(kind="timeout_after", route="create", seconds=1)
    order = desk.order("BTC/USDT")
    assert order.status == "unknown"
    desk.exchange.markets = {name: rules for name, rules in desk.exchange.markets.items() if name != "BTC/USDT"}
    again = submit(order.ticket_id, desk.live.orders, desk.live.broker)
    assert again is not None
    assert again.status == "unknown"
