"""What Cipher A is made of: names of columns and symbols, the bit of each, and the places in its kernel's vectors."""

from __future__ import annotations

from typing import Final

import numpy as np

from engines.cipher.layout import CANDLES, FRACTAL, LAST_TIME, Layout
from engines.cipher.params import CipherAParams
from engines.cipher.windows import mean_state

RIBBON: Final = 8
A_COLUMNS: Final = (*(f"ema{number}" for number in range(1, RIBBON + 1)), "wt1", "wt2", "rsi", "money_flow")
# Rows of the columns behind the ribbon.
WT1, WT2, RSI, MONEY_FLOW = range(RIBBON, len(A_COLUMNS))
# The bit of a symbol in a candle's mask is its place here.
A_EVENT_NAMES: Final = (
    "long_circle",
    "short_circle",
    "red_x",
    "green_x",
    "blue_triangle_up",
    "blue_triangle_down",
    "red_diamond",
    "green_diamond",
    "yellow_x_up",
    "yellow_x_down",
    "yellow_x_down_rsi_above_70",
    "blood_diamond",
    "moon_diamond",
    "bull_candle",
    "bear_candle",
    "ribbon_bullish",
)
(
    LONG_CIRCLE,
    SHORT_CIRCLE,
    RED_X,
    GREEN_X,
    BLUE_TRIANGLE_UP,
    BLUE_TRIANGLE_DOWN,
    RED_DIAMOND,
    GREEN_DIAMOND,
    YELLOW_X_UP,
    YELLOW_X_DOWN,
    YELLOW_X_DOWN_ABOVE,
    BLOOD_DIAMOND,
    MOON_DIAMOND,
    BULL_CANDLE,
    BEAR_CANDLE,
    RIBBON_BULLISH,
) = (1 << place for place in range(len(A_EVENT_NAMES)))

# Rows of the scratch, and its columns for as many candles as stay in the nearest cache.
A_SCRATCH_SHAPE: Final = (3, 256 + FRACTAL)

# Places in `plan`; the ribbon's lengths come last.
CHANNEL, AVERAGE, SIGNAL, FLOW_LENGTH, RSI_LENGTH, LONGEST, AT_SIGNAL, AT_FLOW, RIBBON_LENGTHS = range(9)

# Places in `levels`.
FLOW_MULTIPLIER, FLOW_SHIFT = range(2)
UP_WAVE_LOW, UP_WAVE_HIGH, UP_RSI_LOW, UP_RSI_HIGH = range(2, 6)
DOWN_WAVE_LOW, DOWN_WAVE_HIGH, DOWN_RSI_LOW, DOWN_RSI_HIGH = range(6, 10)

# Places in `state`, after those of the last time and the number of candles: waves; last close, count, average gain and
# loss; side of the waves; candles seen and the ribbon; its last three differences; the last body. Windows follow.
WAVE: Final = CANDLES + 1
STRENGTH: Final = WAVE + 6
CROSS: Final = STRENGTH + 4
RIBBON_STATE: Final = CROSS + 1
CIRCLE: Final = RIBBON_STATE + 1 + RIBBON
X: Final = CIRCLE + 1
TRIANGLE: Final = CIRCLE + 2
BODY: Final = CIRCLE + 3
WINDOWS: Final = CIRCLE + 4


def cipher_a_layout(params: CipherAParams) -> Layout:
    """Lay the settings out for Cipher A's kernel; it has no higher timeframe, so any chart's candles will do."""
    fixed = np.zeros(WINDOWS)
    fixed[LAST_TIME] = -np.inf
    fixed[STRENGTH] = np.nan
    fixed[CIRCLE:WINDOWS] = np.nan
    signal, flow = mean_state(params.signal_length), mean_state(params.money_flow_length)
    plan = [
        params.channel_length,
        params.average_length,
        params.signal_length,
        params.money_flow_length,
        params.rsi_length,
        max(params.ribbon_lengths),
        WINDOWS,
        WINDOWS + len(signal),
        *params.ribbon_lengths,
    ]
    levels = [
        params.money_flow_multiplier,
        params.money_flow_shift,
        params.oversold_3,
        params.yellow_x_up_below,
        params.yellow_x_up_rsi_low,
        params.yellow_x_up_rsi_high,
        params.yellow_x_down_above,
        params.overbought_3,
        params.yellow_x_down_rsi_low,
        params.yellow_x_down_rsi_high,
    ]
    state = np.concatenate([fixed, signal, flow])
    return Layout(np.array(plan, dtype=np.int64), np.array(levels, dtype=np.float64), state)
