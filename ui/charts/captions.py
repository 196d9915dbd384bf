"""The words on a chart: what its panes show, the names of its levels, the last values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ui.chart_words import Chart, at, price_formatter, unreadable
from ui.charts.canvas import DOMAINS, FLOW, OSCILLATORS, PANES, PRICE, WAVES, Canvas
from ui.charts.marks import SHAPES
from ui.charts.price import visible_prices

# How the key writes the shapes of `marks`, with the words of each.
_SIGNS: Final = {
    "green_dot": ("▲", "green dot"),
    "red_dot": ("▼", "red dot"),
    "buy_div_dot": ("◆", "divergence"),
    "sell_div_dot": ("■", "divergence"),
    "gold_dot": ("★", "gold"),
    "cross_up": ("○", "cross"),
    "cross_down": ("●", "cross"),
    "sommi_bull": ("▶", "Sommi flag"),
    "sommi_bear": ("◀", "Sommi flag"),
    "sommi_bull_diamond": ("◈", "Sommi diamond"),
    "sommi_bear_diamond": ("◈", "Sommi diamond"),
}

# A level this close to an end of the price pane, as a share of its height, has its name on the inner side.
_EDGE: Final = 0.06


def captions(canvas: Canvas) -> Iterator[Chart]:
    """Annotations of the figure."""
    yield from _keys(canvas)
    yield from _level_names(canvas)
    yield _last_close(canvas)
    yield from _latest(canvas)
    why = unreadable(canvas.chart)
    if why:
        bottom, top = DOMAINS[WAVES]
        middle = {"xref": "paper", "x": canvas.price_width / 2, "yref": "paper", "y": (bottom + top) / 2}
        yield {**middle, "showarrow": False, "font": {"size": 12}, "bgcolor": canvas.palette.label} | {
            "text": why.replace("; ", ";<br>") if canvas.narrow else why
        }


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
    happened = {event["name"] for event in canvas.chart["cipher"]["events"]}
    signs: dict[str, list[str]] = {}
    for name, (sign, words) in _SIGNS.items():
        if name in happened:
            signs.setdefault(words, []).append(_colored(getattr(palette, SHAPES[name].color), sign))
    marks = [f"{' '.join(drawn)} {words}" for words, drawn in signs.items()]
    return " · ".join([f"{waves} {_colored(palette.difference, '▅ wt1 − wt2')}", *marks])


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
    profile = chart["volume_profile"]
    if not profile:
        return
    price = price_formatter(chart)
    low, high = visible_prices(canvas)
    # At the other end of the line, so that it stays legible where it is close to an edge of the value area.
    ends = (("poc", "bottom", canvas.price_width - 0.004, "right"), ("vah", "bottom", 0.004, "left"))
    for name, anchor, x, side in (*ends, ("val", "top", 0.004, "left")):
        share = (profile[name] - low) / (high - low)
        if not 0 <= share <= 1:
            continue
        yield {
            "showarrow": False,
            "xref": "paper",
            "yref": PRICE,
            "x": x,
            "xanchor": side,
            "y": profile[name],
            # Never beyond the pane.
            "yanchor": "top" if share > 1 - _EDGE else "bottom" if share < _EDGE else anchor,
            "text": f"{name.upper()} {price(profile[name])}",
            "font": {"size": 11, "color": palette.level},
            "bgcolor": palette.label,
        }


def _last_close(canvas: Canvas) -> Chart:
    """On the price axis, over the axis' own numbers."""
    palette, candles = canvas.palette, canvas.chart["candles"]
    close = candles["close"][-1]
    return {
        "showarrow": False,
        "xref": "paper",
        "yref": PRICE,
        "x": 1,
        "xanchor": "left",
        "y": close,
        "yanchor": "middle",
        "text": f"<b>{price_formatter(canvas.chart)(close)}</b>",
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
