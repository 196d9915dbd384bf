"""How something is said: ordered, negated, asked, supposed, reported, taken back."""

from __future__ import annotations

import re
from typing import Final

from agents.reading.sizing import RISK
from agents.reading.tagging import Tag
from agents.reading.verbs import verb_at
from agents.reading.vocabulary import CANCEL_VERBS, GERUNDS, NEGATIONS, VOCABULARY, words

_SUPPOSING: Final = re.compile(
    r"\b(should (i|we|one)|would (it|i|buying|selling|now)|what if|if i|if we|suppose|supposing|imagine|hypothetically"
    r"|thinking (about|of)|think (about|of|i|it|we)|do you think|don't you think|considering|consider|wondering|wonder"
    r"|(good|right|bad|best|great) (time|idea|moment|entry|trade)|worth "
    r"(buying|selling|it)|advise|recommend|suggest|tempted|might|may i"
    r"|what would|what happens|what will|is it (wise|smart|ok|safe)|is now|better to|or hold|or wait|opinion)\b"
)
_HOW_TO: Final = re.compile(
    r"\b(how (do|can|would|should|could) (i|we|you)|how to|do i (need|have to)|can (i|we)|am i able|is it possible)\b"
)
_REPORTED: Final = re.compile(
    r"\b(told|tells|telling|says|said|saying|asked|advised|recommends|recommended|wants|wanted)\b"
)
_QUESTION_FIRST: Final = re.compile(
    r"(?:(?:hey|hi|so|and|but|ok|well|then|now|just|also|please)\s+)*"
    r"(?:what|what's|whats|where|where's|when|when's|why|how|how's|hows|which|who|is|are"
    r"|was|were|does|did|do|will|has|have|am)\b"
)
# "when btc hits 60k buy" is no question of when: an order waits for it.
_CONDITION_FIRST: Final = re.compile(
    r"(?:(?:hey|so|and|but|ok|well|then|just|also|please) )*when(?: \S+){1,3} "
    r"(?:hits?|reach(?:es)?|drops?|falls?|rises?|breaks?|dips?|touch(?:es)?|cross(?:es)?|gets|goes|comes|closes|opens|trades|turns|bounces|pumps|dumps"
    r"|is (?:at|above|below|under|over|back))\b"
)
_POLITE: Final = re.compile(
    r"\b(can you|could you|will you|would you (please|kindly|mind)|please|pls|plz|for me|i "
    r"want|i'd like|i would like)\b"
)
_WOULD_YOU: Final = re.compile(r"\bwould you\b(?! (please|kindly|mind))(?!.*\bfor me\b)")
_STAND_DOWN: Final = re.compile(
    r"\b(never ?mind|nvm|forget (it|that|about it)|scratch that|just kidding|jk|kidding|on "
    r"second thou?ght|disregard|changed my mind"
    r"|^stop$|^wait$"
    r"|actually no|not anymore|cancel that|leave it|hold off|abort)\b"
)
_TICKET_VERBS: Final = words(
    "approve approved confirm confirmed accept accepted reject rejected decline execute submit authorize authorise sign"
)
_CONSENT: Final = words(
    "yes y yep yeah yea yup ok okay k sure fine agreed affirmative proceed do it that "
    "this go ahead for please pls now place send lgtm "
    "confirm confirmed confirming approve approved approving accept accepted execute "
    "submit authorize authorise the my ticket tickets "
    "order orders trade all sounds good looks great perfect right correct absolutely "
    "definitely and i let's lets make so thanks "
    "reject rejected decline no nope n nah both them last one"
)
_CONSENT_HEADS: Final = words(
    "yes y yep yeah yea yup sure proceed agreed affirmative lgtm confirm confirmed "
    "confirming approve approved approving accept accepted "
    "execute submit authorize authorise reject rejected decline no nope nah absolutely "
    "definitely ok okay go do place send"
)


def text_of(tags: list[Tag]) -> str:
    """The words of a clause, in lower case, one space between them."""
    return " ".join(t.text for t in tags if t.kind != "punct")


