"""Words about tickets that wait: they are listed, and never decided by words."""

from __future__ import annotations

from typing import Final

from agents.reading.tagging import Tag
from agents.reading.types import ReadingContext
from agents.reading.vocabulary import words

_COUNTS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_ON_THE_TICKET: Final = "Orders are approved or rejected on the ticket itself, not in words."
_LISTING: Final = words("pending open waiting my show list any outstanding left current")
_ASKING: Final = _LISTING | words(
    "what which what's whats me the all are is there do i we have got ticket tickets still now see currently please "
    "for approval approve on need needs to be"
)


def asks_for_tickets(tags: list[Tag]) -> bool:
    """True for "what tickets are pending?" and "show my tickets"."""
    said = {t.text for t in tags if t.kind == "word"}
    plain = all(t.kind in {"word", "punct"} for t in tags)
    return plain and bool(said & {"ticket", "tickets"}) and bool(said & _LISTING) and said <= _ASKING


def tickets_reply(context: ReadingContext, asked: tuple[str, ...] = ()) -> str:
    """The tickets that wait, and of each one asked for whether it does."""
    known = dict(context.pending_tickets)
    states = [f"{label} is pending{_told(known[label])}." for label in asked if label in known]
    states += [f"{label} is not pending, so nothing can be decided on it." for label in asked if label not in known]
    others = [(label, text) for label, text in context.pending_tickets if label not in asked]
    if asked and not others:
        return " ".join([*states, _ON_THE_TICKET])
    if not others:
        return (
            "There is no pending ticket. Orders are approved on the ticket itself, not in words; "
            "ask for an order and one is prepared."
        )
    listed = ", ".join(label + _told(text) for label, text in others)
    more = "other " if any(label in known for label in asked) else ""
    count = f"is one {more}pending ticket" if len(others) == 1 else f"are {_count(len(others))} {more}pending tickets"
    return " ".join([*states, f"There {count}, {listed}. {_ON_THE_TICKET}"])


def _told(text: str) -> str:
    return f" ({text.replace('{', '(').replace('}', ')').rstrip('.')})" if text else ""


def _count(number: int) -> str:
    """A count in words, which needs no source; a larger one stands in code."""
    return _COUNTS[number] if number < len(_COUNTS) else f"`{number}`"
