"""Which number of an order is which: quantity, limit, trigger, stop-loss, take-profit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from agents.reading.tagging import Tag
from agents.reading.vocabulary import STOP_LOSS, TAKE_PROFIT, TRIGGER

Role = Literal["limit", "stop", "stop_loss", "take_profit", "trigger", "at", "for"]

_CONNECTORS: Final = frozenset({"at", "@", "of", ":", "=", "is", "to", "the", "a", "an", "price", "level", "my", "on"})
_MARKET_WORDS: Final = frozenset({"market", "mkt"})


@dataclass(slots=True)
class Roles:
    """The numbers of one order by role, and what was left without one.

    Attributes:
        priced: numbers with a role in words, in order.
        quantities: numbers that a symbol or a unit marks as the quantity.
        free: numbers that nothing marks.
        unfilled: roles named without a number.
        at_market: the words say "market".
        at_nothing: "at" is followed by something that is no number and no market.
        disputed: a quantity that stands right behind a role word, as in "buy stop 1 eth 2500".
    """

    priced: list[tuple[Role, Tag]] = field(default_factory=list)
    quantities: list[Tag] = field(default_factory=list)
    free: list[Tag] = field(default_factory=list)
    unfilled: list[Role] = field(default_factory=list)
    at_market: bool = False
    at_nothing: bool = False
    disputed: bool = False


def find_roles(tags: list[Tag]) -> Roles:
    """Give every number of an order clause its role, by the words around it."""
    roles = Roles()
    role_words = _role_words(tags)
    filled: set[int] = set()
    numbers = [i for i, t in enumerate(tags) if t.kind == "number"]
    pending: list[int] = []
    for index in numbers:
        role, place = _role_before(tags, index, role_words)
        marked = _marks_quantity(tags, index)
        if (
            role == "for"
            or role is None
            or (marked and tags[index].unit == "" and role not in {"stop_loss", "take_profit"})
        ):
            if role not in {None, "for"}:
                roles.disputed = True
            if role == "for":
                roles.priced.append(("for", tags[index]))
            elif marked:
                roles.quantities.append(tags[index])
            else:
                pending.append(index)
            continue
        roles.priced.append((role, tags[index]))
        if place is not None:
            filled.add(place)
    for index in pending:
        place = index + 1
        if place in role_words and place not in filled:
            roles.priced.append((role_words[place], tags[index]))
            filled.add(place)
        else:
            roles.free.append(tags[index])
    roles.unfilled = [r for i, r in role_words.items() if i not in filled and not _declined(tags, i)]
    _note_at(tags, roles)
    return roles


def _role_words(tags: list[Tag]) -> dict[int, Role]:
    """Places of role words; a two-word role stands at its last word for what follows, and counts once."""
    found: dict[int, Role] = {}
    for i, t in enumerate(tags):
        if t.kind != "word":
            continue
        before = tags[i - 1].text if i else ""
        following = tags[i + 1].text if i + 1 < len(tags) else ""
        if t.text in STOP_LOSS or (t.text in {"loss", "losses"} and before in {"stop", "-"}):
            found.pop(i - 1, None)
            if before == "-":  # "stop - loss"; in "tp 70k sl 55k" the word two places back has a number of its own
                found.pop(i - 2, None)
            found[i] = "stop_loss"
        elif t.text == "stop" and following not in {"asking", "being", "talking", "it", "that"}:
            found[i] = "stop"
        elif t.text in TAKE_PROFIT:
            found.pop(i - 1, None)
            found[i] = "take_profit"
        elif t.text in {"profit", "profits"} and before in {"take", "taking", "-"} and not _sells_part(tags, i):
            found[i] = "take_profit"
        elif t.text in {"limit", "entry"}:
            found[i] = "limit"
        elif t.text in TRIGGER:
            found[i] = "trigger"
    return found


def _sells_part(tags: list[Tag], index: int) -> bool:
    """ "take profit on half my eth" sells now; "take profit on 70000" is a price."""
    rest = tags[index + 1 : index + 3]
    return len(rest) == 2 and rest[0].text == "on" and rest[1].kind != "number"


def _role_before(tags: list[Tag], index: int, role_words: dict[int, Role]) -> tuple[Role | None, int | None]:
    seen_at = False
    for place in range(index - 1, max(-1, index - 6), -1):
        if place in role_words:
            return role_words[place], place
        text = tags[place].text
        if text == "for":
            return "for", None
        if text in {"at", "@"}:
            seen_at = True
        elif text not in _CONNECTORS and text != "order":
            break
    return ("at", None) if seen_at else (None, None)


def _marks_quantity(tags: list[Tag], index: int) -> bool:
    if tags[index].unit:
        return True
    following = tags[index + 1] if index + 1 < len(tags) else None
    if following is None:
        return False
    if following.kind == "symbol":
        return True
    after = tags[index + 2] if index + 2 < len(tags) else None
    return following.text in {"of", "more", "another"} and after is not None and after.kind == "symbol"


def _declined(tags: list[Tag], index: int) -> bool:
    return any(t.text in {"no", "without", "any"} for t in tags[max(0, index - 3) : index])


def _note_at(tags: list[Tag], roles: Roles) -> None:
    for i, t in enumerate(tags):
        if t.kind == "word" and t.text in _MARKET_WORDS:
            roles.at_market = True
        if t.text in {"at", "@"}:
            rest = [x for x in tags[i + 1 : i + 6] if x.text not in _CONNECTORS | {"current", "best", "limit", "order"}]
            if not rest or (rest[0].kind != "number" and rest[0].text not in _MARKET_WORDS):
                roles.at_nothing = True
