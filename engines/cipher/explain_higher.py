"""The closed Heikin-Ashi candle of a higher timeframe that a Sommi diamond asks, for one candle of the chart."""

from __future__ import annotations

import numpy as np

from engines.cipher.higher_layout import bucket_anchor, bucket_ms
from engines.domain.candles import CandleFrame
from engines.domain.timeframe import duration_ms


def rising_body(candles: CandleFrame, minutes: int, row: int) -> tuple[float, float]:
    """Close less open of the newest Heikin-Ashi candle that had closed by the close of `row`, and its close.

    Returns:
        Quote units; NaN where there is none yet, or where the timeframe does not fit the chart.
    """
    length = bucket_ms(minutes, candles.timeframe)
    if not length:
        return np.nan, np.nan
    anchor = bucket_anchor(length)
    buckets = (candles.open_time[: row + 1] - anchor) // length
    firsts = np.flatnonzero(np.diff(buckets, prepend=buckets[0] - 1))
    ends = (buckets[firsts] + 1) * length + anchor
    closed = int(np.searchsorted(ends, candles.open_time[row] + duration_ms(candles.timeframe), side="right"))
    lasts = np.append(firsts[1:], row + 1) - 1
    columns = (
        candles.open[firsts],
        np.maximum.reduceat(candles.high[: row + 1], firsts),
        np.minimum.reduceat(candles.low[: row + 1], firsts),
        candles.close[lasts],
    )
    body = mean_open = mean_close = np.nan
    for open_, high, low, close in zip(*(column[:closed].tolist() for column in columns), strict=True):
        mean_open = (open_ + close) / 2.0 if np.isnan(mean_open) else (mean_open + mean_close) / 2.0
        mean_close = (open_ + high + low + close) / 4.0
        body = mean_close - mean_open
    return body, mean_close
