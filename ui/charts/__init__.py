"""A chart of one symbol, drawn from the chart JSON of the desk: price, volume profile and the Cipher panel.

Every meaning has a shape as well as a colour: rising candles are hollow, marks differ in shape, levels have dashes and
names. `canvas` is what is drawn on; `price`, `ribbon`, `waves`, `marks` and `divergences` draw; `layout` places them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ui.chart_words import Chart
from ui.charts.canvas import Canvas
from ui.charts.divergences import divergence_traces
from ui.charts.layout import layout
from ui.charts.marks import mark_traces
from ui.charts.price import price_traces
from ui.charts.ribbon import LAYERS as RIBBON_LAYERS
from ui.charts.waves import flow_traces, oscillator_traces, wave_traces

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

HEIGHT: Final = 740
# What readers may show and hide, where there is such a thing on the candles shown; first the parts of Cipher A.
LAYERS: Final = (
    *RIBBON_LAYERS,
    "VWAP",
    "Developing POC",
    "Naked POCs",
    "Divergences",
    "Hidden divergences",
    "RSI divergences",
    "Hidden RSI divergences",
    "Stochastic divergences",
    "Green and red dots",
    "Divergence dots",
    "Gold dots",
    "Sommi flags and diamonds",
    "Wave crosses",
    "Stoch RSI",
    "Schaff trend cycle",
)


def drawing(
    chart: Chart, *, dark: bool, narrow: bool = False, height: int = HEIGHT, shown: frozenset[str] = frozenset()
) -> Chart:
    """Draw price with its volume profile, wave trend with marks and divergences, money flow and the oscillators.

    Plain data: what Plotly's own classes would make of it, without the time and memory that importing them takes.

    Args:
        chart: the chart JSON of the desk; prices in quote units, times in milliseconds or ISO text, UTC; indicator
            columns as long as the candles, with None where there is no value yet.
        dark: colours for a dark page.
        narrow: for a page as narrow as a phone.
        height: pixels.
        shown: layers to show although they are usually hidden; see `LAYERS`.

    Returns:
        `data` and `layout` of a Plotly figure; all axes end where the data ends.
    """
    canvas = Canvas(chart, dark, narrow, shown)
    data = [
        *price_traces(canvas, height),
        *wave_traces(canvas),
        *flow_traces(canvas),
        *oscillator_traces(canvas),
        *divergence_traces(canvas),
        *mark_traces(canvas),
    ]
    return {"data": data, "layout": layout(canvas, height=height)}


def layers(drawn: Chart) -> dict[str, bool]:
    """Those of `LAYERS` that a drawing has, and whether each is shown now."""
    found = {trace["legendgroup"]: trace["visible"] is True for trace in drawn["data"] if "legendgroup" in trace}
    return {name: found[name] for name in sorted(found, key=LAYERS.index)}


def figure(chart: Chart, *, dark: bool, **options: Any) -> Figure:
    """The drawing as Plotly's own object, which checks every property of it."""
    from plotly import graph_objects as go

    return go.Figure(drawing(chart, dark=dark, **options))
