"""How long an order is good, out of its words: "good till friday", "immediate or cancel", "for today only"."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from agents.reading.tagging import Tag
from agents.reading.verbs import verbs_in
from agents.reading.vocabulary import BUY_VERBS, SELL_VERBS, words
from engines.domain.orders import TimeInForce
from tools.good_till import MONTHS, ORDINAL, SPAN, WEEKDAYS

_IN_WORDS: Final[dict[TimeInForce, tuple[str, ...]]] = {
    "IOC": ("ioc", "immediate or cancel", "immediate - or - cancel"),
    "FOK": ("fok", "fill or kill", "fill - or - kill"),
    "DAY": (
        *("day order", "gfd", "for today only", "for today", "today only", "for the day"),
        *("good for day", "good for the day", "good for today", "good for today only"),
    ),
    "GTC": ("gtc",),
}
# Longest first: the first that fits is taken.
_PHRASES: Final = sorted(
    ((tuple(phrase.split()), force) for force, phrases in _IN_WORDS.items() for phrase in phrases),
    key=lambda item: -len(item[0]),
)
_DAY_ENDS: Final = ("the end of the day", "end of the day", "end of day", "the end of today", "end of today", "eod")
_ENDS: Final = {
    **dict.fromkeys(("the end of the week", "end of the week", "end of week", "the week's end"), "end of week"),
    **dict.fromkeys(("the end of the month", "end of the month", "end of month", "month end"), "end of month"),
}
_ONE: Final = words("a an one")
_UNITS: Final = {"minute": "m", "hour": "h", "day": "d", "week": "w"}
_UNCOUNTED: Final = _UNITS.keys() | words("minutes hours days weeks month months weekend session bit while")
_UNREAD: Final = "unread"
_TILL: Final = frozenset({"till", "until", "til"})
_GOOD: Final = words("good valid open live working")
_CANCELLED: Final = words("cancelled canceled cancel")
# A clock of another zone, "morning", "or saturday": what goes on like that says more than was taken.
_MAY_FOLLOW: Final = words("and with at @ stop sl tp limit please pls then only target take if . , ! ; \n ) -") | (
    BUY_VERBS | SELL_VERBS
)
_ORDERS: Final = words("order limit bid offer")
_SHARED: Final = words("both all each")
_BREAKS: Final = frozenset({".", "!", "\n", ";"})


@dataclass(frozen=True, slots=True)
class Validity:
    """How long an order is good.

    Attributes:
        good_till: in words that `tools.good_till` reads, for `GTD`.
        is_twofold: two things are said.
        unread: words that say how long, in a way that is not read.
    """

    force: TimeInForce | None = None
    good_till: str | None = None
    is_twofold: bool = False
    unread: str = ""

    @property
    def is_unclear(self) -> bool:
        """How long it is good must be asked."""
        return self.is_twofold or bool(self.unread)


def with_validity(tags: list[Tag], *, is_answer: bool) -> list[Tag]:
    """The tags of a message about an order, with each phrase about how long it is good as one tag of its own.

    Done before the message is cut into clauses, because "immediate or cancel" cancels nothing. A phrase that stands
    as a sentence of its own belongs to the order before it.

    Args:
        is_answer: the message answers a question about an order.
    """
    orders = verbs_in(tags) or any(t.text in _ORDERS for t in tags)
    if not is_answer and not (orders and any(t.kind in {"number", "fraction", "symbol"} for t in tags)):
        return tags
    out: list[Tag] = []
    place = 0
    while place < len(tags):
        said, used = _phrase_at(tags, place)
        if not used or (out and out[-1].text in _SHARED):
            out.append(tags[place])
            place += 1
            continue
        last = tags[place + used].text if place + used < len(tags) else "."
        if out and out[-1].text in _BREAKS and last in _BREAKS:
            out[-1] = Tag("punct", ",", ",")
        raw = " ".join(t.raw for t in tags[place : place + used])
        out.append(Tag("validity", said, raw))
        place += used
    return out


def take_validity(tags: list[Tag]) -> tuple[list[Tag], Validity]:
    """How long the words of one order let it stay open, and the other words."""
    found = list(dict.fromkeys(t.text for t in tags if t.kind == "validity"))
    rest = [t for t in tags if t.kind != "validity"]
    if not found:
        return rest, Validity()
    word, _, when = found[0].partition(" ")
    if word == _UNREAD:
        return rest, Validity(unread=when)
    force = next((force for force in _IN_WORDS if force == word), None)
    read = Validity(good_till=when) if when else Validity(force)
    return rest, replace(read, is_twofold=len(found) > 1)


def _phrase_at(tags: list[Tag], place: int) -> tuple[str, int]:
    """What the phrase that begins here says, and how many tags it takes; none where none does."""
    for phrase, force in _PHRASES:
        if _reads(tags, place, phrase):
            return force, len(phrase)
    if tags[place].text in _GOOD and tags[place].kind == "word":
        return _good_at(tags, place, _over_dash(tags, place + 1))
    if tags[place].text == "gtd":
        return _till(tags, place, place + 1)
    if tags[place].text in _TILL and place and tags[place - 1].kind in {"number", "symbol"}:
        # "wait until friday and buy" is about the person, not about the order.
        return _till(tags, place, _over_dash(tags, place + 1))
    return "", 0


def _good_at(tags: list[Tag], place: int, start: int) -> tuple[str, int]:
    """What "good till ..." or "good for ..." says; that it is not read, where it surely says how long."""
    following = tags[start].text if start < len(tags) else ""
    said: tuple[str, int] = ("", 0)
    if following in _TILL:
        said = _till(tags, place, _over_dash(tags, start + 1))
    elif following == "for":
        said = _span(tags, place, start + 1)
    if said[1] or not (following in _TILL or (following == "for" and _counts(tags, start + 1))):
        return said
    end = next((at for at in range(start + 1, len(tags)) if tags[at].kind == "punct"), len(tags))
    return f"{_UNREAD} {' '.join(t.raw for t in tags[start:end])}", end - place


def _span(tags: list[Tag], place: int, start: int) -> tuple[str, int]:
    """`3 hours` or `a week`, from now."""
    first, second = (tags[at] if at < len(tags) else Tag("punct", ".", ".") for at in (start, start + 1))
    if first.kind == "timeframe" and SPAN.fullmatch(first.text):
        return f"GTD {first.text}", start + 1 - place
    if first.text in _ONE and second.text in _UNITS:
        return f"GTD 1{_UNITS[second.text]}", start + 2 - place
    return "", 0


def _counts(tags: list[Tag], start: int) -> bool:
    """The next words name a time of some length."""
    return any(t.kind == "timeframe" or t.text in _UNCOUNTED for t in tags[start : start + 3])


def _till(tags: list[Tag], place: int, start: int) -> tuple[str, int]:
    """The end that the words from `start` on name."""
    if start < len(tags) and tags[start].text in _CANCELLED:
        return "GTC", start + 1 - place
    for phrase in _DAY_ENDS:
        if _reads(tags, start, tuple(phrase.split())):
            return "DAY", start + len(phrase.split()) - place
    day, used = _day_at(tags, start)
    end = start + used
    if used and end + 1 < len(tags) and tags[end].text in {"at", "@"} and tags[end + 1].kind == "clock":
        end += 1
    clock = _clock(tags[end], alone=not day) if end < len(tags) else ""
    if clock:
        end += 1
        end += end < len(tags) and tags[end].text in {"utc", "gmt", "z"}
    following = tags[end] if end < len(tags) else None
    goes_on = following is not None and following.kind in {"word", "clock", "timeframe"}
    if not (day or clock) or (goes_on and following is not None and following.text not in _MAY_FOLLOW):
        return "", 0
    return f"GTD {' '.join(part for part in (day, clock) if part)}", end - place


def _day_at(tags: list[Tag], place: int) -> tuple[str, int]:
    """`friday`, `tomorrow`, `2026-11-27`, `27 nov`, `the 27th` or `the end of the week`, and how many tags it takes."""
    for phrase, end in _ENDS.items():
        if _reads(tags, place, tuple(phrase.split())):
            return end, len(phrase.split())
    if place < len(tags) and tags[place].text == "the":
        numbered, used = _day_at(tags, place + 1)
        return (numbered, used + 1) if ORDINAL.fullmatch(numbered) else ("", 0)
    if place >= len(tags):
        return "", 0
    first, second = tags[place], tags[place + 1] if place + 1 < len(tags) else None
    if first.text in WEEKDAYS or first.text == "tomorrow":
        return first.text, 1
    if first.kind == "clock" and re.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}", first.text):
        return first.text, 1
    if second is None:
        return _numbered(first)
    for month, day in ((first, second), (second, first)):
        number = ORDINAL.fullmatch(day.text) or re.fullmatch(r"(\d{1,2})", day.raw)
        if month.kind == "word" and month.text[:3] in MONTHS and len(month.text) > 2 and number:
            return f"{number[1]} {month.text[:3]}", 2
    return _numbered(first)


def _numbered(tag: Tag) -> tuple[str, int]:
    return (tag.text, 1) if ORDINAL.fullmatch(tag.text) else ("", 0)


def _clock(tag: Tag, *, alone: bool) -> str:
    """A time of the day; midnight of a day named beside it could be either end of that day."""
    if tag.text == "noon" or (tag.text == "midnight" and alone):
        return tag.text
    if tag.kind == "clock" and ":" in tag.text:
        return tag.text
    return tag.text.replace(" ", "").replace(".", "") if tag.kind == "clock" and tag.text.endswith("m") else ""


def _over_dash(tags: list[Tag], place: int) -> int:
    return place + (place < len(tags) and tags[place].text == "-")


def _reads(tags: list[Tag], place: int, phrase: tuple[str, ...]) -> bool:
    return tuple(t.raw.lower() for t in tags[place : place + len(phrase)]) == phrase
