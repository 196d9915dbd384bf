"""A chart of one symbol, drawn from the chart JSON of the desk: price, volume profile and the Cipher panel.

Every meaning has a shape as well as a colour: rising candles are hollow, dots point up or down, levels have dashes and
names. The colours are apart for the common kinds of colour blindness.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ui.chart_words import (
    MARKS,
    Chart,
    Numbers,
    compact,
    known_since,
    moment,
    price_formatter,
    reading,
    stamp,
    tick_format,
    title,
)

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

HEIGHT: Final = 660
# Share of the height from the top: price, wave trend, money flow, RSI and stochastic.
_PANES: Final = (("y", 0.50, 1.0), ("y2", 0.27, 0.475), ("y3", 0.155, 0.245), ("y4", 0.0, 0.13))
_PRICE_WIDTH: Final = 0.84
_LEVELS: Final = (53.0, 60.0)
_SHAPES: Final = {
    "green_dot": ("triangle-up", "rise"),
    "red_dot": ("triangle-down", "fall"),
    "cross_up": ("circle-open", "rise"),
    "cross_down": ("circle-open", "fall"),
}


@dataclass(frozen=True, slots=True)
class _Palette:
    text: str
    grid: str
    rise: str
    fall: str
    line: str
    second: str
    level: str
    area: str
    page: str
    label: str


_DARK: Final = _Palette(
    text="#d7dce5",
    grid="#2a303b",
    rise="#3fc1b0",
    fall="#f0885a",
    line="#8ab4f8",
    second="#e0b35a",
    level="#c9a7f5",
    area="rgba(138,180,248,0.10)",
    page="#12151b",
    label="rgba(18,21,27,0.72)",
)
_LIGHT: Final = _Palette(
    text="#20242c",
    grid="#e3e6ec",
    rise="#0b7a6e",
    fall="#c2490f",
    line="#1a5fb4",
    second="#8a5a00",
    level="#6a3fb0",
    area="rgba(26,95,180,0.08)",
    page="#ffffff",
    label="rgba(255,255,255,0.78)",
)


def drawing(chart: Chart, *, dark: bool) -> Chart:
    """Draw price with its volume profile, wave trend with dots, money flow, RSI and stochastic.

    Plain data: what Plotly's own classes would make of it, without the time and memory that importing them takes.

    Args:
        chart: the chart JSON of the desk; prices in quote units, times in milliseconds or ISO text, UTC; indicator
            columns as long as the candles, with None where there is no value yet.
        dark: colours for a dark page.

    Returns:
        `data` and `layout` of a Plotly figure; all axes end where the data ends.
    """
    palette = _DARK if dark else _LIGHT
    times = [moment(ms) for ms in chart["candles"]["open_time"]]
    labels = [stamp(time) for time in times]
    layout = {
        "height": HEIGHT,
        "autosize": True,
        "margin": {"l": 8, "r": 60, "t": 46, "b": 24},
        "paper_bgcolor": palette.page,
        "plot_bgcolor": palette.page,
        "hoverlabel": {"bgcolor": palette.page, "bordercolor": palette.grid, "font": {"size": 12}},
        "font": {"color": palette.text, "size": 12, "family": "system-ui, sans-serif"},
        "title": {"text": title(chart), "font": {"size": 14}, "x": 0, "xanchor": "left", "y": 0.985, "yanchor": "top"},
        "showlegend": False,
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "hoverdistance": 4,
        "dragmode": "pan",
        "barmode": "stack",
        "bargap": 0,
        "shapes": list(_lines(chart, palette)),
        "annotations": list(_names(chart, palette)),
        **_axes(chart, times, palette),
    }
    data = [*_price(chart, labels, palette), *_profile(chart, palette), *_panel(chart, labels, palette)]
    return {"data": data, "layout": layout}


def figure(chart: Chart, *, dark: bool) -> Figure:
    """The drawing as Plotly's own object, which checks every property of it."""
    from plotly import graph_objects as go

    return go.Figure(drawing(chart, dark=dark))


def _price(chart: Chart, labels: list[str], palette: _Palette) -> Iterator[Chart]:
    candles = chart["candles"]
    yield _trace(
        "candlestick",
        x=labels,
        open=candles["open"],
        high=candles["high"],
        low=candles["low"],
        close=candles["close"],
        name="price",
        # Hollow when rising, filled when falling: the direction is legible without colour.
        increasing={"line": {"color": palette.rise, "width": 1.2}, "fillcolor": "rgba(0,0,0,0)"},
        decreasing={"line": {"color": palette.fall, "width": 1.2}, "fillcolor": palette.fall},
        text=[reading(chart, row) for row in range(len(labels))],
        hoverinfo="text",
        yaxis="y",
    )


