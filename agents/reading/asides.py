"""What a question asks for in particular: a fact of the panel, and what the desk has no record of."""

from __future__ import annotations

import re
from typing import Final

from agents.reading import moods
from agents.reading.tagging import Tag

_FACTS: Final = (
    ("divergence", re.compile(r"\b(divergences?|divs?|diverging)\b")),
    ("green dot", re.compile(r"\b(green|buy) dots?\b")),
    ("red dot", re.compile(r"\b(red|sell) dots?\b")),
    ("stoch", re.compile(r"\b(stoch|stochastic)\b")),
    ("rsi", re.compile(r"\b(rsi|oversold|overbought)\b")),
    ("money flow", re.compile(r"\b(money flow|mfi)\b")),
    ("waves", re.compile(r"\b(wave trend|wavetrend|wt|wt1|wt2)\b")),
)
_PAST: Final = re.compile(r"\b(ago|yesterday|last (week|month|year|night)|was|were)\b")
_PERIOD: Final = re.compile(r"\b(today|yesterday|(this|last|past) (week|month|year|day))\b")
_PROFIT: Final = re.compile(r"\b(pnl|p&l|profits?|loss|losses|make|made|lose|lost|perform(ance|ed)?)\b")
_PRICE_NOW: Final = "I can only quote the current price, not an earlier one."
_PROFIT_SINCE: Final = "Profit is kept since the account was opened, not by day or week."
ENGLISH_ONLY: Final = "This model reads and answers English only."


def asked_facts(tags: list[Tag]) -> tuple[str, ...]:
    """Names of the panel's facts that a clause asks for."""
    text = moods.text_of(tags)
    return tuple(name for name, pattern in _FACTS if pattern.search(text))


def not_recorded(tool: str, tags: list[Tag]) -> str:
    """What a clause asks of a read-only tool that it cannot tell, as the first sentence of the answer; else nothing."""
    text = moods.text_of(tags)
    if tool == "get_quote" and _PAST.search(text):
        return _PRICE_NOW
    if tool == "get_portfolio" and _PERIOD.search(text) and _PROFIT.search(text):
        return _PROFIT_SINCE
    return ""
