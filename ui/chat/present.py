"""The desk's answers as Chainlit shows them: Markdown, elements and steps, as plain data.

The same functions serve a live answer and a conversation that is opened again, so both look alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ui.requests import Json

ASSISTANT: Final = "Quantum Trader Pro"
WAITING_MARK: Final = "● "

# ` [3]` with the space before it, but not `[3](...)`, which is a link already.
_MARKER: Final = re.compile(r" ?\[(\d{1,3})\](?!\()")
# remark-directive would swallow `:word`, as in `BTC/USDT:USDT`.
_DIRECTIVE: Final = re.compile(r"(?<!\\):(?=[A-Za-z])")
# `For: ...` at the beginning of a line.
_LABEL: Final = re.compile(r"^([A-Z][A-Za-z ]{2,24}):(?= )", re.MULTILINE)
_LINK_OR_CODE: Final = re.compile(r"(`[^`]*`|https?://\S+|\]\([^)]*\))")


def markdown(text: str, receipts: Iterable[Json], message_id: str) -> str:
    """A reply with its receipt markers as links to the message's receipts, each titled with its source."""
    sources = {int(receipt["n"]): source_line(receipt) for receipt in receipts}

    def link(match: re.Match[str]) -> str:
        number = int(match[1])
        if number not in sources:
            return match[0]
        return f'[\\[{number}\\]](#receipt-{message_id}-{number} "{_quoted(sources[number])}")'

    parts = _LINK_OR_CODE.split(_LABEL.sub(r"**\1:**", text))
    # Odd parts are code and links: they stay as they are.
    return "".join(
        part if index % 2 else _MARKER.sub(link, _DIRECTIVE.sub(r"\\:", part)) for index, part in enumerate(parts)
    )


def source_line(receipt: Json) -> str:
    """Where a figure comes from, in one line."""
    source = receipt["source"]
    market = f"{source.get('market', '')}{' (simulated)' if source.get('simulated') else ''}"
    candle = f"{source.get('symbol') or ''} {source.get('timeframe') or ''}".strip()
    parts = (receipt.get("label"), source.get("tool"), market, candle, utc(source.get("as_of")))
    return " · ".join(str(part) for part in parts if part)


