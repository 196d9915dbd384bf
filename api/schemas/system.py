"""The desk itself."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.fields import TimeText
from api.schemas.live import LiveStanding
from api.schemas.switch import TradingStanding, UnprotectedPosition


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


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """What works: `ok`, or what is wrong."""

    status: Literal["ready", "not_ready"]
    checks: dict[str, str]
