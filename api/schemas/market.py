"""Candles and trading rules."""

from __future__ import annotations

from pydantic import BaseModel

from api.schemas.fields import DecimalText, TimeText
from engines.domain.timeframe import Timeframe


class Candle(BaseModel):
    """One closed candle; prices in quote units, volume in base units."""

    open_time: TimeText
    open: float
    high: float
    low: float
    close: float
    volume: float


class CandlePage(BaseModel):
    """Closed candles, oldest first; `next_end` is the `end` that leads to those before them."""

    symbol: str
    timeframe: Timeframe
    market: str
    simulated: bool
    as_of: TimeText
    candles: list[Candle]
    next_end: TimeText | None = None


class Instrument(BaseModel):
    """The trading rules of one symbol."""

    symbol: str
    base: str
    quote: str
    tick_size: DecimalText
    lot_size: DecimalText
    min_quantity: DecimalText
    min_notional: DecimalText
    maker_fee: DecimalText
    taker_fee: DecimalText


class Markets(BaseModel):
    """Everything this desk's market lists."""

    market: str
    simulated: bool
    timeframes: list[str]
    symbols: list[str]
    instruments: list[Instrument]
