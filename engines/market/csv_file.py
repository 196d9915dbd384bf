"""Reading candles out of a CSV file, plain or gzipped."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final, TextIO, TypeAlias

import numpy as np

from engines.domain.candles import Floats
from engines.errors import InvalidRequest
from engines.market.raw_candles import HEADERLESS, PRICES, BadRow, Columns, RawCandles, find_columns
from engines.market.text_file import binary, count_lines, opened, unzipped
from engines.market.time_column import NAIVE_NOTE, UNREADABLE, TimeColumn, is_time, is_unix_time

_BLOCK: Final = 50_000
_DELIMITERS: Final = (",", ";", "\t")
_NAMES: Final = (*PRICES, "volume")
# Below this the fast reader's import costs more than it saves.
_LARGE: Final = 500_000

Line: TypeAlias = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is laid out.

    Attributes:
        width: cells of every row.
        header: whether its first line names the columns; without, they stand in Binance's order.
        numeric_times: whether its times are unix times.
    """

    columns: Columns
    width: int
    delimiter: str
    header: bool
    numeric_times: bool


def read_csv(path: Path, *, base: str, progress: Callable[[int, int], None] = lambda *_: None) -> RawCandles:
    """Read every row; one that is no candle is kept as a `BadRow`, never guessed at.

    Args:
        base: base asset of the symbol, for files that name their volume after it.
        progress: called with the rows read so far and about how many there are.

    Raises:
        InvalidRequest: it is not a text table with the columns of a candle.
    """
    lines = count_lines(path)
    with opened(path) as file:
        layout, rows = _begin(file, base)
        if path.stat().st_size < _LARGE:
            return _read_blocks(rows, layout, lambda done: progress(done, max(lines - 1, done)))
    regular = read_regular(path, layout, rows=lines - layout.header)
    if regular is not None:
        progress(len(regular), len(regular))
        return regular
    with opened(path) as file:
        layout, rows = _begin(file, base)
        return _read_blocks(rows, layout, lambda done: progress(done, max(lines - 1, done)))


def read_regular(path: Path, layout: Layout, *, rows: int) -> RawCandles | None:
    """The same, ten times as fast, for a file of which every line is a readable row; None for any other."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    wanted = (*layout.columns.times, *layout.columns.values)
    names = [str(place) for place in range(layout.width)]
    kinds = dict.fromkeys((names[place] for place in layout.columns.values), pa.float64())
    times_kind = pa.float64() if layout.numeric_times else pa.string()
    try:
        with unzipped(path) as file:
            table = arrow.read_csv(
                file,
                read_options=arrow.ReadOptions(column_names=names, skip_rows=int(layout.header)),
                parse_options=arrow.ParseOptions(delimiter=layout.delimiter),
                convert_options=arrow.ConvertOptions(
                    include_columns=[names[place] for place in dict.fromkeys(wanted)],
                    column_types=dict.fromkeys((names[place] for place in layout.columns.times), times_kind) | kinds,
                    null_values=[],
                ),
            )
    except (pa.ArrowException, EOFError, OSError):
        return None
    if table.num_rows != rows:
        return None
    times = TimeColumn()
    stamps = [table.column(names[place]) for place in layout.columns.times]
    if layout.numeric_times:
        open_time = times.from_numbers(_array(stamps[0]))
    else:
        open_time = times.read([" ".join(parts) for parts in zip(*(each.to_pylist() for each in stamps), strict=True)])
    if (open_time == UNREADABLE).any():
        return None
    values = np.column_stack([_array(table.column(names[place])) for place in layout.columns.values])
    lines = np.arange(rows) + 1 + layout.header
    return RawCandles(lines, open_time, values, notes=(NAIVE_NOTE,) if times.naive else ())


def _array(column: Any) -> Floats:
    """A column of floats without nulls; `to_numpy` would import pandas, which takes longer than the file."""
    return np.asarray(np.from_dlpack(column.combine_chunks()), dtype=np.float64)


def _begin(file: TextIO, base: str) -> tuple[Layout, Iterator[Line]]:
    """Layout and data rows, each with its line; empty rows are passed over."""
    head = [file.readline()]
    while head[-1] and not head[-1].strip():
        head.append(file.readline())
    if "\x00" in head[-1]:
        raise binary("it is binary")
    delimiter = max(_DELIMITERS, key=head[-1].count)
    reader = csv.reader(chain(head, file), delimiter=delimiter)
    rows = ((reader.line_num, row) for row in reader if row)
    first = next(rows, None)
    if first is None:
        raise InvalidRequest("The file is empty.", remedy="Give a file with a header and candles.")
    header = not _is_candle(first[1])
    columns = find_columns(first[1] if header else HEADERLESS, base=base)
    sample = next(rows, None) if header else first
    if sample is None:
        raise InvalidRequest("The file has a header and no candles.", remedy="Give a file with candles.")
    stamp = columns.times[0]
    numeric = len(columns.times) == 1 and len(sample[1]) > stamp and is_unix_time(sample[1][stamp])
    return Layout(columns, len(first[1]), delimiter, header, numeric), chain([sample], rows)


def _is_candle(cells: list[str]) -> bool:
    """Whether a row is data in Binance's order rather than a header."""
    wanted = len(HEADERLESS)
    return len(cells) >= wanted and is_time(cells[0]) and all(map(_is_number, cells[1:wanted]))


