"""What must hold when a venue, a network or a disk fails: an approved ticket on its whole way, on every venue."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from engines.domain.orders import Fill, Order
from engines.errors import VenueUnavailable
from engines.execution.broker import VenueOrder
from engines.execution.sync import sync_fills

from .siege.desk import ACCOUNT, BTC, Desk, Kind, MovableClock, exchange_of, open_account, open_desk, prepare_home
from .siege.link import VENUES, Handle, Link, control, emulator
from .siege.verdict import compared, unjournalled

SETTLING = timedelta(seconds=15)
LATE = 0.4


@dataclass(frozen=True)
class Site:
    """A desk and its venue."""

    desk: Desk
    venue: Handle
    clock: MovableClock
    home: Path

    def approved(self, what: Kind = "market", /, **fields: Any) -> str:
        return self.desk.approve(self.desk.ask(what, **fields)).id

    def cancellation(self, order: Order) -> str:
        return self.approved(kind="cancel", cancels=(order.id,), quantity=Decimal(0))

    def submit(self, ticket_id: str) -> Order:
        order = self.desk.submit(ticket_id)
        assert order is not None, self.desk.ledger.ticket(ticket_id).reason
        return order

    def accepts(self) -> list[int]:
        return list(self.venue.truth()["accepts"].values())

    def sent(self) -> int:
        return len(self.venue.log(route="create"))

    def wait(self) -> None:
        """Until the venue has done what it was asked, and longer than an order needs to turn up."""
        while any(entry["status"] is None for entry in self.venue.log()):
            time.sleep(0.02)
        self.clock.advance(SETTLING + timedelta(seconds=1))

    def assert_equal(self) -> None:
        assert compared(self.desk, self.venue) == []
        assert unjournalled(self.desk, self.venue) == []


@pytest.fixture(scope="module")
def link() -> Iterator[Link]:
    with emulator() as running:
        yield running


@pytest.fixture
def site_of(link: Link, tmp_path: Path) -> Iterator[Callable[[str], Site]]:
    with ExitStack() as stack:

        def open_(venue: str) -> Site:
            exchange, clock = exchange_of(link, venue), MovableClock(SETTLING)
            stack.callback(exchange.session.close)
            door = stack.enter_context(control(link, venue))
            door.clear()
            door.reset(money={"USDT": "100000"})
            home = prepare_home(tmp_path, "home")
            desk = stack.enter_context(open_desk(home, venue, exchange, clock=clock))
            open_account(desk)
            return Site(desk, door, clock, home)

        yield open_


@pytest.fixture(params=VENUES)
def site(request: pytest.FixtureRequest, site_of: Callable[[str], Site]) -> Site:
    return site_of(request.param)


@pytest.mark.parametrize("fault", ["timeout_after", "drop_after", "truncated", "status_unknown", "timeout_code"])
def test_rules_24_25_26_and_29_an_answer_lost_after_the_accept_is_unknown_then_found_and_accepted_once(
    site: Site, fault: str
) -> None:
    site.venue.fault(route="create", kind=fault, seconds=LATE)
    ticket_id = site.approved()
    assert site.submit(ticket_id).status == "unknown"
    assert site.submit(ticket_id).status == "filled"
    assert (site.accepts(), site.sent()) == ([1], 1)
    site.assert_equal()


@pytest.mark.parametrize("fault", ["html", "empty", "no_id", "other_id"])
def test_rule_27_an_answer_that_does_not_name_our_order_is_never_taken_for_an_accept(site: Site, fault: str) -> None:
    site.venue.fault(route="create", kind=fault)
    site.venue.fault(routes=["lookup", "open_orders", "closed_orders", "fills"], kind="unavailable_before", count=4)
    ticket_id = site.approved("limit")
    order = site.submit(ticket_id)
    assert (order.status, order.venue_order_id) == ("unknown", None)
    site.venue.clear()
    assert site.submit(ticket_id).status == "accepted"
    assert (site.accepts(), site.sent()) == ([1], 1)
    site.assert_equal()


@pytest.mark.parametrize("fault", ["unavailable_before", "timeout_before", "drop_before"])
def test_rule_28_an_order_that_never_arrived_is_denied_only_after_its_time_and_full_history_and_never_resent(
    site: Site, fault: str
) -> None:
    site.venue.fault(route="create", kind=fault, seconds=LATE)
    ticket_id = site.approved()
    assert [site.submit(ticket_id).status for _ in range(4)] == ["unknown"] * 4
    site.wait()
    before = len(site.venue.log())
    assert site.submit(ticket_id).status == "not_accepted"
    asked = [entry["route"] for entry in site.venue.log(since=before)]
    assert "closed_orders" in asked
    assert asked.count(asked[0]) >= 3
    assert site.submit(ticket_id).status == "not_accepted"
    assert (site.accepts(), site.sent()) == ([], 1)
    site.assert_equal()


def test_rule_28_failed_look_ups_do_not_count_as_denials(site: Site) -> None:
    site.venue.fault(route="create", kind="unavailable_after")
    reads = ["lookup", "open_orders", "closed_orders", "fills"]
    site.venue.fault(routes=reads, kind="unavailable_before", count=-1)
    ticket_id = site.approved()
    for _ in range(5):
        assert site.submit(ticket_id).status == "unknown"
        site.clock.advance(timedelta(seconds=10))
    site.venue.clear()
    assert site.submit(ticket_id).status == "filled"
    site.assert_equal()


def test_rule_30_an_order_that_look_ups_deny_at_first_is_found_when_it_appears(site: Site) -> None:
    site.venue.fault(route="create", kind="slow", seconds=2)
    ticket_id = site.approved()
    statuses = [site.submit(ticket_id).status for _ in range(2)]
    assert statuses == ["unknown", "unknown"]
    site.wait()
    booked = bool(site.accepts())
    assert [site.submit(ticket_id).status for _ in range(3)][-1] == ("filled" if booked else "not_accepted")
    # Kraken refuses a request that was overtaken by a later one.
    assert booked or site.venue.venue == "kraken"
    assert site.sent() == 1
    site.assert_equal()


def test_rule_30_an_order_that_was_taken_and_is_not_shown_for_two_seconds_is_found_and_accepted_once(
    site: Site,
) -> None:
    site.venue.fault(route="create", kind="unavailable_after")
    looked = ["lookup", "open_orders", "closed_orders", "fills"]
    site.venue.fault(routes=looked, kind="stale", seconds=2, count=-1)
    ticket_id = site.approved("limit")
    assert [site.submit(ticket_id).status for _ in range(2)] == ["unknown", "unknown"]
    assert site.accepts() == [1]
    time.sleep(2)
    assert site.submit(ticket_id).status == "accepted"
    assert (site.accepts(), site.sent()) == ([1], 1)
    site.assert_equal()


def test_an_operator_is_asked_while_look_ups_fail_and_the_order_still_comes_back(site: Site) -> None:
    site.venue.fault(route="create", kind="drop_after")
    reads = ["lookup", "open_orders", "closed_orders", "fills"]
    site.venue.fault(routes=reads, kind="unavailable_before", count=-1)
    ticket_id = site.approved()
    statuses = {site.submit(ticket_id).status for _ in range(25)}
    assert statuses == {"unknown", "needs_operator"}
    assert site.desk.ledger.order_of(ticket_id).status == "needs_operator"  # type: ignore[union-attr]
    site.venue.clear()
    assert site.desk.settle() == 0
    assert site.desk.ledger.order_of(ticket_id).status == "filled"  # type: ignore[union-attr]
    site.assert_equal()


def test_rule_31_an_id_that_the_venue_has_already_is_looked_up_and_not_called_rejected(site: Site) -> None:
    ticket = site.desk.ask("limit")
    taken = ticket.client_order_id
    theirs = f"71747000{taken.removeprefix('qtp-')}" if site.venue.venue == "kraken" else taken
    site.venue.external(symbol=BTC, side="buy", quantity="0.1", price="49000", client_id=theirs)
    site.desk.approve(ticket)
    order = site.submit(ticket.id)
    assert (order.status, order.id) == ("accepted", taken)
    assert site.sent() == 1


@pytest.mark.parametrize("fault", ["rate_limited", "banned"])
def test_rule_32_after_a_rate_limit_nothing_is_sent_again_and_nothing_else_for_the_time_told(
    site: Site, fault: str
) -> None:
    site.venue.fault(route="create", kind=fault, retry_after=30)
    assert site.submit(site.approved()).status == "rejected_by_venue"
    refused = site.submit(site.approved())
    assert refused.status == "rejected_by_venue"
    assert "Nothing was sent" in refused.reason
    assert (site.accepts(), site.sent()) == ([], 1)


# The others tell no time to come back at.
@pytest.mark.parametrize(
    ("venue", "fault"), [("binance", "rate_limited"), ("binance", "banned"), ("bybit", "rate_limited")]
)
def test_rule_32_another_order_waits_until_the_time_told_is_over(
    site_of: Callable[[str], Site], venue: str, fault: str
) -> None:
    site = site_of(venue)
    site.venue.fault(route="create", kind=fault, retry_after=2)
    assert site.submit(site.approved()).status == "rejected_by_venue"
    assert site.submit(site.approved()).status == "filled"
    first, second = (entry for entry in site.venue.log() if entry["route"] == "create")
    assert second["received_ns"] - first["answered_ns"] >= 1.9e9
    assert (site.accepts(), site.sent()) == ([1], 2)


def test_rule_33_fills_that_come_before_the_answer_are_there_with_it(site: Site) -> None:
    site.venue.fault(route="create", kind="unavailable_after")
    ticket_id = site.approved("limit", limit_price=Decimal(49_990))
    assert site.submit(ticket_id).status == "unknown"
    site.venue.price(symbol=BTC, price="50000", depth=1, quantity="0.00005", gap="30")
    site.venue.crowd(symbol=BTC, side="sell", quantity="0.04", price="49990")
    order = site.submit(ticket_id)
    assert order.status == "partially_filled"
    assert 0 < order.filled < order.quantity
    site.assert_equal()


def test_rule_33_fills_out_of_order_and_told_twice_count_once_each_and_older_news_takes_nothing_back(
    site: Site,
) -> None:
    order = site.submit(site.approved("limit"))
    ledger, name = site.desk.ledger, site.desk.broker.name
    now = site.clock.now()

    def fill(number: int) -> Fill:
        parts = (order.id, ACCOUNT, BTC, "buy", Decimal(49_000), Decimal("0.02"), Decimal("0.98"), "USDT", now)
        return Fill(f"trade-{number}", *parts)  # type: ignore[arg-type]

    def told(status: Any, *numbers: int) -> VenueOrder:
        fills = tuple(fill(number) for number in numbers)
        return VenueOrder(
            order.id, str(order.venue_order_id), status, order.quantity, len(fills) * Decimal("0.02"), fills
        )

    for seen in (told("partially_filled", 3), told("partially_filled", 1, 3, 1), told("accepted"), told("accepted", 2)):
        after = ledger.record_venue_order(order.id, seen, name)
    assert (after.status, after.filled) == ("partially_filled", Decimal("0.06"))
    done = ledger.record_venue_order(order.id, told("cancelled", 1, 2, 3), name)
    assert (done.status, done.filled, len(done.fills)) == ("cancelled", Decimal("0.06"), 3)
    assert ledger.record_venue_order(order.id, told("partially_filled", 1), name) == done
    assert sum(record.kind == "fill" for record in ledger.audit()) == 3
    # What such an order still holds back is its rest, and after the cancellation nothing.
    assert not any(ledger.account(ACCOUNT).reserved.values())


def test_rule_33_a_cancel_that_loses_the_race_against_a_fill_leaves_the_order_filled(site: Site) -> None:
    order = site.submit(site.approved("limit", limit_price=Decimal(49_990)))
    cancellation = site.cancellation(order)
    site.venue.crowd(symbol=BTC, side="sell", quantity="30", price="49990")
    assert site.desk.submit(cancellation) is None
    assert site.desk.ledger.order(order.id).status == "filled"
    assert "is filled" in site.desk.ledger.ticket(cancellation).reason
    site.assert_equal()


def test_rule_33_an_order_that_is_partly_filled_and_then_cancelled_keeps_its_fills(site: Site) -> None:
    order = site.submit(site.approved("limit", limit_price=Decimal(49_990)))
    site.venue.price(symbol=BTC, price="50000", depth=1, quantity="0.00005", gap="30")
    site.venue.crowd(symbol=BTC, side="sell", quantity="0.04", price="49990")
    site.desk.submit(site.cancellation(order))
    after = site.desk.ledger.order(order.id)
    assert after.status == "cancelled"
    assert after.filled > 0
    site.assert_equal()


def test_a_cancellation_of_an_order_that_may_still_turn_up_stays_open_until_it_is_cancelled(site: Site) -> None:
    site.venue.fault(route="create", kind="hidden", seconds=2)
    order = site.submit(site.approved("limit"))
    cancellation = site.cancellation(order)
    site.desk.submit(cancellation)
    assert site.desk.ledger.ticket(cancellation).status == "unknown"
    time.sleep(2)
    site.desk.settle()
    assert site.desk.ledger.order(order.id).status == "cancelled"
    assert site.desk.ledger.ticket(cancellation).status == "cancelled"
    site.assert_equal()


@pytest.mark.parametrize(
    ("venue", "fees", "currency"),
    [
        ("binance", {"maker": "0.001", "taker": "0.001", "pay_in": "base"}, "BTC"),
        ("bybit", {"maker": "0.001", "taker": "0.001", "pay_in": "base"}, "BTC"),
        ("binance", {"maker": "0.00075", "taker": "0.00075", "pay_in": "coin", "coin": "BNB"}, "BNB"),
        ("bybit", {"maker": "-0.0002", "taker": "-0.0002", "pay_in": "quote"}, "USDT"),
        ("kraken", {"maker": "-0.0002", "taker": "-0.0002", "pay_in": "quote"}, "USDT"),
    ],
    ids=["base at binance", "base at bybit", "third coin", "rebate at bybit", "rebate at kraken"],
)
def test_rule_34_fees_in_any_currency_leave_ledger_and_venue_equal_and_what_is_left_can_be_sold(
    site_of: Callable[[str], Site], venue: str, fees: dict[str, str], currency: str
) -> None:
    site = site_of(venue)
    site.venue.fees(**fees)
    if currency == "BNB":
        site.venue.deposit(asset="BNB", amount="1")
    [fill] = site.submit(site.approved()).fills
    assert fill.fee_currency == currency
    assert (fill.fee < 0) == fees["taker"].startswith("-")
    held = site.desk.ledger.account(ACCOUNT).free("BTC")
    assert held == Decimal("0.1") - (fill.fee if currency == "BTC" else 0)
    site.submit(site.approved(side="sell", quantity=held // Decimal("0.00001") * Decimal("0.00001")))
    theirs = site.venue.truth()["balances"]
    moved = {name: Decimal(row["total"]) - Decimal(row["deposited"]) for name, row in theirs.items()}
    ours = site.desk.ledger.account(ACCOUNT).balances
    ours = ours | {"USDT": ours["USDT"] - 100_000}
    assert {name: amount for name, amount in ours.items() if amount} == {n: a for n, a in moved.items() if a}


def test_rule_38_after_an_outage_one_look_brings_every_fill_that_was_missed(site: Site) -> None:
    orders = [site.submit(site.approved("limit", limit_price=Decimal(price))) for price in (49_990, 49_980)]
    everything = ["lookup", "open_orders", "closed_orders", "fills"]
    site.venue.fault(routes=everything, kind="unavailable_before", count=-1)
    for _ in range(5):
        site.venue.crowd(symbol=BTC, side="sell", quantity="0.011", price="49990")
        with pytest.raises(VenueUnavailable):
            sync_fills(site.desk.ledger, site.desk.broker)
    site.venue.crowd(symbol=BTC, side="sell", quantity="30", price="49980")
    site.venue.clear()
    changed = sync_fills(site.desk.ledger, site.desk.broker)
    assert {order.id for order in changed} == {order.id for order in orders}
    assert sync_fills(site.desk.ledger, site.desk.broker) == ()
    site.assert_equal()


def test_one_look_up_that_fails_does_not_hold_up_the_others(site: Site) -> None:
    orders = [site.submit(site.approved("limit", limit_price=Decimal(price))) for price in (49_990, 49_980)]
    site.venue.crowd(symbol=BTC, side="sell", quantity="60", price="49980")
    site.venue.fault(routes=["lookup", "open_orders"], kind="drop_before")
    with pytest.raises(VenueUnavailable):
        sync_fills(site.desk.ledger, site.desk.broker)
    statuses = sorted(site.desk.ledger.order(order.id).status for order in orders)
    assert statuses == ["accepted", "filled"]


def test_rule_39_a_status_word_nobody_knows_leaves_the_order_open_and_says_so(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    order = site.submit(site.approved("limit"))
    site.venue.fault(routes=["lookup", "open_orders"], kind="unknown_status", word="UNDER_REVIEW", count=-1)
    sync_fills(site.desk.ledger, site.desk.broker)
    assert site.desk.ledger.order(order.id).status == "accepted"
    assert "UNDER_REVIEW" in caplog.text


def _break(desk: Desk, table: str) -> None:
    """From now on this table takes no row, as on a full disk."""
    statement = f"CREATE TRIGGER full_{table} BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
    with desk.engine.begin() as connection:
        connection.execute(text(statement))


def _mend(desk: Desk, table: str) -> None:
    with desk.engine.begin() as connection:
        connection.execute(text(f"DROP TRIGGER full_{table}"))


def test_rule_40_nothing_is_sent_when_the_journal_cannot_be_written(site: Site) -> None:
    ticket_id = site.approved()
    _break(site.desk, "orders")
    with pytest.raises(DatabaseError, match="disk is full"):
        site.desk.submit(ticket_id)
    assert (site.accepts(), site.sent()) == ([], 0)
    _mend(site.desk, "orders")
    assert site.submit(ticket_id).status == "filled"
    site.assert_equal()


def test_rule_40_after_an_accept_that_cannot_be_written_down_nothing_more_is_sent_until_the_journal_is_replayed(
    site: Site,
) -> None:
    first, second = site.approved(), site.approved()
    _break(site.desk, "fills")
    with pytest.raises(DatabaseError, match="disk is full"):
        site.desk.submit(first)
    with pytest.raises(VenueUnavailable, match=r"could not be written down\. Nothing was sent"):
        site.desk.submit(second)
    assert (site.accepts(), site.sent()) == ([1], 1)
    _mend(site.desk, "fills")
    assert site.submit(first).status == "filled"
    assert site.submit(second).status == "filled"
    assert (site.accepts(), site.sent()) == ([1, 1], 2)
    site.assert_equal()


def test_rule_41_the_order_path_needs_no_broker_of_messages_no_cache_and_no_model() -> None:
    program = (
        "import sys, engines.execution.submit, engines.execution.venues, engines.execution.sync\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(loaded & {'redis', 'kafka', 'aiokafka', 'socketio', 'langgraph', 'langchain_core', 'httpx'}))"
    )
    root = Path(__file__).parents[2]
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=root, check=True)
    assert ran.stdout.strip() == "[]"


def test_rule_41_keys_secrets_and_signatures_reach_neither_the_database_nor_a_log(
    site: Site, link: Link, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for fault in ("unavailable_after", "html", "drop_before", "rate_limited", "truncated"):
        site.venue.fault(route="create", kind=fault, seconds=LATE)
        ticket_id = site.approved("limit")
        site.desk.submit(ticket_id)
        site.venue.fault(routes=["lookup", "open_orders"], kind="unavailable_before")
        site.desk.settle()
        site.wait()
        site.desk.settle_all(pause=0)
    stored = b"".join(file.read_bytes() for file in site.home.iterdir())
    keys = link.keys[site.venue.venue]
    for secret in (keys["key"], keys["secret"], "signature="):
        assert secret.encode() not in stored
        assert secret not in caplog.text
