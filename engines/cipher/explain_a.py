"""Conditions of Cipher A's symbols."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from engines.cipher.explained import TOLERANCE, Condition, Operator, compare, state
from engines.cipher.panel import CipherPanel
from engines.cipher.params import CipherAParams

Table = Callable[[CipherPanel, CipherAParams, int], list[Condition]]
# Column, operator, and the setting that holds the level.
Limit = tuple[str, Operator, str]


def _over(panel: CipherPanel, params: CipherAParams, row: int, first: int, second: int) -> list[Condition]:
    """Average number `first` came over number `second`, by raw comparison as crossings are."""
    a, b = panel.values[f"ema{first}"], panel.values[f"ema{second}"]
    one, other = (f"EMA {params.ribbon_lengths[number - 1]}" for number in (first, second))
    defined = np.flatnonzero(~np.isnan(a[:row] - b[:row]))
    before = int(defined[-1]) if len(defined) else None
    values = (float(a[before]), float(b[before])) if before is not None else (np.nan, np.nan)
    was = f"{one} not above {other} one candle earlier"
    return [
        compare(f"ema{first}_over_ema{second}", f"{one} above {other}", float(a[row]), ">", float(b[row]), tolerance=0),
        compare(f"ema{first}_was_not_over_ema{second}", was, values[0], "<=", values[1], tolerance=0),
    ]


def _diamond(panel: CipherPanel, row: int, *, red: bool) -> list[Condition]:
    difference = float(panel.wt1[row]) - float(panel.wt2[row])
    crossed = bool(panel.flags("red_diamond")[row] or panel.flags("green_diamond")[row])
    way, where = ("downward", "below") if red else ("upward", "above")
    return [
        Condition("crossed", "wt1 and wt2 crossed", difference, "crossed", 0.0, crossed),
        compare("direction", f"{way}: wt1 at or {where} wt2", difference, "<=" if red else ">=", 0.0),
    ]


def _yellow_x(panel: CipherPanel, params: CipherAParams, row: int, limits: tuple[Limit, ...]) -> list[Condition]:
    found = []
    for column, operator, setting in limits:
        level = float(getattr(params, setting))
        what = "RSI" if column == "rsi" else column
        words = f"{what} {'above' if operator == '>' else 'below'} {level:g}"
        value = float(panel.values[column][row])
        found.append(compare(setting, words, value, operator, level, setting=setting))
    return found


_YELLOW_UP: Final[tuple[Limit, ...]] = (
    ("wt2", "<", "yellow_x_up_below"),
    ("wt2", ">", "oversold_3"),
    ("rsi", ">", "yellow_x_up_rsi_low"),
    ("rsi", "<", "yellow_x_up_rsi_high"),
)
_YELLOW_DOWN: Final[tuple[Limit, ...]] = (("wt2", ">", "yellow_x_down_above"), ("wt2", "<", "overbought_3"))
# As the script is written, and as it was surely meant.
_YELLOW_DOWN_WRITTEN: Final[tuple[Limit, ...]] = (
    *_YELLOW_DOWN,
    ("rsi", "<", "yellow_x_down_rsi_low"),
    ("rsi", "<", "yellow_x_down_rsi_high"),
)
_YELLOW_DOWN_MEANT: Final[tuple[Limit, ...]] = (
    *_YELLOW_DOWN,
    ("rsi", ">", "yellow_x_down_rsi_low"),
    ("rsi", "<", "yellow_x_down_rsi_high"),
)


def _body(panel: CipherPanel, params: CipherAParams, row: int, *, bull: bool) -> list[Condition]:
    candles = panel.candles
    operator: Operator = ">" if bull else "<"
    open_, colour = float(candles.open[row]), "red" if bull else "green"
    where, way = ("above", "rising") if bull else ("below", "falling")
    before = (float(candles.close[row - 1]), float(candles.open[row - 1])) if row else (np.nan, np.nan)
    second, eighth = (f"EMA {params.ribbon_lengths[number - 1]}" for number in (2, 8))
    diamond = bool(panel.flags(f"{colour}_diamond")[row])
    averages = (float(panel.values["ema2"][row]), float(panel.values["ema8"][row]))
    near = _near(panel, row)
    return [
        compare("over_ema2", f"open {where} {second}", open_, operator, averages[0], tolerance=near),
        compare("over_ema8", f"open {where} {eighth}", open_, operator, averages[1], tolerance=near),
        compare("body_before", f"a {way} candle before", before[0], operator, before[1], tolerance=near),
        compare("body", f"a {way} candle", float(candles.close[row]), operator, open_, tolerance=near),
        state(f"no_{colour}_diamond", f"no {colour} diamond", holds=diamond, wanted=False),
        state("no_red_x", "no red X", holds=bool(panel.flags("red_x")[row]), wanted=False),
    ]


def _ribbon(panel: CipherPanel, params: CipherAParams, row: int) -> list[Condition]:
    second, eighth = (f"EMA {params.ribbon_lengths[number - 1]}" for number in (2, 8))
    values = (float(panel.values["ema8"][row]), float(panel.values["ema2"][row]))
    return [compare("ribbon", f"{eighth} below {second}", values[0], "<", values[1], tolerance=_near(panel, row))]


def _near(panel: CipherPanel, row: int) -> float:
    """Prices as close as this are equal; a price below one would drown in the tolerance of points."""
    return TOLERANCE * min(1.0, float(panel.candles.close[row]))


SYMBOLS: Final[Mapping[str, Table]] = MappingProxyType(
    {
        "long_circle": lambda panel, params, row: _over(panel, params, row, 2, 8),
        "short_circle": lambda panel, params, row: _over(panel, params, row, 8, 2),
        "red_x": lambda panel, params, row: _over(panel, params, row, 2, 1),
        "green_x": lambda panel, params, row: _over(panel, params, row, 1, 2),
        "blue_triangle_up": lambda panel, params, row: _over(panel, params, row, 2, 3),
        "blue_triangle_down": lambda panel, params, row: _over(panel, params, row, 3, 2),
        "red_diamond": lambda panel, _, row: _diamond(panel, row, red=True),
        "green_diamond": lambda panel, _, row: _diamond(panel, row, red=False),
        "yellow_x_up": lambda panel, params, row: [
            *_diamond(panel, row, red=True),
            *_yellow_x(panel, params, row, _YELLOW_UP),
        ],
        "yellow_x_down": lambda panel, params, row: [
            *_diamond(panel, row, red=False),
            *_yellow_x(panel, params, row, _YELLOW_DOWN_WRITTEN),
        ],
        "yellow_x_down_rsi_above_70": lambda panel, params, row: [
            *_diamond(panel, row, red=False),
            *_yellow_x(panel, params, row, _YELLOW_DOWN_MEANT),
        ],
        "blood_diamond": lambda panel, params, row: [
            *_diamond(panel, row, red=True),
            *_over(panel, params, row, 2, 1),
        ],
        "moon_diamond": lambda panel, params, row: [
            *_diamond(panel, row, red=False),
            *_over(panel, params, row, 1, 2),
        ],
        "bull_candle": lambda panel, params, row: _body(panel, params, row, bull=True),
        "bear_candle": lambda panel, params, row: _body(panel, params, row, bull=False),
        "ribbon_bullish": _ribbon,
    }
)
