from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from engines.domain.clock import ManualClock
from engines.storage.database import open_database


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 3, 2, 12, tzinfo=UTC))


@pytest.fixture
def database(tmp_path: Path, database_url: str) -> Iterator[Engine]:
    """The desk's database, on SQLite and on PostgreSQL in turn."""
    engine = open_database("desk", home=tmp_path, url=database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database("desk", home=tmp_path)
    yield engine
    engine.dispose()
