"""The ticket card in a real browser: what a trader reads on it, wide and narrow, dark and light."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

# Contrast of every text on its background, by the formula of WCAG 2; 4.5 is what AA asks of small text.
FAINT: Final = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = colour.slice(0, 3).map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (let each = node; each; each = each.parentElement) {
      const colour = parts(getComputedStyle(each).backgroundColor);
      if (colour.length < 4 || colour[3] > 0.9) return colour;
    }
    return [255, 255, 255];
  };
  const said = (node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
  return [...document.querySelectorAll('.desk-ticket *, #desk-badge *')].filter(said).map((node) => {
    const [a, b] = [light(parts(getComputedStyle(node).color)), light(behind(node))];
    return [node.textContent.slice(0, 40), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
  }).filter(([, ratio]) => ratio < 4.5);
}"""


def resting(chat: Any, desk: Any) -> Any:
    """A tiny buy far below the market with both exits, as a ticket that waits."""
    close = float(desk.ask("/v1/candles", symbol="BTC/USDT", timeframe="1h", limit="1")["candles"][-1]["close"])
    below, stop, target = round(close * 0.8), round(close * 0.7), round(close * 1.2)
    return chat.propose(f"buy 0.0002 btc at {below} with a stop loss at {stop} and take profit at {target}")


def test_a_resting_buy_says_when_it_is_sent_who_holds_its_exits_and_how_little_it_risks(chat: Any, desk: Any) -> None:
    card = resting(chat, desk)
    expect(card).to_contain_text("only if the market is still at")
    expect(card).to_contain_text("held by the paper venue as soon as this order fills; watched only while this desk")
    expect(card).to_contain_text("under 0.01 % of the account")
    card.get_by_text("Limits all passed").click()
    rows = card.get_by_role("row")
    expect(rows.filter(has_text="value of one order").get_by_role("cell").last).to_have_text("under 1 %")
    expect(rows.filter(has_text="age of trading rules").get_by_role("cell").last).to_have_text("passed")
    assert [row for row in rows.all_inner_texts() if "\t\t" in row] == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_narrow_card_breaks_no_word_of_its_limits_and_can_be_read(open_chat: Any, desk: Any, theme: str) -> None:
    chat = open_chat(desk, viewport={"width": 390, "height": 844})
    chat.page.add_init_script(f"localStorage.setItem('vite-ui-theme', '{theme}')")
    chat.open()
    expect(chat.page.locator(f"html.{theme}")).to_have_count(1)
    card = resting(chat, desk)
    card.get_by_text("Limits all passed").click()
    symbol = card.get_by_role("cell", name="BTC/USDT", exact=True).first
    lines = (
        "(cell) => { const text = new Range(); text.selectNodeContents(cell); return text.getClientRects().length; }"
    )
    assert symbol.evaluate(lines) == 1
    assert chat.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert chat.page.evaluate(FAINT) == []


def test_the_arrow_to_the_newest_message_lies_over_no_button_of_a_ticket(open_chat: Any, desk: Any) -> None:
    chat = open_chat(desk, viewport={"width": 390, "height": 844})
    chat.open()
    resting(chat, desk)
    chat.page.mouse.move(195, 400)
    chat.page.mouse.wheel(0, -300)
    arrow = chat.page.locator("button:has(> .lucide-arrow-down)")
    expect(arrow).to_be_visible()
    assert arrow.bounding_box()["y"] > chat.page.locator("#chat-input").bounding_box()["y"]
    arrow.click()
    expect(arrow).to_have_count(0)


def test_the_edit_form_shows_its_buttons_on_a_narrow_screen(open_chat: Any, desk: Any) -> None:
    chat = open_chat(desk, viewport={"width": 390, "height": 844})
    chat.open()
    card = resting(chat, desk)
    card.get_by_role("button", name="Edit").click()
    make = card.get_by_role("button", name="Make new ticket")
    expect(make).to_be_in_viewport(ratio=1)
    expect(card.get_by_label("Quantity")).to_be_in_viewport(ratio=1)
    make.click()
    expect(card.get_by_role("alert")).to_have_text("Nothing is different yet.")
    expect(make).to_be_in_viewport(ratio=1)


def test_a_ticket_that_cancels_a_stop_loss_says_what_it_leaves_without_one(chat: Any, desk: Any) -> None:
    close = float(desk.ask("/v1/candles", symbol="SOL/USDT", timeframe="1h", limit="1")["candles"][-1]["close"])
    below, said = round(close * 0.7), "is held without one once it is cancelled"
    plain = chat.propose(f"buy 1 sol at {below}")
    plain.get_by_role("button", name="Approve").click()
    chat.ticket("accepted")
    expect(chat.propose("cancel my sol order")).not_to_contain_text(said)
    chat.ticket().get_by_role("button", name="Approve").click()
    chat.ticket("cancelled")
    chat.propose(f"buy 2 sol, stop {below}").get_by_role("button", name="Approve").click()
    chat.ticket("filled")
    expect(chat.propose("cancel all my sol orders")).to_contain_text(said)


def test_a_card_nobody_knows_the_end_of_says_what_to_do_before_its_terms(chat: Any) -> None:
    def lost(route: Any) -> None:
        ticket = route.fetch().json() | {"status": "needs_operator", "reason": "demo no longer knows it"}
        route.fulfill(json=ticket)

    chat.page.route(re.compile("/desk/tickets/"), lost)
    chat.say("buy 0.002 btc")
    card = chat.ticket("needs_operator")
    told = "demo no longer knows it. Look at the venue for what became of it: until this is settled, new orders on"
    expect(card).to_contain_text(told)
    expect(card.locator(".desk-outcome ~ .desk-terms")).to_have_count(1)
