"""The chat in a real browser: asking, ordering, deciding, coming back."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

Fills = Callable[[Any, str], list[dict[str, Any]]]


def label_of(card: Any) -> str:
    return str(card.get_attribute("data-ticket"))


def test_the_desk_says_what_it_is_before_anything_is_asked(chat: Any) -> None:
    badge = chat.page.locator("#desk-badge")
    expect(badge).to_contain_text("SIMULATED")
    expect(badge).to_contain_text("demo market")
    expect(badge).to_contain_text("paper account")
    expect(badge).to_contain_text("offline model")
    expect(chat.page.locator("#desk-welcome")).to_contain_text("orders wait for your approval")
    expect(chat.page.locator("#starters button")).to_have_count(4)


def test_a_starter_is_answered_with_receipts_a_chart_and_next_steps(chat: Any) -> None:
    page = chat.page
    page.get_by_role("button", name="How does BTC/USDT look on the 4h?").click()
    reply = chat.replies().last
    expect(reply).to_contain_text("BTC/USDT 4h")
    expect(reply).to_contain_text("Simulated")
    expect(page.locator('[data-step-type="tool"]').first).to_contain_text("BTC/USDT 4h")
    chart = page.locator(".desk-chart")
    expect(chart.locator("svg.main-svg").first).to_be_visible()
    for name in ("Wave trend", "Money flow", "RSI", "POC", "VAH", "VAL"):
        expect(chart.locator(".desk-chart-box")).to_contain_text(name)
    spoken = chart.locator(".desk-chart-box")
    expect(spoken).to_have_attribute("aria-label", re.compile(r"BTC/USDT 4h on demo, simulated: close"))
    marker = reply.locator('a[href^="#receipt-"]').first
    marker.hover()
    receipt = page.locator("#desk-receipt")
    expect(receipt).to_contain_text("analyze_cipher")
    expect(receipt).to_contain_text("demo (simulated)")
    expect(receipt).to_contain_text("Candle closed")
    page.keyboard.press("Escape")
    expect(receipt).to_be_hidden()
    before = chat.replies().count()
    reply.locator(".desk-next button").first.click()
    expect(chat.replies()).to_have_count(before + 1)


def test_an_edited_order_is_approved_on_its_new_ticket_and_filled_once(chat: Any, desk: Any, fills: Fills) -> None:
    first = chat.propose("buy 0.01 btc")
    old = label_of(first)
    first.get_by_role("button", name="Edit").click()
    first.get_by_label("Quantity").fill("0,02")
    first.get_by_role("button", name="Make new ticket").click()
    expect(first.get_by_role("alert")).to_contain_text("is not a positive number")
    first.get_by_label("Quantity").fill("0.02")
    first.get_by_role("button", name="Make new ticket").click()
    expect(chat.page.locator(f'[data-ticket="{old}"]')).to_have_attribute("data-status", "superseded")
    second = chat.ticket()
    new = label_of(second)
    assert new != old
    expect(second).to_contain_text("Buy 0.02 BTC at market")
    second.get_by_role("button", name="Approve").click()
    filled = chat.ticket("filled")
    expect(filled).to_contain_text(re.compile(r"Filled 0\.02 BTC at [\d,.]+ average, fee [\d.]+ USDT"))
    expect(chat.replies().last).to_contain_text("Filled 0.02")
    assert [fill["quantity"] for fill in fills(desk, new)] == ["0.02"]
    assert fills(desk, old) == []


def test_a_filled_card_says_what_became_of_its_exits(chat: Any) -> None:
    chat.propose("buy 0.0071 btc, stop 2 atr")
    chat.ticket().get_by_role("button", name="Approve").click()
    expect(chat.ticket("filled")).to_contain_text(re.compile(r"Stop-loss [\d,.]+ rests at the venue\."))


def test_pressing_approve_twice_sends_one_order(chat: Any, desk: Any, fills: Fills) -> None:
    card = chat.propose("buy 0.003 btc")
    label = label_of(card)
    card.get_by_role("button", name="Approve").dblclick()
    expect(chat.page.locator(f'[data-ticket="{label}"]')).to_have_attribute("data-status", "filled")
    assert len(fills(desk, label)) == 1


def test_the_keyboard_alone_is_enough_to_decide(chat: Any, desk: Any, fills: Fills) -> None:
    rejected = chat.propose("buy 0.004 btc")
    label = label_of(rejected)
    rejected.focus()
    chat.page.keyboard.press("r")
    expect(chat.page.locator(f'[data-ticket="{label}"]')).to_have_attribute("data-status", "rejected")
    assert fills(desk, label) == []
    approved = chat.propose("buy 0.005 btc")
    label = label_of(approved)
    approved.focus()
    chat.page.keyboard.press("a")
    expect(chat.page.locator(f'[data-ticket="{label}"]')).to_have_attribute("data-status", "filled")
    assert len(fills(desk, label)) == 1


def test_a_reload_brings_back_conversation_chart_and_waiting_ticket(chat: Any, desk: Any, fills: Fills) -> None:
    page = chat.page
    chat.say("How does ETH look on the 1h?")
    expect(page.locator(".desk-chart svg.main-svg").first).to_be_visible()
    label = label_of(chat.propose("buy 0.5 eth"))
    assert "/chat/thread/" in page.url
    chat.reload()
    expect(page.get_by_text("How does ETH look on the 1h?", exact=True).first).to_be_visible()
    expect(page.locator(".desk-chart svg.main-svg").first).to_be_visible()
    card = chat.ticket()
    assert label_of(card) == label
    expect(card.get_by_role("timer")).to_contain_text("left")
    expect(page.locator("#thread-history")).to_contain_text("● How does ETH look")
    card.get_by_role("button", name="Approve").click()
    chat.ticket("filled")
    assert len(fills(desk, label)) == 1
    chat.reload()
    assert label_of(chat.ticket("filled")) == label


def test_a_decision_made_elsewhere_shows_on_the_card(chat: Any, desk: Any) -> None:
    from ui.client import Decision, DeskClient

    label = label_of(chat.propose("buy 0.006 btc"))
    with DeskClient(desk.url) as client:
        (ticket,) = [ticket for ticket in client.tickets(status="pending") if ticket["label"] == label]
        client.decide(ticket["id"], Decision("reject", ticket["hash"]))
    expect(chat.page.locator(f'[data-ticket="{label}"]')).to_have_attribute("data-status", "rejected")


def test_a_refused_order_says_why_and_leaves_no_ticket(chat: Any) -> None:
    chat.say("buy 50 btc")
    expect(chat.replies().last).to_contain_text("10,000")
    expect(chat.page.locator(".desk-ticket")).to_have_count(0)


def test_a_message_too_long_for_the_desk_is_answered_with_a_remedy(chat: Any) -> None:
    chat.say("tell me about btc " * 1500)
    expect(chat.replies().last).to_contain_text("27,000 characters and the desk reads at most 20,000")
    chat.say("How does BTC look on the 1h?")
    expect(chat.replies().last).to_contain_text("BTC/USDT 1h")


def test_a_narrow_screen_scrolls_in_one_direction_only(open_chat: Any, desk: Any) -> None:
    chat = open_chat(desk, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    chat.open()
    chat.say("How does BTC look on the 4h?")
    expect(chat.page.locator(".desk-chart svg.main-svg").first).to_be_visible()
    card = chat.propose("buy 0.01 btc")
    expect(card.get_by_role("button", name="Approve")).to_be_in_viewport()
    expect(chat.page.locator("#desk-badge .desk-simulated")).to_be_visible()
    assert chat.page.evaluate("document.documentElement.scrollWidth") <= 360
    card.get_by_role("button", name="Reject").click()
    chat.ticket("rejected")


def test_the_chart_follows_the_theme(chat: Any) -> None:
    page = chat.page
    chat.say("How does BTC look on the 1d?")
    chart = page.locator(".desk-chart-box")
    expect(chart.locator("svg.main-svg").first).to_be_visible()
    background = "getComputedStyle(document.querySelector('.desk-chart-box .main-svg')).backgroundColor"
    assert page.evaluate(background) == "rgb(18, 21, 27)"
    page.locator("#theme-toggle").click()
    page.get_by_role("menuitem", name="Light").click()
    page.wait_for_function(f"{background} === 'rgb(255, 255, 255)'")
