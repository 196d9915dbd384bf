"""The layout of a chart: panes, axes and levels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ui.chart_words import Chart, tick_format, title
from ui.charts.canvas import DOMAINS, FLOW, OSCILLATORS, PANES, PRICE, WAVES, Canvas, label
from ui.charts.captions import captions
from ui.charts.price import VOLUME_AXIS, visible_prices

_REACH: Final = 118.0
_LEVELS: Final = {"overbought": [53.0, 60.0, 100.0], "oversold": [-53.0, -60.0, -75.0], "rsi": [30.0, 60.0]}
_DASHES: Final = ("dash", "dot", "longdashdot")


def layout(canvas: Canvas, *, height: int) -> Chart:
    """Everything of the figure but its traces."""
    palette = canvas.palette
    return {
        "height": height,
        "autosize": True,
        "margin": {"l": 8, "r": 66, "t": 64, "b": 40},
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
            "y": 1 - 12 / height,
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
        "annotations": list(captions(canvas)),
        **_axes(canvas),
    }


def _levels(canvas: Canvas) -> dict[str, list[float]]:
    return canvas.chart["cipher"].get("levels") or _LEVELS


def _lines(canvas: Canvas) -> Iterator[Chart]:
    palette, levels = canvas.palette, _levels(canvas)
    across = {"type": "line", "xref": "paper", "x0": 0, "x1": canvas.price_width, "layer": "below"}

    def level(axis: str, value: float, **style: object) -> Chart:
        return {**across, "yref": axis, "y0": value, "y1": value, "line": {"color": palette.faint, "width": 1, **style}}

    for side in ("overbought", "oversold"):
        for value, dash in zip(levels[side], _DASHES, strict=True):
            yield level(WAVES, value, dash=dash, width=0.8)
    yield level(WAVES, 0, width=0.6)
    yield level(FLOW, 0, width=0.6)
    for value in levels["rsi"]:
        yield level(OSCILLATORS, value, dash="dash", width=0.8)
    profile = canvas.chart["volume_profile"]
    if profile:
        yield {
            "type": "rect",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "yref": PRICE,
            "y0": profile["val"],
            "y1": profile["vah"],
            "fillcolor": palette.value_area,
            "line": {"width": 0},
            "layer": "below",
        }
        for name, dash, width in (("poc", "solid", 1.8), ("vah", "dash", 1), ("val", "dash", 1)):
            yield level(PRICE, profile[name], color=palette.level, dash=dash, width=width) | {"x1": 1}


def _axes(canvas: Canvas) -> Chart:
    chart, palette = canvas.chart, canvas.palette
    low, high = visible_prices(canvas)
    levels = _levels(canvas)
    grid = {"gridcolor": palette.grid, "zeroline": False, "fixedrange": False}
    panel = chart["cipher"]
    waves = [abs(value) for column in ("wt1", "wt2") for value in panel[column] if value is not None]
    reach = max([*(value * 1.04 for value in waves), _REACH])
    spread = max([*(abs(value) for value in panel["money_flow"] if value is not None), 1.0]) * 1.1
    ranges = {PRICE: [low, high], WAVES: [-reach, reach], FLOW: [-spread, spread], OSCILLATORS: [-4, 104]}
    ticks: dict[str, Chart] = {
        PRICE: _price_ticks(chart, high - low),
        WAVES: {
            "tickvals": [
                levels["oversold"][2],
                levels["oversold"][0],
                0,
                levels["overbought"][0],
                levels["overbought"][2],
            ]
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


def _price_ticks(chart: Chart, span: float) -> Chart:
    tick = float(chart["tick_size"])
    # Between neighbouring ticks of the market there is no price that an axis could name.
    steps = {"dtick": tick} if span < 8 * tick else {"nticks": 8}
    return {"tickformat": tick_format(chart) if span < 16 else ",.0f", **steps}


def _horizontal(canvas: Canvas, grid: Chart) -> Chart:
    half = canvas.step / 2
    times = canvas.open_times
    profile = canvas.chart["volume_profile"]
    low, high = visible_prices(canvas)
    inside = [row["volume"] for row in (profile or {}).get("rows", ()) if row["to"] > low and row["from"] < high]
    most = max([*inside, 1e-12])
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
            # Room for the names of the nodes.
            "range": [0, most * (1.7 if canvas.narrow else 1.25)],
        },
    }
