"""The Cipher panel candle by candle: the kernel of the whole history, handed one candle at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np

from engines.cipher.layout import ALL_EVENTS, FLAT, pivot_place, previous_slot
from engines.cipher.machine import machine_of, refuse_repainting
from engines.cipher.panel import CipherEvent, pivot_offset
from engines.cipher.params import VUMANCHU_B, CipherAParams, CipherParams
from engines.domain.candles import CandleFrame, Floats
from engines.domain.timeframe import Timeframe, duration_ms, from_ms
from engines.errors import InvalidRequest


class CipherUpdate:
    """What one candle made of the panel: its row of `compute_panel`, bit for bit.

    Attributes:
        open_time: of the candle, milliseconds since the epoch, UTC.
        index: number of the candle, 0 for the first the stream has seen.
        row: the values in the order of the panel's columns, NaN where undefined.
        mask: its events as bits, as `CipherPanel.masks`.
    """

    __slots__ = ("_previous", "_stream", "index", "mask", "open_time", "row")

    def __init__(
        self, stream: CipherStream, open_time: int, index: int, row: list[float], mask: int, previous: Floats | None
    ) -> None:
        self._stream, self._previous = stream, previous
        self.open_time, self.index, self.row, self.mask = open_time, index, row, mask

    @property
    def values(self) -> Mapping[str, float]:
        """The values by the names of the panel's columns."""
        return dict(zip(self._stream.columns, self.row, strict=True))

    @property
    def flat(self) -> bool:
        """Whether the price has not moved for so long that the waves are undefined or rounding noise."""
        return bool(self.mask & FLAT)

    @property
    def events(self) -> tuple[CipherEvent, ...]:
        """Events confirmed by this candle, as `CipherPanel.events` tells them; of a forming one not final."""
        if not self.mask & ALL_EVENTS:
            return ()
        close = self.open_time + self._stream.candle_ms
        return tuple(
            CipherEvent(name, self.index, self.index - pivot_offset(name), self.index, close, self._earlier(name))
            for place, name in enumerate(self._stream.event_names)
            if self.mask >> place & 1
        )

    def _earlier(self, name: str) -> int | None:
        place = self._stream.pivot_places.get(name)
        return None if place is None or self._previous is None else int(self._previous[place])


class CipherStream:
    """The panel of one symbol, one candle at a time; time and memory per candle do not grow.

    No look-ahead. Not for several threads at once.

    Args:
        symbol: told in errors.
        timeframe: of the candles.
        params: settings that repaint are refused, because a stream decides.

    Raises:
        InvalidRequest: the settings repaint.
    """

    def __init__(self, symbol: str, timeframe: Timeframe, params: CipherParams | CipherAParams = VUMANCHU_B) -> None:
        refuse_repainting(params)
        machine = machine_of(params, timeframe)
        self.symbol, self.timeframe, self.params = symbol, timeframe, params
        self.columns, self.event_names, self.candle_ms = machine.columns, machine.event_names, duration_ms(timeframe)
        self.pivot_places = {name: at for name in self.event_names if (at := pivot_place(name, params)) is not None}
        places = range(max(self.pivot_places.values(), default=-1) + 1)
        self._slots = np.array([previous_slot(place) for place in places], dtype=np.int64)
        self._seen = 0
        self._states = machine.states(1)
        self._trial = machine.states(1)
        self._time = np.zeros(1, dtype=np.int64)
        self._candle = np.zeros(1), np.zeros(1), np.zeros(1), np.zeros(1)
        self._open, self._high, self._low, self._close = self._candle
        self._values, self._mask = np.zeros((len(self.columns), 1)), np.zeros(1, dtype=np.int64)
        self._row = self._values[:, 0]
        self._machine, self._kernel = machine, machine.kernel
        self._plan, self._levels, self._work = machine.layout.plan, machine.layout.levels, np.zeros(machine.narrow)

    @classmethod
    def after(cls, candles: CandleFrame, params: CipherParams | CipherAParams = VUMANCHU_B) -> Self:
        """A stream that has seen these candles, at the batch's speed; the next one must come after them.

        Raises:
            InvalidRequest: a candle cannot be, or the settings repaint.
        """
        stream = cls(candles.symbol, candles.timeframe, params)
        stream._machine.advance(candles, stream._states)
        stream._seen = len(candles)
        return stream

    def close(self, open_time: int, open_: float, high: float, low: float, close: float) -> CipherUpdate:
        """Take a closed candle and tell what it made of the panel.

        Args:
            open_time: milliseconds since the epoch, UTC, after that of the last closed candle.

        Raises:
            InvalidRequest: the candle cannot be or does not come after the last; the stream is as it was before.
        """
        update = self._update(self._states, open_time, open_, high, low, close)
        self._seen += 1
        return update

    def forming(self, open_time: int, open_: float, high: float, low: float, close: float) -> CipherUpdate:
        """Tell what the panel would be if the candle closed like this; the next call replaces it.

        Raises:
            InvalidRequest: the candle cannot be or does not come after the last closed one.
        """
        np.copyto(self._trial, self._states)
        return self._update(self._trial, open_time, open_, high, low, close)

    def _update(
        self, states: Floats, open_time: int, open_: float, high: float, low: float, close: float
    ) -> CipherUpdate:
        self._time[0] = open_time
        self._open[0], self._high[0], self._low[0], self._close[0] = open_, high, low, close
        vectors = self._plan, self._levels, states, self._work, self._values, self._mask
        if self._kernel(self._time, self._candle, 1, *vectors) >= 0:
            raise InvalidRequest(
                f"{self.symbol} {self.timeframe}: the candle of {from_ms(open_time):%Y-%m-%d %H:%M} UTC with open "
                f"{open_!r}, high {high!r}, low {low!r}, close {close!r} cannot be, or does not come after the last.",
                remedy="Give finite prices above zero, the low lowest and the high highest, in the order of time.",
            )
        mask = self._mask.item()
        previous = states[0, self._slots] if mask & ALL_EVENTS else None
        return CipherUpdate(self, open_time, self._seen, self._row.tolist(), mask, previous)
