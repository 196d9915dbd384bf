"""The label of a live desk in a real browser: whose money it is, whether orders pass, and why not."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(420)]


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of Debian's Chromium; skips visibly where it is missing."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        missing = "Chromium is not here: apt-get install chromium"
        if os.environ.get("QTP_REQUIRE_ALL"):
            pytest.fail(f"{missing} (and QTP_REQUIRE_ALL is set)")
        pytest.skip(missing)
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser.new_page(viewport={"width": 1280, "height": 900})
        browser.close()


def test_a_live_desk_says_whose_money_it_is_and_changes_its_label_when_armed_and_halted(
    page: Page, live_desk: Callable[[str], Any]
) -> None:
    desk = live_desk("binance")
    desk.start()
    page.goto(f"{desk.url}/chat/", wait_until="commit")
    badge = page.locator("#desk-badge")
    expect(badge).to_contain_text("LIVE account · not armed", timeout=60_000)
    expect(badge).not_to_contain_text("SIMULATED")
    account = badge.locator(".desk-part", has_text="LIVE account")
    expect(account).to_have_attribute("title", re.compile("REAL MONEY at binance.*is not armed"))

    armed = desk.command("arm", "--minutes", "5")
    assert armed.returncode == 0, armed.stderr
    page.reload(wait_until="commit")
    expect(badge).to_contain_text("LIVE account · armed until", timeout=60_000)
    expect(account).to_have_attribute("title", re.compile("REAL MONEY at binance: approved orders go out. Armed by"))

    assert desk.command("halt", "prices look wrong").returncode == 0
    page.reload(wait_until="commit")
    expect(badge).to_contain_text("HALTED", timeout=60_000)
    expect(badge.get_by_role("button", name="Resume")).to_be_visible()
