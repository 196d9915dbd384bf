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
        ("explain", {"event": "green_dot", "at": "9999-12-31T23:59:59Z"}, "at"),
        ("explain", {"event": "green_dot", "at": "0001-01-01T00:00:00+14:00"}, "at"),
        ("cipher", {"as_of": "0001-01-01T00:00:00+14:00"}, "as_of"),
        ("volume-profile", {"kind": "anchored", "anchor": "0001-01-01T00:00:00+14:00"}, "anchor"),
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
        ("volume-profile", {"row_height": 5e-324}, 422, "row_height", "above zero"),
        ("volume-profile", {"kind": "session", "limit": 1_000, "rows": 10_000}, 422, "100,000 rows", "coarser"),
        (
            "volume-profile",
            {"kind": "session", "timeframe": "1d", "limit": 50_000, "lower_timeframe": "1m"},
            422,
            "500,000 at most",
            "fewer candles",
        ),
        (
            "volume-profile",
            {"kind": "developing", "timeframe": "1d", "limit": 100, "lower_timeframe": "1m"},
            422,
            "50,000 at most",
            "longer `lower_timeframe`",
        ),
        ("explain", {"event": "green_dot", "preset": "vumanchu_a"}, 422, "no event of Cipher A", "Cipher B"),
        ("explain", {"event": "blood_diamond", "preset": "mcb_fixed"}, 422, "mark of Cipher A", "vumanchu_a"),
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


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
@pytest.mark.parametrize(("path", "name"), [("candles", "end"), ("chart", "as_of")])
def test_a_time_off_the_calendar_is_a_bad_field(local: httpx.Client, path: str, name: str, time: str) -> None:
    answer = local.get(f"/v1/{path}", params=MARKET | {name: time})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_a_mark_of_cipher_a_is_explained_with_its_own_settings(local: httpx.Client) -> None:
    answer = local.post("/v1/explain", json=MARKET | {"event": "blood_diamond"}).json()
    assert answer["parameters"]["name"] == "vumanchu_a"


@pytest.mark.parametrize("timeframe", ["5m", "15m"])
@pytest.mark.parametrize("event", ["sommi_bull", "sommi_bear"])
def test_a_mark_of_a_long_timeframe_is_explained_as_the_panel_shows_it(
    local: httpx.Client, timeframe: str, event: str
) -> None:
    asked = MARKET | {"timeframe": timeframe, "as_of": "2026-03-01T00:00:00Z", "limit": 2_000}
    panel = local.post("/v1/cipher", json=asked).json()
    shown = [each["confirmed_time"] for each in panel["events"] if each["name"] == event]
    assert shown
    for at in (shown[0], shown[-1]):
        found = local.post("/v1/explain", json=MARKET | {"timeframe": timeframe, "event": event, "at": at}).json()
        assert (found["happened"], found["close_time"]) == (True, at)


def test_an_anchored_profile_is_of_nothing_before_its_anchor(local: httpx.Client) -> None:
    asked = MARKET | {"kind": "anchored", "anchor": "2026-03-01T15:30:00Z", "as_of": "2026-03-03T00:10:00Z"}
    answer = local.post("/v1/volume-profile", json=asked).json()
    assert answer["from_time"] == "2026-03-01T15:30:00Z"
    assert answer["candles"] == 33
    assert [each["session"] for each in answer["session_pocs"]] == ["2026-03-02"]
    none = local.post("/v1/volume-profile", json=asked | {"anchor": "2026-03-03T00:09:59Z"}).json()
    assert "has opened and closed since" in none["detail"]
    assert none["remedy"]


def test_a_candle_that_is_still_forming_is_never_shown(local: httpx.Client) -> None:
    answer = local.post("/v1/cipher", json={"symbol": "BTC/USDT", "timeframe": "1d", "limit": 3}).json()
    assert answer["simulated"] is True
    assert len(answer["open_time"]) == len(answer["wt1"]) == 3
    status = local.get("/v1/status").json()
    assert answer["as_of"][:19] <= status["market_time"][:19]
