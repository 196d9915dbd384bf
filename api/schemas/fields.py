"""What many shapes are made of. Money, prices and quantities are decimals in text; times are ISO 8601 in UTC."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

RunAnswerStatus = Literal["completed", "awaiting_approval", "failed"]
DecimalText = Annotated[str, Field(examples=["0.01"])]
TimeText = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
PositiveDecimal = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=40, pattern=r"^[0-9]+(\.[0-9]+)?$"),
    Field(examples=["0.02"]),
]


class Request(BaseModel):
    """A body that is read strictly: a field nobody knows is a mistake worth telling."""

    model_config = ConfigDict(extra="forbid")
