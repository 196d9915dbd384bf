"""The kill switch in a real browser: it asks before it acts, shows, and is lifted."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from engines.domain.clock import SystemClock
from engines.ledger.ledger import Ledger
from engines.storage.database import open_database

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def switch(chat: Any, desk: Any) -> Any:
    """The chat of a desk that is lifted again whatever happens to the test."""
    yield chat
    desk.run("resume", "the test is over")


def rest(chat: Any, desk: Any) -> str:
    """Place a buy far below the market; how it reads."""
    close = desk.ask("/v1/candles", symbol="ETH/USDT", timeframe="1h", limit="1")["candles"][-1]["close"]
    price = round(float(close) * 0.7)
    chat.propose(f"buy 0.1 eth at {price}").get_by_role("button", name="Approve").click()
    chat.ticket("accepted")
    return f"buy 0.1 ETH/USDT, limit {price:,}"


def test_stopping_asks_first_cancels_what_is_open_and_shows_until_somebody_resumes(switch: Any, desk: Any) -> None:
    page, badge = switch.page, switch.page.locator("#desk-badge")
    order = rest(switch, desk)
    page.get_by_role("button", name="Stop trading").click()
    dialog = page.get_by_role("dialog", name="Stop all trading?")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Back").click()
    assert desk.ask("/v1/status")["trading"]["state"] == "active"

    page.get_by_role("button", name="Stop trading").click()
    dialog.get_by_role("button", name="Stop trading").click()
    expect(dialog).to_be_visible()
    assert desk.ask("/v1/status")["trading"]["state"] == "active"
    dialog.get_by_label("Reason").fill("prices look wrong")
    dialog.get_by_label("Cancel every open order too").check()
    dialog.get_by_role("button", name="Stop trading").click()
    shown = page.locator("#desk-switch")
    expect(shown).to_contain_text("Trading is HALTED")
    expect(shown.get_by_role("listitem")).to_have_text([f"{order}: cancelled"])
    assert desk.ask("/v1/orders", status="open")["orders"] == []
    shown.get_by_role("button", name="Close").click()
    expect(badge).to_contain_text("HALTED")
    expect(badge.locator(".desk-halted")).to_have_attribute("title", "prices look wrong (set by local)")

    switch.say("buy 0.02 btc")
    expect(switch.replies().last).to_contain_text("The desk is HALTED, so only cancels pass")
    switch.reload()
    expect(badge).to_contain_text("HALTED")
    page.get_by_role("button", name="Resume").click()
    asked = page.get_by_role("dialog", name="Trade again?")
    expect(asked).to_contain_text("prices look wrong")
    asked.get_by_label("Reason").fill("checked")
    asked.get_by_role("button", name="Resume trading").click()
    expect(asked).to_be_hidden()
    expect(badge).not_to_contain_text("HALTED")
    assert switch.propose("buy 0.02 btc").is_visible()


def test_a_narrow_label_shows_all_that_is_wrong_and_the_stop_tells_first_what_it_left_bare(
    start_desk: Any, open_chat: Any
) -> None:
    desk = start_desk(QTP_TICKET_SECONDS="600")
    wide = open_chat(desk)
    wide.open()
    for number, (symbol, quantity) in enumerate((("BTC", "0.002"), ("ETH", "0.05")), 1):
        close = desk.ask("/v1/candles", symbol=f"{symbol}/USDT", timeframe="1h", limit="1")["candles"][-1]["close"]
        card = wide.propose(f"buy {quantity} {symbol}, stop {round(float(close) * 0.7)}")
        card.get_by_role("button", name="Approve").click()
        expect(wide.page.locator('.desk-ticket[data-status="filled"]')).to_have_count(number)
    wide.propose("buy 1 sol")
    chat = open_chat(desk, viewport={"width": 390, "height": 844})
    chat.open()
    chat.page.get_by_role("button", name="Stop trading").click()
    dialog = chat.page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("prices look wrong")
    dialog.get_by_label("Cancel every open order too").check()
    dialog.get_by_role("button", name="Stop trading").click()
    expect(dialog.get_by_role("listitem").first).to_contain_text("is not protected")
    dialog.get_by_role("button", name="Close").click()
    parts = chat.page.locator("#desk-badge .desk-part")
    for text in ("HALTED", "UNPROTECTED", "SIMULATED", "waits", "Resume"):
        expect(parts.filter(has_text=text)).to_be_in_viewport(ratio=1)
    boxes = [each.bounding_box() for each in parts.all() if each.is_visible()]
    assert max(box["y"] + box["height"] for box in boxes) <= 60


def test_what_only_reduces_can_be_stopped_altogether_or_resumed(switch: Any, desk: Any) -> None:
    account = desk.ask("/v1/portfolio")["account"]
    engine = open_database("desk", home=desk.home)
    Ledger(engine, SystemClock()).change_state("reducing", reason="lost too much", by="the test", account=account)
    engine.dispose()
    switch.reload()
    badge = switch.page.locator("#desk-badge")
    expect(badge).to_contain_text("REDUCING")
    expect(badge.get_by_role("button", name="Resume")).to_be_visible()
    badge.get_by_role("button", name="Stop trading").click()
    dialog = switch.page.get_by_role("dialog", name="Stop all trading?")
    dialog.get_by_label("Reason").fill("all of it")
    dialog.get_by_role("button", name="Stop trading").click()
    expect(badge).to_contain_text("HALTED")
    expect(badge.get_by_role("button", name="Stop trading")).to_have_count(0)


def test_a_halt_from_elsewhere_shows_in_the_chat(switch: Any, desk: Any) -> None:
    (desk.home / "HALT").write_text("pulled by hand\n")
    switch.reload()
    told = f"pulled by hand (set by the file {desk.home / 'HALT'})"
    expect(switch.page.locator("#desk-badge .desk-halted")).to_have_attribute("title", told)


def test_a_ticket_like_one_just_sent_says_so_and_takes_a_tick_before_it_is_approved(chat: Any) -> None:
    chat.propose("buy 0.03 btc").get_by_role("button", name="Approve").click()
    chat.ticket("filled")
    chat.say("buy 0.03 btc")
    card = chat.ticket()
    expect(card).to_contain_text("You may have sent this already")
    approve = card.get_by_role("button", name="Approve")
    expect(approve).to_be_disabled()
    card.get_by_role("checkbox").check()
    approve.click()
    expect(chat.page.locator('.desk-ticket[data-status="filled"]')).to_have_count(2)
