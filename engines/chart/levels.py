"""What volume left behind on a chart: its profile with nodes, naked points of control, and the average price."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from engines.chart.panel import column
from engines.domain.candles import CandleFrame
from engines.domain.timeframe import duration_ms, to_ms
from engines.market.data import MarketData
from engines.volume_profile import Node, VolumeProfile, developing_profile
from engines.volume_profile.averaged import reaching_back
from engines.volume_profile.desk import DeskProfile, desk_naked_pocs, desk_sessions
from engines.volume_profile.lower import lower_candles
from engines.volume_profile.vwap import compute_vwap
from engines.volume_profile.vwap_anchors import Calendar

_WORDS: Final[dict[Calendar, str]] = {"session": "day", "week": "week", "month": "month"}


def volume_levels(market: MarketData, desk: DeskProfile, shown: CandleFrame) -> dict[str, Any]:
    """The profile's rows and levels, and the points of control of past days that no price has touched since.

    No look-ahead: the desk's candles are all there is; each value of `developing_poc` uses what its own candle knew.

    Args:
        shown: the candles of the chart, which `developing_poc` is as long as; `lookback` are those of the profile.

    Raises:
        VenueUnavailable: the market did not answer.
    """
    profile = desk.profile
    high, low = profile.nodes
    return {
        "rows": _rows(profile),
        "poc": profile.poc,
        "vah": profile.vah,
        "val": profile.val,
        "hvn": [_node(node) for node in high],
        "lvn": [_node(node) for node in low],
        "naked_pocs": _naked(market, desk),
        "developing_poc": _developing(desk, shown),
        "built_from": desk.built_from,
        "lookback": len(desk.candles),
        "value_area_fraction": profile.params.value_area_fraction,
        "total_volume": profile.total_volume,
    }


def average_price(market: MarketData, desk: DeskProfile, shown: CandleFrame) -> dict[str, Any]:
    """The volume-weighted average of the day, week or month at each candle shown, as the desk's words have it.

    The candles before them, back to the opening of the first one's period, are asked for. A period whose beginning the
    market does not have is left out, unless it is the only one.

    Args:
        shown: the last candles of the desk's chart, or more of them.

    Raises:
        VenueUnavailable: the market did not answer.
    """
    anchor, lower = desk.average_period, desk.lower
    if shown.open_time[0] < desk.candles.open_time[0]:
        lower = lower_candles(market, shown, wanted=desk.built_from)
    first = np.searchsorted(lower.open_time, shown.open_time[0])
    found = compute_vwap(reaching_back(market, lower[int(first) :], anchor), anchor)
    rows = _last_rows(found.candles, shown)
    values, periods = found.vwap[rows], found.period[rows]
    start = found.period[0]
    cut = start < found.candles.open_time[0] and periods[-1] != start
    known = column(np.where(cut & (periods == start), np.nan, values))
    begins = np.flatnonzero(np.diff(periods)) + 1
    return {"anchor": _WORDS[anchor], "values": known, "starts": shown.open_time[begins].tolist()}


def _developing(desk: DeskProfile, shown: CandleFrame) -> list[float | None]:
    """Point of control after each candle shown, undefined before the profile's first one."""
    rows = _last_rows(desk.lower, desk.candles)
    poc = developing_profile(desk.lower, desk.profile.params, rows=rows).poc[rows]
    missing = max(0, len(shown) - len(poc))
    return column(np.concatenate((np.full(missing, np.nan), poc[-len(shown) :])))


def _last_rows(lower: CandleFrame, candles: CandleFrame) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Row of the last shorter candle of each chart candle, or of the one before where it has none."""
    closes = candles.open_time + duration_ms(candles.timeframe)
    return np.maximum(np.searchsorted(lower.open_time, closes) - 1, 0)


def _rows(profile: VolumeProfile) -> list[dict[str, float]]:
    edges = profile.edges.tolist()
    columns = (profile.volume_by_row, profile.up_by_row, profile.down_by_row, profile.delta_by_row)
    return [
        {"from": low, "to": high, "volume": volume, "up": up, "down": down, "delta": delta}
        for low, high, volume, up, down, delta in zip(
            edges[:-1], edges[1:], *(values.tolist() for values in columns), strict=True
        )
    ]


def _node(node: Node) -> dict[str, float]:
    return {"price": node.price, "volume": node.volume, "prominence": node.prominence}


def _naked(market: MarketData, desk: DeskProfile) -> list[dict[str, Any]]:
    return [
        {"price": each.price, "session": each.session, "born_time": to_ms(each.born), "age_sessions": each.age_sessions}
        for each in desk_naked_pocs(desk_sessions(market, desk))
    ]
