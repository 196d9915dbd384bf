"""Cipher A over the candles: its ribbon of averages, and its symbols above and below the candles they belong to."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from ui.chart_words import SYMBOLS, Chart, decimals, known_since, price_formatter
from ui.charts.canvas import MANY, PRICE, Canvas, line, rounded, trace

RIBBON: Final = "Ribbon"
CROSSES: Final = "EMA crosses"
# A symbol's distance from the one before it, as a share of the prices in view.
_PITCH: Final = 0.026


@dataclass(frozen=True, slots=True)
class Symbol:
    """How a symbol of Cipher A is drawn.

    Attributes:
        sign: how the key writes it.
        color: name of the palette's colour.
    """

    shape: str
    sign: str
    color: str
    side: Literal["above", "below"]
    size: int
    layer: str


# Nearest to the candle first. Of each pair the rising one lies below and is mostly hollow, like the candles.
SHAPES: Final = {
    "green_x": Symbol("x-open", "✕", "rise", "below", 6, CROSSES),
    "red_x": Symbol("x", "✖", "fall", "above", 6, CROSSES),
    "blue_triangle_up": Symbol("triangle-up", "▲", "fast", "below", 8, "Blue triangles"),
    "blue_triangle_down": Symbol("triangle-down", "▼", "fast", "above", 8, "Blue triangles"),
    "green_diamond": Symbol("diamond-open", "◇", "rise", "below", 7, "Wave diamonds"),
    "red_diamond": Symbol("diamond", "◆", "fall", "above", 7, "Wave diamonds"),
    "long_circle": Symbol("circle-open", "○", "rise", "below", 9, "Ribbon circles"),
    "short_circle": Symbol("circle", "●", "fall", "above", 9, "Ribbon circles"),
    "yellow_x_up": Symbol("x-thin-open", "╳", "gold", "below", 8, "Yellow X"),
    "yellow_x_down": Symbol("cross-thin-open", "┼", "gold", "above", 8, "Yellow X"),
    "yellow_x_down_rsi_above_70": Symbol("asterisk-open", "✳", "gold", "above", 8, "Yellow X"),
    "moon_diamond": Symbol("star-diamond-open", "✧", "rise", "below", 13, "Blood and moon diamonds"),
    "blood_diamond": Symbol("star-diamond", "✦", "fall", "above", 13, "Blood and moon diamonds"),
    "bull_candle": Symbol("line-ns-open", "│", "rise", "below", 5, "Bull and bear candles"),
    "bear_candle": Symbol("line-ew-open", "─", "fall", "above", 5, "Bull and bear candles"),
}
LAYERS: Final = tuple(dict.fromkeys([RIBBON, *(symbol.layer for symbol in SHAPES.values())]))


def ribbon_traces(canvas: Canvas) -> Iterator[Chart]:
    """Eight averages with the band between the second and the eighth, whose order is the ribbon's."""
    panel, palette = canvas.chart["cipher"], canvas.palette
    if "ema8" not in panel:
        return
    yield from _bands(canvas)
    price, digits = price_formatter(canvas.chart), decimals(canvas.chart)
    for number, length in enumerate(panel["ribbon_lengths"], start=1):
        values = panel[f"ema{number}"]
        edge = number in (2, 8)
        drawn = line(
            canvas,
            values,
            name=f"EMA {length}",
            axis=PRICE,
            color=palette.slow if number == 8 else palette.fast if edge else palette.faint,
            line={"width": 1.2 if edge else 0.4, "dash": "dot" if number == 8 else "solid"},
            **canvas.layer(RIBBON),
        )
        # What is read off the ribbon is the order of these two.
        said = {
            "customdata": [None if value is None else price(value) for value in values],
            "hovertemplate": f"EMA {length} %{{customdata}}<extra></extra>",
        }
        yield {**drawn, "y": rounded(values, digits), **(said if edge else {"hoverinfo": "skip"})}


