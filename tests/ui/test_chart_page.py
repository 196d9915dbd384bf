"""A chart as one HTML file: everything is inside, and it says in words what it shows."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from ui.chart_words import facts
from ui.charts import drawing, layers
from ui.charts.page import page

Chart = dict[str, Any]


def figures(text: str) -> dict[str, Any]:
    (found,) = re.findall(r'<script type="application/json" id="figures">(.*?)</script>', text, re.DOTALL)
    parsed: dict[str, Any] = json.loads(found)
    return parsed


def own_part(text: str) -> str:
    """The page without the chart library."""
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    return text.replace(max(scripts, key=len), "")


def test_a_page_has_its_library_inside_and_refers_to_nothing_outside(chart: Chart) -> None:
    text = page(chart, dark=True, height=900)
    assert "Plotly" in text
    assert len(text) > 1_000_000
    assert not re.findall(r"https?:|src=|url\(", own_part(text))


def test_a_page_forbids_itself_to_fetch_anything(chart: Chart) -> None:
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="(.*?)"', page(chart, dark=True, height=900))
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert allowed["default-src"] == "'none'"
    assert {name for name, sources in allowed.items() if "self" in sources or "http" in sources} == set()


@pytest.mark.parametrize("dark", [True, False])
def test_a_page_holds_the_wide_and_the_narrow_drawing_of_its_theme(chart: Chart, dark: bool) -> None:
    drawn = figures(page(chart, dark=dark, height=900))
    assert drawn["wide"] == json.loads(json.dumps(drawing(chart, dark=dark, height=900)))
    assert drawn["narrow"] == json.loads(json.dumps(drawing(chart, dark=dark, height=900, narrow=True)))


def test_a_page_says_every_fact_in_words(chart: Chart) -> None:
    text = page(chart, dark=False, height=900)
    for fact in facts(chart):
        assert f"<li>{fact}</li>" in text
    assert 'aria-label="BTC/USDT 1h on demo, simulated: close 104.0' in text
    assert "<title>BTC/USDT 1h on demo, simulated, as of 2026-11-22 15:00 UTC</title>" in text


def test_layers_asked_for_are_shown(chart: Chart) -> None:
    drawn = figures(page(chart, dark=True, height=900, shown=frozenset({"Schaff trend cycle"})))
    assert layers(drawn["wide"])["Schaff trend cycle"] is True


def test_a_symbol_cannot_break_out_of_the_page(chart: Chart) -> None:
    chart["symbol"] = "</script><script>alert(1)</script>"
    text = own_part(page(chart, dark=True, height=900))
    assert "alert(1)</script>" not in text
    assert "<script>alert" not in text
    assert figures(text)["wide"]["layout"]["title"]["text"].startswith("<b></script>")
