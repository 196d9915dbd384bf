"""The panes of the Cipher panel: waves with their marks, money flow, and the oscillators."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

from ui.chart_words import Chart, Numbers
from ui.charts.canvas import FLOW, OSCILLATORS, WAVES, Canvas, label, line, rounded, trace

# Points on the wave axis between which the money flow's ribbon runs.
RIBBON: Final = (-99, -95)
_REACH: Final = 118.0


def wave_range(canvas: Canvas) -> tuple[float, float]:
    """Ends of the wave axis: room for every wave, mark and the ribbon."""
    panel = canvas.chart["cipher"]
    waves = [abs(value) for column in ("wt1", "wt2") for value in panel[column] if value is not None]
    reach = max([*(value * 1.04 for value in waves), _REACH])
    return -reach, reach


def wave_traces(canvas: Canvas) -> Iterator[Chart]:
    """Both waves and their difference as areas, and the money flow's ribbon under them."""
    panel, palette = canvas.chart["cipher"], canvas.palette
    filled = {"axis": WAVES, "fill": "tozeroy"}
    yield line(canvas, panel["wt1"], name="wt1", color=palette.fast, fillcolor=palette.fast_area, **filled)
    yield line(
        canvas,
        panel["wt2"],
        name="wt2",
        color=palette.slow,
        fillcolor=palette.slow_area,
        line={"dash": "dot"},
        **filled,
    )
    # Cipher A has waves without their difference.
    if "vwap" in panel:
        yield line(
            canvas,
            panel["vwap"],
            name="wt1 − wt2",
            color=palette.difference,
            fillcolor=palette.difference_area,
            line={"width": 0.8},
            **filled,
        )
    yield from _ribbon(canvas, panel["money_flow"])


def flow_traces(canvas: Canvas) -> Iterator[Chart]:
    """Money flow as an area over and under zero, and its line."""
    flow: Numbers = canvas.chart["cipher"]["money_flow"]
    palette = canvas.palette
    for name, sign, color in (("money in", 1, palette.rise_area), ("money out", -1, palette.fall_area)):
        yield trace(
            "scatter",
            **canvas.across(),
            y=rounded([None if value is None else max(value * sign, 0.0) * sign for value in flow]),
            name=name,
            mode="lines",
            fill="tozeroy",
            fillcolor=color,
            line={"width": 0},
            yaxis=FLOW,
            hoverinfo="skip",
        )
    yield line(canvas, flow, name="money flow", axis=FLOW, color=palette.text, line={"width": 0.9})


def oscillator_traces(canvas: Canvas) -> Iterator[Chart]:
    """RSI, Stoch RSI and the Schaff trend cycle, of which Cipher A has RSI alone."""
    panel, palette = canvas.chart["cipher"], canvas.palette
    thin = {"width": 1.0}
    stochastic = {"axis": OSCILLATORS, **canvas.layer("Stoch RSI")}
    if "stoch_k" in panel:
        dotted = {**thin, "dash": "dot"}
        yield line(canvas, panel["stoch_k"], name="stoch K", color=palette.fast, line=thin, **stochastic)
        yield line(canvas, panel["stoch_d"], name="stoch D", color=palette.slow, line=dotted, **stochastic)
    if panel.get("stc"):
        yield line(
            canvas,
            panel["stc"],
            name="Schaff",
            axis=OSCILLATORS,
            color=palette.cycle,
            line={"width": 1.2, "dash": "dashdot"},
            **canvas.layer("Schaff trend cycle", shown=False),
        )
    yield line(canvas, panel["rsi"], name="RSI", axis=OSCILLATORS, color=palette.level, line={"width": 1.8})


def _ribbon(canvas: Canvas, flow: Numbers) -> Iterator[Chart]:
    """The money flow's sign as a band: solid where money comes in, hatched where it goes out."""
    half = canvas.step / 2
    runs: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
    known = [(time, value > 0) for time, value in zip(canvas.open_times, flow, strict=True) if value is not None]
    for into, group in itertools.groupby(known, key=lambda pair: pair[1]):
        times = [time for time, _ in group]
        runs[into].append((times[0], times[-1]))
    low, high = RIBBON
    for into, color in ((True, canvas.palette.rise), (False, canvas.palette.fall)):
        x: list[str | None] = []
        y: list[int | None] = []
        for start, end in runs[into]:
            left, right = label(start - half), label(end + half)
            x += [left, left, right, right, left, None]
            y += [low, high, high, low, low, None]
        yield trace(
            "scatter",
            x=x[:-1],
            y=y[:-1],
            name="money in" if into else "money out",
            mode="lines",
            fill="toself",
            line={"width": 0},
            **({"fillcolor": color} if into else {"fillpattern": {"shape": "/", "size": 4, "fgcolor": color}}),
            yaxis=WAVES,
            hoverinfo="skip",
        )
