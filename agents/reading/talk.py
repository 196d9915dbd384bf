"""Messages that ask for no tool: greetings, thanks, approvals in words, other languages, nonsense, novels."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from agents.reading import moods
from agents.reading.explaining import asks_why
from agents.reading.replies import example_assets, small_talk
from agents.reading.tagging import Tag
from agents.reading.tokens import MAX_CHARACTERS
from agents.reading.types import Reading, ReadingContext, Request, SmallTalk
from agents.reading.vocabulary import (
    EVERYDAY,
    FOREIGN_NEGATION_MARKS,
    FOREIGN_TRADE_MARKS,
    FOREIGN_TRADE_VERBS,
    FOREIGN_WORDS,
    NEGATIONS,
    QUESTION_STARTS,
)
from agents.reading.waiting import asks_for_tickets, tickets_reply

_GREETING: Final = re.compile(
    r"(hi|hello|hey|hiya|howdy|yo|gm|ga|gn|greetings|good "
    r"(morning|afternoon|evening|day)|sup|what's up|whats up|wassup|how are you)"
    r"( (there|all|desk|everyone|mate|bro|man|again|sir|friend|team|buddy|how are you|today|doing|you|trader))*"
)
_THANKS: Final = re.compile(
    r"((ok|okay|great|perfect|cool|nice|awesome|super|alright|got it|good)\s?)*(many "
    r")?(thanks|thank you|thx|ty|tysm|cheers|much appreciated)?"
    r"( (a lot|so much|very much|mate|bro|man|again|for the help|for that))*"
)
_GOODBYE: Final = re.compile(
    r"(bye|goodbye|good bye|see (you|ya)|cya|good night|later|take care|bye bye|ciao)( (later|tomorrow|now|mate|soon))*"
)
_HELP: Final = re.compile(
    r"(please )?(help( me)?|what (can|do) you do|what can i (ask|do|say)( you)?|what are "
    r"you( able to do)?|who are you|commands?|menu|options"
    r"|how does (this|it) work|how do (you|i) (work|use (this|you|it))|what is this|what's "
    r"this|getting started|instructions|features"
    r"|what are your (commands|features|abilities|capabilities)|show( me)? (the "
    r")?(help|commands)|what else can you do|start)( (please|for me|here|with you))*"
)
_MARKETS: Final = re.compile(
    r"(?:please )?(?:(?:what|which) (?:coins|markets|symbols|pairs|assets|tokens|cryptos?)(?: (?:can|do) (?:i|you|we) "
    r"(?:trade|buy|have|list|offer)| are (?:there|available|listed|supported))?"
    r"|(?:list|show)(?: me)?(?: all)?(?: the)?(?: available)? (?:coins|markets|symbols|pairs|assets))(?: here| please)?"
)
_LIMITS: Final = re.compile(
    r"(?:what are|what's|whats|show(?: me)?|list|what is)(?: my| the)?(?: risk| order| account| trading)? limits?"
    r"|how (?:big|large) can (?:an|my) order be|(?:my )?(?:risk )?limits"
)
# Words switch nothing: whoever wants trading stopped has to hear at once that it is not, and what does stop it.
_SWITCH: Final = re.compile(
    r"(?:(?:please|pls|now|ok|just|can you|could you) )*(?:"
    r"(?:halt|freeze|suspend|pause|stop|resume|restart|unhalt|unpause) (?:(?:all|any|the|my|our|every) )*"
    r"(?:trading|trades|desk|everything)|halt|freeze|panic|emergency(?: stop)?|resume|unhalt"
    r"|(?:(?:pull|press|hit|use|trigger|activate|the) )*kill ?switch)"
    r"(?: (?:now|please|pls|immediately|right|at once|again|asap))*"
)
_MANY_NON_LATIN: Final = re.compile(r"[^\x00-\u024f\u1e00-\u1eff\u2000-\u2bff\U0001f000-\U0001faff]")


def talk_first(text: str, tags: list[Tag], context: ReadingContext) -> Reading | None:
    """The reply to a message that is small talk as a whole; None when it has to be read."""
    if all(t.kind == "punct" for t in tags):
        return said("empty" if not text.strip() else "unknown", context)
    words = moods.text_of(tags)
    if moods.stands_down(tags):
        return said("stand_down", context)
    if moods.is_approval(tags) and not asks_why(tags):
        return _approval(tags, context)
    if asks_for_tickets(tags):
        return Reading(small_talk="approval_words", reply=tickets_reply(context))
    for kind, pattern in _WHOLE:
        if words and pattern.fullmatch(words):
            return said(kind, context)
    if moods.is_how_to(tags) and moods.mentions_trading(tags) and "how much" not in words:
        return said("how_to_order", context)
    return None


_WHOLE: Final[tuple[tuple[SmallTalk, re.Pattern[str]], ...]] = (
    ("greeting", _GREETING),
    ("help", _HELP),
    ("markets", _MARKETS),
    ("limits", _LIMITS),
    ("switch", _SWITCH),
    ("thanks", _THANKS),
    ("goodbye", _GOODBYE),
)


def _approval(tags: list[Tag], context: ReadingContext) -> Reading:
    """Words never decide a ticket; "no" to a question about an order drops it."""
    words = {t.text for t in tags}
    if context.pending_order is not None and not context.pending_tickets and words & {"no", "nope", "nah", "n"}:
        return said("stand_down", context)
    asked = tuple(t.text.upper() for t in tags if t.kind == "ticket")
    return Reading(small_talk="approval_words", reply=tickets_reply(context, asked))


def talk(tags: list[Tag], context: ReadingContext, *, negated: bool, mentioned: bool) -> Reading:
    """The reply to a message in which nothing could be read."""
    if negated:
        return said("declined", context)
    words = [t.text for t in tags if t.kind == "word"]
    text = " ".join(words)
    if _is_foreign(words, text):
        return replace(said("language", context), asks_for_order=speaks_of_trading(text))
    known = sum(w in EVERYDAY | QUESTION_STARTS for w in words)
    if not mentioned and len(words) >= 3 and known * 2 >= len(words):
        return said("off_topic", context)
    return said("unknown", context)


def said(kind: SmallTalk, context: ReadingContext) -> Reading:
    """A reading that is only a reply."""
    return Reading(small_talk=kind, reply=small_talk(kind, context))


def speaks_of_trading(text: str) -> bool:
    """True when a text in another language has a verb of buying or selling in it, and no negation."""
    lower = text.lower()
    found = set(re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", lower))
    if found & NEGATIONS or any(mark in lower for mark in FOREIGN_NEGATION_MARKS):
        return False
    return bool(FOREIGN_TRADE_VERBS & found) or any(mark in lower for mark in FOREIGN_TRADE_MARKS)


def is_foreign(tags: list[Tag]) -> bool:
    """True when a message is in another language, as far as its words tell."""
    words = [t.text for t in tags if t.kind == "word"]
    return _is_foreign(words, " ".join(words))


def _is_foreign(words: list[str], text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    strange = sum(_MANY_NON_LATIN.match(c) is not None for c in letters)
    if letters and strange * 3 >= len(letters):
        return True
    return sum(w in FOREIGN_WORDS or w in FOREIGN_TRADE_VERBS for w in words) >= 2


def listed_reading(reading: Reading, context: ReadingContext, *, cut: bool = False) -> Reading:
    """A long message: its requests as a list to confirm, nothing carried out."""
    found = list(reading.requests)
    unread = f" Only its first `{MAX_CHARACTERS:,}` characters were read." if cut else ""
    first, _ = example_assets(context)
    if not found:
        reply = (
            f"That is a long message, and I found no request in it that I could be sure of. Ask "
            f"one thing at a time, for example `cipher {first} 4h`."
        )
        return Reading(small_talk="long", reply=reply)
    lines = [f"- `{describe(r)}`" for r in found[:20]]
    more = f"\n… and {len(found) - 20} more." if len(found) > 20 else ""
    reply = (
        "That is a long message; nothing was done. These requests were found in it. Send the "
        "ones you want, one message each:\n"
    )
    return Reading(small_talk="long", reply=reply + "\n".join(lines) + more + unread, listed=tuple(found))


def describe(request: Request) -> str:
    """A request in words that read as the same request again."""
    args = request.args
    match request.tool:
        case "propose_order":
            return _order_words(args)
        case "propose_close":
            return f"sell {Decimal(str(args['fraction'])) * 100:f} % of my {args['symbol']}"
        case "propose_cancel" if "order_id" in args:
            return f"cancel order {args['order_id']}"
        case "propose_cancel":
            what = f"{args['only']}s" if "only" in args else "orders"
            return f"cancel my {args['symbol']} {what}" if "symbol" in args else f"cancel all my {what}"
        case "propose_replace":
            named = f"order {args['order_id']}" if "order_id" in args else f"my {args['symbol']} order"
            changed = (f"{name.replace('_', ' ')} {args[name]}" for name in args if name not in {"order_id", "symbol"})
            return f"change {named} to {', '.join(changed)}"
        case "analyze_cipher":
            return f"cipher {args['symbol']} {args['timeframe']}"
        case "analyze_volume_profile":
            spread = f" last {args['lookback']} candles" if "lookback" in args else ""
            return f"volume profile {args['symbol']} {args['timeframe']}{spread}"
        case "get_quote":
            return f"price of {args['symbol']}"
        case "get_portfolio":
            return "show my positions"
        case "list_orders":
            return f"{args['status']} orders {args.get('symbol', '')}".strip()
        case tool:
            return tool.replace("_", " ")


def _order_words(args: dict[str, Any]) -> str:
    amount = _digits(args["quantity"])
    quote = args["symbol"].partition("/")[2]
    what = {
        "base": f"{amount} {args['symbol']}",
        "quote": f"{amount} {quote} of {args['symbol']}",
        "percent": f"{args['symbol']} with {amount} % of my account",
    }[args["unit"]]
    stop = f" stop {_digits(args['stop_price'])}," if "stop_price" in args else ""
    prices = [f"{label} {_digits(args[name])}" for name, label in _LABELS.items() if name in args]
    return ", ".join([f"{args['side']}{stop} {what}", *prices])


def _digits(value: float | int | str) -> str:
    return format(Decimal(str(value)), "f")


_LABELS: Final = {"limit_price": "limit", "stop_loss": "stop loss", "take_profit": "take profit"}
