"""What a session's market profile and an average by volume are asked over HTTP, and what they answer."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.engines import AsOfField, SymbolField, TimeframeField
from api.schemas.fields import GivenTime, Request, TimeText
from engines.domain.timeframe import Timeframe
from engines.volume_profile.vwap import Source

MOST_AVERAGE_CANDLES: Final = 50_000
MOST_BANDS: Final = 10

BlockMinutes = Literal[5, 10, 15, 30, 60, 120, 240]
AverageAnchor = Literal["session", "week", "month", "time"]
ZoneField = Annotated[
    str, Field(min_length=1, max_length=60, examples=["America/New_York"], description="An IANA name; it keeps DST.")
]
LocalTimeField = Annotated[
    str, Field(min_length=4, max_length=5, examples=["09:30"], description="A local time of day, as 09:30.")
]


class TpoRequest(Request):
    """Which session's market profile to print: the newest that has begun at `as_of`, as far as it is known then.

    A session begins each day at `session_start` of the time zone and ends at `session_end`, or a day later without
    one. Give `rows` or `row_height`, not both; without either, rows are whole ticks, about 40 of them.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"symbol": "BTC/USDT"},
                {
                    "symbol": "BTC/USDT",
                    "timezone": "America/New_York",
                    "session_start": "09:30",
                    "session_end": "16:00",
                    "as_of": "2026-03-10T20:00:00Z",
                },
            ]
        }
    )

    symbol: SymbolField
    as_of: AsOfField = None
    timezone: ZoneField = "UTC"
    session_start: LocalTimeField = "00:00"
    session_end: LocalTimeField | None = None
    block_minutes: Annotated[BlockMinutes, Field(description="Length of a block, which prints one letter.")] = 30
    initial_balance_blocks: Annotated[
        int, Field(strict=True, ge=1, le=48, description="How many first blocks make the initial balance.")
    ] = 2
    rows: Annotated[int, Field(strict=True, ge=1, le=1_000)] | None = None
    row_height: Annotated[float, Field(gt=0, allow_inf_nan=False, description="In quote units.")] | None = None
    value_area_fraction: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.7
    timeframe: Annotated[
        Timeframe | None, Field(description="Print from these candles; the finest there are from 5m on without it.")
    ] = None


class PriceRange(BaseModel):
    """A stretch of prices, quote units."""

    model_config = ConfigDict(populate_by_name=True)

    from_: float = Field(alias="from")
    to: float


class TpoRow(PriceRange):
    """One row: its letters in time order, and how many they are."""

    letters: str
    count: int


class TpoBlockView(BaseModel):
    """One block of time, its letter and its range."""

    letter: str
    opens: TimeText
    low: float
    high: float


class InitialBalance(BaseModel):
    """Range of the first blocks; `complete` once the last of them has ended."""

    low: float
    high: float
    complete: bool


class TpoView(BaseModel):
    """A session's market profile: rows lowest first, VAL and VAH are outer edges, the POC a row's middle.

    `tail_low` and `tail_high` are runs of two or more single letters at an end, null where there is none. A high or low
    is poor where two or more letters end there. `complete` says that the session has ended.
    """

    symbol: str
    market: str
    simulated: bool
    as_of: TimeText
    built_from: Timeframe
    session: str
    opens: TimeText
    closes: TimeText
    complete: bool
    rows: list[TpoRow]
    blocks: list[TpoBlockView]
    row_height: float
    poc: float
    vah: float
    val: float
    high: float
    low: float
    initial_balance: InitialBalance
    single_prints: list[PriceRange]
    tail_low: PriceRange | None
    tail_high: PriceRange | None
    poor_low: bool
    poor_high: bool
    balanced_target: float
    rotation_factor: int
    parameters: dict[str, Any]


class VwapRequest(Request):
    """Which average to compute: since the beginning of each session, week or month of a time zone, or since `time`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"symbol": "BTC/USDT", "timeframe": "15m", "anchor": "week", "bands": [1, 2]},
                {"symbol": "BTC/USDT", "timeframe": "1h", "anchor": "time", "time": "2026-03-09T14:00:00Z"},
            ]
        }
    )

    symbol: SymbolField
    timeframe: TimeframeField
    limit: Annotated[int, Field(strict=True, ge=1, le=25_000, description="How many candles to show.")] = 200
    as_of: AsOfField = None
    anchor: Annotated[AverageAnchor, Field(description="Where the average starts over.")] = "session"
    time: Annotated[
        GivenTime | None, Field(description="With `anchor` time: where it starts; it needs a time zone.")
    ] = None
    timezone: ZoneField = "UTC"
    session_start: LocalTimeField = "00:00"
    bands: Annotated[
        list[Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]],
        Field(
            max_length=MOST_BANDS, description="Multiples of the deviation.", default_factory=lambda: [1.0, 2.0, 3.0]
        ),
    ]
    source: Annotated[Source, Field(description="Which price stands for a candle.")] = "hlc3"


class VwapBand(BaseModel):
    """One band: the average plus and less so many deviations."""

    multiple: float
    upper: list[float | None]
    lower: list[float | None]


class VwapView(BaseModel):
    """One value a candle, each known at its close; null before the anchor and while a period has no volume.

    `sigma` is the deviation by volume. `whole` says that the period of the first candle shown was had from its opening.
    """

    symbol: str
    timeframe: Timeframe
    market: str
    simulated: bool
    as_of: TimeText
    anchor: AverageAnchor
    whole: bool
    open_time: list[TimeText]
    period_start: list[TimeText | None]
    vwap: list[float | None]
    sigma: list[float | None]
    bands: list[VwapBand]
    parameters: dict[str, Any]
