"""The volume-weighted average price, candle by candle."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from engines.domain.candles import CandleFrame
from engines.domain.timeframe import Timeframe, from_ms
from engines.errors import InvalidRequest
from engines.soundness import sound_columns, unsound
from engines.volume_profile.vwap import BANDS, Source, candle_price, checked_bands
from engines.volume_profile.vwap_anchors import Anchor, Anchors


@dataclass(frozen=True, slots=True)
class VwapUpdate:
    """One row of `Vwap`: quote units, NaN where undefined; `upper` and `lower` in the order of the bands."""

    vwap: float
    sigma: float
    upper: tuple[float, ...]
    lower: tuple[float, ...]


class VwapStream:
    """Takes one candle at a time and gives what `compute_vwap` gives for the whole series, bit for bit.

    Args:
        symbol, timeframe: of the candles, for messages.
        anchor, timezone, bands, source, session_start: as `compute_vwap` takes them.

    Raises:
        InvalidRequest: a setting is out of its range.
    """

    def __init__(
        self,
        symbol: str,
        timeframe: Timeframe,
        anchor: Anchor = "session",
        timezone: str = "UTC",
        *,
        bands: tuple[float, ...] = BANDS,
        source: Source = "hlc3",
        session_start: str = "00:00",
    ) -> None:
        from engines.volume_profile.vwap_kernel import NO_PERIOD, STATE, vwap_pass

        self._anchors = Anchors(anchor, timezone, session_start)
        self._bands = checked_bands(bands)
        candle_price(source, 1.0, 1.0, 1.0, 1.0)
        self._source: Source = source
        self._symbol, self._timeframe = symbol, timeframe
        self._pass, self._none = vwap_pass, NO_PERIOD
        self._state, self._trial = np.zeros(STATE), np.zeros(STATE)
        self._period = NO_PERIOD
        self._last_time: int | None = None
        # One candle's place in the kernel's columns, and from when to when its period lasts.
        self._price, self._volume, self._of = np.empty(1), np.empty(1), np.empty(1, dtype=np.int64)
        self._vwap, self._sigma = np.empty(1), np.empty(1)
        self._begin = self._end = NO_PERIOD

    @classmethod
    def after(
        cls,
        candles: CandleFrame,
        anchor: Anchor = "session",
        timezone: str = "UTC",
        *,
        bands: tuple[float, ...] = BANDS,
        source: Source = "hlc3",
        session_start: str = "00:00",
    ) -> Self:
        """The state after a history of closed candles; settings as the class takes them.

        Raises:
            InvalidRequest: a candle cannot be, or a setting is out of its range.
        """
        stream = cls(
            candles.symbol,
            candles.timeframe,
            anchor,
            timezone,
            bands=bands,
            source=source,
            session_start=session_start,
        )
        if len(candles):
            stream._follow(candles)
        return stream

    def close(self, open_time: int, open_: float, high: float, low: float, close: float, volume: float) -> VwapUpdate:
        """Take one closed candle; `open_time` in milliseconds since the epoch.

        Raises:
            InvalidRequest: the candle cannot be, or does not come after the last one; nothing has changed then.
        """
        self._enter(open_time, open_, high, low, close, volume)
        self._period = self._pass(
            self._price, self._volume, self._of, self._period, self._state, self._vwap, self._sigma
        )
        self._last_time = open_time
        return self._update()

    def forming(self, open_time: int, open_: float, high: float, low: float, close: float, volume: float) -> VwapUpdate:
        """What the average would be if the candle closed as it stands; the next call replaces it.

        Raises:
            InvalidRequest: the candle cannot be, or does not come after the last closed one.
        """
        self._enter(open_time, open_, high, low, close, volume)
        np.copyto(self._trial, self._state)
        self._pass(self._price, self._volume, self._of, self._period, self._trial, self._vwap, self._sigma)
        return self._update()

    def _follow(self, candles: CandleFrame) -> None:
        open_, high, low, close, volume = sound_columns(candles, volume=True)
        period = self._anchors.periods(candles.open_time, none=self._none)
        price = candle_price(self._source, open_, high, low, close)
        columns = np.empty((2, len(candles)))
        self._period = self._pass(price, volume, period, self._period, self._state, columns[0], columns[1])
        self._last_time = int(candles.open_time[-1])

    def _enter(self, open_time: int, open_: float, high: float, low: float, close: float, volume: float) -> None:
        """Put one candle, which can be and comes after the last, in its place."""
        sound = 0.0 < low <= open_ <= high < math.inf and low <= close <= high and 0.0 <= volume < math.inf
        if not sound:
            columns = (np.array([float(value)]) for value in (open_, high, low, close, volume))
            times = np.array([open_time], dtype=np.int64)
            raise unsound(
                CandleFrame(self._symbol, self._timeframe, "", False, times, *columns),  # noqa: FBT003
                volume=True,
            )
        if self._last_time is not None and open_time <= self._last_time:
            raise InvalidRequest(
                f"{self._symbol} {self._timeframe}: the candle of {from_ms(open_time):%Y-%m-%d %H:%M} UTC does not come"
                f" after the last one, {from_ms(self._last_time):%Y-%m-%d %H:%M} UTC."
            )
        if not self._begin <= open_time < self._end:
            self._begin, self._end = self._anchors.period_at(open_time, none=self._none)
        self._price[0] = candle_price(self._source, float(open_), float(high), float(low), float(close))
        self._volume[0], self._of[0] = volume, self._begin

    def _update(self) -> VwapUpdate:
        vwap, sigma = self._vwap.item(), self._sigma.item()
        spreads = [band * sigma for band in self._bands]
        upper, lower = tuple([vwap + spread for spread in spreads]), tuple([vwap - spread for spread in spreads])
        return VwapUpdate(vwap, sigma, upper, lower)
