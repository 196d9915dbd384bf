"""The answer to a question about an order: "buy btc" - "How much?" - "0.02"."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from agents.reading import doubts, moods
from agents.reading.clauses import sentences
from agents.reading.orders import first_missing, read_order
from agents.reading.prices import find_roles
from agents.reading.replies import ask_missing
from agents.reading.requests import is_complete, merge, order_request
from agents.reading.symbols import Listing
from agents.reading.tagging import Tag
from agents.reading.topics import cancels, topic_of
from agents.reading.types import OrderWords, Reading, ReadingContext
from agents.reading.verbs import Verb, verbs_in
from agents.reading.vocabulary import NEGATIONS, VOCABULARY

MAX_AGE: Final = 2
_PRICES: Final = frozenset({"limit_price", "stop_price", "stop_loss", "take_profit"})
_MAX_TAGS: Final = 14


def complete_pending(tags: list[Tag], market: Listing, context: ReadingContext) -> Reading | None:
    """Read a message as the answer to the pending order's question; None when it is something else."""
    pending = context.pending_order
    if pending is None or pending.age > MAX_AGE or not _is_answer(tags, pending):
        return None
    verb: Verb = "close" if pending.closes else pending.side or "buy"
    given = _priced(tags) if pending.missing in _PRICES else tags
    answer = read_order(given, market, verb=None if verbs_in(tags) else verb, last_symbol=pending.symbol)
    if pending.missing == "symbol" and answer.symbol is None and answer.quantity is None:
        return None
    answer = _as_price(answer, pending)
    if pending.side is not None and not verbs_in(tags):
        answer = replace(answer, side=None, closes=False)
    if answer.doubt:
        return _asking(pending, answer.doubt)
    if not pending.closes and not _adds(answer):
        return None
    if answer.fraction is not None and pending.quantity is None and pending.closes:
        pending = replace(pending, fraction=None)
    merged = merge(pending, answer)
    if merged is None:
        return _asking(pending, f"That differs from what you wrote before. {_ask(pending, context)}")
    merged = replace(merged, doubt=doubts.in_values(merged))
    merged = replace(merged, missing=first_missing(merged))
    if not is_complete(merged):
        return _asking(merged, merged.doubt or _ask(merged, context))
    return Reading(requests=(order_request(merged),), orders=(merged,), asks_for_order=True)


def _is_answer(tags: list[Tag], pending: OrderWords) -> bool:
    if not tags or len(tags) > _MAX_TAGS or len(sentences(tags)) > 1:
        return False
    if any(t.kind in {"timeframe", "clock", "order_id", "ticket"} or t.text == "?" for t in tags):
        return False
    # Asked where the stop is, "stop" is no "no".
    negating = NEGATIONS - {"stop"} if pending.missing in {"stop_loss", "stop_price"} else NEGATIONS
    if any(t.text in negating or (t.kind == "word" and not _known(t)) for t in tags) or cancels(tags):
        return False
    # A verb with a market of its own begins another order; nothing of the older one goes into it.
    if verbs_in(tags) and (pending.side is not None or any(t.kind == "symbol" for t in tags)):
        return False
    content = any(t.kind in {"number", "fraction", "symbol"} or t.text in {"all", "everything", "market"} for t in tags)
    if not content and not (pending.side is None and verbs_in(tags)):
        return False
    asks = topic_of(tags) is not None and not any(t.kind in {"number", "fraction"} for t in tags)
    return not asks and not moods.is_supposed(tags)


def _known(tag: Tag) -> bool:
    return tag.text in VOCABULARY or re.fullmatch(r"[a-z]", tag.text) is not None


def _adds(answer: OrderWords) -> bool:
    prices = (answer.limit_price, answer.stop_price, answer.stop_loss, answer.take_profit, answer.stop_atr)
    values = (answer.symbol, answer.quantity, answer.fraction, answer.side, *prices)
    return any(v is not None for v in values) or answer.order_type != "market"


def _priced(tags: list[Tag]) -> list[Tag]:
    """A bare number answers the question that was asked: a price where a price was."""
    index = next((i for i, t in enumerate(tags) if t.kind == "number"), None)
    if index is None or find_roles(tags).priced:
        return tags
    bare = replace(tags[index], unit="" if tags[index].unit == "quote" else tags[index].unit)
    return [*tags[:index], Tag("word", "at", "at"), bare, *tags[index + 1 :]]


def _as_price(answer: OrderWords, pending: OrderWords) -> OrderWords:
    """A price without a name is the one that was asked for."""
    price = answer.limit_price
    if price is None or answer.doubt:
        return answer
    bare = replace(answer, limit_price=None, order_type="market")
    match pending.missing:
        case "stop_price":
            return replace(bare, stop_price=price)
        case "stop_loss":
            return replace(bare, stop_loss=price)
        case "take_profit":
            return replace(bare, take_profit=price)
        case _:
            return answer


def _ask(order: OrderWords, context: ReadingContext) -> str:
    return ask_missing(order.missing or "quantity", order, context)


def _asking(order: OrderWords, question: str) -> Reading:
    kept = replace(order, doubt="", age=0)
    return Reading(question=question, orders=(order,), pending_order=kept, asks_for_order=True)
