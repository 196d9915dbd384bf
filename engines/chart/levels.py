"""What volume left behind on a chart: its profile with nodes, naked points of control, and the average price."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from engines.chart.panel import column
from engines.domain.timeframe import duration_ms, to_ms
from engines.market.data import MarketData
from engines.volume_profile import Node, VolumeProfile, developing_profile
from engines.volume_profile.desk import DeskProfile, desk_naked_pocs, desk_sessions
from engines.volume_profile.vwap import compute_vwap
from engines.volume_profile.vwap_anchors import Calendar

_WORDS: Final[dict[Calendar, str]] = {"session": "day", "week": "week", "month": "month"}


def volume_levels(market: MarketData, desk: DeskProfile) -> dict[str, Any]:
    """The profile's rows and levels, and the points of control of past days that no price has touched since.

    No look-ahead: the desk's candles are all there is; each value of `developing_poc` uses what its own candle knew.

    Raises:
        VenueUnavailable: the market did not answer.
    """
    profile, rows = desk.profile, _last_rows(desk)
    high, low = profile.nodes
    return {
        "rows": _rows(profile),
        "poc": profile.poc,
        "vah": profile.vah,
        "val": profile.val,
        "hvn": [_node(node) for node in high],
        "lvn": [_node(node) for node in low],
        "naked_pocs": _naked(market, desk),
        "developing_poc": column(developing_profile(desk.lower, profile.params, rows=rows).poc[rows]),
        "built_from": desk.built_from,
        "lookback": len(desk.candles),
        "value_area_fraction": profile.params.value_area_fraction,
        "total_volume": profile.total_volume,
    }


def average_price(desk: DeskProfile) -> dict[str, Any]:
    """The volume-weighted average of the day, week or month at each candle, as the desk's levels in words have it.

    A first period that began before the first candle is left out, unless it is the only one.
    """
    anchor = desk.average_period
    found = compute_vwap(desk.lower, anchor)
    rows = _last_rows(desk)
    values, periods = found.vwap[rows], found.period[rows]
    cut = periods[0] < desk.lower.open_time[0] and periods[-1] != periods[0]
    known = column(np.where(cut & (periods == periods[0]), np.nan, values))
    begins = np.flatnonzero(np.diff(periods)) + 1
    return {"anchor": _WORDS[anchor], "values": known, "starts": desk.candles.open_time[begins].tolist()}


def _last_rows(desk: DeskProfile) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Row of the last shorter candle of each chart candle, or of the one before where it has none."""
    closes = desk.candles.open_time + duration_ms(desk.timeframe)
    return np.maximum(np.searchsorted(desk.lower.open_time, closes) - 1, 0)


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
    if not desk.has_sessions:
        return []
    return [
        {"price": each.price, "session": each.session, "born_time": to_ms(each.born), "age_sessions": each.age_sessions}
        for each in desk_naked_pocs(desk_sessions(market, desk))
    ]
