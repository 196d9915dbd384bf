"""What the two engines are asked over HTTP, and what they answer."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.fields import GivenTime, Request, TimeText
from engines.domain.timeframe import TIMEFRAMES, Timeframe
from engines.volume_profile.params import Spread

MOST_PANEL_CANDLES: Final = 25_000
MOST_PROFILE_CANDLES: Final = 50_000
MOST_DEVELOPING_CANDLES: Final = 5_000

ProfileKind = Literal["range", "session", "anchored", "composite", "developing"]

SymbolField = Annotated[str, Field(min_length=1, max_length=40, examples=["BTC/USDT"])]
TimeframeField = Annotated[Timeframe, Field(examples=["1h"])]
AsOfField = Annotated[
    GivenTime | None, Field(description="Know only what had closed by this time; it needs a time zone.")
]


class CipherRequest(Request):
    """Which panel to compute."""

    symbol: SymbolField
    timeframe: TimeframeField
    limit: Annotated[int, Field(strict=True, ge=1, le=MOST_PANEL_CANDLES, description="How many candles to show.")] = (
        500
    )
    preset: Annotated[
        str, Field(min_length=1, max_length=60, examples=["vumanchu_a"], description="Named settings of the panel.")
    ] = "vumanchu_b"
    as_of: AsOfField = None


class CipherEventView(BaseModel):
    """Something that happened: drawn at its pivot, knowable at `confirmed_time`, the close of its candle.

    Indices count the rows of this answer and are null where the row lies before the first one; times are known always.
    """

    name: str
    index: int
    time: TimeText
    pivot_index: int | None
    pivot_time: TimeText
    confirmed_index: int
    confirmed_time: TimeText
    previous_pivot_index: int | None
    previous_pivot_time: TimeText | None


class CipherColumns(BaseModel):
    """Every output of the panel: one list a column, as long as `open_time`, null where a value is undefined.

    Values stand under their own names (`wt1`, `rsi`, ...), events as 0 or 1 on the candle that confirms them. The
    `*_pivot_index` and `*_prev_pivot_index` of a divergence count rows of this answer, and `*_rests_on` is the close
    of the longer timeframe's candle that a value rests on. `warm_up` candles before the first row were used as well.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, list[float | str | None]]

    symbol: str
    timeframe: Timeframe
    market: str
    simulated: bool
    as_of: TimeText
    preset: str
    parameters: dict[str, Any]
    warm_up: int
    open_time: list[TimeText]
    events: list[CipherEventView]


class CipherTimeframesRequest(Request):
    """Which panel to read on several timeframes at one instant."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"symbol": "BTC/USDT", "timeframes": ["15m", "1h", "4h", "1d"]}]}
    )

    symbol: SymbolField
    timeframes: Annotated[
        list[Timeframe],
        Field(min_length=1, max_length=len(TIMEFRAMES), description="Told in this order, each once."),
    ]
    as_of: AsOfField = None
    preset: Annotated[
        str, Field(min_length=1, max_length=60, examples=["vumanchu_a"], description="Named settings of the panel.")
    ] = "vumanchu_b"


class LastEventView(BaseModel):
    """The newest event of its name: drawn on the candle that opened at `pivot_time`, knowable at `confirmed_time`."""

    name: str
    confirmed_time: TimeText
    pivot_time: TimeText
    previous_pivot_time: TimeText | None
    candles_ago: int


class TimeframePanel(BaseModel):
    """The panel at the last candle of a timeframe that had closed: `as_of` is that close, which the values rest on.

    `rests_on` are the closes of columns that show a longer timeframe; `events` the newest of each name, newest first.
    """

    timeframe: Timeframe
    as_of: TimeText
    open_time: TimeText
    close: float
    flat: bool
    values: dict[str, float | None]
    rests_on: dict[str, TimeText | None]
    events: list[LastEventView]


class CipherTimeframesView(BaseModel):
    """One panel a timeframe, all as of one instant; closed candles only."""

    symbol: str
    market: str
    simulated: bool
    as_of: TimeText
    preset: str
    parameters: dict[str, Any]
    timeframes: list[TimeframePanel]


class VolumeProfileRequest(Request):
    """Which volume profile to compute; one of `rows`, `row_height` and `ticks_per_row` at most.

    Without any it is the desk's own profile, of which its answers speak; `parameters` of the answer says what it was.
    `limit` are the candles of the profile. Levels of finished sessions do not depend on it.
    """

    symbol: SymbolField
    timeframe: TimeframeField
    limit: Annotated[
        int, Field(strict=True, ge=1, le=MOST_PROFILE_CANDLES, description="How many of the timeframe's candles.")
    ] = 200
    as_of: AsOfField = None
    kind: Annotated[
        ProfileKind,
        Field(
            description="`range`: the candles as one; `session`: one a day besides; `anchored`: from `anchor` on; "
            "`composite`: whole sessions on one grid; `developing`: the levels after every candle besides."
        ),
    ] = "range"
    anchor: Annotated[
        GivenTime | None, Field(description="Where an anchored profile begins; it needs a time zone.")
    ] = None
    timezone: Annotated[
        str, Field(min_length=1, max_length=60, description="Whose days are the sessions, as an IANA name.")
    ] = "UTC"
    rows: Annotated[int, Field(strict=True, ge=1, le=10_000)] | None = None
    row_height: Annotated[float, Field(gt=0, allow_inf_nan=False, description="In quote units.")] | None = None
    ticks_per_row: Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)] | None = None
    value_area_fraction: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.7
    spread: Annotated[Spread, Field(description="Over which prices of a candle its volume goes.")] = "uniform"
    smoothing: Annotated[
        float | None,
        Field(
            ge=0,
            le=100,
            allow_inf_nan=False,
            description="Rows of Gaussian smoothing before nodes are found; the desk's without, or 0 with rows given.",
        ),
    ] = None
    lower_timeframe: Annotated[
        Timeframe | None, Field(description="Build it from exactly these candles; the finest that fit without it.")
    ] = None


class ProfileRow(BaseModel):
    """One row: prices in quote units, volumes in base units; `delta` is up less down."""

    model_config = ConfigDict(populate_by_name=True)

    from_: float = Field(alias="from")
    to: float
    volume: float
    up: float
    down: float
    delta: float


class ProfileNode(BaseModel):
    """A row that stands out, by its middle price."""

    row: int
    price: float
    volume: float
    prominence: float


class ProfileLevels(BaseModel):
    """The rows of a profile, lowest first, and its levels: VAL and VAH are outer edges, the POC a row's middle."""

    rows: list[ProfileRow]
    poc: float
    vah: float
    val: float
    poc_row: int
    vah_row: int
    val_row: int
    hvn: list[ProfileNode]
    lvn: list[ProfileNode]
    base: float
    row_height: float
    total_volume: float


