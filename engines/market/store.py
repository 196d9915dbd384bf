"""Stored candles: written whole or not at all, read straight into arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, Row, func, select, text, update
from sqlalchemy.exc import OperationalError

from engines.domain.candles import CandleFrame
from engines.domain.timeframe import TIMEFRAMES, Timeframe, duration_ms, from_ms, parse_timeframe
from engines.errors import VenueUnavailable
from engines.market.bulk import CANDLE_ROW, COLUMNS, fetch, insert, revise
from engines.storage.candles import candle_series, candles
from engines.storage.transactions import writing

Rows = NDArray[np.void]

_BLOCK: Final = 25_000
_COLUMNS: Final = tuple(candles.c[name] for name in COLUMNS)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where written candles come from, and the steps their numbers are written in.

    Attributes:
        source: file name.
        digest: SHA-256 of the file, hexadecimal.
        tick_size, lot_size: steps of price (quote units) and quantity (base units).
    """

    source: str
    digest: str
    imported_at: datetime
    tick_size: Decimal
    lot_size: Decimal


@dataclass(frozen=True, slots=True)
class Series:
    """All stored candles of one symbol and timeframe.

    Attributes:
        first: open time of the first candle.
        end: close time of the last candle.
    """

    symbol: str
    timeframe: Timeframe
    candles: int
    first: datetime
    end: datetime
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Written:
    """What a write changed: candles that were new, that differed from the stored ones, that were there already."""

    added: int
    revised: int
    unchanged: int


class CandleStore:
    """Candles of one market in SQLite or PostgreSQL; safe to share between threads."""

    def __init__(self, engine: Engine, market: str = "files") -> None:
        self._engine = engine
        self._market = market

    def series(self) -> tuple[Series, ...]:
        """Everything stored, by symbol, then from the shortest timeframe to the longest.

        Raises:
            VenueUnavailable: the database does not answer.
        """
        wanted = select(candle_series).where(candle_series.c.market == self._market)
        with self._reading() as connection:
            found = [_series(row) for row in connection.execute(wanted)]
        return tuple(sorted(found, key=lambda each: (each.symbol, TIMEFRAMES.index(each.timeframe))))

    def read(self, symbol: str, timeframe: Timeframe, *, end_ms: int, count: int) -> CandleFrame:
        """The last `count` candles that close at `end_ms` (milliseconds since the epoch) or before; maybe none.

        Raises:
            VenueUnavailable: the database does not answer.
        """
        this = select(candle_series.c.id).filter_by(market=self._market, symbol=symbol, timeframe=timeframe)
        with self._reading() as connection:
            newest_first = (
                select(*_COLUMNS)
                .where(candles.c.series_id == connection.scalar(this))
                .where(candles.c.open_time <= end_ms - duration_ms(timeframe))
                .order_by(candles.c.open_time.desc())
                .limit(count)
            )
            rows = fetch(connection, newest_first)[::-1]
        columns = {name: np.ascontiguousarray(rows[name]) for name in COLUMNS}
        return CandleFrame(symbol=symbol, timeframe=timeframe, market=self._market, simulated=False, **columns)

    def write(
        self, frame: CandleFrame, provenance: Provenance, *, progress: Callable[[int, int], None] = lambda *_: None
    ) -> Written:
        """Insert new candles and correct stored ones that differ, in one transaction.

        Args:
            frame: n >= 1 closed candles.
            progress: called with the candles done so far and n.

        Raises:
            VenueUnavailable: the database did not take them; nothing was written.
        """
        rows = _rows(frame)
        added = revised = 0
        with self._answering("Nothing was imported."), writing(self._engine) as connection:
            series_id, last_stored = self._claim(connection, frame, provenance)
            for start in range(0, len(rows), _BLOCK):
                block = rows[start : start + _BLOCK]
                new, changed = _differences(connection, series_id, block, last_stored)
                insert(connection, series_id, block[new])
                revise(connection, series_id, block[changed])
                added, revised = added + int(new.sum()), revised + int(changed.sum())
                progress(start + len(block), len(rows))
            _record_extent(connection, series_id, provenance)
            if added >= _BLOCK and connection.dialect.name == "postgresql":
                # Without fresh statistics PostgreSQL sorts a whole series to read its end.
                connection.exec_driver_sql("ANALYZE candles")
        return Written(added=added, revised=revised, unchanged=len(rows) - added - revised)

    def _claim(self, connection: Connection, frame: CandleFrame, provenance: Provenance) -> tuple[int, int]:
        """Id and last open time of the series, created when it is new; locked until the end of the transaction."""
        key = {"market": self._market, "symbol": frame.symbol, "timeframe": frame.timeframe}
        connection.execute(
            text(
                "INSERT INTO candle_series (market, symbol, timeframe, tick_size, lot_size, source, digest,"
                " imported_at, candles, first_open_time, last_open_time)"
                " VALUES (:market, :symbol, :timeframe, :tick, :lot, '', '', 0, 0, 0, 0) ON CONFLICT DO NOTHING"
            ),
            key | {"tick": format(provenance.tick_size, "f"), "lot": format(provenance.lot_size, "f")},
        )
        this = select(candle_series.c.id, candle_series.c.last_open_time).filter_by(**key).with_for_update()
        series_id, last_stored = connection.execute(this).one()
        return series_id, last_stored

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._answering("Nothing was read."), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _answering(self, consequence: str) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            raise VenueUnavailable(
                f"The database of candles does not answer ({error.orig}). {consequence}",
                remedy="`quantum-trader doctor` looks into it.",
            ) from error


