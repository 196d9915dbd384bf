"""Volume-weighted average price since an anchor, with deviation bands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeVar

import numpy as np

from engines.domain.candles import CandleFrame, Floats, Times
from engines.errors import InvalidRequest
from engines.soundness import sound_columns
from engines.volume_profile.vwap_anchors import Anchor, Anchors

Source = Literal["hlc3", "close", "hl2", "ohlc4"]
Price = TypeVar("Price", float, Floats)
BANDS: Final = (1.0, 2.0, 3.0)


@dataclass(frozen=True, slots=True, eq=False)
class Vwap:
    """What `compute_vwap` found; prices in quote units.

    Attributes:
        vwap, sigma: shape (n,), average and weighted deviation since the anchor up to each candle; NaN before the first
            anchor and while a period has no volume; read-only.
        period: shape (n,), start of each candle's period, milliseconds since the epoch; read-only.
        bands: multiples of the deviation.
        upper, lower: shape (len(bands), n), vwap plus and minus each multiple; read-only.
    """

    candles: CandleFrame
    anchors: Anchors
    vwap: Floats
    sigma: Floats
    period: Times
    bands: tuple[float, ...]
    upper: Floats
    lower: Floats


def compute_vwap(
    candles: CandleFrame,
    anchor: Anchor = "session",
    timezone: str = "UTC",
    bands: tuple[float, ...] = BANDS,
    *,
    source: Source = "hlc3",
    session_start: str = "00:00",
) -> Vwap:
    """Average the price by volume from each anchor on.

    sigma^2 is the volume-weighted mean of (price - vwap)^2 over the period so far. No look-ahead: row i uses
    candles[: i + 1] only, and equals what `VwapStream` gives after candle i bit for bit. O(n).

    Args:
        candles: n >= 0 closed candles, ascending open_time; prices in quote units, volume in base units.
        anchor: `session`, `week`, `month` of the time zone, or aware times at which events happened; a candle that
            opened before an event does not count for it.
        timezone: IANA name of the zone whose days, weeks and months are meant.
        bands: multiples of sigma, each above 0.
        source: which price stands for a candle.
        session_start: local time of day at which sessions begin.

    Raises:
        InvalidRequest: a candle cannot be, or a setting is out of its range.

    Source: TradingView's `ta.vwap`. Deviation: the variance is accumulated around the running mean instead of as
    E[p^2] - E[p]^2, which loses all digits where prices are large and moves small.
    """
    from engines.volume_profile.vwap_kernel import NO_PERIOD, STATE, vwap_pass

    anchors = Anchors(anchor, timezone, session_start)
    bands = checked_bands(bands)
    open_, high, low, close, volume = sound_columns(candles, volume=True)
    price = candle_price(source, open_, high, low, close)
    period = anchors.periods(candles.open_time, none=NO_PERIOD)
    columns = np.empty((2, len(candles)))
    vwap_pass(price, volume, period, NO_PERIOD, np.zeros(STATE), columns[0], columns[1])
    spread = np.multiply.outer(np.array(bands), columns[1])
    upper, lower = columns[0] + spread, columns[0] - spread
    for array in (columns, period, upper, lower):
        array.flags.writeable = False
    return Vwap(candles, anchors, columns[0], columns[1], period, bands, upper, lower)


def candle_price(source: Source, open_: Price, high: Price, low: Price, close: Price) -> Price:
    """The price that stands for a candle, or for each one of columns.

    Raises:
        InvalidRequest: there is no such source.
    """
    if source == "hlc3":
        return (high + low + close) / 3.0
    if source == "close":
        return close
    if source == "hl2":
        return (high + low) / 2.0
    if source == "ohlc4":
        return (open_ + high + low + close) / 4.0
    raise InvalidRequest(f"source is {source!r}.", remedy="Use hlc3, close, hl2 or ohlc4.")


def checked_bands(bands: tuple[float, ...]) -> tuple[float, ...]:
    """The multiples as floats.

    Raises:
        InvalidRequest: one is not above 0, or not finite.
    """
    if not all(0 < band < np.inf for band in bands):
        raise InvalidRequest(f"bands are {bands!r}.", remedy="Use multiples above 0, as (1, 2, 3).")
    return tuple(float(band) for band in bands)
