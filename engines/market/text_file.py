"""Opening a text file, plain or gzipped, and saying in words why it is none."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, TextIO, cast

from engines.errors import InvalidRequest

_GZIP: Final = b"\x1f\x8b"
_REMEDY: Final = "Save it as UTF-8 text with commas between the columns."
_CHUNK: Final = 1 << 20


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """The file as text.

    Raises:
        InvalidRequest: it is UTF-16, a ZIP archive, a damaged gzip file or binary, which may show only later on.
    """
    try:
        with unzipped(path) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
            yield text
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"The file is not UTF-8 text ({error.reason}).", remedy=_REMEDY) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InvalidRequest(f"The gzip file is damaged or cut short ({error}).", remedy="Fetch it again.") from error
    except csv.Error as error:
        raise binary(str(error)) from error


@contextmanager
def unzipped(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, unpacked when it is gzipped, whatever its name.

    Raises:
        InvalidRequest: it is UTF-16 or a ZIP archive.
    """
    with path.open("rb") as raw:
        start = raw.read(4)
        raw.seek(0)
        if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            raise InvalidRequest("The file is UTF-16, not UTF-8.", remedy=_REMEDY)
        if start.startswith(b"PK"):
            raise InvalidRequest("The file is a ZIP archive.", remedy="Unpack it and import the file inside.")
        stream = gzip.GzipFile(fileobj=raw) if start.startswith(_GZIP) else raw
        with io.BufferedReader(stream, _CHUNK) as buffered:
            yield cast("BinaryIO", buffered)


def binary(why: str) -> InvalidRequest:
    """The error of a file that is no text table."""
    return InvalidRequest(f"The file is not a text table ({why}).", remedy=_REMEDY)


def count_lines(path: Path) -> int:
    """Lines of a file, a last one without a line break included.

    Raises:
        InvalidRequest: as `opened`.
    """
    lines, last = 0, b"\n"
    with opened(path) as text:
        while chunk := text.buffer.read(_CHUNK):
            lines += chunk.count(b"\n")
            last = chunk[-1:]
    return lines + (last != b"\n")
