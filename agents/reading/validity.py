"""How long an order is good, out of its words: "good till friday", "immediate or cancel", "for today only"."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from agents.reading.tagging import Tag
from agents.reading.verbs import verbs_in
from agents.reading.vocabulary import BUY_VERBS, SELL_VERBS, words
from engines.domain.orders import TimeInForce
from tools.good_till import MONTHS, WEEKDAYS

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
_TILL: Final = frozenset({"till", "until", "til"})
_GOOD: Final = words("good valid open live working")
_CANCELLED: Final = words("cancelled canceled cancel")
_ORDINAL: Final = re.compile(r"(\d{1,2})(?:st|nd|rd|th)")
# A clock of another zone, "morning", "or saturday": what goes on like that says more than was taken.
_MAY_FOLLOW: Final = words("and with at @ stop sl tp limit please pls then only target take if . , ! ; \n ) -") | (
    BUY_VERBS | SELL_VERBS
)
_ORDERS: Final = words("order limit bid offer")
_SHARED: Final = words("both all each")
_BREAKS: Final = frozenset({".", "!", "\n", ";"})


@dataclass(frozen=True, slots=True)
class Validity:
    """How long an order is good; `good_till` in words that `tools.good_till` reads, for `GTD`."""

    force: TimeInForce | None = None
    good_till: str | None = None
    is_twofold: bool = False


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
    force = next((force for force in _IN_WORDS if force == word), None)
    read = Validity(good_till=when) if when else Validity(force)
    return rest, replace(read, is_twofold=len(found) > 1)


def _phrase_at(tags: list[Tag], place: int) -> tuple[str, int]:
    """What the phrase that begins here says, and how many tags it takes; none where none does."""
    for phrase, force in _PHRASES:
        if _reads(tags, place, phrase):
            return force, len(phrase)
    start = place
    if tags[start].text in _GOOD and tags[start].kind == "word":
        start = _over_dash(tags, start + 1)
    elif tags[place].text == "gtd":
        return _till(tags, place, place + 1)
    elif not place or tags[place - 1].kind not in {"number", "symbol"}:
        # "wait until friday and buy" is about the person, not about the order.
        return "", 0
    if start >= len(tags) or tags[start].text not in _TILL:
        return "", 0
    return _till(tags, place, _over_dash(tags, start + 1))


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
    clock = tags[end].text if end < len(tags) and tags[end].kind == "clock" and ":" in tags[end].text else ""
    if not clock and end < len(tags) and tags[end].kind == "clock" and tags[end].text.endswith("m"):
        clock = tags[end].text.replace(" ", "").replace(".", "")
    if clock:
        end += 1
        end += end < len(tags) and tags[end].text in {"utc", "gmt", "z"}
    following = tags[end] if end < len(tags) else None
    goes_on = following is not None and following.kind in {"word", "clock", "timeframe"}
    if not (day or clock) or (goes_on and following is not None and following.text not in _MAY_FOLLOW):
        return "", 0
    return f"GTD {' '.join(part for part in (day, clock) if part)}", end - place


def _day_at(tags: list[Tag], place: int) -> tuple[str, int]:
    """`friday`, `tomorrow`, `2026-11-27` or `27 nov`, and how many tags it takes."""
    if place >= len(tags):
        return "", 0
    first, second = tags[place], tags[place + 1] if place + 1 < len(tags) else None
    if first.text in WEEKDAYS or first.text == "tomorrow":
        return first.text, 1
    if first.kind == "clock" and re.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}", first.text):
        return first.text, 1
    if second is None:
        return "", 0
    for month, day in ((first, second), (second, first)):
        numbered = _ORDINAL.fullmatch(day.text) or re.fullmatch(r"(\d{1,2})", day.raw)
        if month.kind == "word" and month.text[:3] in MONTHS and len(month.text) > 2 and numbered:
            return f"{numbered[1]} {month.text[:3]}", 2
    return "", 0


def _over_dash(tags: list[Tag], place: int) -> int:
    return place + (place < len(tags) and tags[place].text == "-")


def _reads(tags: list[Tag], place: int, phrase: tuple[str, ...]) -> bool:
    return tuple(t.raw.lower() for t in tags[place : place + len(phrase)]) == phrase
