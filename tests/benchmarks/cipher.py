"""What the Cipher panel costs: nanoseconds per candle, against TA-Lib, candle by candle, many symbols, growth, start.

Run it with `make bench` or `.venv-bench/bin/python tests/benchmarks/cipher.py`. Everything is measured in one run, on
one thread, through the public functions with their checks, and told as medians (best in brackets). TA-Lib is imported
where it is measured: the same seven columns out of its calls and NumPy, without any check of the candles.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from engines.cipher import (  # noqa: E402
    CORE_COLUMNS,
    VALUE_COLUMNS,
    CipherBlock,
    CipherStream,
    compute_cipher_a,
    compute_core,
    compute_panel,
)
from engines.domain.candles import CandleFrame  # noqa: E402

COUNT: Final = 1_000_000
REPEATS: Final = 15
SYMBOLS: Final = 1_000
LENGTHS: Final = (10_000, 100_000, 1_000_000, 10_000_000)
MINUTE_MS: Final = 60_000
_FILL: Final = """
import time
begin = time.perf_counter()
from engines.kernels import fill_cache
fill_cache(lambda done, count: None)
print(time.perf_counter() - begin, 0)
"""
_START: Final = """
import time
begin = time.perf_counter()
from engines.kernels import warm
warm()
elapsed = time.perf_counter() - begin
(memory,) = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")]
print(elapsed, int(memory) / 1024)
"""


def random_candles(count: int) -> CandleFrame:
    """Minutes of a random walk with wicks."""
    random = np.random.default_rng(1)
    close = 30_000 * np.exp(np.cumsum(random.normal(0.0, 0.001 * (COUNT / max(count, COUNT)) ** 0.5, count)))
    open_ = np.concatenate((close[:1], close[:-1]))
    return CandleFrame(
        "BTC/USDT",
        "1m",
        "benchmark",
        simulated=True,
        open_time=np.arange(count, dtype=np.int64) * MINUTE_MS,
        open=open_,
        high=np.maximum(open_, close) * (1 + random.uniform(0, 0.001, count)),
        low=np.minimum(open_, close) * (1 - random.uniform(0, 0.001, count)),
        close=close,
        volume=np.ones(count),
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
    print(f"{name:<60} {measured[0] * per:9.2f} ({measured[1] * per:.2f}) {unit}", flush=True)


def memory_floor(arrays: list[NDArray[np.float64]], outputs: int) -> Callable[[], None]:
    """Read the inputs once and write fresh outputs of their length: no indicator can be faster."""

    def work() -> None:
        for array in arrays:
            array.sum()
        np.empty((outputs, len(arrays[0]))).fill(1.0)

    return work


def composition(candles: CandleFrame) -> Callable[[], Any]:
    """The core out of TA-Lib's calls."""
    import talib  # type: ignore[import-not-found]

    open_, high, low, close = candles.open, candles.high, candles.low, candles.close

    def work() -> Any:
        typical = (high + low + close) / 3
        mean = talib.EMA(typical, 9)
        spread = talib.EMA(np.abs(typical - mean), 9)
        wt1 = talib.EMA((typical - mean) / (0.015 * spread), 12)
        wt2 = talib.SMA(wt1, 3)
        flow = talib.SMA((close - open_) / (high - low) * 150, 60) - 2.5
        strength = talib.RSI(np.log(close), 14)
        lowest = talib.MIN(strength, 14)
        stoch = 100 * (strength - lowest) / (talib.MAX(strength, 14) - lowest)
        k = talib.SMA(stoch, 3)
        return wt1, wt2, wt1 - wt2, flow, talib.RSI(close, 14), k, talib.SMA(k, 3)

    return work


def whole_histories(candles: CandleFrame) -> None:
    """A million candles at once, beside the floor and the peer."""
    prices = [candles.open, candles.high, candles.low, candles.close]
    out = np.empty((len(CORE_COLUMNS), COUNT))
    works = [
        memory_floor(prices, len(CORE_COLUMNS)),
        lambda: compute_core(candles),
        lambda: compute_core(candles, out=out),
        lambda: compute_panel(candles),
        lambda: compute_cipher_a(candles),
    ]
    peer = importlib.util.find_spec("talib") is not None
    measured = seconds(*works, *([composition(candles)] if peer else []))
    floor, core, reused, panel, ribbon = measured[:5]
    unit = partial(tell, per=1e9 / COUNT, unit="ns/candle")
    unit("memory floor: read 4 columns, write 7 fresh ones", floor)
    unit("core (7 columns) with checks, 1M candles  (goal 30)", core)
    unit("core with checks, into the caller's array", reused)
    unit(f"whole panel ({len(VALUE_COLUMNS)} columns, all events)  (goal 100)", panel)
    unit("Cipher A (12 columns, all symbols)", ribbon)
    if not peer:
        print("TA-Lib is not installed here: run `make bench`")
        return
    unit("core out of TA-Lib's calls, without checks", measured[5])
    for name, ours in (("core", core), ("core into the caller's array", reused)):
        ratio, best = measured[5][0] / ours[0], measured[5][1] / ours[1]
        print(f"{f'  {name}, times as fast as TA-Lib  (goal 2)':<60} {ratio:9.2f} ({best:.2f}) x")


