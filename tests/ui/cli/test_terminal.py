"""The terminal holds the same conversation: answers with receipts, tickets decided by commands only."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import httpx

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_a_question_is_answered_with_receipts(run: Run, server: str) -> None:
    result = run("chat", "--url", server, stdin="What is the price of BTC?\n/quit\n")
    assert result.returncode == 0, result.stderr
    assert "simulated" in result.stdout
    assert "get_quote BTC/USDT" in result.stdout


def test_an_order_is_filled_by_the_approve_command_and_not_by_words(run: Run, server: str) -> None:
    asked = run("chat", "--url", server, stdin="buy 0.01 BTC\nyes do it\n")
    assert "T-1" in asked.stdout
    assert httpx.get(f"{server}/v1/fills", trust_env=False).json()["fills"] == []
    approved = run("chat", "--url", server, stdin="/approve T-1\n/approve T-1\n")
    assert re.search(r"Filled 0\.01 \[\d+\] BTC", approved.stdout)
    assert "no pending ticket 'T-1'" in approved.stdout
    assert len(httpx.get(f"{server}/v1/fills", trust_env=False).json()["fills"]) == 1


def test_an_edit_makes_a_new_ticket_and_a_wrong_one_is_explained(run: Run, server: str) -> None:
    talk = "buy 0.01 BTC\n/edit T-1 size=3\n/edit T-1 quantity=0.02\n/reject T-2\n/tickets\n"
    output = run("chat", "--url", server, stdin=talk).stdout
    assert "size=3 cannot be edited" in output
    assert "T-2" in output
    assert "No ticket is pending." in output


def test_without_a_running_desk_one_is_started_for_the_talk(run: Run) -> None:
    result = run("chat", stdin="my portfolio\n")
    assert result.returncode == 0, result.stderr
    assert re.search(r"100,000(\.00)?", result.stdout)


def test_a_desk_that_does_not_answer_is_said(run: Run, free_port: int) -> None:
    result = run("chat", "--url", f"http://127.0.0.1:{free_port}")
    assert result.returncode == 2
    assert "No desk answers" in result.stderr
