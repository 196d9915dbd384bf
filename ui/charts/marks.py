"""Dots, circles and flags of the wave pane: one shape a meaning, at the heights the Cipher panel gives them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ui.chart_words import MARKS, Chart, known_since
from ui.charts.canvas import MANY, WAVES, Canvas, trace

SOMMI: Final = "Sommi flags and diamonds"
# Drawn at the height of the slower wave.
ON_WAVE: Final = None


@dataclass(frozen=True, slots=True)
class Mark:
    """How an event is drawn.

    Attributes:
        height: points on the wave axis.
        color: name of the palette's colour.
    """

    symbol: str
    color: str
    height: float | None
    size: int
    layer: str


SHAPES: Final = {
    # Hollow when rising, filled when falling, like the candles.
    "cross_up": Mark("circle-open", "rise", ON_WAVE, 5, "Wave crosses"),
    "cross_down": Mark("circle", "fall", ON_WAVE, 5, "Wave crosses"),
    "sommi_bull": Mark("triangle-right", "rise", -108, 9, SOMMI),
    "sommi_bear": Mark("triangle-left", "fall", 108, 9, SOMMI),
    "sommi_bull_diamond": Mark("diamond-cross-open", "rise", -108, 10, SOMMI),
    "sommi_bear_diamond": Mark("diamond-x-open", "fall", 108, 10, SOMMI),
    # The larger ones first: those that come later lie over them and leave their edges in sight.
    "green_dot": Mark("triangle-up", "rise", -107, 12, "Green and red dots"),
    "red_dot": Mark("triangle-down", "fall", 105, 11, "Green and red dots"),
    "buy_div_dot": Mark("diamond", "rise", -106, 8, "Divergence dots"),
    "sell_div_dot": Mark("square", "fall", 106, 7, "Divergence dots"),
    # A warning must not be hidden by what it warns of.
    "gold_dot": Mark("star", "gold", -106, 11, "Gold dots"),
}


def mark_traces(canvas: Canvas) -> Iterator[Chart]:
    """One trace a kind of event that happened on the candles shown."""
    chosen = _chosen(canvas)
    for name, mark in SHAPES.items():
        found = [event for event in chosen if event["name"] == name]
        if found:
            yield _marker(canvas, name, mark, found)


def _chosen(canvas: Canvas) -> list[Chart]:
    """Events with a candle and a height to be drawn at, in time order."""
    waves = canvas.chart["cipher"]["wt2"]
    return [
        event
        for event in canvas.chart["cipher"]["events"]
        if event["name"] in SHAPES and (row := canvas.rows.get(_place(event))) is not None and waves[row] is not None
    ]


def _place(event: Chart) -> int:
    return int(event.get("pivot_time") or event["time"])


def _marker(canvas: Canvas, name: str, mark: Mark, events: list[Chart]) -> Chart:
    palette, waves = canvas.palette, canvas.chart["cipher"]["wt2"]
    rows = [canvas.rows[_place(event)] for event in events]
    hollow = [event.get("second_range", False) for event in events]
    color = getattr(palette, mark.color)
    outline = 0 if mark.layer == "Wave crosses" or "open" in mark.symbol else 1
    return trace(
        "scatter",
        x=[canvas.labels[row] for row in rows],
        y=[round(waves[row], 2) if mark.height is ON_WAVE else mark.height for row in rows],
        name=name.replace("_", " "),
        mode="markers",
        yaxis=WAVES,
        marker={
            # Hollow: only the second, wider range of the divergences saw it.
            "symbol": [f"{mark.symbol}-open" if second else mark.symbol for second in hollow]
            if any(hollow)
            else mark.symbol,
            "size": 3 if mark.height is ON_WAVE and len(waves) > MANY else mark.size,
            "color": color,
            "line": {"color": _outline(canvas, name, color, any(hollow)), "width": outline},
        },
        customdata=[known_since(event) for event in events],
        hovertemplate=f"{MARKS[name]},<br>knowable since %{{customdata}} UTC<extra></extra>",
        **canvas.layer(mark.layer, shown=_usual(canvas, mark)),
    )


def _outline(canvas: Canvas, name: str, color: str, hollow: bool) -> str:
    if name == "gold_dot":
        return canvas.palette.page
    return color if hollow else canvas.palette.text


def _usual(canvas: Canvas, mark: Mark) -> bool:
    return mark.layer != SOMMI or len(canvas.open_times) <= MANY


def drawn_names(canvas: Canvas) -> frozenset[str]:
    """Names of the events that are in sight at first: a key of the chart tells of no others."""
    found = {event["name"] for event in _chosen(canvas)}
    return frozenset(name for name in found if _usual(canvas, SHAPES[name]) or SHAPES[name].layer in canvas.shown)
