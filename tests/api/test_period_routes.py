"""Market profiles, averages and several timeframes over HTTP, held against candles the desk itself serves."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pytest

SYMBOL = {"symbol": "BTC/USDT"}
AS_OF = "2026-03-10T14:10:00Z"


def post(client: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    answer = client.post(f"/v1/{path}", json=SYMBOL | body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def candles(client: httpx.Client, timeframe: str, begin: str, end: str) -> list[dict[str, Any]]:
    """Closed candles that open at or after `begin`."""
    page = client.get("/v1/candles", params=SYMBOL | {"timeframe": timeframe, "end": end, "limit": 5000}).json()
    first = datetime.fromisoformat(begin)
    return [each for each in page["candles"] if datetime.fromisoformat(each["open_time"]) >= first]


def test_letters_are_those_of_the_half_hours_that_touched_each_row(local: httpx.Client) -> None:
    found = post(local, "tpo", as_of=AS_OF, row_height=50)
    assert (found["session"], found["opens"], found["complete"]) == ("2026-03-10", "2026-03-10T00:00:00Z", False)
    assert (found["as_of"], found["built_from"]) == (AS_OF, "5m")
    halves: dict[datetime, list[dict[str, Any]]] = {}
    for each in candles(local, "5m", found["opens"], AS_OF):
        opened = datetime.fromisoformat(each["open_time"])
        halves.setdefault(opened - timedelta(minutes=opened.minute % 30), []).append(each)
    ranges = [(min(c["low"] for c in part), max(c["high"] for c in part)) for part in halves.values()]
    assert [(block["low"], block["high"]) for block in found["blocks"]] == ranges
    top = found["rows"][-1]["to"]
    for row in found["rows"]:
        touched = [
            block["letter"]
            for block, (low, high) in zip(found["blocks"], ranges, strict=True)
            if low < row["to"] and (high >= row["from"] or (row["to"] == top and high == top))
        ]
        assert (row["letters"], row["count"]) == ("".join(touched), len(touched))
        assert row["to"] - row["from"] == pytest.approx(50)
    most = max(row["count"] for row in found["rows"])
    assert any(row["count"] == most and row["from"] < found["poc"] < row["to"] for row in found["rows"])
    inside = sum(row["count"] for row in found["rows"] if found["val"] <= row["from"] and row["to"] <= found["vah"])
    assert inside >= 0.7 * sum(row["count"] for row in found["rows"])
    balance = found["initial_balance"]
    assert (balance["low"], balance["high"]) == (min(r[0] for r in ranges[:2]), max(r[1] for r in ranges[:2]))
    assert balance["complete"] is True
    assert found["poor_low"] == (found["rows"][0]["count"] >= 2)
    for span in found["single_prints"]:
        between = [row for row in found["rows"] if span["from"] <= row["from"] < span["to"]]
        assert [row["count"] for row in between] == [1] * len(between)


@pytest.mark.parametrize(
    ("as_of", "opens", "closes"),
    [
        # New York moves its clocks on 8 March 2026, London on 29 March.
        ("2026-03-06T23:00:00Z", "2026-03-06T14:30:00Z", "2026-03-06T21:00:00Z"),
        ("2026-03-10T23:00:00Z", "2026-03-10T13:30:00Z", "2026-03-10T20:00:00Z"),
        ("2026-03-10T13:00:00Z", "2026-03-09T13:30:00Z", "2026-03-09T20:00:00Z"),
    ],
)
def test_a_session_of_new_york_opens_by_its_own_clocks(
    local: httpx.Client, as_of: str, opens: str, closes: str
) -> None:
    found = post(
        local, "tpo", as_of=as_of, timezone="America/New_York", session_start="09:30", session_end="16:00"
    )  # fmt: skip
    assert (found["opens"], found["closes"], found["complete"], found["as_of"]) == (opens, closes, True, closes)
    assert len(found["blocks"]) == 13
    assert 30 <= len(found["rows"]) <= 50


def test_what_came_after_changes_no_letter_printed_before(local: httpx.Client) -> None:
    early = post(local, "tpo", as_of="2026-03-10T06:00:00Z", row_height=50)
    late = post(local, "tpo", as_of="2026-03-10T23:00:00Z", row_height=50)
    assert late["blocks"][: len(early["blocks"])] == early["blocks"]
    assert early["initial_balance"] == late["initial_balance"]


def test_the_average_is_the_price_by_volume_since_its_period_began(local: httpx.Client) -> None:
    found = post(local, "vwap", timeframe="15m", limit=40, as_of=AS_OF, anchor="week", bands=[1, 2.5])
    assert (found["whole"], len(found["vwap"])) == (True, 40)
    assert set(found["period_start"]) == {"2026-03-09T00:00:00Z"}
    part = candles(local, "15m", "2026-03-09T00:00:00Z", AS_OF)
    price = np.array([(c["high"] + c["low"] + c["close"]) / 3 for c in part])
    volume = np.array([c["volume"] for c in part])
    mean = float((price * volume).sum() / volume.sum())
    sigma = float(np.sqrt((volume * (price - mean) ** 2).sum() / volume.sum()))
    assert (found["vwap"][-1], found["sigma"][-1]) == (pytest.approx(mean), pytest.approx(sigma))
    assert [band["multiple"] for band in found["bands"]] == [1.0, 2.5]
    assert found["bands"][1]["upper"][-1] == pytest.approx(mean + 2.5 * sigma)
    assert found["bands"][1]["lower"][-1] == pytest.approx(mean - 2.5 * sigma)


def test_an_average_since_a_time_is_undefined_before_it(local: httpx.Client) -> None:
    found = post(local, "vwap", timeframe="1h", limit=10, as_of=AS_OF, anchor="time", time="2026-03-10T10:30:00Z")
    assert found["period_start"] == [None] * 7 + ["2026-03-10T10:30:00Z"] * 3
    assert [value is None for value in found["vwap"]] == [True] * 7 + [False] * 3
    last = candles(local, "1h", "2026-03-10T11:00:00Z", AS_OF)[0]
    assert found["vwap"][7] == pytest.approx((last["high"] + last["low"] + last["close"]) / 3)
    long_ago = post(local, "vwap", timeframe="1h", limit=10, as_of=AS_OF, anchor="time", time="2026-03-01T00:00:00Z")
    assert None not in long_ago["vwap"]


def test_days_of_a_time_zone_begin_with_its_clocks(local: httpx.Client) -> None:
    found = post(local, "vwap", timeframe="1h", limit=96, as_of=AS_OF, timezone="America/New_York")
    assert sorted(set(found["period_start"])) == [
        "2026-03-06T05:00:00Z", "2026-03-07T05:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z",
        "2026-03-10T04:00:00Z",
    ]  # fmt: skip


@pytest.mark.parametrize("preset", ["vumanchu_b", "vumanchu_a"])
def test_several_timeframes_are_the_panels_of_one_instant(local: httpx.Client, preset: str) -> None:
    wanted = ["1d", "15m", "4h"]
    found = post(local, "cipher/timeframes", timeframes=[*wanted, "15m"], as_of=AS_OF, preset=preset)
    assert (found["as_of"], found["preset"]) == (AS_OF, preset)
    assert [each["timeframe"] for each in found["timeframes"]] == wanted
    assert [each["as_of"] for each in found["timeframes"]] == [
        "2026-03-10T00:00:00Z", "2026-03-10T14:00:00Z", "2026-03-10T12:00:00Z",
    ]  # fmt: skip
    for each in found["timeframes"]:
        panel = post(local, "cipher", timeframe=each["timeframe"], limit=200, as_of=AS_OF, preset=preset)
        for name, value in each["values"].items():
            assert value == pytest.approx(panel[name][-1], abs=1e-6), (each["timeframe"], name)
        newest = {event["name"]: event for event in panel["events"]}
        told = {event["name"]: event for event in each["events"]}
        assert newest.keys() <= told.keys()
        for name, event in newest.items():
            assert told[name]["confirmed_time"] == event["confirmed_time"]
            assert told[name]["pivot_time"] == event["pivot_time"]
            assert told[name]["candles_ago"] == 199 - event["confirmed_index"]


@pytest.mark.parametrize(
    ("path", "body", "detail", "remedy"),
    [
        ("tpo", {"as_of": "yesterday"}, "as_of", "2026-03-10T14:00:00Z"),
        ("tpo", {"as_of": "2026-03-10T14:00:00"}, "as_of", "with their time zone"),
        ("vwap", {"timeframe": "1h", "anchor": "time", "time": "0001-01-01T00:00:00+14:00"}, "time", "ISO 8601"),
        ("cipher/timeframes", {"timeframes": ["1h"], "as_of": 5e30}, "as_of", "ISO 8601"),
        ("tpo", {"session_start": "25:00"}, "'25:00' is not a time of day", "09:30"),
        ("tpo", {"timezone": "Mars/Olympus"}, "Mars/Olympus", "America/New_York"),
        ("tpo", {"as_of": "2999-01-01T00:00:00Z"}, "in the future", "has passed"),
        ("tpo", {"rows": 10, "row_height": 5.0}, "rows is 10", "one of them"),
        ("tpo", {"row_height": 1e-6}, "more than 1,000", "larger"),
        ("tpo", {"block_minutes": 7}, "block_minutes", "/docs"),
        ("tpo", {"timeframe": "1h"}, "No 1h candles fill blocks of 30 minutes", "5m"),
        ("vwap", {"timeframe": "1h", "anchor": "time"}, "needs `time`", "2026-03-10T14:00:00Z"),
        ("vwap", {"timeframe": "1h", "time": AS_OF}, "each session has no `time`", "`anchor` time"),
        ("vwap", {"timeframe": "1h", "anchor": "time", "time": "2999-01-01T00:00:00Z"}, "not lie before", "earlier"),
        ("vwap", {"timeframe": "1m", "anchor": "time", "time": "2001-01-01T00:00:00Z"}, "1m candles", "longer"),
        ("vwap", {"timeframe": "1h", "bands": [0]}, "bands", "/docs"),
        ("vwap", {"timeframe": "1h", "bands": [1] * 11}, "bands", "/docs"),
        ("cipher/timeframes", {"timeframes": []}, "timeframes", "/docs"),
        ("cipher/timeframes", {"timeframes": ["7m"]}, "timeframes", "/docs"),
        ("cipher/timeframes", {"timeframes": ["1h"], "preset": "vumanchu_b_tv_parity"}, "repaints", "vumanchu_b"),
        ("cipher/timeframes", {"timeframes": ["1h"], "as_of": "2999-01-01T00:00:00Z"}, "future", "has passed"),
    ],
)
def test_what_cannot_be_answered_says_why_and_what_to_do(
    local: httpx.Client, path: str, body: dict[str, Any], detail: str, remedy: str
) -> None:
    answer = local.post(f"/v1/{path}", json=SYMBOL | body)
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), problem
    assert detail in problem["detail"]
    assert remedy in problem["remedy"]


@pytest.mark.parametrize("path", ["tpo", "vwap", "cipher/timeframes"])
def test_an_unknown_symbol_is_answered_with_the_nearest(local: httpx.Client, path: str) -> None:
    bodies: dict[str, dict[str, Any]] = {"vwap": {"timeframe": "1h"}, "cipher/timeframes": {"timeframes": ["1h"]}}
    answer = local.post(f"/v1/{path}", json={"symbol": "BTCC/USDT"} | bodies.get(path, {}))
    assert answer.status_code == 404
    assert "BTC/USDT" in f"{answer.json()['detail']} {answer.json()['remedy']}"
