"""The folder the chat runs in."""

from __future__ import annotations

import importlib.util
import json
import re
import stat
import tomllib
from pathlib import Path

import pytest

from ui.chat.root import SHIPPED, prepare, secret

URL = "http://127.0.0.1:8000"


@pytest.fixture
def packaged() -> Path:
    spec = importlib.util.find_spec("chainlit")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def test_the_page_names_no_other_host(tmp_path: Path, packaged: Path) -> None:
    root = prepare(tmp_path, base_url=URL, packaged=packaged)
    page = (root / "page" / "index.html").read_text()
    assert "://" not in page
    for part in ("<!-- TAG INJECTION PLACEHOLDER -->", "<!-- JS INJECTION PLACEHOLDER -->", 'id="root"'):
        assert part in page
    for script in re.findall(r'(?:src|href)="/(assets/[^"]+)"', page):
        assert (root / "page" / script).is_file()


def test_only_the_desk_itself_is_an_allowed_origin(tmp_path: Path, packaged: Path) -> None:
    root = prepare(tmp_path, base_url=URL, packaged=packaged)
    settings = tomllib.loads((root / ".chainlit" / "config.toml").read_text())
    assert settings["project"]["allow_origins"] == ["http://127.0.0.1:8000", "http://localhost:8000"]
    assert not settings["features"]["unsafe_allow_html"]
    assert not settings["features"]["spontaneous_file_upload"]["enabled"]


def test_words_replace_chainlits_and_keep_the_rest(tmp_path: Path, packaged: Path) -> None:
    root = prepare(tmp_path, base_url=URL, packaged=packaged)
    words = json.loads((root / ".chainlit" / "translations" / "en-US.json").read_text())
    assert words["chat"]["input"]["actions"]["send"] == "Send message"
    assert words["auth"]["login"]["form"]["password"]["label"] == "API key"


def test_laying_it_out_again_clears_what_a_run_left_behind(tmp_path: Path, packaged: Path) -> None:
    root = prepare(tmp_path, base_url=URL, packaged=packaged)
    (root / ".files" / "left").write_text("x")
    (root / "public" / "old.js").write_text("x")
    prepare(tmp_path, base_url=URL, packaged=packaged)
    assert not list((root / ".files").iterdir())
    assert not (root / "public" / "old.js").exists()


def test_the_secret_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    first = secret(tmp_path)
    assert secret(tmp_path) == first
    assert len(first) >= 43
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_every_element_that_answers_name_is_shipped() -> None:
    shipped = {file.stem for file in (SHIPPED / "public" / "elements").glob("*.jsx")}
    assert shipped == {"DeskChart", "TicketCard", "DeskReceipts", "DeskNextSteps"}


def test_no_shipped_file_names_another_host() -> None:
    for file in (SHIPPED / "public").rglob("*"):
        if file.is_file():
            found = set(re.findall(r"https?://[\w.:-]+", file.read_text()))
            assert found <= {"http://www.w3.org"}, file.name
