"""Arguments that several tools take; their descriptions are read by models."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Symbol = Annotated[
    str,
    Field(
        description="A market such as BTC/USDT. A bare asset such as BTC gets the desk's quote currency.", min_length=1
    ),
]
