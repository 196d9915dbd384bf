"""Tickets that a program asks for: sealed like those of the chat, and decided like them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest


@pytest.fixture
def trader(keyed: Any) -> httpx.Client:
    client: httpx.Client = keyed.client("read", "trade", "approve")
    return client


def ask(client: httpx.Client, **fields: Any) -> httpx.Response:
    return client.post("/v1/tickets", json=fields)


def bid(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    own = {"symbol": "BTC/USDT", "side": "buy", "quantity": "0.01", "order_type": "limit", "limit_price": "50000"}
    response = ask(client, **own | fields)
    assert response.status_code == 201, response.text
    ticket: dict[str, Any] = response.json()
    return ticket


def approve(client: httpx.Client, ticket: dict[str, Any]) -> dict[str, Any]:
    body = {"decision": "approve", "ticket_hash": ticket["hash"]}
    decided: dict[str, Any] = client.post(f"/v1/tickets/{ticket['id']}/decision", json=body).json()
    return decided


def test_an_order_with_an_end_is_asked_for_edited_and_approved(trader: httpx.Client) -> None:
    ticket = bid(trader, good_till="2099-01-01T12:00:00+02:00")
    assert (ticket["status"], ticket["time_in_force"], ticket["good_till"]) == (
        "pending",
        "GTD",
        "2099-01-01T10:00:00+00:00",
    )
    body = {"decision": "edit", "ticket_hash": ticket["hash"], "time_in_force": "DAY"}
    edited = trader.post(f"/v1/tickets/{ticket['id']}/decision", json=body).json()["replacement"]
    assert edited["time_in_force"] == "DAY"
    assert approve(trader, edited)["order"]["status"] == "accepted"


def test_one_order_takes_the_place_of_another(trader: httpx.Client) -> None:
    old = approve(trader, bid(trader))["order"]
    response = ask(trader, replaces_order=old["id"], limit_price="51000")
    assert response.status_code == 201, response.text
    ticket = response.json()
    assert (ticket["replaces_order"], ticket["limit_price"], ticket["quantity"]) == (old["id"], "51000", "0.01")
    new = approve(trader, ticket)["order"]
    orders = {order["id"]: order["status"] for order in trader.get("/v1/orders").json()["orders"]}
    assert orders == {old["id"]: "cancelled", new["id"]: "accepted"}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"replaces_order": "qtp-none", "limit_price": "51000"}, 404),
        ({"replaces_order": "qtp-none", "symbol": "BTC/USDT"}, 422),
        ({"symbol": "BTC/USDT", "side": "buy"}, 422),
        ({"symbol": "BTC/USDT", "side": "buy", "quantity": "0.01", "time_in_force": "GTD"}, 422),
        ({"symbol": "BTC/USDT", "side": "buy", "quantity": "0.01", "good_till": "2001-01-01T00:00:00Z"}, 422),
        ({"symbol": "BTC/USDT", "side": "buy", "quantity": "1e5"}, 422),
    ],
)
def test_what_cannot_become_a_ticket_is_refused(trader: httpx.Client, fields: dict[str, str], status: int) -> None:
    response = ask(trader, **fields)
    assert response.status_code == status, response.text
    assert trader.get("/v1/tickets").json()["tickets"] == []


def test_who_may_only_read_asks_for_nothing_and_nobody_replaces_the_order_of_another(
    keyed: Any, trader: httpx.Client
) -> None:
    old = approve(trader, bid(trader))["order"]
    assert ask(keyed.client("read"), symbol="BTC/USDT", side="buy", quantity="0.01").status_code == 403
    other = ask(keyed.client("read", "trade"), replaces_order=old["id"], limit_price="51000")
    assert other.status_code in {404, 422}
