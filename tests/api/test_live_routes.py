"""Arming and comparing are for a live desk and for who may; a paper desk has neither."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

CALLS = [
    ("POST", "/v1/arm", {"minutes": 5}),
    ("POST", "/v1/disarm", None),
    ("GET", "/v1/reconciliation", None),
    ("POST", "/v1/reconciliation", None),
    ("POST", "/v1/reconciliation/accept", {"number": 1, "reason": "A deposit."}),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_a_paper_desk_has_nothing_to_arm_and_no_venue_to_compare_with(
    local: httpx.Client, method: str, path: str, body: Any
) -> None:
    answer = local.request(method, path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert "trades on paper" in answer.json()["detail"]
    assert local.get("/v1/status").json()["live"] is None


@pytest.mark.parametrize(
    ("method", "path", "body", "scope"),
    [(*call, scope) for call, scope in zip(CALLS, ["admin", "approve", "read", "approve", "admin"], strict=True)],
)
def test_each_call_needs_its_scope(keyed: Any, method: str, path: str, body: Any, scope: str) -> None:
    others = {"read", "trade", "approve", "admin"} - {scope}
    refused = keyed.client(*others).request(method, path, json=body)
    assert (refused.status_code, repr(scope) in refused.json()["detail"]) == (403, True)
    assert keyed.client(scope).request(method, path, json=body).status_code == 409