def is_negated(tags: list[Tag]) -> bool:
    """True when a negation stands before an order verb or a cancellation in the same sentence, or ends it."""
    negated = False
    for index, tag in enumerate(tags):
        following = tags[index + 1] if index + 1 < len(tags) else None
        if tag.kind == "word" and tag.text in NEGATIONS and not _harmless(tag, following):
            negated = True
        acts = verb_at(tags, index) is not None or (tag.kind == "word" and tag.text in GERUNDS | CANCEL_VERBS | RISK)
        if negated and acts:
            return True
    return False


def _harmless(tag: Tag, following: Tag | None) -> bool:
    if tag.text in {"no", "nope", "nah"}:
        return (
            following is None
            or following.kind == "punct"
            or following.text in {"stop", "sl", "tp", "limit", "problem", "worries"}
        )
    return tag.text == "stop" and (following is None or following.text not in GERUNDS)


def mentions_trading(tags: list[Tag]) -> bool:
    """True when an order verb, in any form, stands in the clause."""
    return count_trading(tags) > 0


def count_trading(tags: list[Tag]) -> int:
    """How many order verbs, in any form, stand in the clause."""
    return sum(verb_at(tags, i) is not None or (t.kind == "word" and t.text in GERUNDS) for i, t in enumerate(tags))


def is_verbless_order(tags: list[Tag]) -> bool:
    """True for "0.1 btc" and "byu 0.1 btc": a short statement of a quantity and a market without a verb."""
    kinds = [t.kind for t in tags if t.kind != "punct"]
    words = [t.text for t in tags if t.kind == "word"]
    return (
        len(kinds) <= 5
        and kinds.count("number") == 1
        and kinds.count("symbol") == 1
        and len(words) <= 2
        and not any(t.text == "?" for t in tags)
        and not is_question(tags)
        and all(w.isascii() and w not in VOCABULARY for w in words)
    )


def is_supposed(tags: list[Tag]) -> bool:
    """True for "should I buy", "what if I sell", "thinking about buying": nothing is ordered."""
    text = text_of(tags)
    if _SUPPOSING.search(text) or _WOULD_YOU.search(text):
        return True
    sides = [t.text for t in tags if t.kind == "word"]
    either = "or" in sides and {"buy", "sell"} <= set(sides)
    return either and not any(t.kind == "number" for t in tags)


def is_how_to(tags: list[Tag]) -> bool:
    """True for "how do I buy", "can I sell", "do I need a stop when I buy"."""
    return _HOW_TO.search(text_of(tags)) is not None


def is_reported(tags: list[Tag]) -> bool:
    """True when somebody else is quoted."""
    return _REPORTED.search(text_of(tags)) is not None


def is_question(tags: list[Tag]) -> bool:
    """True when the clause begins as a question does."""
    return _QUESTION_FIRST.match(text_of(tags)) is not None and not is_condition(tags)


def is_condition(tags: list[Tag]) -> bool:
    """True for "when it hits 60k buy 0.1 btc": an order that is to wait for something, in one clause."""
    return mentions_trading(tags) and _CONDITION_FIRST.match(text_of(tags)) is not None


def is_polite(tags: list[Tag]) -> bool:
    """True for "can you sell ... ?" and other orders in the form of a question."""
    return _POLITE.search(text_of(tags)) is not None


def stands_down(tags: list[Tag]) -> bool:
    """True when something said before is taken back."""
    return _STAND_DOWN.search(text_of(tags)) is not None


def is_approval(tags: list[Tag]) -> bool:
    """True for "yes do it", "approve T-3", "go ahead": words that would decide a ticket, and never do."""
    if any(t.kind in {"symbol", "number", "timeframe", "fraction", "order_id"} for t in tags):
        return False
    words = [t.text for t in tags if t.kind == "word"]
    if any(t.kind == "ticket" for t in tags):
        return bool(_TICKET_VERBS & set(words)) or not words or set(words) <= _CONSENT | {"cancel", "edit", "delete"}
    return bool(words) and set(words) <= _CONSENT and bool(_CONSENT_HEADS & set(words)) and len(words) <= 12
