"""What a message asks to be shown: which read-only tool its words mean."""

from __future__ import annotations

import re
from typing import Final

from agents.reading.explaining import explains
from agents.reading.reviewing import TOOL as REVIEW
from agents.reading.reviewing import looks_back
from agents.reading.tagging import Tag
from agents.reading.vocabulary import (
    CANCEL_VERBS,
    CIPHER_WORDS,
    PORTFOLIO_WORDS,
    PROFILE_WORDS,
    QUOTE_WORDS,
    VOCABULARY,
    words,
)

_PHRASES: Final = {
    "create_alert": (
        "let me know|tell me when|tell me if|tell me once|ping me|notify|remind me|warn "
        "me|text me|email me|message me when"
    ),
    "generate_strategy": "trading bot|make a bot|make me a bot|build a bot|trading system",
    "scan_market": (
        "which coins|which coin|which symbols|which markets|any coins|what coins|whats oversold|what's oversold"
        "|whats overbought|what's overbought|find me coins|which assets|best coins|top movers|gainers|losers|screener"
        "|moving today|what's hot|what's moving|whats moving|what's pumping|best performers|worst performers"
    ),
    "analyze_volume_profile": (
        "point of control|value area|inside value|in value|outside value|above value|below value|volume profile"
        "|high volume node|low volume node|initial balance|single prints|single print|poor high|poor low|market profile"
        "|london session|new york session|ny session|us session|asian session|asia session|tokyo session"
        "|session of london|session of new york|session of tokyo|session of asia|session profile|session poc"
        "|what's above price|whats above price|what's below price|whats below price"
        "|what is above price|what is below price|above the price|below the price"
    ),
    "analyze_cipher": (
        "how's the market|hows the market|how is the market|the market today|money flow|wave trend|good time|up or down"
        "|what's up with|whats up with|go up|go down|good entry|pump"
    ),
    "get_portfolio": (
        "how am i doing|am i up|am i down|do i hold|do i have|do i own|am i holding|i have left|what do i have"
        "|net worth|buying power|how did i do|how are we doing|how's my|can i spend|can i buy|can i afford|i got "
        "left|am i long|am i short|am i in|my risk|open risk|at risk"
    ),
    "get_quote": "how much is|how much does|how much for|trading at|what's it at|going for",
}
_PADDED: Final = {tool: tuple(f" {each} " for each in phrases.split("|")) for tool, phrases in _PHRASES.items()}
_WORDS: Final = (
    ("create_alert", frozenset({"alert", "alerts", "alarm", "notification", "notifications"})),
    ("backtest_strategy", frozenset({"backtest", "backtests", "backtesting", "back-test"})),
    ("generate_strategy", frozenset({"strategy", "strategies"})),
    ("scan_market", frozenset({"scan", "screen", "scanner", "scanning"})),
)
_ORDER_WORDS: Final = words("orders order trades fills fill filled executions")
_ALL_ORDERS: Final = words(
    "all history filled past closed cancelled canceled recent trades fills fill executed previous done completed every"
)
_OPEN_ORDERS: Final = words("open pending working resting active outstanding unfilled")
_WEAK_CIPHER: Final = words(
    "look looks looking doing going view take read reading chart charts happening heading "
    "picture situation compare "
    "strong weak cross crosses crossing crossed candle candles panel evidence verdict "
    "think thoughts strength top bottom "
    "direction setup setups"
)
_ALERT_VERBS: Final = frozenset({"delete", "remove", "cancel", "clear", "stop"})


_DONE: Final = re.compile(
    r"\b(?:(?:did|have) (?:i|we) (?:just |ever |already )?(?:buy|sell|bought|sold|trade|traded)"
    r"|(?:did|has|have|was|were) (?:my|the) (?:stop|stops|stop loss|sl|tp|target|take profit|limit|order|orders)\b.*"
    r"\b(?:trigger|triggered|fill|filled|hit|executed?|go through)|stopped out)\b"
)
_READING: Final = frozenset({"analyze_cipher", "analyze_volume_profile", "get_quote", "get_portfolio", "list_orders"})
_DESTROYING: Final = words("delete erase wipe")
# Words of the desk that are words of every day too; alone they make no sentence one for the desk.
_EVERYDAY_TOPICS: Final = _WEAK_CIPHER | words(
    "capital money net loss losses cost costs worth rate level levels support node nodes net moon dip bounce read take "
    "order bull bear bulls bears signal signals trend trends bias prediction forecast predict opinion performance bag "
    "status"
)
_OURS: Final = (CIPHER_WORDS | PROFILE_WORDS | PORTFOLIO_WORDS | QUOTE_WORDS | _ORDER_WORDS) - _EVERYDAY_TOPICS
_ELSEWHERE: Final = words("weather joke jokes")
# A shorter unknown word is as likely a slip of the finger.
_SHORTEST: Final = 4


