"""What holds at the paper venue whatever is ordered and whatever the market does."""

from __future__ import annotations

import secrets
import shutil
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from engines.domain.book import Level, OrderBook
from engines.domain.clock import ManualClock
from engines.domain.orders import Fill, OrderTicket, Side
from engines.errors import OrderRejected
from engines.execution.broker import ApprovedTicket, VenueOrder, protective_ids
from engines.execution.paper import PaperBroker
from engines.execution.paper_model import PaperModel
from engines.execution.paper_prices import Offers, taking
from engines.ledger.ledger import Ledger
from engines.market.fixed import FixedMarket
from engines.storage.database import open_database
from tests.engines.templates import TICKET, listed

BTC = "BTC/USDT"
CASH = Decimal(20_000)
LATENCY = timedelta(milliseconds=150)
MINUTE = timedelta(minutes=1)
START = datetime(2026, 3, 2, 16, 0, 7, tzinfo=UTC)
RULES = PaperModel(latency=LATENCY)
LISTED = listed(
    tick_size=Decimal("0.5"), lot_size=Decimal("0.001"), maker_fee=Decimal("0.0007"), taker_fee=Decimal("0.0013")
)
PRICES = st.integers(95, 105).map(lambda hundreds: hundreds * 100)
LOTS = st.integers(1, 600).map(lambda lots: Decimal(lots) / 1000)
LEVELS = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 300)), min_size=1, max_size=6)


def fee(price: Decimal, quantity: Decimal, rate: Decimal) -> Decimal:
    return (price * quantity * rate).quantize(Decimal("1e-8"), ROUND_CEILING)


def ladder(best: Decimal, levels: list[tuple[int, int]], step: Decimal) -> dict[str, str]:
    """Quantities by price from `best` on; `levels` are ticks to the level before and lots."""
    found, price = {}, best
    for gap, lots in levels:
        found[str(price)] = str(Decimal(lots) / 1000)
        price += gap * step
    return found


@settings(max_examples=300, deadline=None)
@given(
    side=st.sampled_from(("buy", "sell")),
    quantity=LOTS,
    levels=LEVELS,
    ticks=st.none() | st.integers(-20, 80),
)
def test_walking_a_book_takes_no_more_than_it_offers_and_nothing_beyond_the_limit(
    side: Side, quantity: Decimal, levels: list[tuple[int, int]], ticks: int | None
) -> None:
    best = Decimal(10_000)
    towards = LISTED.tick_size if side == "buy" else -LISTED.tick_size
    shown = tuple(Level(Decimal(price), Decimal(lots)) for price, lots in ladder(best, levels, towards).items())
    other = (Level(best - towards, Decimal(1)),)
    bids, asks = (other, shown) if side == "buy" else (shown, other)
    book = OrderBook(BTC, bids, asks, START, "fixed", simulated=True)
    offers = Offers(book.bids[0].price, book.asks[0].price, book)
    limit = None if ticks is None else best + ticks * towards
    takes = taking(side, quantity, offers, LISTED, RULES, limit=limit, room=None)
    reachable = [level for level in shown if limit is None or (level.price - limit) * towards <= 0]
    assert sum(take.quantity for take in takes) == min(quantity, sum(level.quantity for level in reachable))
    assert [take.price for take in takes] == [level.price for level in shown][: len(takes)]
    assert all(take.quantity <= level.quantity for take, level in zip(takes, shown, strict=False))


@settings(max_examples=200, deadline=None)
@given(side=st.sampled_from(("buy", "sell")), quantity=LOTS, ticks=st.none() | st.integers(-20, 80))
def test_without_a_book_the_price_is_worse_than_the_best_and_never_beyond_the_limit(
    side: Side, quantity: Decimal, ticks: int | None
) -> None:
    offers = Offers(Decimal("9999.5"), Decimal(10_000))
    sign = 1 if side == "buy" else -1
    limit = None if ticks is None else offers.best(side) + ticks * sign * LISTED.tick_size
    takes = taking(side, quantity, offers, LISTED, RULES, limit=limit, room=Decimal("0.25"))
    if limit is not None and (offers.best(side) - limit) * sign > 0:
        assert takes == ()
        return
    [take] = takes
    assert take.quantity == min(quantity, Decimal("0.25"))
    assert (take.price - offers.best(side)) * sign >= 0
    assert limit is None or (take.price - limit) * sign <= 0
    assert take.price % LISTED.tick_size == 0


