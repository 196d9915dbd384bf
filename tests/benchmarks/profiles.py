"""What volume profiles cost, against the field: nanoseconds per candle, small calls, growth with length.

Run it with `make bench` or `.venv-bench/bin/python tests/benchmarks/profiles.py`. Everything is measured in one run, on
one thread, and told as medians (best in brackets). The peers are imported where they are measured: `numpy.histogram`
puts whole candles at their close, and py-market-profile does too; ours spreads each over its range, up and down apart.
"""

from __future__ import annotations

import gc
import importlib.util
import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from engines.domain.candles import CandleFrame  # noqa: E402
from engines.volume_profile import (  # noqa: E402
    LiveProfile,
    ProfileParams,
    compute_volume_profile,
    developing_profile,
    naked_pocs,
    session_profiles,
)

COUNT: Final = 1_000_000
ROWS: Final = 200
REPEATS: Final = 15
LENGTHS: Final = (10_000, 100_000, 1_000_000, 10_000_000)
CANDLE: Final = ("open_time", "open", "high", "low", "close", "volume")
BY_COUNT: Final = ProfileParams(rows=ROWS)
BY_HEIGHT: Final = ProfileParams(rows=None, row_height=100.0)


def random_candles(count: int) -> CandleFrame:
    """Minutes of a random walk with wicks and volume."""
    random = np.random.default_rng(1)
    close = 30_000 * np.exp(np.cumsum(random.normal(0.0, 0.001 * (COUNT / count) ** 0.5, count)))
    open_ = np.concatenate((close[:1], close[:-1]))
    return CandleFrame(
        "BTC/USDT",
        "1m",
        "benchmark",
        simulated=True,
        open_time=np.arange(count, dtype=np.int64) * 60_000,
        open=open_,
        high=np.maximum(open_, close) * (1 + random.uniform(0, 0.001, count)),
        low=np.minimum(open_, close) * (1 - random.uniform(0, 0.001, count)),
        close=close,
        volume=random.exponential(5.0, count),
    )


def seconds(*works: Callable[[], Any], repeats: int = REPEATS) -> list[tuple[float, float]]:
    """Median and best of each; taken in turns, so that all meet the same weather."""
    times: list[list[float]] = [[] for _ in works]
    for work in works:
        work()
    for _ in range(repeats):
        for work, taken in zip(works, times, strict=True):
            begin = time.perf_counter()
            work()
            taken.append(time.perf_counter() - begin)
    return [(float(np.median(taken)), min(taken)) for taken in times]


def tell(name: str, measured: tuple[float, float], *, per: float, unit: str) -> None:
    """One line: median and best, in `unit`, of which one second holds `per`."""
    print(f"{name:<60} {measured[0] * per:9.2f} ({measured[1] * per:.2f}) {unit}")


def tell_ratio(peer: str, theirs: tuple[float, float], ours: tuple[float, float]) -> None:
    """One line: how many times as fast as the peer, by medians and by bests."""
    print(f"{f'  times as fast as {peer}':<60} {theirs[0] / ours[0]:9.2f} ({theirs[1] / ours[1]:.2f}) x")


def against_peers(candles: CandleFrame) -> None:
    """Profiles of a million candles beside what others make of them."""
    columns = [getattr(candles, name) for name in CANDLE]
    by_count, by_height, histogram, read = seconds(
        lambda: compute_volume_profile(candles, BY_COUNT),
        lambda: compute_volume_profile(candles, BY_HEIGHT),
        lambda: np.histogram(candles.close, bins=ROWS, weights=candles.volume),
        lambda: [column.sum() for column in columns],
    )
    tell(f"volume profile with checks, 1M candles x {ROWS} rows", by_count, per=1e9 / COUNT, unit="ns/candle")
    tell("volume profile with checks, 1M candles, rows of a height", by_height, per=1e9 / COUNT, unit="ns/candle")
    tell("memory floor: read the six columns once", read, per=1e9 / COUNT, unit="ns/candle")
    tell(f"numpy.histogram of closes only, {ROWS} rows", histogram, per=1e9 / COUNT, unit="ns/candle")
    tell_ratio("numpy.histogram", histogram, by_count)
    if importlib.util.find_spec("market_profile") is None:
        print("py-market-profile is not installed here: run `make bench`")
        return
    (theirs,) = seconds(market_profile_of(candles), repeats=3)
    tell(f"py-market-profile, closes only, about {ROWS} rows", theirs, per=1e9 / COUNT, unit="ns/candle")
    tell_ratio("py-market-profile", theirs, by_count)


def market_profile_of(candles: CandleFrame) -> Callable[[], Any]:
    """The peer's volume profile with its value area, on the same candles and about as many rows."""
    import pandas as pd
    from market_profile import MarketProfile  # type: ignore[import-not-found]

    columns = {name.capitalize(): getattr(candles, name) for name in ("open", "high", "low", "close", "volume")}
    table = pd.DataFrame(columns, index=pd.to_datetime(candles.open_time, unit="ms", utc=True))
    row_height = float((candles.high.max() - candles.low.min()) / ROWS)

    def work() -> Any:
        profile = MarketProfile(table, tick_size=row_height, row_size=row_height, mode="vol")
        return profile[table.index[0] : table.index[-1]].value_area

    return work


def products(candles: CandleFrame) -> None:
    """What is made of profiles: sessions, developing levels, naked levels, small and live ones."""
    sessions = session_profiles(candles, BY_HEIGHT)
    day, small = candles[:1440], candles[:500]
    of_days, naked, of_day, moving, of_small = seconds(
        lambda: session_profiles(candles, BY_HEIGHT),
        lambda: naked_pocs(candles, sessions),
        lambda: developing_profile(day, BY_HEIGHT),
        lambda: developing_profile(day, BY_COUNT),
        lambda: compute_volume_profile(small, BY_COUNT),
        repeats=7,
    )
    tell(f"{len(sessions)} session profiles with levels, 1M candles", of_days, per=1e3, unit="ms")
    tell(f"naked levels of {len(sessions)} sessions, 1M candles", naked, per=1e3, unit="ms")
    tell("developing levels of a day of minutes, rows of a height", of_day, per=1e6 / 1440, unit="us/candle")
    tell(f"developing levels of a day of minutes, {ROWS} rows", moving, per=1e6 / 1440, unit="us/candle")
    tell(f"volume profile of 500 candles x {ROWS} rows", of_small, per=1e6, unit="us")
    live = LiveProfile(BY_HEIGHT)
    rows = zip(*(getattr(candles[:50_000], name).tolist() for name in CANDLE), strict=True)
    begin = time.perf_counter()
    for row in rows:
        live.add_candle(*row)
    added = (time.perf_counter() - begin) / 50_000
    tell("adding a candle to a live profile", (added, added), per=1e6, unit="us")
    (asked,) = seconds(live.profile, repeats=300)
    tell("asking a live profile for its rows and levels", asked, per=1e6, unit="us")


def growth() -> None:
    """Time and memory by length: both grow in proportion."""
    for count in LENGTHS:
        candles = random_candles(count)
        (taken,) = seconds(partial(compute_volume_profile, candles, BY_COUNT), repeats=7)
        tracemalloc.start()
        compute_volume_profile(candles, BY_COUNT)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        tell(f"volume profile of {count:,} candles", taken, per=1e9 / count, unit=f"ns/candle, {most / 1024:,.0f} KB")
        del candles
        gc.collect()


def main() -> None:
    """Measure and print."""
    candles = random_candles(COUNT)
    against_peers(candles)
    products(candles)
    del candles
    growth()


if __name__ == "__main__":
    main()
