"""Asks REST about candles that are not certain, as soon as they close, and no faster than it helps."""

from __future__ import annotations

import logging
from typing import Any, Final

from engines.domain.timeframe import duration_ms
from engines.market.streaming.board import Board
from engines.market.streaming.keys import StreamKey

_LOGGER: Final = logging.getLogger(__name__)
_PAGE: Final = 1_000
_MOST_PAGES: Final = 5
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 32.0


class Repairs:
    """When which candle stream is asked about next. For the streams' own thread.

    An exchange may be late with a candle that its stream has closed already, so that one question may not be enough.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._next: dict[StreamKey, float] = {}
        self._pauses: dict[StreamKey, float] = {}
        self._ends: dict[StreamKey, int] = {}

    def due(self, key: StreamKey, now: float) -> tuple[int, int] | None:
        """What to ask about now: open times from and below; None when there is nothing, or it is too early."""
        window = self._board.due(key)
        if window is None:
            self.forget(key)
            return None
        if window[1] != self._ends.get(key):
            # One more has closed: whatever was waited for before, it is asked for now.
            self.forget(key)
            self._ends[key] = window[1]
        return window if now >= self._next.get(key, 0.0) else None

    def asked(self, key: StreamKey, now: float) -> None:
        """It was asked: should something be missing still, the next question comes later than this one did."""
        pause = self._pauses.get(key, _FIRST_PAUSE)
        self._next[key], self._pauses[key] = now + pause, min(2 * pause, _LONGEST_PAUSE)

    def forget(self, key: StreamKey) -> None:
        """Nothing is waited for: all is certain, or nobody wants the stream any more."""
        self._next.pop(key, None)
        self._pauses.pop(key, None)
        self._ends.pop(key, None)


async def repair(exchange: Any, board: Board, key: StreamKey, window: tuple[int, int]) -> None:
    """Ask for the candles of a window, page after page, and put the answer down.

    Raises:
        Exception: the exchange did not answer, or not with candles; it is noted on the board.
    """
    if key.timeframe is None:
        raise ValueError(f"{key} has no candles")
    span, (since, end) = duration_ms(key.timeframe), window
    for _ in range(_MOST_PAGES):
        try:
            # One more than needed: some exchanges return one less, and a successor proves the last one closed.
            limit = min((end - since) // span + 1, _PAGE)
            page = await exchange.fetch_ohlcv(key.symbol, key.timeframe, since, limit)
        except Exception:
            board.failed(key, first_ms=since, end_ms=end)
            raise
        rows = [row for row in page if row and isinstance(row[0], int) and row[0] >= since]
        # Some exchanges return less than was asked: what lies behind their last row is not known to be empty.
        told = min(end, max(row[0] for row in rows) + span) if rows else min(end, since + limit * span)
        revised = board.confirm(key, rows, first_ms=since, end_ms=told)
        if revised:
            _LOGGER.warning("%s: %d closed candles were revised by the exchange", key, len(revised))
        # A short page may be the exchange's longest; only an empty one says that there is no more.
        since = told
        if not rows or since >= end:
            return
