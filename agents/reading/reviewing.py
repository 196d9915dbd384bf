"""Messages that look back: what decisions cost or saved, and how often the score was right."""

from __future__ import annotations

import re
from typing import Final

from agents.reading import moods
from agents.reading.tagging import Tag

TOOL: Final = "review_decisions"

_LOOKS_BACK: Final = re.compile(
    r"^(?:please |show (?:me )?|give me |do |let's |my |the |a |see )*"
    r"review(?: please| of)?(?: (?:my|the|all|past|of))*"
    r"(?: (?:decisions?|choices?|rejections?|tickets?|trades?|orders?|calls?))?(?: (?:on|for|of))*$"
    r"|\b(?:roads?|trades?|orders?) not taken\b"
    r"|\bmissed (?:trades?|opportunit(?:y|ies)|profits?)\b"
    r"|\bwhat (?:did|have|has|do) (?:my |the |our )?(?:decisions?|choices?|rejections?|rejecting|edits?|passing"
    r"|rejected|expired|not trading|saying no)\b.*\b(?:costs?|saved?|missed?|brought)\b"
    r"|\bhow (?:often|reliable|good|accurate|right) (?:was|were|is|are|has|have) (?:the |your |my |this )?"
    r"(?:confluence|confidence|scores?)\b"
)


def looks_back(tags: list[Tag]) -> bool:
    """True for "/review", "what did my rejections cost me?" and "how often was the score right?"."""
    unnamed = [tag for tag in tags if tag.kind != "symbol"]
    return _LOOKS_BACK.search(moods.text_of(unnamed)) is not None