def _profile(chart: Chart, palette: _Palette) -> Iterator[Chart]:
    profile = chart["volume_profile"]
    if not profile:
        return
    price = price_formatter(chart)
    rows = profile["rows"]
    inside = [profile["val"] <= (row["from"] + row["to"]) / 2 <= profile["vah"] for row in rows]
    for part, color in (("up", palette.rise), ("down", palette.fall)):
        yield _trace(
            "bar",
            x=[row[part] for row in rows],
            y=[(row["from"] + row["to"]) / 2 for row in rows],
            width=[row["to"] - row["from"] for row in rows],
            orientation="h",
            xaxis="x2",
            yaxis="y",
            name=f"volume, {part} candles",
            marker={
                "color": color,
                "opacity": [0.85 if within else 0.32 for within in inside],
                "line": {"width": 0},
                # Hatched for falling candles, so that the two parts differ without colour.
                "pattern": {"shape": "/" if part == "down" else "", "size": 4, "solidity": 0.35},
            },
            customdata=[[f"{price(row['from'])} to {price(row['to'])}", compact(row["volume"])] for row in rows],
            hovertemplate="%{customdata[0]}<br>volume %{customdata[1]}, "
            + ("rising" if part == "up" else "falling")
            + " candles %{x:.4~s}<extra></extra>",
        )


def _panel(chart: Chart, labels: list[str], palette: _Palette) -> Iterator[Chart]:
    panel = chart["cipher"]

    def line(name: str, column: str, axis: str, color: str, **style: Any) -> Chart:
        return _trace(
            "scatter",
            x=labels,
            y=panel[column],
            name=name,
            mode="lines",
            yaxis=axis,
            line={"color": color, "width": 1.4, **style.pop("line", {})},
            hoverinfo="skip",
            **style,
        )

    yield line("VWAP", "vwap", "y2", palette.level, fill="tozeroy", line={"width": 0.5}, opacity=0.5)
    yield line("wt1", "wt1", "y2", palette.line)
    yield line("wt2", "wt2", "y2", palette.second, line={"dash": "dot"})
    yield from _dots(panel, labels, palette)
    flow: Numbers = panel["money_flow"]
    for name, keep, color in (("money in", 1, palette.rise), ("money out", -1, palette.fall)):
        yield _trace(
            "scatter",
            x=labels,
            y=[None if value is None else max(value * keep, 0.0) * keep for value in flow],
            name=name,
            mode="lines",
            fill="tozeroy",
            line={"color": color, "width": 1},
            yaxis="y3",
            hoverinfo="skip",
        )
    yield line("money flow", "money_flow", "y3", palette.text, line={"width": 0.6})
    yield line("RSI", "rsi", "y4", palette.level)
    yield line("stoch K", "stoch_k", "y4", palette.line, line={"width": 1})
    yield line("stoch D", "stoch_d", "y4", palette.second, line={"width": 1, "dash": "dot"})


def _dots(panel: Chart, labels: list[str], palette: _Palette) -> Iterator[Chart]:
    height = dict(zip(labels, panel["wt2"], strict=True))
    dotted = {stamp(moment(event["time"])) for event in panel["events"] if event["name"].endswith("_dot")}
    for name, (symbol, color) in _SHAPES.items():
        events = [event for event in panel["events"] if event["name"] == name]
        # A dot is a cross as well: it is marked once.
        taken = dotted if name.startswith("cross") else set()
        placed = [(stamp(moment(event["time"])), event) for event in events]
        shown = [(label, event) for label, event in placed if label in height and label not in taken]
        if not shown:
            continue
        yield _trace(
            "scatter",
            x=[label for label, _ in shown],
            y=[height[label] for label, _ in shown],
            name=name.replace("_", " "),
            mode="markers",
            yaxis="y2",
            marker={
                "symbol": symbol,
                "size": 6 if "open" in symbol else 12,
                "color": getattr(palette, color),
                "line": {"color": palette.text, "width": 0 if "open" in symbol else 1},
            },
            customdata=[known_since(event) for _, event in shown],
            hovertemplate=f"{MARKS[name]},<br>knowable since %{{customdata}} UTC<extra></extra>",
        )


def _trace(kind: str, **properties: Any) -> Chart:
    return {"type": kind, **properties}


