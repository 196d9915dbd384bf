"""Answers of the desk as the chat shows them."""

from __future__ import annotations

from typing import Any

import pytest

from ui.chat import present

Json = dict[str, Any]


def receipt(number: int) -> Json:
    source = {
        "evidence": "cipher-1",
        "field": "wt2",
        "tool": "analyze_cipher",
        "symbol": "BTC/USDT",
        "timeframe": "4h",
        "as_of": "2026-11-22T16:00:00+00:00",
        "market": "demo",
        "simulated": True,
    }
    return {"n": number, "text": "-57.2", "label": "wave trend 2", "source": source}


def ticket(ticket_id: str, label: str) -> Json:
    return {"id": ticket_id, "label": label, "created_at": "2026-11-22T16:00:00Z"}


def message(role: str, text: str, **more: Any) -> Json:
    return {"id": more.pop("id", "1"), "role": role, "text": text, "created_at": "2026-11-22T16:00:00Z", **more}


def thread(*messages: Json, pending: list[Json] | None = None) -> Json:
    times = {"created_at": "2026-11-22T15:00:00Z", "updated_at": "2026-11-22T16:00:00Z"}
    return {"id": "t-1", "title": "BTC", "messages": list(messages), "pending": pending or [], **times}


def test_a_marker_with_a_receipt_becomes_a_link_that_names_its_source() -> None:
    shown = present.markdown("from -57.2 [3] on", [receipt(3)], "m1")
    source = "wave trend 2 · analyze_cipher · demo (simulated) · BTC/USDT 4h · 2026-11-22 16:00 UTC"
    assert shown == f'from -57.2[\\[3\\]](#receipt-m1-3 "{source}") on'


@pytest.mark.parametrize("text", ["see [4]", "see [3](https://x.test)", "`a[3]`"])
def test_what_is_no_marker_of_a_receipt_stays_as_it_is(text: str) -> None:
    assert present.markdown(text, [receipt(3)], "m1") == text


def test_a_colon_before_a_word_is_kept_from_becoming_a_directive() -> None:
    assert present.markdown("BTC/USDT:USDT at 16:00, https://a.test:b", [], "m1") == (
        "BTC/USDT\\:USDT at 16:00, https://a.test:b"
    )


def test_a_label_at_the_beginning_of_a_line_stands_out() -> None:
    assert present.markdown("For: a\nChanges its mind: b at 16:00", [], "m1") == (
        "**For:** a\n**Changes its mind:** b at 16:00"
    )


def test_quotes_in_a_label_do_not_end_the_link_title() -> None:
    tricky = {**receipt(1), "label": 'a "b" \\'}
    assert "\"a 'b' / · analyze_cipher" in present.markdown("[1]", [tricky], "m1")


def test_elements_come_as_chart_ticket_receipts_and_next_steps() -> None:
    answer = {
        "artifacts": [{"kind": "chart", "title": "BTC", "url": "/v1/chart?symbol=BTC"}, {"kind": "other"}],
        "tickets": [ticket("k1", "T-1")],
        "receipts": [receipt(1)],
        "next_steps": ["a", "b", "c", "d"],
    }
    shown = present.elements(answer, message_id="m1", thread_id="t1")
    assert [element["name"] for element in shown] == ["DeskChart", "TicketCard", "DeskReceipts", "DeskNextSteps"]
    assert shown[-1]["props"]["steps"] == ["a", "b", "c"]
    assert {element["forId"] for element in shown} == {"m1"}
    assert len({element["id"] for element in shown}) == 4


def test_an_opened_conversation_shows_messages_with_their_tickets() -> None:
    stored = thread(
        message("user", "buy 0.1 btc", id="1"),
        message("assistant", "T-1 waits", id="2", tickets=[ticket("k1", "T-1")]),
        pending=[ticket("k1", "T-1")],
    )
    opened = present.conversation(stored, "local")
    assert [step["type"] for step in opened["steps"]] == ["user_message", "assistant_message"]
    assert [element["id"] for element in opened["elements"]] == ["2-ticket-k1"]
    assert opened["userIdentifier"] == "local"


def test_a_waiting_ticket_that_no_message_shows_is_shown_at_the_end() -> None:
    opened = present.conversation(thread(message("user", "hi"), pending=[ticket("k9", "T-9")]), "local")
    assert opened["steps"][-1]["output"] == "T-9 waits for your decision."
    assert opened["elements"][-1]["props"]["ticket"]["id"] == "k9"
    assert opened["elements"][-1]["forId"] == opened["steps"][-1]["id"]


def test_what_a_user_wrote_is_not_read_as_markdown_or_markers() -> None:
    opened = present.conversation(thread(message("user", "a:b [1]")), "local")
    assert opened["steps"][0]["output"] == "a:b [1]"


@pytest.mark.parametrize(("pending", "name"), [(0, "BTC"), (2, "● BTC")])
def test_the_sidebar_marks_conversations_with_waiting_tickets(pending: int, name: str) -> None:
    assert present.summary({**thread(), "pending": pending}, "local")["name"] == name


@pytest.mark.parametrize(
    ("symbols", "expected"),
    [
        (
            ["ADA/USDT", "BTC/USDT", "ETH/USDT"],
            ["How does BTC/USDT look on the 4h?", "Where is the point of control for ETH/USDT on the 1h?"],
        ),
        (["BTC/USD"], ["How does BTC/USD look on the 4h?", "Where is the point of control for BTC/USD on the 1h?"]),
        (["XMR/EUR"], ["How does XMR/EUR look on the 4h?", "Where is the point of control for XMR/EUR on the 1h?"]),
    ],
)
def test_starters_ask_about_symbols_this_market_lists(symbols: list[str], expected: list[str]) -> None:
    messages = [text for _, text in present.starters(symbols)]
    assert messages[:2] == expected
    assert messages[2:] == ["What is my portfolio worth?", f"Buy 0.01 {expected[0].split()[2].split('/')[0]}"]


def test_without_symbols_only_the_starter_that_needs_none_is_offered() -> None:
    assert present.starters([]) == [("What is my portfolio worth?", "What is my portfolio worth?")]


def test_a_problem_says_what_happened_and_then_what_to_do() -> None:
    assert present.problem({"detail": "Kraken does not answer.", "remedy": "Retry in 30 s."}) == (
        "**Kraken does not answer.**\n\nRetry in 30 s."
    )


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        ("2026-11-22T16:00:00Z", "2026-11-22 16:00 UTC"),
        ("2026-11-22T16:00:00.123456+00:00", "2026-11-22 16:00 UTC"),
        ("2026-11-22T16:00:00+02:00", "2026-11-22T16:00:00+02:00"),
        (None, ""),
    ],
)
def test_only_times_in_utc_are_shown_as_utc(time: str | None, shown: str) -> None:
    assert present.utc(time) == shown


def test_a_tool_call_is_told_with_symbol_and_timeframe() -> None:
    call = {"name": "analyze_cipher", "args": {"symbol": "BTC/USDT", "timeframe": "4h"}}
    assert present.tool_label(call) == "analyze cipher BTC/USDT 4h"
