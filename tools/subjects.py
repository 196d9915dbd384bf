"""What is to be explained: a mark of the panel, a ticket, or an order, read out of a question's words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

SubjectKind = Literal["event", "ticket", "order", "unknown"]

# Patterns over lower-case words, the more particular ones first; the first that fits names the event. Where a word
# leaves the side open, both events stand there and the panel's own side decides.
_EVENTS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (r"(?:bull\w*|buy|green) sommi diamonds?|sommi (?:bull\w*|buy|green) diamonds?", ("sommi_bull_diamond",)),
    (r"(?:bear\w*|sell|red) sommi diamonds?|sommi (?:bear\w*|sell|red) diamonds?", ("sommi_bear_diamond",)),
    (r"sommi diamonds?", ("sommi_bull_diamond", "sommi_bear_diamond")),
    (r"(?:bull\w*|buy|green) sommi|sommi (?:flag )?(?:bull\w*|buy|up)", ("sommi_bull",)),
    (r"(?:bear\w*|sell|red) sommi|sommi (?:flag )?(?:bear\w*|sell|down)", ("sommi_bear",)),
    (r"sommi(?: flags?)?", ("sommi_bull", "sommi_bear")),
    (r"blood diamonds?|dump diamonds?", ("blood_diamond",)),
    (r"moon diamonds?", ("moon_diamond",)),
    (r"red diamonds?", ("red_diamond",)),
    (r"green diamonds?", ("green_diamond",)),
    (r"blue triangles? up|(?:bull\w*|up) blue triangles?", ("blue_triangle_up",)),
    (r"blue triangles? down|(?:bear\w*|down) blue triangles?", ("blue_triangle_down",)),
    (r"blue triangles?", ("blue_triangle_up", "blue_triangle_down")),
    (r"yellow (?:x|cross) up|bull\w* yellow (?:x|cross)", ("yellow_x_up",)),
    (r"yellow (?:x|cross) down|bear\w* yellow (?:x|cross)", ("yellow_x_down",)),
    (r"yellow (?:x|cross)(?:es)?", ("yellow_x_up", "yellow_x_down")),
    (r"red (?:x|cross)(?:es)?", ("red_x",)),
    (r"green (?:x|cross)(?:es)?", ("green_x",)),
    (r"long circles?|ema long", ("long_circle",)),
    (r"short circles?|ema short", ("short_circle",)),
    (r"bull candles?|bullish candles?", ("bull_candle",)),
    (r"bear candles?|bearish candles?", ("bear_candle",)),
    (r"gold(?:en)? (?:dots?|circles?|signals?)|gold(?:en)?\b", ("gold_dot",)),
    (r"(?:buy|bull\w*|green) div\w* (?:dots?|circles?)", ("buy_div_dot",)),
    (r"(?:sell|bear\w*|red) div\w* (?:dots?|circles?)", ("sell_div_dot",)),
    (r"div\w* (?:dots?|circles?)", ("buy_div_dot", "sell_div_dot")),
    (r"(?:green|buy|bull\w*|long|lime) (?:dots?|circles?|signals?)", ("green_dot",)),
    (r"(?:red|sell|bear\w*|short) (?:dots?|circles?|signals?)", ("red_dot",)),
    (r"cross(?:ed|es|ing)? (?:up|over|above)|(?:bull\w*|up|buy) cross(?:over)?|golden cross", ("cross_up",)),
    (r"cross(?:ed|es|ing)? (?:down|under|below)|(?:bear\w*|down|sell) cross(?:under)?", ("cross_down",)),
    (r"cross(?:ed|es|ing|over|under)?\b", ("cross_up", "cross_down")),
)
# Colours that no dot of the panel has, as a question may name them; slips of the finger are mended before.
_COLOURS: Final = re.compile(
    r"\b(purple|violet|white|black|orange|pink|grey|gray|brown|silver|cyan|teal|turquoise|magenta|aqua"
    r"|(?:blue|yellow|blood|moon)(?= (?:dot|circle))) (dots?|circles?|diamonds?|triangles?|signals?)\b"
)
_SLIPS: Final = re.compile(r"\b(grean|gren|geen|grren|greeen)\b")
DOTS: Final = "green, red and gold dots, and buy and sell divergence dots"
# A name as the engine writes it.
_NAME: Final = re.compile(r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b")
_DIVERGENCE: Final = re.compile(r"\b(?:div|divs|divergences?|diverg(?:e|ed|ing))\b")
_PLAIN_MARKS: Final = re.compile(r"\b(?:dots?|circles?|signals?|green|red)\b")
_BULLISH: Final = re.compile(r"\b(?:bull\w*|buy|green|long|up)\b")
_BEARISH: Final = re.compile(r"\b(?:bear\w*|sell|red|short|down)\b")
_TICKET: Final = re.compile(r"\bt-?(\d{1,9})\b")
_ORDER_ID: Final = re.compile(r"\bqtp-[a-z0-9-]{3,64}\b")
_ORDER_WORDS: Final = re.compile(
    r"\b(?:orders?|tickets?|trades?|fills?|filled|denied|denial|refused|rejected|cancell?ed|expired|proposal)\b"
)
_DENIED: Final = re.compile(r"\b(?:denied|denial|refused?|not allowed|blocked|turned down|not possible)\b")
_SIZE: Final = re.compile(r"\b(?:size|sized|small|large|big|quantity|amount|so (?:much|little|many|few))\b")
_ABSENT: Final = re.compile(
    r"\b(?:no|not|none|never|missing|without|lacking|absent|didn'?t|doesn'?t|isn'?t|wasn'?t|hasn'?t|haven'?t|weren'?t|"
    r"aren'?t|won'?t|couldn'?t|nothing)\b"
)
_FLIP: Final = re.compile(
    r"\b(?:flip\w*|missing|lacking|close was it|how close|how far|by how much|what would|would it have|what did it need"
    r"|what (?:does|did) it (?:need|take)|what could have|what if|to get (?:a|the|one)|to fire|short of)\b"
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a question asks to have explained.

    Attributes:
        events: names of the panel's events that it may mean, both sides where its words leave the side open.
        absent: it asks why something is not there.
        flips: it asks what would have changed it.
        ticket: a ticket's label, such as `T-3`.
        order_id: an order's id.
        denied: it asks about a refusal.
        size: it asks about a quantity.
        missing: a mark that the panel does not have, such as `purple dot`.
    """

    kind: SubjectKind
    events: tuple[str, ...] = ()
    absent: bool = False
    flips: bool = False
    ticket: str = ""
    order_id: str = ""
    denied: bool = False
    size: bool = False
    missing: str = ""


