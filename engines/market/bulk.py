"""Reading and writing many candles at once, by the fastest way each database has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import BindParameter, Connection, Select, bindparam, update

from engines.storage.candles import candles

if TYPE_CHECKING:
    from psycopg import Cursor

# One stored candle: milliseconds since the epoch, quote units, base units.
CANDLE_ROW: Final = np.dtype(
    [("open_time", "i8"), ("open", "f8"), ("high", "f8"), ("low", "f8"), ("close", "f8"), ("volume", "f8")]
)
COLUMNS: Final = ("open_time", "open", "high", "low", "close", "volume")

# PostgreSQL's binary COPY: a row is its number of fields, then the length and the big-endian bytes of each.
# Source: PostgreSQL documentation, COPY, "Binary Format".
_COPY_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_COPY_TRAILER: Final = b"\xff\xff"
_CANDLE_FIELDS: Final = [
    field for name in COLUMNS for field in ((f"{name}_length", ">i4"), (name, CANDLE_ROW[name].newbyteorder(">").str))
]
_COPY_CANDLE: Final = np.dtype([("fields", ">i2"), *_CANDLE_FIELDS])
_COPY_ROW: Final = np.dtype([("fields", ">i2"), ("series_length", ">i4"), ("series_id", ">i4"), *_CANDLE_FIELDS])


def fetch(connection: Connection, statement: Select[Any]) -> NDArray[np.void]:
    """Rows of `CANDLE_ROW` that a statement over `COLUMNS` finds, in its order.

    Past SQLAlchemy's own row objects, and on PostgreSQL past Python's numbers, which cost more than the query.
    """
    if connection.dialect.name == "postgresql":
        query = statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
        cursor: Cursor[Any] = connection.connection.cursor()  # type: ignore[assignment]
        with cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)".encode()) as copy:
            answer = b"".join(copy)
        found = np.frombuffer(answer[len(_COPY_HEADER) : -len(_COPY_TRAILER)], dtype=_COPY_CANDLE)
        rows = np.empty(len(found), dtype=CANDLE_ROW)
        for name in COLUMNS:
            rows[name] = found[name]
        return rows
    result = connection.execute(statement).cursor
    assert result is not None
    return np.fromiter(result.fetchall(), dtype=CANDLE_ROW)


def insert(connection: Connection, series_id: int, block: NDArray[np.void]) -> None:
    """Add rows of `CANDLE_ROW` that the series lacks; part of the caller's transaction."""
    if len(block) == 0:
        return
    if connection.dialect.name == "postgresql":
        cursor: Cursor[Any] = connection.connection.cursor()  # type: ignore[assignment]
        with cursor.copy("COPY candles FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(_COPY_HEADER + _copy_rows(series_id, block).tobytes() + _COPY_TRAILER)
    else:
        statement = f"INSERT INTO candles VALUES ({series_id}, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - an int
        connection.exec_driver_sql(statement, block.tolist())


def revise(connection: Connection, series_id: int, block: NDArray[np.void]) -> None:
    """Replace rows of `CANDLE_ROW` that the series has; part of the caller's transaction."""
    if len(block) == 0:
        return
    this = (candles.c.series_id == series_id) & (candles.c.open_time == bindparam("at"))
    values: dict[str, BindParameter[float]] = {name: bindparam(f"new_{name}") for name in COLUMNS[1:]}
    names = ("at", *(f"new_{name}" for name in COLUMNS[1:]))
    rows = [dict(zip(names, row, strict=True)) for row in block.tolist()]
    connection.execute(update(candles).where(this).values(values), rows)


def _copy_rows(series_id: int, block: NDArray[np.void]) -> NDArray[np.void]:
    rows = np.zeros(len(block), dtype=_COPY_ROW)
    rows["fields"] = 1 + len(COLUMNS)
    rows["series_length"], rows["series_id"] = 4, series_id
    for name in COLUMNS:
        rows[f"{name}_length"], rows[name] = 8, block[name]
    return rows
