"""Bringing a database's schema up to date, one writer at a time."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final, Literal

from sqlalchemy import Connection, Engine, inspect, text

from engines.errors import ConfigurationError
from engines.storage.transactions import writing

Part = Literal["candles", "desk"]

# Alembic branches of each part.
_BRANCHES: Final[dict[Part, tuple[str, ...]]] = {"candles": ("candles",), "desk": ("ledger", "threads")}
_SCRIPTS: Final = Path(__file__).parent / "migrations"
_LOCK_KEY: Final = 7_146_532_118  # any number that is ours: it names PostgreSQL's advisory lock
_FIELD: Final = re.compile(r"^(revision|down_revision|branch_labels)(?:\s*:[^=]+)?\s*=\s*(.+)$", re.MULTILINE)


def migrate(engine: Engine, part: Part) -> None:
    """Run the missing migrations of one part; a database that is up to date is left alone.

    Safe for several processes at once: the second waits, then finds nothing to do.

    Raises:
        ConfigurationError: the database has a revision that this code does not know.
    """
    with engine.connect() as connection:
        if _missing(connection, part) == ():
            return
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        missing = _missing(connection, part)
        if missing:
            _upgrade(connection, missing)


def _missing(connection: Connection, part: Part) -> tuple[str, ...]:
    """Branches of the part that are not at their head."""
    present: set[str] = set()
    if inspect(connection).has_table("alembic_version"):
        present = {row[0] for row in connection.execute(text("SELECT version_num FROM alembic_version"))}
    unknown = present - _known_revisions()
    if unknown:
        raise ConfigurationError(
            f"The database was written by a newer release (schema revision {', '.join(sorted(unknown))}).",
            remedy="Install that release or a later one; this one would damage it.",
        )
    return tuple(branch for branch in _BRANCHES[part] if _head(branch) not in present)


def _upgrade(connection: Connection, branches: tuple[str, ...]) -> None:
    # Alembic takes half a second to import, so only a database that needs it pays.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    for branch in branches:
        command.upgrade(config, f"{branch}@head")


@cache
def _scripts() -> tuple[dict[str, str], ...]:
    """The `revision`, `down_revision` and `branch_labels` lines of each migration, as written."""
    files = sorted((_SCRIPTS / "versions").glob("*.py"))
    return tuple(dict(_FIELD.findall(path.read_text(encoding="utf-8"))) for path in files)


def _known_revisions() -> frozenset[str]:
    return frozenset(_unquoted(script["revision"]) for script in _scripts())


def _head(branch: str) -> str:
    """The newest revision of a branch: follow `down_revision` upwards from its root."""
    roots = [script for script in _scripts() if re.search(rf"[\"']{branch}[\"']", script.get("branch_labels", ""))]
    if len(roots) != 1:
        raise ConfigurationError(f"The migration branch {branch!r} has {len(roots)} roots and needs one.")
    successors = {_unquoted(script["down_revision"]): _unquoted(script["revision"]) for script in _scripts()}
    head = _unquoted(roots[0]["revision"])
    while head in successors:
        head = successors[head]
    return head


def _unquoted(source: str) -> str:
    return source.strip().strip("\"'")
