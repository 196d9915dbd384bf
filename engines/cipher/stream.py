"""The Cipher panel candle by candle: the kernel of the whole history, handed one candle at a time."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from struct import Struct
from typing import Final, Self

import numpy as np

from engines.cipher.calls import Call, call_on
from engines.cipher.layout import ALL_EVENTS, FLAT, PIVOT_STATE, pivot_place, previous_slot
from engines.cipher.machine import machine_of, refuse_repainting
from engines.cipher.panel import CipherEvent, pivot_offset
from engines.cipher.params import VUMANCHU_B, CipherAParams, CipherParams
from engines.domain.candles import CandleFrame, Floats
from engines.domain.timeframe import Timeframe, duration_ms, from_ms
from engines.errors import InvalidRequest

# Open time, open, high, low and close.
_CANDLE: Final = Struct("=q4d")


class CipherUpdate:
    """What one candle made of the panel: its row of `compute_panel`, bit for bit.

    Attributes:
        index: number of the candle, 0 for the first the stream has seen.
    """

    __slots__ = ("_previous", "_stream", "_told", "index")

    def __init__(self, stream: CipherStream, index: int, told: bytes, previous: Floats | None) -> None:
        self._stream = stream
        self.index = index
        # The candle, the columns and the mask as the kernel left them: they become numbers when they are asked for.
        self._told = told
        self._previous = previous

    @property
    def open_time(self) -> int:
        """Of the candle, milliseconds since the epoch, UTC."""
        return int.from_bytes(self._told[:8], sys.byteorder, signed=True)

    @property
    def row(self) -> tuple[float, ...]:
        """The values in the order of the panel's columns, NaN where undefined."""
        return self._stream.read_row(self._told, _CANDLE.size)

    @property
    def mask(self) -> int:
        """The events as bits, as `CipherPanel.masks`."""
        return int.from_bytes(self._told[-8:], sys.byteorder, signed=True)

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
        mask = self.mask
        if not mask & ALL_EVENTS:
            return ()
        close = self.open_time + self._stream.candle_ms
        return tuple(
            CipherEvent(name, self.index, self.index - pivot_offset(name), self.index, close, self._earlier(name))
            for place, name in enumerate(self._stream.event_names)
            if mask >> place & 1
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
        # Bits of the events that compare two pivots.
        self._compared = sum(1 << self.event_names.index(name) for name in self.pivot_places)
        self._seen = 0
        self._states, self._trial = machine.states(1), machine.states(1)
        pivots = slice(previous_slot(0), previous_slot(max(self.pivot_places.values(), default=-1)) + 1, PIVOT_STATE)
        self._closed_pivots, self._tried_pivots = self._states[0, pivots], self._trial[0, pivots]
        # The candle and what is told of it lie in one piece of memory, written and read at a stroke.
        columns = len(self.columns)
        self._memory = bytearray(_CANDLE.size + 8 * (columns + 1))
        self.read_row = Struct(f"={columns}d").unpack_from
        self._machine, self._take = machine, machine.candle_kernel
        self._calls = self._call(self._states), self._call(self._trial)
        self._closing, self._trying = (call.address for call in self._calls)

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
        mask = self._take(self._closing, open_time, open_, high, low, close)
        if mask < 0:
            raise self._refusal()
        # Copied at once, because the next candle replaces them.
        previous = self._closed_pivots.copy() if mask & self._compared else None
        index = self._seen
        self._seen = index + 1
        return CipherUpdate(self, index, bytes(self._memory), previous)

    def forming(self, open_time: int, open_: float, high: float, low: float, close: float) -> CipherUpdate:
        """Tell what the panel would be if the candle closed like this; the next call replaces it.

        Raises:
            InvalidRequest: the candle cannot be or does not come after the last closed one.
        """
        mask = self._take(self._trying, open_time, open_, high, low, close)
        if mask < 0:
            raise self._refusal()
        previous = self._tried_pivots.copy() if mask & self._compared else None
        return CipherUpdate(self, self._seen, bytes(self._memory), previous)

    def _call(self, states: Floats) -> Call:
        times = np.frombuffer(self._memory, dtype=np.int64, count=1)
        numbers = np.frombuffer(self._memory, dtype=np.float64, offset=8).reshape(-1, 1)
        outputs = numbers[4:-1], numbers[-1].view(np.int64)
        prices = numbers[0], numbers[1], numbers[2], numbers[3]
        work = np.zeros(self._machine.narrow)
        layout, parts = self._machine.layout, self._machine.parts
        return call_on(times, prices, layout, parts, states, work, outputs, per_symbol=1, before=self._states)

    def _refusal(self) -> InvalidRequest:
        open_time, open_, high, low, close = _CANDLE.unpack_from(self._memory)
        return InvalidRequest(
            f"{self.symbol} {self.timeframe}: the candle of {from_ms(open_time):%Y-%m-%d %H:%M} UTC open {open_!r}, "
            f"high {high!r}, low {low!r}, close {close!r} cannot be, or does not come after the last.",
            remedy="Give finite prices above zero, the low lowest and the high highest, in the order of time.",
        )
