"""Words that put an order off: "wait until friday then buy", "next week buy". The desk sends orders only now."""

from __future__ import annotations

import re
from typing import Final

from agents.reading import doubts
from agents.reading.clauses import Clause
from agents.reading.tagging import Tag
from agents.reading.vocabulary import NEGATIONS, words

_DAYS: Final = words("monday tuesday wednesday thursday friday saturday sunday")
_SHORT_DAYS: Final = words("mon tue tues wed weds thu thur thurs fri")
_TOMORROWS: Final = words("tomorrow tmr tmrw tmw tomorow tommorow tommorrow 2moro")
_TIMES: Final = _DAYS | _SHORT_DAYS | _TOMORROWS | words("tonight later noon midnight")
_COUNTED: Final = r"(?:seconds?|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?|bit|while|candles?|bars?)"
_WAITS: Final = re.compile(
    r"\b(?:wait|hold)(?: (?:off|on|it|with it|just|here))? "
    rf"(?:until|till|til|for|(?:an?|another|one|some|\d+) ?{_COUNTED}|\d)\b"
    r"|\bwait \d+ ?[a-z]+\b"
)
# What an order says of a later time in words that are otherwise known and harmless, and so would be passed over.
_LATER: Final = re.compile(
    r"\b(?:(?:next|coming) (?:week|month|quarter|year|weekend|session|day|morning|candle|bar)"
    rf"|in (?:an?|one|half an?|another|the next|a few|a couple of|some|\d+) {_COUNTED}"
    r"|in the (?:morning|afternoon|evening|night|future)"
    r"|(?:this|later this) (?:afternoon|evening|night|week|weekend|month)"
    rf"|(?:an?|one|\d+) {_COUNTED} from now|overnight|weekdays|(?:{'|'.join(sorted(_DAYS))})s"
    r"|(?:at|over|on|for|during) the (?:weekend|week end)|(?:on|next|this|by) (?:sat|sun)"
    rf"|{'|'.join(sorted(_SHORT_DAYS))}|{'|'.join(sorted(_TOMORROWS - {'tomorrow'}))})\b"
)
_OPENERS: Final = re.compile(
    r"(?:(?:and|then|but|so|ok|okay|please|only|just|well|hey) )*"
    r"(?:if|when|whenever|once|unless|until|till|after|before|as soon as|the (?:moment|minute|second)|by the time"
    r"|every|each)\b"
)
_ASKING: Final = re.compile(r"\bwhen (?:is|are|was|were|do|does|did|will|has|have|had|should|can|could)\b")
_COURTESY: Final = re.compile(
    r"\bif (?:you (?:can|could|would|please|like|don't mind)|possible|that's (?:ok|fine)|so)\b"
)
_JOINING: Final = words(
    "on at by from in after until till til for this next coming the around about before early late first thing "
    "sometime only just please do it that and then but or of utc gmt morning afternoon evening open close"
)
_NOT_LATER: Final = words("since placed made opened set sent gave entered from")
_CANCEL_LATER: Final = re.compile(
    rf"\b(?:tomorrow|tonight|later|(?:on|next|until|till|after|before) (?:{'|'.join(sorted(_DAYS))}))\b"
)


def put_off_in_order(tags: list[Tag]) -> str:
    """The question about an order whose own words name a later time; empty where they name none."""
    said = _said(tags)
    found = _WAITS.search(said) or _LATER.search(said)
    return doubts.timing(found.group()) if found else ""


def put_off_beside(found: list[Clause], *, asked: bool) -> str:
    """The question about the orders of a sentence that another of its clauses puts off, or nothing.

    "tomorrow, buy 0.1 btc" and "wait until friday then buy" put it off; "it fell on friday, buy" does not.
    """
    if all(clause.kind == "show" for clause in found):
        return ""
    for clause in found:
        said = _said(clause.tags)
        if clause.kind == "cancel" and not _NOT_LATER & set(said.split()):
            later = _CANCEL_LATER.search(said) or _WAITS.search(said) or _LATER.search(said)
            question = doubts.cancelling_later(later.group()) if later else ""
        else:
            question = _puts_off(clause, asked=asked) if clause.kind == "show" else ""
        if question:
            return question
    return ""


def put_off_alone(found: list[Clause]) -> str:
    """The question about the orders of a message that one of its sentences as a whole puts off, or nothing."""
    if any(clause.kind != "show" for clause in found):
        return ""
    questions = [_waits(clause.tags) or _is_only_a_time(clause.tags) for clause in found]
    return doubts.timing(questions[0]) if questions and questions[0] else ""


def _puts_off(clause: Clause, *, asked: bool) -> str:
    said = _said(clause.tags)
    time = _waits(clause.tags) or _is_only_a_time(clause.tags)
    if time:
        return doubts.timing(time)
    opened = _OPENERS.match(said)
    if opened is None or asked or _ASKING.search(said) or _COURTESY.search(said):
        return ""
    return doubts.condition(said)


def _waits(tags: list[Tag]) -> str:
    """What is waited for in words that say so, unless they say not to."""
    said = _said(tags)
    found = _WAITS.search(said)
    return said[found.start() :] if found and not NEGATIONS & set(said[: found.start()].split()) else ""


def _is_only_a_time(tags: list[Tag]) -> str:
    """The words of a clause that is nothing but a time still to come; empty where it is more, or something else."""
    said = _said(tags)
    later = _LATER.search(said) is not None
    rest = _LATER.sub("", said).split()
    clocks = {word for t in tags if t.kind == "clock" for word in t.raw.lower().split()}
    spans = {word for t in tags if t.kind == "timeframe" for word in t.raw.lower().split()}
    if spans and not {"in", "after"} & set(said.split()):
        return ""
    only = set(rest) <= _TIMES | _JOINING | clocks | spans
    return said if only and (later or spans or clocks or _TIMES & set(rest)) else ""


def _said(tags: list[Tag]) -> str:
    return " ".join(t.raw.lower() for t in tags if t.kind != "punct")
