"""Conversations and decisions looked back on in a real browser: another title, and what decisions cost or saved."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]


def test_review_in_the_chat_tells_of_a_rejected_ticket(chat: Any) -> None:
    chat.propose("buy 0.02 btc").get_by_role("button", name="Reject").click()
    chat.ticket("rejected")
    before = chat.replies().count()
    chat.say("/review")
    expect(chat.replies().nth(before)).to_contain_text(re.compile(r"reject", re.IGNORECASE))
    expect(chat.replies().nth(before)).not_to_contain_text("could not read")
    expect(chat.page.locator('.desk-ticket[data-status="pending"]')).to_have_count(0)


def test_a_conversation_keeps_the_name_a_person_gives_it(chat: Any, desk: Any) -> None:
    page = chat.page
    chat.say("How does SOL look on the 4h?")
    expect(page.locator(".desk-chart svg.main-svg").first).to_be_visible()
    # The line under the input stands on a live desk's page too.
    expect(page.get_by_text("Every order needs your approval on its ticket")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("Paper trading.")
    page.wait_for_url("**/chat/thread/*")
    thread_id = page.url.rpartition("/")[2]
    renamed = page.request.put(
        f"{desk.url}/chat/project/thread", data={"threadId": thread_id, "name": "● Solana, four hours"}
    )
    assert renamed.ok
    assert desk.ask(f"/v1/threads/{thread_id}")["title"] == "Solana, four hours"
    chat.reload()
    expect(page.locator("#thread-history")).to_contain_text("Solana, four hours")
