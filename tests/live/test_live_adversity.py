"""A live desk on a full disk, with a locked database, or without its model: no order is lost, and none sent unseen."""

from __future__ import annotations

import resource
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from typing import Any

import httpx
import pytest

# A machine that was just set up compiles the engines' kernels behind the first ticket.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

Make = Callable[[str], Any]


def until(reached: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)


def ticket_of(client: httpx.Client, message: str) -> dict[str, Any]:
    answer = client.post("/v1/agent/invoke", json={"message": message}).raise_for_status().json()
    [ticket] = answer["tickets"]
    return dict(ticket)


def decided(client: httpx.Client, ticket: dict[str, Any]) -> httpx.Response:
    body = {"decision": "approve", "ticket_hash": ticket["hash"]}
    return client.post(f"/v1/tickets/{ticket['id']}/decision", json=body)


def state_of(client: httpx.Client, ticket: dict[str, Any]) -> str:
    return str(client.get(f"/v1/tickets/{ticket['id']}").raise_for_status().json()["status"])


def armed(client: httpx.Client) -> None:
    client.post("/v1/arm", json={"minutes": 60}).raise_for_status()
    until(lambda: client.get("/v1/status").json()["live"]["in_the_way"] == "")


def streamed(client: httpx.Client) -> None:
    until(lambda: client.get("/v1/status").json()["live"]["order_events"] == "streamed")


def is_equal(client: httpx.Client, desk: Any) -> bool:
    portfolio = client.get("/v1/portfolio").raise_for_status().json()
    ours = {each["symbol"].partition("/")[0]: Decimal(each["quantity"]) for each in portfolio["positions"]}
    ours["USDT"] = Decimal(portfolio["cash"])
    theirs = {name: Decimal(each["total"]) for name, each in desk.venue.order("truth")["balances"].items()}
    return ours == {name: amount for name, amount in theirs.items() if amount}


@contextmanager
def full_disk(desk: Any) -> Iterator[None]:
    """No file of the desk's process takes another byte."""
    pid = desk.running[-1].pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def locked_database(desk: Any) -> Iterator[None]:
    """Another program holds the write lock of the desk's database."""
    with closing(sqlite3.connect(desk.home / "desk.db", isolation_level=None)) as other:
        until(lambda: _took_lock(other))
        yield
        other.execute("ROLLBACK")


def _took_lock(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    return True


@pytest.mark.parametrize(("venue", "trouble"), [("binance", full_disk), ("bybit", locked_database)])
def test_rule_40_while_nothing_can_be_written_nothing_is_sent_and_no_fill_is_lost(
    venue: str, trouble: Callable[[Any], Any], live_desk: Make
) -> None:
    desk = live_desk(venue)
    desk.start()
    with desk.client() as client:
        armed(client)
        streamed(client)
        resting = ticket_of(client, "buy 0.02 BTC at 49000")
        decided(client, resting).raise_for_status()
        ticket = ticket_of(client, "buy 0.01 BTC")
        assert desk.venue.accepts() == 1
        with trouble(desk):
            assert decided(client, ticket).status_code >= 500
            assert desk.venue.accepts() == 1
            # The venue fills the resting order meanwhile, and tells a desk that cannot write it down.
            desk.venue.order("price", symbol="BTC/USDT", price="48900")
            assert client.get("/v1/status").status_code == 200
        until(lambda: state_of(client, resting) == "filled")
        until(lambda: client.get("/v1/status").json()["live"]["in_the_way"] == "")
        assert desk.venue.accepts() == 1
        # The price has left the ticket's band meanwhile: it is asked for anew.
        second = ticket_of(client, "buy 0.01 BTC")
        assert decided(client, second).raise_for_status().json()["ticket"]["status"] == "filled"
        assert desk.venue.accepts() == 2
        assert is_equal(client, desk)


def test_rule_41_without_its_model_and_its_cache_a_desk_carries_out_what_is_approved(live_desk: Make) -> None:
    desk = live_desk("binance")
    desk.start()
    with desk.client() as client:
        armed(client)
        ticket = ticket_of(client, "buy 0.01 BTC")
    desk.kill()
    nobody = "http://127.0.0.1:9"
    desk.given |= {"QTP_MODEL": "openai:gone", "QTP_MODEL_BASE_URL": f"{nobody}/v1", "OPENAI_API_KEY": "planted"}
    desk.given |= {"REDIS_URL": nobody.replace("http", "redis"), "QTP_MODEL_RETRIES": "0"}
    desk.start()
    with desk.client() as client:
        armed(client)
        assert decided(client, ticket).raise_for_status().json()["ticket"]["status"] == "filled"
        assert desk.venue.accepts() == 1
        assert is_equal(client, desk)
        halted = client.post("/v1/halt", json={"reason": "The model is gone."})
        assert halted.is_success, halted.text


@pytest.mark.parametrize("venue", ["binance", "bybit", "kraken"])
def test_a_served_desk_listens_to_its_venue_hangs_up_when_it_ends_and_tells_no_secret(
    venue: str, live_desk: Make
) -> None:
    desk = live_desk(venue)
    desk.given["QTP_MATCHING_SECONDS"] = "60"
    desk.start()
    with desk.client() as client:
        armed(client)
        streamed(client)
        resting = ticket_of(client, "buy 0.02 BTC at 49000")
        decided(client, resting).raise_for_status()
        desk.venue.order("cut", private=True)
        desk.venue.order("price", symbol="BTC/USDT", price="48900")
        until(lambda: state_of(client, resting) == "filled")
        streamed(client)
        assert is_equal(client, desk)
    assert any(socket["private"] for socket in desk.venue.order("sockets")["open"])
    process = desk.running[-1]
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    until(lambda: not desk.venue.order("sockets")["open"])
    written = [desk.log, *(path for path in desk.home.rglob("*") if path.is_file())]
    planted = [value.encode() for value in (desk.venue.key, desk.venue.secret)]
    assert [path for path in written for value in planted if value in path.read_bytes()] == []
