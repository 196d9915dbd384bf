"""The Cipher panel of many symbols at once: the kernel of one history, handed one candle of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from engines.cipher.calls import Masks, call_on
from engines.cipher.machine import machine_of, refuse_repainting
from engines.cipher.params import VUMANCHU_B, CipherAParams, CipherParams
from engines.domain.candles import CandleFrame, Floats, Times
from engines.domain.timeframe import Timeframe, from_ms
from engines.errors import InvalidRequest


@dataclass(frozen=True, slots=True, eq=False)
class BlockUpdate:
    """What one candle of each symbol made of their panels.

    Attributes:
        values: shape (count, columns), a row of `compute_panel` each; NaN where undefined.
        masks: shape (count,), their events as bits, as `CipherPanel.masks`.
    """

    values: Floats
    masks: Masks


class CipherBlock:
    """The panels of many symbols with one timeframe, a candle of each at a time.

    No look-ahead. Not for several threads at once. Each symbol's rows are those of `CipherStream`, bit for bit.

    Args:
        count: of the symbols, at least one.

    Raises:
        InvalidRequest: there is no symbol, or the settings repaint.
    """

    def __init__(self, count: int, timeframe: Timeframe, params: CipherParams | CipherAParams = VUMANCHU_B) -> None:
        if count < 1:
            raise InvalidRequest(f"A block of {count!r} symbols has nothing to do.", remedy="Give one at least.")
        refuse_repainting(params)
        self._machine = machine_of(params, timeframe)
        self.count, self.timeframe, self.params = count, timeframe, params
        self.columns, self.event_names = self._machine.columns, self._machine.event_names
        self._states = self._machine.states(count)
        self._work = np.zeros(self._machine.narrow)

    @classmethod
    def after(cls, frames: Sequence[CandleFrame], params: CipherParams | CipherAParams = VUMANCHU_B) -> Self:
        """A block that has seen the candles of each of its symbols.

        Raises:
            InvalidRequest: there is no frame, they differ in timeframe, a candle cannot be, or the settings repaint.
        """
        if len({frame.timeframe for frame in frames}) != 1:
            raise InvalidRequest("A block takes candles of one timeframe.", remedy="Make a block for each.")
        block = cls(len(frames), frames[0].timeframe, params)
        for row, frame in enumerate(frames):
            block._machine.advance(frame, block._states[row : row + 1])
        return block

    def close(self, open_time: Times, open_: Floats, high: Floats, low: Floats, close: Floats) -> BlockUpdate:
        """Take a closed candle of every symbol and tell what they made of the panels.

        Args:
            open_time: milliseconds since the epoch, UTC; all arrays have shape (count,), one element a symbol.

        Raises:
            InvalidRequest: an array has another length, or a candle cannot be or does not come after the last one of
                its symbol; names the row. The block is as it was before.
        """
        times = np.ascontiguousarray(open_time, dtype=np.int64)
        first, top, bottom, last = (np.ascontiguousarray(x, dtype=np.float64) for x in (open_, high, low, close))
        if any(column.shape != (self.count,) for column in (times, first, top, bottom, last)):
            raise InvalidRequest(f"The block has {self.count} symbols.", remedy="Give that many of everything.")
        values, masks = np.empty((len(self.columns), self.count)), np.empty(self.count, dtype=np.int64)
        prices = first, top, bottom, last
        layout, parts = self._machine.layout, self._machine.parts
        call = call_on(times, prices, layout, parts, self._states, self._work, (values, masks), per_symbol=1)
        bad = self._machine.advance_kernel(call.address)
        if bad >= 0:
            raise InvalidRequest(
                f"Row {bad}: the candle of {from_ms(int(times[bad])):%Y-%m-%d %H:%M} UTC, open {first[bad]!r}, high "
                f"{top[bad]!r}, low {bottom[bad]!r}, close {last[bad]!r} cannot be, or does not come after the last.",
                remedy="Give finite prices above zero, the low lowest and the high highest, in the order of time.",
            )
        values.flags.writeable = masks.flags.writeable = False
        return BlockUpdate(values.T, masks)
