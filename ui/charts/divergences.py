"""Divergence lines: from the earlier pivot to the later one, on the price and on the wave or oscillator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ui.chart_words import Chart, divergence_words
from ui.charts.canvas import OSCILLATORS, PRICE, WAVES, Canvas, joined, label, trace

# Source, hidden or not, layer, its pane, whether the price shows it as well.
_LAYERS: Final = (
    ("wt", False, "Divergences", WAVES, True),
    ("wt", True, "Hidden divergences", WAVES, True),
    ("rsi", False, "RSI divergences", OSCILLATORS, False),
    ("rsi", True, "Hidden RSI divergences", OSCILLATORS, False),
    ("stoch", False, "Stochastic divergences", OSCILLATORS, False),
)


def divergence_traces(canvas: Canvas) -> Iterator[Chart]:
    """Two traces a kind that there is, one for each bias, and as many on the price for those of the waves."""
    panel = canvas.chart["cipher"]
    usual = set(panel.get("drawn_divergences") or ())
    for source, hidden, layer, pane, on_price in _LAYERS:
        for bias in ("bull", "bear"):
            found = [
                each
                for each in panel.get("divergences") or ()
                if (each["source"], each["hidden"], each["bias"]) == (source, hidden, bias)
            ]
            if found:
                toggled = canvas.layer(layer, shown=(f"{source}_hidden" if hidden else source) in usual)
                yield _lines(canvas, found, pane, "value") | toggled
                if on_price:
                    yield _lines(canvas, found, PRICE, "price") | toggled


def _lines(canvas: Canvas, found: list[Chart], pane: str, figure: str) -> Chart:
    bias, hidden = found[0]["bias"], found[0]["hidden"]
    color = canvas.palette.rise if bias == "bull" else canvas.palette.fall
    x, y = joined([[(label(each[end]["time"]), each[end][figure]) for end in ("previous", "pivot")] for each in found])
    drawn = trace(
        "scatter",
        x=x,
        y=y,
        name=f"{'hidden ' if hidden else ''}{bias} divergence",
        mode="lines+markers",
        yaxis=pane,
        # Dots where they rest on pivots; the hidden ones are dotted as well.
        marker={"size": 4, "color": color},
        line={"color": color, "width": 1.3 if hidden else 2, "dash": "dot" if hidden else "solid"},
    )
    if figure == "price":
        return {**drawn, "hoverinfo": "skip"}
    said = [text for each in found for text in (None, divergence_words(canvas.chart, each), None)]
    return {**drawn, "customdata": said[:-1], "hovertemplate": "%{customdata}<extra></extra>"}
