"""What candles cost: importing a million, reading ten thousand, making simulated ones.

PostgreSQL is measured too where `QTP_TEST_PG_DSN` names a server.
"""

from __future__ import annotations

import csv
import gzip
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from engines.domain.clock import ManualClock  # noqa: E402
from engines.domain.timeframe import TIMEFRAMES, to_ms  # noqa: E402
from engines.market.demo import DemoMarket  # noqa: E402
from engines.market.importing import import_candles  # noqa: E402
from engines.market.store import CandleStore  # noqa: E402
from engines.storage.database import open_database  # noqa: E402

COUNT: Final = 1_000_000
READ: Final = 10_000
NOW: Final = datetime(2026, 1, 5, 12, 34, 56, tzinfo=UTC)


def main() -> None:
    """Print every figure."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        path = home / "million.csv.gz"
        measure_demo()
        write_file(path)
        measure_store("SQLite", path, home, "")
        server = os.environ.get("QTP_TEST_PG_DSN")
        if server:
            with_database(server, lambda url: measure_store("PostgreSQL", path, home, url))
        else:
            print("PostgreSQL: not measured, set QTP_TEST_PG_DSN to a server")


def measure_demo() -> None:
    """First and later windows of 1,000 simulated candles."""
    market = DemoMarket(ManualClock(NOW))
    first = milliseconds(lambda: market.closed_candles("BTC/USDT", "1w", count=1000), repeats=1)
    print(f"demo, 1,000 candles: first window (1w) {first:.1f} ms")
    for timeframe in TIMEFRAMES:
        later = milliseconds(lambda t=timeframe: market.closed_candles("ETH/USDT", t, count=1000), repeats=7)  # type: ignore[misc]
        print(f"demo, 1,000 candles of {timeframe:>3}: {later:5.1f} ms")
    print(f"demo, quote: {milliseconds(lambda: market.quote('BTC/USDT'), repeats=20):.1f} ms")


def write_file(path: Path) -> None:
    """A million simulated minutes as a gzipped CSV."""
    minutes = DemoMarket(ManualClock(NOW)).closed_candles("BTC/USDT", "1m", count=COUNT)
    columns = (minutes.open_time, minutes.open, minutes.high, minutes.low, minutes.close, minutes.volume)
    with gzip.open(path, "wt", compresslevel=1, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("time", "open", "high", "low", "close", "volume"))
        writer.writerows(zip(*(column.tolist() for column in columns), strict=True))


def measure_store(name: str, path: Path, home: Path, url: str) -> None:
    """Import the file twice and read from its middle."""
    engine = open_database("candles", home=home, url=url)
    store = CandleStore(engine)
    for what in ("import of 1,000,000 candles", "the same again, nothing new"):
        start = time.perf_counter()
        import_candles(path, symbol="BTC/USDT", timeframe="1m", store=store)
        print(f"{name}, {what}: {time.perf_counter() - start:.1f} s (goal 15 s)")
    (series,) = store.series()
    middle = (to_ms(series.first) + to_ms(series.end)) // 2
    read = milliseconds(lambda: store.read("BTC/USDT", "1m", end_ms=middle, count=READ), repeats=9)
    print(f"{name}, reading 10,000 candles: {read:.1f} ms (goal 50 ms)")
    engine.dispose()


def with_database(server: str, use: Callable[[str], None]) -> None:
    """Hand over a new database of a server and drop it afterwards."""
    import psycopg

    name = f"qtp_bench_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            use(urlsplit(server)._replace(path=f"/{name}").geturl())
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def milliseconds(work: Callable[[], object], *, repeats: int) -> float:
    """Median time of a call."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


if __name__ == "__main__":
    main()
