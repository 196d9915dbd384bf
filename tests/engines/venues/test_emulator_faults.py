"""Every fault of the emulator, as an unmodified client meets it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ccxt
import psutil
import pytest

Open = Callable[..., Any]
Make = Callable[..., Any]
PROGRAM = Path(__file__).resolve().parents[2] / "emulator"


@pytest.fixture
def venue(open_venue: Open) -> Any:
    return open_venue("binance")


@pytest.fixture
def impatient(sync_client: Make) -> Any:
    client = sync_client("binance", timeout=400)
    client.load_markets()
    return client


ORDERS: dict[str, tuple[Any, ...]] = {
    "limit": ("limit", "buy", 0.1, 49000),
    "market": ("market", "buy", 0.1, None),
}


@pytest.mark.parametrize("kind", ORDERS)
@pytest.mark.parametrize(
    ("fault", "error", "accepts"),
    [
        ("unavailable_before", ccxt.ExchangeNotAvailable, 0),
        ("unavailable_after", ccxt.ExchangeNotAvailable, 1),
        ("timeout_before", ccxt.RequestTimeout, 0),
        ("timeout_after", ccxt.RequestTimeout, 1),
        ("drop_before", ccxt.NetworkError, 0),
        ("drop_after", ccxt.NetworkError, 1),
        ("status_unknown", ccxt.OperationFailed, 1),
        ("timeout_code", ccxt.RequestTimeout, 1),
        ("rate_limited", ccxt.DDoSProtection, 0),
        ("banned", ccxt.DDoSProtection, 0),
    ],
)
def test_a_fault_raises_what_was_measured_and_books_what_it_says(
    venue: Any, impatient: Any, kind: str, fault: str, error: type[Exception], accepts: int
) -> None:
    venue.fault(route="create", kind=fault, seconds=0.8)
    with pytest.raises(error):
        impatient.create_order("BTC/USDT", *ORDERS[kind], {"clientOrderId": "qtp-1"})
    assert venue.truth()["accepts"].get("qtp-1", 0) == accepts
    assert venue.faults()[0]["taken"] == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("unavailable_after", ccxt.ExchangeNotAvailable),
        ("timeout_after", ccxt.RequestTimeout),
        ("drop_after", ccxt.ExchangeNotAvailable),
        ("truncated", ccxt.ExchangeError),
        ("status_unknown", ccxt.OperationFailed),
        ("timeout_code", ccxt.RequestTimeout),
    ],
)
async def test_the_async_client_raises_exactly_the_class_that_was_measured(
    venue: Any, pro_client: Make, fault: str, error: type[Exception]
) -> None:
    async with pro_client("binance", timeout=400) as client:
        await client.load_markets()
        await venue.aside("fault", route="create", kind=fault, seconds=0.8)
        with pytest.raises(ccxt.BaseError) as raised:
            await client.create_order("BTC/USDT", "limit", "buy", 0.1, 49000, {"clientOrderId": "qtp-1"})
    assert type(raised.value) is error
    assert venue.truth()["accepts"] == {"qtp-1": 1}


@pytest.mark.parametrize("fault", ["html", "empty", "no_id"])
def test_a_reply_without_an_order_is_no_error_to_the_client(venue: Any, impatient: Any, fault: str) -> None:
    venue.fault(route="create", kind=fault)
    order = impatient.create_order("BTC/USDT", "limit", "buy", 0.1, 49000, {"clientOrderId": "qtp-1"})
    assert order["id"] is None
    assert venue.truth()["accepts"] == {"qtp-1": 1}


def test_a_reply_may_carry_somebody_elses_id(venue: Any, impatient: Any) -> None:
    venue.fault(route="create", kind="other_id")
    order = impatient.create_order("BTC/USDT", "limit", "buy", 0.1, 49000, {"clientOrderId": "qtp-1"})
    assert order["clientOrderId"] == "someone-elses-order"
    assert venue.truth()["accepts"] == {"qtp-1": 1}


def test_a_retry_hidden_in_the_client_books_a_market_order_three_times(venue: Any, sync_client: Make) -> None:
    options: dict[str, Any] = {"maxRetriesOnFailure": 2, "fetchCurrencies": False, "fetchMargins": False}
    options["fetchMarkets"] = {"types": ["spot"]}
    client = sync_client("binance", options=options)
    venue.fault(route="create", kind="unavailable_after", count=2)
    client.create_order("BTC/USDT", "market", "buy", 0.1, None, {"clientOrderId": "qtp-1"})
    assert venue.truth()["accepts"] == {"qtp-1": 3}


@pytest.mark.parametrize(("fault", "status"), [("rate_limited", 429), ("banned", 418)])
def test_a_limit_says_when_to_come_back(venue: Any, impatient: Any, fault: str, status: int) -> None:
    venue.fault(route="ticker", kind=fault, retry_after=7)
    with pytest.raises(ccxt.DDoSProtection, match=str(status)):
        impatient.fetch_ticker("BTC/USDT")
    assert impatient.last_response_headers["Retry-After"] == "7"


def test_an_order_may_appear_in_look_ups_later_than_it_was_booked(venue: Any, impatient: Any) -> None:
    venue.clock(stopped=True)
    venue.fault(route="create", kind="hidden", seconds=2)
    impatient.create_order("BTC/USDT", "market", "buy", 0.1, None, {"clientOrderId": "qtp-1"})
    with pytest.raises(ccxt.OrderNotFound):
        impatient.fetch_order(None, "BTC/USDT", {"clientOrderId": "qtp-1"})
    assert impatient.fetch_orders("BTC/USDT") == []
    assert impatient.fetch_my_trades("BTC/USDT") == []
    venue.clock(advance_ms=2000)
    assert impatient.fetch_order(None, "BTC/USDT", {"clientOrderId": "qtp-1"})["status"] == "closed"
    assert len(impatient.fetch_my_trades("BTC/USDT")) == 1
    venue.clock(stopped=False)


def test_an_order_may_be_booked_after_the_client_gave_up_and_looked_for_it(venue: Any, impatient: Any) -> None:
    venue.fault(route="create", kind="slow", seconds=0.8)
    with pytest.raises(ccxt.RequestTimeout):
        impatient.create_order("BTC/USDT", "limit", "buy", 0.1, 49000, {"clientOrderId": "qtp-1"})
    with pytest.raises(ccxt.OrderNotFound):
        impatient.fetch_order(None, "BTC/USDT", {"clientOrderId": "qtp-1"})
    deadline = time.monotonic() + 10
    while not venue.truth()["accepts"] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert impatient.fetch_order(None, "BTC/USDT", {"clientOrderId": "qtp-1"})["status"] == "open"


def test_an_order_that_took_longer_than_its_window_is_never_booked(venue: Any, impatient: Any) -> None:
    venue.fault(route="create", kind="slow", seconds=0.6)
    with pytest.raises(ccxt.RequestTimeout):
        impatient.create_order("BTC/USDT", "limit", "buy", 0.1, 49000, {"recvWindow": 500})
    deadline = time.monotonic() + 10
    while venue.log(route="create")[0]["status"] is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert venue.log(route="create")[0]["status"] == 400
    assert venue.truth()["orders"] == []


def test_a_look_up_may_lag_behind_the_fills(venue: Any, impatient: Any) -> None:
    venue.clock(stopped=True)
    order = impatient.create_order("BTC/USDT", "limit", "buy", 1, 49999)
    venue.clock(advance_ms=5000)
    venue.crowd(symbol="BTC/USDT", side="sell", quantity="0.25", price="49999")
    venue.fault(route="fills", kind="stale", seconds=3)
    assert impatient.fetch_my_trades("BTC/USDT") == []
    assert [trade["order"] for trade in impatient.fetch_my_trades("BTC/USDT")] == [order["id"]]
    venue.clock(stopped=False)


def test_a_look_up_may_fail_on_its_own(venue: Any, impatient: Any) -> None:
    impatient.create_order("BTC/USDT", "limit", "buy", 0.1, 49000, {"clientOrderId": "qtp-1"})
    venue.fault(routes=["lookup", "open_orders"], kind="unavailable_before", count=-1)
    for _ in range(3):
        with pytest.raises(ccxt.ExchangeNotAvailable):
            impatient.fetch_order(None, "BTC/USDT", {"clientOrderId": "qtp-1"})
        with pytest.raises(ccxt.ExchangeNotAvailable):
            impatient.fetch_open_orders("BTC/USDT")
    venue.clear()
    assert impatient.fetch_order(None, "BTC/USDT", {"clientOrderId": "qtp-1"})["status"] == "open"


def test_an_unknown_status_word_reaches_the_client(venue: Any, impatient: Any) -> None:
    order = impatient.create_order("BTC/USDT", "limit", "buy", 0.1, 49000)
    venue.fault(route="lookup", kind="unknown_status", word="UNDER_REVIEW")
    assert impatient.fetch_order(order["id"], "BTC/USDT")["status"] == "UNDER_REVIEW"


def test_any_error_of_the_venue_can_be_asked_for(venue: Any, impatient: Any) -> None:
    venue.fault(route="create", kind="error", code=-2010, message="Rest API trading is not enabled.")
    with pytest.raises(ccxt.PermissionDenied):
        impatient.create_order("BTC/USDT", "limit", "buy", 0.1, 49000)
    venue.fault(route="create", kind="error_after", code=-1000, message="An unknown error occurred.")
    with pytest.raises(ccxt.OperationFailed):
        impatient.create_order("BTC/USDT", "limit", "buy", 0.1, 49000, {"clientOrderId": "qtp-1"})
    assert venue.truth()["accepts"] == {"qtp-1": 1}


def test_a_fault_may_wait_for_its_request(venue: Any, impatient: Any) -> None:
    venue.fault(route="create", kind="unavailable_before", match={"newClientOrderId": "qtp-3"})
    venue.fault(route="create", kind="rate_limited", skip=1)
    for number in (1, 2, 3):
        wanted = {1: None, 2: ccxt.DDoSProtection, 3: ccxt.ExchangeNotAvailable}[number]
        order = ("BTC/USDT", "limit", "buy", 0.1, 49000, {"clientOrderId": f"qtp-{number}"})
        if wanted is None:
            impatient.create_order(*order)
        else:
            with pytest.raises(wanted):
                impatient.create_order(*order)
    assert venue.truth()["accepts"] == {"qtp-1": 1}


def test_chance_follows_its_seed(venue: Any, impatient: Any) -> None:
    def met() -> list[str]:
        venue.reset()
        venue.chaos(seed=7, rate=0.3, routes=["create"], kinds=["unavailable_before", "unavailable_after", "html"])
        for number in range(40):
            try:
                impatient.create_order("BTC/USDT", "limit", "buy", 0.001, 49000, {"clientOrderId": f"q{number}"})
            except ccxt.ExchangeNotAvailable:
                continue
        return [entry["fault"] for entry in venue.log(route="create")]

    first = met()
    assert first == met()
    assert 6 <= sum(fault is not None for fault in first) <= 18
    truth = venue.truth()
    assert max(truth["accepts"].values()) == 1
    assert len(truth["orders"]) == 40 - first.count("unavailable_before")


def test_an_unknown_fault_is_refused_with_the_names_there_are(venue: Any) -> None:
    with pytest.raises(OSError, match="422"):
        venue.fault(route="create", kind="nonsense")
    with pytest.raises(OSError, match="422"):
        venue.fault(route="stream:private", kind="html")


def test_the_control_door_asks_for_its_token(emulator: Any) -> None:
    import dataclasses

    stranger = dataclasses.replace(emulator, token="guessed")
    with pytest.raises(OSError, match="403"):
        stranger.order("binance", "truth")


def test_requests_are_logged_with_the_time_they_came_in(venue: Any, impatient: Any) -> None:
    before = time.monotonic_ns()
    impatient.create_order("BTC/USDT", "limit", "buy", 0.1, 49000, {"clientOrderId": "qtp-1"})
    after = time.monotonic_ns()
    [entry] = venue.log(route="create")
    assert before < entry["received_ns"] < entry["answered_ns"] < after
    assert entry["params"]["newClientOrderId"] == "qtp-1"
    assert (entry["method"], entry["path"], entry["status"]) == ("POST", "/api/v3/order", 200)


def test_the_emulator_ends_with_its_parent() -> None:
    parent = subprocess.run(
        [sys.executable, "-c", ORPHAN, sys.executable, str(PROGRAM)], capture_output=True, text=True, check=True
    )
    number = int(parent.stdout)
    deadline = time.monotonic() + 5
    while psutil.pid_exists(number) and psutil.Process(number).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the emulator outlived its parent"
        time.sleep(0.02)


ORPHAN = """
import json, subprocess, sys
child = subprocess.Popen([sys.argv[1], sys.argv[2], "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
print(json.loads(child.stdout.readline())["pid"], flush=True)
"""