@dataclass
class Sent:
    """An order that was sent, when it arrived, and the best price for its side then."""

    ticket: OrderTicket
    arrived: datetime
    best: Decimal


class PaperMachine(RuleBasedStateMachine):
    folder: ClassVar[Path]

    @initialize()
    def begin(self) -> None:
        home = self.folder / secrets.token_hex(6)
        home.mkdir()
        shutil.copy(self.folder / "desk.db", home)
        self.clock = ManualClock(START)
        self.market = FixedMarket((LISTED,), self.clock)
        self.market.set_quote(BTC, "9999.5", "10000")
        self.engine = open_database("desk", home=home)
        account = Ledger(self.engine, self.clock).ensure_account("ann", currency="USDT", cash=CASH, market="fixed").id
        self.account = account
        self.venue = PaperBroker(self.engine, self.market, self.clock, account=account, rules=RULES)
        self.sent: dict[str, Sent] = {}
        self.volumes: dict[datetime, Decimal] = {}
        self.ended: dict[str, VenueOrder] = {}

    @rule(
        side=st.sampled_from(("buy", "buy", "sell")),
        quantity=LOTS,
        price=st.none() | PRICES,
        stop=st.booleans(),
        force=st.sampled_from(("GTC", "GTC", "IOC", "FOK")),
        exits=st.booleans(),
    )
    def order(self, side: Side, quantity: Decimal, price: int | None, stop: bool, force: str, exits: bool) -> None:
        own = None if price is None else Decimal(price)
        fields: dict[str, Any] = {"order_type": "market", "time_in_force": "IOC"}
        if own is not None and stop:
            fields = {"order_type": "stop", "stop_price": own, "time_in_force": "GTC"}
        elif own is not None:
            fields = {"order_type": "limit", "limit_price": own, "time_in_force": force}
        if exits and side == "buy":
            fields |= {"stop_loss": Decimal(9_300), "take_profit": Decimal(10_700)}
        order_id = f"qtp-{len(self.sent):024d}"
        ticket = replace(TICKET, client_order_id=order_id, account=self.account, side=side, quantity=quantity, **fields)
        try:
            self.venue.place(ApprovedTicket(ticket))
        except OrderRejected:
            assert self.venue.find(order_id, BTC) is None
            return
        quote = self.market.quote(BTC)
        self.sent[order_id] = Sent(ticket, self.clock.now(), quote.taking(side))

    @rule(low=PRICES, high=PRICES, volume=st.sampled_from((0, 0.5, 2.0, 3.333, 40.0)))
    def minute(self, low: int, high: int, volume: float) -> None:
        """A whole minute passes that began after everything that was sent so far."""
        opened = self.clock.now().replace(second=0, microsecond=0) + MINUTE
        low, high = min(low, high), max(low, high)
        self.market.set_candle(BTC, opened, low, high, volume=volume)
        self.volumes[opened + MINUTE] = Decimal(str(volume))
        self.clock.advance(opened + MINUTE + timedelta(seconds=7) - self.clock.now())
        self.quoted((low + high) // 2, book=None)

    @rule(price=PRICES, book=st.none() | st.tuples(LEVELS, LEVELS))
    def quoted(self, price: int, book: Any) -> None:
        # A second later than what was sent before, and far from the end of the minute.
        self.clock.advance(timedelta(seconds=1))
        ask = Decimal(price)
        bid = ask - LISTED.tick_size
        if book is None:
            self.market.set_quote(BTC, str(bid), str(ask))
        else:
            bids, asks = ladder(bid, book[0], -LISTED.tick_size), ladder(ask, book[1], LISTED.tick_size)
            self.market.set_book(BTC, bids=bids, asks=asks)
        self.venue.match(self.market.now())

    @rule()
    def match_again(self) -> None:
        self.venue.match(self.market.now())

    @precondition(lambda self: self.sent)
    @rule(which=st.integers(0, 50))
    def cancel(self, which: int) -> None:
        order_id = list(self.sent)[which % len(self.sent)]
        before = self.venue.find(order_id, BTC)
        after = self.venue.cancel(order_id, BTC)
        assert before is not None
        assert after.fills == before.fills
        assert after.status in {"cancelled", "filled"}

    def _seen(self) -> dict[str, VenueOrder]:
        ids = (each for order_id in self.sent for each in (order_id, *protective_ids(order_id)))
        found = ((order_id, self.venue.find(order_id, BTC)) for order_id in ids)
        return {order_id: order for order_id, order in found if order is not None}

    def _fills(self) -> tuple[Fill, ...]:
        return self.venue.fills_since(BTC, 0)

    @invariant()
    def money_and_coins_are_conserved_to_the_last_digit(self) -> None:
        cash, coins = CASH, Decimal(0)
        for fill in self._fills():
            sign = 1 if fill.side == "buy" else -1
            cash -= sign * fill.price * fill.quantity + fill.fee
            coins += sign * fill.quantity
            assert fill.fee in {fee(fill.price, fill.quantity, rate) for rate in (LISTED.maker_fee, LISTED.taker_fee)}
        balances = self.venue.balances()
        assert balances["USDT"].total == cash >= 0
        assert (balances["BTC"].total if "BTC" in balances else Decimal(0)) == coins >= 0

    @invariant()
    def orders_are_what_their_fills_say(self) -> None:
        told = [fill for order in self._seen().values() for fill in order.fills]
        assert len({fill.id for fill in told}) == len(told) == len(self._fills())
        for order in self._seen().values():
            assert order.filled == sum((fill.quantity for fill in order.fills), Decimal(0)) <= order.quantity
            assert (order.status == "filled") == (order.filled == order.quantity)
            assert (order.status == "accepted") <= (order.filled == 0)
            assert (order.status == "partially_filled") <= (order.filled > 0)
            assert all(fill.quantity == LISTED.round_quantity(fill.quantity) > 0 for fill in order.fills)

    @invariant()
    def what_ended_stays_as_it_is(self) -> None:
        now = {each: order for each, order in self._seen().items() if order.status in {"filled", "cancelled"}}
        assert self.ended.items() <= now.items()
        self.ended = now

    @invariant()
    def nothing_fills_before_it_arrived_or_at_a_price_that_the_model_does_not_allow(self) -> None:
        for order_id, sent in self.sent.items():
            seen = self.venue.find(order_id, BTC)
            assert seen is not None
            sign = 1 if sent.ticket.side == "buy" else -1
            limit = sent.ticket.limit_price
            for fill in seen.fills:
                assert fill.time >= sent.arrived
                assert fill.price % LISTED.tick_size == 0
                assert limit is None or (fill.price - limit) * sign <= 0
                at_once = fill.time == sent.arrived
                assert not at_once or (fill.price - sent.best) * sign >= 0
                # What rested at a price of its own gets that price and none that is better.
                assert at_once or limit is None or fill.price == limit
                if not at_once and sent.ticket.order_type == "stop" and fill.time in self.volumes:
                    assert fill.fee == fee(fill.price, fill.quantity, LISTED.taker_fee)

    @invariant()
    def no_candle_gives_more_than_its_share(self) -> None:
        by_candle: dict[datetime, Decimal] = defaultdict(Decimal)
        for fill in self._fills():
            by_candle[fill.time] += fill.quantity
        for closed, volume in self.volumes.items():
            # Before the first trade that it tells of, the market tells no volumes.
            if any(told for each, told in self.volumes.items() if each <= closed):
                assert by_candle[closed] <= volume * RULES.volume_share

    @invariant()
    def exits_never_sell_more_than_is_held_and_nothing_open_goes_without_them(self) -> None:
        seen = self._seen()
        open_left = {each: order.quantity - order.filled for each, order in seen.items() if _is_open(order)}
        legs = [[open_left.get(leg, Decimal(0)) for leg in protective_ids(entry)] for entry in self.sent]
        held = sum(((1 if fill.side == "buy" else -1) * fill.quantity for fill in self._fills()), Decimal(0))
        assert sum((max(pair) for pair in legs), Decimal(0)) <= held
        for entry, sent in self.sent.items():
            exits = [leg for leg in protective_ids(entry) if leg in seen]
            bought = seen[entry].filled > 0 and sent.ticket.stop_loss is not None
            assert len(exits) == (2 if bought else 0)
            if bought and _is_open(seen[entry]):
                assert all(_is_open(seen[leg]) for leg in exits)

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            self.engine.dispose()


def _is_open(order: VenueOrder) -> bool:
    return order.status in {"accepted", "partially_filled"}


def test_the_paper_venue_keeps_its_promises(tmp_path: Path) -> None:
    open_database("desk", home=tmp_path).dispose()

    class Machine(PaperMachine):
        folder = tmp_path

    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    rounds = settings(max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(Machine, settings=rounds)
