"""What the engines cost: nanoseconds per candle, small calls, and the first call of a process.

Run it with `python tests/benchmarks/engines.py`. Everything is measured in one run and told as medians (best in
brackets) and as ratios to what the same machine needs for the same memory, because machines differ.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from engines.cipher import compute_panel  # noqa: E402
from engines.domain.candles import CandleFrame  # noqa: E402
from engines.volume_profile import ProfileParams, compute_volume_profile  # noqa: E402

COUNT: Final = 1_000_000
ROWS: Final = 200
REPEATS: Final = 9
_START: Final = """
import time
begin = time.perf_counter()
from engines.kernels import warm
warm()
elapsed = time.perf_counter() - begin
(memory,) = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")]
print(elapsed, int(memory) / 1024)
"""


def random_candles(count: int = COUNT) -> CandleFrame:
    """A random walk with wicks and volume."""
    random = np.random.default_rng(1)
    close = 30_000 * np.exp(np.cumsum(random.normal(0.0, 0.001, count)))
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


def seconds(work: Callable[[], Any], repeats: int = REPEATS) -> tuple[float, float]:
    """Median and best of the repeats, after one that does not count."""
    work()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return float(np.median(times)), min(times)


def memory_floor(arrays: list[NDArray[np.float64]], outputs: int) -> Callable[[], None]:
    """Read the inputs once and write fresh outputs of their length: no indicator can be faster."""

    def work() -> None:
        for array in arrays:
            array.sum()
        np.empty((outputs, len(arrays[0]))).fill(1.0)

    return work


def tell(name: str, measured: tuple[float, float], *, per: int, unit: str, floor: float | None = None) -> None:
    scale = {"ns/candle": 1e9, "us": 1e6, "s": 1.0}[unit] / per
    ratio = f"  {measured[0] / floor:5.1f} x the memory floor" if floor else ""
    print(f"{name:<52} {measured[0] * scale:8.2f} ({measured[1] * scale:.2f}) {unit}{ratio}")


def process_start(cache: Path) -> tuple[float, float]:
    """Seconds until every kernel is ready in a fresh process, and its resident memory in MB."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT)}
    told = subprocess.run(
        [sys.executable, "-c", _START], env=environment, check=True, capture_output=True, text=True, cwd=ROOT
    )
    elapsed, memory = told.stdout.split()
    return float(elapsed), float(memory)


def main() -> None:
    """Measure and print."""
    candles = random_candles()
    prices = [candles.open, candles.high, candles.low, candles.close]
    panel_floor = seconds(memory_floor(prices, 7))
    profile_floor = seconds(memory_floor([*prices, candles.volume], 0))
    tell("memory floor of a panel, 1M candles", panel_floor, per=COUNT, unit="ns/candle")
    tell(
        "Cipher panel with checks, 1M candles",
        seconds(lambda: compute_panel(candles)),
        per=COUNT,
        unit="ns/candle",
        floor=panel_floor[0],
    )
    tell("memory floor of a profile, 1M candles", profile_floor, per=COUNT, unit="ns/candle")
    params = ProfileParams(rows=ROWS)
    profile = seconds(lambda: compute_volume_profile(candles, params))
    tell(
        f"volume profile with checks, 1M candles x {ROWS} rows",
        profile,
        per=COUNT,
        unit="ns/candle",
        floor=profile_floor[0],
    )
    histogram = seconds(lambda: np.histogram(candles.close, bins=ROWS, weights=candles.volume))
    tell(f"numpy.histogram of closes only, {ROWS} rows", histogram, per=COUNT, unit="ns/candle")
    print(f"{'volume profile against numpy.histogram':<52} {histogram[0] / profile[0]:8.2f} x as fast")
    small = replace(candles[:500])
    tell("Cipher panel, 500 candles", seconds(lambda: compute_panel(small), 300), per=1, unit="us")
    tell("volume profile, 500 candles", seconds(lambda: compute_volume_profile(small, params), 300), per=1, unit="us")
    with tempfile.TemporaryDirectory() as folder:
        cold, _ = process_start(Path(folder))
        warm = [process_start(Path(folder)) for _ in range(5)]
    times = [elapsed for elapsed, _ in warm]
    tell("all kernels ready, first time on a machine", (cold, cold), per=1, unit="s")
    tell("all kernels ready, from the cache", (float(np.median(times)), min(times)), per=1, unit="s")
    print(f"{'resident memory of that process':<52} {max(memory for _, memory in warm):8.0f} MB")


if __name__ == "__main__":
    main()
