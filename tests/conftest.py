"""What every test may use: where the real files are, and how a missing program is treated."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _missing(what: str) -> None:
    if os.environ.get("QTP_REQUIRE_ALL"):
        pytest.fail(f"{what} (and QTP_REQUIRE_ALL is set)")
    pytest.skip(what)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real market files and golden values; skips where it is missing."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        _missing("the folder ../shared with real candles and golden values is not here")
    return folder


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
