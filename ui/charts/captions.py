"""The words on a chart: what its panes show, the names of its levels, the last values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ui.chart_words import Chart, at, unreadable
from ui.charts.canvas import DOMAINS, FLOW, OSCILLATORS, PANES, PRICE, WAVES, Canvas
from ui.charts.marks import SHAPES, drawn_names
from ui.charts.ribbon import SHAPES as SYMBOLS
from ui.charts.ribbon import shown_symbols
from ui.charts.tags import tag_captions

# How the key writes the shapes of `marks`, with the words of each.
_SIGNS: Final = {
    "green_dot": ("▲", "dot"),
    "red_dot": ("▼", "dot"),
    "buy_div_dot": ("◆", "divergence"),
    "sell_div_dot": ("■", "divergence"),
    "gold_dot": ("★", "gold"),
    "cross_up": ("○", "cross"),
    "cross_down": ("●", "cross"),
    "sommi_bull": ("▶", "Sommi"),
    "sommi_bear": ("◀", "Sommi"),
    "sommi_bull_diamond": ("◈", "Sommi"),
    "sommi_bear_diamond": ("◈", "Sommi"),
}

# Words of the layers of Cipher A's symbols.
_SYMBOL_WORDS: Final = {
    "EMA crosses": "EMA cross",
    "Blue triangles": "triangle",
    "Wave diamonds": "waves",
    "Ribbon circles": "ribbon",
    "Yellow X": "yellow X",
    "Blood and moon diamonds": "blood, moon",
    "Bull and bear candles": "candle",
}
# Letters that fit on the narrowest of the wide pages, at any mixture of letters.
_WIDEST: Final = 75
_MARKUP: Final = re.compile("<[^>]*>")


def captions(canvas: Canvas, height: int) -> Iterator[Chart]:
    """Annotations of the figure."""
    yield from _keys(canvas)
    yield from tag_captions(canvas, height)
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
    plain |= {"align": "left"}
    for axis in PANES:
        words = _KEYS[axis](canvas)
        if words:
            yield {**plain, "y": DOMAINS[axis][1], "font": {"size": 11, "color": canvas.palette.text}, "text": words}


def _colored(color: str, words: str) -> str:
    return f'<span style="color:{color}">{words}</span>'


def _price_key(canvas: Canvas) -> str:
    chart, palette = canvas.chart, canvas.palette
    profile, average = chart["volume_profile"], chart.get("vwap")
    ribbon = "ribbon_lengths" in chart["cipher"]
    parts = [_ribbon_key(canvas)] if ribbon else []
    if average:
        parts.append(_colored(palette.average, f"━ VWAP of the {average['anchor']}"))
    nodes = [words for kind, words in (("hvn", "◀ HVN"), ("lvn", "◁ LVN")) if profile and profile.get(kind)]
    if nodes:
        parts.append(" ".join(nodes))
    if profile and profile.get("built_from") and not canvas.narrow:
        count = profile.get("lookback")
        parts.append(f"volume {_of_candles(count)}")
        if not ribbon:
            parts[-1] += f", built from {profile['built_from']} candles"
    symbols = list(_symbol_keys(canvas)) if ribbon and not canvas.narrow else []
    return "<br>".join(" · ".join(line) for line in (parts, symbols) if line)


def _ribbon_key(canvas: Canvas) -> str:
    palette, lengths = canvas.palette, canvas.chart["cipher"]["ribbon_lengths"]
    second, eighth = _colored(palette.fast, f"━ EMA {lengths[1]}"), _colored(palette.slow, f"┅ {lengths[7]}")
    return f"{second} {eighth}" if canvas.narrow else f"<b>Ribbon</b> {second} {eighth}"


def _symbol_keys(canvas: Canvas) -> Iterator[str]:
    """Those symbols of Cipher A that are in sight at first."""
    palette = canvas.palette
    signs: dict[str, list[str]] = {}
    for name in shown_symbols(canvas):
        symbol = SYMBOLS[name]
        signs.setdefault(symbol.layer, []).append(_colored(getattr(palette, symbol.color), symbol.sign))
    for layer, drawn in signs.items():
        yield f"{' '.join(drawn)} {_SYMBOL_WORDS[layer]}"


def _of_candles(count: int | None) -> str:
    return f"of the last {count:,} candle{'' if count == 1 else 's'}" if count else "of the candles shown"


def _wave_key(canvas: Canvas) -> str:
    palette = canvas.palette
    panel = canvas.chart["cipher"]
    waves = f"<b>Wave trend</b> {_colored(palette.fast, '━ wt1')} {_colored(palette.slow, '┅ wt2')}"
    if "vwap" not in panel:
        return waves
    if canvas.narrow:
        return f"{waves} {_colored(palette.rise, '▲')} {_colored(palette.fall, '▼')} ○ ●"
    happened = drawn_names(canvas)
    signs: dict[str, list[str]] = {}
    for name, (sign, words) in _SIGNS.items():
        if name in happened:
            signs.setdefault(words, []).append(_colored(getattr(palette, SHAPES[name].color), sign))
    marks = [f"{' '.join(drawn)} {words}" for words, drawn in signs.items()]
    if any(event.get("second_range") and event["name"] in happened for event in panel["events"]):
        marks.append("◇ □ second range")
    return _lined(f"{waves} {_colored(palette.difference, '▅ wt1 − wt2')}", marks)


def _lined(first: str, more: list[str]) -> str:
    """A key on two lines where one could be wider than the chart."""
    line = " · ".join([first, *more])
    return line if len(_MARKUP.sub("", line)) <= _WIDEST else f"{first}<br>{' · '.join(more)}"


def _flow_key(canvas: Canvas) -> str:
    ribbon = "" if canvas.narrow else " · its sign is the ribbon under the waves, hatched below zero"
    return f"<b>Money flow</b>{ribbon}"


def _oscillator_key(canvas: Canvas) -> str:
    palette = canvas.palette
    stochastic = f"{_colored(palette.fast, '━ stochastic K')} {_colored(palette.slow, '┅ D')}"
    has_stochastic = "stoch_k" in canvas.chart["cipher"]
    return " ".join([_colored(palette.level, "<b>━ RSI</b>"), *([stochastic] if has_stochastic else [])])


_KEYS: Final = {PRICE: _price_key, WAVES: _wave_key, FLOW: _flow_key, OSCILLATORS: _oscillator_key}


def _latest(canvas: Canvas) -> Iterator[Chart]:
    """The panes' last values, in the room under the volume profile."""
    if canvas.narrow or canvas.price_width == 1:
        return
    panel, palette = canvas.chart["cipher"], canvas.palette
    # Beyond the numbers of the panes' own axes.
    beside = {"x": canvas.price_width, "xanchor": "left", "xshift": 36, "align": "left"}
    plain = {"showarrow": False, "xref": "paper", **beside}
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
