"""Importing files: what is accepted, what is refused, and that nothing is half-imported."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engines.domain.candles import CandleFrame
from engines.domain.clock import ManualClock
from engines.domain.timeframe import Timeframe
from engines.errors import InvalidRequest
from engines.market.importing import ImportReport, import_candles
from engines.market.store import CandleStore

MakeCandles = Callable[..., CandleFrame]
WriteCsv = Callable[..., Path]

HEADER = "time,open,high,low,close,volume"
GOOD = [
    "2024-01-01T00:00:00Z,100,110,90,105,1.5",
    "2024-01-01T01:00:00Z,105,115,95,100,2.5",
    "2024-01-01T02:00:00Z,100,101,99,100,0",
    "2024-01-01T03:00:00Z,100,101,99,100,1",
]


class Importer:
    """Imports text as a file into one store, as BTC/USD 1h unless told otherwise."""

    def __init__(self, store: CandleStore, folder: Path) -> None:
        self.store = store
        self.path = folder / "candles.csv"

    def text(self, text: str, *, timeframe: Timeframe = "1h", skip_bad: bool = False) -> ImportReport:
        self.path.write_text(text)
        return self.file(timeframe=timeframe, skip_bad=skip_bad)

    def file(self, *, timeframe: Timeframe = "1h", skip_bad: bool = False) -> ImportReport:
        return import_candles(
            self.path, symbol="BTC/USD", timeframe=timeframe, store=self.store, skip_bad=skip_bad, clock=CLOCK
        )

    def closes(self) -> list[float]:
        (series,) = self.store.series()
        end_ms = int(series.end.timestamp() * 1000)
        return [float(close) for close in self.store.read("BTC/USD", series.timeframe, end_ms=end_ms, count=100).close]


CLOCK = ManualClock(datetime(2026, 11, 20, 9, 41, tzinfo=UTC))


@pytest.fixture
def importer(sqlite_store: CandleStore, tmp_path: Path) -> Importer:
    return Importer(sqlite_store, tmp_path)


@pytest.mark.parametrize(
    ("name", "symbol", "timeframe", "candles", "end"),
    [
        ("btcusd-1h.csv.gz", "BTC/USD", "1h", 20_111, datetime(2019, 10, 17, 10, tzinfo=UTC)),
        ("btcusd-1d.csv.gz", "BTC/USD", "1d", 1_770, datetime(2019, 10, 18, tzinfo=UTC)),
        ("btcusd-perp-1m.csv.gz", "BTC/USD:USD", "1m", 45_031, datetime(2022, 2, 1, 5, 32, tzinfo=UTC)),
        ("eurusd-1h.csv.gz", "EUR/USD", "1h", 23_054, datetime(2025, 9, 12, 21, tzinfo=UTC)),
        ("google-30m.csv", "GOOG/USD", "30m", 65, datetime(2017, 10, 3, 11, tzinfo=UTC)),
        ("tradingview/vwap.csv", "EUR/USD", "15m", 300, datetime(2024, 4, 4, tzinfo=UTC)),
        ("tradingview/macd.csv", "EUR/USD", "30m", 200, datetime(2023, 1, 6, 10, 30, tzinfo=UTC)),
        ("tradingview/highest+lowest.csv", "EUR/USD", "30m", 150, datetime(2023, 1, 5, 9, 30, tzinfo=UTC)),
    ],
)
def test_recorded_files_import_whole(
    shared: Path, store: CandleStore, name: str, symbol: str, timeframe: Timeframe, candles: int, end: datetime
) -> None:
    report = import_candles(shared / "data" / name, symbol=symbol, timeframe=timeframe, store=store)
    (series,) = store.series()
    assert (report.candles, report.end) == (candles, end)
    assert (series.candles, series.end) == (candles, end)


def test_weekends_of_a_forex_file_are_reported_as_gaps(shared: Path, sqlite_store: CandleStore) -> None:
    report = import_candles(shared / "data/eurusd-1h.csv.gz", symbol="EUR/USD", timeframe="1h", store=sqlite_store)
    assert report.first == datetime(2022, 1, 2, 22, tzinfo=UTC), "17:00 in New York is 22:00 UTC in winter"
    assert report.gaps.count > 180
    assert report.gaps.first[0].missing == 48
    assert "196 gaps" in str(report)
    assert report.notes == ()


def test_an_import_again_changes_nothing(importer: Importer) -> None:
    first, second = (importer.text("\n".join([HEADER, *GOOD])) for _ in range(2))
    assert (first.written.added, first.written.unchanged) == (4, 0)
    assert (second.written.added, second.written.revised, second.written.unchanged) == (0, 0, 4)


def test_the_report_tells_people_what_came_in(importer: Importer) -> None:
    report = importer.text("\n".join([HEADER, GOOD[0], GOOD[1], GOOD[3]]))
    assert str(report).splitlines() == [
        "3 candles of BTC/USD 1h from candles.csv: 2024-01-01 00:00 to 2024-01-01 04:00 UTC.",
        "3 new, 0 revised, 0 already there.",
        "1 gap, 1 candle missing; the largest 2024-01-01 02:00 to 2024-01-01 03:00 (1 missing).",
        "First gaps: 2024-01-01 02:00 to 2024-01-01 03:00 (1 missing). Gaps are never filled.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Timestamp,Close,High,Low,Open,Volume\n2024-01-01 00:00:00,105,110,90,100,1.5\n"
        "2024-01-01 01:00,100,115,95,105,2.5\n",
        "unix,o,OPEN,High,LOW,Close,Volume BTC\n1704067200,x,100,110,90,105,1.5\n1704070800,x,105,115,95,100,2.5\n",
        "open time,open,high,low,close,volume\n1704067200000,100,110,90,105,1.5\n1704070800000,105,115,95,100,2.5\n",
        "ts,open,high,low,close,vol\n1704067200000000,100,110,90,105,1.5\n1704070800000000,105,115,95,100,2.5\n",
        "t,open,high,low,close,v\n1704067200000000000,100,110,90,105,1.5\n1704070800000000000,105,115,95,100,2.5\n",
        "time;open;high;low;close;volume\n1704067200.0;100;110;90;105;1.5\n1704070800.0;105;115;95;100;2.5\n",
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\n2024.01.01\t00:00:00\t100\t110\t90\t105\t1.5\n"
        "2024.01.01\t01:00:00\t105\t115\t95\t100\t2.5\n",
        '"Date","Open","High","Low","Close","Volume"\n"2024/1/1","100","110","90","105","1.5"\n'
        '"2024/01/01 01:00:00","105","115","95","100","2.5"\n',
        "1704067200000,100,110,90,105,1.5,1704070799999,1,2,3,4,0\n1704070800000,105,115,95,100,2.5,1704074399999,1,2,3,4,0\n",
        "﻿time,open,high,low,close,volume\n2024-01-01T02:00:00+02:00,100,110,90,105,1.5\r\n\r\n"
        "2023-12-31T20:00:00-0500,105,115,95,100,2.5\r\n",
        "date,open,high,low,close,volume\n2024-01-01 01:00:00 UTC,105,115,95,100,2.5\n"
        "2024-01-01 00:00:00 UTC,100,110,90,105,1.5",
    ],
    ids=[
        "naive",
        "unix",
        "milli",
        "micro",
        "nano",
        "float",
        "metatrader",
        "slashes",
        "headerless",
        "offsets",
        "reversed",
    ],
)
def test_a_time_column_is_found_and_read_whatever_its_form(importer: Importer, text: str) -> None:
    report = importer.text(text)
    assert (report.first, report.candles) == (datetime(2024, 1, 1, tzinfo=UTC), 2)
    assert importer.closes() == [105, 100]


def test_naive_times_are_taken_as_utc_and_said_to_be(importer: Importer) -> None:
    report = importer.text(f"{HEADER}\n2024-01-01 00:00,100,110,90,105,1.5\n2024-01-01 01:00,105,115,95,100,2.5")
    assert "carry no offset and were read as UTC" in str(report)
    assert importer.text("\n".join([HEADER, *GOOD])).notes == ()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2024-01-01T04:00:00Z,1OO,110,90,105,1", "open '1OO' is not a number"),
        ("2024-01-01T04:00:00Z,100,110,90,,1", "close '' is not a number"),
        ("2024-01-01T04:00:00Z,100,104,90,105,1", "high 104 is below open 100 or close 105"),
        ("2024-01-01T04:00:00Z,100,110,101,105,1", "low 101 is above open 100 or close 105"),
        ("2024-01-01T04:00:00Z,100,110,90,105,-1", "volume -1 is negative"),
        ("2024-01-01T04:00:00Z,100,inf,90,105,1", "high inf is not a finite number"),
        ("2024-01-01T04:00:00Z,100,110,90,NaN,1", "close nan is not a finite number"),
        ("2024-01-01T04:00:00Z,100,110,0,105,1", "low 0 is not above zero"),
        ("2024-01-01T04:00:00Z,-5,110,-6,105,1", "open -5 is not above zero"),
        ("2024-01-01T03:00:00Z,100,110,90,105,1", "2024-01-01 03:00:00 UTC stands there twice"),
        (
            "2024-01-01T02:00:00Z,100,110,90,105,1",
            "2024-01-01 02:00:00 UTC stands there twice|is earlier than a row above",
        ),
        ("2024-01-01T04:00:07Z,100,110,90,105,1", "2024-01-01 04:00:07 UTC is no start of a 1h candle"),
        ("yesterday,100,110,90,105,1", "'yesterday' is no time"),
        (",100,110,90,105,1", "'' is no time"),
        ("2030-01-01T00:00:00Z,100,110,90,105,1", "2030-01-01 00:00:00 UTC lies in the future"),
        ("2024-01-01T04:00:00Z,100,110", "has 3 columns, not 6"),
        ("2024-01-01T04:00:00Z,100,110,90,105,1,7", "has 7 columns, not 6"),
    ],
)
def test_one_bad_row_refuses_the_file_with_its_line_and_reason(importer: Importer, row: str, reason: str) -> None:
    text = "\n".join([HEADER, *GOOD, row, "2024-01-01T05:00:00Z,100,110,90,105,1"])
    with pytest.raises(
        InvalidRequest, match=f"(?s)candles.csv: 1 of 6 rows are bad, nothing was imported.*line 6: .*({reason})"
    ):
        importer.text(text)
    assert importer.store.series() == ()


def test_bad_rows_are_left_out_on_request_only(importer: Importer) -> None:
    rows = [*GOOD[:3], "2024-01-01T02:30:00Z,1,1,1,1,1", "broken", GOOD[3]]
    report = importer.text("\n".join([HEADER, *rows]), skip_bad=True)
    assert importer.closes() == [105, 100, 100, 100]
    assert [bad.line for bad in report.skipped] == [5, 6]
    assert "2 bad rows left out" in str(report)


@pytest.mark.parametrize("row", ["2024-01-01T02:00:00Z,100,110,90,105,1", "never,100,110,90,105,1"])
def test_one_bad_row_of_a_file_that_begins_with_the_newest_condemns_no_other(importer: Importer, row: str) -> None:
    newest_first = GOOD[::-1]
    with pytest.raises(InvalidRequest, match=rf"1 of {len(GOOD) + 1} rows are bad"):
        importer.text("\n".join([HEADER, *newest_first[:2], row, *newest_first[2:]]))


def test_one_row_dated_far_ahead_does_not_condemn_those_after_it(importer: Importer) -> None:
    rows = [GOOD[0], "2031-01-01T00:00:00Z,100,110,90,105,1", *GOOD[1:]]
    report = importer.text("\n".join([HEADER, *rows]), skip_bad=True)
    assert [bad.line for bad in report.skipped] == [3]


def test_many_bad_rows_are_counted_and_the_first_twenty_listed(importer: Importer) -> None:
    rows = [f"2024-01-{day:02}T{hour:02}:00:00Z,100,110,90,x,1" for day in (1, 2, 3) for hour in range(24)]
    with pytest.raises(InvalidRequest) as refusal:
        importer.text("\n".join([HEADER, *rows]))
    assert "72 of 72 rows are bad" in refusal.value.message
    assert refusal.value.message.count("\n  line ") == 20
    assert "and 52 more" in refusal.value.message


def test_a_bad_row_far_down_a_long_file_undoes_all_of_it(
    importer: Importer, make_candles: MakeCandles, write_csv: WriteCsv
) -> None:
    path = write_csv(make_candles(60_000, "1m"))
    with path.open("a") as file:
        file.write("1704067200000,1,2,3,4,5\n")
    with pytest.raises(InvalidRequest, match=r"1 of 60,001 rows are bad.*\n  line 60,002: "):
        importer.file(timeframe="1m")
    assert importer.store.series() == ()


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        ("1,2,x,4,5", "low 'x' is not a number"),
        ("1,2,,4,5", "low '' is not a number"),
        ("1,2", "has 3 columns, not 6"),
    ],
)
def test_lines_are_counted_right_in_a_long_file_with_empty_lines(
    importer: Importer, make_candles: MakeCandles, write_csv: WriteCsv, spoilt: str, reason: str
) -> None:
    lines = write_csv(make_candles(30_000, "1m")).read_text().splitlines()
    lines[20_000:20_000] = ["", "", f"{lines[20_000].partition(',')[0]},{spoilt}"]
    with pytest.raises(InvalidRequest, match=f"1 of 30,001 rows are bad(?s:.*)line 20,003: {reason}"):
        importer.text("\n".join(lines), timeframe="1m")
    report = importer.text("\n".join(lines), timeframe="1m", skip_bad=True)
    assert (report.candles, len(report.skipped)) == (30_000, 1)


@pytest.mark.parametrize("manner", ["iso", "unix", "headerless", "two columns", "gzipped"])
def test_a_long_file_reads_as_its_parts_do(
    importer: Importer, make_candles: MakeCandles, write_csv: WriteCsv, manner: str
) -> None:
    candles = make_candles(20_000, "1m")
    lines = write_csv(candles).read_text().splitlines()
    rows = [line.partition(",") for line in lines[1:]]
    if manner in {"iso", "two columns"}:
        stamps = [datetime.fromtimestamp(int(time) / 1000, tz=UTC) for time, _, _ in rows]
        between = "T" if manner == "iso" else ","
        lines[1:] = [
            f"{stamp:%Y-%m-%d{between}%H:%M:%SZ},{rest}" for stamp, (_, _, rest) in zip(stamps, rows, strict=True)
        ]
    if manner == "two columns":
        lines[0] = "date," + lines[0]
    text = "\n".join(lines[1:] if manner == "headerless" else lines)
    importer.path.write_bytes(gzip.compress(text.encode()) if manner == "gzipped" else text.encode())
    report = importer.file(timeframe="1m")
    assert (report.candles, report.end, report.gaps.count) == (20_000, candles.as_of, 0)
    np.testing.assert_array_equal(importer.closes(), candles.close[-100:])


@pytest.mark.parametrize(("asked", "name"), [("1m", "1h"), ("4h", "1h"), ("1d", "1h")])
def test_a_file_of_another_timeframe_is_named(importer: Importer, asked: Timeframe, name: str) -> None:
    with pytest.raises(InvalidRequest, match=f"candles are {name} apart, not {asked}.*--timeframe {name}"):
        importer.text("\n".join([HEADER, *GOOD]), timeframe=asked)


def test_the_candle_that_has_not_closed_yet_is_left_out(importer: Importer) -> None:
    rows = [f"2026-11-20T0{hour}:00:00Z,100,110,90,105,1" for hour in (7, 8, 9)]
    report = importer.text("\n".join([HEADER, *rows]))
    assert (report.candles, report.forming) == (2, True)
    assert "had not closed yet" in str(report)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (HEADER.encode(), "a header and no candles"),
        (HEADER.encode() + b"\n\n\n", "a header and no candles"),
        (b"time,open,high,low,volume\n", "No column for close"),
        (b"open,high,low,close,volume\n", "No column for time"),
        (bytes(range(256)) * 40, "not UTF-8|binary"),
        (b"\x00\x00\x00\x01" * 100, "binary"),
        (f"{HEADER}\n{GOOD[0]}\n".encode("utf-16"), "UTF-16"),
        (f"{HEADER}\n{GOOD[0]}\n".encode("utf-16-le"), "binary"),
        (f"{HEADER},é\n{GOOD[0]},ü\n".encode("latin-1"), "not UTF-8"),
        (b"PK\x03\x04junk", "ZIP"),
        (b"PAR1junk", "Parquet file cannot be read"),
        (gzip.compress(f"{HEADER}\n{GOOD[0]}\n".encode() * 100, mtime=0)[:60], "damaged or cut short"),
        (b"\x1f\x8bjunkjunkjunk", "damaged or cut short"),
        (b'time,open,high,low,close,volume\n"2024-01-01,1,1,1,1,1\n' + b"x" * 200_000, "not a text table"),
    ],
)
def test_a_file_that_is_no_table_of_candles_is_refused_in_words(
    importer: Importer, content: bytes, message: str
) -> None:
    importer.path.write_bytes(content)
    with pytest.raises(InvalidRequest, match=message):
        importer.file()
    assert importer.store.series() == ()


def test_paths_that_cannot_be_read_are_refused_in_words(importer: Importer, tmp_path: Path) -> None:
    for path, reason in ((tmp_path, "Is a directory"), (tmp_path / "none.csv", "No such file")):
        with pytest.raises(InvalidRequest, match=reason):
            import_candles(path, symbol="BTC/USD", timeframe="1h", store=importer.store)


@pytest.mark.parametrize("symbol", ["BTC", "BTC-USD", "", "BTC/", "BTC/USD; drop", "../x"])
def test_a_symbol_needs_base_and_quote(importer: Importer, symbol: str) -> None:
    importer.text("\n".join([HEADER, *GOOD]))
    with pytest.raises(InvalidRequest, match="BTC/USD"):
        import_candles(importer.path, symbol=symbol, timeframe="1h", store=importer.store)


@pytest.mark.parametrize("kind", ["timestamp", "naive", "integers", "text"])
def test_parquet_says_the_same_as_csv(importer: Importer, make_candles: MakeCandles, tmp_path: Path, kind: str) -> None:
    candles = make_candles(500)
    stamps = pa.array(candles.open_time, pa.int64())
    times = {
        "timestamp": stamps.cast(pa.timestamp("ms", "UTC")),
        "naive": stamps.cast(pa.timestamp("ms")).cast(pa.timestamp("ns")),
        "integers": stamps,
        "text": stamps.cast(pa.timestamp("ms", "UTC")).cast(pa.timestamp("s", "UTC")).cast(pa.string()),
    }[kind]
    columns = {"Close": candles.close, "High": candles.high, "Low": candles.low, "Open": candles.open}
    importer.path = tmp_path / "candles.parquet"
    pq.write_table(pa.table({"date": times, **columns, "Volume": candles.volume}), importer.path)
    report = importer.file()
    assert (report.candles, report.end) == (500, candles.as_of)
    assert any("read as UTC" in note for note in report.notes) == (kind == "naive")
    np.testing.assert_array_equal(importer.closes(), candles.close[-100:])


def test_a_bad_row_of_a_parquet_file_is_named_by_its_row(importer: Importer, make_candles: MakeCandles) -> None:
    candles = make_candles(10)
    close = [*candles.close[:6].tolist(), None, *candles.close[7:].tolist()]
    columns = {"time": candles.open_time, "open": candles.open, "high": candles.high, "low": candles.low}
    pq.write_table(pa.table({**columns, "close": close, "volume": candles.volume}), importer.path)
    with pytest.raises(InvalidRequest, match="line 7: close nan is not a finite number"):
        importer.file()


def test_steps_of_price_and_quantity_come_from_the_figures(importer: Importer) -> None:
    rows = [
        "2024-01-01T00:00:00Z,8000.5,8001.25,7999,8000,1.5",
        "2024-01-01T01:00:00Z,8000,8001,7999,8000,2.25",
    ]
    importer.text("\n".join([HEADER, *rows]))
    (series,) = importer.store.series()
    assert series.provenance.tick_size == Decimal("0.01")
    assert series.provenance.lot_size == Decimal("0.0001"), "worth at most one dollar"


def test_progress_ends_with_every_candle_done(
    importer: Importer, make_candles: MakeCandles, write_csv: WriteCsv
) -> None:
    path = write_csv(make_candles(70_000, "1m"))
    seen: list[tuple[int, int]] = []
    import_candles(
        path,
        symbol="BTC/USD",
        timeframe="1m",
        store=importer.store,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == sorted(seen)
    assert len(seen) >= 4
    assert seen[-1] == (70_000, 70_000)


def test_revised_history_is_counted(importer: Importer) -> None:
    importer.text("\n".join([HEADER, *GOOD]))
    report = importer.text("\n".join([HEADER, GOOD[0].replace("1.5", "1.6"), *GOOD[1:]]))
    assert (report.written.revised, report.written.unchanged) == (1, 3)
    assert timedelta(hours=4) == report.end - report.first
