"""The price pane: candles, volume, average price and the levels that volume left behind."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Final

from ui.chart_words import Chart, compact, price_formatter, reading
from ui.charts.canvas import PRICE, Canvas, joined, label, line, trace
from ui.charts.ribbon import ribbon_traces, symbol_traces
from ui.charts.tags import NAKED, SPACE, naked_levels, price_pixels, tag_shift, tags, visible_prices

VOLUME_AXIS: Final = "y5"


def price_traces(canvas: Canvas, height: int) -> Iterator[Chart]:
    """Everything on the price axis but the divergences."""
    yield _volume(canvas)
    yield from _naked(canvas, height)
    yield from ribbon_traces(canvas)
    yield _candles(canvas)
    # Over the candles: a line that they hide tells nothing about them.
    yield from _averages(canvas)
    yield from symbol_traces(canvas)
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
    rising = [close >= open_ for open_, close in zip(candles["open"], candles["close"], strict=True)]
    return trace(
        "bar",
        **canvas.across(),
        y=candles["volume"],
        name="volume",
        yaxis=VOLUME_AXIS,
        marker={
            "color": [palette.rise if up else palette.fall for up in rising],
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


def _naked(canvas: Canvas, height: int) -> Iterator[Chart]:
    """Points of control of past sessions that no price has touched since, from their session's end on, with tags."""
    levels = naked_levels(canvas)
    if not levels:
        return
    price, palette = price_formatter(canvas.chart), canvas.palette
    end = label(canvas.open_times[-1] + canvas.step / 2)
    segments, said = [], []
    for level in levels:
        start = label(max(level["born_time"], canvas.open_times[canvas.first]))
        segments.append([(start, level["price"]), (end, level["price"])])
        told = f"naked POC {price(level['price'])}, of the session of {level['session']}"
        said += [told, told, ""]
    x, y = joined(segments)
    yield trace(
        "scatter",
        x=x,
        y=y,
        name="naked POCs",
        mode="lines",
        line={"color": palette.level, "width": 1, "dash": "dashdot"},
        customdata=said[:-1],
        hovertemplate="%{customdata}<extra></extra>",
        yaxis=PRICE,
        **canvas.layer("Naked POCs"),
    )
    yield _naked_tags(canvas, height)


def _naked_tags(canvas: Canvas, height: int) -> Chart:
    """Their names, as a trace of the same layer: they come and go with the lines."""
    low, high = visible_prices(canvas)
    pixel = (high - low) / price_pixels(canvas, height)
    found = [tag for tag in tags(canvas, height) if tag.kind == NAKED]
    # Spaces half as wide as the letters are high lead the text over the numbers of the axis.
    lead = "\u2002" * (tag_shift(canvas) // SPACE)
    return trace(
        "scatter",
        x=[profile_reach(canvas)] * len(found),
        y=[tag.price + tag.lift * pixel for tag in found],
        name="names of naked POCs",
        mode="text",
        text=[lead + tag.text for tag in found],
        textposition="middle right",
        textfont={"size": 10, "color": canvas.palette.level},
        cliponaxis=False,
        hoverinfo="skip",
        xaxis="x2",
        yaxis=PRICE,
        **canvas.layer("Naked POCs"),
    )


def profile_reach(canvas: Canvas) -> float:
    """End of the profile's axis: its longest row in view, with room for the marks of the nodes."""
    low, high = visible_prices(canvas)
    rows = (canvas.chart["volume_profile"] or {}).get("rows", ())
    inside = [row["volume"] for row in rows if row["to"] > low and row["from"] < high]
    return float(max([*inside, 1e-12]) * (1.25 if canvas.narrow else 1.1))


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
                mode="markers",
                cliponaxis=False,
                xaxis="x2",
                yaxis=PRICE,
                marker={"symbol": symbol, "size": 7, "color": palette.text},
                customdata=[f"{price(node['price'])}, volume {compact(node['volume'])}" for node in nodes],
                hovertemplate=f"{words} %{{customdata}}<extra></extra>",
            )
