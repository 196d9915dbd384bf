"""The Cipher panel's part of a chart."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engines.cipher import CORE_COLUMNS, VUMANCHU_B, CipherEvent, CipherPanel, CipherParams, compute_panel
from engines.domain.candles import CandleFrame, Floats
from engines.errors import InsufficientData

COLUMNS: Final = (*CORE_COLUMNS, "stc")
DOTS: Final = (
    "cross_up",
    "cross_down",
    "green_dot",
    "red_dot",
    "buy_div_dot",
    "sell_div_dot",
    "gold_dot",
    "sommi_bull",
    "sommi_bear",
    "sommi_bull_diamond",
    "sommi_bear_diamond",
)
# Event, what differs from the price, and whether only the second, wider range of the waves saw it.
DIVERGENCES: Final = {
    "wt_bull_div": ("wt", "wt2", False),
    "wt_bear_div": ("wt", "wt2", False),
    "wt_bull_div2": ("wt", "wt2", True),
    "wt_bear_div2": ("wt", "wt2", True),
    "wt_hidden_bull_div": ("wt", "wt2", False),
    "wt_hidden_bear_div": ("wt", "wt2", False),
    "rsi_bull_div": ("rsi", "rsi", False),
    "rsi_bear_div": ("rsi", "rsi", False),
    "rsi_hidden_bull_div": ("rsi", "rsi", False),
    "rsi_hidden_bear_div": ("rsi", "rsi", False),
    "stoch_bull_div": ("stoch", "stoch_k", False),
    "stoch_bear_div": ("stoch", "stoch_k", False),
}


def panel_part(candles: CandleFrame, first: int, params: CipherParams = VUMANCHU_B) -> dict[str, Any]:
    """Columns, events and divergences from row `first` on; all None, with the reason, where there are too few candles.

    Events and divergences are those confirmed on a row shown; `time` is that of the confirming candle, pivots may lie
    before the first row.

    Raises:
        InvalidRequest: a candle cannot be.
    """
    settings = {"levels": _levels(params), "drawn_divergences": _drawn(params), "preset": params.name}
    try:
        panel = compute_panel(candles, params)
    except InsufficientData as error:
        blank = [None] * (len(candles) - first)
        empty = {**dict.fromkeys(COLUMNS, blank), "flat": blank, "events": [], "divergences": []}
        return {**empty, **settings, "missing": str(error)}
    return {
        **{name: column(panel.values[name][first:]) for name in COLUMNS},
        "flat": panel.flat[first:].tolist(),
        "events": _events(panel, first),
        "divergences": _divergences(panel, first),
        **settings,
        "missing": "",
    }


def _levels(params: CipherParams) -> dict[str, list[float]]:
    return {
        "overbought": [params.overbought, params.overbought_2, params.overbought_3],
        "oversold": [params.oversold, params.oversold_2, params.oversold_3],
        "rsi": [params.rsi_oversold, params.rsi_overbought],
    }


def _drawn(params: CipherParams) -> list[str]:
    """Which divergences the preset draws."""
    switches = {
        "wt": params.show_wt_divergences,
        "wt_hidden": params.show_wt_hidden,
        "rsi": params.show_rsi_divergences,
        "stoch": params.show_stoch_divergences,
    }
    return [name for name, on in switches.items() if on]


def _events(panel: CipherPanel, first: int) -> list[dict[str, Any]]:
    times = panel.candles.open_time
    main = {"buy_div_dot": panel.flags("wt_bull_div"), "sell_div_dot": panel.flags("wt_bear_div")}
    told = []
    for event in panel.events(first, DOTS):
        said = {"name": event.name, "time": int(times[event.index]), "confirmed_time": event.confirmed_time}
        if event.pivot_index != event.index:
            said["pivot_time"] = int(times[event.pivot_index])
        if event.name in main:
            said["second_range"] = not bool(main[event.name][event.index])
        told.append(said)
    return told


def _divergences(panel: CipherPanel, first: int) -> list[dict[str, Any]]:
    return [_divergence(panel, event) for event in panel.events(first, DIVERGENCES) if not _told_by_main(panel, event)]


def _told_by_main(panel: CipherPanel, event: CipherEvent) -> bool:
    """Whether the same two pivots are a divergence of the waves' first range as well: one line is enough."""
    if not event.name.endswith("2"):
        return False
    main = event.name.removesuffix("2")
    return bool(panel.flags(main)[event.index]) and (
        int(panel.pivots(main)[1][event.index]) == event.previous_pivot_index
    )


def _divergence(panel: CipherPanel, event: CipherEvent) -> dict[str, Any]:
    source, values, second = DIVERGENCES[event.name]
    bull = "bull" in event.name
    candles = panel.candles
    previous = event.pivot_index if event.previous_pivot_index is None else event.previous_pivot_index

    def pivot(row: int) -> dict[str, Any]:
        price = candles.low[row] if bull else candles.high[row]
        return {"time": int(candles.open_time[row]), "value": float(panel.values[values][row]), "price": float(price)}

    return {
        "source": source,
        "bias": "bull" if bull else "bear",
        "hidden": "hidden" in event.name,
        "second_range": second,
        "time": int(candles.open_time[event.index]),
        "confirmed_time": event.confirmed_time,
        "pivot": pivot(event.pivot_index),
        "previous": pivot(previous),
    }


def column(values: Floats | NDArray[np.float64]) -> list[float | None]:
    """Values as JSON has them: None where undefined."""
    return [None if undefined else value for value, undefined in zip(values.tolist(), np.isnan(values), strict=True)]
