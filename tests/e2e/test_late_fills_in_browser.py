"""What happens to orders later, as the chat shows it: without being asked, and once."""

from __future__ import annotations

import csv
import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

START = datetime(2026, 1, 5, tzinfo=UTC)


class Prices:
    """A market of one symbol that goes where the test says, a minute at a time."""

    def __init__(self) -> None:
        self._minutes: Iterator[int] = count()

    def move(self, desk: Any, *closes: float, volume: int = 1000) -> None:
        """Import one candle a price."""
        file = desk.home / "candles.csv"
        with file.open("w", newline="") as out:
            rows = csv.writer(out)
            rows.writerow(["time", "open", "high", "low", "close", "volume"])
            for close in closes:
                opened = START + timedelta(minutes=next(self._minutes))
                rows.writerow([opened.isoformat(), close, close + 0.25, close - 0.25, close, volume])
        desk.run("import-candles", str(file), "--symbol", "ABC/USD", "--timeframe", "1m")


def test_a_limit_order_that_fills_later_says_so_by_itself_and_once(start_desk: Any, open_chat: Any) -> None:
    prices = Prices()
    settings = {"QTP_MARKET": "files", "QTP_TICKET_SECONDS": "600", "QTP_MATCHING_SECONDS": "0.2"}
    desk = start_desk(lambda desk: prices.move(desk, *[100] * 300), **settings)
    chat = open_chat(desk)
    chat.open()
    chat.propose("buy 2 ABC/USD limit 90").get_by_role("button", name="Approve").click()
    chat.ticket("accepted")
    told = chat.replies().filter(has_text="T-1: Bought 2")
    expect(told).to_have_count(0)
    prices.move(desk, 89, 89)
    expect(told).to_have_count(1)
    expect(told).to_contain_text("Position: 2")
    chat.ticket("filled")
    # The receipt behind the price opens as that of any other figure.
    told.locator('a[href^="#receipt-"]').nth(1).click()
    expect(chat.page.locator("#desk-receipt")).to_contain_text("average fill price")
    chat.reload()
    expect(told).to_have_count(1)
    desk.kill()
    desk.start()
    expect(chat.page.locator("#session-error")).to_have_count(0, timeout=60_000)
    chat.reload()
    expect(told).to_have_count(1)
    chat.propose("buy 1 ABC/USD limit 80").get_by_role("button", name="Approve").click()
    chat.ticket("accepted")
    prices.move(desk, 79, 79)
    expect(chat.replies().filter(has_text="T-2: Bought 1")).to_have_count(1)
    expect(told).to_have_count(1)


def test_cards_say_how_much_of_an_order_is_open_and_why_one_was_not_sent(start_desk: Any, open_chat: Any) -> None:
    prices = Prices()
    settings = {"QTP_MARKET": "files", "QTP_TICKET_SECONDS": "600", "QTP_MATCHING_SECONDS": "0.2"}
    desk = start_desk(lambda desk: prices.move(desk, *[100] * 300, volume=70), **settings)
    chat = open_chat(desk)
    chat.open()
    chat.propose("buy 20 ABC/USD limit 90 stop 80").get_by_role("button", name="Approve").click()
    chat.ticket("accepted")
    prices.move(desk, 89, volume=70)
    card = chat.ticket("partially_filled")
    expect(card).to_contain_text(
        re.compile(r"Filled [\d.]+ of 20 ABC at 90 average, fee [\d.]+ USD, the rest is open\.")
    )
    expect(card).to_contain_text(re.compile(r"Stop-loss 80 for [\d.]+ ABC rests at the venue\."))
    card = chat.propose("buy 1 ABC/USD")
    prices.move(desk, 120)
    card.get_by_role("button", name="Approve").click()
    outcome = chat.ticket("denied").locator(".desk-outcome")
    expect(outcome).to_have_text(
        re.compile(r"Approved at .* by you\. Not carried out: The price moved .* Nothing was sent\.")
    )


def test_news_of_a_conversation_appear_in_every_window_that_has_it_open(start_desk: Any, open_chat: Any) -> None:
    prices = Prices()
    settings = {"QTP_MARKET": "files", "QTP_TICKET_SECONDS": "600", "QTP_MATCHING_SECONDS": "0.2"}
    desk = start_desk(lambda desk: prices.move(desk, *[100] * 300), **settings)
    first, second, other = open_chat(desk), open_chat(desk), open_chat(desk)
    first.open()
    first.propose("buy 2 ABC/USD limit 90").get_by_role("button", name="Approve").click()
    first.ticket("accepted")
    second.open()
    second.open(first.page.url.removeprefix(desk.url))
    second.ticket("accepted")
    other.open()
    prices.move(desk, 89, 89)
    for chat in (first, second):
        expect(chat.replies().filter(has_text="T-1: Bought 2")).to_have_count(1)
    expect(other.replies()).to_have_count(0)


def test_a_desk_that_stops_ends_what_listens_to_it_and_breaks_nothing_off(start_desk: Any, open_chat: Any) -> None:
    desk = start_desk()
    chat = open_chat(desk)
    chat.open()
    chat.say("hello")
    expect(chat.replies().first).to_be_visible()
    with httpx.stream("GET", f"{desk.url}/v1/news", timeout=60, trust_env=False) as response:
        desk.stop()
        # A stream that was broken off raises here.
        assert [line for line in response.iter_lines() if line.startswith("data:")] == []
    assert desk.process.returncode in {0, -signal.SIGTERM}
    assert "without completing" not in desk.log
    assert "Traceback" not in desk.log
