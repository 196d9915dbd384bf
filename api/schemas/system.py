"""The desk itself."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.fields import TimeText
from api.schemas.live import LiveStanding
from api.schemas.switch import TradingStanding, UnprotectedPosition
from engines.market.data import MarketData
from engines.market.streaming.standing import Streamed


class MarketStreams(BaseModel):
    """How an exchange's streams stand; what a silent one is for is asked over REST."""

    alive: int = Field(description="Streams that sent data in the last minute.")
    silent: int
    refused: int = Field(description="Streams that were not opened, because one exchange gets no more.")
    connections: int = Field(description="How often it was connected to again.")
    dropped_ticks: int = Field(description="Prices a newer one took the place of unseen; candles never are dropped.")
    revisions: int = Field(description="Closed candles that the exchange changed afterwards.")
    disagreements: int = Field(description="Candles the stream told otherwise than REST, which wins.")
    rejected: dict[str, int] = Field(description="Rows that are no candles, by reason.")
    gaps: dict[str, int] = Field(description="Missing candles: unknown, filled, empty_at_exchange, failed.")
    lost_trades: int
    broken_books: int = Field(description="Books that missed a change and were begun again.")
    skew_ms: int | None = Field(description="This desk's clock less the exchange's.")
    trouble: str = Field(description="Why the newest connection broke; empty when none did.")

    @classmethod
    def of(cls, market: MarketData) -> MarketStreams | None:
        """Those of a market; None where it has none."""
        return cls(**asdict(market.streams())) if isinstance(market, Streamed) else None


class Status(BaseModel):
    """What this desk is and where it stands."""

    version: str
    mode: Literal["paper", "live"]
    market: str
    simulated: bool
    model: str
    account: str
    owner: str
    now: TimeText
    market_time: TimeText | None = Field(description="Null while the market has nothing to say, such as no candles.")
    trading: TradingStanding
    live: LiveStanding | None = Field(description="What stands between an approved order and the venue; null on paper.")
    chat_ready: bool
    fills: str = Field(default="", description="How orders fill here: the venue's way, or the simulation's model.")
    unprotected: list[UnprotectedPosition] | None = Field(
        default=None, description="Positions whose stop-loss is not at work; null where the ledger could not be read."
    )
    market_streams: MarketStreams | None = Field(
        default=None, description="How the market's streams stand; null where it has none."
    )


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """What works: `ok`, or what is wrong."""

    status: Literal["ready", "not_ready"]
    checks: dict[str, str]
