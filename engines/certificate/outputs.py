"""This desk's engines as functions of candles to columns, in the form the certificate takes."""

from __future__ import annotations

from typing import Final

import numpy as np

from engines.certificate.checking import Compute, Outputs
from engines.cipher import WARM_UP
from engines.cipher.explain import panel_of
from engines.cipher.explained import is_late
from engines.cipher.panel import CipherPanel
from engines.cipher.params import VUMANCHU_B, CipherAParams, CipherParams
from engines.domain.candles import CandleFrame, Floats, Times
from engines.domain.timeframe import Timeframe, duration_ms, to_ms
from engines.volume_profile import (
    LiveProfile,
    ProfileParams,
    SessionProfile,
    developing_profile,
    naked_pocs,
    session_profiles,
)
from engines.volume_profile.tpo import compute_tpo
from engines.volume_profile.tpo_params import BLOCK_MINUTES, TpoParams
from engines.volume_profile.vwap import compute_vwap
from engines.volume_profile.vwap_anchors import Calendar

_HIGHER: Final = {
    "htf_vwap": "flag_timeframe_minutes",
    "macd_wt1_colour": "macd_minutes",
    "macd_wt2_colour": "macd_minutes",
}
_SOMMI: Final = ("sommi_bull", "sommi_bear", "sommi_bull_diamond", "sommi_bear_diamond")
# Its ranges divide by small differences of long averages, so it takes longest to forget.
_SCHAFF_SETTLES: Final = 2_000
_CALENDARS: Final[tuple[Calendar, ...]] = ("session", "week", "month")
# Rows of a hundredth of the first close keep a poisoned range within what a profile holds.
_ROWS_IN_FIRST_CLOSE: Final = 100
_LEVELS: Final = ("session_poc", "session_val", "session_vah", "session_hvn", "session_lvn")
_LETTERS: Final = ("session_tpo_poc", "session_tpo_val", "session_tpo_vah")
_LIVE_EVERY: Final = 50
_LIVE_CANDLES: Final = 500


def cipher_outputs(params: CipherParams | CipherAParams = VUMANCHU_B) -> Compute:
    """Every output of a Cipher panel: values, events, their pivots, and how old the higher candles are they rest on.

    `<event>_pivot_index` and `<event>_prev_pivot_index` are rows, `<name>_rests_on` the milliseconds from the close of
    the newest candle that a row rests on to its own close: below zero, it would rest on the future.
    """

    def compute(candles: CandleFrame) -> Outputs:
        panel = panel_of(candles, params)
        found: dict[str, np.ndarray] = dict(panel.values)
        found |= {name: panel.flags(name) for name in panel.event_names}
        for name in panel.event_names:
            if is_late(name):
                pivot, previous = panel.pivots(name)
                found |= {f"{name}_pivot_index": pivot, f"{name}_prev_pivot_index": previous}
        return found | _resting(panel)

    return compute


