"""What a panel is made of: names of columns and events, the bit of each, and the places in the vectors kernels work on.

A kernel is told everything in three vectors: `plan` (whole numbers: lengths, and where a pass keeps its state),
`levels` (points) and `state` (all that a symbol's next candle depends on).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.cipher.higher_layout import higher_parts
from engines.cipher.params import CipherAParams, CipherParams
from engines.cipher.windows import mean_state, range_state
from engines.domain.candles import Floats
from engines.domain.timeframe import Timeframe, duration_ms

Wholes = NDArray[np.int64]

CORE_COLUMNS: Final = ("wt1", "wt2", "vwap", "money_flow", "rsi", "stoch_k", "stoch_d")
VALUE_COLUMNS: Final = (*CORE_COLUMNS, "stc", "htf_vwap", "macd_wt1_colour", "macd_wt2_colour")
# The bit of an event in a candle's mask is its place here.
EVENT_NAMES: Final = (
    "cross_up",
    "cross_down",
    "green_dot",
    "red_dot",
    "wt_bull_div",
    "wt_bear_div",
    "wt_bull_div2",
    "wt_bear_div2",
    "wt_hidden_bull_div",
    "wt_hidden_bear_div",
    "rsi_bull_div",
    "rsi_bear_div",
    "rsi_hidden_bull_div",
    "rsi_hidden_bear_div",
    "stoch_bull_div",
    "stoch_bear_div",
    "stoch_hidden_bull_div",
    "stoch_hidden_bear_div",
    "stoch_bull_div_zero_truthy",
    "stoch_bear_div_zero_truthy",
    "stoch_hidden_bull_div_zero_truthy",
    "stoch_hidden_bear_div_zero_truthy",
    "gold_dot",
    "buy_div_dot",
    "sell_div_dot",
    "sommi_bull",
    "sommi_bear",
    "sommi_bull_diamond",
    "sommi_bear_diamond",
)
BITS: Final = {name: 1 << place for place, name in enumerate(EVENT_NAMES)}
ALL_EVENTS: Final = (1 << len(EVENT_NAMES)) - 1
FLAT: Final = 1 << 31
# From here on two bits for each set of pivots: a bottom, and a top, of that set is confirmed on this candle.
PIVOTS: Final = 1 << 32

# Sets of pivots, in order: a pivot is compared with the one before it in the same set.
PIVOT_SETS: Final = ("wt", "wt2", "wt_all", "rsi", "rsi_all", "stoch", "stoch_zero_truthy")

CROSS_UP: Final = BITS["cross_up"]
CROSS_DOWN: Final = BITS["cross_down"]
GREEN_DOT: Final = BITS["green_dot"]
RED_DOT: Final = BITS["red_dot"]
GOLD_DOT: Final = BITS["gold_dot"]
BUY_DIV_DOT: Final = BITS["buy_div_dot"]
SELL_DIV_DOT: Final = BITS["sell_div_dot"]

# Places in `plan`.
(
    CHANNEL,
    AVERAGE,
    SIGNAL,
    FLOW_LENGTH,
    RSI_LENGTH,
    STOCH_RSI_LENGTH,
    STOCH_LENGTH,
    STOCH_FIRST,
    K_LENGTH,
    D_LENGTH,
    STC_LENGTH,
    STC_FAST,
    STC_SLOW,
    HEIKIN_ASHI,
    STOCH_ON_LOG,
    STOCH_AVERAGE,
    CANDLE_MS,
    BUY_BITS,
    SELL_BITS,
    GOLD_BITS,
    AT_SIGNAL,
    AT_FLOW,
    AT_K,
    AT_D,
    AT_STOCH,
    AT_STC_1,
    AT_STC_2,
    AT_HIGHER,
    SET_BITS,
) = range(29)
# For each set of pivots: bits of its regular bull and bear and its hidden bull and bear divergences.
SET_WIDTH: Final = 4
HIGHER_PLAN: Final = SET_BITS + SET_WIDTH * len(PIVOT_SETS)

# Places in `levels`.
(
    OVERBOUGHT,
    OVERSOLD,
    FLOW_MULTIPLIER,
    FLOW_SHIFT,
    STC_FACTOR,
    GOLD_LEVEL,
    GOLD_FALL,
    GOLD_RSI,
    SET_LEVELS,
) = range(9)
# For each set: what a bottom falls to, what a top reaches, and how far from zero both are.
SET_LIMITS: Final = 3
HIGHER_LEVELS: Final = SET_LEVELS + SET_LIMITS * len(PIVOT_SETS)

# Places in `state` of what has a fixed size; passes with a window follow, each where `plan` says.
LAST_TIME: Final = 0
CANDLES: Final = 1
AVERAGED: Final = 2
WAVE: Final = 4
STRENGTH: Final = 10
CROSS: Final = 18
STC: Final = 19
RECENT: Final = 27
RECENT_ROWS: Final = 5
# A fractal is a candle between two on either side.
FRACTAL: Final = 4
# Candles from a pivot to the one that confirms it.
CONFIRMATION: Final = FRACTAL // 2
SETS: Final = RECENT + RECENT_ROWS * FRACTAL
# For a bottom and a top of each set: value, price, candle, and the candle of the one before.
PIVOT_STATE: Final = 4
GOLD: Final = SETS + 2 * PIVOT_STATE * len(PIVOT_SETS)
# The last two bottoms of the first set: slow wave, RSI, candle of the confirmation.
GOLD_STATE: Final = 6
WINDOWS: Final = GOLD + GOLD_STATE


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The vectors a kernel is handed for these settings; `state` is that of a symbol without any candle."""

    plan: Wholes
    levels: Floats
    state: Floats


