"""Candles as columns: the one input of every engine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

import numpy as np
from numpy.typing import NDArray

from engines.domain.timeframe import Timeframe, duration_ms, from_ms
from engines.errors import InsufficientData

Floats = NDArray[np.float64]
Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class CandleFrame:
    """Closed candles of one symbol and timeframe, ascending by open time.

    Attributes:
        open_time: shape (n,), milliseconds since the epoch, UTC, strictly ascending.
        open, high, low, close: shape (n,), quote units.
        volume: shape (n,), base units.
        market: name of the market they come from.
        simulated: True when no real market made them.
    """

    symbol: str
    timeframe: Timeframe
    market: str
    simulated: bool
    open_time: Times
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __len__(self) -> int:
        return len(self.open_time)

    def __getitem__(self, rows: slice) -> Self:
        return replace(
            self,
            open_time=self.open_time[rows],
            open=self.open[rows],
            high=self.high[rows],
            low=self.low[rows],
            close=self.close[rows],
            volume=self.volume[rows],
        )

    @property
    def as_of(self) -> datetime:
        """Close time of the last candle: the latest instant these candles know.

        Raises:
            InsufficientData: there is no candle.
        """
        if len(self) == 0:
            raise InsufficientData(f"{self.symbol} has no closed {self.timeframe} candle on {self.market}.")
        return from_ms(int(self.open_time[-1]) + duration_ms(self.timeframe))
