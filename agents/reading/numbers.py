"""Numbers as traders write them: `1,250`, `1.5k`, `half`, `two and a half`; what has two readings has none."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

_PLAIN: Final = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,18})?|\.[0-9]{1,18}")
_GROUPED: Final = re.compile(r"[1-9][0-9]{0,2}(?:[,_'][0-9]{3}){1,5}(?:\.[0-9]{1,18})?")
# 1.250 is 1250 in half of Europe; with a last digit other than zero nobody writes thousands by accident.
_DOTTED_THOUSANDS: Final = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{2}0")

MULTIPLIERS: Final = {
    "k": Decimal(1000),
    "grand": Decimal(1000),
    "thousand": Decimal(1000),
    "mm": Decimal(1_000_000),
    "mil": Decimal(1_000_000),
    "mio": Decimal(1_000_000),
    "million": Decimal(1_000_000),
}
_UNDER_TWENTY: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_SMALL: Final = {word: Decimal(value) for value, word in enumerate(_UNDER_TWENTY.split(" "))}
_TENS: Final = {
    word: Decimal(10 * value)
    for value, word in enumerate(
        ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), start=2
    )
}
FRACTION_WORDS: Final = {
    "half": Decimal("0.5"),
    "quarter": Decimal("0.25"),
    "third": Decimal("0.3333"),
    "tenth": Decimal("0.1"),
    "fifth": Decimal("0.2"),
    "halves": Decimal("0.5"),
    "quarters": Decimal("0.25"),
    "thirds": Decimal("0.3333"),
    "fifths": Decimal("0.2"),
    "tenths": Decimal("0.1"),
}
NUMBER_WORDS: Final[frozenset[str]] = frozenset({*_SMALL, *_TENS, "hundred", "thousand", "million", "grand", "dozen"})
_SLASHED: Final = {"1/2", "1/3", "2/3", "1/4", "3/4", "1/5", "1/8", "1/10"}


def parse_digits(text: str) -> Decimal | None:
    """The number that digits, points and commas stand for, or None when they can be read in two ways.

    `1,250` is 1250 and `0.5` is a half; `0,5`, `1.250`, `1.250,50` and `1.2.3` are None.
    """
    if _PLAIN.fullmatch(text) and not _DOTTED_THOUSANDS.fullmatch(text):
        return Decimal(text)
    if _GROUPED.fullmatch(text):
        return Decimal(re.sub(r"[,_']", "", text))
    return None


def parse_slashed(text: str) -> Decimal | None:
    """A common fraction such as `1/4`, to four places; None for anything else."""
    if text not in _SLASHED:
        return None
    above, below = text.split("/")
    return (Decimal(above) / Decimal(below)).quantize(Decimal("0.0001")).normalize()


def parse_words(words: list[str]) -> tuple[Decimal, int] | None:
    """The number that `words` begin with, and how many of them it takes; None when they begin with none.

    `a thousand` is (1000, 2), `two and a half` (2.5, 4), `twenty five` (25, 2).
    """
    start = 1 if len(words) > 1 and words[0] == "a" and words[1] in {"hundred", "thousand", "million", "dozen"} else 0
    total, current, used = Decimal(0), Decimal(start), start
    for word in words[start:]:
        value = _SMALL.get(word, _TENS.get(word))
        if value is not None:
            if current % 100 and (current % 10 or value >= 10):
                return None
            current += value
        elif word == "hundred" and current:
            current *= 100
        elif word == "dozen" and current:
            current *= 12
        elif word in MULTIPLIERS and len(word) > 1 and current:
            total, current = total + current * MULTIPLIERS[word], Decimal(0)
        else:
            break
        used += 1
    if used == start:
        return None
    if words[used : used + 3] in (["and", "a", "half"], ["and", "a", "quarter"]):
        return total + current + FRACTION_WORDS[words[used + 2]], used + 3
    point = _after_point(words[used:])
    if point is not None:
        return total + current + point[0], used + point[1]
    return total + current, used


def _after_point(words: list[str]) -> tuple[Decimal, int] | None:
    if not words or words[0] != "point":
        return None
    digits = []
    for word in words[1:]:
        value = _SMALL.get(word)
        if value is None or value > 9:
            break
        digits.append(str(value))
    return (Decimal("0." + "".join(digits)), 1 + len(digits)) if digits else None


def as_json_number(value: Decimal) -> int | float | str:
    """The JSON number that is exactly `value`, or its digits as text when a float would not hold them."""
    if value == value.to_integral_value() and abs(value) < 2**53:
        return int(value)
    number = float(value)
    return number if Decimal(repr(number)) == value else format(value, "f")


def plain(value: Decimal) -> str:
    """Digits for people: no exponent, no trailing zeros, thousands grouped."""
    text = format(value.normalize(), "f")
    whole, _, rest = text.partition(".")
    return f"{int(whole):,}" + (f".{rest}" if rest else "")