def _lines(chart: Chart, palette: _Palette) -> Iterator[Chart]:
    across = {"type": "line", "xref": "paper", "x0": 0, "x1": _PRICE_WIDTH, "layer": "below"}
    for level in (*_LEVELS, *(-level for level in _LEVELS)):
        style = {"color": palette.grid, "width": 1, "dash": "dash" if abs(level) == _LEVELS[0] else "dot"}
        yield {**across, "yref": "y2", "y0": level, "y1": level, "x1": 1, "line": style}
    for level in (30, 70):
        style = {"color": palette.grid, "width": 1, "dash": "dash"}
        yield {**across, "yref": "y4", "y0": level, "y1": level, "x1": 1, "line": style}
    profile = chart["volume_profile"]
    if not profile:
        return
    yield {
        "type": "rect",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "yref": "y",
        "y0": profile["val"],
        "y1": profile["vah"],
        "fillcolor": palette.area,
        "line": {"width": 0},
        "layer": "below",
    }
    for name, dash, width in (("poc", "solid", 1.6), ("vah", "dash", 1), ("val", "dash", 1)):
        style = {"color": palette.level, "width": width, "dash": dash}
        yield {**across, "yref": "y", "y0": profile[name], "y1": profile[name], "x1": 1, "line": style}


def _names(chart: Chart, palette: _Palette) -> Iterator[Chart]:
    plain = {"showarrow": False, "xanchor": "left", "font": {"size": 11, "color": palette.text}}
    panes = ("Wave trend · ▲ green dot · ▼ red dot · ○ cross", "Money flow", "RSI · stochastic K, D (dotted)")
    for (_, _, top), name in zip(_PANES[1:], panes, strict=True):
        yield {**plain, "xref": "paper", "x": 0, "yref": "paper", "y": top, "yanchor": "bottom", "text": name}
    profile = chart["volume_profile"]
    price = price_formatter(chart)
    if profile:
        # At the other end of the line, so that it stays legible where it is close to an edge of the value area.
        ends = (("poc", "bottom", _PRICE_WIDTH - 0.004, "right"), ("vah", "bottom", 0.004, "left"))
        for name, anchor, x, side in (*ends, ("val", "top", 0.004, "left")):
            yield {
                **plain,
                "xref": "paper",
                "x": x,
                "xanchor": side,
                "yref": "y",
                "y": profile[name],
                "yanchor": anchor,
                "text": f"{name.upper()} {price(profile[name])}",
                "font": {"size": 11, "color": palette.level},
                "bgcolor": palette.label,
            }


def _axes(chart: Chart, times: list[datetime], palette: _Palette) -> Chart:
    candles = chart["candles"]
    step = times[1] - times[0] if len(times) > 1 else timedelta(hours=1)
    low, high = min(candles["low"]), max(candles["high"])
    pad = (high - low) * 0.03 or abs(high) * 0.01
    grid = {"gridcolor": palette.grid, "zerolinecolor": palette.grid, "zeroline": False, "fixedrange": False}
    flow = [abs(value) for value in chart["cipher"]["money_flow"] if value is not None]
    waves = [abs(v) for column in ("wt1", "wt2") for v in chart["cipher"][column] if v is not None]
    reach = max([*waves, _LEVELS[1]]) * 1.12
    spread = max([*flow, 1.0]) * 1.1
    ranges = ([low - pad, high + pad], [-reach, reach], [-spread, spread], [0, 100])
    ticks: tuple[Chart, ...] = (
        {"tickformat": tick_format(chart) if high - low < 16 else ",.0f", "nticks": 8},
        {"tickvals": [-53, 0, 53]},
        {"tickvals": [0]},
        {"tickvals": [30, 70]},
    )
    axes: Chart = {
        f"yaxis{axis[1:]}": {**grid, "domain": [bottom, top], "range": limits, "side": "right", "anchor": "free"}
        | {"position": 1, "tickfont": {"size": 11}}
        | tick
        for (axis, bottom, top), limits, tick in zip(_PANES, ranges, ticks, strict=True)
    }
    axes["xaxis"] = {
        **grid,
        "type": "date",
        "domain": [0, _PRICE_WIDTH if chart["volume_profile"] else 1],
        "range": [stamp(times[0] - step / 2), stamp(times[-1] + step / 2)],
        "anchor": "y4",
        "rangeslider": {"visible": False},
        "hoverformat": "%a %Y-%m-%d %H:%M UTC",
        "spikecolor": palette.text,
        "spikethickness": 1,
        "spikedash": "dot",
    }
    axes["xaxis2"] = {
        "domain": [_PRICE_WIDTH, 1],
        "anchor": "y",
        "showticklabels": False,
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
    }
    return axes