def cipher_settling(params: CipherParams | CipherAParams, timeframe: Timeframe) -> dict[str, int]:
    """By output, the candles after which it no longer depends on where the series began.

    A divergence is not among them: the earlier pivot may lie at any distance.
    """
    if isinstance(params, CipherAParams):
        averages = {f"ema{number}": WARM_UP for number in range(1, 9)}
        return averages | dict.fromkeys(("wt1", "wt2", "rsi", "money_flow"), WARM_UP)
    settles = dict.fromkeys(("wt1", "wt2", "vwap", "money_flow", "rsi", "stoch_k", "stoch_d"), WARM_UP)
    settles |= dict.fromkeys(("cross_up", "cross_down", "green_dot", "red_dot"), WARM_UP)
    higher = {name: getattr(params, setting) * 60_000 // duration_ms(timeframe) for name, setting in _HIGHER.items()}
    return settles | {"stc": _SCHAFF_SETTLES} | {name: WARM_UP * ratio for name, ratio in higher.items() if ratio}


def profile_outputs() -> Compute:
    """Levels as they were known at every candle: developing profile, averages by volume, the profile that grows.

    `live_poc` is told at every fiftieth of the first 500 candles. Rows are a hundredth of the first close high.
    """

    def compute(candles: CandleFrame) -> Outputs:
        params = ProfileParams(rows=None, row_height=float(candles.close[0]) / _ROWS_IN_FIRST_CLOSE)
        levels = developing_profile(candles, params)
        found = {"developing_poc": levels.poc, "developing_val": levels.val, "developing_vah": levels.vah}
        for calendar in _CALENDARS:
            average = compute_vwap(candles, calendar)
            found |= {f"vwap_{calendar}": average.vwap, f"vwap_{calendar}_sigma": average.sigma}
            found |= {f"vwap_{calendar}_upper": average.upper.T, f"vwap_{calendar}_lower": average.lower.T}
        return found | {"live_poc": _live_poc(candles, params)}

    return compute


def session_outputs() -> Compute:
    """Levels of completed UTC days as they were known at every candle, and the naked points of control among them.

    `session_hvn` and `session_lvn` are the most prominent nodes; the market profile's levels are undefined on candles
    longer than its longest block, of four hours.

    Raises, when computed:
        InvalidRequest: the candles are longer than a day.
    """

    def compute(candles: CandleFrame) -> Outputs:
        params = ProfileParams(rows=24)
        sessions = [session for session in session_profiles(candles, params) if session.complete]
        return {**_last_session(candles, sessions), **_naked(candles, sessions)}

    return compute


def _resting(panel: CipherPanel) -> dict[str, Times]:
    if isinstance(panel.params, CipherAParams):
        return {}
    closes = panel.candles.open_time + duration_ms(panel.candles.timeframe)
    rests = {f"{name}_rests_on": panel.rests_on(name) for name in (*_HIGHER, *_SOMMI)}
    return {name: np.where(times > 0, closes - times, -1) for name, times in rests.items()}


def _live_poc(candles: CandleFrame, params: ProfileParams) -> Floats:
    live = LiveProfile(params, symbol=candles.symbol)
    first = candles[:_LIVE_CANDLES]
    columns = (first.open_time, first.open, first.high, first.low, first.close, first.volume)
    found = np.full(len(candles), np.nan)
    traded = 0.0
    for row, candle in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        live.add_candle(*candle)
        traded += candle[-1]
        if row % _LIVE_EVERY == _LIVE_EVERY - 1 and traded > 0:
            found[row] = live.profile().poc
    return found


def _last_session(candles: CandleFrame, sessions: list[SessionProfile]) -> dict[str, Floats]:
    found = {name: np.full(len(candles), np.nan) for name in (*_LEVELS, *_LETTERS)}
    for session, first in zip(sessions, _known_from(candles, sessions), strict=True):
        for name, level in _session_levels(session).items():
            found[name][first:] = level
    return found


def _session_levels(session: SessionProfile) -> dict[str, float]:
    """A day's levels by volume and, where its candles fill blocks of letters, by time."""
    profile = session.profile
    if profile is None:
        return {}
    prices = [max(nodes, key=lambda node: node.prominence).price if nodes else np.nan for nodes in profile.nodes]
    levels = dict(zip(_LEVELS, (profile.poc, profile.val, profile.vah, *prices), strict=True))
    minutes = duration_ms(profile.candles.timeframe) // 60_000
    block = next((each for each in BLOCK_MINUTES if each % minutes == 0), None)
    if block is None:
        return levels
    letters = compute_tpo(profile.candles, TpoParams(block_minutes=block), opens=session.opens)
    return levels | dict(zip(_LETTERS, (letters.poc, letters.val, letters.vah), strict=True))


def _naked(candles: CandleFrame, sessions: list[SessionProfile]) -> dict[str, Floats]:
    """How many levels are naked after each candle, and the nearest over and under its close."""
    from_row = dict(zip((session.name for session in sessions), _known_from(candles, sessions), strict=True))
    count, close = np.zeros(len(candles)), candles.close
    above, below = np.full(len(candles), np.inf), np.full(len(candles), -np.inf)
    for level in naked_pocs(candles, sessions):
        rows = slice(from_row[level.session], level.tagged_row)
        count[rows] += 1.0
        over = level.price > close[rows]
        above[rows] = np.where(over, np.minimum(above[rows], level.price), above[rows])
        below[rows] = np.where(over, below[rows], np.maximum(below[rows], level.price))
    return {"naked_pocs": count, "naked_poc_above": above, "naked_poc_below": below}


def _known_from(candles: CandleFrame, sessions: list[SessionProfile]) -> list[int]:
    """Row of the first candle whose close tells that a session is over."""
    closes = candles.open_time + duration_ms(candles.timeframe)
    ends = [to_ms(session.closes) for session in sessions]
    return [int(row) for row in np.searchsorted(closes, ends)]
