"""Decisions on tickets: one each, on what was shown, in time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import httpx
import pytest

Serve = Callable[..., contextlib.AbstractContextManager[Any]]


@pytest.fixture
def trader(keyed: Any) -> httpx.Client:
    """Somebody with an account of their own."""
    client: httpx.Client = keyed.client("read", "trade", "approve")
    return client


def propose(client: httpx.Client, message: str = "buy 0.01 BTC") -> dict[str, Any]:
    ticket: dict[str, Any] = client.post("/v1/agent/invoke", json={"message": message}).json()["ticket"]
    assert ticket is not None
    return ticket


def decide(client: httpx.Client, ticket: dict[str, Any], decision: str, **fields: str) -> httpx.Response:
    body = {"decision": decision, "ticket_hash": ticket["hash"]} | fields
    return client.post(f"/v1/tickets/{ticket['id']}/decision", json=body)


def problem(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


def test_an_approved_ticket_is_filled_once_and_the_account_agrees_to_the_cent(trader: httpx.Client) -> None:
    ticket = propose(trader)
    decided = decide(trader, ticket, "approve").json()
    assert decided["ticket"]["status"] == decided["order"]["status"] == "filled"
    assert decided["order"]["ticket_id"] == ticket["id"]
    assert decided["status"] == "completed"
    fills = trader.get("/v1/fills").json()["fills"]
    assert fills == decided["fills"]
    assert decided["order"] == trader.get("/v1/orders").json()["orders"][0]
    spent = sum(Decimal(fill["price"]) * Decimal(fill["quantity"]) + Decimal(fill["fee"]) for fill in fills)
    portfolio = trader.get("/v1/portfolio").json()
    assert Decimal(portfolio["cash"]) == Decimal(100_000) - spent
    value = sum(Decimal(held["quantity"]) * Decimal(held["mark"]) for held in portfolio["positions"])
    assert Decimal(portfolio["equity"]) == Decimal(portfolio["cash"]) + value
    kinds = [record["kind"] for record in trader.get(f"/v1/audit?ticket_id={ticket['id']}").json()["records"]]
    assert kinds[0] == "ticket_sealed"
    assert "ticket_approved" in kinds


def test_what_became_of_a_decision_is_part_of_the_conversation(trader: httpx.Client) -> None:
    ticket = propose(trader)
    decided = decide(trader, ticket, "approve").json()
    assert decided["thread_id"] == ticket["thread_id"]
    thread = trader.get(f"/v1/threads/{ticket['thread_id']}").json()
    assert thread["pending"] == []
    assert [message["role"] for message in thread["messages"]] == ["user", "assistant", "assistant"]
    assert thread["messages"][-1]["text"] == decided["reply"]
    assert thread["messages"][-1]["receipts"] == decided["receipts"]
    assert thread["messages"][-1]["tickets"][0]["order"]["status"] == "filled"
    assert "Filled" in decided["reply"]


def test_a_rejected_ticket_sends_nothing(trader: httpx.Client) -> None:
    ticket = propose(trader)
    decided = decide(trader, ticket, "reject").json()
    assert (decided["ticket"]["status"], decided["order"], decided["fills"]) == ("rejected", None, [])
    assert trader.get("/v1/orders").json()["orders"] == []
    assert problem(decide(trader, ticket, "approve")) == (409, "conflict")


def test_an_edit_makes_a_new_ticket_that_needs_its_own_approval(trader: httpx.Client) -> None:
    ticket = propose(trader)
    edited = decide(trader, ticket, "edit", quantity="0.02", stop_loss="10").json()
    replacement = edited["replacement"]
    assert edited["status"] == "awaiting_approval"
    assert (edited["ticket"]["status"], edited["ticket"]["superseded_by"]) == ("superseded", replacement["id"])
    assert (replacement["quantity"], replacement["stop_loss"], replacement["status"]) == ("0.02", "10", "pending")
    assert replacement["hash"] != ticket["hash"]
    assert problem(decide(trader, ticket, "approve")) == (409, "conflict")
    assert problem(decide(trader, {**replacement, "hash": ticket["hash"]}, "approve")) == (409, "conflict")
    assert trader.get("/v1/fills").json()["fills"] == []
    assert decide(trader, replacement, "approve").json()["order"]["filled"] == "0.02"


def test_an_edit_that_no_limit_lets_pass_leaves_the_ticket_as_it_was(trader: httpx.Client) -> None:
    ticket = propose(trader)
    assert problem(decide(trader, ticket, "edit", quantity="50")) == (422, "risk_denied")
    assert trader.get(f"/v1/tickets/{ticket['id']}").json()["status"] == "pending"
    assert decide(trader, ticket, "approve").json()["order"]["filled"] == "0.01"


@pytest.mark.parametrize(
    "body",
    [
        {"decision": "approve"},
        {"decision": "maybe", "ticket_hash": "{hash}"},
        {"decision": "approve", "ticket_hash": "{hash}", "quantity": "0.02"},
        {"decision": "edit", "ticket_hash": "{hash}"},
        {"decision": "edit", "ticket_hash": "{hash}", "quantity": "-1"},
        {"decision": "edit", "ticket_hash": "{hash}", "quantity": "1e3"},
        {"decision": "edit", "ticket_hash": "{hash}", "quantity": "NaN"},
        {"decision": "edit", "ticket_hash": "{hash}", "quantity": "٣"},
        {"decision": "edit", "ticket_hash": "{hash}", "quantity": 0.02},
        {"decision": "edit", "ticket_hash": "{hash}", "symbol": "ETH/USDT"},
        {"decision": "approve", "ticket_hash": "{hash}", "resolve_differences": True},
        {"decision": "approve", "ticket_hash": "x" * 65},
    ],
)
def test_a_decision_that_makes_no_sense_changes_nothing(trader: httpx.Client, body: dict[str, Any]) -> None:
    ticket = propose(trader)
    filled = {
        name: value.replace("{hash}", ticket["hash"]) if isinstance(value, str) else value
        for name, value in body.items()
    }
    assert problem(trader.post(f"/v1/tickets/{ticket['id']}/decision", json=filled)) == (422, "invalid_request")
    assert trader.get(f"/v1/tickets/{ticket['id']}").json()["status"] == "pending"


@pytest.mark.parametrize("wrong", ["", "0" * 64, "not-a-hash", "é"])
def test_a_wrong_hash_is_refused_and_the_ticket_waits_on(trader: httpx.Client, wrong: str) -> None:
    ticket = propose(trader)
    refused = decide(trader, {**ticket, "hash": wrong}, "approve")
    assert problem(refused) == (409, "conflict")
    assert refused.json()["remedy"]
    assert decide(trader, ticket, "approve").is_success


def test_a_ticket_that_is_not_there_is_not_found(trader: httpx.Client) -> None:
    assert problem(decide(trader, {"id": "tkt-none", "hash": "x"}, "approve")) == (404, "not_found")
    assert problem(trader.get("/v1/tickets/tkt-none")) == (404, "not_found")


def test_the_second_decision_is_refused_and_says_who_made_the_first(trader: httpx.Client) -> None:
    ticket = propose(trader)
    assert decide(trader, ticket, "approve").is_success
    for word in ("approve", "reject"):
        refused = decide(trader, ticket, word)
        assert problem(refused) == (409, "conflict")
        assert "already approved by" in refused.json()["detail"]
    assert len(trader.get("/v1/fills").json()["fills"]) == 1


def test_of_many_who_decide_at_once_one_wins_and_one_order_is_placed(trader: httpx.Client) -> None:
    ticket = propose(trader)
    words = ["approve", "reject"] * 4
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda word: decide(trader, ticket, word), words))
    won = [answer for answer in answers if answer.is_success]
    assert len(won) == 1
    assert [problem(answer) for answer in answers if not answer.is_success] == [(409, "conflict")] * 7
    approved = won[0].json()["ticket"]["status"] == "filled"
    assert len(trader.get("/v1/fills").json()["fills"]) == (1 if approved else 0)


def test_a_ticket_can_be_decided_while_the_talk_goes_on_and_others_wait(trader: httpx.Client) -> None:
    first = propose(trader)
    body = {"message": "buy 0.2 ETH", "thread_id": first["thread_id"]}
    second = trader.post("/v1/agent/invoke", json=body).json()["ticket"]
    trader.post("/v1/agent/invoke", json={"message": "price of SOL", "thread_id": first["thread_id"]})
    pending = trader.get("/v1/tickets", params={"status": "pending"}).json()["tickets"]
    assert [ticket["id"] for ticket in pending] == [second["id"], first["id"]]
    assert decide(trader, first, "approve").json()["order"]["symbol"] == "BTC/USDT"
    assert decide(trader, second, "approve").json()["order"]["symbol"] == "ETH/USDT"
    assert len(trader.get("/v1/fills").json()["fills"]) == 2


def test_words_in_the_chat_decide_nothing(trader: httpx.Client) -> None:
    ticket = propose(trader)
    for words in ("yes do it", "approve", f"approve {ticket['id']} {ticket['hash']}"):
        body = {"message": words, "thread_id": ticket["thread_id"]}
        assert trader.post("/v1/agent/invoke", json=body).json()["status"] != "failed"
    assert trader.get(f"/v1/tickets/{ticket['id']}").json()["status"] == "pending"


def test_a_ticket_past_its_time_is_gone(serve: Serve) -> None:
    with serve(ticket_seconds=5) as served, served.client() as client:
        ticket = propose(client)
        time.sleep(5.1)
        refused = decide(client, ticket, "approve")
        assert problem(refused) == (410, "expired")
        assert "Ask for the order again" in refused.json()["remedy"]
        assert client.get(f"/v1/tickets/{ticket['id']}").json()["status"] == "expired"
        assert client.get("/v1/threads").json()["threads"][0]["pending"] == 0
        assert client.get("/v1/fills").json()["fills"] == []


def test_lists_of_the_account_are_paged_without_missing_or_repeating(trader: httpx.Client) -> None:
    for asset in ("0.01 BTC", "0.2 ETH", "2 SOL", "0.02 BTC", "0.3 ETH"):
        assert decide(trader, propose(trader, f"buy {asset}"), "approve").is_success
    for path, name, key in (
        ("tickets", "tickets", "id"),
        ("orders", "orders", "id"),
        ("fills", "fills", "id"),
        ("audit", "records", "seq"),
    ):
        whole = [item[key] for item in trader.get(f"/v1/{path}", params={"limit": 200}).json()[name]]
        paged: list[Any] = []
        cursor: str | None = None
        while True:
            query: dict[str, Any] = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = trader.get(f"/v1/{path}", params=query).json()
            assert len(page[name]) <= 2
            paged += [item[key] for item in page[name]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert paged == whole
        assert len(whole) >= 5
    bought = trader.get("/v1/orders", params={"symbol": "ETH/USDT"}).json()["orders"]
    assert [order["quantity"] for order in bought] == ["0.3", "0.2"]
    assert trader.get("/v1/orders", params={"status": "open"}).json()["orders"] == []
