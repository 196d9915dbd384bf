"""The layout of a chart: panes, axes and levels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ui.chart_words import Chart, tick_format, title
from ui.charts.canvas import DOMAINS, FLOW, OSCILLATORS, PANES, PRICE, WAVES, Canvas, label
from ui.charts.captions import captions
from ui.charts.price import VOLUME_AXIS, profile_reach
from ui.charts.tags import BOTTOM, WHOLE, number_places, tag_room, top_margin, visible_prices
from ui.charts.waves import wave_range

_LEVELS: Final = {"overbought": [53.0, 60.0, 100.0], "oversold": [-53.0, -60.0, -75.0], "rsi": [30.0, 60.0]}
_DASHES: Final = ("dash", "dot", "longdashdot")


def layout(canvas: Canvas, *, height: int) -> Chart:
    """Everything of the figure but its traces."""
    palette = canvas.palette
    return {
        "height": height,
        "autosize": True,
        # Left, room for half of the first date; right, for the axis and the tags beyond it.
        "margin": {"l": 18 if canvas.narrow else 24, "r": tag_room(canvas), "t": top_margin(canvas), "b": BOTTOM},
        "paper_bgcolor": palette.page,
        "plot_bgcolor": palette.page,
        "hoverlabel": {"bgcolor": palette.page, "bordercolor": palette.grid, "font": {"size": 12}},
        "font": {"color": palette.text, "size": 12, "family": "system-ui, sans-serif"},
        "title": {
            "text": title(canvas.chart),
            "font": {"size": 14},
            "x": 0,
            "xref": "paper",
            "xanchor": "left",
            "y": 1 - 26 / height,
            "yanchor": "top",
        },
        "showlegend": False,
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "hoverdistance": 4,
        "dragmode": "pan",
        "barmode": "stack",
        "bargap": 0,
        "shapes": list(_lines(canvas)),
        "annotations": list(captions(canvas, height)),
        **_axes(canvas, height),
    }


def _levels(canvas: Canvas) -> dict[str, list[float]]:
    return canvas.chart["cipher"].get("levels") or _LEVELS


def _lines(canvas: Canvas) -> Iterator[Chart]:
    palette, levels = canvas.palette, _levels(canvas)
    across = {"type": "line", "xref": "paper", "x0": 0, "x1": canvas.price_width, "layer": "below"}

    def level(axis: str, value: float, **style: object) -> Chart:
        return {**across, "yref": axis, "y0": value, "y1": value, "line": {"color": palette.faint, "width": 1, **style}}

    for side in ("overbought", "oversold"):
        # The first makes the dots: it is the strongest.
        for value, dash, width in zip(levels[side], _DASHES, (1.3, 0.6, 0.6), strict=False):
            yield level(WAVES, value, dash=dash, width=width)
    yield level(WAVES, 0, width=0.6)
    yield level(FLOW, 0, width=0.6)
    for value in levels["rsi"]:
        yield level(OSCILLATORS, value, dash="dash", width=0.8)
    candles = canvas.chart["candles"]
    close, rising = candles["close"][-1], candles["close"][-1] >= candles["open"][-1]
    yield level(PRICE, close, color=palette.rise if rising else palette.fall, dash="dot", width=1) | {"x1": 1}
    profile = canvas.chart["volume_profile"]
    for part in _profiled(canvas) if profile else ():
        area = {"type": "rect", "y0": profile["val"], "y1": profile["vah"], "fillcolor": palette.value_area}
        yield {**part, **area, "yref": PRICE, "line": {"width": 0}, "layer": "below"}
        for name, dash, width in (("poc", "solid", 1.8), ("vah", "dash", 1), ("val", "dash", 1)):
            yield level(PRICE, profile[name], color=palette.level, dash=dash, width=width) | part


def _profiled(canvas: Canvas) -> Iterator[Chart]:
    """The width that the profile's levels hold for: no candle before its first one, and the profile itself."""
    count, times = canvas.chart["volume_profile"].get("lookback"), canvas.open_times
    if count is None or count >= len(times):
        yield {"xref": "paper", "x0": 0, "x1": 1}
        return
    half = canvas.step / 2
    yield {"xref": "x", "x0": label(times[-count] - half), "x1": label(times[-1] + half)}
    yield {"xref": "paper", "x0": canvas.price_width, "x1": 1}


def _axes(canvas: Canvas, height: int) -> Chart:
    chart, palette = canvas.chart, canvas.palette
    low, high = visible_prices(canvas)
    levels = _levels(canvas)
    grid = {"gridcolor": palette.grid, "zeroline": False, "fixedrange": False}
    panel = chart["cipher"]
    spread = max([*(abs(value) for value in panel["money_flow"] if value is not None), 1.0]) * 1.1
    ranges = {PRICE: [low, high], WAVES: list(wave_range(canvas)), FLOW: [-spread, spread], OSCILLATORS: [-4, 104]}
    ticks: dict[str, Chart] = {
        PRICE: _price_ticks(canvas, high - low, height),
        WAVES: {
            "tickvals": sorted({0, *(levels[side][end] for side in ("oversold", "overbought") for end in (0, -1))})
        },
        FLOW: {"tickvals": [0]},
        OSCILLATORS: {"tickvals": levels["rsi"]},
    }
    axes: Chart = {
        f"yaxis{axis[1:]}": {**grid, "domain": list(DOMAINS[axis]), "range": ranges[axis], "side": "right"}
        | {"anchor": "free", "position": 1 if axis == PRICE else canvas.price_width, "tickfont": {"size": 11}}
        | ticks[axis]
        for axis in PANES
    }
    # Volume has the lowest part of the price pane, behind the candles.
    axes[f"yaxis{VOLUME_AXIS[1:]}"] = {
        "overlaying": PRICE,
        "range": [0, max([*chart["candles"]["volume"], 1e-12]) * 7],
        "visible": False,
        "fixedrange": True,
    }
    return {**axes, **_horizontal(canvas, grid)}


def _price_ticks(canvas: Canvas, span: float, height: int) -> Chart:
    chart, tick = canvas.chart, float(canvas.chart["tick_size"])
    pattern = {"tickformat": tick_format(chart) if span < WHOLE else ",.0f"}
    if canvas.narrow:
        return {**pattern, "tickvals": number_places(canvas, height)}
    # Between neighbouring ticks of the market there is no price that an axis could name.
    steps = {"dtick": tick} if span < 8 * tick else {"nticks": 8}
    return {**pattern, **steps}


def _horizontal(canvas: Canvas, grid: Chart) -> Chart:
    half = canvas.step / 2
    times = canvas.open_times
    return {
        "xaxis": {
            **grid,
            "type": "date",
            "domain": [0, canvas.price_width],
            "range": [label(times[canvas.first] - half), label(times[-1] + half)],
            "anchor": OSCILLATORS,
            "rangeslider": {"visible": False},
            **({"rangebreaks": [{"bounds": list(gap)} for gap in canvas.gaps]} if canvas.gaps else {}),
            "hoverformat": "%a %Y-%m-%d %H:%M UTC",
            "spikecolor": canvas.palette.text,
            "spikethickness": 1,
            "spikedash": "dot",
            "showspikes": True,
            "spikemode": "across",
            "nticks": 5 if canvas.narrow else 10,
        },
        "xaxis2": {
            "domain": [canvas.price_width, 1],
            "anchor": PRICE,
            "showticklabels": False,
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
            "range": [0, profile_reach(canvas)],
        },
    }
