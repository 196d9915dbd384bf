"""What must hold when news of fills, fees and ends of orders comes early, late, twice or garbled, on every venue."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from engines.domain.orders import Fill
from engines.errors import VenueUnavailable
from engines.execution.broker import VenueOrder
from engines.execution.sync import sync_fills

from .siege.desk import ACCOUNT, BTC
from .siege.site import Site


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
        ("binance", {"maker": "-0.0002", "taker": "-0.0002", "pay_in": "quote"}, "USDT"),
        ("bybit", {"maker": "-0.0002", "taker": "-0.0002", "pay_in": "quote"}, "USDT"),
        ("kraken", {"maker": "-0.0002", "taker": "-0.0002", "pay_in": "quote"}, "USDT"),
    ],
    ids=["base at binance", "base at bybit", "third coin", "rebate at binance", "rebate at bybit", "rebate at kraken"],
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
