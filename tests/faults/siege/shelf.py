"""A PostgreSQL database that is as new again and again: making one takes longer than a desk's whole day here."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, inspect, text

from engines.storage.database import open_database

_KEPT: Final = "alembic_version"


class Shelf:
    """One database, remembered as it is now.

    Args:
        url: address of a database with our schema.
        folder: a home for what is not in the database.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self._folder = folder
        engine = self.open()
        self._tables = [name for name in inspect(engine).get_table_names() if not name.startswith(_KEPT)]
        with engine.connect() as connection:
            rows = {name: connection.execute(text(f'SELECT * FROM "{name}"')).mappings() for name in self._tables}
            self._rows: dict[str, list[dict[str, Any]]] = {name: [dict(row) for row in of] for name, of in rows.items()}
        engine.dispose()

    def open(self) -> Engine:
        """A new engine, with no connection yet."""
        return open_database("desk", home=self._folder, url=self.url)

    def empty(self) -> None:
        """Put everything back to how it was at first."""
        names = ", ".join(f'"{name}"' for name in self._tables)
        engine = self.open()
        with engine.begin() as connection:
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
            for name, rows in self._rows.items():
                for row in rows:
                    columns = ", ".join(f'"{column}"' for column in row)
                    values = ", ".join(f":{column}" for column in row)
                    connection.execute(text(f'INSERT INTO "{name}" ({columns}) VALUES ({values})'), row)
        engine.dispose()
