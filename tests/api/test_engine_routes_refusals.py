"""What the engines' routes refuse, and how they say it."""

from __future__ import annotations

import contextlib
from typing import Any, Protocol

import httpx
import pytest

MARKET = {"symbol": "BTC/USDT", "timeframe": "1h"}
YESTERDAY = "2026-01-01T00:00:00Z"


class Keyed(Protocol):
    def client(self, *scopes: str) -> httpx.Client: ...


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("cipher", {"limit": 0}, "limit"),
        ("cipher", {"limit": -5}, "limit"),
        ("cipher", {"limit": 25_001}, "limit"),
        ("cipher", {"limit": "500"}, "limit"),
        ("cipher", {"limit": True}, "limit"),
        ("cipher", {"limit": 10.5}, "limit"),
        ("cipher", {"limit": None}, "limit"),
        ("cipher", {"timeframe": "7m"}, "timeframe"),
        ("cipher", {"timeframe": "1H"}, "timeframe"),
        ("cipher", {"symbol": ""}, "symbol"),
        ("cipher", {"symbol": 5}, "symbol"),
        ("cipher", {"as_of": "2026-01-01T00:00:00"}, "as_of"),
        ("cipher", {"as_of": "yesterday"}, "as_of"),
        ("cipher", {"preset": ""}, "preset"),
        ("cipher", {"length": 9}, "length"),
        ("volume-profile", {"limit": 50_001}, "limit"),
        ("volume-profile", {"rows": 0}, "rows"),
        ("volume-profile", {"row_height": 0}, "row_height"),
        ("volume-profile", {"value_area_fraction": 1.5}, "value_area_fraction"),
        ("volume-profile", {"kind": "weekly"}, "kind"),
        ("volume-profile", {"spread": "gauss"}, "spread"),
        ("volume-profile", {"bins": 24}, "bins"),
        ("explain", {"event": ""}, "event"),
        ("explain", {}, "event"),
    ],
)
def test_a_bad_field_is_named_in_a_problem(local: httpx.Client, path: str, body: dict[str, Any], told: str) -> None:
    answer = local.post(f"/v1/{path}", json=MARKET | body)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid_request")
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in {field for error in problem["errors"] for field in error["field"].split(".")}
    assert problem["remedy"]


@pytest.mark.parametrize(
    ("path", "body", "status", "detail", "remedy"),
    [
        ("cipher", {"symbol": "BTCC/USDT"}, 404, "BTCC/USDT", "BTC/USDT"),
        ("cipher", {"preset": "vumanchu_c"}, 422, "vumanchu_c", "vumanchu_a"),
        ("cipher", {"as_of": "2999-01-01T00:00:00Z"}, 422, "future", "has passed"),
        ("volume-profile", {"rows": 10, "row_height": 5.0}, 422, "row_height 5.0", "exactly one"),
        ("volume-profile", {"kind": "anchored"}, 422, "needs an anchor", "kind"),
        ("volume-profile", {"anchor": YESTERDAY}, 422, "range profile has none", "anchored"),
        (
            "volume-profile",
            {"kind": "anchored", "anchor": "2999-01-01T00:00:00Z"},
            422,
            "does not lie before",
            "earlier",
        ),
        (
            "volume-profile",
            {"kind": "anchored", "anchor": "2001-01-01T00:00:00Z"},
            422,
            "1h candles",
            "longer timeframe",
        ),
        ("volume-profile", {"kind": "developing", "limit": 5_001}, 422, "5,001", "5,000"),
        ("volume-profile", {"timezone": "Mars/Olympus"}, 422, "Mars/Olympus", "UTC"),
        ("volume-profile", {"lower_timeframe": "4h"}, 422, "4h", "1m"),
        ("volume-profile", {"row_height": 1e-9}, 422, "rows", "row height"),
        ("explain", {"event": "purple_dot"}, 422, "purple_dot", "green_dot"),
        ("explain", {"event": "green_dot", "at": "2999-01-01T00:00:00Z"}, 422, "future", "has passed"),
    ],
)
def test_what_cannot_be_computed_says_why_and_what_to_do(
    local: httpx.Client, path: str, body: dict[str, Any], status: int, detail: str, remedy: str
) -> None:
    answer = local.post(f"/v1/{path}", json=MARKET | body)
    problem = answer.json()
    assert answer.status_code == status, problem
    assert detail in problem["detail"]
    assert remedy in f"{problem['detail']} {problem['remedy']}"
    assert problem["remedy"] or status == 404


def test_a_preset_that_repaints_is_not_served(local: httpx.Client) -> None:
    answer = local.post("/v1/cipher", json=MARKET | {"preset": "vumanchu_b_tv_parity"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("path", ["cipher", "volume-profile", "explain"])
def test_reading_needs_the_read_scope(keyed: Keyed, path: str) -> None:
    body = MARKET | ({"event": "green_dot"} if path == "explain" else {})
    assert keyed.client("read").post(f"/v1/{path}", json=body).status_code == 200
    assert keyed.client("trade").post(f"/v1/{path}", json=body).status_code == 403
    with contextlib.closing(keyed.client("read")) as client:
        client.headers.pop("Authorization")
        assert client.post(f"/v1/{path}", json=body).status_code == 401


def test_a_candle_that_is_still_forming_is_never_shown(local: httpx.Client) -> None:
    answer = local.post("/v1/cipher", json={"symbol": "BTC/USDT", "timeframe": "1d", "limit": 3}).json()
    assert answer["simulated"] is True
    assert len(answer["open_time"]) == len(answer["wt1"]) == 3
    status = local.get("/v1/status").json()
    assert answer["as_of"][:19] <= status["market_time"][:19]
