"""The deterministic reader: a trader's message in, tool calls or one question out."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from agents.reading import doubts, moods
from agents.reading.asides import ENGLISH_ONLY
from agents.reading.changing import change_request
from agents.reading.clauses import Clause, clauses, sentences
from agents.reading.completion import complete_pending
from agents.reading.explaining import TOOL, explains
from agents.reading.orders import read_order
from agents.reading.replies import ask_missing, unavailable
from agents.reading.requests import cancel_request, is_complete, order_request
from agents.reading.scheduling import put_off_alone, put_off_beside
from agents.reading.showing import Shown, show
from agents.reading.symbols import Listing, listing
from agents.reading.tagging import Tag, tag
from agents.reading.talk import is_foreign, listed_reading, said, talk, talk_first
from agents.reading.tokens import MAX_CHARACTERS, Token, clean, tokenize
from agents.reading.types import ORDER_TOOLS, OrderWords, Reading, ReadingContext, Request
from agents.reading.validity import with_validity
from tools.subjects import read_subject

LONG_MESSAGE_WORDS: Final = 200
MAX_REQUESTS: Final = 8

_COMMANDS: Final = {
    "price": "price",
    "quote": "price",
    "cipher": "cipher",
    "analyze": "cipher",
    "analyse": "cipher",
    "look": "cipher",
    "volume": "volume profile",
    "profile": "volume profile",
    "poc": "poc",
    "levels": "levels",
    "portfolio": "portfolio",
    "positions": "positions",
    "account": "account",
    "balance": "balance",
    "pnl": "pnl",
    "orders": "orders",
    "review": "review",
    "help": "help",
    "start": "hello",
    "buy": "buy",
    "sell": "sell",
    "long": "long",
    "short": "short",
    "close": "close",
    "cancel": "cancel",
    "alert": "alert",
    "alerts": "my alerts",
    "scan": "scan",
    "strategy": "strategy",
    "backtest": "backtest",
}


def read(text: str, context: ReadingContext) -> Reading:
    """Read one message.

    The same text and context always give the same reading, and no text raises. Nothing is guessed: a side, symbol,
    quantity or price that the words leave open becomes `question`; an order is only ever what the words say.
    """
    tokens = _commands(tokenize(clean(text)))
    market = listing(context.symbols, context.quote_currency)
    tags = with_validity(tag(tokens, market), is_answer=context.pending_order is not None)
    if sum(t.kind == "word" for t in tokens) > LONG_MESSAGE_WORDS:
        reading = _read_sentences(tags, market, replace(context, pending_order=None))
        return listed_reading(reading, context, cut=len(text) > MAX_CHARACTERS)
    first = talk_first(text, tags, context)
    if first is not None:
        return first
    completed = complete_pending(tags, market, context)
    if completed is not None:
        return _available(_quoting(completed, _said(completed, text, context)), context)
    reading = _quoting(_read_sentences(tags, market, context), (text,))
    if len(reading.requests) > MAX_REQUESTS:
        return listed_reading(reading, context)
    return _available(reading, context)


def _said(completed: Reading, text: str, context: ReadingContext) -> tuple[str, ...]:
    """The messages an order was completed by; one that added nothing to it is none of them."""
    before = context.pending_order
    if before is None:
        return (text,)
    added = completed.pending_order != replace(before, doubt="", age=0)
    return (*before.said, text) if added else before.said


def _quoting(reading: Reading, said: tuple[str, ...]) -> Reading:
    """The reading with the messages that its orders were read from."""
    pending = reading.pending_order
    return replace(
        reading,
        orders=tuple(replace(order, said=said) for order in reading.orders),
        pending_order=replace(pending, said=said) if pending is not None else None,
    )


def _commands(tokens: list[Token]) -> list[Token]:
    """`/price BTC` is "price BTC"."""
    if len(tokens) < 2 or tokens[0].text != "/" or tokens[1].text not in _COMMANDS:
        return tokens
    words = [Token("word", w, w) for w in _COMMANDS[tokens[1].text].split()]
    return [*words, *tokens[2:]]


def _read_sentences(tags: list[Tag], market: Listing, context: ReadingContext) -> Reading:
    """Read sentence by sentence; later sentences may refer to the symbols of earlier ones."""
    state = _Message(market, context)
    found = sentences(tags)
    # "Wait until friday. Then buy": a sentence that is nothing but that is about every order of the message.
    alone = (put_off_alone(clauses(sentence, supposed=False)) for sentence, asked in found if not asked)
    state.put_off = next((question for question in alone if question), "")
    for sentence, asked in found:
        state.add(sentence, asked=asked)
    return state.finish(tags)


class _Message:
    """What has been read of one message so far."""

    def __init__(self, market: Listing, context: ReadingContext) -> None:
        self.market = market
        self.context = context
        self.symbol = context.last_symbol
        self.orders: list[OrderWords] = []
        self.shown: list[tuple[int, Clause, bool]] = []
        self.requests: list[tuple[int, Request]] = []
        self.questions: list[str] = []
        self.negated = False
        self.put_off = ""
        self.place = 0

    def add(self, sentence: list[Tag], *, asked: bool) -> None:
        """Read one sentence."""
        negated = moods.is_negated(sentence)
        if negated and moods.count_trading(sentence) > 1 and any(t.kind == "number" for t in sentence):
            self.questions.append(doubts.NEGATED)
        supposed = moods.is_supposed(sentence)
        self.negated = self.negated or negated
        found = clauses(sentence, supposed=supposed)
        asked = asked and not (found and _asks_in_last(found))
        later = self.put_off or put_off_beside(found, asked=asked)
        doubt = later or _doubt_of(sentence, asked=asked)
        for clause in found:
            self.place += 1
            if clause.kind == "show":
                if not (negated and moods.mentions_trading(clause.tags) and not supposed) or explains(clause.tags):
                    self.shown.append((self.place, clause, supposed))
            elif negated:
                continue
            elif clause.kind == "cancel":
                self._cancel(clause, doubt=later)
            elif clause.kind == "change":
                self._change(clause, doubt=doubt)
            else:
                self._order(clause, doubt=doubt)
            symbols = [t.text for t in clause.tags if t.kind == "symbol"]
            self.symbol = symbols[-1] if symbols else self.symbol

    def _cancel(self, clause: Clause, *, doubt: str) -> None:
        request = cancel_request(clause.tags, self.symbol)
        if doubt:
            self.questions.append(doubt)
        elif request is None:
            self.questions.append(
                "Cancel which order? Say its id, `cancel my BTC orders`, `cancel my BTC stop`, `cancel my BTC target` "
                "or `cancel all my orders`."
            )
        else:
            self.requests.append((self.place, request))

    def _change(self, clause: Clause, *, doubt: str) -> None:
        request = change_request(clause.tags, self.context, self.symbol)
        if request is None:
            self.shown.append((self.place, Clause("show", clause.tags), False))
        elif isinstance(request, str) or doubt:
            self.questions.append(doubt or str(request))
        else:
            self.requests.append((self.place, request))

    def _order(self, clause: Clause, *, doubt: str) -> None:
        orders = self._close_everything(clause) or [
            read_order(clause.tags, self.market, verb=clause.verb, last_symbol=self.symbol)
        ]
        if doubt:
            orders = [replace(order, doubt=order.doubt or doubt) for order in orders]
        self.orders += orders
        self.requests += [(self.place, order_request(order)) for order in orders if is_complete(order)]

    def _close_everything(self, clause: Clause) -> list[OrderWords]:
        """ "close all my positions", where the positions are known."""
        words = {t.text for t in clause.tags}
        plain = not any(t.kind in {"symbol", "number", "fraction"} for t in clause.tags)
        if not plain or not words & {"all", "everything"} or not self.context.positions:
            return []
        order = read_order(clause.tags, self.market, verb=clause.verb, last_symbol=None)
        if order.fraction is None or order.doubt:
            return []
        return [replace(order, symbol=symbol, missing=None) for symbol in self.context.positions]

    def finish(self, tags: list[Tag]) -> Reading:
        """Put the parts together."""
        shown = show(self.shown, self.context)
        incomplete = [o for o in self.orders if not is_complete(o)]
        asks = bool(self.orders) or any(r.tool in ORDER_TOOLS for _, r in self.requests)
        requests = [*self.requests, *((place, self._placed(request)) for place, request in shown.requests)]
        question = self._question(incomplete, shown)
        if question is not None and (incomplete or self.questions):
            requests = [(p, r) for p, r in requests if r.tool not in ORDER_TOOLS]
        if not requests and question is None and not shown.replies:
            if not self.negated and moods.is_verbless_order(tags):
                self._order(Clause("order", tags), doubt="")
                return self.finish(tags)
            if shown.unrelated and not self.negated:
                return said("off_topic", self.context)
            return talk(tags, self.context, negated=self.negated, mentioned=shown.mentioned)
        kept = _unique(ordered := [r for _, r in sorted(requests, key=lambda item: item[0])])
        twice = (
            [doubts.TWICE]
            if sum(r.tool in ORDER_TOOLS for r in kept) < sum(r.tool in ORDER_TOOLS for r in ordered)
            else []
        )
        pending = incomplete[0] if incomplete and question is not None and _can_wait(incomplete[0]) else None
        return Reading(
            requests=tuple(kept),
            question=question,
            small_talk=shown.kind if not requests and question is None else None,
            reply="\n\n".join([*shown.replies, *twice]),
            lead=ENGLISH_ONLY if is_foreign(tags) else shown.lead,
            facts=shown.facts,
            orders=tuple(self.orders),
            pending_order=pending,
            asks_for_order=asks,
        )

    def _placed(self, request: Request) -> Request:
        """ "why no green dot? buy 0.1 btc": a mark without a market is one of the market that the message speaks of."""
        if request.tool != TOOL or "symbol" in request.args or self.symbol is None:
            return request
        mark = read_subject(str(request.args["subject"])).kind == "event"
        return replace(request, args=request.args | {"symbol": self.symbol}) if mark else request

    def _question(self, incomplete: list[OrderWords], shown: Shown) -> str | None:
        if self.questions:
            return self.questions[0]
        for order in incomplete:
            if order.doubt:
                return order.doubt
            if order.missing:
                return ask_missing(order.missing, order, self.context)
        return shown.question


def _asks_in_last(found: list[Clause]) -> bool:
    """True for "buy 0.1 btc and how does eth look?": the question mark belongs to the question, not to the order."""
    last = found[-1]
    return last.kind == "show" and moods.is_question(last.tags) and not moods.is_question(found[0].tags)


def _doubt_of(sentence: list[Tag], *, asked: bool) -> str:
    """What makes every order of a sentence doubtful, or nothing."""
    if moods.is_reported(sentence):
        return doubts.SAID_BY_OTHERS
    return doubts.NOT_SURE_ORDER if asked and not moods.is_polite(sentence) else ""


def _can_wait(order: OrderWords) -> bool:
    """An order can be completed by the next message when its only gap is one value."""
    unclear_number = order.doubt.startswith("How much is `") and order.quantity is None
    return (order.missing is not None and not order.doubt) or (order.missing == "quantity" and unclear_number)


def _unique(requests: list[Request]) -> list[Request]:
    return [request for place, request in enumerate(requests) if request not in requests[:place]]


def _available(reading: Reading, context: ReadingContext) -> Reading:
    """Say plainly what no tool of this desk can do, and keep the rest."""
    missing = [r for r in reading.requests if r.tool not in context.tools]
    if not missing:
        return reading
    kept = tuple(r for r in reading.requests if r.tool in context.tools)
    notes = list(dict.fromkeys(unavailable(r.tool, context) for r in missing))
    reply = "\n\n".join([*notes, *([reading.reply] if reading.reply else [])])
    return replace(reading, requests=kept, reply=reply, small_talk="unavailable" if not kept else reading.small_talk)
