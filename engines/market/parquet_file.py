"""Reading candles out of a Parquet file; pyarrow is imported only when one is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from engines.domain.candles import Floats, Times
from engines.errors import InvalidRequest
from engines.market.raw_candles import PRICES, BadRow, RawCandles, find_columns
from engines.market.time_column import NAIVE_NOTE, UNREADABLE, TimeColumn

_NAMES: Final = (*PRICES, "volume")


def read_parquet(path: Path, *, base: str) -> RawCandles:
    """Read every row; lines are rows, counted from 1.

    Raises:
        InvalidRequest: it is not a Parquet file with the columns of a candle.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise InvalidRequest(f"The Parquet file cannot be read ({error}).", remedy="Write it again.") from error
    if table.num_rows == 0:
        raise InvalidRequest("The file has columns and no candles.", remedy="Give a file with candles.")
    columns = find_columns(table.column_names, base=base)
    times = TimeColumn()
    stamps = [table.column(place) for place in columns.times]
    lines = np.arange(1, table.num_rows + 1)
    open_time = _times(stamps, times)
    bad = [BadRow(int(lines[row]), "has no readable time") for row in np.flatnonzero(open_time == UNREADABLE)]
    values = np.column_stack(
        [_floats(table.column(place), name) for name, place in zip(_NAMES, columns.values, strict=True)]
    )
    return RawCandles(lines, open_time, values, tuple(bad), (NAIVE_NOTE,) if times.naive else ())


def _times(stamps: list[Any], times: TimeColumn) -> Times:
    import pyarrow as pa

    kind = stamps[0].type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        times.naive = getattr(kind, "tz", None) is None
        stamp = stamps[0].cast(pa.timestamp("ms"), safe=False).cast(pa.int64())
        return np.asarray(stamp.fill_null(UNREADABLE).to_numpy(), dtype=np.int64)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return times.from_numbers(np.asarray(stamps[0].cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64))
    texts = zip(*(stamp.cast(pa.string()).to_pylist() for stamp in stamps), strict=True)
    return times.read([" ".join(part or "" for part in parts) for parts in texts])


def _floats(column: Any, name: str) -> Floats:
    """Numbers of a column, NaN where it has none."""
    import pyarrow as pa

    try:
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    except pa.ArrowException as error:
        raise InvalidRequest(f"The column {name} does not hold numbers ({error}).") from error
