"""The engines over HTTP: the golden columns of an imported file, and the profiles of real minutes."""

from __future__ import annotations

import csv
import gzip
import json
import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from engines.market.importing import import_candles
from engines.market.store import CandleStore
from engines.storage.database import open_database
from engines.volume_profile import DESK_PROFILE

GOLDEN_ROWS = 6_000
TOLERANCES = {"wt1": 1e-11, "rsi": 1e-11, "stoch_k": 1e-9, "stoch_d": 1e-9, "stc": 1e-8}
VALUES = {"wt1", "wt2", "vwap", "money_flow", "rsi", "stoch_k", "stoch_d", "stc", "htf_vwap"}


class Client(Protocol):
    def __call__(self, path: str, **body: Any) -> dict[str, Any]: ...


def first_lines(source: Path, target: Path, *, skip: int, count: int) -> Path:
    """The header and some data rows of a file."""
    with gzip.open(source, "rt") as file:
        header, *rows = file.read().splitlines()
    target.write_text("\n".join([header, *rows[skip : skip + count]]) + "\n")
    return target


def columns_of(path: Path) -> dict[str, list[str]]:
    with gzip.open(path, "rt") as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


@pytest.fixture(scope="module")
def files_home(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the golden hours, all real hours, and the golden minutes."""
    home = tmp_path_factory.mktemp("engine-files")
    database = open_database("candles", home=home)
    store = CandleStore(database)
    hours, minutes = shared / "data" / "btcusd-1h.csv.gz", shared / "data" / "btcusd-perp-1m.csv.gz"
    golden = first_lines(hours, home / "golden.csv", skip=0, count=GOLDEN_ROWS)
    days = first_lines(minutes, home / "days.csv", skip=2939, count=4320)
    for file, symbol, timeframe in (
        (golden, "BTC/USD", "1h"),
        (hours, "ALL/USD", "1h"),
        (days, "PERP/USD", "1m"),
    ):
        import_candles(file, symbol=symbol, timeframe=timeframe, store=store)  # type: ignore[arg-type]
    database.dispose()
    return home


@pytest.fixture(scope="module")
def post(files_home: Path, serving_home: Any) -> Iterator[Client]:
    """Posts to a desk on the imported files; anything but 200 fails."""
    with serving_home(files_home, market="files") as served, served.client() as client:

        def send(path: str, **body: Any) -> dict[str, Any]:
            answer: httpx.Response = client.post(f"/v1/{path}", json=body)
            assert answer.status_code == 200, answer.text
            assert answer.headers["content-type"] == "application/json"
            found: dict[str, Any] = answer.json()
            return found

        yield send


def assert_columns(answer: dict[str, Any], golden: dict[str, list[str]], *, first: int = 0) -> None:
    """Every golden column, from row `first` of the file on, exactly where it is exact and to its tolerance else."""
    for name, cells in golden.items():
        shown, wanted = answer[name], cells[first:]
        assert len(shown) == len(wanted), name
        if name == "open_time":
            assert shown == wanted
            continue
        tolerance = TOLERANCES.get(name, 1e-10 if name in VALUES or name.startswith("ema") else 0.0)
        for row, (got, cell) in enumerate(zip(shown, wanted, strict=True)):
            expected = float(cell)
            if name.endswith("_index") and not math.isnan(expected):
                expected = expected - first if expected >= first else math.nan
            if math.isnan(expected):
                assert got is None, (name, row)
            else:
                assert got is not None, (name, row)
                assert abs(got - expected) <= tolerance, (name, row, got, expected)


@pytest.mark.parametrize("limit", [GOLDEN_ROWS, 25_000])
def test_cipher_b_of_an_imported_file_is_the_golden_file(post: Client, shared: Path, limit: int) -> None:
    answer = post("cipher", symbol="BTC/USD", timeframe="1h", limit=limit)
    assert_columns(answer, columns_of(shared / "golden" / "cipher_b.btcusd-1h.csv.gz"))
    assert (answer["preset"], answer["warm_up"], answer["simulated"]) == ("vumanchu_b", 0, False)


def test_the_last_candles_are_those_of_the_whole_file_with_indices_of_their_own(post: Client, shared: Path) -> None:
    answer = post("cipher", symbol="BTC/USD", timeframe="1h", limit=700)
    assert_columns(answer, columns_of(shared / "golden" / "cipher_b.btcusd-1h.csv.gz"), first=GOLDEN_ROWS - 700)
    assert answer["warm_up"] == GOLDEN_ROWS - 700


def test_as_of_hides_what_came_later(post: Client, shared: Path) -> None:
    golden = columns_of(shared / "golden" / "cipher_b.btcusd-1h.csv.gz")
    answer = post("cipher", symbol="ALL/USD", timeframe="1h", limit=25_000, as_of=golden["open_time"][3_000])
    assert_columns(answer, {name: cells[:3_000] for name, cells in golden.items()})
    assert answer["as_of"] == golden["open_time"][3_000]


def test_cipher_a_of_an_imported_file_is_the_golden_file(post: Client, shared: Path) -> None:
    answer = post("cipher", symbol="BTC/USD", timeframe="1h", limit=GOLDEN_ROWS, preset="vumanchu_a")
    assert_columns(answer, columns_of(shared / "golden" / "cipher_a.btcusd-1h.csv.gz"))
    assert answer["preset"] == "vumanchu_a"


def test_events_name_the_candle_they_are_drawn_at_and_the_close_they_are_known_at(post: Client) -> None:
    answer = post("cipher", symbol="BTC/USD", timeframe="1h", limit=2_000)
    times = answer["open_time"]
    assert answer["events"]
    for event in answer["events"]:
        row = event["confirmed_index"]
        assert answer[event["name"]][row] == 1
        assert (event["index"], event["time"]) == (row, times[row])
        assert event["confirmed_time"] == (times[row + 1] if row + 1 < len(times) else answer["as_of"])
        if event["pivot_index"] is not None:
            assert event["pivot_time"] == times[event["pivot_index"]]
        late = "_div" in event["name"] or event["name"] == "gold_dot"
        assert event["pivot_index"] == (row - 2 * late if row >= 2 * late else None)
        compares = late and not event["name"].endswith("_dot")
        assert (event["previous_pivot_time"] is not None) == compares
    marked = sum(sum(answer[name]) for name in {event["name"] for event in answer["events"]})
    assert marked == len(answer["events"])


def test_a_value_of_a_longer_timeframe_says_which_close_it_rests_on(post: Client) -> None:
    answer = post("cipher", symbol="BTC/USD", timeframe="1h", limit=100)
    for opened, value, rests in zip(answer["open_time"], answer["htf_vwap"], answer["htf_vwap_rests_on"], strict=True):
        assert value is not None
        assert rests[11:] in {"00:00:00Z", "12:00:00Z"}
        closed = datetime.fromisoformat(opened) + timedelta(hours=1)
        assert closed - timedelta(hours=12) < datetime.fromisoformat(rests) <= closed


@pytest.fixture(scope="module")
def profiles(shared: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shared / "golden" / "volume_profile.json").read_text())
    return found


def assert_profile(answer: dict[str, Any], expected: dict[str, Any]) -> None:
    """Rows, levels and nodes of a golden profile."""
    largest = max(expected["histogram"])
    for name, golden in (("volume", "histogram"), ("up", "up"), ("down", "down"), ("delta", "delta")):
        shown = [row[name] for row in answer["rows"]]
        assert shown == pytest.approx(expected[golden], rel=0, abs=1e-10 * largest), name
    for name, golden in (("poc", "poc_price"), ("vah", "vah"), ("val", "val"), ("total_volume", "total_volume")):
        assert answer[name] == pytest.approx(expected[golden], rel=1e-9), name
    assert [answer[name] for name in ("poc_row", "vah_row", "val_row")] == [
        expected[name] for name in ("poc_row", "vah_row", "val_row")
    ]
    assert [[node["row"] for node in answer[name]] for name in ("hvn", "lvn")] == [expected["hvn"], expected["lvn"]]
    assert answer["rows"][0]["from"] == pytest.approx(expected["base"])
    assert all(lower["to"] == upper["from"] for lower, upper in zip(answer["rows"], answer["rows"][1:], strict=False))


def test_the_profile_of_imported_minutes_is_the_golden_composite(post: Client, profiles: dict[str, Any]) -> None:
    expected = profiles["sessions"]["composite_all_rows"]
    for kind in ("range", "composite"):
        answer = post("volume-profile", symbol="PERP/USD", timeframe="1m", limit=4320, row_height=25, kind=kind)
        assert_profile(answer, expected)
        assert (answer["kind"], answer["built_from"], answer["candles"]) == (kind, "1m", 4320)


def test_sessions_and_their_naked_levels_are_the_golden_ones(post: Client, profiles: dict[str, Any]) -> None:
    golden = profiles["sessions"]
    answer = post("volume-profile", symbol="PERP/USD", timeframe="1m", limit=4320, row_height=25, kind="session")
    assert [each["session"] for each in answer["sessions"]] == [each["session"] for each in golden["sessions"]]
    for shown, expected in zip(answer["sessions"], golden["sessions"], strict=True):
        assert shown["complete"]
        assert_profile(shown["profile"], expected["expected"])
    names = ("session", "price", "naked", "tagged_at", "age_sessions")
    assert [[each[name] for name in names] for each in answer["session_pocs"]] == [
        [each[name] for name in names] for each in golden["naked_poc_strict"]
    ]
    assert answer["naked_pocs"] == [each for each in answer["session_pocs"] if each["naked"]]


def test_an_anchored_profile_begins_at_its_anchor_and_a_developing_one_never_looks_ahead(
    post: Client, profiles: dict[str, Any]
) -> None:
    whole = post(
        "volume-profile", symbol="PERP/USD", timeframe="1m", limit=4320, row_height=25, kind="developing",
        as_of="2022-01-04T00:00:00Z",
    )  # fmt: skip
    assert len(whole["developing"]["poc"]) == 1440
    for step in profiles["sessions"]["developing_first_session"]:
        row = step["after_bars"] - 1
        shown = [whole["developing"][name][row] for name in ("poc", "val", "vah")]
        assert shown == pytest.approx([step["poc_price"], step["val"], step["vah"]])
    anchored = post(
        "volume-profile", symbol="PERP/USD", timeframe="1h", row_height=25, kind="anchored",
        anchor="2022-01-05T01:00:00+01:00", lower_timeframe="1m",
    )  # fmt: skip
    assert anchored["from_time"] <= "2022-01-05T00:00:00Z"
    assert_profile(anchored, profiles["sessions"]["sessions"][2]["expected"])


def test_longer_candles_are_taken_apart_into_the_shorter_ones_behind_them(post: Client) -> None:
    answer = post("volume-profile", symbol="PERP/USD", timeframe="1h", limit=24)
    assert (answer["built_from"], answer["candles"], len(answer["rows"])) == ("1m", 24, 100)
    own = post("volume-profile", symbol="PERP/USD", timeframe="1h", limit=24, lower_timeframe="1h")
    assert own["built_from"] == "1h"
    assert own["total_volume"] == pytest.approx(answer["total_volume"])


def test_without_rows_a_profile_is_the_desks_own(post: Client) -> None:
    answer = post("volume-profile", symbol="ALL/USD", timeframe="1h", limit=300)
    assert {name: answer["parameters"][name] for name in ("rows", "smoothing", "limit")} == {
        "rows": DESK_PROFILE.rows, "smoothing": DESK_PROFILE.smoothing, "limit": 300,
    }  # fmt: skip
    given = post("volume-profile", symbol="ALL/USD", timeframe="1h", limit=300, rows=24)
    assert (given["parameters"]["rows"], given["parameters"]["smoothing"]) == (24, 0.0)


@pytest.mark.parametrize("kind", ["range", "session", "composite"])
def test_past_levels_are_those_of_the_desks_chart_whatever_the_range(local: httpx.Client, kind: str) -> None:
    asked = {"symbol": "BTC/USDT", "timeframe": "4h", "as_of": "2026-03-11T16:00:00Z"}
    told = []
    for limit in (200, 1_000):
        drawn = local.get("/v1/chart", params=asked | {"limit": limit}).json()["volume_profile"]["naked_pocs"]
        answer = local.post("/v1/volume-profile", json=asked | {"limit": limit, "kind": kind}).json()
        told += [{each["session"]: each["price"] for each in levels} for levels in (drawn, answer["naked_pocs"])]
    assert told[0]
    assert told[1] == told[0]
    assert told[3] == told[2]
    assert told[0].items() <= told[2].items()


def test_an_anchored_profile_counts_and_begins_with_what_came_since(local: httpx.Client) -> None:
    asked = {"symbol": "BTC/USDT", "timeframe": "4h", "as_of": "2026-11-22T12:00:00Z", "kind": "anchored"}
    answer = local.post("/v1/volume-profile", json=asked | {"anchor": "2026-11-10T00:00:00Z"}).json()
    assert (answer["from_time"], answer["candles"]) == ("2026-11-10T00:00:00Z", 75)


def test_why_a_mark_is_there_is_told_condition_by_condition(post: Client) -> None:
    panel = post("cipher", symbol="BTC/USD", timeframe="1h", limit=1_000)
    dot = next(event for event in panel["events"] if event["name"] == "green_dot")
    found = post("explain", symbol="BTC/USD", timeframe="1h", event="green_dot", at=dot["confirmed_time"])
    assert (found["happened"], found["close_time"]) == (True, dot["confirmed_time"])
    assert all(condition["passed"] for condition in found["conditions"])
    (level,) = [condition for condition in found["conditions"] if condition["setting"] == "oversold"]
    assert (level["value"], level["threshold"]) == (pytest.approx(panel["wt2"][dot["index"]], abs=1e-9), -53)
    missing = post("explain", symbol="BTC/USD", timeframe="1h", event="red_dot", at=dot["confirmed_time"])
    assert not missing["happened"]
    assert any(not condition["passed"] for condition in missing["conditions"])