def topic_of(tags: list[Tag]) -> str | None:
    """The tool that a clause without an order means, or None when none of its words names one."""
    words = [t.text for t in tags if t.kind != "punct"]
    text = f" {' '.join(words)} "
    known = set(words)
    if looks_back(tags):
        return REVIEW
    for tool in ("create_alert", "generate_strategy", "scan_market"):
        if _has(text, tool):
            return tool
    for tool, names in _WORDS:
        if known & names:
            return _alert_tool(words) if tool == "create_alert" else tool
    if explains(tags):
        return "explain_decision"
    for tool in ("analyze_volume_profile", "get_portfolio", "analyze_cipher"):
        if _has(text, tool) and not (tool == "get_portfolio" and known & _ORDER_WORDS):
            return tool
    return _by_word(tags, known, text)


def _by_word(tags: list[Tag], known: set[str], text: str) -> str | None:
    if _DONE.search(text):
        return "list_orders"
    if known & _ORDER_WORDS or (known & {"history"} and not known & CIPHER_WORDS):
        return "list_orders"
    if known & PROFILE_WORDS:
        return "analyze_volume_profile"
    has_symbol = any(t.kind == "symbol" for t in tags)
    if known & (CIPHER_WORDS - _WEAK_CIPHER) or ("dot" in known and "." not in known):
        return "analyze_cipher"
    if has_symbol and "my" in known and known & {"worth", "value"}:
        return "get_portfolio"
    if known & PORTFOLIO_WORDS and not (has_symbol and known & QUOTE_WORDS):
        return "get_portfolio"
    if known & QUOTE_WORDS or _has(text, "get_quote"):
        return "get_quote"
    if has_symbol and "at" in known and known & {"where", "where's", "wheres", "what", "what's", "whats"}:
        return "get_quote"
    return "analyze_cipher" if known & _WEAK_CIPHER else None


def _has(text: str, tool: str) -> bool:
    return any(phrase in text for phrase in _PADDED[tool]) or (tool == "create_alert" and " notify" in text)


def _alert_tool(words: list[str]) -> str:
    if words[0] in _ALERT_VERBS:
        return "delete_alert"
    listing = {"my", "list", "show", "which", "what"} & set(words) and "when" not in words
    return "list_alerts" if listing and not {"set", "create", "add", "make"} & set(words) else "create_alert"


def clause_is_ours(tags: list[Tag]) -> bool:
    """False for "what is the capital of France" and "delete my account": words of the desk in a sentence not for it."""
    said = [t.text for t in tags if t.kind == "word"]
    if topic_of(tags) not in _READING or any(t.kind == "timeframe" or (t.kind == "symbol" and t.strong) for t in tags):
        return True
    first = next((t.raw.lower() for t in tags if t.kind != "punct"), "")
    if _DESTROYING & set(said) or first == "drop":
        return False
    unknown = [w for w in said if w in _ELSEWHERE or (len(w) >= _SHORTEST and w not in VOCABULARY)]
    unknown += [t.raw for t in tags if t.kind == "symbol" and not t.raw.isupper()]
    if not unknown:
        return True
    # Names in capitals that no market lists are looked up; among words nobody knows they count as such.
    symbols = [t for t in tags if t.kind == "symbol"]
    strange = len(unknown) + sum(t.raw.isupper() for t in symbols)
    return bool(set(said) & _OURS) and strange * 2 < len(said) + len(symbols)


def order_status(tags: list[Tag]) -> str:
    """`open` or `all`, whichever the words of a question about orders mean."""
    words = {t.text for t in tags}
    if _DONE.search(f" {' '.join(t.text for t in tags if t.kind != 'punct')} "):
        return "all"
    if words & _OPEN_ORDERS:
        return "open"
    return "all" if words & _ALL_ORDERS else "open"


def cancels(tags: list[Tag]) -> bool:
    """True when a clause asks to cancel something: an order, all orders, or just "cancel"."""
    words = [t.text for t in tags if t.kind != "punct"]
    if "cancel" in words:
        return not {"alert", "alerts"} & set(words)
    if not CANCEL_VERBS & set(words):
        return False
    named = any(t.kind == "order_id" for t in tags)
    return named or bool({"order", "orders"} & set(words))
