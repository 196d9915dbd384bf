"""What a stream speaks of is looked up at once and by the venue's own answer; nothing is lost when the stream is."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agents.live import LiveDesk
from engines.confirmation.risk import default_limits
from engines.domain.clock import ManualClock
from engines.domain.instruments import Instrument
from engines.domain.orders import Order, OrderIntent
from engines.execution.context import OrderContext
from engines.execution.heard import Heard
from engines.execution.live_gate import LiveGate
from engines.execution.prepare import prepare_ticket
from engines.execution.submit import submit
from engines.execution.venues import EXERCISED, VENUES, CcxtBroker, Credentials
from engines.execution.venues.budget import RequestBudget
from engines.execution.venues.ccxt_client import VenueClient
from engines.execution.venues.private_stream import stream_of
from engines.execution.wake import Pace, bring_heard
from engines.ledger.lease import acquire_lease
from engines.ledger.ledger import Ledger
from engines.market.fixed import FixedMarket
from engines.storage.database import open_database

from .waiting import until

ACCOUNT = "live-fixed-usdt:ann"
BTC = "BTC/USDT"


@dataclass
class Desk:
    """A live desk whose rounds come only when a test says so: what is brought otherwise, the stream brought."""

    venue: Any
    live: LiveDesk
    seconds: list[float]

    def prepared(self, side: Any = "buy", price: int = 49_999, **more: Any) -> str:
        """An approved ticket for 0.1 BTC that is not sent yet."""
        context = self.live.orders
        wanted: dict[str, Any] = {"order_type": "limit", "limit_price": Decimal(price)} | more
        ticket = prepare_ticket(OrderIntent(ACCOUNT, "t", BTC, side, Decimal("0.1"), **wanted), context, owner="ann")
        context.ledger.decide(ticket.id, "approve", ticket.hash, "ann")
        return ticket.id

    def send(self, ticket_id: str) -> Order:
        order = submit(ticket_id, self.live.orders, self.live.broker)
        assert order is not None
        return order

    def order(self, **fields: Any) -> Order:
        return self.send(self.prepared(**fields))

    def now(self, order: Order) -> Order:
        return self.live.orders.ledger.order(order.id)

    def sell_into(self, quantity: str, price: str = "49999") -> None:
        self.venue.crowd(symbol=BTC, side="sell", quantity=quantity, price=price)

    def tend(self, after: float) -> None:
        """One round of the watcher so many seconds later."""
        self.seconds[0] += after
        self.live.tend(seconds=1)

    def up(self, number: int) -> None:
        """Wait until the stream is up for that time, and what follows on it is done."""
        stream = self.live.stream
        assert stream is not None
        until(lambda: stream.standing.connections >= number and stream.standing.is_up)

    def fills_are_the_venues(self) -> bool:
        """Every fill that the venue knows is in the ledger, once."""
        theirs = sorted((Decimal(each["price"]), Decimal(each["quantity"])) for each in self.venue.truth()["fills"])
        ours = [fill for order in self.live.orders.ledger.orders(ACCOUNT, limit=1000) for fill in order.fills]
        return sorted((fill.price, fill.quantity) for fill in ours) == theirs


@pytest.fixture
def desk_at(
    tmp_path: Path, open_venue: Any, _exchanges: Any, emulator: Any, on_loopback: Any
) -> Iterator[Callable[[Any], Desk]]:
    with ExitStack() as stack:

        def open_(name: Any) -> Desk:
            clock = ManualClock(datetime.now(UTC).replace(microsecond=0))
            step, fee = Decimal("0.0001"), Decimal("0.001")
            market = FixedMarket(
                (Instrument(BTC, "BTC", "USDT", Decimal("0.1"), step, step, Decimal(5), fee, fee),), clock
            )
            market.set_quote(BTC, "49995", "50005")
            engine = open_database("desk", home=tmp_path)
            stack.callback(engine.dispose)
            ledger = Ledger(engine, clock)
            ledger.ensure_account("ann", currency="USDT", cash=Decimal(0), market="fixed", mode="live")
            handle = open_venue(name, USDT="100000")
            exchange = _exchanges(name, 5000)
            exchange.session.hooks["response"].clear()
            client = VenueClient(exchange, RequestBudget(1e6, 1e6, sleep=lambda _: None))
            broker = CcxtBroker(VENUES[name][0](client), client, account=ACCOUNT)
            broker.ready()
            lease = acquire_lease(engine, clock, name)
            gate = LiveGate(venue=name, account=ACCOUNT, ledger=ledger, clock=clock, lease=lease)
            limits = replace(default_limits(), max_orders_per_minute=1_000, max_orders_per_second=1_000)
            context = OrderContext(
                ledger, market, clock, replace(limits, duplicate_seconds=0), mode="live", within="live-"
            )
            seconds = [0.0]
            keys = Credentials(emulator.keys[name]["key"], emulator.keys[name]["secret"])
            stream = stream_of(client, keys, configure=on_loopback)
            stream._pause, stream._monotonic = 0.05, lambda: seconds[0]
            live = LiveDesk(
                replace(context, gate=gate.refusal),
                broker,
                gate,
                stream,
                lambda: seconds[0],
                lambda _: None,
                Pace(1_000, 1_000),
            )
            live.start()
            gate.arm(60, by="ann")
            return Desk(handle, live, seconds)

        yield open_


@pytest.fixture(params=EXERCISED)
def desk(request: pytest.FixtureRequest, desk_at: Any) -> Desk:
    made: Desk = desk_at(request.param)
    return made


@pytest.fixture
def woken(desk: Desk) -> Iterator[Desk]:
    """A desk that listens."""
    with desk.live.listening(lambda: None):
        desk.up(1)
        yield desk


def test_a_fill_is_in_the_ledger_without_a_round_of_the_watcher(woken: Desk) -> None:
    order = woken.order()
    assert order.status == "accepted"
    woken.sell_into("0.04")
    until(lambda: woken.now(order).status == "partially_filled")
    woken.sell_into("0.06")
    until(lambda: woken.now(order).status == "filled")
    assert woken.fills_are_the_venues()


def test_a_cancellation_at_the_venue_is_known_without_a_round_of_the_watcher(woken: Desk) -> None:
    order = woken.order(price=49_000)
    woken.venue.cancel(id=order.venue_order_id)
    until(lambda: woken.now(order).status == "cancelled")


def test_an_order_whose_answer_was_lost_is_found_by_its_event(woken: Desk) -> None:
    ticket_id = woken.prepared()
    woken.venue.fault(route="create", kind="unavailable_after")
    order = woken.send(ticket_id)
    until(lambda: woken.now(order).status == "accepted")
    assert list(woken.venue.truth()["accepts"].values()) == [1]


def test_the_venues_answer_counts_and_not_what_the_stream_says(woken: Desk) -> None:
    order = woken.order(price=49_000)
    lie = Heard(order.id, str(order.venue_order_id), Decimal("0.1"), ended=True)
    assert bring_heard(lie, woken.live.orders, woken.live.broker, ACCOUNT) is False
    assert woken.now(order).status == "accepted"
    assert woken.now(order).filled == 0


def test_a_look_up_that_lags_behind_the_stream_is_made_again(woken: Desk) -> None:
    order = woken.order()
    reads = ["lookup", "open_orders", "closed_orders", "fills"]
    woken.venue.fault(routes=reads, kind="stale", seconds=60, count=2)
    woken.sell_into("0.1")
    until(lambda: woken.now(order).status == "filled")
    assert woken.fills_are_the_venues()


def test_a_look_up_that_fails_is_made_again_and_closes_no_gate(woken: Desk) -> None:
    order = woken.order()
    reads = ["lookup", "open_orders", "closed_orders", "fills"]
    woken.venue.fault(routes=reads, kind="unavailable_before", count=2)
    woken.sell_into("0.1")
    until(lambda: woken.now(order).status == "filled")
    assert woken.live.gate.in_the_way() == ""


def test_an_event_of_an_order_that_is_known_so_far_asks_the_venue_nothing(woken: Desk) -> None:
    order = woken.order(price=49_000)
    before = len(woken.venue.log())
    told = Heard(order.id, str(order.venue_order_id), Decimal(0))
    assert bring_heard(told, woken.live.orders, woken.live.broker, ACCOUNT)
    assert len(woken.venue.log()) == before


def test_an_event_under_the_venues_id_alone_finds_the_order(desk: Desk) -> None:
    order = desk.order()
    desk.sell_into("0.1")
    told = Heard("", str(order.venue_order_id), Decimal("0.1"), ended=True)
    assert bring_heard(told, desk.live.orders, desk.live.broker, ACCOUNT)
    assert desk.now(order).status == "filled"


def test_an_event_that_names_nothing_that_is_known_makes_all_resting_orders_be_looked_at(desk: Desk) -> None:
    order = desk.order()
    desk.sell_into("0.1")
    assert bring_heard(Heard("somebody-elses", "77"), desk.live.orders, desk.live.broker, ACCOUNT)
    assert desk.now(order).status == "filled"


def test_exits_at_the_venue_are_in_the_ledger_as_soon_as_the_entry_filled(woken: Desk) -> None:
    order = woken.order(stop_loss=Decimal(48_000), take_profit=Decimal(52_000))
    woken.sell_into("0.1")
    ledger = woken.live.orders.ledger
    until(lambda: len(ledger.exits_of(order.id)) == 2)
    assert woken.now(order).status == "filled"


@pytest.mark.parametrize("fault", ["drop", "duplicate", "reorder", "late"])
def test_spoilt_events_lose_no_fill_and_count_none_twice(woken: Desk, fault: str) -> None:
    orders = [woken.order(), woken.order()]
    woken.venue.fault(route="stream:private", kind=fault, count=3, seconds=0.2)
    for _ in range(4):
        woken.sell_into("0.05")
    if fault == "drop":
        # Nobody told of some of them; the round that comes anyway brings them.
        woken.tend(after=30)
    until(lambda: [woken.now(order).status for order in orders] == ["filled", "filled"])
    assert woken.fills_are_the_venues()


def test_rule_38_a_reconnect_compares_and_leaves_no_gap_in_the_fills(woken: Desk) -> None:
    order = woken.order()
    woken.venue.refuse(seconds=600)
    woken.venue.cut(private=True)
    stream = woken.live.stream
    assert stream is not None
    until(lambda: not stream.standing.is_up)
    for _ in range(3):
        woken.sell_into("0.03")
    woken.sell_into("0.01")
    assert woken.now(order).fills == ()
    woken.venue.clear()
    # No round of the watcher comes: the reconnect alone compares, by the fills since the last time.
    until(lambda: woken.now(order).status == "filled")
    assert len(woken.now(order).fills) == 4
    assert woken.fills_are_the_venues()
    ledger = woken.live.orders.ledger
    until(lambda: (last := ledger.reconciliation(ACCOUNT)) is not None and last.report["trigger"] == "reconnect")


def test_rule_38_sixty_silent_seconds_compare_the_fills_and_a_deaf_stream_is_opened_again(woken: Desk) -> None:
    order = woken.order()
    woken.venue.silence(seconds=600)
    for _ in range(2):
        woken.sell_into("0.05")
    woken.tend(after=61)
    assert woken.now(order).status == "filled"
    assert woken.fills_are_the_venues()
    assert woken.live.gate.in_the_way() == ""
    woken.up(2)
    # It hears again.
    second = woken.order()
    woken.sell_into("0.1")
    until(lambda: woken.now(second).status == "filled")


def test_a_silent_stream_of_a_quiet_account_stays_as_it_is(woken: Desk) -> None:
    stream = woken.live.stream
    assert stream is not None
    for _ in range(3):
        woken.tend(after=61)
    assert (stream.standing.connections, woken.live.gate.in_the_way()) == (1, "")


def test_while_the_stream_is_down_orders_are_polled_as_without_one(desk: Desk) -> None:
    desk.venue.refuse(seconds=600)
    with desk.live.listening(lambda: None):
        order = desk.order()
        desk.sell_into("0.1")
        desk.tend(after=30)
        assert desk.now(order).status == "filled"
        desk.tend(after=61)
        assert desk.live.gate.in_the_way() == ""


def test_a_venue_that_is_away_when_the_stream_comes_back_is_compared_with_later(woken: Desk) -> None:
    order = woken.order()
    everything = ["lookup", "open_orders", "closed_orders", "fills", "balances", "time"]
    woken.venue.fault(routes=everything, kind="unavailable_before", count=-1)
    woken.venue.cut(private=True)
    woken.up(2)
    woken.sell_into("0.1")
    until(lambda: bool(woken.live.gate.doubt))
    woken.venue.clear()
    woken.tend(after=120)
    assert (woken.now(order).status, woken.live.gate.in_the_way()) == ("filled", "")


def test_many_fills_at_once_under_cuts_are_all_there_in_the_end(woken: Desk) -> None:
    orders = [woken.order() for _ in range(6)]
    for number in range(12):
        woken.sell_into("0.05")
        if number % 4 == 1:
            woken.venue.cut(private=True)
    until(lambda: all(woken.now(order).status == "filled" for order in orders))
    assert woken.fills_are_the_venues()
    assert woken.live.compare("request").matches


def test_a_fill_that_cannot_be_written_down_at_first_is_written_down_later(woken: Desk, tmp_path: Path) -> None:
    order = woken.order()
    with sqlite3.connect(tmp_path / "desk.db", isolation_level=None) as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON fills BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
        woken.sell_into("0.1")
        until(lambda: len(woken.venue.truth()["fills"]) == 1 and bool(woken.venue.log(route="fills")))
        assert woken.now(order).fills == ()
        other.execute("DROP TRIGGER full")
    until(lambda: woken.now(order).status == "filled")
    assert woken.fills_are_the_venues()


def test_after_the_block_nothing_listens_and_no_thread_is_left(desk: Desk) -> None:
    with desk.live.listening(lambda: None):
        desk.up(1)
    until(lambda: not desk.venue.sockets()["open"])
    names = {each.name for each in threading.enumerate()}
    assert not [name for name in names if name.startswith(("private stream", "look-ups"))]


def test_what_follows_a_look_up_is_done_after_it(desk: Desk) -> None:
    seen: list[str] = []
    order = desk.order()
    with desk.live.listening(lambda: seen.append(desk.now(order).status)):
        desk.up(1)
        desk.sell_into("0.1")
        until(lambda: "filled" in seen)
