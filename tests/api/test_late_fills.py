"""Fills that come after the answer to a decision: told once, in the conversation of their ticket."""

from __future__ import annotations

import contextlib
import csv
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.keys import KeyStore
from engines.domain.clock import SystemClock
from engines.domain.timeframe import parse_timeframe
from engines.market.importing import import_candles
from engines.market.store import CandleStore
from engines.storage.database import open_database

Serve = Callable[..., contextlib.AbstractContextManager[Any]]

START = datetime(2026, 1, 5, tzinfo=UTC)
SYMBOL = "ABC/USD"
OPTIONS = {"market": "files", "matching_seconds": 0.1}


class Prices:
    """A market of one symbol that goes where the test says, a minute at a time."""

    def __init__(self, home: Path) -> None:
        home.mkdir(exist_ok=True)
        self._home = home
        self._minute = 0
        self.move(*[100.0] * 300)

    def move(self, *closes: float, low: float = 1e9, volume: float = 1000.0) -> None:
        """Add one candle that opens and closes at each price, and reaches down to a lower one."""
        file = self._home / f"{self._minute}.csv"
        with file.open("w", newline="") as out:
            rows = csv.writer(out)
            rows.writerow(["time", "open", "high", "low", "close", "volume"])
            for close in closes:
                opened = START + timedelta(minutes=self._minute)
                rows.writerow([opened.isoformat(), close, close + 0.25, min(low, close - 0.25), close, volume])
                self._minute += 1
        database = open_database("candles", home=self._home)
        store = CandleStore(database)
        import_candles(file, symbol=SYMBOL, timeframe=parse_timeframe("1m"), store=store, progress=lambda *_: None)
        database.dispose()


@pytest.fixture
def prices(tmp_path: Path) -> Prices:
    return Prices(tmp_path / "home")


def approve(client: httpx.Client, text: str) -> dict[str, Any]:
    """Ask for an order and approve its ticket; the answer to the decision."""
    asked = client.post("/v1/agent/invoke", json={"message": text}).json()
    ticket = asked["ticket"]
    assert ticket is not None, asked["reply"]
    body = {"decision": "approve", "ticket_hash": ticket["hash"]}
    decided: dict[str, Any] = client.post(f"/v1/tickets/{ticket['id']}/decision", json=body).json()
    return decided


def said(client: httpx.Client, thread_id: str) -> list[str]:
    """What the desk said in a conversation."""
    messages = client.get(f"/v1/threads/{thread_id}").json()["messages"]
    return [message["text"] for message in messages if message["role"] == "assistant"]


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.05)


def news(client: httpx.Client, sse: Any, count: int, **query: Any) -> list[Any]:
    """So many events of the stream of news, behind the beginning unless told otherwise."""
    with client.stream("GET", "/v1/news", params={"after": 0, **query}) as response:
        assert response.status_code == 200
        return list(islice(sse(response.iter_lines()), count))


def test_a_limit_order_that_fills_later_is_told_once_with_its_receipts(serve: Serve, prices: Prices, sse: Any) -> None:
    with serve(**OPTIONS) as served, served.client() as client:
        decided = approve(client, f"buy 2 {SYMBOL} limit 90")
        assert (decided["order"]["status"], decided["fills"]) == ("accepted", [])
        before = len(said(client, decided["thread_id"]))
        prices.move(100, 89, 89)
        wait_for(lambda: len(said(client, decided["thread_id"])) > before)
        (event,) = news(client, sse, 1)
        (fill,) = client.get("/v1/fills").json()["fills"]
        label = decided["ticket"]["label"]
        assert event.name == "message"
        assert event.data["reply"].startswith(f"{label}: Bought 2 [1] ABC at 90")
        assert "Position: 2 [" in event.data["reply"]
        sources = {receipt["label"]: receipt for receipt in event.data["receipts"]}
        assert sources["average fill price"]["value"] == fill["price"]
        assert sources["average fill price"]["source"]["parameters"]["fills"] == [fill["id"]]
        assert event.data["thread_id"] == decided["thread_id"]
        assert said(client, decided["thread_id"])[before:] == [event.data["reply"]]
        kept = client.get(f"/v1/runs/{event.data['run_id']}/events").text
        assert event.data["reply"].split(" [")[0] in kept
        assert "event: done" in kept


def test_what_the_answer_to_a_decision_told_is_not_told_again(serve: Serve, prices: Prices, sse: Any) -> None:
    with serve(**OPTIONS) as served, served.client() as client:
        bought = approve(client, f"buy 1 {SYMBOL}")
        assert "Filled 1 [" in bought["reply"]
        resting = approve(client, f"buy 2 {SYMBOL} limit 90")
        prices.move(89, 89)
        (event,) = news(client, sse, 1)
        assert event.data["thread_id"] == resting["thread_id"]
        assert len(said(client, bought["thread_id"])) == 2


