"""What a turn and a decision come to, in the shapes of the HTTP surface."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

RunStatus = Literal["completed", "awaiting_approval"]
OnEvent = Callable[[str, dict[str, Any]], Awaitable[None] | None]


@dataclass(frozen=True, slots=True)
class TurnResult:
    """The desk's answer to one message; plain JSON throughout.

    Attributes:
        reply: light Markdown, each sourced figure followed by its receipt's `[n]`.
        tickets: those sealed in this turn, as they stand.
    """

    thread_id: str
    run_id: str
    status: RunStatus
    reply: str
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    receipts: list[dict[str, Any]] = field(default_factory=list)
    tickets: list[dict[str, Any]] = field(default_factory=list)
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    next_steps: list[str] = field(default_factory=list)
    usage: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The answer of `POST /v1/agent/invoke`."""
        return {**asdict(self), "ticket": self.tickets[0] if self.tickets else None, "error": None}


@dataclass(frozen=True, slots=True)
class DecisionOutcome:
    """What a decision on a ticket led to; plain JSON throughout."""

    ticket: dict[str, Any]
    replacement: dict[str, Any] | None
    order: dict[str, Any] | None
    fills: list[dict[str, Any]]
    reply: str
    receipts: list[dict[str, Any]]
    thread_id: str
    run_id: str
    status: RunStatus

    def to_json(self) -> dict[str, Any]:
        """The answer of `POST /v1/tickets/{id}/decision`."""
        return asdict(self)
