"""The volume-weighted average price, candle by candle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from engines.domain.candles import CandleFrame
from engines.domain.timeframe import Timeframe, from_ms
from engines.errors import InvalidRequest
from engines.soundness import sound_columns
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
        self._source: Source = source
        empty = np.empty(0)
        candle_price(source, empty, empty, empty, empty)
        self._symbol, self._timeframe = symbol, timeframe
        self._pass, self._none = vwap_pass, NO_PERIOD
        self._state = np.zeros(STATE)
        self._period = NO_PERIOD
        self._last_time: int | None = None

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
            stream._take(candles, commit=True)
        return stream

    def close(self, open_time: int, open_: float, high: float, low: float, close: float, volume: float) -> VwapUpdate:
        """Take one closed candle; `open_time` in milliseconds since the epoch.

        Raises:
            InvalidRequest: the candle cannot be, or does not come after the last one; nothing has changed then.
        """
        return self._take(self._candle(open_time, open_, high, low, close, volume), commit=True)

    def forming(self, open_time: int, open_: float, high: float, low: float, close: float, volume: float) -> VwapUpdate:
        """What the average would be if the candle closed as it stands; the next call replaces it.

        Raises:
            InvalidRequest: the candle cannot be, or does not come after the last closed one.
        """
        return self._take(self._candle(open_time, open_, high, low, close, volume), commit=False)

    def _candle(self, open_time: int, *values: float) -> CandleFrame:
        times = np.array([open_time], dtype=np.int64)
        columns = (np.array([float(value)]) for value in values)
        return CandleFrame(self._symbol, self._timeframe, "", False, times, *columns)  # noqa: FBT003

    def _take(self, candles: CandleFrame, *, commit: bool) -> VwapUpdate:
        open_, high, low, close, volume = sound_columns(candles, volume=True)
        if self._last_time is not None and candles.open_time[0] <= self._last_time:
            first = from_ms(int(candles.open_time[0]))
            raise InvalidRequest(
                f"{candles.symbol} {candles.timeframe}: the candle of {first:%Y-%m-%d %H:%M} UTC does not come after"
                f" the last one, {from_ms(self._last_time):%Y-%m-%d %H:%M} UTC."
            )
        period = self._anchors.periods(candles.open_time, none=self._none)
        state, columns = self._state.copy(), np.empty((2, len(candles)))
        price = candle_price(self._source, open_, high, low, close)
        last_period = self._pass(price, volume, period, self._period, state, columns[0], columns[1])
        if commit:
            self._state, self._period, self._last_time = state, last_period, int(candles.open_time[-1])
        vwap, sigma = columns[:, -1].tolist()
        upper, lower = (tuple(vwap + side * band * sigma for band in self._bands) for side in (1, -1))
        return VwapUpdate(vwap, sigma, upper, lower)
