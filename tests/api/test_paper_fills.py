"""How orders fill on paper, as a client sees it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from engines.execution.paper_model import MODEL


def test_the_status_says_how_orders_fill(open_desk: Any) -> None:
    with open_desk.client() as client:
        assert client.get("/v1/status").json()["fills"] == MODEL


def test_an_order_larger_than_the_best_level_fills_on_several(keyed: Any) -> None:
    client = keyed.client("read", "trade", "approve")
    # The best level of the simulated POL offers 3,500 at the most.
    ticket = client.post("/v1/agent/invoke", json={"message": "buy 4000 POL"}).json()["ticket"]
    body = {"decision": "approve", "ticket_hash": ticket["hash"]}
    decided = client.post(f"/v1/tickets/{ticket['id']}/decision", json=body).json()
    assert decided["order"]["status"] == "filled"
    prices = [Decimal(fill["price"]) for fill in decided["fills"]]
    assert len(set(prices)) == len(prices) >= 2
    assert sum(Decimal(fill["quantity"]) for fill in decided["fills"]) == 4000
    assert len({fill["id"] for fill in decided["fills"]}) == len(prices)
