"""Candles as a file has them: columns by name, every row with its line, and what could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.domain.candles import Floats, Times
from engines.errors import InvalidRequest

PRICES: Final = ("open", "high", "low", "close")
_TIMES: Final = (
    *("open_time", "timestamp", "datetime", "date_time", "time", "date", "unix", "unix_timestamp", "unix_time"),
    *("time_utc", "timestamp_utc", "gmt_time", "ts", "t", "index", "__index_level_0__", ""),
)
_VOLUMES: Final = ("volume", "vol", "base_volume", "tick_volume", "tickvol", "v")
# Order of Binance's files, which have no header.
HEADERLESS: Final = ("open_time", "open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True, order=True)
class BadRow:
    """A row that is no candle: its line in the file (its row in a Parquet file), and why."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line:,}: {self.reason}"


@dataclass(frozen=True, slots=True, eq=False)
class RawCandles:
    """Every row of a file that has as many cells as its header, in the file's order.

    Attributes:
        lines: shape (n,), line of each row.
        open_time: shape (n,), milliseconds since the epoch.
        values: shape (n, 5): open, high, low, close in quote units, volume in base units; NaN where unreadable.
        bad: rows that could not be read, in `lines` or not.
        notes: what a reader of the report should know, one sentence each.
    """

    lines: NDArray[np.int64]
    open_time: Times
    values: Floats
    bad: tuple[BadRow, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def rows(self) -> int:
        """Rows of the file, those of the wrong width included."""
        return len({*self.lines.tolist(), *(each.line for each in self.bad)})


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a file keeps what a candle needs; `times` are two columns where date and time of day stand apart."""

    times: tuple[int, ...]
    values: tuple[int, int, int, int, int]


def find_columns(header: Sequence[str], *, base: str) -> Columns:
    """Find the columns by name, whatever their case and order.

    Args:
        base: base asset of the symbol, for files that name their volume after it.

    Raises:
        InvalidRequest: one is missing; the message lists those there are.
    """
    names = [name.strip().strip("<>").lower().replace(" ", "_") for name in header]
    volumes = (*_VOLUMES, f"volume_{base.lower()}", f"volume_({base.lower()})")
    wanted = {name: (name,) for name in PRICES} | {"volume": volumes}
    found = {name: _first(names, aliases) for name, aliases in wanted.items()}
    times = (names.index("date"), names.index("time")) if {"date", "time"} <= set(names) else _first(names, _TIMES)
    missing = [name for name, place in found.items() if place is None] + (["time"] if times is None else [])
    if missing or times is None:
        listed = ", ".join(name for name in header if name.strip()) or "none"
        raise InvalidRequest(
            f"No column for {', '.join(missing)} (the columns are: {listed[:300]}).",
            remedy="Name them time, open, high, low, close and volume.",
        )
    open_, high, low, close, volume = (place for place in found.values() if place is not None)
    return Columns(times if isinstance(times, tuple) else (times,), (open_, high, low, close, volume))


def _first(names: Sequence[str], aliases: Sequence[str]) -> int | None:
    return next((names.index(alias) for alias in aliases if alias in names), None)
