"""What a question asks for in particular: a fact of the panel, and what the desk has no record of."""

from __future__ import annotations

import re
from typing import Final

from agents.reading import moods
from agents.reading.moments import moment_in
from agents.reading.tagging import Tag
from agents.reading.vocabulary import words
from tools.subjects import no_such_mark

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
    ("tpo", re.compile(r"\b(tpos?|market profile|letters)\b")),
    ("poor high", re.compile(r"\bpoor high\b")),
    ("poor low", re.compile(r"\bpoor low\b")),
    ("acceptance", re.compile(r"\b(accept(ed|s|ance|ing)?|rejected|rejection)\b")),
    ("value high", re.compile(r"\bvah\b|\bvalue area high\b|\bhigh of value\b")),
    ("value low", re.compile(r"\bval\b|\bvalue area low\b|\blow of value\b")),
    ("value area", re.compile(r"\bvalue area\b(?! (?:high|low))")),
    ("nearest below", re.compile(r"\bsupports?\b|\b(?:what's|whats|levels?) (?:below|under)\b")),
    ("nearest above", re.compile(r"\bresistances?\b|\b(?:what's|whats|levels?) (?:above|over)\b")),
)
_IN_HEADLINE: Final = frozenset({"yesterday", "session", "value area", "value high", "value low"})
_NUMBERS: Final = {"two": "2", "three": "3", "four": "4", "five": "5"}
_LAST_FEW: Final = re.compile(rf"\b(?:last|latest|newest|recent) ({'|'.join(_NUMBERS)}|[2-9]) \w+ dots\b")
_LISTING: Final = re.compile(r"\b(?:list|recent|all)\b.*\bdots\b|\blast \w+ dots\b")
_BULLISH: Final = re.compile(r"\b(bull|bullish|buy|long|upward)\b")
_BEARISH: Final = re.compile(r"\b(bear|bearish|sell|short|downward)\b")
_PAST: Final = re.compile(r"\b(ago|yesterday|last (week|month|year|night)|was|were)\b")
_PERIOD: Final = re.compile(r"\b(today|yesterday|(this|last|past) (week|month|year|day))\b")
_PROFIT: Final = re.compile(r"\b(pnl|p&l|profits?|loss|losses|make|made|lose|lost|perform(ance|ed)?)\b")
_PRICE_NOW: Final = "I can only quote the current price, not an earlier one."
_PROFIT_SINCE: Final = "Profit is kept since the account was opened, not by day or week."
_NOT_PAST: Final = words("today tonight tomorrow recently earlier")
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
    return tuple(_counted(_sided(name, text), text) for name in found if name not in hidden)


def _sided(name: str, text: str) -> str:
    """ "bearish divergence" where a divergence of one side was asked for."""
    up, down = _BULLISH.search(text) is not None, _BEARISH.search(text) is not None
    if not name.endswith("divergence") or up == down:
        return name
    return f"{'bullish' if up else 'bearish'} {name}"


def _counted(name: str, text: str) -> str:
    """ "list green dot" and "count red dot", with "today" or "week", where dots are to be listed or counted."""
    if not name.endswith(" dot"):
        return name
    if re.search(r"\bhow many\b|\b(count|number of)\b", text):
        period = "week" if re.search(r"\bthis week\b", text) else "today" if re.search(r"\btoday\b", text) else ""
        return f"count {name} {period}".strip()
    few = _LAST_FEW.search(text)
    if few:
        return f"list {name} {min(int(_NUMBERS.get(few[1], few[1])), 5)}"
    return f"list {name} 5" if _LISTING.search(text) else name


def asked_levels(tags: list[Tag], *, of_period: bool) -> tuple[str, ...]:
    """Names of a profile's facts that a clause asks for; of a period its first sentence tells some anyway."""
    text = moods.text_of(tags)
    found = [name for name, pattern in _OF_PROFILES if pattern.search(text)]
    if of_period:
        found = [name for name in found if name not in _IN_HEADLINE]
    if "naked" in found and (side := re.search(r"\b(above|over|below|under|beneath)\b", text)):
        found[found.index("naked")] = f"naked {'above' if side[1] in {'above', 'over'} else 'below'}"
    return tuple(found)


def not_recorded(tool: str, tags: list[Tag]) -> str:
    """What a clause asks of a read-only tool that it cannot tell, as the first sentence of the answer; else nothing."""
    text = moods.text_of(tags)
    if tool == "get_quote" and _PAST.search(text):
        return _PRICE_NOW
    if tool == "analyze_cipher" and (missing := no_such_mark(text)):
        return missing
    if tool == "analyze_cipher":
        at = moment_in(tags)[0]
        return "" if not at or set(at.split()) & _NOT_PAST else f"This is the panel as it stands now, not of `{at}`."
    if tool == "get_portfolio" and _PERIOD.search(text) and _PROFIT.search(text):
        return _PROFIT_SINCE
    return ""
