"""The desk's own terms, each in one or two sentences, from `glossary.md`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_ENTRY: Final = re.compile(r"^- ([^:]+): (.+)$", re.MULTILINE)


def _load() -> dict[str, str]:
    text = (Path(__file__).parent / "glossary.md").read_text(encoding="utf-8")
    return {name: meaning for names, meaning in _ENTRY.findall(text) for name in names.split(", ")}


TERMS: Final = _load()
_LONGEST: Final = max(len(term.split()) for term in TERMS)


def find_term(words: list[str]) -> str | None:
    """The longest term of the glossary that stands in `words`, the first of equals."""
    singular = [w.removesuffix("s") if w.removesuffix("s") in TERMS else w for w in words]
    for length in range(_LONGEST, 0, -1):
        for start in range(len(words) - length + 1):
            for form in (words, singular):
                term = " ".join(form[start : start + length])
                if term in TERMS:
                    return term
    return None
