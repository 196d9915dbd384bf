"""Reading candles out of a CSV file, plain or gzipped."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Final, TextIO, TypeAlias

import numpy as np

from engines.domain.candles import Floats
from engines.errors import InvalidRequest
from engines.market.raw_candles import HEADERLESS, PRICES, BadRow, Columns, RawCandles, find_columns
from engines.market.time_column import NAIVE_NOTE, UNREADABLE, TimeColumn, is_time

_BLOCK: Final = 50_000
_DELIMITERS: Final = (",", ";", "\t")
_NAMES: Final = (*PRICES, "volume")
_GZIP: Final = b"\x1f\x8b"
_REMEDY: Final = "Save it as UTF-8 text with commas between the columns."

Line: TypeAlias = tuple[int, list[str]]


def read_csv(path: Path, *, base: str, progress: Callable[[int], None] = lambda _: None) -> RawCandles:
    """Read every row; one that is no candle is kept as a `BadRow`, never guessed at.

    Args:
        base: base asset of the symbol, for files that name their volume after it.
        progress: called with the rows read so far.

    Raises:
        InvalidRequest: it is not a text table with the columns of a candle.
    """
    with _opened(path) as file:
        rows = _rows(file)
        first = next(rows, None)
        if first is None:
            raise InvalidRequest("The file is empty.", remedy="Give a file with a header and candles.")
        columns, width, rest = _layout(first, rows, base)
        return _read_blocks(rest, columns, width, progress)


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """The file as text; what is no text is refused in words."""
    try:
        with path.open("rb") as raw:
            start = raw.read(4)
            raw.seek(0)
            if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
                raise InvalidRequest("The file is UTF-16, not UTF-8.", remedy=_REMEDY)
            if start.startswith(b"PK"):
                raise InvalidRequest("The file is a ZIP archive.", remedy="Unpack it and import the file inside.")
            stream = gzip.GzipFile(fileobj=raw) if start.startswith(_GZIP) else raw
            with io.TextIOWrapper(io.BufferedReader(stream, 1 << 20), encoding="utf-8-sig", newline="") as text:
                yield text
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"The file is not UTF-8 text ({error.reason}).", remedy=_REMEDY) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InvalidRequest(f"The gzip file is damaged or cut short ({error}).", remedy="Fetch it again.") from error
    except csv.Error as error:
        raise InvalidRequest(f"The file is not a text table ({error}).", remedy=_REMEDY) from error


def _rows(file: TextIO) -> Iterator[Line]:
    """Each row that is not empty, with its line."""
    head = [file.readline()]
    while head[-1] and not head[-1].strip():
        head.append(file.readline())
    if "\x00" in head[-1]:
        raise InvalidRequest("The file is binary, not a text table.", remedy=_REMEDY)
    reader = csv.reader(chain(head, file), delimiter=max(_DELIMITERS, key=head[-1].count))
    return ((reader.line_num, row) for row in reader if row)


def _layout(first: Line, rows: Iterator[Line], base: str) -> tuple[Columns, int, Iterator[Line]]:
    """Columns, width and data rows; a file whose first row is data is read in Binance's order."""
    cells = first[1]
    if len(cells) >= len(HEADERLESS) and is_time(cells[0]) and all(map(_is_number, cells[1 : len(HEADERLESS)])):
        return find_columns(HEADERLESS, base=base), len(cells), chain([first], rows)
    return find_columns(cells, base=base), len(cells), rows


def _read_blocks(rows: Iterator[Line], columns: Columns, width: int, progress: Callable[[int], None]) -> RawCandles:
    times, bad, count = TimeColumn(), [], 0
    blocks: list[RawCandles] = []
    while block := list(islice(rows, _BLOCK)):
        ragged = [(line, row) for line, row in block if len(row) != width]
        bad += [BadRow(line, f"has {len(row)} columns, not {width}") for line, row in ragged]
        whole = [(line, row) for line, row in block if len(row) == width] if ragged else block
        if whole:
            blocks.append(_read_block(whole, columns, times))
        count += len(block)
        progress(count)
    if count == 0:
        raise InvalidRequest("The file has a header and no candles.", remedy="Give a file with candles.")
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
