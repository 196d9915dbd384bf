"""A chart as one HTML file: its library, its data and its words inside, and nothing fetched from anywhere."""

from __future__ import annotations

import html
import json
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Final

from ui.chart_words import Chart, facts, plain_title
from ui.charts import drawing
from ui.charts.palette import DARK, LIGHT

_TEMPLATE: Final = Path(__file__).with_name("page.html")


def page(chart: Chart, *, dark: bool, height: int, shown: frozenset[str] = frozenset()) -> str:
    """The chart with switches for its layers and its facts in words, for wide and narrow windows.

    A policy in the page forbids it to fetch anything, whatever its library would like to load.

    Args:
        chart: the chart JSON of the desk.
        dark: colours for a dark page.
        height: of the figure in pixels.
        shown: layers to show although they are usually hidden.

    Raises:
        FileNotFoundError: Plotly is not installed.
    """
    palette = DARK if dark else LIGHT
    sentences = facts(chart)
    figures = {
        name: drawing(chart, dark=dark, narrow=name == "narrow", height=height, shown=shown)
        for name in ("wide", "narrow")
    }
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=html.escape(plain_title(chart)),
        spoken=html.escape(" ".join(sentences)),
        facts="".join(f"<li>{html.escape(sentence)}</li>" for sentence in sentences),
        scheme="dark" if dark else "light",
        page=palette.page,
        text=palette.text,
        faint=palette.faint,
        grid=palette.grid,
        accent=palette.rise,
        # Text of a symbol must not be able to end the script it is data of.
        figures=json.dumps(figures, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c"),
        library=plotly_script().read_text(encoding="utf-8"),
    )


def plotly_script() -> Path:
    """Plotly's script for browsers, found without importing Plotly.

    Raises:
        FileNotFoundError: Plotly is not installed.
    """
    found = find_spec("plotly")
    if found is None or found.origin is None:
        raise FileNotFoundError("Plotly is not installed; install the desk from its lock file.")
    return Path(found.origin).parent / "package_data" / "plotly.min.js"
