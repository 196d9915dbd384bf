"""Reading single trades with their sides out of a CSV file, plain or gzipped."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from engines.domain.trades import TradeFrame
from engines.errors import InvalidRequest
from engines.market.raw_candles import BadRow
from engines.market.text_file import opened
from engines.market.time_column import UNREADABLE, TimeColumn

_TIMES: Final = ("time_ms", "time", "timestamp", "datetime", "date", "ts", "transact_time", "trade_time")
_PRICES: Final = ("price", "p", "rate")
_QUANTITIES: Final = ("quantity", "qty", "amount", "size", "volume", "base_qty", "q")
_SIDES: Final = ("side", "taker_side", "aggressor", "direction")
# Some venues say instead whether the buyer was the one who waited; then the seller came to it.
_MAKERS: Final = ("is_buyer_maker", "isbuyermaker", "buyer_maker", "m")
_BUY: Final = frozenset({"buy", "b", "bid", "1", "+1", "1.0"})
_SELL: Final = frozenset({"sell", "s", "ask", "-1", "-1.0"})
_TRUE, _FALSE = frozenset({"true", "t", "1", "yes"}), frozenset({"false", "f", "0", "no"})
_DELIMITERS: Final = (",", ";", "\t")
_SHOWN: Final = 20
_REMEDY: Final = "Give a table with a header and the columns time, side (buy or sell), price and quantity."


@dataclass(frozen=True, slots=True, eq=False)
class ReadTrades:
    """Trades of a file.

    Attributes:
        decimals: the most digits after the point that a price has; its step may be finer.
        naive: the times carried no offset and were read as UTC.
    """

    trades: TradeFrame
    decimals: int
    naive: bool


def read_trades(path: Path, *, symbol: str) -> ReadTrades:
    """Read every trade of a file; nothing is guessed, mended or left out.

    Args:
        path: with a header that names a time, a side (or `is_buyer_maker`), a price and a quantity.
        symbol: what is traded; a file of trades does not say.

    Raises:
        InvalidRequest: it cannot be read, lacks a column, or a row is no trade; the message names the first 20 lines.
    """
    try:
        with opened(path) as file:
            head = file.readline()
            delimiter = max(_DELIMITERS, key=head.count)
            names = [name.strip().strip('"').lower() for name in next(csv.reader([head], delimiter=delimiter), [])]
            reader = csv.reader(file, delimiter=delimiter)
            rows = [(reader.line_num + 1, row) for row in reader if row]
    except OSError as error:
        raise InvalidRequest(
            f"{str(path)!r} cannot be read: {error.strerror or error}.", remedy="Check the path."
        ) from error
    except csv.Error as error:
        raise InvalidRequest(f"{path.name} is no table: {error}.", remedy=_REMEDY) from error
    if not rows:
        raise InvalidRequest(f"{path.name} has no trades.", remedy=_REMEDY)
    return _read(rows, names, path.name, symbol)


def _read(rows: Sequence[tuple[int, list[str]]], names: list[str], source: str, symbol: str) -> ReadTrades:
    ragged = [BadRow(line, f"has {len(row)} columns, not {len(names)}") for line, row in rows if len(row) != len(names)]
    _refuse(ragged, source)
    lines = [line for line, _ in rows]
    cells = dict(zip(names, zip(*(row for _, row in rows), strict=True), strict=True))
    times = TimeColumn()
    stamps = _column(cells, _TIMES, "time", source)
    prices = _column(cells, _PRICES, "price", source)
    maker = not any(name in cells for name in _SIDES)
    sides = _column(cells, _MAKERS if maker else _SIDES, "side", source)
    time_ms = times.read(stamps)
    bad = [BadRow(lines[row], f"{stamps[row]!r} is no time") for row in np.flatnonzero(time_ms == UNREADABLE).tolist()]
    side = np.array([_side(text, maker=maker) for text in sides], dtype=np.int8)
    bad += [
        BadRow(lines[row], f"{sides[row]!r} is no side, which is buy or sell")
        for row in np.flatnonzero(side == 0).tolist()
    ]
    columns = []
    for name, texts in (("price", prices), ("quantity", _column(cells, _QUANTITIES, "quantity", source))):
        column = np.array([_number(text) for text in texts], dtype=np.float64)
        least = "above zero" if name == "price" else "zero or more"
        wrong = ~np.isfinite(column) | ((column <= 0) if name == "price" else (column < 0))
        bad += [
            BadRow(lines[row], f"{name} {texts[row]!r} is no number {least}") for row in np.flatnonzero(wrong).tolist()
        ]
        columns.append(column)
    falls = np.flatnonzero(np.diff(time_ms, prepend=time_ms[:1]) < 0).tolist() if not bad else []
    _refuse([*bad, *(BadRow(lines[row], "is earlier than the line before it") for row in falls)], source)
    frame = TradeFrame(
        symbol=symbol,
        market=source,
        simulated=False,
        time_ms=time_ms,
        price=columns[0],
        quantity=columns[1],
        side=side,
    )
    return ReadTrades(frame, max(len(text.strip().partition(".")[2]) for text in prices), times.naive)


def _column(cells: dict[str, tuple[str, ...]], candidates: Sequence[str], what: str, source: str) -> tuple[str, ...]:
    for name in candidates:
        if name in cells:
            return cells[name]
    raise InvalidRequest(f"{source} has no column for the {what}: it has {', '.join(cells)}.", remedy=_REMEDY)


def _side(text: str, *, maker: bool) -> int:
    word = text.strip().lower()
    if maker:
        return -1 if word in _TRUE else 1 if word in _FALSE else 0
    return 1 if word in _BUY else -1 if word in _SELL else 0


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _refuse(bad: Sequence[BadRow], source: str) -> None:
    if not bad:
        return
    shown = "; ".join(map(str, sorted(bad)[:_SHOWN]))
    more = f"; and {len(bad) - _SHOWN:,} more" if len(bad) > _SHOWN else ""
    raise InvalidRequest(f"{source} has rows that are no trades: {shown}{more}.", remedy="Correct or drop them.")
