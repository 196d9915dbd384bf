"""Conditions of the panel's crosses, dots and Sommi symbols."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from engines.cipher.explain_divergences import (
    CONFIRMED_AFTER,
    Pivots,
    divergence_conditions,
    pivots_of,
    previous_pivot,
)
from engines.cipher.explain_higher import rising_body
from engines.cipher.explained import TOLERANCE, Condition, Operator, all_passed, compare, state
from engines.cipher.panel import CipherPanel
from engines.cipher.params import CipherParams

Table = Callable[[CipherPanel, CipherParams, int], list[Condition]]

_MAIN_BOTTOM: Final = "wt_bull_div"
_SIDES: Final = {"gold_dot": "bull", "buy_div_dot": "bull", "sell_div_dot": "bear"}


def cross(panel: CipherPanel, row: int, *, up: bool) -> list[Condition]:
    """The waves crossed at `row`, in this direction."""
    difference = float(panel.vwap[row])
    crossed = bool(panel.flags("cross_up")[row] or panel.flags("cross_down")[row])
    way, where = ("upward", "above") if up else ("downward", "below")
    return [
        Condition("crossed", "wt1 and wt2 crossed", difference, "crossed", 0.0, crossed),
        compare("direction", f"{way}: wt1 at or {where} wt2", difference, ">=" if up else "<=", 0.0),
    ]


def _dot(panel: CipherPanel, params: CipherParams, row: int, *, green: bool) -> list[Condition]:
    setting = "oversold" if green else "overbought"
    level = getattr(params, setting)
    operator: Operator = "<=" if green else ">="
    words = "below" if green else "above"
    wt2 = float(panel.wt2[row])
    return [
        *cross(panel, row, up=green),
        compare(setting, f"wt2 at or {words} {level:g}", wt2, operator, level, setting=setting),
    ]


def sources(event: str, params: CipherParams) -> list[str]:
    """Divergences any of which makes a gold dot or a divergence dot; empty for other events."""
    if event not in _SIDES:
        return []
    side = _SIDES[event]
    gold = event == "gold_dot"
    return [
        *([f"wt_{side}_div"] if params.show_wt_divergences else []),
        *([f"wt_{side}_div2"] if params.show_wt_divergences and not gold else []),
        *([f"stoch_{side}_div"] if params.show_stoch_divergences and not gold else []),
        *([f"rsi_{side}_div"] if params.show_rsi_divergences else []),
    ]


def _gold(panel: CipherPanel, params: CipherParams, row: int) -> list[Condition]:
    return [*_any_of(panel, params, row, "gold_dot"), *_deep_bottom(panel, params, row)]


def _deep_bottom(panel: CipherPanel, params: CipherParams, row: int) -> list[Condition]:
    how = pivots_of(_MAIN_BOTTOM, params)
    assert how is not None
    # The bottom must have been knowable two candles ago, so it lies four back at least.
    q = previous_pivot(panel, how, row, before=row - 2 * CONFIRMED_AFTER + 1)
    low, rsi = (float(panel.wt2[q]), float(panel.rsi[q])) if q is not None else (np.nan, np.nan)
    wt2 = float(panel.wt2[row])
    level, fall = params.oversold_3, params.gold_fall
    return [
        compare("deep", f"wt2 at or below {level:g} at the earlier low", low, "<=", level, setting="oversold_3"),
        compare("left", f"wt2 above {level:g} now", wt2, ">", level, setting="oversold_3"),
        compare("rise", f"wt2 {-fall:g} or more above that low now", low - wt2, "<=", fall, setting="gold_fall"),
        compare("rsi", f"RSI below {params.gold_rsi:g} at that low", rsi, "<", params.gold_rsi, setting="gold_rsi"),
    ]


def _any_of(panel: CipherPanel, params: CipherParams, row: int, event: str) -> list[Condition]:
    """Conditions of the one of several divergences that is there, or came nearest."""
    events = sources(event, params)
    if not events:
        return [state("shown", "divergences that make this dot switched on", holds=False)]
    return closest(panel, params, row, events)[1]


def closest(panel: CipherPanel, params: CipherParams, row: int, events: list[str]) -> tuple[Pivots, list[Condition]]:
    """Of several divergences the one that is there, or the first of those with the fewest conditions missing."""
    tables = []
    for event in events:
        how = pivots_of(event, params)
        assert how is not None
        tables.append((how, divergence_conditions(panel, how, row)))
    return min(tables, key=lambda table: (not all_passed(table[1]), sum(not each.passed for each in table[1])))


def _sommi_flag(panel: CipherPanel, params: CipherParams, row: int, *, bull: bool) -> list[Condition]:
    side = "bull" if bull else "bear"
    flow_way: Operator = ">" if bull else "<"
    wave_way: Operator = "<" if bull else ">"
    flow, wave, higher = (f"flag_{part}_{side}" for part in ("flow", "wt", "vwap"))
    levels = {name: float(getattr(params, name)) for name in (flow, wave, higher)}
    hours = timeframe_words(params.flag_timeframe_minutes)
    difference = float(panel.values["htf_vwap"][row])
    return [
        *cross(panel, row, up=bull),
        _level("money_flow", "money flow", float(panel.money_flow[row]), flow_way, levels[flow], flow),
        _level("wt2", "wt2", float(panel.wt2[row]), wave_way, levels[wave], wave),
        _level("htf_vwap", f"wt1 - wt2 on closed {hours} candles", difference, flow_way, levels[higher], higher),
    ]


def _level(name: str, what: str, value: float, operator: Operator, level: float, setting: str) -> Condition:
    text = f"{what} {'above' if operator == '>' else 'below'} {level:g}"
    return compare(name, text, value, operator, level, setting=setting)


def _diamond(panel: CipherPanel, params: CipherParams, row: int, *, bull: bool) -> list[Condition]:
    setting = f"diamond_wt_{'bull' if bull else 'bear'}"
    level = float(getattr(params, setting))
    operator: Operator = "<=" if bull else ">="
    where = "below" if bull else "above"
    found = [
        *cross(panel, row, up=bull),
        compare("wt2", f"wt2 at or {where} {level:g}", float(panel.wt2[row]), operator, level, setting=setting),
    ]
    for number, minutes in enumerate((params.diamond_minutes_1, params.diamond_minutes_2), start=1):
        body, close = rising_body(panel.candles, minutes, row)
        # A price below one would drown in the tolerance of points.
        near = TOLERANCE * min(1.0, close)
        words = f"the last closed {timeframe_words(minutes)} Heikin-Ashi candle {'rising' if bull else 'not rising'}"
        found.append(compare(f"higher_{number}", words, body, ">" if bull else "<=", 0.0, tolerance=near))
    return found


def timeframe_words(minutes: int) -> str:
    """A number of minutes as traders write it: `12h`, `45m`, `3d`."""
    for unit, length in (("w", 10_080), ("d", 1_440), ("h", 60)):
        if minutes % length == 0:
            return f"{minutes // length}{unit}"
    return f"{minutes}m"


DOTS: Final[Mapping[str, Table]] = MappingProxyType(
    {
        "cross_up": lambda panel, _, row: cross(panel, row, up=True),
        "cross_down": lambda panel, _, row: cross(panel, row, up=False),
        "green_dot": lambda panel, params, row: _dot(panel, params, row, green=True),
        "red_dot": lambda panel, params, row: _dot(panel, params, row, green=False),
        "gold_dot": _gold,
        "buy_div_dot": lambda panel, params, row: _any_of(panel, params, row, "buy_div_dot"),
        "sell_div_dot": lambda panel, params, row: _any_of(panel, params, row, "sell_div_dot"),
        "sommi_bull": lambda panel, params, row: _sommi_flag(panel, params, row, bull=True),
        "sommi_bear": lambda panel, params, row: _sommi_flag(panel, params, row, bull=False),
        "sommi_bull_diamond": lambda panel, params, row: _diamond(panel, params, row, bull=True),
        "sommi_bear_diamond": lambda panel, params, row: _diamond(panel, params, row, bull=False),
    }
)
