"""A profile that grows with the market: candles or trades are added as they come."""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np

from engines.domain.timeframe import to_ms
from engines.errors import InsufficientData, InvalidRequest
from engines.volume_profile.grid import RowGrid
from engines.volume_profile.params import ProfileParams
from engines.volume_profile.profile import RowProfile, levels
from engines.volume_profile.spreading import RowSums

_Row = tuple[float, float, float, float, float]


class LiveProfile:
    """Volume by row of candles, or of trades, that come one by one; not safe for use from two threads.

    `profile()` equals a profile computed anew from everything added, bit for bit: what was added is never taken out
    again, so nothing drifts, and a candle that still forms is kept apart until it closes.

    Rows of a height (`row_height`, `ticks_per_row`) stay where they are and only what is new is entered. With a number
    of rows every new high or low moves all of them, so the next `profile()` enters everything again.
    """

    def __init__(self, params: ProfileParams, *, symbol: str = "") -> None:
        self._params = params
        self._symbol = symbol or "The profile"
        self._added: list[_Row] = []
        self._forming: _Row | None = None
        self._last_time: int | None = None
        self._of_trades: bool | None = None
        self._low, self._high = math.inf, -math.inf
        self._count = self._entered = 0
        self._sums: RowSums | None = None

    def __len__(self) -> int:
        return self._count

    def add_candle(
        self, open_time: datetime | int, open_: float, high: float, low: float, close: float, volume: float
    ) -> None:
        """Add a closed candle; the one that was forming is forgotten.

        Args:
            open_time: aware time, or milliseconds since the epoch.

        Raises:
            InvalidRequest: the candle cannot be, does not come after the last one, or the profile is one of trades.
        """
        time = self._checked_candle(open_time, open_, high, low, close, volume)
        self._forming = None
        self._append((float(open_), float(high), float(low), float(close), float(volume)), time, trades=False)

    def replace_forming(
        self, open_time: datetime | int, open_: float, high: float, low: float, close: float, volume: float
    ) -> None:
        """Set what the candle that still forms holds by now, in place of what it held before.

        Raises:
            InvalidRequest: as `add_candle`.
        """
        self._checked_candle(open_time, open_, high, low, close, volume)
        self._forming = (float(open_), float(high), float(low), float(close), float(volume))

    def add_trade(self, time: datetime | int, price: float, quantity: float, side: int) -> None:
        """Add a trade.

        Args:
            time: aware time, or milliseconds since the epoch.
            side: 1 where the buyer came to the seller, -1 where the seller came to the buyer.

        Raises:
            InvalidRequest: the trade cannot be, comes before the last one, or the profile is one of candles.
        """
        self._require_kind(trades=True)
        time_ms = _ms(time)
        if not (0 < price < math.inf and 0 <= quantity < math.inf and side in (1, -1)):
            raise InvalidRequest(
                f"A trade of {quantity!r} at {price!r} with side {side!r} cannot be.",
                remedy="Give a price above zero, a quantity of zero or more, and 1 or -1 as its side.",
            )
        if self._last_time is not None and time_ms < self._last_time:
            raise InvalidRequest(
                f"A trade at {time_ms} ms comes before the last one, at {self._last_time} ms.",
                remedy="Add trades in order of time.",
            )
        self._append((0.0, float(price), float(price), float(side), float(quantity)), time_ms, trades=True)

    def profile(self) -> RowProfile:
        """The profile of everything added, with the forming candle where there is one.

        Raises:
            InsufficientData: nothing with volume was added.
            InvalidRequest: there would be more than 10,000 rows.
        """
        low, high = self._low, self._high
        if self._forming is not None:
            low, high = min(low, self._forming[2]), max(high, self._forming[1])
        if low > high:
            raise InsufficientData(f"{self._symbol} has nothing in it yet; add candles or trades.")
        sums = self._sums_on(RowGrid.over(low, high, self._params))
        if self._forming is not None:
            self._enter(sums, [self._forming])
        if sums.total <= 0:
            raise InsufficientData(f"{self._symbol} has no volume in its {self._count} candles or trades.")
        return RowProfile(**levels(sums, self._params))

    def _sums_on(self, grid: RowGrid) -> RowSums:
        """A copy, on this grid, of the sums of everything added."""
        if not self._params.stable:
            if self._sums is None or self._sums.grid != grid:
                self._sums, self._entered = RowSums(grid, self._params), 0
            self._enter(self._sums, self._added[self._entered :])
            self._entered = len(self._added)
            return self._sums.on(grid)
        if self._count == 0:
            return RowSums(grid, self._params)
        own = RowGrid.over(self._low, self._high, self._params)
        if self._sums is None:
            self._sums = RowSums(own, self._params)
        elif self._sums.grid != own:
            self._sums = self._sums.on(own)
        self._enter(self._sums, self._added)
        # Where rows stay, what was entered is not needed again.
        self._added = []
        return self._sums.on(grid)

    def _enter(self, sums: RowSums, rows: list[_Row]) -> None:
        if not rows:
            return
        open_, high, low, close, volume = np.ascontiguousarray(np.array(rows, dtype=np.float64).T)
        if self._of_trades:
            sums.add_trades(high, volume, close)
        else:
            sums.add((open_, high, low, close, volume))

    def _append(self, row: _Row, time: int, *, trades: bool) -> None:
        self._added.append(row)
        self._count += 1
        self._of_trades, self._last_time = trades, time
        self._low, self._high = min(self._low, row[2]), max(self._high, row[1])

    def _require_kind(self, *, trades: bool) -> None:
        if self._of_trades is not None and self._of_trades is not trades:
            raise InvalidRequest(
                f"{self._symbol} is made of {'trades' if self._of_trades else 'candles'}.",
                remedy="Keep candles and trades in profiles of their own: they are the same volume.",
            )

    def _checked_candle(
        self, open_time: datetime | int, open_: float, high: float, low: float, close: float, volume: float
    ) -> int:
        self._require_kind(trades=False)
        time = _ms(open_time)
        if not (0 < low <= min(open_, close) and max(open_, close) <= high < math.inf and 0 <= volume < math.inf):
            raise InvalidRequest(
                f"A candle of open {open_!r}, high {high!r}, low {low!r}, close {close!r} and volume {volume!r} "
                "cannot be.",
                remedy="Give 0 < low <= open and close <= high, and a volume of zero or more.",
            )
        if self._last_time is not None and time <= self._last_time:
            raise InvalidRequest(
                f"A candle that opens at {time} ms does not come after the last one, at {self._last_time} ms.",
                remedy="Add candles in order of time, each once.",
            )
        return time


def _ms(time: datetime | int) -> int:
    return to_ms(time) if isinstance(time, datetime) else int(time)
