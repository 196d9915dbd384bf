"""`profile` reads single trades and prints where they were done and who came to whom."""

from __future__ import annotations

import csv
import gzip
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from engines.errors import InvalidRequest
from engines.market.trades_file import read_trades
from ui.cli.main import app

HEADER = "time,side,price,quantity\n"
TRADES = HEADER + (
    "2026-03-10T00:00:00Z,buy,100.0,2\n"
    "2026-03-10T00:00:01Z,sell,100.5,1.5\n"
    "2026-03-10T00:00:01Z,buy,102.0,4\n"
    "2026-03-10T00:00:02Z,sell,104.0,1\n"
)


def profile(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "120", "NO_COLOR": "1"}).invoke(app, ["profile", *arguments])


def written(folder: Path, text: str) -> str:
    path = folder / "trades.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_levels_delta_and_rows_of_a_small_file_are_those_worked_out_by_hand(tmp_path: Path) -> None:
    result = profile(written(tmp_path, TRADES), "--symbol", "BTC/USDT", "--row-height", "1")
    assert result.exit_code == 0, result.output
    first, second, third = result.stdout.splitlines()[:3]
    # Rows 100-101: 3.5, 102-103: 4, 104-105: 1; 70 % of 8.5 is 5.95.
    assert first == (
        "BTC/USDT: point of control 102.5, value area 100.0 to 103.0 (88.2% of the volume); last trade at 104.0."
    )
    assert second == "Buyers took 6, sellers gave 2.5: delta +3.5 (+41.2% of 8.5)."
    assert third == "At the point of control: delta +4."
    row = next(line for line in result.stdout.splitlines() if line.strip().startswith("100.0"))
    assert row.split()[:6] == ["100.0", "101.0", "3.5", "2", "1.5", "+0.5"]


def test_the_real_file_is_summed_whole(shared: Path) -> None:
    source = shared / "data" / "xrpeth-trades.csv.gz"
    with gzip.open(source, "rt") as file:
        rows = list(csv.DictReader(file))
    bought = sum(float(row["quantity"]) for row in rows if row["side"] == "buy")
    sold = sum(float(row["quantity"]) for row in rows if row["side"] == "sell")
    result = profile(str(source), "--rows", "40")
    assert result.exit_code == 0, result.output
    assert f"Buyers took {bought:,.8g}, sellers gave {sold:,.8g}: delta {bought - sold:+,.8g}" in result.stdout
    assert f"From {len(rows):,} trades in xrpeth-trades.csv.gz, 2019-10-11 00:00:11" in result.stdout
    assert result.stdout.count("\n") == 47
    (poc,) = re.findall(r"^ *([\d.]+) +([\d.]+) .* POC", result.stdout, flags=re.MULTILINE)
    assert float(poc[0]) < float(poc[1])


@pytest.mark.parametrize(
    ("names", "row", "side"),
    [
        ("timestamp;price;qty;is_buyer_maker", "1570752011620;1.5;2;true", -1),
        ("timestamp;price;qty;is_buyer_maker", "1570752011620;1.5;2;False", 1),
        ("Time,Price,Amount,Side", "2026-03-10 00:00:00,1.5,2,SELL", -1),
        ("time\tp\tsize\tside", "1570752011\t1.5\t2\tb", 1),
    ],
)
def test_columns_and_sides_are_known_by_the_names_venues_give_them(
    tmp_path: Path, names: str, row: str, side: int
) -> None:
    read = read_trades(Path(written(tmp_path, f"{names}\n{row}\n")), symbol="A/B")
    assert (read.trades.price.tolist(), read.trades.quantity.tolist()) == ([1.5], [2.0])
    assert (read.trades.side.tolist(), read.decimals) == ([side], 1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEADER, "has no trades"),
        ("", "has no trades"),
        ("time,price,quantity\n1570752011620,1,1\n", "no column for the side"),
        (HEADER + "2026-03-10,long,1,1\n", "line 2: 'long' is no side"),
        (HEADER + "soon,buy,1,1\n", "line 2: 'soon' is no time"),
        (HEADER + "2026-03-10,buy,0,1\n", "line 2: price '0' is no number above zero"),
        (HEADER + "2026-03-10,buy,1,-1\n", "line 2: quantity '-1' is no number zero or more"),
        (HEADER + "2026-03-10,buy,nan,1\n", "price 'nan' is no number"),
        (HEADER + "2026-03-10,buy,1\n", "line 2: has 3 columns, not 4"),
        (HEADER + "2026-03-10,buy,1,1\n2026-03-09,buy,1,1\n", "line 3: is earlier than the line before it"),
        (HEADER + "2026-03-10,no,1,1\n" * 30, "; and 10 more"),
    ],
)
def test_a_file_that_is_not_all_trades_is_refused_by_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_trades(Path(written(tmp_path, text)), symbol="A/B")
    assert told in caught.value.message
    assert caught.value.remedy


def test_rubbish_and_nothing_are_refused_with_a_way_out(tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.csv"
    rubbish.write_bytes(bytes(range(256)) * 20)
    for path in (rubbish, tmp_path, tmp_path / "nowhere.csv"):
        with pytest.raises(InvalidRequest) as caught:
            read_trades(path, symbol="A/B")
        assert caught.value.remedy


@pytest.mark.parametrize("option", [("--row-height", "0"), ("--row-height", "1e-9"), ("--value-area", "1.5")])
def test_a_setting_out_of_its_range_is_refused(tmp_path: Path, option: tuple[str, str]) -> None:
    result = profile(written(tmp_path, TRADES), *option)
    assert isinstance(result.exception, InvalidRequest)
    assert result.exception.remedy
