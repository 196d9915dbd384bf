"""Tables of imported candles: one row a series, one row a candle."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Double, Integer, Table, Text, UniqueConstraint

from engines.storage.metadata import Instant, Money, metadata

# Symbol and timeframe stand once, in the series: a candle's row and key stay narrow.
candle_series: Final = Table(
    "candle_series",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("market", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("timeframe", Text, nullable=False),
    Column("tick_size", Money, nullable=False),
    Column("lot_size", Money, nullable=False),
    # The last import that wrote to it.
    Column("source", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("imported_at", Instant, nullable=False),
    Column("candles", BigInteger, nullable=False),
    Column("first_open_time", BigInteger, nullable=False),
    Column("last_open_time", BigInteger, nullable=False),
    UniqueConstraint("market", "symbol", "timeframe"),
)

# Prices in quote units, volume in base units, open_time in milliseconds since the epoch.
candles: Final = Table(
    "candles",
    metadata,
    # No foreign key: checking it for every row takes longer than writing it, and the series is locked meanwhile.
    Column("series_id", Integer, primary_key=True, autoincrement=False),
    Column("open_time", BigInteger, primary_key=True, autoincrement=False),
    Column("open", Double, nullable=False),
    Column("high", Double, nullable=False),
    Column("low", Double, nullable=False),
    Column("close", Double, nullable=False),
    Column("volume", Double, nullable=False),
    sqlite_with_rowid=False,
)
