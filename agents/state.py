"""What the graph remembers of a thread: messages, evidence and outcomes, all plain data.

Every value survives a checkpoint under strict msgpack. Money is text here; types live in the engines.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, TypedDict, cast

from langchain_core.messages import AnyMessage, HumanMessage
from langgraph.graph.message import add_messages

from engines.domain.evidence import Evidence

_KEPT_MESSAGES: Final = 80
_KEPT_EVIDENCE: Final = 60
_KEPT_OUTCOMES: Final = 20


class EvidenceRecord(TypedDict):
    """An `Evidence` as plain data, with the tool call it answers and the turn it was made in."""

    id: str
    kind: str
    tool: str
    arguments: dict[str, Any]
    symbol: str | None
    timeframe: str | None
    as_of: str
    market: str
    simulated: bool
    headline: str
    brief: str
    values: dict[str, dict[str, Any]]
    parameters: dict[str, Any]
    next_steps: list[str]
    chart: dict[str, Any] | None
    tool_call_id: str
    turn: str


class Outcome(TypedDict):
    """What became of a decided ticket, in words with references; said once."""

    ticket_id: str
    text: str
    said: bool
    successor: str


class Answer(TypedDict):
    """The finished reply of a turn."""

    reply: str
    receipts: list[dict[str, Any]]
    next_steps: list[str]
    artifacts: list[dict[str, Any]]
    usage: dict[str, Any]


def add_evidence(known: list[EvidenceRecord], new: list[EvidenceRecord]) -> list[EvidenceRecord]:
    """Append by id: a step that runs again replaces what it measured; the oldest give way."""
    merged = {record["id"]: record for record in [*known, *new]}
    return list(merged.values())[-_KEPT_EVIDENCE:]


def add_outcomes(known: list[Outcome], new: list[Outcome]) -> list[Outcome]:
    """Append by ticket; the newest word on a ticket counts."""
    merged = {outcome["ticket_id"]: outcome for outcome in known}
    for outcome in new:
        merged.pop(outcome["ticket_id"], None)
        merged[outcome["ticket_id"]] = outcome
    return list(merged.values())[-_KEPT_OUTCOMES:]


def add_turn_messages(known: list[AnyMessage], new: Any) -> list[AnyMessage]:
    """`add_messages`, forgetting whole turns from the oldest so that a thread stays small."""
    merged = add_messages(known, new)  # type: ignore[arg-type]
    messages = cast("list[AnyMessage]", merged)
    if len(messages) <= _KEPT_MESSAGES:
        return messages
    starts = [at for at, message in enumerate(messages) if isinstance(message, HumanMessage)]
    first = next((at for at in starts if len(messages) - at <= _KEPT_MESSAGES), starts[-1] if starts else 0)
    return messages[first:]


class DeskInput(TypedDict, total=False):
    """What enters the graph: a message of its owner, or the id of a ticket that was decided meanwhile."""

    owner: str
    messages: Annotated[list[AnyMessage], add_turn_messages]
    decided_ticket: str


class DeskState(DeskInput, total=False):
    """A thread. `draft` is what the supervisor wants to say, with references still in it."""

    evidence: Annotated[list[EvidenceRecord], add_evidence]
    outcomes: Annotated[list[Outcome], add_outcomes]
    draft: str
    usage: dict[str, Any]
    answer: Answer


class ToolTask(TypedDict):
    """One tool call on its way to the node that runs it.

    Attributes:
        number: makes the evidence's id unique in its thread, decided before calls run in parallel.
        user_words: the person's message of this turn.
    """

    call: dict[str, Any]
    number: int
    owner: str
    turn: str
    user_words: str


class OrderTask(ToolTask):
    """A proposal on its way to the order desk; `talk` is the person's messages and the calls that followed them."""

    talk: list[AnyMessage]


class TicketTask(TypedDict):
    """One ticket on its way to the person or to the venue."""

    ticket_id: str
    owner: str


def record_evidence(evidence: Evidence, *, number: int, tool_call_id: str, turn: str) -> EvidenceRecord:
    """Give evidence its id and turn it into plain data."""
    return evidence.to_plain() | {  # type: ignore[return-value]
        "id": f"{evidence.kind}-{number}",
        "next_steps": list(evidence.next_steps),
        "tool_call_id": tool_call_id,
        "turn": turn,
    }


def next_number(evidence: list[EvidenceRecord]) -> int:
    """A number that no evidence of the thread has in its id."""
    return 1 + max((int(record["id"].rpartition("-")[2]) for record in evidence), default=0)


def talk_of(messages: list[AnyMessage]) -> list[AnyMessage]:
    """What the second reader replays: the person's words and earlier calls, without results and without this turn's."""
    start = turn_start(messages)
    earlier = [
        message
        for message in messages[:start]
        if isinstance(message, HumanMessage) or getattr(message, "tool_calls", [])
    ]
    return [*earlier, *messages[start : start + 1]]


def turn_start(messages: list[AnyMessage]) -> int:
    """Where the current turn begins: the index of the person's last message."""
    return next((at for at in range(len(messages) - 1, -1, -1) if isinstance(messages[at], HumanMessage)), 0)


def current_turn(state: DeskState) -> tuple[str, str]:
    """Id and words of the person's last message."""
    messages = state.get("messages", [])
    if not messages:
        return "", ""
    message = messages[turn_start(messages)]
    return (message.id or "", message.text) if isinstance(message, HumanMessage) else ("", "")
