"""`quantum-trader certify` proves the engines on what a desk has, and fails aloud where an output repaints."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def imported(run: Run, tmp_path: Path) -> str:
    """Hours of a random walk in the `files` market; gives their symbol."""
    random = np.random.default_rng(8)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.01, 400)))
    open_ = np.append(100.0, close[:-1])
    high, low = np.maximum(open_, close) * 1.003, np.minimum(open_, close) * 0.997
    lines = ["time,open,high,low,close,volume"]
    for hour in range(400):
        time = f"2024-01-{1 + hour // 24:02d}T{hour % 24:02d}:00:00Z"
        prices = ",".join(f"{float(price[hour])!r}" for price in (open_, high, low, close))
        lines.append(f"{time},{prices},{1 + hour % 5}")
    file = tmp_path / "walk.csv"
    file.write_text("\n".join(lines))
    result = run("import-candles", str(file), "--symbol", "ABC/USD", "--timeframe", "1h")
    assert result.returncode == 0, result.stderr
    return "ABC/USD"


def test_all_engines_pass_on_imported_candles_and_every_output_is_listed(run: Run, imported: str) -> None:
    result = run("certify", imported, "1h", "--market", "files", "--cuts", "25")
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.search(
        r"Passed: none of \d+ outputs changed after its candle had closed\. ABC/USD 1h on files, 400 candles from "
        r"2024-01-01 00:00 to 2024-01-17 16:00 UTC, 25 random cuts, seed 0\.",
        result.stdout,
    )
    for output in ("wt1", "green_dot", "wt_bull_div", "blood_diamond", "developing_poc", "vwap_week", "naked_pocs"):
        assert re.search(rf"^{output}( \+ \d)?\s+25\s+25\s+1\s", result.stdout, flags=re.MULTILINE), output
    assert "CHANGED" not in result.stdout


def test_diamonds_as_charts_of_the_past_show_them_fail_and_only_they(run: Run) -> None:
    result = run("certify", "BTC/USDT", "1h", "--preset", "vumanchu_b_tv_parity", "--candles", "1500")
    assert result.returncode == 1, result.stdout + result.stderr
    changed = {line.split()[0] for line in result.stdout.splitlines() if "CHANGED" in line}
    assert changed
    assert {name.removesuffix("_rests_on") for name in changed} <= {"sommi_bull_diamond", "sommi_bear_diamond"}
    # One that was there and went, or one that came later: which is the first hangs on where the market's time stands.
    assert re.search(
        r"- sommi_\w+_diamond at row \d+ \(candle of .*\) is (1\.0, and 0\.0|0\.0, and 1\.0) when", result.stdout
    )
    assert re.search(r"FAILED: \d of \d+ outputs changed after their candle had closed\. BTC/USDT 1h", result.stdout)
    assert "(simulated)" in result.stdout


def test_days_longer_than_a_session_are_certified_without_sessions(run: Run) -> None:
    result = run("certify", "BTC/USDT", "1w", "--candles", "300", "--cuts", "20")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "vwap_session" in result.stdout
    assert "naked_pocs" not in result.stdout


def test_what_does_not_exist_is_refused_with_what_there_is(run: Run) -> None:
    preset = run("certify", "BTC/USDT", "1h", "--preset", "vumanchu_c")
    assert preset.returncode == 2
    assert "vumanchu_a" in preset.stderr
    symbol = run("certify", "BTCC/USDT", "1h")
    assert symbol.returncode == 2
    assert "BTC/USDT" in symbol.stderr
    assert "1h" in run("certify", "BTC/USDT", "7h").stderr


def test_too_few_candles_are_said(run: Run, imported: str) -> None:
    few = run("certify", imported, "1d", "--market", "files")
    assert few.returncode == 2
    assert "ABC/USD has 16 closed 1d candles" in few.stderr