def utc(time: str | None) -> str:
    """ISO time in UTC as `2026-11-22 16:00 UTC`; other text as it is."""
    if not time:
        return ""
    match = re.match(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(?:Z|\+00:00)$", time)
    return f"{match[1]} {match[2]} UTC" if match else time


def problem(error: Json) -> str:
    """A problem as a message: what happened, then what to do."""
    said = error.get("detail") or error.get("title") or "Something went wrong."
    remedy = error.get("remedy") or ""
    return f"**{said}**\n\n{remedy}".strip()


def elements(answer: Json, *, message_id: str, thread_id: str) -> list[Json]:
    """Charts, tickets, receipts and next steps of one answer, in the order they are shown."""
    shown: list[tuple[str, str, Json]] = []
    for number, artifact in enumerate(answer.get("artifacts") or []):
        if artifact.get("kind") == "chart":
            shown.append((f"chart-{number}", "DeskChart", {"artifact": artifact}))
    shown += [(f"ticket-{ticket['id']}", "TicketCard", {"ticket": ticket}) for ticket in answer.get("tickets") or []]
    if answer.get("receipts"):
        shown.append(("receipts", "DeskReceipts", {"receipts": answer["receipts"], "message": message_id}))
    if answer.get("next_steps"):
        shown.append(("next", "DeskNextSteps", {"steps": answer["next_steps"][:3]}))
    return [
        element(name, props, element_id=f"{message_id}-{suffix}", message_id=message_id, thread_id=thread_id)
        for suffix, name, props in shown
    ]


def element(name: str, props: Json, *, element_id: str, message_id: str, thread_id: str) -> Json:
    """A custom element as the browser takes it; `name` is the file in `public/elements` that draws it."""
    return {
        "id": element_id,
        "threadId": thread_id,
        "type": "custom",
        "name": name,
        "display": "inline",
        "forId": message_id,
        "mime": "application/json",
        "props": props,
        "url": None,
        "chainlitKey": None,
    }


def conversation(thread: Json, owner: str) -> Json:
    """A stored thread as Chainlit opens it again: messages with their elements, and every ticket that waits."""
    thread_id = thread["id"]
    steps: list[Json] = []
    shown: list[Json] = []
    for message in thread["messages"]:
        steps.append(_step(message, thread_id, owner))
        shown += elements(message, message_id=str(message["id"]), thread_id=thread_id)
    for ticket in _not_shown(thread):
        message_id = f"waiting-{ticket['id']}"
        waiting = {"id": message_id, "role": "assistant", "created_at": ticket["created_at"], "receipts": []}
        steps.append(_step({**waiting, "text": f"{ticket['label']} waits for your decision."}, thread_id, owner))
        shown += elements({"tickets": [ticket]}, message_id=message_id, thread_id=thread_id)
    return {**summary(thread, owner), "steps": steps, "elements": shown}


def newest(conversation: Mapping[str, Any]) -> int:
    """Number of the newest message of a conversation as Chainlit opens it; tickets shown again are no messages."""
    return max((int(step["id"]) for step in conversation["steps"] if step["id"].isdecimal()), default=0)


def summary(thread: Json, owner: str) -> Json:
    """A stored thread as the sidebar lists it; sorted there by `createdAt`, so that is its last use."""
    waiting = thread.get("pending") or 0
    count = waiting if isinstance(waiting, int) else len(waiting)
    title = str(thread.get("title") or "Conversation")
    return {
        "id": thread["id"],
        "name": f"{WAITING_MARK}{title}" if count else title,
        "createdAt": thread["updated_at"],
        "userId": owner,
        "userIdentifier": owner,
        "tags": [],
        "metadata": {},
        "steps": [],
        "elements": [],
    }


def starters(symbols: list[str]) -> list[tuple[str, str]]:
    """Four questions that work on this market: label and message."""
    first = _asset(symbols, "BTC")
    second = _asset([symbol for symbol in symbols if symbol != first], "ETH") or first
    if not first or not second:
        return [("What is my portfolio worth?", "What is my portfolio worth?")]
    base = first.split("/")[0]
    said = (
        f"How does {first} look on the 4h?",
        f"Where is the point of control for {second} on the 1h?",
        "What is my portfolio worth?",
        f"Buy 0.01 {base}",
    )
    return [(text, text) for text in said]


def tool_label(call: Json) -> str:
    """What a tool call does, for the person who watches."""
    arguments = call.get("args") or {}
    about = " ".join(str(arguments[name]) for name in ("symbol", "timeframe") if arguments.get(name))
    return f"{str(call['name']).replace('_', ' ')} {about}".strip()


def _step(message: Json, thread_id: str, owner: str) -> Json:
    ours = message["role"] == "assistant"
    text = message["text"]
    output = markdown(text, message.get("receipts") or [], str(message["id"])) if ours else text
    return {
        "id": str(message["id"]),
        "threadId": thread_id,
        "parentId": None,
        "name": ASSISTANT if ours else owner,
        "type": "assistant_message" if ours else "user_message",
        "input": "",
        "output": output,
        "createdAt": message["created_at"],
        "start": message["created_at"],
        "end": message["created_at"],
        "streaming": False,
        "isError": False,
        "waitForAnswer": False,
        "showInput": False,
        "metadata": {},
        "tags": None,
    }


def _not_shown(thread: Json) -> Iterator[Json]:
    seen = {ticket["id"] for message in thread["messages"] for ticket in message.get("tickets") or []}
    yield from (ticket for ticket in thread.get("pending") or [] if ticket["id"] not in seen)


def _asset(symbols: list[str], wanted: str) -> str:
    named = [symbol for symbol in symbols if symbol.split("/")[0] == wanted]
    return (named or symbols or [""])[0]


def _quoted(text: str) -> str:
    return text.replace("\\", "/").replace('"', "'").replace("\n", " ")
