"""Opening the databases: both dialects, several processes, and everything that can be wrong with them."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Table, inspect, text

from engines.errors import ConfigurationError
from engines.storage.database import open_database

ROOT = Path(__file__).parents[3]


def tables(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(inspect(connection).get_table_names())


def test_a_new_database_has_the_ledger(tmp_path: Path, empty_database_url: str) -> None:
    engine = open_database("desk", home=tmp_path / "new" / "home", url=empty_database_url)
    assert {"accounts", "tickets", "orders", "fills", "audit"} <= tables(engine)
    engine.dispose()


def test_two_openers_at_once_migrate_it_once(tmp_path: Path, empty_database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        engines = list(pool.map(lambda _: open_database("desk", home=tmp_path, url=empty_database_url), range(4)))
    with engines[0].connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM audit_head")).scalar_one() == 1
    for engine in engines:
        engine.dispose()


def test_a_database_that_is_up_to_date_opens_without_alembic(tmp_path: Path) -> None:
    open_database("desk", home=tmp_path).dispose()
    code = (
        "import sys; from pathlib import Path; from engines.storage.database import open_database;"
        f"open_database('desk', home=Path({str(tmp_path)!r})).dispose(); sys.exit('alembic' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_the_migrations_make_exactly_the_tables_the_code_uses(tmp_path: Path, empty_database_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from engines.storage import ledger, threads
    from engines.storage.metadata import metadata

    engine = open_database("desk", home=tmp_path, url=empty_database_url)
    ours = {table.name for part in (ledger, threads) for table in vars(part).values() if isinstance(table, Table)}

    def include(item: Any, name: str | None, kind: str, *_: Any) -> bool:
        # Other parts of the schema may be loaded too; they are in another file.
        return name in ours if kind == "table" else item.table.name in ours

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": include})
        differences = compare_metadata(context, metadata)
    engine.dispose()
    assert differences == []


def test_a_home_that_is_a_file_is_refused_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    with pytest.raises(ConfigurationError, match="--home"):
        open_database("desk", home=tmp_path / "home")


def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    content = b"this is not a database " * 100
    (tmp_path / "desk.db").write_bytes(content)
    with pytest.raises(ConfigurationError, match="restore it from a backup"):
        open_database("desk", home=tmp_path)
    assert (tmp_path / "desk.db").read_bytes() == content


def test_a_database_of_a_newer_release_is_refused(tmp_path: Path, empty_database_url: str) -> None:
    engine = open_database("desk", home=tmp_path, url=empty_database_url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO alembic_version VALUES ('ledger_9999')"))
    engine.dispose()
    with pytest.raises(ConfigurationError, match=r"newer release .*ledger_9999"):
        open_database("desk", home=tmp_path, url=empty_database_url)


def test_a_locked_file_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.storage.database._BUSY_SECONDS", 0.1)
    (tmp_path / "desk.db").touch()
    with sqlite3.connect(tmp_path / "desk.db", isolation_level=None) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ConfigurationError, match="Another process holds it"):
            open_database("desk", home=tmp_path)
    other.close()


def test_an_unreachable_server_is_a_configuration_error_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="QTP_DATABASE_URL") as caught:
        open_database("desk", home=tmp_path, url="postgresql://me:secret@127.0.0.1:1/desk")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["mysql://host/name", "no address at all", "postgresql://host:port/x"])
def test_an_address_that_is_none_of_ours_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match="QTP_DATABASE_URL"):
        open_database("desk", home=tmp_path, url=url)
