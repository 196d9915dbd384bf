"""The stream of an account's own orders, on the emulator's sockets: it comes up, tells, is cut and comes back."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from engines.execution.broker import ApprovedTicket
from engines.execution.heard import Heard
from engines.execution.venues import EXERCISED, VENUES, CcxtBroker, Credentials
from engines.execution.venues.budget import RequestBudget
from engines.execution.venues.ccxt_client import VenueClient
from engines.execution.venues.private_stream import PrivateStream, stream_of

from .waiting import SECONDS, until

ACCOUNT = "paper-fixed-usdt:ann"


@dataclass
class Ear:
    """A venue of the emulator, a broker there, and what its stream tells."""

    venue: Any
    broker: CcxtBroker
    stream: PrivateStream
    heard: queue.Queue[Heard] = field(default_factory=queue.Queue)
    joined: queue.Queue[int] = field(default_factory=queue.Queue)

    def next(self, wanted: Callable[[Heard], bool] = lambda _: True) -> Heard:
        """The next event that is wanted."""
        while True:
            found = self.heard.get(timeout=SECONDS)
            if wanted(found):
                return found


@contextmanager
def _listening(venue: Any, broker: CcxtBroker, stream: PrivateStream) -> Iterator[Ear]:
    ear = Ear(venue, broker, stream)
    stream.start(ear.heard.put, ear.joined.put)
    try:
        yield ear
    finally:
        stream.close()


@pytest.fixture
def stream_at(_exchanges: Any, emulator: Any, on_loopback: Any) -> Callable[..., tuple[CcxtBroker, PrivateStream]]:
    """Makes a broker and a stream of a venue, which share one client."""

    def make(name: Any, secret: str = "") -> tuple[CcxtBroker, PrivateStream]:
        exchange = _exchanges(name, 5000)
        exchange.session.hooks["response"].clear()
        client = VenueClient(exchange, RequestBudget(1e6, 1e6, sleep=lambda _: None))
        keys = Credentials(emulator.keys[name]["key"], secret or emulator.keys[name]["secret"])
        made = stream_of(client, keys, configure=on_loopback)
        made._pause = 0.05
        return CcxtBroker(VENUES[name][0](client), client, account=ACCOUNT), made

    return make


@pytest.fixture(params=EXERCISED)
def ear(request: pytest.FixtureRequest, open_venue: Any, stream_at: Any) -> Iterator[Ear]:
    venue = open_venue(request.param, USDT="100000")
    with _listening(venue, *stream_at(request.param)) as made:
        assert made.joined.get(timeout=SECONDS) == 1
        yield made


def test_each_step_of_an_order_is_told_with_its_id(ear: Ear, ticket: Any) -> None:
    sent = ticket(limit_price=49_999)
    placed = ear.broker.place(ApprovedTicket(sent))
    first = ear.next()
    assert (first.client_order_id, first.venue_order_id) == (sent.client_order_id, placed.venue_order_id)
    ear.venue.crowd(symbol="BTC/USDT", side="sell", quantity="0.04", price="49999")
    part = ear.next(lambda heard: heard.filled is not None and heard.filled > 0)
    assert (part.filled, part.ended) == (Decimal("0.04"), False)
    ear.venue.crowd(symbol="BTC/USDT", side="sell", quantity="0.06", price="49999")
    rest = ear.next(lambda heard: heard.ended)
    assert (rest.venue_order_id, rest.filled) == (placed.venue_order_id, Decimal("0.1"))


def test_a_cancellation_is_told_with_the_id_of_the_order_and_not_its_own(ear: Ear, ticket: Any) -> None:
    sent = ticket(limit_price=49_000)
    placed = ear.broker.place(ApprovedTicket(sent))
    ear.broker.cancel(sent.client_order_id, "BTC/USDT")
    ended = ear.next(lambda heard: heard.ended)
    assert ended.venue_order_id == placed.venue_order_id
    assert ended.client_order_id in {sent.client_order_id, ""}


def test_a_stream_that_is_cut_comes_back_and_says_so(ear: Ear, ticket: Any) -> None:
    for number in (2, 3):
        ear.venue.cut(private=True)
        assert ear.joined.get(timeout=SECONDS) == number
    assert (ear.stream.standing.is_up, ear.stream.standing.connections) == (True, 3)
    ear.broker.place(ApprovedTicket(ticket(limit_price=49_000)))
    assert ear.next().filled == 0


def test_a_venue_that_lets_nobody_connect_is_asked_again_until_it_does(ear: Ear) -> None:
    ear.venue.refuse(seconds=600)
    ear.venue.cut(private=True)
    until(lambda: bool(ear.stream.standing.trouble))
    standing = ear.stream.standing
    assert (standing.is_up, standing.silent_seconds, standing.connections) == (False, None, 1)
    ear.venue.clear()
    assert ear.joined.get(timeout=SECONDS) == 2
    assert ear.stream.standing.trouble == ""


def test_a_stream_that_misses_events_can_be_opened_again(ear: Ear, ticket: Any) -> None:
    ear.venue.silence(seconds=600)
    ear.broker.place(ApprovedTicket(ticket(limit_price=49_000)))
    ear.stream.reconnect()
    assert ear.joined.get(timeout=SECONDS) == 2
    assert ear.heard.empty()
    sent = ticket(limit_price=49_100)
    ear.broker.place(ApprovedTicket(sent))
    assert ear.next().client_order_id == sent.client_order_id


@pytest.mark.parametrize("fault", ["duplicate", "reorder", "late"])
def test_events_that_are_spoilt_on_the_way_still_name_the_order(ear: Ear, ticket: Any, fault: str) -> None:
    ear.venue.fault(route="stream:private", kind=fault, seconds=0.2)
    sent = ticket(limit_price=49_999)
    ear.broker.place(ApprovedTicket(sent))
    ear.venue.crowd(symbol="BTC/USDT", side="sell", quantity="0.1", price="49999")
    assert ear.next(lambda heard: heard.ended).client_order_id == sent.client_order_id


def test_a_status_word_nobody_knows_is_told_as_an_order_that_goes_on(ear: Ear, ticket: Any) -> None:
    ear.venue.fault(route="stream:private", kind="unknown_status", word="UNDER_REVIEW", count=-1)
    sent = ticket(limit_price=49_000)
    ear.broker.place(ApprovedTicket(sent))
    assert (ear.next().client_order_id, ear.stream.standing.is_up) == (sent.client_order_id, True)


def test_nothing_that_the_stream_tells_is_collected(ear: Ear, ticket: Any) -> None:
    kept: list[Any] = []
    made = ear.stream._open_exchange
    ear.stream._open_exchange = lambda: kept.append(made()) or kept[0]  # type: ignore[func-returns-value]
    ear.stream.reconnect()
    ear.joined.get(timeout=SECONDS)
    ear.broker.place(ApprovedTicket(ticket()))
    ear.next(lambda heard: heard.ended)
    assert not kept[0].orders
    assert not kept[0].myTrades


def test_closing_hangs_up_and_leaves_no_thread(ear: Ear) -> None:
    ear.stream.close()
    until(lambda: not ear.venue.sockets()["open"])
    assert not [each.name for each in threading.enumerate() if each.name.startswith("private stream")]


@pytest.mark.parametrize("name", EXERCISED)
def test_a_stream_that_never_came_up_is_closed_at_once(name: str, open_venue: Any, stream_at: Any) -> None:
    venue = open_venue(name)
    venue.refuse(seconds=600)
    broker, stream = stream_at(name)
    with _listening(venue, broker, stream):
        until(lambda: bool(stream.standing.trouble))
    assert not stream._thread.is_running
    stream.reconnect()
    assert not stream.standing.is_up


@pytest.mark.parametrize("name", ["binance", "bybit"])
def test_wrong_keys_open_no_stream_and_are_told_in_no_log(
    name: str, open_venue: Any, stream_at: Any, caplog: pytest.LogCaptureFixture
) -> None:
    venue = open_venue(name)
    broker, stream = stream_at(name, "planted-secret")
    with caplog.at_level(logging.DEBUG), _listening(venue, broker, stream) as ear:
        until(lambda: bool(stream.standing.trouble))
        assert ear.joined.empty()
    assert "orders are polled" in caplog.text
    assert "planted-secret" not in caplog.text


def test_keys_tokens_and_signatures_are_in_no_log_at_any_level(
    ear: Ear, ticket: Any, emulator: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    name, asked, tokens = ear.broker.name, ear.stream._token, list[str]()

    def noted() -> Any:
        assert asked is not None
        told = asked()
        tokens.append(told["result"]["token"])
        return told

    ear.stream._token = noted if asked else None
    with caplog.at_level(logging.DEBUG):
        ear.venue.cut(private=True)
        assert ear.joined.get(timeout=SECONDS) == 2
        ear.broker.place(ApprovedTicket(ticket()))
        ear.next(lambda heard: heard.ended)
        ear.stream.close()
    told = caplog.text + "".join(capfd.readouterr())
    assert "is down" in told
    secrets = [emulator.keys[name]["key"], emulator.keys[name]["secret"]]
    assert bool(tokens) == (name == "kraken")
    assert [word for word in (*secrets, *tokens) if word in told] == []
    assert "signature" not in told
    assert '"token"' not in told
