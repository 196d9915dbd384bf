"""The price pane: candles, volume, average price and the levels that volume left behind."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Final

from ui.chart_words import Chart, compact, price_formatter, reading
from ui.charts.canvas import PRICE, Canvas, joined, label, line, trace

VOLUME_AXIS: Final = "y5"
# A level closer than this share of the price range to one that is named already stays without a name.
_NAME_DISTANCE: Final = 0.035
# So many naked points of control are drawn, those nearest to the last close.
_MOST_NAKED: Final = 6


def price_traces(canvas: Canvas) -> Iterator[Chart]:
    """Everything on the price axis but the divergences."""
    yield _volume(canvas)
    yield from _averages(canvas)
    yield from _naked(canvas)
    yield _candles(canvas)
    yield from _profile(canvas)


def _candles(canvas: Canvas) -> Chart:
    candles, palette = canvas.chart["candles"], canvas.palette
    return trace(
        "candlestick",
        x=canvas.labels,
        **{name: candles[name] for name in ("open", "high", "low", "close")},
        name="price",
        # Hollow when rising, filled when falling: the direction is legible without colour.
        increasing={"line": {"color": palette.rise, "width": 1.2}, "fillcolor": palette.page},
        decreasing={"line": {"color": palette.fall, "width": 1.2}, "fillcolor": palette.fall},
        text=[reading(canvas.chart, row) for row in range(len(canvas.labels))],
        hoverinfo="text",
        yaxis=PRICE,
    )


def _volume(canvas: Canvas) -> Chart:
    candles, palette = canvas.chart["candles"], canvas.palette
    rising = [int(close >= open_) for open_, close in zip(candles["open"], candles["close"], strict=True)]
    return trace(
        "bar",
        **canvas.across(),
        y=candles["volume"],
        name="volume",
        yaxis=VOLUME_AXIS,
        marker={
            "color": rising,
            "colorscale": [[0, palette.fall], [1, palette.rise]],
            "cmin": 0,
            "cmax": 1,
            "opacity": 0.3,
            "line": {"width": 0},
        },
        hoverinfo="skip",
    )


def _averages(canvas: Canvas) -> Iterator[Chart]:
    chart, palette = canvas.chart, canvas.palette
    price = price_formatter(chart)
    average = chart.get("vwap")
    if average:
        segments = [
            [(canvas.labels[row], value) for row in rows if (value := average["values"][row]) is not None]
            for rows in _periods(canvas, average.get("starts") or ())
        ]
        x, y = joined(segment for segment in segments if segment)
        yield trace(
            "scatter",
            x=x,
            y=y,
            name=f"VWAP ({average['anchor']})",
            # A period of one candle is a dot: a line needs two.
            mode="lines+markers" if any(len(segment) == 1 for segment in segments) else "lines",
            marker={"size": 3, "color": palette.average},
            line={"color": palette.average, "width": 1.3},
            customdata=[None if value is None else price(value) for value in y],
            hovertemplate=f"VWAP of the {average['anchor']} %{{customdata}}<extra></extra>",
            yaxis=PRICE,
            **canvas.layer("VWAP"),
        )
    developing = (chart["volume_profile"] or {}).get("developing_poc")
    if developing:
        yield line(
            canvas,
            developing,
            name="developing POC",
            axis=PRICE,
            color=palette.level,
            line={"width": 1.2, "dash": "dot", "shape": "hv"},
            customdata=[None if value is None else price(value) for value in developing],
            hovertemplate="developing POC %{customdata}<extra></extra>",
            **canvas.layer("Developing POC", shown=False),
        ) | {"y": developing}


def _periods(canvas: Canvas, starts: Iterable[int]) -> Iterator[range]:
    """Rows of each period that an average runs over: it starts anew with the next."""
    bounds = [0, *(canvas.rows[time] for time in starts), len(canvas.labels)]
    for first, end in itertools.pairwise(bounds):
        yield range(first, end)


def _naked(canvas: Canvas) -> Iterator[Chart]:
    """Points of control of past sessions that no price has touched since, from their session's end on."""
    profile = canvas.chart["volume_profile"]
    if not profile or not profile.get("naked_pocs"):
        return
    price, palette = price_formatter(canvas.chart), canvas.palette
    low, high = visible_prices(canvas)
    named = [profile[name] for name in ("poc", "vah", "val")]
    end = label(canvas.open_times[-1] + canvas.step / 2)
    segments, words, said = [], [], []
    close = canvas.chart["candles"]["close"][-1]
    for level in sorted(profile["naked_pocs"], key=lambda level: abs(float(level["price"]) - close))[:_MOST_NAKED]:
        near = any(abs(level["price"] - other) < (high - low) * _NAME_DISTANCE for other in named)
        named += [] if near else [level["price"]]
        start = label(max(level["born_time"], canvas.open_times[canvas.first]))
        segments.append([(start, level["price"]), (end, level["price"])])
        words += ["", "" if near else f"nPOC {price(level['price'])}", ""]
        told = f"naked POC {price(level['price'])}, of the session of {level['session']}"
        said += [told, told, ""]
    x, y = joined(segments)
    yield trace(
        "scatter",
        x=x,
        y=y,
        name="naked POCs",
        mode="lines+text",
        text=words[:-1],
        textposition="top left",
        textfont={"size": 10, "color": palette.level},
        line={"color": palette.level, "width": 1, "dash": "dashdot"},
        customdata=said[:-1],
        hovertemplate="%{customdata}<extra></extra>",
        yaxis=PRICE,
        **canvas.layer("Naked POCs"),
    )


def _profile(canvas: Canvas) -> Iterator[Chart]:
    profile, palette = canvas.chart["volume_profile"], canvas.palette
    if not profile:
        return
    price = price_formatter(canvas.chart)
    rows = profile["rows"]
    middles = [(row["from"] + row["to"]) / 2 for row in rows]
    inside = [profile["val"] <= middle <= profile["vah"] for middle in middles]
    for part, color in (("up", palette.rise), ("down", palette.fall)):
        yield trace(
            "bar",
            x=[row[part] for row in rows],
            y=middles,
            width=[row["to"] - row["from"] for row in rows],
            orientation="h",
            xaxis="x2",
            yaxis=PRICE,
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
    yield from _nodes(canvas, profile)


def _nodes(canvas: Canvas, profile: Chart) -> Iterator[Chart]:
    """High and low volume nodes, marked at the end of their rows."""
    price, palette = price_formatter(canvas.chart), canvas.palette
    for kind, symbol, words in (
        ("hvn", "triangle-left", "high volume node"),
        ("lvn", "triangle-left-open", "low volume node"),
    ):
        nodes = profile.get(kind) or []
        if nodes:
            yield trace(
                "scatter",
                x=[node["volume"] for node in nodes],
                y=[node["price"] for node in nodes],
                name=words,
                mode="markers+text",
                text=[kind.upper()] * len(nodes),
                textposition="middle right",
                textfont={"size": 9, "color": palette.text},
                cliponaxis=False,
                xaxis="x2",
                yaxis=PRICE,
                marker={"symbol": symbol, "size": 7, "color": palette.text},
                customdata=[f"{price(node['price'])}, volume {compact(node['volume'])}" for node in nodes],
                hovertemplate=f"{words} %{{customdata}}<extra></extra>",
            )


def visible_prices(canvas: Canvas) -> tuple[float, float]:
    """Lowest and highest price in view, with room above and below."""
    candles = canvas.chart["candles"]
    low, high = min(candles["low"][canvas.first :]), max(candles["high"][canvas.first :])
    room = (high - low) * 0.03 or abs(high) * 0.01
    return low - room, high + room
