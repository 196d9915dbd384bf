"""Conversations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from api.schemas.agent import Artifact
from api.schemas.fields import TimeText
from api.schemas.orders import Ticket
from api.schemas.receipts import Receipt


class ThreadSummary(BaseModel):
    """A conversation in a list."""

    id: str
    title: str
    created_at: TimeText
    updated_at: TimeText
    pending: int = Field(description="Tickets of it that wait for a decision.")


class RenameRequest(BaseModel):
    """Another title of a conversation."""

    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class ThreadPage(BaseModel):
    """Conversations, the last used first."""

    threads: list[ThreadSummary]
    next_cursor: str | None = None


class ThreadMessage(BaseModel):
    """One message of a conversation."""

    id: str
    role: Literal["user", "assistant"]
    text: str
    run_id: str
    created_at: TimeText
    receipts: list[Receipt] = Field(default_factory=list)
    artifacts: list[Artifact] = Field(default_factory=list)
    tickets: list[Ticket] = Field(default_factory=list)
    next_steps: list[str] = Field(default_factory=list)


class ThreadDetail(BaseModel):
    """A conversation: its newest messages, oldest of them first, and the tickets that wait in it."""

    id: str
    title: str
    created_at: TimeText
    updated_at: TimeText
    messages: list[ThreadMessage]
    pending: list[Ticket]
    next_cursor: str | None = Field(default=None, description="Leads to the messages before these.")
