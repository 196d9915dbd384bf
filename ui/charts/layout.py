"""The layout of a chart: panes, axes, levels and the words on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ui.chart_words import Chart, at, price_formatter, tick_format, title
from ui.charts.canvas import DOMAINS, FLOW, OSCILLATORS, PANES, PRICE, WAVES, Canvas, label
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
        "annotations": [*_keys(canvas), *_level_names(canvas), *_latest(canvas)],
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
        for name, dash, width in (("poc", "solid", 1.6), ("vah", "dash", 1), ("val", "dash", 1)):
            yield level(PRICE, profile[name], color=palette.level, dash=dash, width=width) | {"x1": 1}


def _keys(canvas: Canvas) -> Iterator[Chart]:
    """What is drawn in each pane, over it: the key of the chart."""
    plain = {"showarrow": False, "xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "yanchor": "bottom"}
    for axis in PANES:
        words = _KEYS[axis](canvas)
        if words:
            yield {**plain, "y": DOMAINS[axis][1], "font": {"size": 11, "color": canvas.palette.text}, "text": words}


def _colored(color: str, words: str) -> str:
    return f'<span style="color:{color}">{words}</span>'


def _price_key(canvas: Canvas) -> str:
    chart, palette = canvas.chart, canvas.palette
    profile, average = chart["volume_profile"], chart.get("vwap")
    parts = [_colored(palette.average, f"━ VWAP of the {average['anchor']}")] if average else []
    if profile and profile.get("built_from") and not canvas.narrow:
        parts.append(f"volume at price from {profile['built_from']} candles")
    return " · ".join(parts)


def _wave_key(canvas: Canvas) -> str:
    palette = canvas.palette
    waves = f"<b>Wave trend</b> {_colored(palette.fast, '━ wt1')} {_colored(palette.slow, '┅ wt2')}"
    if canvas.narrow:
        return f"{waves} {_colored(palette.rise, '▲')} {_colored(palette.fall, '▼')} ○ ●"
    marks = (
        _colored(palette.difference, "▅ wt1 − wt2"),
        f"{_colored(palette.rise, '▲')} green dot",
        f"{_colored(palette.fall, '▼')} red dot",
        f"{_colored(palette.rise, '◆')} buy {_colored(palette.fall, '■')} sell divergence",
        f"{_colored(palette.gold, '★')} gold",
        f"{_colored(palette.rise, '○')} {_colored(palette.fall, '●')} crosses",
    )
    return f"{waves} {' · '.join(marks)}"


def _flow_key(canvas: Canvas) -> str:
    ribbon = "" if canvas.narrow else " · its sign is the ribbon under the waves, hatched below zero"
    return f"<b>Money flow</b>{ribbon}"


def _oscillator_key(canvas: Canvas) -> str:
    palette = canvas.palette
    stochastic = f"{_colored(palette.fast, '━ stochastic K')} {_colored(palette.slow, '┅ D')}"
    return f"{_colored(palette.level, '<b>━ RSI</b>')} {stochastic}"


_KEYS: Final = {PRICE: _price_key, WAVES: _wave_key, FLOW: _flow_key, OSCILLATORS: _oscillator_key}


def _level_names(canvas: Canvas) -> Iterator[Chart]:
    chart, palette = canvas.chart, canvas.palette
    price = price_formatter(chart)
    plain = {"showarrow": False, "xref": "paper", "yref": PRICE, "bgcolor": palette.label}
    profile = chart["volume_profile"]
    if profile:
        width = canvas.price_width
        # At the other end of the line, so that it stays legible where it is close to an edge of the value area.
        ends = (("poc", "bottom", width - 0.004, "right"), ("vah", "bottom", 0.004, "left"))
        for name, anchor, x, side in (*ends, ("val", "top", 0.004, "left")):
            yield {
                **plain,
                "x": x,
                "xanchor": side,
                "y": profile[name],
                "yanchor": anchor,
                "text": f"{name.upper()} {price(profile[name])}",
                "font": {"size": 11, "color": palette.level},
            }
    candles = chart["candles"]
    close = candles["close"][-1]
    # The last close on the price axis, over the axis' own numbers.
    yield {
        **plain,
        "x": 1,
        "xanchor": "left",
        "y": close,
        "yanchor": "middle",
        "text": f"<b>{price(close)}</b>",
        "font": {"size": 11, "color": palette.page},
        "bgcolor": palette.rise if close >= candles["open"][-1] else palette.fall,
        "borderpad": 2,
    }


def _latest(canvas: Canvas) -> Iterator[Chart]:
    """The panes' last values, in the room under the volume profile."""
    if canvas.narrow or canvas.price_width == 1:
        return
    panel, palette = canvas.chart["cipher"], canvas.palette
    plain = {"showarrow": False, "xref": "paper", "x": canvas.price_width + 0.035, "xanchor": "left", "align": "left"}
    columns = {
        WAVES: (("wt1", "wt1", palette.fast), ("wt2", "wt2", palette.slow), ("vwap", "wt1 − wt2", palette.difference)),
        FLOW: (("money_flow", "money flow", palette.text),),
        OSCILLATORS: (
            ("rsi", "RSI", palette.level),
            ("stoch_k", "stochastic K", palette.fast),
            ("stoch_d", "stochastic D", palette.slow),
            ("stc", "Schaff", palette.cycle),
        ),
    }
    for axis, shown in columns.items():
        lines = [
            _colored(color, f"{name} {at(panel[column], -1)}") for column, name, color in shown if panel.get(column)
        ]
        bottom, top = DOMAINS[axis]
        middle = {"yref": "paper", "y": (bottom + top) / 2, "yanchor": "middle", "font": {"size": 11}}
        yield {**plain, **middle, "text": "<br>".join(lines)}


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
        PRICE: {"tickformat": tick_format(chart) if high - low < 16 else ",.0f", "nticks": 8},
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
            "range": [0, most * 1.25],
        },
    }
