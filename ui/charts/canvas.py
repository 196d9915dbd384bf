"""What every part of a chart is drawn on: its candles on the time axis, its colours and its panes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

from ui.chart_words import Chart, Numbers, stamp
from ui.charts.palette import DARK, LIGHT, Palette

# Axis and share of the height, from the top: price, wave trend, money flow, RSI with its companions.
PRICE, WAVES, FLOW, OSCILLATORS = PANES = ("y", "y2", "y3", "y4")
DOMAINS: Final = {PRICE: (0.54, 1.0), WAVES: (0.255, 0.488), FLOW: (0.15, 0.222), OSCILLATORS: (0.0, 0.117)}
# Candles that a narrow page shows at first; the others are a drag away.
NARROW_CANDLES: Final = 90
_PROFILE_SHARE: Final = {False: 0.16, True: 0.2}
_MOST_GAPS: Final = 60
# Of more candles than this, marks that many candles have are smaller or shown only on demand: they would hide the rest.
MANY: Final = 400


@dataclass(frozen=True)
class Canvas:
    """A chart about to be drawn.

    Attributes:
        chart: the chart JSON of the desk.
        narrow: the page is as narrow as a phone: fewer words and, at first, fewer candles.
        shown: layers that are drawn although they are usually hidden.
    """

    chart: Chart
    dark: bool
    narrow: bool = False
    shown: frozenset[str] = frozenset()

    @property
    def palette(self) -> Palette:
        """Colours for the page."""
        return DARK if self.dark else LIGHT

    @cached_property
    def open_times(self) -> list[int]:
        """Milliseconds since the epoch, one a candle."""
        return list(self.chart["candles"]["open_time"])

    @cached_property
    def labels(self) -> list[str]:
        """The candles' places on the time axis."""
        return [label(time) for time in self.open_times]

    @cached_property
    def rows(self) -> dict[int, int]:
        """Row of each candle by its open time."""
        return {time: row for row, time in enumerate(self.open_times)}

    @cached_property
    def step(self) -> int:
        """Length of a candle, milliseconds."""
        steps = [later - earlier for earlier, later in itertools.pairwise(self.open_times)]
        return min(steps, default=3_600_000)

    @cached_property
    def gaps(self) -> list[tuple[str, str]]:
        """Stretches without a candle, such as weekends, which the time axis leaves out; none where there are many."""
        found = [
            (label(earlier + self.step), label(later))
            for earlier, later in itertools.pairwise(self.open_times)
            if later - earlier > self.step
        ]
        return found if len(found) <= _MOST_GAPS else []

    @property
    def first(self) -> int:
        """Row of the first candle in view."""
        return max(0, len(self.open_times) - NARROW_CANDLES) if self.narrow else 0

    @property
    def price_width(self) -> float:
        """Share of the width that the price takes; the volume profile has the rest."""
        return 1 - _PROFILE_SHARE[self.narrow] if self.chart["volume_profile"] else 1.0

    def across(self) -> Chart:
        """`x` of a trace with one point a candle, in as few bytes as the spacing allows."""
        times = self.open_times
        if all(later - earlier == self.step for earlier, later in itertools.pairwise(times)):
            return {"x0": self.labels[0], "dx": self.step}
        return {"x": self.labels}

    def layer(self, name: str, *, shown: bool = True) -> Chart:
        """Makes a trace part of a layer that readers may show and hide; all traces of one name go together."""
        return {"legendgroup": name, "visible": True if shown or name in self.shown else "legendonly"}


def label(time_ms: float) -> str:
    """A time in milliseconds as the time axis takes it, UTC."""
    return stamp(datetime.fromtimestamp(time_ms / 1000, tz=UTC))


def trace(kind: str, **properties: Any) -> Chart:
    """One trace of a Plotly figure."""
    return {"type": kind, **properties}


def rounded(values: Numbers, digits: int = 2) -> list[float | None]:
    """As many digits as a pane can show: a tenth of the bytes."""
    return [None if value is None else round(value, digits) for value in values]


def line(canvas: Canvas, values: Numbers, *, name: str, axis: str, color: str, **style: Any) -> Chart:
    """A line with one point a candle; its values are part of the hover."""
    pen = {"color": color, "width": 1.4, **style.pop("line", {})}
    drawn = {"mode": "lines", "yaxis": axis, "line": pen, "hovertemplate": f"{name} %{{y:.1f}}<extra></extra>"}
    return trace("scatter", **canvas.across(), y=rounded(values), name=name, **{**drawn, **style})


def joined(segments: Iterable[Sequence[tuple[str, float]]]) -> tuple[list[str | None], list[float | None]]:
    """Separate lines as one trace: their points one after the other, with a gap between them."""
    x: list[str | None] = []
    y: list[float | None] = []
    for segment in segments:
        x += [*(place for place, _ in segment), None]
        y += [*(value for _, value in segment), None]
    return x[:-1], y[:-1]
