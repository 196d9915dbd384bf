"""A chart in a real browser: as a page of its own that fetches nothing, and with parts that can be shown and hidden."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from engines.chart import chart_data
from engines.domain.clock import SystemClock
from engines.market.demo import DemoMarket
from ui.charts.page import page as written_page

pytestmark = pytest.mark.browser
PROGRAM = Path(sys.executable).parent / "quantum-trader"
VISIBLE = "(name) => document.querySelector('.js-plotly-plot').data.find((trace) => trace.legendgroup === name).visible"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chart as the command line writes it."""
    folder = tmp_path_factory.mktemp("plot")
    command = [str(PROGRAM), "analyze", "ETH/USDT", "1h", "--plot", "chart.html", "--home", str(folder / "home")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, cwd=folder, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "chart.html"


@pytest.fixture
def opened(chromium: Browser, written: Path) -> Iterator[tuple[Page, list[str], list[str]]]:
    """The page, what it asked for and what it complained about."""
    page = chromium.new_page(viewport={"width": 1300, "height": 1000})
    asked, complaints = list[str](), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(written.as_uri())
    expect(page.locator("#chart svg.main-svg").first).to_be_visible()
    yield page, asked, complaints
    page.close()


def test_a_written_chart_draws_itself_and_asks_for_nothing(opened: Any, written: Path) -> None:
    page, asked, complaints = opened
    chart = page.locator("#chart")
    for name in ("Wave trend", "Money flow", "RSI", "POC", "VAH", "VAL", "ETH/USDT"):
        expect(chart).to_contain_text(name)
    assert chart.locator("path.box").count() > 100
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [written.as_uri()]
    assert complaints == []


def test_parts_of_a_written_chart_are_switched_with_the_keyboard(opened: Any) -> None:
    page, _, complaints = opened
    box = page.get_by_label("Schaff trend cycle")
    expect(box).not_to_be_checked()
    assert page.evaluate(VISIBLE, "Schaff trend cycle") == "legendonly"
    box.focus()
    page.keyboard.press("Space")
    assert page.evaluate(VISIBLE, "Schaff trend cycle") is True
    page.keyboard.press("Space")
    assert page.evaluate(VISIBLE, "Schaff trend cycle") == "legendonly"
    assert complaints == []


def test_a_written_chart_says_in_words_what_it_shows(opened: Any) -> None:
    page, _, _ = opened
    expect(page.get_by_role("heading", name="The chart in words")).to_be_visible()
    spoken = page.get_by_role("img").first.get_attribute("aria-label")
    for fact in page.locator("figcaption li").all_text_contents():
        assert fact in spoken


def test_a_narrow_window_shows_fewer_candles_and_keeps_what_was_chosen(opened: Any) -> None:
    page, _, complaints = opened
    page.get_by_label("Schaff trend cycle").check()
    first = "() => document.querySelector('.js-plotly-plot').layout.xaxis.range[0]"
    wide = page.evaluate(first)
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function(f"before => ({first})() > before", arg=wide)
    assert page.evaluate(VISIBLE, "Schaff trend cycle") is True
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []


def test_parts_of_a_chart_in_the_chat_are_switched_with_the_keyboard_and_stay_so(chat: Any) -> None:
    page = chat.page
    chat.say("How does BTC look on the 4h?")
    expect(page.locator(".desk-chart svg.main-svg").first).to_be_visible()
    page.get_by_text("What the chart shows").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Schaff trend cycle").focus()
    page.keyboard.press("Space")
    assert page.evaluate(VISIBLE, "Schaff trend cycle") is True
    page.set_viewport_size({"width": 390, "height": 844})
    narrow = "() => document.querySelector('.js-plotly-plot').layout.xaxis.nticks === 5"
    page.wait_for_function(narrow)
    assert page.evaluate(VISIBLE, "Schaff trend cycle") is True
    expect(page.get_by_label("Schaff trend cycle")).to_be_checked()


# Words and numbers of a chart, with their places in it; spaces that lead a word are no part of it.
LABELS = """() => {
  const box = document.querySelector('#chart').getBoundingClientRect();
  const kinds = ['.annotation', '.xtick', '.ytick', '.y2tick', '.y3tick', '.y4tick', '.textpoint', '.g-gtitle'];
  const found = [...document.querySelectorAll(kinds.map((kind) => `#chart ${kind} text`).join(', '))];
  return found.filter((node) => node.textContent.trim()).map((node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    const text = document.createTreeWalker(node, NodeFilter.SHOW_TEXT).nextNode();
    range.setStart(text, text.data.length - text.data.trimStart().length);
    const at = range.getBoundingClientRect();
    return { text: node.textContent.trim(), x: [at.left - box.left, at.right - box.left],
      y: [at.top - box.top, at.bottom - box.top], room: Math.min(at.left - box.left, box.right - at.right,
      at.top - box.top, box.bottom - at.bottom) };
  });
}"""


@pytest.mark.parametrize("width", [1400, 700, 390])
@pytest.mark.parametrize(
    ("symbol", "preset"), [("BTC/USDT", "vumanchu_b"), ("ETH/USDT", "vumanchu_b"), ("ETH/USDT", "vumanchu_a")]
)
def test_no_two_words_of_a_chart_overlap_and_none_touches_an_edge(
    chromium: Browser, tmp_path: Path, symbol: str, preset: str, width: int
) -> None:
    known = datetime(2026, 3, 2, 12, tzinfo=UTC)
    shown = chart_data(DemoMarket(SystemClock()), symbol, "4h", as_of=known, preset=preset)
    (tmp_path / "chart.html").write_text(written_page(shown, dark=False, height=900), encoding="utf-8")
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.goto((tmp_path / "chart.html").as_uri())
    expect(page.locator("#chart svg.main-svg").first).to_be_visible()
    page.wait_for_function(
        """width => {
      const chart = document.querySelector('.js-plotly-plot');
      const drawn = document.querySelector('#chart .main-svg').clientWidth <= width;
      return drawn && chart.layout.xaxis.nticks === (width < 640 ? 5 : 10);
    }""",
        arg=width,
    )
    labels = page.evaluate(LABELS)
    page.close()
    assert {symbol, "Wave", "Money", "POC", "nPOC", "30"} <= {
        label["text"].split()[0].replace("\u2212", "-") for label in labels
    }
    assert [label["text"] for label in labels if label["room"] < 5] == []
    # Boxes of letters are higher than the letters: lines a pixel closer than that are still apart.
    over = [
        (one["text"], other["text"])
        for one, other in itertools.combinations(labels, 2)
        if all(min(one[axis][1], other[axis][1]) - max(one[axis][0], other[axis][0]) > 2 for axis in ("x", "y"))
    ]
    assert over == []
