"""`analyze` takes a symbol as the chat does and prints plain text."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ui.cli.main import app


@pytest.mark.parametrize("written", ["btc", "BTC", "btcusdt", "BTC/USDT"])
def test_a_bare_asset_is_the_market_that_the_chat_means_by_it(written: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["analyze", written, "1h", "--market", "demo", "--home", str(tmp_path)])
    assert result.exit_code == 0
    assert result.stdout.startswith("BTC/USDT 1h ")
    assert "Simulated market." in result.stdout
    assert "*" not in result.stdout