def _series(row: Row[Any]) -> Series:
    timeframe = parse_timeframe(row.timeframe)
    return Series(
        symbol=row.symbol,
        timeframe=timeframe,
        candles=row.candles,
        first=from_ms(row.first_open_time),
        end=from_ms(row.last_open_time + duration_ms(timeframe)),
        provenance=Provenance(row.source, row.digest, row.imported_at, row.tick_size, row.lot_size),
    )


def _rows(frame: CandleFrame) -> Rows:
    rows = np.empty(len(frame), dtype=CANDLE_ROW)
    for name in COLUMNS:
        rows[name] = getattr(frame, name)
    return rows


def _differences(
    connection: Connection, series_id: int, block: Rows, last_stored: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows of an ascending block are not stored yet, and which are stored with other values."""
    if int(block["open_time"][0]) > last_stored:
        return np.ones(len(block), dtype=np.bool_), np.zeros(len(block), dtype=np.bool_)
    first, last = (int(block["open_time"][row]) for row in (0, -1))
    within = candles.c.open_time.between(first, last) & (candles.c.series_id == series_id)
    stored = fetch(connection, select(*_COLUMNS).where(within).order_by(candles.c.open_time))
    new = ~np.isin(block["open_time"], stored["open_time"], assume_unique=True)
    changed = np.zeros(len(block), dtype=np.bool_)
    counterparts = stored[np.isin(stored["open_time"], block["open_time"], assume_unique=True)]
    changed[~new] = block[~new] != counterparts
    return new, changed


def _record_extent(connection: Connection, series_id: int, provenance: Provenance) -> None:
    stored = select(func.count(), func.min(candles.c.open_time), func.max(candles.c.open_time))
    count, first, last = connection.execute(stored.where(candles.c.series_id == series_id)).one()
    this = candle_series.c.id == series_id
    tick, lot = connection.execute(select(candle_series.c.tick_size, candle_series.c.lot_size).where(this)).one()
    connection.execute(
        update(candle_series)
        .where(this)
        .values(
            candles=count,
            first_open_time=first,
            last_open_time=last,
            tick_size=min(tick, provenance.tick_size),
            lot_size=min(lot, provenance.lot_size),
            source=provenance.source,
            digest=provenance.digest,
            imported_at=provenance.imported_at,
        )
    )
