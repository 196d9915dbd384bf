"""What a panel knows of higher timeframes: the closed candle each row rests on, and the form that leaks.

A bucket is `floor(open_time / length)` on the epoch, but weeks begin on Monday, as everywhere here. Its candle is made
of the chart's candles that open in it, as many as there are, and is known once a candle closes at or after the bucket's
end: a week-end does not close it early, and a partial first one counts. The arithmetic is in `higher_part`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.cipher.higher_layout import bucket_anchor, bucket_ms
from engines.cipher.layout import BITS, CROSS_DOWN, CROSS_UP, VALUE_COLUMNS
from engines.cipher.params import CipherAParams, CipherParams
from engines.domain.candles import CandleFrame, Floats, Times
from engines.domain.timeframe import duration_ms

Flags = NDArray[np.bool_]

# As the kernels have it; this module loads no compiler.
_TOLERANCE: Final = 1e-10
_BULL: Final = BITS["sommi_bull_diamond"]
_BEAR: Final = BITS["sommi_bear_diamond"]
# Columns and events by the settings that hold their timeframes.
_RESTS_ON: Final = {
    "htf_vwap": ("flag_timeframe_minutes",),
    "sommi_bull": ("flag_timeframe_minutes",),
    "sommi_bear": ("flag_timeframe_minutes",),
    "macd_wt1_colour": ("macd_minutes",),
    "macd_wt2_colour": ("macd_minutes",),
    "sommi_bull_diamond": ("diamond_minutes_1", "diamond_minutes_2"),
    "sommi_bear_diamond": ("diamond_minutes_1", "diamond_minutes_2"),
}


def rests_on(candles: CandleFrame, params: CipherParams | CipherAParams, name: str) -> Times:
    """Close time of the newest higher candle that a column or event of each row rests on.

    Returns:
        Shape (n,), milliseconds since the epoch; 0 where there is none yet or its timeframe does not fit the chart.
        Of two timeframes, the later close. A name without a higher timeframe rests on its own row's close. With
        `tv_parity` a diamond rests on candles that close after its row: this is the leak.
    """
    settings = _RESTS_ON.get(name)
    if settings is None or isinstance(params, CipherAParams):
        return candles.open_time + duration_ms(candles.timeframe)
    lengths = [bucket_ms(getattr(params, setting), candles.timeframe) for setting in settings]
    if not all(lengths) or len(candles) == 0:
        return np.zeros(len(candles), dtype=np.int64)
    leaks = params.tv_parity and len(settings) == 2
    closes = [_bucket_ends(candles, length) if leaks else _newest_closes(candles, length) for length in lengths]
    known = np.all(np.array(closes) > 0, axis=0)
    return np.where(known, np.max(closes, axis=0), 0)


def _bucket_ends(candles: CandleFrame, length: int) -> Times:
    anchor = bucket_anchor(length)
    return (candles.open_time - anchor) // length * length + anchor + length


def _newest_closes(candles: CandleFrame, length: int) -> Times:
    ends = _bucket_ends(candles, length)
    begins = np.concatenate(([True], ends[1:] != ends[:-1]))
    before = np.concatenate(([0], ends[:-1]))[begins][np.cumsum(begins) - 1]
    return np.where(ends <= candles.open_time + duration_ms(candles.timeframe), ends, before)


def show_leaking_diamonds(candles: CandleFrame, params: CipherParams, values: Floats, masks: NDArray[np.int64]) -> None:
    """Put diamonds as charts of the past show them in the place of the sound ones. LOOK-AHEAD, whence `repaints`.

    Every row sees the final candle of the bucket it lies in, so a diamond comes and goes while that candle forms, and
    on history knows the future. For looking at charts only.

    Args:
        values: rows as in `layout.VALUE_COLUMNS`, shape (columns, n).
        masks: events of each row, shape (n,); their two bits of diamonds are replaced.
    """
    masks &= ~(_BULL | _BEAR)
    both = params.diamond_minutes_1, params.diamond_minutes_2
    lengths = [bucket_ms(minutes, candles.timeframe) for minutes in both]
    if not all(lengths) or len(candles) == 0:
        return
    wt2 = values[VALUE_COLUMNS.index("wt2")]
    first, second = (_final_rises(candles, length) for length in lengths)
    up, down = (masks & CROSS_UP) != 0, (masks & CROSS_DOWN) != 0
    masks[up & (wt2 - params.diamond_wt_bull <= _TOLERANCE) & first & second] |= _BULL
    masks[down & (wt2 - params.diamond_wt_bear >= -_TOLERANCE) & ~first & ~second] |= _BEAR


def _final_rises(candles: CandleFrame, length: int) -> Flags:
    """Whether the finished Heikin-Ashi candle of each row's bucket has its body up."""
    ends = _bucket_ends(candles, length)
    begins = np.concatenate(([True], ends[1:] != ends[:-1]))
    firsts = np.flatnonzero(begins)
    lasts = np.append(firsts[1:] - 1, len(candles) - 1)
    columns = (
        candles.open[firsts],
        np.maximum.reduceat(candles.high, firsts),
        np.minimum.reduceat(candles.low, firsts),
        candles.close[lasts],
    )
    rises: list[bool] = []
    mean_open = mean_close = np.nan
    for open_, high, low, close in zip(*(column.tolist() for column in columns), strict=True):
        mean_open = (mean_open + mean_close) / 2.0 if rises else (open_ + close) / 2.0
        mean_close = (open_ + high + low + close) / 4.0
        rises.append(mean_close - mean_open > _TOLERANCE * min(1.0, mean_close))
    on_chart: Flags = np.array(rises)[np.cumsum(begins) - 1]
    return on_chart
