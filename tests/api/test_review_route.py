"""GET /v1/review and what GET /v1/portfolio tells of profit, on a served desk."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any

import httpx
import pytest

Serving = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(scope="module")
def desk(serving_home: Serving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A desk of its own: what others do on a shared one would be in its sums."""
    with serving_home(tmp_path_factory.mktemp("review")) as served, served.client() as client:
        yield client


def ask(desk: httpx.Client, message: str) -> dict[str, Any]:
    body = {"message": message, "thread_id": str(uuid.uuid4())}
    answer = desk.post("/v1/agent/invoke", json=body).raise_for_status().json()
    assert answer["tickets"], answer["reply"]
    ticket: dict[str, Any] = answer["tickets"][0]
    return ticket


def decide(desk: httpx.Client, ticket: dict[str, Any], decision: str, **given: str) -> dict[str, Any]:
    body = {"decision": decision, "ticket_hash": ticket["hash"], **given}
    answer: dict[str, Any] = desk.post(f"/v1/tickets/{ticket['id']}/decision", json=body).raise_for_status().json()
    return answer


def test_a_rejected_ticket_is_a_decision_whose_road_is_told_or_why_not(desk: httpx.Client) -> None:
    ticket = ask(desk, "buy 0.01 BTC, stop loss 1000")
    decide(desk, ticket, "reject")
    review = desk.get("/v1/review").raise_for_status().json()
    decision = next(each for each in review["decisions"] if each["ticket_id"] == ticket["id"])
    assert (decision["choice"], decision["by"], decision["quantity"]) == ("rejected", "local", "0.01")
    assert (decision["effect"] is None) == bool(decision["unmarked"])
    assert decision["score"] == ticket["confluence"]["score"]
    assert review["simulated"] is True
    assert any("too few" in warning or "could not be marked" in warning for warning in review["warnings"])
    assert "the stop-loss counts" in review["model"]
    assert review["calibration"]["warning"].startswith("No score has come of age yet")


def test_an_edited_ticket_names_what_took_its_place(desk: httpx.Client) -> None:
    first = ask(desk, "buy 0.02 ETH")
    replaced = decide(desk, first, "edit", quantity="0.03")
    review = desk.get("/v1/review", params={"symbol": "ETH/USDT"}).raise_for_status().json()
    [decision] = review["decisions"]
    assert (decision["choice"], decision["replacement"]) == ("edited", replaced["replacement"]["label"])
    assert [each["choice"] for each in review["sums"]] == ["rejected", "expired", "edited"]
    assert [each["decisions"] for each in review["sums"]] == [0, 0, 1]


def test_only_so_many_decisions_are_looked_at(desk: httpx.Client) -> None:
    for message in ("buy 0.011 BTC", "buy 0.012 BTC"):
        decide(desk, ask(desk, message), "reject")
    review = desk.get("/v1/review", params={"limit": 1}).raise_for_status().json()
    assert (review["looked_at"], len(review["decisions"]), review["older"]) == (1, 1, True)
    assert desk.get("/v1/review", params={"limit": 0}).status_code == 422
    assert desk.get("/v1/review", params={"limit": 501}).status_code == 422


def test_the_portfolio_tells_profit_by_both_methods_and_both_agree_with_cash(desk: httpx.Client) -> None:
    for message in ("buy 0.2 SOL", "buy 0.5 SOL", "sell 0.3 SOL"):
        decide(desk, ask(desk, message), "approve")
    found = desk.get("/v1/portfolio").raise_for_status().json()
    [sol] = [each for each in found["positions"] if each["symbol"] == "SOL/USDT"]
    assert sum(Decimal(lot["quantity"]) for lot in sol["lots"]) == Decimal(sol["quantity"]) == Decimal("0.4")
    for method in ("average", "fifo"):
        costing = found["profit"][method]
        assert costing["difference"] == "0"
        expected = Decimal(found["profit"]["starting_cash"]) + Decimal(costing["realised"]) - Decimal(costing["cost"])
        assert expected == Decimal(found["cash"])
    assert set(found["profit"]["fees"]) == {"USDT"}
    assert found["profit"]["unpriced_fees"] == {}
    assert Decimal(found["profit"]["average"]["realised"]) == Decimal(found["realised"])
