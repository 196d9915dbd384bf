"""OKX's and Coinbase's streams over a real socket, and what each venue's messages are read as."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import queue
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import WSMsgType, web
from hypothesis import given
from hypothesis import strategies as st

from engines.execution.heard import Heard
from engines.execution.venues import Credentials
from engines.execution.venues.budget import RequestBudget
from engines.execution.venues.ccxt_client import connect
from engines.execution.venues.private_stream import PrivateStream, stream_of
from engines.execution.venues.private_words import WORDS
from engines.loop_thread import LoopThread

SECONDS = 30.0
OUR_ID = "qtp-0123456789abcdef01234567"
OKX_ORDER = {
    "accFillSz": "0.002", "clOrdId": "qtp0123456789abcdef01234567", "instId": "ETH-USDT", "instType": "SPOT",
    "ordId": "370257534141235201", "state": "partially_filled", "sz": "0.007526",
}  # fmt: skip
COINBASE_ORDER = {
    "order_id": "aa-bb", "client_order_id": OUR_ID, "cumulative_quantity": "0.5", "leaves_quantity": "0",
    "status": "FILLED", "product_id": "BTC-USD",
}  # fmt: skip


class Far:
    """A venue's far end: it keeps what it is sent and answers as it was told."""

    def __init__(self, answer: Callable[[Any], list[Any]]) -> None:
        self.sent: queue.Queue[Any] = queue.Queue()
        self.port = 0
        self._answer = answer
        self._loop = LoopThread("a far end")

    def start(self) -> None:
        self._loop.spawn(self._serve()).result(SECONDS)

    def close(self) -> None:
        self._loop.spawn(self._runner.cleanup()).result(SECONDS)
        self._loop.close()

    async def _serve(self) -> None:
        application = web.Application()
        application.router.add_get("/{path:.*}", self._converse)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _converse(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                document = json.loads(message.data)
                self.sent.put((request.path, document))
                for each in self._answer(document):
                    await socket.send_json(each)
        return socket


@pytest.fixture
def far_of() -> Iterator[Callable[..., tuple[Far, PrivateStream]]]:
    made: list[Any] = []

    def make(venue: str, answer: Callable[[Any], list[Any]]) -> tuple[Far, PrivateStream]:
        far = Far(answer)
        far.start()
        keys = Credentials("key", "secret", passphrase="words" if venue == "okx" else "")

        def configure(exchange: Any) -> None:
            exchange.urls["api"] = {"ws": f"ws://127.0.0.1:{far.port}/ws", "rest": "http://127.0.0.1:9/BLOCKED"}

        stream = stream_of(connect(venue, keys, RequestBudget(1, 1)), keys, configure=configure)
        made.extend([stream, far])
        return far, stream

    yield make
    for each in made:
        each.close()


def test_okx_is_logged_in_to_asked_for_spot_orders_and_read(far_of: Any) -> None:
    def answer(document: Any) -> list[Any]:
        if document["op"] == "login":
            return [{"event": "login", "code": "0", "msg": ""}]
        named = document["args"][0]
        return [{"event": "subscribe", "arg": named}, {"arg": named, "data": [OKX_ORDER]}]

    far, stream = far_of("okx", answer)
    heard: queue.Queue[Heard] = queue.Queue()
    stream.start(heard.put, lambda _: None)
    assert heard.get(timeout=SECONDS) == Heard(OUR_ID, "370257534141235201", Decimal("0.002"))
    path, login = far.sent.get(timeout=SECONDS)
    [named] = login["args"]
    signed = hmac.new(b"secret", f"{named['timestamp']}GET/users/self/verify".encode(), hashlib.sha256).digest()
    assert (path, named["apiKey"], named["passphrase"]) == ("/ws/private", "key", "words")
    assert named["sign"] == base64.b64encode(signed).decode()
    _, asked = far.sent.get(timeout=SECONDS)
    assert asked["args"] == [{"channel": "orders", "instType": "SPOT"}]


def test_coinbase_is_asked_for_the_users_orders_and_read(far_of: Any) -> None:
    def answer(document: Any) -> list[Any]:
        del document
        listed = {"channel": "subscriptions", "events": [{"subscriptions": {"user": ["me"]}}]}
        news = [{"type": "snapshot", "orders": [COINBASE_ORDER | {"order_id": "old"}]}]
        news += [{"type": "update", "orders": [COINBASE_ORDER]}]
        return [listed, *({"channel": "user", "events": [each]} for each in news)]

    far, stream = far_of("coinbase", answer)
    heard: queue.Queue[Heard] = queue.Queue()
    stream.start(heard.put, lambda _: None)
    assert heard.get(timeout=SECONDS) == Heard(OUR_ID, "aa-bb", Decimal("0.5"), ended=True)
    assert heard.empty()
    _, asked = far.sent.get(timeout=SECONDS)
    signed = hmac.new(b"secret", f"{asked['timestamp']}user".encode(), hashlib.sha256).hexdigest()
    assert (asked["channel"], asked["api_key"], asked["signature"]) == ("user", "key", signed)


def test_a_log_in_that_is_refused_is_told_without_what_was_sent(far_of: Any, caplog: pytest.LogCaptureFixture) -> None:
    def answer(document: Any) -> list[Any]:
        return [{"event": "error", "code": "60009", "msg": f"Login failed: {json.dumps(document)}"}]

    far, stream = far_of("okx", answer)
    stream.start(lambda _: None, lambda _: None)
    _, login = far.sent.get(timeout=SECONDS)
    far.sent.get(timeout=SECONDS)
    assert not stream.standing.is_up
    assert "okx is down" in caplog.text
    assert login["args"][0]["sign"] not in caplog.text + stream.standing.trouble


CANCELLED = {"e": "executionReport", "c": "x-1", "C": OUR_ID, "i": 7, "z": "0.1", "X": "CANCELED"}
NEW = {"e": "executionReport", "c": OUR_ID, "C": "", "i": 7, "z": "0", "X": "NEW"}
STOP = {"orderId": "b-1", "orderLinkId": "", "parentOrderLinkId": OUR_ID, "stopOrderType": "StopLoss"}
ENDED = {"order_id": "OK4", "exec_type": "canceled", "order_status": "canceled", "cum_qty": 0}
RESTING = {"order_id": "OK4", "cl_ord_id": "71747000-0123-4567-89ab-cdef01234567", "order_status": "new"}


def at_kraken(row: Any, kind: str = "update") -> dict[str, Any]:
    return {"channel": "executions", "type": kind, "data": [row]}


@pytest.mark.parametrize(
    ("venue", "message", "expected"),
    [
        ("binance", {"subscriptionId": 0, "event": CANCELLED}, Heard(OUR_ID, "7", Decimal("0.1"), ended=True)),
        ("binance", NEW, Heard(OUR_ID, "7", Decimal(0))),
        ("bybit", {"topic": "order", "data": [STOP]}, Heard(f"{OUR_ID}-sl", "b-1", None)),
        ("kraken", at_kraken(ENDED), Heard("", "OK4", Decimal(0), ended=True)),
        ("kraken", at_kraken(RESTING), Heard(OUR_ID, "OK4", None)),
    ],
)
def test_a_message_names_its_order(venue: str, message: Any, expected: Heard) -> None:
    assert list(WORDS[venue].orders(message) or ()) == [expected]


@pytest.mark.parametrize(
    ("venue", "message"),
    [
        ("binance", {"e": "outboundAccountPosition", "B": []}),
        ("bybit", {"topic": "wallet", "data": []}),
        ("kraken", at_kraken({"order_id": "old"}, "snapshot")),
    ],
)
def test_other_news_of_the_account_names_no_order(venue: str, message: Any) -> None:
    found = WORDS[venue].orders(message)
    assert found is not None
    assert list(found) == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["e", "event", "topic", "data", "channel", "type", "arg", "events", "orders", "result", "op"]),
        inner | st.sampled_from(["executionReport", "order", "executions", "orders", "user", "update"]), max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.sampled_from(sorted(WORDS)), _JSON)
def test_rubbish_is_read_as_no_confirmation(venue: str, message: Any) -> None:
    if not isinstance(message, dict):
        return
    words = WORDS[venue]
    found = words.orders(message)
    assert found is None or all(isinstance(each, Heard) for each in found)
    assert words.stands(message) in {True, False}
    assert words.refuses(message) in {True, False}


def test_waiting_for_a_confirmation_that_never_comes_ends(far_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.execution.venues.private_stream._HELLO_SECONDS", 0.2)
    far, stream = far_of("okx", lambda _: [])
    stream.start(lambda _: None, lambda _: None)
    far.sent.get(timeout=SECONDS)
    # It hangs up and tries again.
    far.sent.get(timeout=SECONDS)
    assert stream.standing.trouble == "the subscription was not confirmed"
