"""What a question asks for in particular: a fact of the panel, and what the desk has no record of."""

from __future__ import annotations

import re
from typing import Final

from agents.reading import moods
from agents.reading.tagging import Tag

_FACTS: Final = (
    ("hidden divergence", re.compile(r"\bhidden\b.*\b(divergences?|divs?|diverging)\b")),
    ("rsi divergence", re.compile(r"\brsi (divergences?|divs?)\b|\b(divergences?|divs?|diverging)\b.*\brsi\b")),
    ("divergence", re.compile(r"\b(divergences?|divs?|diverging)\b")),
    ("gold dot", re.compile(r"\b(gold|golden) (dots?|circles?)\b")),
    ("schaff", re.compile(r"\b(schaff|stc)\b")),
    ("green dot", re.compile(r"\b(green|buy) dots?\b")),
    ("red dot", re.compile(r"\b(red|sell) dots?\b")),
    ("stoch", re.compile(r"\b(stoch|stochastic)\b")),
    ("rsi", re.compile(r"\b(rsi|oversold|overbought)\b")),
    ("money flow", re.compile(r"\b(money flow|mfi)\b")),
    ("waves", re.compile(r"\b(wave trend|wavetrend|wt|wt1|wt2)\b")),
)
_OF_PROFILES: Final = (
    ("naked", re.compile(r"\b(naked|virgin|untested)\b")),
    ("volume vwap", re.compile(r"\bvwap\b")),
    ("initial balance", re.compile(r"\binitial balance\b|\bib\b")),
    (
        "yesterday",
        re.compile(r"\b(yesterday|yesterday's|yesterdays|previous day|prior day|last session|prior session)\b"),
    ),
    ("session", re.compile(r"\b(session|session's|today's|developing|dpoc)\b")),
    ("nodes", re.compile(r"\b(nodes?|hvns?|lvns?)\b")),
    ("single prints", re.compile(r"\bsingle prints?\b")),
)
_FROM_A_TIME: Final = re.compile(
    r"\b(since|anchored|from (the )?(last )?(monday|tuesday|wednesday|thursday|friday|saturday|sunday|yesterday|today"
    r"|\d{4}-\d{2}|\d{1,2}:\d{2}|\d{1,2} [a-z]{3,9}\b))"
)
_ANCHORED: Final = (
    "A profile from a time of your choice is not part of this answer, which covers the usual range; "
    "`POST /v1/volume-profile` with kind `anchored` computes one."
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
    found = [name for name, pattern in _FACTS if pattern.search(text)]
    # "RSI divergence" names one fact, not three.
    covered = {
        "hidden divergence": {"divergence", "rsi divergence"},
        "rsi divergence": {"divergence", "rsi"},
    }
    hidden = set().union(*(covered.get(name, set()) for name in found))
    return tuple(name for name in found if name not in hidden)


def asked_levels(tags: list[Tag]) -> tuple[str, ...]:
    """Names of a profile's facts that a clause asks for."""
    text = moods.text_of(tags)
    return tuple(name for name, pattern in _OF_PROFILES if pattern.search(text))


def not_recorded(tool: str, tags: list[Tag]) -> str:
    """What a clause asks of a read-only tool that it cannot tell, as the first sentence of the answer; else nothing."""
    text = moods.text_of(tags)
    if tool == "get_quote" and _PAST.search(text):
        return _PRICE_NOW
    if tool == "analyze_volume_profile" and _FROM_A_TIME.search(text):
        return _ANCHORED
    if tool == "get_portfolio" and _PERIOD.search(text) and _PROFIT.search(text):
        return _PROFIT_SINCE
    return ""
