"""What a chart shows, as plain data."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.fields import DecimalText, TimeText
from engines.domain.timeframe import Timeframe

Milliseconds = Annotated[int, Field(description="Milliseconds since the epoch, UTC.")]
Column = Annotated[list[float | None], Field(description="One value a candle, null where undefined.")]


class ChartCandles(BaseModel):
    """One list a column, oldest candle first."""

    open_time: list[Milliseconds]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[float]


class ChartEvent(BaseModel):
    """A dot, cross or flag; `time` is the candle that confirms it, `pivot_time` where it is drawn if elsewhere."""

    name: str
    time: Milliseconds
    confirmed_time: Milliseconds
    pivot_time: Milliseconds | None = None
    second_range: Annotated[
        bool | None, Field(description="Of divergence dots: only the second, wider range of the waves saw it.")
    ] = None


class ChartPivot(BaseModel):
    """One end of a divergence: the wave or oscillator there, and the candle's low or high."""

    time: Milliseconds
    value: float
    price: float


class ChartDivergence(BaseModel):
    """Two pivots between which price and wave or oscillator differ; knowable at `confirmed_time`."""

    source: Literal["wt", "rsi", "stoch"]
    bias: Literal["bull", "bear"]
    hidden: bool
    second_range: bool
    time: Milliseconds
    confirmed_time: Milliseconds
    pivot: ChartPivot
    previous: ChartPivot


class ChartLevels(BaseModel):
    """Levels of the preset, innermost first."""

    overbought: list[float]
    oversold: list[float]
    rsi: list[float]


class ChartPanel(BaseModel):
    """The Cipher panel of the candles; `missing` says why its columns are empty, if they are."""

    wt1: Column
    wt2: Column
    vwap: Column
    money_flow: Column
    rsi: Column
    stoch_k: Column
    stoch_d: Column
    stc: Column
    flat: list[bool | None]
    events: list[ChartEvent]
    divergences: list[ChartDivergence]
    levels: ChartLevels
    drawn_divergences: Annotated[list[str], Field(description="Kinds of divergences that the preset draws.")]
    preset: str
    missing: str


class ChartRow(BaseModel):
    """Volume between two prices; `delta` is up less down."""

    model_config = ConfigDict(populate_by_name=True)

    low: Annotated[float, Field(alias="from")]
    high: Annotated[float, Field(alias="to")]
    volume: float
    up: float
    down: float
    delta: float


class ChartNode(BaseModel):
    """A row with much volume, or with little between two of those."""

    price: float
    volume: float
    prominence: float


class ChartNakedPoc(BaseModel):
    """The point of control of a past session that no price has touched since."""

    price: float
    session: str
    born_time: Milliseconds
    age_sessions: int


class ChartProfile(BaseModel):
    """Volume by price over the candles, lowest row first, and its levels in quote units."""

    rows: list[ChartRow]
    poc: float
    vah: float
    val: float
    hvn: list[ChartNode]
    lvn: list[ChartNode]
    naked_pocs: list[ChartNakedPoc]
    developing_poc: Column
    built_from: Annotated[Timeframe, Field(description="Candles whose volume was spread.")]
    lookback: int
    value_area_fraction: float
    total_volume: float


class ChartAverage(BaseModel):
    """Volume-weighted average price of each day, week or month; `starts` are the candles that begin one anew."""

    anchor: Literal["day", "week", "month"]
    values: Column
    starts: list[Milliseconds]


class ChartData(BaseModel):
    """Everything a chart shows; profile and average are null where the candles carry no volume."""

    symbol: str
    timeframe: Timeframe
    market: str
    simulated: bool
    as_of: TimeText
    tick_size: DecimalText
    candles: ChartCandles
    cipher: ChartPanel
    volume_profile: ChartProfile | None
    vwap: ChartAverage | None
