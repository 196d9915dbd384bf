"""Every request a user interface makes of the desk, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import quote

Json = dict[str, Any]

# What the desk reads of one message; saying so before sending beats a refusal.
MOST_CHARACTERS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Call:
    """Method, path, query and JSON body of one request."""

    method: str
    path: str
    params: dict[str, str | int | None] = field(default_factory=dict)
    body: Json | None = None

    def query(self) -> dict[str, str | int]:
        """The parameters that have a value."""
        return {name: value for name, value in self.params.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about the ticket with this hash.

    Attributes:
        edits: for `edit`: `quantity`, `limit_price`, `stop_price`, `stop_loss`, `take_profit`, as decimal text.
        resolve_differences: the person has read where the two readers differ and means the ticket as it stands.
    """

    decision: Literal["approve", "reject", "edit"]
    ticket_hash: str
    edits: dict[str, str] = field(default_factory=dict)
    resolve_differences: bool = False

    def body(self) -> Json:
        """The JSON body."""
        resolve = {"resolve_differences": "yes"} if self.resolve_differences else {}
        return {"decision": self.decision, "ticket_hash": self.ticket_hash, **resolve, **self.edits}


def stream(message: str, thread_id: str | None) -> Call:
    """One turn as events."""
    return Call("POST", "/v1/agent/stream", body=_turn(message, thread_id))


def run_events(run_id: str) -> Call:
    """Events of a run."""
    return Call("GET", f"/v1/runs/{_segment(run_id)}/events")


def news(thread_id: str) -> Call:
    """What a conversation is told without asking."""
    return Call("GET", "/v1/news", {"thread_id": thread_id})


def status() -> Call:
    """What this desk is."""
    return Call("GET", "/v1/status")


def halt(reason: str, *, cancel_all: bool) -> Call:
    """Stop all trading."""
    return Call("POST", "/v1/halt", body={"reason": reason, "cancel_all": "yes" if cancel_all else "no"})


def resume(reason: str) -> Call:
    """Trade again."""
    return Call("POST", "/v1/resume", body={"reason": reason})


def markets() -> Call:
    """What can be traded."""
    return Call("GET", "/v1/markets")


def chart(symbol: str, timeframe: str, *, as_of: str | None, limit: int | None) -> Call:
    """Everything a chart shows."""
    return Call("GET", "/v1/chart", {"symbol": symbol, "timeframe": timeframe, "as_of": as_of, "limit": limit})


def threads(*, limit: int | None = None, cursor: str | None = None) -> Call:
    """A page of conversations."""
    return Call("GET", "/v1/threads", {"limit": limit, "cursor": cursor})


def thread(thread_id: str, *, limit: int | None = None, cursor: str | None = None) -> Call:
    """One conversation with a page of its messages."""
    return Call("GET", f"/v1/threads/{_segment(thread_id)}", {"limit": limit, "cursor": cursor})


def rename_thread(thread_id: str, title: str) -> Call:
    """Give a conversation another title."""
    return Call("PATCH", f"/v1/threads/{_segment(thread_id)}", body={"title": title})


def delete_thread(thread_id: str) -> Call:
    """Forget a conversation."""
    return Call("DELETE", f"/v1/threads/{_segment(thread_id)}")


def tickets(*, status: str | None, thread_id: str | None) -> Call:
    """Tickets, filtered."""
    return Call("GET", "/v1/tickets", {"status": status, "thread_id": thread_id})


def ticket(ticket_id: str) -> Call:
    """One ticket."""
    return Call("GET", f"/v1/tickets/{_segment(ticket_id)}")


def decide(ticket_id: str, decision: Decision) -> Call:
    """Decide about a ticket."""
    return Call("POST", f"/v1/tickets/{_segment(ticket_id)}/decision", body=decision.body())


def arm(minutes: int) -> Call:
    """Let live orders pass for a while."""
    return Call("POST", "/v1/arm", body={"minutes": minutes})


def disarm() -> Call:
    """Let no live order pass."""
    return Call("POST", "/v1/disarm")


def reconcile() -> Call:
    """Compare ledger and venue now."""
    return Call("POST", "/v1/reconciliation")


def accept_differences(number: int, reason: str) -> Call:
    """Explain what a comparison found."""
    return Call("POST", "/v1/reconciliation/accept", body={"number": number, "reason": reason})


def _turn(message: str, thread_id: str | None) -> Json:
    return {"message": message, "thread_id": thread_id} if thread_id else {"message": message}


def _segment(value: str) -> str:
    # A thread id comes from the address bar: it must not climb out of its place in the path.
    return quote(value, safe="")
