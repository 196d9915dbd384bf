"""A message cut into clauses, each an order, a cancellation or something to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from agents.reading import moods
from agents.reading.changing import changes
from agents.reading.explaining import asks_why, explains
from agents.reading.prices import find_roles
from agents.reading.sizing import names_risk
from agents.reading.tagging import Tag
from agents.reading.topics import cancels, topic_of
from agents.reading.verbs import Verb, verb_at, verbs_in
from agents.reading.vocabulary import GERUNDS, words

ClauseKind = Literal["order", "cancel", "change", "show"]

_SPLITTERS: Final = frozenset({",", ";", "—", "–", "&", "+", "/", "\n"})
_JOINING_WORDS: Final = frozenset({"and", "then", "also", "plus", "vs", "versus", "but"})
_SENTENCE_ENDS: Final = frozenset({".", "!", "?", ";"})
_STANDALONE: Final = frozenset(
    {"create_alert", "scan_market", "generate_strategy", "backtest_strategy", "explain_decision", "review_decisions"}
)
_SHOWING: Final = words(
    "show tell give list display check see what what's whats where where's how how's hows which is are"
)
_COMMANDS: Final = words("cipher price volume poc portfolio compare analyze analyse alert scan explain")


@dataclass(slots=True)
class Clause:
    """Tags that belong together; `verb` is inherited from the order before where the clause has none."""

    kind: ClauseKind
    tags: list[Tag]
    verb: Verb | None = None


def sentences(tags: list[Tag]) -> list[tuple[list[Tag], bool]]:
    """The sentences of a message, and whether each ends in a question mark."""
    out: list[tuple[list[Tag], bool]] = []
    current: list[Tag] = []
    for tag in tags:
        if tag.kind == "punct" and (tag.text in _SENTENCE_ENDS or tag.text.startswith("..") or tag.text == "\n"):
            if current:
                out.append((current, tag.text == "?"))
            elif out and tag.text == "?":
                out[-1] = (out[-1][0], True)
            current = []
        else:
            current.append(tag)
    return [*out, (current, False)] if current else out


def clauses(sentence: list[Tag], *, supposed: bool) -> list[Clause]:
    """The clauses of one sentence; `supposed` ones hold no order, whatever their verbs."""
    out: list[Clause] = []
    for segment in _whole_questions(_segments(sentence)):
        _place(segment, out, supposed=supposed)
    return _without_dangling(out)


def _segments(tags: list[Tag]) -> list[list[Tag]]:
    out: list[list[Tag]] = [[]]
    for tag in tags:
        joins = tag.kind == "word" and tag.text in _JOINING_WORDS
        if joins or (tag.kind == "punct" and tag.text in _SPLITTERS):
            out.append([])
        else:
            out[-1].append(tag)
    return [s for s in out if any(t.kind != "punct" for t in s)]


def _whole_questions(segments: list[list[Tag]]) -> list[list[Tag]]:
    """Segments, with "why did the green" and "gold dot not fire" put together again."""
    out: list[list[Tag]] = []
    for segment in segments:
        if out and asks_why(out[-1]) and explains([*out[-1], *segment]) and not _begins_anew(segment):
            out[-1] = [*out[-1], *segment]
        else:
            out.append(segment)
    return out


def _begins_anew(segment: list[Tag]) -> bool:
    """True for a question, a command or an order that follows a why-question in its sentence."""
    ordered = verb_at(segment, 0) is not None and any(t.kind == "number" for t in segment)
    commanded = segment[0].text in _SHOWING | _COMMANDS or cancels(segment)
    return ordered or commanded or moods.is_question(segment)


def _place(segment: list[Tag], out: list[Clause], *, supposed: bool) -> None:
    if explains(segment):
        out.append(Clause("show", segment))
        return
    if cancels(segment) and not supposed:
        out.append(Clause("cancel", segment))
        return
    asked = supposed or (moods.is_question(segment) and not moods.is_polite(segment)) or moods.is_how_to(segment)
    if changes(segment) and not asked:
        out.append(Clause("change", segment))
        return
    found = [] if asked or _is_listing(segment) else verbs_in(segment)
    if not found and names_risk(segment) and out and out[-1].kind == "order" and not asked:
        _continue_order(segment, out)
    elif found or (not asked and _places_order(segment)):
        before: list[Tag] = []
        while out and out[-1].kind == "show" and _is_bare(out[-1].tags):
            before = [*out.pop().tags, *before]
        out.append(Clause("order", [*before, *segment]))
    elif out and out[-1].kind == "order" and not _shows(segment):
        _continue_order(segment, out)
    elif out and out[-1].kind == "change" and not _shows(segment):
        out[-1].tags = [*out[-1].tags, Tag("punct", ",", ","), *segment]
    else:
        out.append(Clause("show", segment))


def _places_order(segment: list[Tag]) -> bool:
    """ "set a limit order for 0.1 btc at 58k" is an order without a side, "i'm buying 0.1 btc" one in passing."""
    words = {t.text for t in segment if t.kind == "word"}
    numbers = any(t.kind == "number" for t in segment)
    placing = words & {"set", "place", "make", "put", "create", "open", "enter", "order"} and "order" in words
    passing = words & GERUNDS and {"i'm", "im", "am"} & words
    swapping = words & {"dca", "swap", "convert", "exchange", "rebalance", "rotate"}
    return names_risk(segment) or (numbers and not _is_listing(segment) and bool(placing or passing or swapping))


def _is_listing(segment: list[Tag]) -> bool:
    """ "show my buy orders" names orders that are there; "place a buy order" makes one."""
    words = {t.text for t in segment}
    return bool(words & {"show", "list", "display", "see", "my"}) and bool(words & {"orders", "trades"})


def _is_bare(tags: list[Tag]) -> bool:
    """A quantity or symbol in front of its verb, as in "0.1 btc, buy"."""
    return topic_of(tags) is None and any(t.kind in {"number", "symbol"} for t in tags) and len(tags) <= 4


def _shows(segment: list[Tag]) -> bool:
    """True when a clause after an order asks to be shown something instead of continuing the order."""
    topic = topic_of(segment)
    if topic in _STANDALONE:
        return True
    roles = find_roles(segment)
    if topic is None or roles.priced or roles.unfilled:
        return False
    starts = any(t.text in _SHOWING for t in segment[:3])
    return starts or topic in {"get_portfolio", "list_orders", "create_alert"} or _names_market(segment)


def _names_market(segment: list[Tag]) -> bool:
    return any(t.kind in {"symbol", "timeframe"} for t in segment) and not any(t.kind == "number" for t in segment)


def _continue_order(segment: list[Tag], out: list[Clause]) -> None:
    order = out[-1]
    verbs = verbs_in(order.tags)
    verb = verbs[-1][1] if verbs else order.verb
    has_symbol = any(t.kind == "symbol" for t in segment)
    counted = any(t.kind in {"number", "fraction"} or t.text == "all" for t in segment) or verb == "close"
    if has_symbol and counted and any(t.kind == "symbol" for t in order.tags):
        out.append(Clause("order", segment, verb))
    else:
        order.tags = [*order.tags, Tag("punct", ",", ","), *segment]


def _without_dangling(found: list[Clause]) -> list[Clause]:
    """ "buy and sell 1 btc": a verb with nothing to its name belongs to the order after it."""
    out: list[Clause] = []
    for clause in found:
        last = out[-1] if out else None
        dangling = last is not None and last.kind == "order" and clause.kind == "order"
        if last is not None and dangling and not any(t.kind in {"symbol", "number", "fraction"} for t in last.tags):
            last.tags = [*last.tags, Tag("punct", ",", ","), *clause.tags]
        else:
            out.append(clause)
    return out
