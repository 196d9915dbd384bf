"""Where the higher timeframes keep their settings and state: places from the first one of their part of each vector."""

from __future__ import annotations

from typing import Final

import numpy as np

from engines.cipher.params import CipherParams
from engines.cipher.windows import mean_state
from engines.domain.candles import Floats
from engines.domain.timeframe import Timeframe, duration_ms, floor_ms

_MINUTE_MS: Final = 60_000
_WEEK_MS: Final = duration_ms("1w")

# Timeframes, in this order wherever there are four of something.
FLAG, DIAMOND_1, DIAMOND_2, MACD = range(4)
# Places in the plan: bucket lengths and the instants they are counted from, the MACD's lengths, places in the state.
BUCKETS: Final = 0
ANCHORS: Final = 4
MACD_FAST, MACD_SLOW, MACD_SIGNAL, AT_FLAG_SIGNAL, AT_MACD_FLOW, AT_MACD_SIGNAL, PLAN_END = range(8, 15)

# Places in the levels.
FLAG_VWAP_BEAR, FLAG_VWAP_BULL, FLAG_WT_BEAR, FLAG_WT_BULL, FLAG_FLOW_BEAR, FLAG_FLOW_BULL = range(6)
DIAMOND_WT_BEAR, DIAMOND_WT_BULL = range(6, 8)

# Places in the state: a candle in the making for each timeframe, then what is computed on those that closed.
COLLECT: Final = 0
COLLECT_STATE: Final = 6
FLAG_WAVE: Final = COLLECT + 4 * COLLECT_STATE
FAST_MEAN: Final = FLAG_WAVE + 6
SLOW_MEAN: Final = FAST_MEAN + 2
# Open and close of the last Heikin-Ashi candle, twice.
BODIES: Final = SLOW_MEAN + 2
# Wave difference, both bodies, both colours.
HELD: Final = BODIES + 4
WINDOWS: Final = HELD + 5


def higher_parts(params: CipherParams, timeframe: Timeframe) -> tuple[list[int], list[float], Floats]:
    """The higher timeframes' part of plan, levels and state for a chart of `timeframe`."""
    settings = (
        params.flag_timeframe_minutes,
        params.diamond_minutes_1,
        params.diamond_minutes_2,
        params.macd_minutes,
    )
    buckets = [bucket_ms(minutes, timeframe) for minutes in settings]
    flag_signal = mean_state(params.signal_length)
    macd_flow = mean_state(params.money_flow_length)
    macd_signal = mean_state(params.macd_signal)
    at_flow = WINDOWS + len(flag_signal)
    at_signal = at_flow + len(macd_flow)
    lengths = [params.macd_fast, params.macd_slow, params.macd_signal]
    plan = [*buckets, *map(bucket_anchor, buckets), *lengths, WINDOWS, at_flow, at_signal]
    levels = [
        params.flag_vwap_bear,
        params.flag_vwap_bull,
        params.flag_wt_bear,
        params.flag_wt_bull,
        params.flag_flow_bear,
        params.flag_flow_bull,
        params.diamond_wt_bear,
        params.diamond_wt_bull,
    ]
    fixed = np.zeros(WINDOWS)
    fixed[BODIES:] = np.nan
    return plan, levels, np.concatenate([fixed, flag_signal, macd_flow, macd_signal])


def bucket_ms(minutes: int, timeframe: Timeframe) -> int:
    """Length of a higher candle in milliseconds; 0 where it is not a whole number of the chart's candles."""
    length = minutes * _MINUTE_MS
    return length if length % duration_ms(timeframe) == 0 else 0


def bucket_anchor(length: int) -> int:
    """An instant at which a bucket of this length begins, milliseconds since the epoch: weeks begin on Monday."""
    return floor_ms(0, "1w") % _WEEK_MS if length and length % _WEEK_MS == 0 else 0
