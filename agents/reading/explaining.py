"""Questions that ask why: for a mark of the panel that is or is not there, a ticket, an order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from agents.reading import moods
from agents.reading.moments import moment_in
from agents.reading.tagging import Tag
from agents.reading.types import ReadingContext, Request
from tools.subjects import read_subject

TOOL: Final = "explain_decision"
# A market and a timeframe, None where the words leave it open.
Place = tuple[str | None, str | None]

_WHY: Final = re.compile(
    r"\b(?:why|y (?:no|not|did|was|is|the)|how come"
    r"|what(?:'s| is| was) the reason|reason (?:for|why)|what made|what caused)\b"
)
_WHAT_WOULD: Final = re.compile(
    r"\b(?:what (?:would|could|should) (?:have|it (?:have )?(?:take|taken|need|needed))"
    r"|what (?:was|is) (?:missing|lacking)"
    r"|what's missing|what (?:did|does) it (?:need|lack|take)|how close (?:was|is|did)|by how much|what (?:would )?flip"
    r"|what it would (?:take|have taken)|flipped)\b"
)
_EXPLAIN: Final = re.compile(r"\b(?:explain|justify|break down)\b")
# Marks whose name alone makes a why-question one of ours; "green" and "red" alone are colours.
_MARKS: Final = re.compile(
    r"\b(?:dots?|circles?|signals?|divergences?|divs?|diverge|diamonds?|triangles?|sommi|flag|gold(?:en)?|cross(?:ed|es)?"
    r"|fired?|print(?:ed)?|no (?:green|red|buy|sell))\b"
)
_DECISIONS: Final = re.compile(
    r"\b(?:orders?|tickets?|trades?|fill|fills|filled|denied|denial|refused|rejected|expired|that size|so small|so "
    r"(?:big|large)|cancelled|canceled)\b"
)
_ALONE: Final = re.compile(
    r"(?:and |but |so |ok |hm+ )*(?:why|why not|how come|why is that|why so|how so)(?: then| though)?"
)
_FILLED_UP: Final = re.compile(
    r"(?:and|what|how|about|why|not|same|or|also|then|for|on|at|the|a|in|with|there|one|was|it|that|ok|so|now|of|did"
    r"|green|red|gold|golden|buy|sell|blood|moon|bullish|bearish|hidden|dots?|diamonds?|divergences?|circles?|signals?"
    r"|candle|close|cross|up|down|before|after|again|instead|please)"
)
_OF_THE_RIBBON: Final = re.compile(
    r"\b(?:(?:blood|dump|moon|red|green) diamonds?|blue triangles?|yellow (?:x|cross)|(?:long|short) circles?"
    r"|(?:bull|bear) candles?|sommi)\b"
)
_IS_THERE: Final = re.compile(r"\b(?:any|is there|are there|did .* (?:print|show|fire)|was there|last|latest)\b")
_COLOUR: Final = re.compile(r"green|red|gold|golden|buy|sell")
_NOT_A_PLACE: Final = re.compile(
    r"\b(?:strategy|strategies|backtest|alert|alerts|scan|screen|screener|coins"
    r"|(?:which|what) (?:coin|symbols?|markets?|assets?))\b"
)
QUESTION: Final = (
    "Which signal, ticket or order? For example `why no green dot on {a} 4h at 14:00?` or `why was T-3 denied?`"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a clause asks to have explained: the words that say it, and the time they name."""

    subject: str
    at: str


def asks_why(tags: list[Tag]) -> bool:
    """True where a clause says why, whatever of."""
    return _WHY.search(moods.text_of(tags)) is not None


def explains(tags: list[Tag]) -> bool:
    """True for "why no green dot?", "why was my order denied?" and "what would have flipped the red dot?"."""
    text = f"{moods.text_of(tags)}"
    if _NOT_A_PLACE.search(text):
        return False
    decided = _decided(tags, text)
    if _WHY.search(text) and (decided or _MARKS.search(text)):
        return True
    named = _MARKS.search(text) is not None and read_subject(text).kind == "event"
    if _WHAT_WOULD.search(text) and (named or decided):
        return True
    where = any(t.kind in {"symbol", "timeframe", "clock", "ticket"} for t in tags)
    return _EXPLAIN.search(text) is not None and ((named and where) or any(t.kind == "ticket" for t in tags))


def asks(tags: list[Tag], context: ReadingContext) -> bool:
    """True for a question that asks why, by itself or with what the thread has spoken of: "explain the green dot"."""
    text = moods.text_of(tags)
    if explains(tags) or asks_on(tags, context) or _looks_for(tags, text):
        return True
    pointed = _EXPLAIN.search(text) is not None and re.search(r"\b(?:the|that|this|last)\b", text) is not None
    return pointed and context.last_symbol is not None and read_subject(text).kind == "event"