def _bands(canvas: Canvas) -> Iterator[Chart]:
    """Between the second average and the eighth, which is the lower one while the ribbon rises."""
    panel, palette = canvas.chart["cipher"], canvas.palette
    state, second, eighth = panel["ribbon_bullish"], panel["ema2"], panel["ema8"]
    known = [row for row in range(len(state)) if second[row] is not None and eighth[row] is not None]
    outlines: dict[bool, tuple[list[str | None], list[float | None]]] = {True: ([], []), False: ([], [])}
    for rising, group in itertools.groupby(known, key=lambda row: bool(state[row])):
        rows = list(group)
        if rows[0] > known[0]:
            # From the candle before, or a band of one candle had no width.
            rows.insert(0, rows[0] - 1)
        x, y = outlines[rising]
        x += [*(canvas.labels[row] for row in (*rows, *reversed(rows))), None]
        y += [*(second[row] for row in rows), *(eighth[row] for row in reversed(rows)), None]
    for rising, color in ((True, palette.rise_area), (False, palette.fall_area)):
        x, y = outlines[rising]
        if x:
            yield trace(
                "scatter",
                x=x[:-1],
                y=rounded(y[:-1], decimals(canvas.chart)),
                name="rising ribbon" if rising else "falling ribbon",
                mode="lines",
                fill="toself",
                line={"width": 0},
                yaxis=PRICE,
                hoverinfo="skip",
                fillcolor=color,
                opacity=0.6,
                **canvas.layer(RIBBON),
            )


def symbol_traces(canvas: Canvas) -> Iterator[Chart]:
    """One trace a kind of symbol that happened on the candles shown."""
    for name, found in symbol_places(canvas).items():
        symbol, events = SHAPES[name], [event for event, _ in found]
        color = getattr(canvas.palette, symbol.color)
        outlined = "open" in symbol.shape
        yield trace(
            "scatter",
            x=[canvas.labels[canvas.rows[event["time"]]] for event in events],
            y=rounded([place for _, place in found], decimals(canvas.chart)),
            name=name.replace("_", " "),
            mode="markers",
            yaxis=PRICE,
            marker={
                "symbol": symbol.shape,
                "size": symbol.size if len(canvas.labels) <= MANY else symbol.size * 0.7,
                "color": color,
                "line": {"color": color if outlined else canvas.palette.text, "width": 1.6 if outlined else 0.6},
            },
            customdata=[known_since(event) for event in events],
            hovertemplate=f"{SYMBOLS[name]},<br>knowable since %{{customdata}} UTC<extra></extra>",
            **canvas.layer(symbol.layer, shown=_usual(canvas, symbol)),
        )


def symbol_places(canvas: Canvas) -> dict[str, list[tuple[Chart, float]]]:
    """Each kind of symbol that happened, with its events and prices; of one candle they lie one beyond the other."""
    candles = canvas.chart["candles"]
    events: dict[str, list[Chart]] = defaultdict(list)
    for event in canvas.chart["cipher"]["events"]:
        if event["time"] in canvas.rows:
            events[event["name"]].append(event)
    low, high = min(candles["low"][canvas.first :]), max(candles["high"][canvas.first :])
    pitch = (high - low) * _PITCH or abs(high) * 0.001
    taken: dict[tuple[str, int], int] = defaultdict(int)
    places: dict[str, list[tuple[Chart, float]]] = {}
    for name, symbol in SHAPES.items():
        for event in events[name]:
            row = canvas.rows[event["time"]]
            taken[symbol.side, row] += 1
            beyond = pitch * taken[symbol.side, row]
            place = candles["high"][row] + beyond if symbol.side == "above" else candles["low"][row] - beyond
            places.setdefault(name, []).append((event, place))
    return places


def shown_symbols(canvas: Canvas) -> dict[str, list[float]]:
    """Kinds of symbols that are in sight at first, and their prices."""
    first = canvas.open_times[canvas.first]
    return {
        name: [place for event, place in found if event["time"] >= first]
        for name, found in symbol_places(canvas).items()
        if _usual(canvas, SHAPES[name]) or SHAPES[name].layer in canvas.shown
    }


def _usual(canvas: Canvas, symbol: Symbol) -> bool:
    """Whether a layer is shown at first: of many candles not the symbols that nearly all of them have."""
    if symbol.layer == "Bull and bear candles":
        return False
    return symbol.layer != CROSSES or len(canvas.open_times) <= MANY