@lru_cache(maxsize=32)
def layout_of(params: CipherParams, timeframe: Timeframe) -> Layout:
    """Lay the settings out for the panel's kernel, on candles of `timeframe`."""
    parts = [_fixed_state()]
    places = []
    for window in (
        mean_state(params.signal_length),
        mean_state(params.money_flow_length),
        mean_state(params.stoch_k_length),
        mean_state(params.stoch_d_length),
        range_state(params.stoch_length),
        range_state(params.stc_length),
        range_state(params.stc_length),
    ):
        places.append(sum(map(len, parts)))
        parts.append(window)
    places.append(sum(map(len, parts)))
    higher_plan, higher_levels, higher_state = higher_parts(params, timeframe)
    parts.append(higher_state)
    plan = [*_lengths(params), duration_ms(timeframe), *_dot_bits(params), *places, *_set_bits(params), *higher_plan]
    levels = [*_levels(params), *_set_levels(params), *higher_levels]
    vectors = np.array(plan, dtype=np.int64), np.array(levels, dtype=np.float64), np.concatenate(parts)
    for vector in vectors:
        vector.flags.writeable = False
    return Layout(*vectors)


def _lengths(params: CipherParams) -> list[int]:
    full_window = params.stoch_rsi_length + params.stoch_length - 1
    return [
        params.channel_length,
        params.average_length,
        params.signal_length,
        params.money_flow_length,
        params.rsi_length,
        params.stoch_rsi_length,
        params.stoch_length,
        params.stoch_length - 1 if params.pine_warmup else full_window,
        params.stoch_k_length,
        params.stoch_d_length,
        params.stc_length,
        params.stc_fast,
        params.stc_slow,
        int(params.heikin_ashi),
        int(params.stoch_on_log),
        int(params.stoch_average),
    ]


def _levels(params: CipherParams) -> list[float]:
    return [
        params.overbought,
        params.oversold,
        params.money_flow_multiplier,
        params.money_flow_shift,
        params.stc_factor,
        params.oversold_3,
        params.gold_fall,
        params.gold_rsi,
    ]


def _dot_bits(params: CipherParams) -> list[int]:
    """Divergences that make a buy divergence dot, a sell divergence dot and a gold dot."""
    shown = [
        *(("wt_{}_div", "wt_{}_div2") if params.show_wt_divergences else ()),
        *(("stoch_{}_div",) if params.show_stoch_divergences else ()),
        *(("rsi_{}_div",) if params.show_rsi_divergences else ()),
    ]
    gold = [name for name in shown if name in ("wt_{}_div", "rsi_{}_div")]
    return [
        sum(BITS[name.format("bull")] for name in shown),
        sum(BITS[name.format("bear")] for name in shown),
        sum(BITS[name.format("bull")] for name in gold),
    ]


def _set_bits(params: CipherParams) -> list[int]:
    """What a divergence of each set is called; hidden ones come from the limited or the unlimited set."""
    nothing = (0, 0)
    wave, wave_2, rsi = _pair("wt_{}_div"), _pair("wt_{}_div2"), _pair("rsi_{}_div")
    hidden_wave, hidden_rsi = _pair("wt_hidden_{}_div"), _pair("rsi_hidden_{}_div")
    everywhere = params.hidden_ignores_limits
    sets = (
        (wave, nothing if everywhere else hidden_wave),
        (wave_2, nothing),
        (nothing, hidden_wave if everywhere else nothing),
        (rsi, nothing if everywhere else hidden_rsi),
        (nothing, hidden_rsi if everywhere else nothing),
        (_pair("stoch_{}_div"), _pair("stoch_hidden_{}_div")),
        (_pair("stoch_{}_div_zero_truthy"), _pair("stoch_hidden_{}_div_zero_truthy")),
    )
    return [bit for regular, hidden in sets for bit in (*regular, *hidden)]


def _pair(name: str) -> tuple[int, int]:
    return BITS[name.format("bull")], BITS[name.format("bear")]


def _set_levels(params: CipherParams) -> list[float]:
    # A script's truth of a number has a tolerance, so this close to zero is zero.
    zero = 1e-10 if params.pine_zero_falsy else -1.0
    sets = (
        (params.wt_divergence_bottom, params.wt_divergence_top, zero),
        (params.wt_divergence_2_bottom, params.wt_divergence_2_top, zero),
        (np.inf, -np.inf, zero),
        (params.rsi_divergence_bottom, params.rsi_divergence_top, zero),
        (np.inf, -np.inf, zero),
        (np.inf, -np.inf, zero),
        (np.inf, -np.inf, -1.0),
    )
    return [level for limits in sets for level in limits]


def _fixed_state() -> Floats:
    state = np.zeros(WINDOWS)
    state[LAST_TIME] = -np.inf
    state[AVERAGED : AVERAGED + 2] = np.nan
    state[STRENGTH : STRENGTH + 2] = np.nan
    state[[STC + 5, STC + 7]] = np.nan
    state[RECENT:WINDOWS] = np.nan
    return state


def pivot_place(name: str, params: CipherParams | CipherAParams) -> int | None:
    """Place of the pivots that the divergences of this name compare: twice the set, and one more for tops."""
    if isinstance(params, CipherAParams) or name not in BITS or BITS[name] not in (bits := _set_bits(params)):
        return None
    place = bits.index(BITS[name])
    return 2 * (place // SET_WIDTH) + place % 2


def previous_slot(place: int) -> int:
    """Where in a symbol's state the candle lies that the newest pivot of this place was compared with."""
    return SETS + PIVOT_STATE * place + PIVOT_STATE - 1
