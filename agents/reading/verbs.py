"""Which words in a clause are order verbs, and which only look like them."""

from __future__ import annotations

from typing import Final, Literal

from agents.reading.tagging import Tag
from agents.reading.vocabulary import BUY_VERBS, CLOSE_VERBS, QUANTITY_VERBS, SELL_VERBS, words

Verb = Literal["buy", "sell", "close"]

_NOT_ADJECTIVE_AFTER: Final = words(
    "term time run answer evidence as squeeze squeezes interest bias story ago enough "
    "lived signal signals side zone "
    "zones pressure wall walls setup setups dot dots circle circles diamond diamonds rumor rumour off volume"
)
_NOT_VERB_BEFORE: Final = words(
    "how as so too in the any no be been very next last previous daily hourly weekly "
    "candle's bar's green red blue gold "
    "a another this that first strong weak clear my"
)
_OPENERS: Final = words("open opening enter place take start make go want")
_CLOSE_OBJECTS: Final = words("my all half it everything out the position positions that this down entire whole")
_SKIPPED: Final = words("me us another in about around roughly like exactly just only up")
_POSITION_NOUNS: Final = words("order orders position positions limit stop market")


def verb_at(tags: list[Tag], index: int) -> tuple[Verb, int] | None:
    """The order verb that starts at `index` and how many tags it takes; None when there is none."""
    word = tags[index].text if tags[index].kind == "word" else ""
    following = _text(tags, index + 1)
    before = _text(tags, index - 1)
    if (word == "get" and following in {"out", "rid"}) or (word == "cash" and following == "out"):
        return ("close", 3 if _text(tags, index + 2) == "of" else 2)
    if word == "go" and following == "flat":
        return ("close", 2)
    if word == "take" and following in {"profit", "profits"} and _takes_part(tags, index + 2):
        return ("close", 3)
    if word == "all" and following == "in":
        return ("buy", 2)
    if word == "load" and following == "up":
        return ("buy", 2)
    if word == "pick" and following == "up":
        return ("buy", 2)
    if word in BUY_VERBS or word in SELL_VERBS:
        return (_side(word), 1) if _is_verb(tags, index, before, following) else None
    if word in CLOSE_VERBS:
        return ("close", 1) if _closes(tags, index, before) else None
    if word in QUANTITY_VERBS:
        return ("buy", 1) if _takes_quantity(tags, index) else None
    return None


def verbs_in(tags: list[Tag]) -> list[tuple[int, Verb]]:
    """Every order verb of a clause, with its place."""
    found = []
    for index in range(len(tags)):
        verb = verb_at(tags, index)
        if verb:
            found.append((index, verb[0]))
    return found


def _takes_part(tags: list[Tag], index: int) -> bool:
    """ "take profit on half my eth", not "take profit on 70000"."""
    return _text(tags, index) == "on" and index + 1 < len(tags) and tags[index + 1].kind != "number"


def _side(word: str) -> Verb:
    return "buy" if word in BUY_VERBS else "sell"


def _text(tags: list[Tag], index: int) -> str:
    return tags[index].text if 0 <= index < len(tags) else ""


def _is_verb(tags: list[Tag], index: int, before: str, following: str) -> bool:
    if following in _NOT_ADJECTIVE_AFTER:
        return False
    if before in {"a", "another", "the"}:
        opened = _text(tags, index - 2) in _OPENERS
        return opened or following in _POSITION_NOUNS or any(t.kind == "number" for t in tags[index + 1 : index + 4])
    if tags[index - 1].kind == "timeframe" if index else False:
        return following not in {"", "?"}
    return before not in _NOT_VERB_BEFORE or before in {"no", "any"}


def _closes(tags: list[Tag], index: int, before: str) -> bool:
    if before in _NOT_VERB_BEFORE or (index and tags[index - 1].kind == "timeframe"):
        return False
    if index + 1 >= len(tags):
        return index == 0 or before in {"to", "please", "and", ","}
    following = tags[index + 1]
    if following.kind in {"symbol", "number", "fraction"}:
        return True
    return following.text in _CLOSE_OBJECTS or (following.kind == "punct" and index == 0)


def _takes_quantity(tags: list[Tag], index: int) -> bool:
    position = index + 1
    while _text(tags, position) in _SKIPPED:
        position += 1
    if position >= len(tags):
        return False
    if tags[position].kind == "fraction" and tags[index].text in {"add", "take"}:
        return False
    return tags[position].kind in {"number", "fraction"} or (
        tags[position].text == "all" and _text(tags, position + 1) == "my"
    )
