"""Charts as files: what is refused before anything is asked of a market, and what a written file holds."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engines.errors import InvalidRequest
from ui.cli.plotting import HEIGHT, WIDTH, Plot

Run = Callable[..., subprocess.CompletedProcess[str]]


def chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each part of a PNG, whose checksums are compared on the way."""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    place = 8
    while place < len(picture):
        (length,) = struct.unpack_from(">I", picture, place)
        body = picture[place + 4 : place + 8 + length]
        assert struct.unpack_from(">I", picture, place + 8 + length)[0] == zlib.crc32(body)
        yield body[:4], body[4:]
        place += 12 + length


def require_chromium() -> None:
    if not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        missing = "Chromium is not here: apt-get install chromium"
        if os.environ.get("QTP_REQUIRE_ALL"):
            pytest.fail(f"{missing} (and QTP_REQUIRE_ALL is set)")
        pytest.skip(missing)


@pytest.mark.parametrize("name", ["chart.jpg", "chart", "chart.pdf"])
def test_a_file_of_another_kind_is_refused_and_both_kinds_are_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidRequest, match=r"\.html.*\.png"):
        Plot(tmp_path / name)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="There is no folder"):
        Plot(tmp_path / "missing" / "chart.html")


@pytest.mark.parametrize("name", ["notes.html", "photo.png"])
def test_a_file_that_this_command_did_not_make_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(InvalidRequest, match="is there already and is no chart of this command"):
        Plot(tmp_path / name)
    assert (tmp_path / name).read_bytes() == b"mine"


def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / "circle.html").symlink_to("circle.html")
    for name in ("a" * 300 + ".html", "circle.html"):
        with pytest.raises(InvalidRequest, match="There can be no file"):
            Plot(tmp_path / name)


def test_a_link_to_a_chart_stays_a_link(run: Run, tmp_path: Path) -> None:
    chart, link = tmp_path / "chart.html", tmp_path / "latest.html"
    link.symlink_to(chart)
    done = run("analyze", "BTC/USDT", "4h", "--plot", str(link))
    assert done.returncode == 0, done.stderr
    assert link.is_symlink()
    assert "Quantum Trader Pro" in chart.read_text(encoding="utf-8")[:1024]


def test_a_folder_of_that_name_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "chart.html").mkdir()
    with pytest.raises(InvalidRequest, match="is there already"):
        Plot(tmp_path / "chart.html")


def test_nothing_is_analysed_for_a_file_that_cannot_be(run: Run, tmp_path: Path) -> None:
    result = run("analyze", "BTC/USDT", "4h", "--plot", "chart.gif")
    assert result.returncode == 2
    assert result.stdout == ""
    assert "'chart.gif' ends in '.gif'." in result.stderr
    assert list(tmp_path.glob("*.gif")) == []


def test_a_page_is_written_after_its_analysis_and_replaced_by_the_next(run: Run, tmp_path: Path) -> None:
    first = run("analyze", "BTC/USDT", "4h", "--plot", "chart.html", "--theme", "light")
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("BTC/USDT 4h")
    assert first.stdout.rstrip().endswith("Chart written to chart.html")
    text = (tmp_path / "chart.html").read_text(encoding="utf-8")
    assert "<title>BTC/USDT 4h on demo, simulated" in text
    assert "color-scheme: light" in text
    second = run("analyze", "ETH/USDT", "1h", "--plot", "chart.html", "--candles", "300")
    assert second.returncode == 0, second.stderr
    replaced = (tmp_path / "chart.html").read_text(encoding="utf-8")
    assert "<title>ETH/USDT 1h on demo, simulated" in replaced
    assert "300 candles between" in replaced
    assert "color-scheme: dark" in replaced
    assert [each.name for each in tmp_path.glob("*chart*")] == ["chart.html"]


def test_a_layer_that_is_not_there_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"no layer 'Moon phases'.*Schaff trend cycle"):
        Plot(tmp_path / "chart.html", shown=frozenset({"Moon phases"}))


@pytest.mark.parametrize("preset", ["vumanchu_c", "vumanchu_b_tv_parity"])
def test_a_preset_that_is_not_there_or_repaints_is_refused(tmp_path: Path, preset: str) -> None:
    with pytest.raises(InvalidRequest, match=preset):
        Plot(tmp_path / "chart.html", preset=preset)


def test_a_chart_of_cipher_a_says_so_and_has_its_ribbon(run: Run, tmp_path: Path) -> None:
    done = run("analyze", "BTC/USDT", "4h", "--plot", "chart.html", "--preset", "vumanchu_a")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "chart.html").read_text(encoding="utf-8")
    assert "<title>BTC/USDT 4h on demo, simulated, preset vumanchu_a, as of " in text
    assert re.search(r"<li>The ribbon (rises|falls): EMA 11 at", text)


def test_a_picture_has_its_size_and_says_what_it_shows(run: Run, tmp_path: Path) -> None:
    require_chromium()
    result = run("analyze", "BTC/USDT", "4h", "--plot", "chart.png")
    assert result.returncode == 0, result.stderr
    parts = list(chunks((tmp_path / "chart.png").read_bytes()))
    assert struct.unpack_from(">II", parts[0][1]) == (2 * WIDTH, 2 * HEIGHT)
    words = dict(body.decode().split("\0\0\0\0\0") for kind, body in parts if kind == b"iTXt")
    assert words["Software"] == "Quantum Trader Pro"
    assert words["Title"].startswith("BTC/USDT 4h on demo, simulated, as of ")
    assert "Point of control" in words["Description"]
    Plot(tmp_path / "chart.png")  # it would be replaced


def test_without_a_browser_a_picture_is_refused_with_a_page_as_the_way_out(run: Run, tmp_path: Path) -> None:
    result = run("analyze", "BTC/USDT", "4h", "--plot", "chart.png", BROWSER_PATH=str(tmp_path / "nothing"))
    assert result.returncode == 2
    assert "none was found on this machine" in result.stderr
    assert "apt-get install chromium" in result.stderr
    assert "FILE.html" in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.glob("*chart*"))


def test_a_browser_that_does_not_start_is_told_apart_from_none(run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "browser"
    broken.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\nexit 1\n')
    broken.chmod(0o755)
    result = run("analyze", "BTC/USDT", "4h", "--plot", "chart.png", BROWSER_PATH=str(broken))
    assert result.returncode == 2
    assert "Chromium did not draw the picture" in result.stderr
    # Whatever a browser wants to look up, it asks a proxy that nobody runs.
    assert "--proxy-server=127.0.0.1:9" in (tmp_path / "asked").read_text()
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.glob("*chart*"))