def test_nothing_is_told_twice_or_lost_over_a_restart(serve: Serve, prices: Prices, sse: Any) -> None:
    with serve(**OPTIONS) as served, served.client() as client:
        first = approve(client, f"buy 2 {SYMBOL} limit 90")
        second = approve(client, f"buy 3 {SYMBOL} limit 80")
        prices.move(89, 89)
        (told,) = news(client, sse, 1)
        before = said(client, first["thread_id"])
    prices.move(79, 79)
    with serve(**OPTIONS) as served, served.client() as client:
        (later,) = news(client, sse, 1, after=told.id)
        assert later.data["thread_id"] == second["thread_id"]
        assert later.id > told.id
        assert said(client, first["thread_id"]) == before
        assert [event.id for event in news(client, sse, 2)] == [told.id, later.id]


def test_each_part_of_an_order_is_told_with_what_it_comes_to(serve: Serve, prices: Prices, sse: Any) -> None:
    with serve(**OPTIONS) as served, served.client() as client:
        decided = approve(client, f"buy 10 {SYMBOL} limit 90")
        prices.move(100, low=89, volume=40)
        (part,) = news(client, sse, 1)
        assert "4 [" in part.data["reply"]
        assert "of 10 [" in part.data["reply"]
        prices.move(89, 89)
        parts = news(client, sse, 2)
        assert "That completes its 10 [" in parts[1].data["reply"]
        told = [fill for each in parts for fill in each.data["receipts"][0]["source"]["parameters"]["fills"]]
        filled = client.get("/v1/fills").json()["fills"]
        assert sorted(told) == sorted(fill["id"] for fill in filled)
        assert len(said(client, decided["thread_id"])) == 4


def test_a_stop_that_fires_is_told_in_the_conversation_of_its_entry(serve: Serve, prices: Prices, sse: Any) -> None:
    with serve(**OPTIONS) as served, served.client() as client:
        decided = approve(client, f"buy 2 {SYMBOL}, stop 95")
        prices.move(94, 94)
        (event,) = news(client, sse, 1)
        assert event.data["thread_id"] == decided["thread_id"]
        assert f"{decided['ticket']['label']}: Its stop-loss sold 2 [1] ABC at" in event.data["reply"]
        assert event.data["reply"].endswith("The position is closed.")


def test_a_conversation_that_is_gone_is_told_nothing(serve: Serve, prices: Prices, sse: Any) -> None:
    with serve(**OPTIONS) as served, served.client() as client:
        gone = approve(client, f"buy 2 {SYMBOL} limit 90")
        kept = approve(client, f"buy 1 {SYMBOL} limit 89.5")
        assert client.delete(f"/v1/threads/{gone['thread_id']}").status_code == 204
        prices.move(88, 88)
        (event,) = news(client, sse, 1)
        assert event.data["thread_id"] == kept["thread_id"]
        assert client.get(f"/v1/threads/{gone['thread_id']}").status_code == 404


def test_news_are_their_owners_alone_and_can_be_of_one_conversation(
    serve: Serve, prices: Prices, sse: Any, tmp_path: Path
) -> None:
    engine = open_database("desk", home=tmp_path / "home")
    keys = KeyStore(engine, SystemClock())
    scopes = ("read", "trade", "approve")
    mine, others = (keys.create(name="test", scopes=scopes, owner=owner).token for owner in ("me", "you"))
    engine.dispose()
    with serve(**OPTIONS) as served, served.client(mine) as me, served.client(others) as you:
        own = [approve(me, f"buy 1 {SYMBOL} limit {limit}") for limit in (91, 90)]
        theirs = approve(you, f"buy 1 {SYMBOL} limit 92")
        prices.move(89, 89)
        assert [event.data["thread_id"] for event in news(you, sse, 1)] == [theirs["thread_id"]]
        assert {event.data["thread_id"] for event in news(me, sse, 2)} == {each["thread_id"] for each in own}
        (chosen,) = news(me, sse, 1, thread_id=own[1]["thread_id"])
        assert chosen.data["thread_id"] == own[1]["thread_id"]


def test_without_a_beginning_the_stream_begins_now(serve: Serve, prices: Prices, sse: Any) -> None:
    with serve(**OPTIONS) as served, served.client() as client:
        approve(client, f"buy 1 {SYMBOL} limit 90")
        later = approve(client, f"buy 1 {SYMBOL} limit 80")
        prices.move(89, 89)
        news(client, sse, 1)
        with client.stream("GET", "/v1/news") as response:
            events: Iterator[Any] = sse(response.iter_lines())
            prices.move(79, 79)
            assert next(events).data["thread_id"] == later["thread_id"]


def test_a_thread_that_does_not_exist_has_no_news(serve: Serve, prices: Prices) -> None:
    with serve(**OPTIONS) as served, served.client() as client:
        approve(client, f"buy 1 {SYMBOL} limit 90")
        prices.move(89, 89)
        wait_for(lambda: bool(client.get("/v1/fills").json()["fills"]))
        hurried = httpx.Timeout(30, read=3)
        query = {"after": 0, "thread_id": str(uuid.uuid4())}
        silent = pytest.raises(httpx.ReadTimeout)
        with client.stream("GET", "/v1/news", params=query, timeout=hurried) as response, silent:
            next(line for line in response.iter_lines() if line)
