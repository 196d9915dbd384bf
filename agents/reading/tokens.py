"""A message cut into tokens: words, numbers, symbols with a slash, order ids, punctuation."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

TokenKind = Literal["word", "number", "odd", "pair", "cashtag", "order_id", "ticket", "clock", "punct"]

MAX_CHARACTERS: Final = 60_000

_SCRIPT: Final = re.compile(r"<(script|style)\b[^<>]{0,200}>.{0,2000}?</\1\s{0,5}>", re.IGNORECASE | re.DOTALL)
_TAG: Final = re.compile(r"</?[a-zA-Z!][^<>]{0,200}>")
_TOKEN: Final = re.compile(
    r"""
    (?P<order_id>qtp-[a-z0-9-]{3,64})
  | (?P<ticket>t-[0-9]{1,9}\b)
  | (?P<clock>[0-9]{1,4}[-/][0-9]{1,2}[-/][0-9]{1,4}|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?|[0-9]{1,2}\ ?[ap]\.?m\b)
  | (?P<pair>\$?[a-z][a-z0-9]{0,11}/[a-z]{2,6}\b
      |[a-z][a-z0-9]{1,11}[-_](?:usdt|usdc|usd|eur|btc|eth)\b)
  | (?P<cashtag>\$[a-z][a-z0-9]{1,11}\b)
  | (?P<role>(?:sl|tp|stop|target|limit|tgt)(?=[0-9.]))
  | (?P<number>(?:(?<![a-z0-9.])|(?<=sl)|(?<=tp)|(?<=stop)|(?<=target)|(?<=limit)|(?<=tgt))[-+]?[$€£¥]?\ ?[-+]?
      (?:[0-9]+/[0-9]+(?![0-9])|[0-9][0-9.,_']*[0-9]|[0-9]|\.[0-9]+)(?:[€£¥]|[a-z]{1,10})?(?![a-z0-9]))
  | (?P<odd>[0-9][^\s]*)
  | (?P<word>[^\W\d_](?:[^\W_]|'(?=[^\W\d_])|&(?=[^\W\d_]))*)
  | (?P<punct>\.{2,}|[.,;:!?%@=&()+\-/\n<>$€£¥]|—|–)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_QUOTES: Final = str.maketrans(
    {"’": "'", "‘": "'", "ʼ": "'", "`": "'", "“": " ", "”": " ", '"': " ", "⁄": "/", "−": "-"}
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a message; `text` is lower case, `raw` as it was written."""

    kind: TokenKind
    text: str
    raw: str


def clean(text: str) -> str:
    """The text as a reader sees it: no markup, no invisible characters, one form for every letter and digit."""
    text = unicodedata.normalize("NFKC", html.unescape(text[:MAX_CHARACTERS])).translate(_QUOTES)
    text = _TAG.sub(" ", _SCRIPT.sub(" ", text))
    return "".join(_visible(c) for c in text)


def _visible(character: str) -> str:
    if character == "\n" or (character.isascii() and character.isprintable()):
        return character
    category = unicodedata.category(character)
    return " " if category == "Cc" else "" if category in {"Cf", "Cs", "Co", "Cn"} else character


def tokenize(text: str) -> list[Token]:
    """Tokens of a cleaned text; what is none of them (emoji, boxes) is left out."""
    tokens = []
    for match in _TOKEN.finditer(text):
        raw = match.group().strip(" ") if match.lastgroup != "punct" else match.group()
        kind = "word" if match.lastgroup == "role" else match.lastgroup
        tokens.append(Token(kind, raw.lower(), raw))  # type: ignore[arg-type]
    return tokens
