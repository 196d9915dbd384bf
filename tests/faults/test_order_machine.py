"""Orders under random faults, deaths and restarts: what must hold after every step, and what is left in the end."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from engines.domain.orders import Order, OrderIntent
from engines.errors import QuantumTraderError
from engines.execution.prepare import prepare_ticket
from engines.storage import ledger as tables

from .siege.desk import (
    ACCOUNT,
    BTC,
    CASH,
    KINDS,
    OWNER,
    Desk,
    MovableClock,
    exchange_of,
    open_account,
    open_desk,
    prepare_home,
)
from .siege.link import VENUES, Handle, Link, control, emulator
from .siege.points import Points
from .siege.verdict import compared, compared_on_paper, own_id, unjournalled

SETTLING = timedelta(seconds=15)
HIDDEN = 0.2
LATE = 0.4
"""More than a client waits, so that the venue is still at it when the client has given up."""
OF_CREATES = (
    *("unavailable_before", "timeout_before", "drop_before", "rate_limited", "unavailable_after", "timeout_after"),
    *("drop_after", "truncated", "html", "empty", "no_id", "other_id", "status_unknown", "timeout_code", "late_ack"),
    *("unknown_status", "hidden", "slow"),
)
OF_READS = ("unavailable_before", "drop_before", "truncated", "html", "empty", "no_id", "unknown_status", "stale")
READS = ("lookup", "open_orders", "closed_orders", "fills")
FAULTS = st.sampled_from(("", *OF_CREATES))
PRICES = ("47900", "48900", "49500", "50000", "50600", "52100")


class Died(BaseException):
    """The process is gone; nothing of ours may catch it."""


@dataclass(frozen=True)
class Place:
    """Where a machine runs."""

    venue: str
    folder: Path
    link: Link | None = None
    exchange: Any = None
    door: Handle | None = None


class OrderMachine(RuleBasedStateMachine):
    place: ClassVar[Place]

    @initialize()
    def begin(self) -> None:
        self.clock = MovableClock(SETTLING)
        self.home = prepare_home(self.place.folder, secrets.token_hex(6))
        self.tickets: list[str] = []
        if self.place.door is not None:
            self.place.door.clear()
            self.place.door.reset(money={"USDT": str(CASH)})
        self._start()
        open_account(self.desk)

    def _start(self) -> None:
        self.points = Points(None, end=self._die)
        self.opened = open_desk(self.home, self.place.venue, self.place.exchange, points=self.points, clock=self.clock)
        self.desk: Desk = self.opened.__enter__()
        self.points.before_sending = self._require_journalled

    def _stop(self) -> None:
        self.points.at = None
        self.opened.__exit__(None, None, None)
        if self.place.exchange is not None:
            # A connection with half an answer in it died with its process.
            self.place.exchange.session.close()

    def _die(self) -> None:
        # Behind a commit the database driver is at work; the next boundary is the same moment seen from outside.
        if self.points.passed[-1] == "behind a commit":
            self.points.at = len(self.points.passed)
            return
        self.points.at = None
        raise Died

    def _require_journalled(self, content: str) -> None:
        """At the moment of sending, another connection already sees the order, or the entry whose exits these are."""
        [digits] = set(re.findall(r"(?:qtp-|717470[0-9a-f]{2})([0-9a-f]{24})", content))
        with self.desk.engine.connect() as connection:
            known = select(tables.orders.c.id).where(tables.orders.c.id == f"qtp-{digits}")
            assert connection.execute(known).first() is not None, "an order was sent before it was journalled"

    def _do(self, action: Callable[[], object]) -> None:
        """Carry something out; what the desk refuses is part of the game, and so is its death."""
        try:
            action()
        except QuantumTraderError:
            return
        except Died:
            self._stop()
            self._start()

    def _ask(self, **fields: Any) -> None:
        self.desk.refresh()
        intent = OrderIntent(ACCOUNT, "thread-1", BTC, **fields)
        self.tickets.append(prepare_ticket(intent, self.desk.context, owner=OWNER).id)

    @rule(kind=st.sampled_from(KINDS), quantity=st.integers(2, 900))
    def ask_to_buy(self, kind: Any, quantity: int) -> None:
        self._do(lambda: self.tickets.append(self.desk.ask(kind, quantity=Decimal(quantity) / 10_000).id))

    @rule(kind=st.sampled_from(KINDS), quantity=st.integers(2, 900), fault=FAULTS, reads=st.integers(0, 2))
    def order(self, kind: Any, quantity: int, fault: str, reads: int) -> None:
        """From the question to the venue in one go, under a fault of the order and of the look-ups that follow it."""
        if self.place.door is not None and fault:
            self._spoil(fault, ["create"])
            if reads:
                self._spoil(OF_READS[quantity % len(OF_READS)], list(READS), reads)
        self.ask_to_buy(kind, quantity)
        if self.tickets:
            self.decide("approve", 1)
            self.submit(0, 2)

    @rule(share=st.integers(1, 10))
    def ask_to_sell(self, share: int) -> None:
        held = self.desk.ledger.account(ACCOUNT).free("BTC") * share / 10
        if held > Decimal("0.001"):
            self._do(lambda: self._ask(side="sell", quantity=held))

    @rule(pick=st.integers(0, 99))
    def ask_to_cancel(self, pick: int) -> None:
        orders = self.desk.ledger.orders(ACCOUNT)
        if orders:
            chosen = orders[pick % len(orders)]
            self._do(lambda: self._ask(side="buy", quantity=Decimal(0), kind="cancel", cancels=(chosen.id,)))

    @precondition(lambda self: self.tickets)
    @rule(decision=st.sampled_from(["approve", "approve", "approve", "reject"]), times=st.integers(1, 2))
    def decide(self, decision: Any, times: int) -> None:
        ticket = self.desk.ledger.ticket(self.tickets[-1])
        for _ in range(times):
            self._do(lambda: self.desk.ledger.decide(ticket.id, decision, ticket.hash, OWNER))

    @precondition(lambda self: self.tickets)
    @rule(pick=st.integers(0, 2), times=st.integers(1, 2))
    def submit(self, pick: int, times: int) -> None:
        ticket_id = self.tickets[-1 - pick % len(self.tickets)]
        for _ in range(times):
            self._do(lambda: self.desk.submit(ticket_id))

    @precondition(lambda self: self.place.door is not None)
    @rule(kind=st.sampled_from(OF_CREATES))
    def spoil_the_next_order(self, kind: str) -> None:
        self._spoil(kind, ["create"])

    @precondition(lambda self: self.place.door is not None)
    @rule(kind=st.sampled_from(OF_READS), count=st.integers(1, 4))
    def spoil_the_next_look_ups(self, kind: str, count: int) -> None:
        self._spoil(kind, list(READS), count)

    @precondition(lambda self: self.place.door is not None)
    @rule(kind=st.sampled_from(["unavailable_before", "unavailable_after", "drop_after", "html", "timeout_after"]))
    def spoil_the_next_cancel(self, kind: str) -> None:
        self._spoil(kind, ["cancel"])

    def _spoil(self, kind: str, routes: list[str], count: int = 1) -> None:
        assert self.place.door is not None
        seconds = HIDDEN if kind in {"hidden", "stale"} else LATE
        self.place.door.fault(kind=kind, routes=routes, seconds=seconds, count=count)

    @rule(after=st.integers(0, 9))
    def die_soon(self, after: int) -> None:
        self.points.at = len(self.points.passed) + after

    @rule()
    def restart(self) -> None:
        self._stop()
        self._start()

    @rule()
    def settle(self) -> None:
        self._do(self.desk.settle)

    @rule(price=st.sampled_from(PRICES), quantity=st.integers(1, 800))
    def others_trade(self, price: str, quantity: int) -> None:
        """Somebody sells into our bids, or the market goes elsewhere and comes back."""
        if self.place.door is None:
            self.desk.market.set_quote(BTC, str(Decimal(price) - 5), str(Decimal(price) + 5))
            self._do(lambda: self.desk.broker.match(self.desk.market.now()))  # type: ignore[attr-defined]
            return
        if price == "50000":
            self.place.door.crowd(symbol=BTC, side="sell", quantity=str(Decimal(quantity) / 10_000), price="49000")
        self.place.door.price(symbol=BTC, price=price)
        self.place.door.price(symbol=BTC, price="50000")

    @precondition(lambda self: self.place.door is not None)
    @rule(pick=st.integers(0, 99))
    def the_venue_cancels(self, pick: int) -> None:
        assert self.place.door is not None
        live = [row["id"] for row in self.place.door.truth()["orders"] if row["state"] in {"open", "untriggered"}]
        if live:
            self.place.door.cancel(id=live[pick % len(live)])

    @rule()
    def time_passes(self) -> None:
        """The venue ends what it is at and shows everything; then more goes by than an order needs to turn up."""
        self._wait()
        self.clock.advance(SETTLING + timedelta(seconds=1))
        self.desk.refresh()

    def _wait(self) -> None:
        door = self.place.door
        if door is not None:
            while any(entry["status"] is None for entry in door.log(route="create")):
                time.sleep(0.02)
            time.sleep(HIDDEN)

    @invariant()
    def fills_add_up(self) -> None:
        cash, base, seen = CASH, Decimal(0), set[str]()
        for order in self.desk.ledger.orders(limit=10_000):
            assert order.filled == sum((fill.quantity for fill in order.fills), Decimal(0)) <= order.quantity
            assert (order.status == "filled") <= (order.filled == order.quantity)
            for fill in order.fills:
                assert fill.id not in seen, "a trade was counted twice"
                seen.add(fill.id)
                sign = 1 if fill.side == "buy" else -1
                cash -= sign * fill.price * fill.quantity + (fill.fee if fill.fee_currency == "USDT" else 0)
                base += sign * fill.quantity - (fill.fee if fill.fee_currency == "BTC" else 0)
        balances = self.desk.ledger.account(ACCOUNT).balances
        assert (balances.get("USDT", CASH), balances.get("BTC", Decimal(0))) == (cash, base)

    @invariant()
    def nothing_is_accepted_twice_and_every_end_has_evidence(self) -> None:
        door = self.place.door
        if door is None:
            return
        truth = door.truth()
        assert max(truth["accepts"].values(), default=0) <= 1
        assert unjournalled(self.desk, door) == []
        assert not truth["imbalance"]
        assert not truth["overdrawn"]
        states = {row["id"]: row["state"] for row in truth["orders"]}
        named = {own_id(row["client_id"]) for row in truth["orders"]}
        for order in self.desk.ledger.orders(limit=10_000):
            _require_evidence(order, states, named)

    def teardown(self) -> None:
        if not hasattr(self, "desk"):
            return
        try:
            self._end_well()
        finally:
            self._stop()
            shutil.rmtree(self.home)

    def _end_well(self) -> None:
        self.points.at = None
        if self.place.door is None:
            self.desk.settle_all(pause=0)
            assert compared_on_paper(self.desk) == []
            return
        self.place.door.clear()
        self._wait()
        for _ in range(4):
            self.desk.settle()
        self.clock.advance(SETTLING + timedelta(seconds=1))
        self.desk.settle_all(pause=0.02)
        assert compared(self.desk, self.place.door) == []
        assert unjournalled(self.desk, self.place.door) == []


def _require_evidence(order: Order, states: dict[str, str], named: set[str]) -> None:
    if order.status == "filled":
        assert states[str(order.venue_order_id)] == "filled"
    elif order.status == "cancelled":
        assert states[str(order.venue_order_id)] in {"cancelled", "expired"}
    elif order.status in {"not_accepted", "rejected_by_venue"}:
        assert order.id not in named


RUN = settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def link() -> Iterator[Link]:
    with emulator() as running:
        yield running


@pytest.mark.parametrize("venue", VENUES)
def test_whatever_goes_wrong_the_ledger_ends_as_the_venue(venue: str, link: Link, tmp_path: Path) -> None:
    exchange = exchange_of(link, venue)
    with control(link, venue) as door:
        machine = type("Machine", (OrderMachine,), {"place": Place(venue, tmp_path, link, exchange, door)})
        run_state_machine_as_test(machine, settings=RUN)
    exchange.session.close()


def test_on_paper_the_same_holds_without_a_socket(tmp_path: Path, socket_disabled: None) -> None:
    machine = type("PaperMachine", (OrderMachine,), {"place": Place("paper", tmp_path)})
    run_state_machine_as_test(machine, settings=settings(RUN, max_examples=40))
