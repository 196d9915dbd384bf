"""The chat when things end: time, the server, the permission to come in."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

Fills = Callable[[Any, str], list[dict[str, Any]]]


def test_a_ticket_survives_kill_and_restart_and_is_filled_once(start_desk: Any, open_chat: Any, fills: Fills) -> None:
    desk = start_desk(QTP_TICKET_SECONDS="900")
    chat = open_chat(desk)
    chat.open()
    label = chat.propose("buy 0.01 btc").get_attribute("data-ticket")
    desk.kill()
    expect(chat.page.locator("#session-error")).to_contain_text("Nothing is lost")
    desk.start()
    expect(chat.page.locator("#session-error")).to_have_count(0, timeout=60_000)
    card = chat.ticket()
    assert card.get_attribute("data-ticket") == label
    card.get_by_role("button", name="Approve").and_(chat.page.locator(":enabled")).click()
    chat.ticket("filled")
    assert len(fills(desk, label)) == 1
    desk.kill()
    desk.start()
    chat.reload()
    assert chat.ticket("filled").get_attribute("data-ticket") == label
    expect(chat.page.get_by_text("buy 0.01 btc", exact=True).first).to_be_visible()
    assert len(fills(desk, label)) == 1


def test_enter_before_the_chat_is_connected_sends_once_it_is(start_desk: Any, open_chat: Any) -> None:
    desk = start_desk()
    chat = open_chat(desk)
    chat.open()
    desk.kill()
    expect(chat.page.locator("#session-error")).to_be_visible()
    chat.say("buy 0.01 btc")
    desk.start()
    chat.ticket()
    expect(chat.page.locator("#chat-input")).to_have_value("")
    assert len(desk.ask("/v1/tickets")["tickets"]) == 1


def test_what_is_changed_after_enter_is_not_sent_by_itself(start_desk: Any, open_chat: Any) -> None:
    desk = start_desk()
    chat = open_chat(desk)
    chat.open()
    desk.kill()
    expect(chat.page.locator("#session-error")).to_be_visible()
    chat.say("buy 0.01 btc")
    chat.page.keyboard.type("c")
    desk.start()
    expect(chat.page.locator("#session-error")).to_have_count(0, timeout=60_000)
    expect(chat.page.locator("#chat-submit")).to_be_enabled()
    chat.page.wait_for_timeout(1000)
    expect(chat.page.locator("#chat-input")).to_have_value("buy 0.01 btcc")
    assert desk.ask("/v1/tickets")["tickets"] == []


def test_a_ticket_nobody_decided_counts_down_to_expired(start_desk: Any, open_chat: Any, fills: Fills) -> None:
    desk = start_desk(QTP_TICKET_SECONDS="20")
    chat = open_chat(desk)
    chat.open()
    card = chat.propose("buy 0.01 btc")
    label = card.get_attribute("data-ticket")
    expect(card.get_by_role("timer")).to_contain_text(re.compile(r"\d+ s left"))
    expired = chat.ticket("expired")
    assert expired.get_attribute("data-ticket") == label
    expect(expired).to_contain_text("nothing was sent")
    expect(expired.get_by_role("button", name="Approve")).to_have_count(0)
    assert fills(desk, label) == []


def test_with_keys_only_a_key_lets_people_in_and_acts_for_them(start_desk: Any, open_chat: Any) -> None:
    made: list[str] = []

    def create_key(desk: Any) -> None:
        printed = desk.run("keys", "create", "chat", "--scope", "read", "--scope", "trade", "--scope", "approve")
        made.extend(re.findall(r"qtp_[0-9a-f]{12}_[0-9a-f]{48}", printed))

    desk = start_desk(create_key)
    (right,) = made
    chat = open_chat(desk)
    page = chat.page
    page.goto(f"{desk.url}/chat", wait_until="commit")
    page.wait_for_url("**/chat/login")
    expect(page.get_by_role("alert")).to_contain_text("needs an API key")
    for key in ("qtp_wrong", right):
        page.locator("#email").fill("me")
        page.locator("#password").fill(key)
        with page.expect_response("**/chat/login") as answered:
            page.keyboard.press("Enter")
        assert answered.value.ok == (key == right)
    page.wait_for_selector("#chat-input", timeout=60_000)
    card = chat.propose("buy 0.01 btc")
    card.get_by_role("button", name="Approve").click()
    chat.ticket("filled")
    assert right not in page.content()
    assert right not in desk.log


def test_real_candles_are_not_called_simulated(start_desk: Any, open_chat: Any, shared: Path) -> None:
    def import_candles(desk: Any) -> None:
        candles = shared / "data" / "btcusd-1h.csv.gz"
        desk.run("import-candles", str(candles), "--symbol", "BTC/USD", "--timeframe", "1h")

    desk = start_desk(import_candles, QTP_MARKET="files")
    chat = open_chat(desk)
    chat.open()
    badge = chat.page.locator("#desk-badge")
    expect(badge).to_contain_text("files market")
    expect(badge).not_to_contain_text("SIMULATED")
    chat.page.get_by_role("button", name="How does BTC/USD look on the 4h?").click()
    expect(chat.replies().last).to_contain_text("BTC/USD")
    chat.say("How does BTC/USD look on the 1h?")
    expect(chat.page.locator(".desk-chart svg.main-svg").last).to_be_visible()
    expect(chat.replies().last).not_to_contain_text("imulated")
    card = chat.propose("buy 0.01 BTC/USD")
    card.get_by_role("button", name="Approve").click()
    expect(chat.ticket("filled")).to_contain_text("Filled 0.01 BTC")
