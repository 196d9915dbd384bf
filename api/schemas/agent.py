"""A message to the desk, and its answer."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.problems import Problem
from api.schemas.fields import Request, RunAnswerStatus
from api.schemas.orders import Ticket
from api.schemas.receipts import Receipt

MAX_MESSAGE: Final = 20_000


class AgentRequest(Request):
    """A message to the desk."""

    message: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_MESSAGE)] = Field(
        description="What you want to know or do, in your own words.", examples=["How does BTC look on the 4h?"]
    )
    thread_id: UUID | None = Field(
        default=None, description="Goes on with a conversation; without it a new one begins. A new UUID begins one too."
    )


class ToolCall(BaseModel):
    """One tool the model called."""

    id: str
    name: str
    args: dict[str, Any]


class Artifact(BaseModel):
    """Something to look at besides the text; `url` answers with its data."""

    model_config = ConfigDict(extra="allow")

    kind: str
    title: str
    url: str


class Usage(BaseModel):
    """What a turn cost."""

    model_config = ConfigDict(extra="allow")

    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    model_calls: int = 0
    steps: int = 0


class AgentAnswer(BaseModel):
    """The desk's answer to a message."""

    thread_id: str
    run_id: str
    status: RunAnswerStatus
    reply: str = Field(description="Light Markdown; each figure with a source is followed by its receipt's `[n]`.")
    tool_calls: list[ToolCall] = Field(default_factory=list)
    receipts: list[Receipt] = Field(default_factory=list)
    ticket: Ticket | None = Field(default=None, description="The first of `tickets`.")
    tickets: list[Ticket] = Field(default_factory=list)
    artifacts: list[Artifact] = Field(default_factory=list)
    next_steps: list[str] = Field(default_factory=list)
    usage: Usage = Field(default_factory=Usage)
    error: Problem | None = None
