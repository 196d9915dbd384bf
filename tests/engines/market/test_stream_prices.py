"""Streamed prices: what nobody could pay is no price, and never stands in for one."""

from __future__ import annotations

import math
from typing import Any

import pytest

from engines.market.streaming.board import Board
from engines.market.streaming.keys import StreamKey

SYMBOL = "BTC/USDT"
TICKER, TRADES = StreamKey("ticker", SYMBOL), StreamKey("trades", SYMBOL)
NO_PRICE = [None, 0, -1.0, math.nan, math.inf]


@pytest.fixture
def board() -> Board:
    return Board("binance", now_ms=lambda: 1_700_000_000_000, monotonic=lambda: 100.0)


def _ticker(**prices: Any) -> dict[str, Any]:
    return {"bid": 99.0, "ask": 101.0, "last": 100.5, "timestamp": None, **prices}


def _trade(number: int, price: Any) -> dict[str, Any]:
    return {"id": str(number), "price": price, "amount": 1.0, "side": "buy", "timestamp": 1_700_000_000_000 + number}


@pytest.mark.parametrize("wrong", NO_PRICE)
@pytest.mark.parametrize("side", ["bid", "ask"])
def test_a_ticker_without_a_price_to_pay_on_both_sides_is_counted_and_left(
    board: Board, side: str, wrong: float | None
) -> None:
    board.tick(TICKER, _ticker(**{side: wrong}))
    assert board.live_tick(SYMBOL, within=2.0) is None
    assert board.counts()["unusable_ticks"] == 1


def test_a_crossed_ticker_is_counted_and_left(board: Board) -> None:
    board.tick(TICKER, _ticker(bid=101.0, ask=99.0))
    assert board.live_tick(SYMBOL, within=2.0) is None
    assert board.counts()["unusable_ticks"] == 1


@pytest.mark.parametrize("wrong", NO_PRICE)
def test_a_last_price_that_is_none_is_the_middle_of_the_ticker(board: Board, wrong: float | None) -> None:
    board.tick(TICKER, _ticker(last=wrong))
    tick = board.live_tick(SYMBOL, within=2.0)
    assert tick is not None
    assert tick.last == 100.0


@pytest.mark.parametrize("wrong", NO_PRICE)
def test_a_trade_without_a_price_leaves_the_last_one_as_it_was(board: Board, wrong: float | None) -> None:
    board.tick(TICKER, _ticker())
    board.trades(TRADES, [_trade(1, 100.25)])
    board.trades(TRADES, [_trade(2, wrong)])
    tick = board.live_tick(SYMBOL, within=2.0)
    assert tick is not None
    assert tick.last == 100.25