def read_subject(text: str) -> Subject:
    """What the words ask about; `unknown` where they name nothing that can be explained."""
    written = text.lower().replace("’", "'")
    words = _SLIPS.sub("green", " ".join(written.replace("_", " ").split()))
    absent, flips = _ABSENT.search(words) is not None, _FLIP.search(words) is not None
    ticket, order_id = _TICKET.search(words), _ORDER_ID.search(words)
    if ticket:
        size = _SIZE.search(words) is not None
        return Subject("ticket", ticket=f"T-{ticket[1]}", absent=absent, flips=flips, size=size)
    if order_id:
        return Subject("order", order_id=order_id[0], absent=absent, flips=flips)
    orders = _ORDER_WORDS.search(words) is not None
    name = _NAME.search(written)
    strange = None if name else _COLOURS.search(words)
    if strange:
        return Subject("event", absent=absent, flips=flips, missing=f"{strange[1]} {strange[2].removesuffix('s')}")
    events = (name[0],) if name else () if orders and _DENIED.search(words) else _events(words)
    if events:
        return Subject("event", events=events, absent=absent, flips=flips)
    if orders:
        denied, size = _DENIED.search(words) is not None, _SIZE.search(words) is not None
        return Subject("order", absent=absent, flips=flips, denied=denied, size=size)
    return Subject("unknown", absent=absent, flips=flips)


def no_such_mark(text: str) -> str:
    """What to say first of words that name a dot of a colour there is none of; else nothing."""
    missing = read_subject(text).missing
    return f"There is no {missing} on this panel; it has {DOTS}." if missing else ""


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]:
    return tuple((re.compile(rf"\b(?:{pattern})"), names) for pattern, names in _EVENTS)


def _events(words: str) -> tuple[str, ...]:
    for pattern, names in _patterns():
        if pattern.search(words):
            return names if not _DIVERGENCE.search(words) or "div" in names[0] else _divergences(words)
    if _DIVERGENCE.search(words):
        return _divergences(words)
    if _PLAIN_MARKS.search(words):
        return _sided(words, "green_dot", "red_dot")
    return ()


def _divergences(words: str) -> tuple[str, ...]:
    """Which divergence: of the waves unless RSI or Stoch is named, regular unless hidden, main range unless second."""
    if re.search(r"\bgold(?:en)?\b", words):
        return ("gold_dot",)
    of = "stoch" if re.search(r"\bstoch", words) else "rsi" if re.search(r"\brsi\b", words) else "wt"
    hidden = "hidden_" if re.search(r"\bhidden\b", words) else ""
    second = "2" if of == "wt" and not hidden and re.search(r"\b(?:second|2nd|div2|range 2)\b", words) else ""
    return _sided(words, f"{of}_{hidden}bull_div{second}", f"{of}_{hidden}bear_div{second}")


def _sided(words: str, bullish: str, bearish: str) -> tuple[str, ...]:
    up, down = _BULLISH.search(words), _BEARISH.search(words)
    if up and not down:
        return (bullish,)
    return (bearish,) if down and not up else (bullish, bearish)
