"""A panel's last candles with other prices: the history before them is computed once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engines.cipher.explain_flips import Candle, Params
from engines.cipher.machine import machine_of
from engines.domain.candles import CandleFrame, Floats, Times


class Replay:
    """Whether an event is on the last candle when one of the last ones has other prices.

    What it says is what the whole panel says of the changed candles, bit for bit: the machine behind batch and stream
    goes on from the state it had before the changed candle, which is that of `row`.
    """

    def __init__(self, candles: CandleFrame, event: str, params: Params, row: int) -> None:
        self._machine = machine_of(params, candles.timeframe)
        self._bit = 1 << self._machine.event_names.index(event)
        before, last = candles[:row], candles[row:]
        self._states = self._machine.states(1)
        self._machine.advance(before, self._states)
        self._times, self._last = last.open_time, _prices(last)

    def __call__(self, candle: Candle) -> bool:
        """Whether it is there when the candle of `row` has these prices."""
        prices = self._last.copy()
        prices[:, 0] = candle
        masks = self._run(self._times, prices, self._states.copy())
        return bool(masks[-1] & self._bit)

    def _run(self, times: Times, prices: Floats, states: Floats) -> NDArray[np.int64]:
        masks = np.empty(len(times), dtype=np.int64)
        values = np.empty((len(self._machine.columns), len(times)))
        columns = (prices[0], prices[1], prices[2], prices[3])
        self._machine.run(np.ascontiguousarray(times), columns, states, values, masks)
        return masks


def _prices(candles: CandleFrame) -> Floats:
    return np.array([candles.open, candles.high, candles.low, candles.close])