def one_at_a_time(candles: CandleFrame) -> None:
    """One candle of one symbol, one of each of a thousand, and the small panel of a chat."""
    columns = (candles.open_time, candles.open, candles.high, candles.low, candles.close)
    history, count = 5_000, 20_000
    rows = list(zip(*(column[history : history + count].tolist() for column in columns), strict=True))
    closed, formed = [], []
    # Rows that a benchmark holds are no business of the collector's.
    gc.freeze()
    for _ in range(REPEATS):
        stream = CipherStream.after(candles[:history])
        begin = time.perf_counter()
        for row in rows:
            stream.close(*row)
        closed.append((time.perf_counter() - begin) / count)
        last = (rows[-1][0] + MINUTE_MS, *rows[-1][1:])
        begin = time.perf_counter()
        for _ in range(count):
            stream.forming(*last)
        formed.append((time.perf_counter() - begin) / count)
    gc.unfreeze()
    tell("one closed candle, all outputs, from Python  (goal 2)", spread_of(closed), per=1e6, unit="us")
    tell("one forming candle, all outputs, from Python  (goal 2)", spread_of(formed), per=1e6, unit="us")
    block = CipherBlock.after([candles[begin : begin + 2_000] for begin in range(SYMBOLS)])
    steps = []
    for step in range(200):
        times = candles.open_time[2_000 + step : 2_000 + step + SYMBOLS]
        parts = [column[2_000 + step : 2_000 + step + SYMBOLS] for column in columns[1:]]
        begin = time.perf_counter()
        block.close(times, *parts)
        steps.append(time.perf_counter() - begin)
    tell(f"{SYMBOLS:,} symbols one candle on  (goal 1)", spread_of(steps), per=1e3, unit="ms")
    small = candles[:500]
    (of_small,) = seconds(lambda: compute_panel(small), repeats=300)
    tell("whole panel of 500 candles", of_small, per=1e6, unit="us")


def spread_of(taken: list[float]) -> tuple[float, float]:
    """Median and best."""
    return float(np.median(taken)), min(taken)


def growth() -> None:
    """Time and memory by length: both grow in proportion, and no more memory is touched than what is returned."""
    for count in LENGTHS:
        candles = random_candles(count)
        (taken,) = seconds(partial(compute_panel, candles), repeats=5)
        Path("/proc/self/clear_refs").write_text("5")
        before = resident("VmRSS")
        panel = compute_panel(candles)
        peak, returned = resident("VmHWM") - before, (len(VALUE_COLUMNS) + 1) * 8 * count
        unit = f"ns/candle, {peak / 1e6:,.1f} MB more at the peak ({returned / 1e6:,.1f} MB returned)"
        tell(f"whole panel of {count:,} candles", taken, per=1e9 / count, unit=unit)
        del candles, panel
        gc.collect()


def resident(which: str) -> int:
    """Bytes of this process in memory: `VmRSS` now, `VmHWM` at most since it was last reset."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (kilobytes,) = [line.split()[1] for line in lines if line.startswith(which)]
    return int(kilobytes) * 1024


def process_start(code: str, cache: Path) -> tuple[float, float]:
    """Seconds until every kernel is ready in a fresh process, and its resident memory in MB."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT)}
    told = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True, cwd=ROOT
    )
    elapsed, memory = told.stdout.split()
    return float(elapsed), float(memory)


def starts() -> None:
    """How long compiling takes, once a machine, and loading what was compiled."""
    with tempfile.TemporaryDirectory() as folder:
        cold, _ = process_start(_FILL, Path(folder))
        warm = [process_start(_START, Path(folder)) for _ in range(5)]
    tell("all kernels compiled, first time on a machine", (cold, cold), per=1, unit="s")
    tell("all kernels ready, from the cache", spread_of([elapsed for elapsed, _ in warm]), per=1, unit="s")
    print(f"{'resident memory of that process':<60} {max(memory for _, memory in warm):9.0f} MB")


def main() -> None:
    """Measure and print."""
    candles = random_candles(COUNT)
    whole_histories(candles)
    one_at_a_time(candles)
    del candles
    growth()
    starts()


if __name__ == "__main__":
    main()
