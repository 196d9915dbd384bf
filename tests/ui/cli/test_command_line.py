"""The command line says what is wrong and what to do, and changes nothing when it refuses."""

from __future__ import annotations

import contextlib
import gzip
import re
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
Serve = Callable[..., contextlib.AbstractContextManager[str]]

HEADER = "time,open,high,low,close,volume\n"
ROWS = HEADER + "".join(
    f"2024-01-{1 + hour // 24:02d}T{hour % 24:02d}:00:00Z,{100 + hour},{102 + hour},{99 + hour},{101 + hour},5\n"
    for hour in range(120)
)


def test_doctor_finds_a_fresh_machine_in_order(run: Run) -> None:
    result = run("doctor", "--home", "fresh", QTP_PORT="0")
    assert "events     paper; what rests is held against the market in every round" in result.stdout
    assert result.returncode == 0, result.stdout
    assert "Everything is in order." in result.stdout
    assert "FAIL" not in result.stdout


def test_doctor_names_a_broken_setting_and_its_remedy(run: Run) -> None:
    result = run("doctor", QTP_TICKET_SECONDS="soon")
    assert result.returncode == 1
    assert "QTP_TICKET_SECONDS" in result.stdout
    assert "'soon'" in result.stdout


def test_unknown_setting_is_refused_with_the_nearest_name(run: Run) -> None:
    result = run("serve", QTP_MARKTE="demo")
    assert result.returncode == 2
    assert "QTP_MARKTE" in result.stderr
    assert "QTP_MARKET" in result.stderr
    assert "Traceback" not in result.stderr


def test_model_without_its_key_is_named_by_doctor(run: Run) -> None:
    result = run("doctor", QTP_MODEL="mistralai:mistral-small-latest", MISTRAL_API_KEY="")
    assert result.returncode == 1
    assert "MISTRAL_API_KEY" in result.stdout


def test_port_in_use_is_said_with_a_way_out(run: Run, free_port: int) -> None:
    with socket.create_server(("127.0.0.1", free_port)):
        result = run("serve", "--port", str(free_port))
    assert result.returncode == 2
    assert f"127.0.0.1:{free_port}" in result.stderr
    assert "--port" in result.stderr


@pytest.mark.parametrize("arguments", [("serve", "--port", "1"), ("import-candles", "x.csv", "--symbol", "A/B")])
def test_unwritable_home_is_said_with_a_way_out(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "x.csv").write_text(ROWS)
    extra = ("--timeframe", "1h") if arguments[0] == "import-candles" else ()
    result = run(*arguments, *extra, "--home", str(tmp_path / "file" / "home"))
    assert result.returncode == 2
    assert "cannot be written" in result.stderr or "--home" in result.stderr
    assert "Traceback" not in result.stderr


def test_second_desk_on_the_same_home_is_refused_and_names_the_first(run: Run, server: str) -> None:
    result = run("serve", "--port", str(int(server.rsplit(":", 1)[1]) - 1))
    assert result.returncode == 2
    assert server in result.stderr


def test_serving_beyond_this_machine_without_keys_is_refused(run: Run, free_port: int) -> None:
    result = run("serve", "--host", "0.0.0.0", "--port", str(free_port))
    assert result.returncode == 2
    assert "keys create" in result.stderr


def test_a_key_is_shown_once_and_a_revoked_one_is_listed_as_such(run: Run) -> None:
    token = run("keys", "create", "phone", "--scope", "read").stdout.strip()
    key_id = token.split("_")[1]
    listed = run("keys", "list").stdout
    assert key_id in listed
    assert token not in listed
    run("keys", "revoke", key_id)
    assert "revoked" in run("keys", "list").stdout


def test_imported_candles_are_analysed_with_a_source_for_every_figure(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "candles.csv.gz"
    file.write_bytes(gzip.compress(ROWS.encode()))
    imported = run("import-candles", str(file), "--symbol", "ABC/USD", "--timeframe", "1h")
    assert imported.returncode == 0, imported.stderr
    assert "120" in imported.stdout
    analysed = run("analyze", "ABC/USD", "1h", "--market", "files")
    assert analysed.returncode == 0, analysed.stderr
    answer, _, sources = analysed.stdout.partition("From analyze_cipher ABC/USD 1h 2024-01-06 00:00 UTC files")
    cited = set(re.findall(r"\[(\d+)\]", answer))
    assert cited
    assert cited == set(re.findall(r"^\s*\[(\d+)\]", sources, flags=re.MULTILINE))


def test_a_desk_opened_before_the_first_import_trades_what_is_imported_later(
    run: Run, serve: Serve, tmp_path: Path
) -> None:
    file = tmp_path / "candles.csv"
    file.write_text(ROWS)
    with serve("--market", "files") as url:
        assert run("import-candles", str(file), "--symbol", "ABC/USD", "--timeframe", "1h").returncode == 0
        asked = run("chat", "--url", url, stdin="buy 0.5 ABC\n/approve T-1\n")
    assert re.search(r"Filled 0\.5 \[\d+\] ABC", asked.stdout), asked.stdout


def test_malformed_rows_are_named_and_nothing_is_imported(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    lines = ROWS.splitlines()
    lines[7] = lines[7].replace("107", "rubbish", 1)
    file.write_text("\n".join(lines))
    result = run("import-candles", str(file), "--symbol", "ABC/USD", "--timeframe", "1h")
    assert result.returncode == 2
    assert "line 8" in result.stderr
    analysed = run("analyze", "ABC/USD", "1h", "--market", "files")
    assert analysed.returncode == 2
    assert "import-candles" in analysed.stderr


def test_unknown_symbol_and_timeframe_are_answered_with_what_there_is(run: Run) -> None:
    unknown = run("analyze", "BTCC/USDT", "1h")
    assert unknown.returncode == 2
    assert "BTC/USDT" in unknown.stderr
    assert "1h" in run("analyze", "BTC/USDT", "7h").stderr
