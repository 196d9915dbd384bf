"""A desk to which anything may happen in any order: faults, deaths, restarts, other people's trades and decisions."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from engines.domain.orders import OrderIntent
from engines.errors import QuantumTraderError
from engines.execution.prepare import prepare_ticket
from engines.storage import ledger as tables

from .beliefs import broken
from .desk import ACCOUNT, BTC, CASH, KINDS, OWNER, Desk, MovableClock, open_account, open_desk, prepare_home
from .link import Handle
from .points import Points
from .shelf import Shelf
from .verdict import compared, compared_on_paper, unjournalled

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
OF_CANCELS = ("unavailable_before", "unavailable_after", "drop_after", "html", "timeout_after")
READS = ("lookup", "open_orders", "closed_orders", "fills")
FAULTS = st.sampled_from(("", *OF_CREATES))
KIND = st.sampled_from(KINDS)
QUANTITY = st.integers(2, 900)
"""Of 10,000 parts of a bitcoin."""
PRICES = ("47900", "48900", "49500", "50000", "50600", "52100")
YES = (("approve",),) * 3
SAID = (("approve", "approve"), ("approve", "reject"), ("reject",), ("reject", "approve"))
"""What one or two people say to a ticket; the first is heard."""


class Died(BaseException):
    """The process is gone; nothing of ours may catch it."""


@dataclass(frozen=True)
class Place:
    """Where a machine runs.

    Attributes:
        shelf: where its database is; None for a file of its own each time.
        planted: puts a defect into a desk that was opened.
        told: only sentences like this one count, and the search goes on after others; empty counts them all.
    """

    venue: str
    folder: Path
    exchange: Any = None
    door: Handle | None = None
    shelf: Shelf | None = None
    planted: Callable[[Desk], Desk] = lambda desk: desk
    told: str = ""


class OrderMachine(RuleBasedStateMachine):
    """Holds the desk to `broken` after every step, and to its venue in the end."""

    place: ClassVar[Place]
    found: ClassVar[list[str]]

    @initialize()
    def begin(self) -> None:
        self.clock = MovableClock(SETTLING)
        self.home = prepare_home(self.place.folder, secrets.token_hex(6))
        self.tickets: list[str] = []
        self.approved: set[str] = set()
        self.failed = False
        if self.place.door is not None:
            self.place.door.clear()
            self.place.door.reset(money={"USDT": str(CASH)})
        if self.place.shelf is not None:
            self.place.shelf.empty()
        self._start()
        open_account(self.desk)

    def _start(self) -> None:
        self.points = Points(None, end=self._die)
        place = self.place
        engine = None if place.shelf is None else place.shelf.open()
        self.opened = open_desk(
            self.home, place.venue, place.exchange, points=self.points, clock=self.clock, engine=engine
        )
        self.desk: Desk = place.planted(self.opened.__enter__())
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

    def _require(self, wrong: list[str]) -> None:
        wrong = [sentence for sentence in wrong if re.search(self.place.told, sentence)]
        if wrong:
            self.failed = True
            self.found.extend(wrong)
            raise AssertionError("; ".join(wrong))

    def _require_journalled(self, content: str) -> None:
        """At the moment of sending, another connection already sees the order, or the entry whose exits these are."""
        [digits] = set(re.findall(r"(?:qtp-|717470[0-9a-f]{2})([0-9a-f]{24})", content))
        with self.desk.engine.connect() as connection:
            known = select(tables.orders.c.id).where(tables.orders.c.id == f"qtp-{digits}")
            if connection.execute(known).first() is None:
                self._require([f"qtp-{digits} was sent before it was journalled"])

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

    def _buy(self, kind: Any, quantity: int) -> None:
        self._do(lambda: self.tickets.append(self.desk.ask(kind, quantity=Decimal(quantity) / 10_000).id))

    def _sell(self, share: int, price: str | None) -> None:
        held = self.desk.ledger.account(ACCOUNT).free("BTC") * share / 10
        resting: dict[str, Any] = {"order_type": "limit", "limit_price": Decimal(price)} if price else {}
        if held > Decimal("0.001"):
            self._do(lambda: self._ask(side="sell", quantity=held, **resting))

    def _cancel(self, pick: int, *, status: Any = None) -> None:
        orders = self.desk.ledger.orders(ACCOUNT, status=status)
        if orders:
            chosen = orders[pick % len(orders)]
            self._do(lambda: self._ask(side="buy", quantity=Decimal(0), kind="cancel", cancels=(chosen.id,)))

    def _carry_out(self, said: tuple[Any, ...], times: int) -> None:
        if self.tickets:
            self.decide(said)
            self.submit(0, times)

    @rule(kind=KIND, quantity=QUANTITY, fault=FAULTS, reads=st.integers(0, 2), said=st.sampled_from((*YES, *SAID)))
    def buy(self, kind: Any, quantity: int, fault: str, reads: int, said: tuple[Any, ...]) -> None:
        """From the question to the venue in one go, under a fault of the order and of the look-ups that follow it."""
        if fault:
            self._spoil(fault, ["create"])
            if reads:
                self._spoil(OF_READS[quantity % len(OF_READS)], list(READS), reads)
        self._buy(kind, quantity)
        self._carry_out(said, 2)

    @rule(pick=st.integers(0, 99), fault=st.sampled_from(("", *OF_CANCELS)))
    def cancel(self, pick: int, fault: str) -> None:
        """The same for a cancellation of something open."""
        if fault:
            # More often than a cancel is tried again.
            self._spoil(fault, ["cancel"], 4)
        self._cancel(pick, status="open")
        self._carry_out(("approve",), 1)

    @rule(share=st.integers(1, 10), price=st.sampled_from((None, "50005", "50600")), fault=FAULTS)
    def sell(self, share: int, price: str | None, fault: str) -> None:
        """The same for a sale."""
        if fault:
            self._spoil(fault, ["create"])
        self._sell(share, price)
        self._carry_out(("approve",), 1)

    @rule(what=st.sampled_from(("sell", "cancel", *KINDS)), quantity=QUANTITY)
    def ask(self, what: Any, quantity: int) -> None:
        """A ticket that waits; a cancellation of whatever there ever was."""
        if what == "sell":
            self._sell(1 + quantity % 10, None)
        elif what == "cancel":
            self._cancel(quantity)
        else:
            self._buy(what, quantity)

    @precondition(lambda self: self.tickets)
    @rule(said=st.sampled_from(SAID))
    def decide(self, said: tuple[Any, ...]) -> None:
        before, ticket = self.desk, self.desk.ledger.ticket(self.tickets[-1])
        for each in said:
            self._do(partial(self.desk.ledger.decide, ticket.id, each, ticket.hash, OWNER))
        # A process that died on the way may not have heard the first of them.
        if ticket.status == "pending" and (said[0] == "approve" or (self.desk is not before and "approve" in said)):
            self.approved.add(ticket.id)

    @precondition(lambda self: self.tickets)
    @rule(pick=st.integers(0, 2), times=st.integers(1, 2))
    def submit(self, pick: int, times: int) -> None:
        ticket_id = self.tickets[-1 - pick % len(self.tickets)]
        for _ in range(times):
            self._do(lambda: self.desk.submit(ticket_id))

    @rule(route=st.sampled_from(("create", "cancel", "reads")), pick=st.integers(0, 99), count=st.integers(1, 4))
    def spoil(self, route: str, pick: int, count: int) -> None:
        """The next such requests go wrong."""
        if route == "reads":
            self._spoil(OF_READS[pick % len(OF_READS)], list(READS), count)
        else:
            kinds = OF_CREATES if route == "create" else OF_CANCELS
            self._spoil(kinds[pick % len(kinds)], [route])

    def _spoil(self, kind: str, routes: list[str], count: int = 1) -> None:
        if self.place.door is not None:
            seconds = HIDDEN if kind in {"hidden", "stale"} else LATE
            self.place.door.fault(kind=kind, routes=routes, seconds=seconds, count=count)

    @precondition(lambda self: self.place.door is not None)
    @rule(kind=KIND, quantity=QUANTITY, fault=st.sampled_from(("", "drop_after", "unavailable_after", "no_id")))
    def an_outage(self, kind: Any, quantity: int, fault: str) -> None:
        """An order goes out, and then no look-up is answered for longer than an order needs to turn up."""
        self._spoil(("unavailable_before", "html", "drop_before")[quantity % 3], list(READS), -1)
        self.buy(kind, quantity, fault, 0, ("approve",))
        self.time_passes()
        self.submit(0, 2)
        # What does not hold must show before the venue can be asked again.
        self.nothing_is_broken()
        assert self.place.door is not None
        self.place.door.clear()

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

    @rule(price=st.sampled_from(PRICES))
    def the_market_jerks(self, price: str) -> None:
        """It goes elsewhere and comes back before the desk has seen it."""
        self._move(price)
        self._move("50000")

    @rule(price=st.sampled_from(("47900", "52100")), quantity=QUANTITY, bought=st.booleans())
    def the_market_moves(self, price: str, quantity: int, bought: bool) -> None:
        """Far enough and long enough that exits are carried out: those of a buy of just now, or of what there is."""
        if bought:
            self.buy("market", 900, "", 0, ("approve",))
            self.buy("guarded", quantity, "", 0, ("approve",))
        self._move(price)
        self._do(self.desk.settle)
        self._move("50000")

    @precondition(lambda self: self.place.door is not None)
    @rule(quantity=QUANTITY, seen=st.booleans())
    def somebody_sells(self, quantity: int, seen: bool) -> None:
        """Into a market where few others bid, so that ours fill, in part or whole."""
        assert self.place.door is not None
        self.place.door.price(symbol=BTC, price="50000", depth=1, quantity="0.00005", gap="30")
        self.place.door.crowd(symbol=BTC, side="sell", quantity=str(Decimal(quantity) / 20_000), price="49000")
        self._move("50000")
        if seen:
            self._do(self.desk.settle)

    @precondition(lambda self: self.place.door is not None)
    @rule(quantity=QUANTITY)
    def a_part_is_all_there_is(self, quantity: int) -> None:
        """The venue ends an order of which only a part has filled."""
        self.buy("limit", 900, "", 0, ("approve",))
        self.somebody_sells(quantity, seen=False)
        self.the_venue_cancels(-1)
        self._do(self.desk.settle)

    def _move(self, price: str) -> None:
        self.desk.market.set_quote(BTC, str(Decimal(price) - 5), str(Decimal(price) + 5))
        if self.place.door is not None:
            self.place.door.price(symbol=BTC, price=price)
        else:
            self._do(lambda: self.desk.broker.match(self.desk.market.now()))  # type: ignore[attr-defined]

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
    def nothing_is_broken(self) -> None:
        self._require(broken(self.desk, self.place.door, self.approved))

    def teardown(self) -> None:
        if not hasattr(self, "desk"):
            return
        try:
            if not self.failed:
                self._end_well()
        finally:
            self._stop()
            shutil.rmtree(self.home)

    def _end_well(self) -> None:
        self.points.at = None
        if self.place.door is None:
            self.desk.settle_all(pause=0)
            self._require(compared_on_paper(self.desk))
            return
        self.place.door.clear()
        self._wait()
        for _ in range(4):
            self.desk.settle()
        self.clock.advance(SETTLING + timedelta(seconds=1))
        self.desk.settle_all(pause=0.02)
        self.nothing_is_broken()
        self._require([*compared(self.desk, self.place.door), *unjournalled(self.desk, self.place.door)])