def _read_blocks(rows: Iterator[Line], layout: Layout, progress: Callable[[int], None]) -> RawCandles:
    width, times, bad, count = layout.width, TimeColumn(), [], 0
    blocks: list[RawCandles] = []
    while block := list(islice(rows, _BLOCK)):
        ragged = [(line, row) for line, row in block if len(row) != width]
        bad += [BadRow(line, f"has {len(row)} columns, not {width}") for line, row in ragged]
        whole = [(line, row) for line, row in block if len(row) == width] if ragged else block
        if whole:
            blocks.append(_read_block(whole, layout.columns, times))
        count += len(block)
        progress(count)
    return RawCandles(
        lines=np.concatenate([np.empty(0, np.int64), *(block.lines for block in blocks)]),
        open_time=np.concatenate([np.empty(0, np.int64), *(block.open_time for block in blocks)]),
        values=np.concatenate([np.empty((0, 5)), *(block.values for block in blocks)]),
        bad=tuple(chain(bad, *(block.bad for block in blocks))),
        notes=(NAIVE_NOTE,) if times.naive else (),
    )


def _read_block(block: Sequence[Line], columns: Columns, times: TimeColumn) -> RawCandles:
    lines = np.array([line for line, _ in block], dtype=np.int64)
    cells = list(zip(*(row for _, row in block), strict=True))
    stamps = cells[columns.times[0]]
    if len(columns.times) == 2:
        stamps = tuple(f"{date} {time}" for date, time in zip(stamps, cells[columns.times[1]], strict=True))
    open_time = times.read(stamps)
    bad = [BadRow(int(lines[row]), _no_time(stamps[row])) for row in np.flatnonzero(open_time == UNREADABLE)]
    values = np.empty((len(block), len(_NAMES)))
    for place, (name, column) in enumerate(zip(_NAMES, columns.values, strict=True)):
        values[:, place], unreadable = _floats(cells[column])
        bad += [BadRow(int(lines[row]), f"{name} {cells[column][row]!r} is not a number") for row in unreadable]
    return RawCandles(lines, open_time, values, tuple(bad))


def _floats(texts: Sequence[str]) -> tuple[Floats, list[int]]:
    """Numbers, NaN where there is none, and the rows where there is none."""
    try:
        return np.array(texts, dtype=np.float64), []
    except ValueError:
        unreadable = [row for row, text in enumerate(texts) if not _is_number(text)]
        return np.array([float(text) if _is_number(text) else np.nan for text in texts]), unreadable


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _no_time(text: str) -> str:
    return f"{text!r} is no time (such as 2024-01-31T17:00:00Z, 2024-01-31 17:00 or a unix time)"
