"""Figures in prose: which pieces of a text are numbers that need a source, and when two numbers are the same.

Code, addresses, words that contain digits (`wt2`, `T-7`, `v3`), dates, times, spans of time (`4h`,
`60 s`), ordinals and list numbers are not figures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

PieceKind = Literal["text", "reference", "figure", "marker"]

_MONTH: Final = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|"
    r"Sep(?:t(?:ember)?)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_SPAN: Final = r"(?:ms|secs?|seconds?|mins?|minutes?|hrs?|hours?|days?|weeks?|months?|years?|[smhdwy])"
_PIECES: Final = re.compile(
    rf"""
    (?P<code>```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z))
  | `\{{\s*(?P<coded>[A-Za-z_][\w.-]*)\s*\}}`
  | (?P<inline>`[^`\n]*`)
  | (?P<address>\b[a-z][a-z0-9+.-]*://[^\s<>"'`)\]]+)
  | \{{{{?\s*(?P<reference>[A-Za-z_][\w.-]*)\s*\}}?\}}
  | (?P<marker>\[\d+\](?!\())
  | (?P<list>^[ \t#>*_-]*\d{{1,3}}[.)](?=\s))
  | (?P<date>\b\d{{4}}-\d{{2}}-\d{{2}}(?:[T ]\d{{2}}:\d{{2}}(?::\d{{2}}(?:\.\d+)?)?(?:Z|[+-]\d{{2}}:?\d{{2}})?)?
      |\b\d{{1,2}}(?:st|nd|rd|th)?[ ]{_MONTH}(?:,?[ ]\d{{4}})?\b
      |\b{_MONTH}[ ]\d{{1,2}}(?:st|nd|rd|th)?(?:,?[ ]\d{{4}})?\b
      |\b(?:in|since|during|year)[ ](?:19|20)\d\d\b(?![.,-]\d))
  | (?P<clock>\b\d{{1,2}}:\d{{2}}(?::\d{{2}})?\b)
  | (?P<word>[^\W\d]\w*(?:-\d\w*)*)
  | (?P<version>\d+(?:\.\d+){{2,}})
  | (?P<span>\d+(?:\.\d+)?(?:[ -]?{_SPAN})(?![\w%]))
  | (?P<ordinal>\d+(?:st|nd|rd|th)\b)
  | (?P<figure>(?:(?<![\w%)\]])[-+−])?(?:[$€£][ ]?)?
      (?:\d{{1,3}}(?:,\d{{3}})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|(?<!\w)\.\d+)
      (?:[ ]?(?:%|(?:percent|per[ ]cent|[kK]|M|B|bn|thousand|million|billion)(?!\w)))?)
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_SCALES: Final = {"k": 10**3, "thousand": 10**3, "m": 10**6, "million": 10**6}
_BILLIONS: Final = {"b": 10**9, "bn": 10**9, "billion": 10**9}
_NUMBER: Final = re.compile(
    r"(?P<sign>[-+−])?[$€£ ]*(?P<digits>[\d,]*\.?\d+)[ ]?(?P<scale>[A-Za-z]+)?[ ]?(?P<percent>%)?"
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as somebody typed it.

    Attributes:
        value: with its sign and scale (`62k` is 62000); `percent` says that a % sign follows.
        step: the value of its last typed digit: 0.1 for `3.1`, 1000 for `62k`.
        signed: a plus or minus was typed.
    """

    value: Decimal
    step: Decimal
    signed: bool
    percent: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; `name` is what a reference points at."""

    kind: PieceKind
    text: str
    name: str = ""


def pieces(text: str) -> Iterator[Piece]:
    """Cut a text into references, figures, markers and all the rest; joined again they are the text."""
    position = 0
    for match in _PIECES.finditer(text):
        name = match["reference"] or match["coded"]
        kind: PieceKind = (
            "reference" if name else "figure" if match["figure"] else "marker" if match["marker"] else "text"
        )
        if kind == "text":
            continue
        if match.start() > position:
            yield Piece("text", text[position : match.start()])
        yield Piece(kind, match[0], name or "")
        position = match.end()
    if position < len(text):
        yield Piece("text", text[position:])


def parse_figure(text: str) -> Figure:
    """Read one figure, such as `63,870`, `-38.2`, `62k` or `1.2 %`."""
    match = _NUMBER.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a figure")
    digits = match["digits"].replace(",", "")
    scale = Decimal((_SCALES | _BILLIONS).get((match["scale"] or "").lower(), 1))
    value = Decimal(digits) * scale
    decimals = len(digits.partition(".")[2])
    return Figure(
        value=-value if match["sign"] in {"-", "−"} else value,
        step=scale / 10**decimals,
        signed=match["sign"] is not None,
        percent=match["percent"] is not None,
    )


def figures(text: str) -> Iterator[Figure]:
    """Every figure of a text, in order."""
    return (parse_figure(piece.text) for piece in pieces(text) if piece.kind == "figure")


def says(figure: Figure, value: Decimal, *, roughly: bool = False) -> bool:
    """Whether someone who means `value` may have typed this figure.

    A figure rounds to its last typed digit. Small whole numbers must be exact, or any 3 would match
    any 3.4; a figure without a sign may tell a fall ("1.2 % lower"). `roughly` allows half a percent.
    """
    if not figure.signed:
        value = abs(value)
    distance = abs(figure.value - value)
    if distance == 0:
        return True
    if figure.step >= 1 and abs(figure.value) < 10:
        return False
    allowed = figure.step / 2
    if roughly:
        allowed = max(allowed, abs(value) / 200)
    return distance <= min(allowed, abs(value) / 5)
