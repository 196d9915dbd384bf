"""Importing a file of candles: all of it, or nothing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np

from engines.domain.candles import CandleFrame
from engines.domain.clock import Clock, SystemClock
from engines.domain.timeframe import Timeframe, duration_ms, from_ms, to_ms
from engines.errors import InvalidRequest
from engines.market.candle_checks import Gaps, bad_rows, check_spacing, find_gaps, lot_size, tick_size
from engines.market.csv_file import read_csv
from engines.market.parquet_file import read_parquet
from engines.market.raw_candles import BadRow, RawCandles
from engines.market.store import CandleStore, Provenance, Written
from engines.market.time_column import UNREADABLE

_SYMBOL: Final = re.compile(r"[A-Z0-9][A-Z0-9.\-]*/[A-Z0-9][A-Z0-9.\-]*(:[A-Z0-9.\-]+)?")
_SHOWN_ROWS: Final = 20


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did; as text, for people.

    Attributes:
        first: open time of the first candle.
        end: close time of the last candle.
        skipped: bad rows left out on request.
        forming: a last candle that had not closed yet and was left out.
        digest: SHA-256 of the file, hexadecimal.
    """

    symbol: str
    timeframe: Timeframe
    source: str
    digest: str
    candles: int
    first: datetime
    end: datetime
    written: Written
    gaps: Gaps
    skipped: tuple[BadRow, ...] = ()
    forming: bool = False
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        counts = self.written
        lines = [
            f"{self.candles:,} candles of {self.symbol} {self.timeframe} from {self.source}:"
            f" {self.first:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC.",
            f"{counts.added:,} new, {counts.revised:,} revised, {counts.unchanged:,} already there.",
        ]
        if self.gaps.largest:
            gaps, missing = _counted(self.gaps.count, "gap"), _counted(self.gaps.missing, "candle")
            lines.append(f"{gaps}, {missing} missing; the largest {self.gaps.largest}.")
            lines.append(f"First gaps: {'; '.join(map(str, self.gaps.first))}. Gaps are never filled.")
        else:
            lines.append("No gaps.")
        if self.skipped:
            lines.append(f"{_counted(len(self.skipped), 'bad row')} left out:\n{_listing(self.skipped)}")
        if self.forming:
            lines.append("The last row had not closed yet and was left out.")
        return "\n".join([*lines, *self.notes])


def import_candles(
    path: Path,
    *,
    symbol: str,
    timeframe: Timeframe,
    store: CandleStore,
    progress: Callable[[int, int], None] = lambda *_: None,
    skip_bad: bool = False,
    clock: Clock | None = None,
) -> ImportReport:
    """Read a file, check every row and store the candles in one transaction; importing again changes nothing.

    Args:
        path: CSV, gzipped CSV or Parquet, told apart by content.
        symbol: as `BTC/USD`.
        progress: called with candles done and their number; reading and storing count half each.
        skip_bad: leave bad rows out instead of refusing the file.
        clock: tells what lies in the future; this machine's by default.

    Raises:
        InvalidRequest: file, symbol or timeframe is not usable, or a row is bad (the message lists the first 20
            with their lines); nothing was imported.
        VenueUnavailable: the database did not take them; nothing was imported.
    """
    symbol = _checked_symbol(symbol)
    now = (clock or SystemClock()).now()
    with _named(path):
        digest = _digest(path)
        raw = _read(path, symbol.partition("/")[0], progress)
        check_spacing(raw.open_time, timeframe)
        raw = _ascending(raw)
        frame, skipped, forming = _candles(raw, symbol, timeframe, now=now, skip_bad=skip_bad)
    count = len(frame)
    provenance = _provenance(path, digest, frame, now)
    written = store.write(frame, provenance, progress=lambda done, _: progress((count + done) // 2, count))
    return ImportReport(
        symbol=symbol,
        timeframe=timeframe,
        source=path.name,
        digest=digest,
        candles=count,
        first=from_ms(int(frame.open_time[0])),
        end=frame.as_of,
        written=written,
        gaps=find_gaps(frame.open_time, timeframe),
        skipped=skipped,
        forming=forming,
        notes=raw.notes,
    )


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Errors in reading a file begin with its name."""
    try:
        yield
    except OSError as error:
        raise InvalidRequest(
            f"{str(path)!r} cannot be read: {error.strerror or error}.", remedy="Check the path."
        ) from error
    except InvalidRequest as error:
        raise InvalidRequest(f"{path.name}: {error.message}", remedy=error.remedy) from error


def _provenance(path: Path, digest: str, frame: CandleFrame, now: datetime) -> Provenance:
    prices = np.concatenate([frame.open, frame.high, frame.low, frame.close])
    lot = lot_size(frame.volume, float(frame.close[-1]))
    return Provenance(source=path.name, digest=digest, imported_at=now, tick_size=tick_size(prices), lot_size=lot)


def _checked_symbol(symbol: str) -> str:
    wanted = symbol.strip().upper()
    if not _SYMBOL.fullmatch(wanted):
        raise InvalidRequest(f"{symbol!r} is not a symbol.", remedy="Write base and quote, such as BTC/USD.")
    return wanted


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path, base: str, progress: Callable[[int, int], None]) -> RawCandles:
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PAR1":
        return read_parquet(path, base=base)
    return read_csv(path, base=base, progress=lambda rows, total: progress(rows // 2, total))


def _ascending(raw: RawCandles) -> RawCandles:
    """Files that run from the newest row to the oldest are turned round; any other order is left to the checks.

    Most steps decide: one bad row must not put all others in the wrong.
    """
    steps = np.diff(raw.open_time[raw.open_time != UNREADABLE])
    if (steps < 0).sum() <= (steps > 0).sum():
        return raw
    notes = (*raw.notes, "The file runs from the newest candle to the oldest and was read in reverse.")
    return replace(raw, lines=raw.lines[::-1], open_time=raw.open_time[::-1], values=raw.values[::-1], notes=notes)


def _candles(
    raw: RawCandles, symbol: str, timeframe: Timeframe, *, now: datetime, skip_bad: bool
) -> tuple[CandleFrame, tuple[BadRow, ...], bool]:
    """The good rows as closed candles, the bad ones, and whether a forming one was left out."""
    bad = bad_rows(raw, timeframe, now_ms=to_ms(now))
    if bad and not skip_bad:
        raise InvalidRequest(
            f"{len(bad):,} of {raw.rows:,} rows are bad, nothing was imported:\n{_listing(bad)}\n",
            remedy="Correct them, or leave them out with --skip-bad.",
        )
    good = ~np.isin(raw.lines, [each.line for each in bad])
    closed = raw.open_time <= to_ms(now) - duration_ms(timeframe)
    keep = good & closed
    if not keep.any():
        listing = f":\n{_listing(bad)}" if bad else "."
        raise InvalidRequest(f"No row is a closed candle{listing}", remedy="Check the columns and the times.")
    open_, high, low, close, volume = (np.ascontiguousarray(column) for column in raw.values[keep].T)
    frame = CandleFrame(
        symbol=symbol,
        timeframe=timeframe,
        market="files",
        simulated=False,
        open_time=raw.open_time[keep],
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=volume,
    )
    return frame, bad, bool((good & ~closed).any())


def _listing(bad: tuple[BadRow, ...]) -> str:
    shown = "\n".join(f"  {each}" for each in bad[:_SHOWN_ROWS])
    return shown if len(bad) <= _SHOWN_ROWS else f"{shown}\n  ... and {len(bad) - _SHOWN_ROWS:,} more"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
