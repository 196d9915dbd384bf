"""What must hold when the answer to an order is lost, late or wrong: its whole way, on every venue."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from .siege.desk import BTC
from .siege.site import Site

LATE = 0.4


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
