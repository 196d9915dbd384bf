"""What many shapes are made of. Money, prices and quantities are decimals in text; times are ISO 8601 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints


def _sane(time: datetime) -> datetime:
    """Years that a zone or a candle's length cannot push off the calendar."""
    if not 1900 <= time.year <= 9000:
        raise ValueError("a year from 1900 to 9000 is needed")
    return time.astimezone(UTC)


RunAnswerStatus = Literal["completed", "awaiting_approval", "failed"]
DecimalText = Annotated[str, Field(examples=["0.01"])]
# A time that a request gives; every route reads it the same way.
GivenTime = Annotated[AwareDatetime, AfterValidator(_sane)]
TimeText = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
PositiveDecimal = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=40, pattern=r"^[0-9]+(\.[0-9]+)?$"),
    Field(examples=["0.02"]),
]


class Request(BaseModel):
    """A body that is read strictly: a field nobody knows is a mistake worth telling."""

    model_config = ConfigDict(extra="forbid")