class SessionView(BaseModel):
    """The profile of one day; null where it had no volume."""

    session: str
    opens: TimeText
    closes: TimeText
    complete: bool
    profile: ProfileLevels | None


class SessionPoc(BaseModel):
    """A completed session's point of control, and when price came back to it; null while it has not."""

    session: str
    price: float
    born: TimeText
    naked: bool
    tagged_at: TimeText | None
    age_sessions: int


class DevelopingColumns(BaseModel):
    """Levels after every candle of `built_from`, each known at that candle's close; null before there is volume."""

    open_time: list[TimeText]
    poc: list[float | None]
    vah: list[float | None]
    val: list[float | None]


class VolumeProfileView(ProfileLevels):
    """A volume profile: of the newest session for `kind` session, of all candles else.

    `built_from` are the candles whose volume was spread. `naked_pocs` are points of control of completed sessions of
    this range that price has not come back to; `session_pocs` are all of them.
    """

    symbol: str
    timeframe: Timeframe
    market: str
    simulated: bool
    as_of: TimeText
    kind: ProfileKind
    built_from: Timeframe
    candles: int
    from_time: TimeText
    parameters: dict[str, Any]
    sessions: list[SessionView]
    naked_pocs: list[SessionPoc]
    session_pocs: list[SessionPoc]
    developing: DevelopingColumns | None


class ExplainRequest(Request):
    """Which mark of the panel to explain, at which candle."""

    symbol: SymbolField
    timeframe: TimeframeField
    event: Annotated[str, Field(min_length=1, max_length=60, examples=["green_dot"])]
    at: Annotated[
        GivenTime | None, Field(description="A time the candle holds, its close included; the last closed without.")
    ] = None
    preset: Annotated[
        str | None,
        Field(min_length=1, max_length=60, description="Settings; without it, those of the panel that has the mark."),
    ] = None


class ConditionView(BaseModel):
    """One thing a mark needs: what was measured, what it is held against, and whether it held."""

    name: str
    text: str
    value: float | None
    operator: str
    threshold: float | None
    passed: bool
    setting: str


class FlipView(BaseModel):
    """The smallest change of one input, verified by recomputing, that turns the answer."""

    input: str
    before: float
    after: float
    change_percent: float | None


class ExplanationView(BaseModel):
    """Why a mark is or is not on a candle. It is there exactly when every condition passed."""

    event: str
    symbol: str
    timeframe: Timeframe
    market: str
    simulated: bool
    open_time: TimeText
    close_time: TimeText
    happened: bool
    conditions: list[ConditionView]
    flips: list[FlipView]
    note: str
    pivot_time: TimeText | None
    previous_pivot_time: TimeText | None
    parameters: dict[str, Any]
