"""Orders sized by what they may lose: "risk 1 % on btc, stop 58k", "buy eth with 500 usdt at risk and a 2 atr stop"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from agents.reading.tagging import Tag
from engines.domain.orders import Unit

RISK: Final = frozenset({"risk", "risking"})
_ATR: Final = frozenset({"atr", "atrs"})
_BETWEEN: Final = frozenset({"only", "just", "up", "to", "exactly"})
_OF_ACCOUNT: Final = frozenset({"of", "my", "the", "account", "equity", "portfolio", "capital", "balance"})
_AT: Final = frozenset({"at", "@", "of"})
_TIMES: Final = re.compile(r"(\d+(?:\.\d+)?)x")
_UNITS: Final[dict[str, Unit]] = {"percent": "risk", "quote": "risk_quote"}


@dataclass(frozen=True, slots=True)
class Sizing:
    """What the words say about size and stop by risk; None is what they leave open.

    Attributes:
        amount: in `unit`: percent of the account or quote units that may be lost.
        stop_atr: distance of the stop in average true ranges.
    """

    amount: Decimal | None = None
    unit: Unit | None = None
    stop_atr: Decimal | None = None


def take_sizing(tags: list[Tag]) -> tuple[list[Tag], Sizing]:
    """The sizing of an order's words, and the other words."""
    rest, stop_atr = _take_atr(tags)
    found = _risk_place(rest)
    if found is None:
        return rest, Sizing(stop_atr=stop_atr)
    first, number, last = found
    while last < len(rest) and rest[last].text in _OF_ACCOUNT:
        last += 1
    amount, unit = rest[number].value, _UNITS[rest[number].unit]
    return [*rest[:first], *rest[last:]], Sizing(amount, unit, stop_atr)


def names_risk(tags: list[Tag]) -> bool:
    """True for "risk 1 % on this": an order by its size alone."""
    return _risk_place(tags) is not None


def _risk_place(tags: list[Tag]) -> tuple[int, int, int] | None:
    """First word, number, and the place behind the last word of "risk 1 %", "1 % risk" or "500 usdt at risk"."""
    for place, tag in enumerate(tags):
        if tag.kind != "word" or tag.text not in RISK:
            continue
        number = place + 1
        while number < len(tags) and tags[number].text in _BETWEEN:
            number += 1
        if _is_amount(tags, number):
            return place, number, number + 1
        before = place - 2 if place >= 2 and tags[place - 1].text in {"at", "of"} else place - 1
        if _is_amount(tags, before):
            return before, before, place + 1
    return None


def _is_amount(tags: list[Tag], place: int) -> bool:
    return 0 <= place < len(tags) and tags[place].kind == "number" and tags[place].unit in _UNITS


def _take_atr(tags: list[Tag]) -> tuple[list[Tag], Decimal | None]:
    """ "2 atr" and "1.5x atr" taken out."""
    for place in range(1, len(tags)):
        before = tags[place - 1]
        if tags[place].kind != "word" or tags[place].text not in _ATR:
            continue
        times = _TIMES.fullmatch(before.raw.lower())
        value = before.value if before.kind == "number" and not before.unit else Decimal(times[1]) if times else None
        if value is not None:
            first = place - 2 if place > 1 and tags[place - 2].text in _AT else place - 1
            return [*tags[:first], *tags[place + 1 :]], value
    return tags, None