def _looks_for(tags: list[Tag], text: str) -> bool:
    """True for "any blood diamond on eth 4h?": a mark that the panel's own answer does not speak of."""
    if not _OF_THE_RIBBON.search(text) or _NOT_A_PLACE.search(text):
        return False
    return _IS_THERE.search(text) is not None or any(t.kind in {"symbol", "timeframe"} for t in tags)


def asks_why_alone(tags: list[Tag]) -> bool:
    """True for "why?" by itself: the sentence before it says of what."""
    return _ALONE.fullmatch(moods.text_of(tags)) is not None


def asks_on(tags: list[Tag], context: ReadingContext) -> bool:
    """True for words that go on with an explanation: "what would have flipped it?", "and at 16:00?", "why not?"."""
    text = moods.text_of(tags)
    if context.last_explained and "flip" in text and _WHAT_WOULD.search(text):
        return True
    if context.last_tool != TOOL or not context.last_explained:
        return False
    if _ALONE.fullmatch(text) or _WHAT_WOULD.search(text):
        return True
    at, rest = moment_in(tags)
    words = [t.text for t in rest if t.kind == "word"]
    if not all(_FILLED_UP.fullmatch(word) for word in words) or any(t.kind == "number" for t in rest):
        return False
    return (
        bool(at)
        or read_subject(" ".join(words)).kind == "event"
        or any(t.kind in {"symbol", "timeframe", "ticket"} for t in rest)
    )


def asks_of_nothing(tags: list[Tag], context: ReadingContext) -> bool:
    """True for "what would have flipped it?" where nothing was explained before."""
    return not context.last_explained and "flip" in moods.text_of(tags) and not explains(tags)


def without_moment(tags: list[Tag]) -> list[Tag]:
    """The tags that are no part of a time: the `2h` of "2 hours ago" is no timeframe."""
    return moment_in(tags)[1]


def asked(tags: list[Tag]) -> Asked:
    """The words of a question without its time, market and timeframe."""
    at, rest = moment_in(tags)
    said = " ".join(t.text for t in rest if t.kind not in {"punct", "symbol", "timeframe"})
    return Asked(_tidy(said), at)


def requests(tags: list[Tag], places: Sequence[Place], context: ReadingContext) -> list[Request]:
    """One call for every market and timeframe that is named; what is left open comes from the thread."""
    if not explains(tags) and asks_on(tags, context):
        return _follow_up(tags, places, context)
    found = asked(tags)
    decided = read_subject(found.subject).kind in {"ticket", "order"}
    symbol, span = (None, None) if decided else (context.last_symbol, context.last_timeframe)
    subjects = [found.subject] if decided else _one_by_one(found.subject)
    named = [(market or symbol, timeframe or span) for market, timeframe in places]
    return [_request(subject, *place, found.at) for subject in subjects for place in named]


def _follow_up(tags: list[Tag], places: Sequence[Place], context: ReadingContext) -> list[Request]:
    """The last explanation again, with what the words change of it."""
    before = dict(context.last_explained)
    # What was added to it before, as "what would have flipped it: ", is not said again.
    last = before.get("subject", "").rpartition(": ")[2]
    found = asked(tags)
    now = read_subject(found.subject)
    if now.kind == "unknown":
        subject = f"{found.subject}: {last}" if now.flips else last
    elif now.kind == "event" and read_subject(last).absent and not now.absent:
        subject = f"why no {found.subject}"
    else:
        subject = found.subject
    at = found.at or before.get("at", "")
    return [
        _request(subject, symbol or before.get("symbol"), timeframe or before.get("timeframe"), at)
        for symbol, timeframe in places
    ]


def _one_by_one(subject: str) -> list[str]:
    """ "why did the green and the gold dot not fire" asks about two dots: the same words for each colour."""
    colours = [word for word in subject.split() if _COLOUR.fullmatch(word)]
    if len(colours) < 2:
        return [subject]
    return [
        " ".join(word for word in subject.split() if word == colour or word not in colours)
        for colour in dict.fromkeys(colours)
    ]


def _request(subject: str, symbol: str | None, timeframe: str | None, at: str) -> Request:
    args: dict[str, Any] = {"subject": subject}
    args |= {"symbol": symbol} if symbol else {}
    args |= {"timeframe": timeframe} if timeframe else {}
    return Request(TOOL, args | ({"at": at} if at else {}))


def _decided(tags: list[Tag], text: str) -> bool:
    return any(t.kind in {"ticket", "order_id"} for t in tags) or _DECISIONS.search(text) is not None


def _tidy(text: str) -> str:
    """Without the joints that a time or a market left behind: "and the green dot on at"."""
    words = text.split()
    while words and words[0] in {"and", "the", "a", "what", "how", "about"} and words[1:2] != ["would"]:
        if words[0] in {"what", "how"} and words[1:2] != ["about"]:
            break
        words.pop(0)
    while words and words[-1] in {"on", "at", "in", "for", "of", "the", "utc", "and", "from"}:
        words.pop()
    return " ".join(words)
