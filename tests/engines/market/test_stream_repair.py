"""Asking REST for candles that a stream left uncertain: page by page, no faster than it helps, nothing loaded early."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from engines.market.streaming.board import Board
from engines.market.streaming.gaps import APART_MS
from engines.market.streaming.keys import StreamKey
from engines.market.streaming.repair import Repairs, repair

MINUTE = 60_000
COUNT = 40
START = 1_700_000_040_000 // MINUTE * MINUTE
END = START + COUNT * MINUTE
KEY = StreamKey("candles", "BTC/USDT", "1m")


class Exchange:
    """Answers like an exchange that has candles at some minutes and returns at most `page` of them at once."""

    def __init__(self, *, page: int, exclusive: bool = False, missing: frozenset[int] = frozenset()) -> None:
        self._page = page
        self._exclusive = exclusive
        self._missing = missing
        self.asked = 0

    async def fetch_ohlcv(self, symbol: str, timeframe: str, since: int, limit: int) -> list[list[Any]]:
        assert (symbol, timeframe) == ("BTC/USDT", "1m")
        self.asked += 1
        first = since + 1 if self._exclusive else since
        rows = [_row(place) for place in range(COUNT + 1) if place not in self._missing]
        return [row for row in rows if row[0] >= first][: min(limit, self._page)]


class Unplugged:
    """Does not answer."""

    async def fetch_ohlcv(self, *asked: Any) -> list[list[Any]]:
        raise ConnectionError(f"nobody answers {asked}")


def _row(place: int) -> list[Any]:
    return [START + place * MINUTE, 100.0 + place, 101.0 + place, 99.0 + place, 100.5 + place, 1.0]


def _board(now_ms: int = END + 10_000) -> Board:
    board = Board("binance", now_ms=lambda: now_ms, monotonic=lambda: 0.0)
    board.want_candles(KEY, COUNT)
    board.candle(KEY, [_row(COUNT)])
    return board


@pytest.mark.parametrize("page", [1_000, 39, 20, 9])
def test_pages_of_any_length_are_put_together(page: int) -> None:
    board, exchange = _board(), Exchange(page=page)
    asyncio.run(repair(exchange, board, KEY, (START, END)))
    assert board.closed(KEY, END, COUNT) == tuple(tuple(_row(place)) for place in range(COUNT))
    assert board.due(KEY) is None


def test_an_exchange_that_takes_since_as_exclusive_leaves_the_first_uncertain_and_nothing_else() -> None:
    board = _board()
    asyncio.run(repair(Exchange(page=1_000, exclusive=True), board, KEY, (START - MINUTE, END)))
    assert board.closed(KEY, END, COUNT) is not None


def test_questions_end_when_nothing_more_comes() -> None:
    board, exchange = _board(), Exchange(page=1_000, missing=frozenset(range(COUNT + 1)))
    asyncio.run(repair(exchange, board, KEY, (START, END)))
    assert exchange.asked == 1
    assert board.counts()["gap_unknown"] == COUNT


def test_no_more_than_five_pages_are_asked_for_at_once_and_the_rest_stays_due() -> None:
    board, exchange = _board(), Exchange(page=3)
    asyncio.run(repair(exchange, board, KEY, (START, END)))
    assert exchange.asked == 5
    assert board.closed(KEY, END, COUNT) is None
    assert board.due(KEY) is not None
    assert board.counts()["gap_unknown"] == 0


def test_what_lies_behind_a_short_page_is_never_taken_for_empty() -> None:
    now = END + 10_000
    board = Board("binance", now_ms=lambda: now, monotonic=lambda: 0.0)
    board.want_candles(KEY, COUNT)
    for _ in range(3):
        asyncio.run(repair(Exchange(page=3), board, KEY, (START, END)))
        now += APART_MS
    assert board.counts()["gap_empty_at_exchange"] == 0


def test_an_exchange_that_does_not_answer_leaves_failed_gaps() -> None:
    board = _board()
    with pytest.raises(ConnectionError):
        asyncio.run(repair(Unplugged(), board, KEY, (START, END)))
    assert board.counts()["gap_failed"] == COUNT
    asyncio.run(repair(Exchange(page=1_000), board, KEY, (START, END)))
    assert board.counts()["gap_filled"] == COUNT


def test_questions_about_what_an_exchange_does_not_have_yet_get_rarer() -> None:
    repairs, now, asked = Repairs(_board()), 0.0, []
    while now < 200:
        if repairs.due(KEY, now) is not None:
            asked.append(now)
            repairs.asked(KEY, now)
        now += 0.25
    assert asked == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0, 95.0, 127.0, 159.0, 191.0]


def test_a_candle_that_closes_after_all_was_certain_is_asked_for_at_once() -> None:
    now = END + 10_000
    board = Board("binance", now_ms=lambda: now, monotonic=lambda: 0.0)
    board.want_candles(KEY, COUNT)
    repairs = Repairs(board)
    assert repairs.due(KEY, 5.0) is not None
    repairs.asked(KEY, 5.0)
    asyncio.run(repair(Exchange(page=1_000), board, KEY, (START, END)))
    assert repairs.due(KEY, 5.1) is None
    # By the clock alone it could still be forming at the exchange; its successor proves that it is not.
    now = END + MINUTE + 500
    assert repairs.due(KEY, 5.2) is None
    board.candle(KEY, [_row(COUNT + 1)])
    assert repairs.due(KEY, 5.2) is not None


def test_a_candle_that_closes_while_another_is_waited_for_is_asked_for_at_once() -> None:
    now = END + 10_000
    board = Board("binance", now_ms=lambda: now, monotonic=lambda: 0.0)
    board.want_candles(KEY, COUNT)
    repairs = Repairs(board)
    for at in (0.0, 1.0, 3.0, 7.0):
        assert repairs.due(KEY, at) is not None
        repairs.asked(KEY, at)
    assert repairs.due(KEY, 7.5) is None
    now += MINUTE
    assert repairs.due(KEY, 7.5) is not None
    repairs.asked(KEY, 7.5)
    assert repairs.due(KEY, 8.0) is None


def test_opening_a_streamed_market_imports_no_ccxt_and_begins_no_thread() -> None:
    code = (
        "import sys, threading; from pathlib import Path; from engines.domain.clock import SystemClock;"
        " from engines.market.factory import open_market;"
        " market = open_market('kraken', home=Path('.'), clock=SystemClock(), streams=True);"
        " print('ccxt' in sys.modules, threading.active_count(), market.streams().alive); market.close()"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.split() == ["False", "1", "0"]
