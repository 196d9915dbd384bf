"""Claims that an order was carried out: only records may make them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from agents.state import EvidenceRecord

_THINGS: Final = r"(?:order|trade|position|ticket|purchase|sale|T-\d+)"
_DONE: Final = r"(?:placed|executed|submitted|sent|filled|bought|sold|cancell?ed|closed|opened|entered|approved)"
_CLAIM: Final = re.compile(
    rf"\b(?:I(?:'ve| have)?|we(?:'ve| have)?)\s+(?:just |now |already |successfully )*{_DONE}\b"
    rf"|\b{_THINGS}\b.{{0,60}}?\b(?:was|(?:has|have) been|were|(?:is|are) now)\s+"
    rf"(?:just |now |already |successfully )*{_DONE}\b"
    rf"|\byour\b.{{0,40}}?\bis\s+(?:now )?{_DONE}\b"
    rf"|\b(?:successfully|order)\s+{_DONE}\b",
    re.IGNORECASE,
)
_DENIAL: Final = re.compile(
    r"\b(?:not|no|never|nothing|none|until|unless|once|before|when|if|will be)\b|n't\b", re.IGNORECASE
)
_BETWEEN_SENTENCES: Final = re.compile(r"((?<=[.!?])\s+|\n+)")
# Evidence that tells what became of orders; a draft that quotes it may speak of them.
_RECORDS: Final = frozenset({"orders", "portfolio", "fill"})
_CORRECTION: Final = "No order was carried out in this reply: an order needs your approval on its ticket."


def without_claims(draft: str, fresh: Sequence[EvidenceRecord]) -> str:
    """The draft without sentences that claim an order was carried out, unless this turn read the records."""
    if any(record["kind"] in _RECORDS for record in fresh):
        return draft
    parts = _BETWEEN_SENTENCES.split(draft)
    sentences = zip(parts[::2], [*parts[1::2], ""], strict=True)
    honest = "".join(sentence + gap for sentence, gap in sentences if not _claims(sentence))
    return draft if honest == draft else f"{honest.strip()}\n\n{_CORRECTION}".strip()


def _claims(sentence: str) -> bool:
    return _CLAIM.search(sentence) is not None and _DENIAL.search(sentence) is None
