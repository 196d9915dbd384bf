"""Where the figures of a reply come from."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class ReceiptSource(BaseModel):
    """Where a figure comes from."""

    model_config = ConfigDict(extra="allow")

    evidence: str
    field: str
    tool: str
    tool_call_id: str = ""
    arguments: dict[str, Any] = Field(default_factory=dict)
    symbol: str | None = None
    timeframe: str | None = None
    as_of: str = ""
    market: str = ""
    simulated: bool = False
    parameters: dict[str, Any] = Field(default_factory=dict)


class Receipt(BaseModel):
    """The proof of the figure that is marked `[n]` in a reply."""

    n: int
    text: str
    value: str | float | int | bool | None
    unit: str
    label: str
    source: ReceiptSource
