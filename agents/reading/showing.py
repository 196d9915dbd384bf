"""Clauses that ask to be shown something, made into read-only tool calls."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from agents.reading import explaining, moods
from agents.reading.asides import asked_facts, asked_levels, not_recorded
from agents.reading.clauses import Clause
from agents.reading.glossary import TERMS, find_term
from agents.reading.periods import AskedPeriod, asked_period, names_stretch
from agents.reading.prices import find_roles
from agents.reading.protection import protection
from agents.reading.replies import ask_timeframe, example_assets
from agents.reading.reviewing import TOOL as REVIEW
from agents.reading.tagging import Tag
from agents.reading.timeframes import is_known
from agents.reading.topics import clause_is_ours, order_status, topic_of
from agents.reading.types import COMPARE, ReadingContext, Request, SmallTalk
from agents.reading.vocabulary import COLOURS, FILLERS, QUESTION_STARTS, VOCABULARY
from tools.subjects import read_subject

_PROFILE: Final = "analyze_volume_profile"
_MARKET_TOOLS: Final = frozenset({"analyze_cipher", _PROFILE, "get_quote"})
# Charts whose VWAP starts over with each day, week and month; see `engines.volume_profile.desk.average_period`.
_AVERAGED_ON: Final = {"1d": "1h", "1w": "4h", "1M": "1d"}
_TIMED_TOOLS: Final = frozenset({"analyze_cipher", _PROFILE})
_SEVERAL: Final = re.compile(
    r"\b(?:multi(?:ple)? ?time ?frames?|mtf|(?:all|the|every|across|different) time ?frames?|top ?down|topdown"
    r"|time ?frame (?:alignment|confluence))\b"
)
_USUAL: Final = ("1h", "4h", "1d")
_TOP_DOWN: Final = ("1d", "4h", "1h", "15m")
# So many timeframes of one market are one table.
_TABLE: Final = 3
_DEFINING: Final = frozenset(
    {"what", "what's", "whats", "define", "explain", "meaning", "mean", "means", "definition", "glossary"}
)
_FOLLOWING: Final = frozenset({"same", "what", "how", "and", "about", "now", "for", "again", "try", "do", "then", "ok"})
_CANDLES: Final = frozenset({"candle", "candles", "bar", "bars", "periods"})
_ABOUT_TO_BE: Final = frozenset({"will", "is", "are", "can", "does", "did", "has"})


@dataclass(slots=True)
class Shown:
    """Requests with their place in the message, and what has to be said or asked beside them."""

    requests: list[tuple[int, Request]] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    kind: SmallTalk | None = None
    question: str | None = None
    mentioned: bool = False
    unrelated: bool = False
    lead: str = ""
    facts: tuple[str, ...] = ()


@dataclass(slots=True)
class _Part:
    """One clause: the tool its words name, its markets, its timeframes."""

    place: int
    tags: list[Tag]
    tool: str | None
    symbols: list[str]
    timeframes: list[str]
    bare: bool
    named: bool
    lookback: int | None
    asked: AskedPeriod


def show(found: list[tuple[int, Clause, bool]], context: ReadingContext) -> Shown:
    """Make the read-only clauses of a message into requests.

    What one clause leaves open comes from its neighbours ("BTC and ETH on the daily"), then from the thread.
    """
    shown = Shown()
    parts: list[_Part] = []
    for place, clause, supposed in found:
        if _explained(place, clause.tags, parts, shown, context):
            continue
        if _glossary(clause, shown, context):
            continue
        if _protects(clause.tags) and not supposed:
            shown.question = shown.question or protection(clause.tags, context)
            continue
        if not clause_is_ours(clause.tags):
            shown.unrelated = True
            continue
        part = _part(place, clause.tags, context, supposed=supposed)
        shown.mentioned = shown.mentioned or bool(part.symbols or part.tool)
        if part.lookback and not part.symbols and parts and parts[-1].tool == _PROFILE:
            parts[-1].lookback = part.lookback  # "value area of SOL, last 50 candles" is one request
            continue
        if _only_period(part) and parts and parts[-1].tool == _PROFILE and parts[-1].asked == AskedPeriod():
            parts[-1].asked = part.asked  # and so is "value area of SOL, last week"
            continue
        if part.tool is None and context.last_tool == _PROFILE and names_stretch(part.tags, context):
            part.tool = _PROFILE
        if part.tool or part.symbols or part.timeframes:
            parts.append(part)
    _share(parts)
    for part in parts:
        _request(part, parts, shown, context)
    if COMPARE in context.tools and not shown.facts and not shown.lead:
        shown.requests = _compared(shown.requests)
    return shown


def _compared(requests: list[tuple[int, Request]]) -> list[tuple[int, Request]]:
    """Three panels of one market or more are one table of its timeframes, in the order asked for."""
    asked: dict[str, list[str]] = {}
    for _, request in requests:
        if request.tool == "analyze_cipher":
            asked.setdefault(request.args["symbol"], []).append(request.args["timeframe"])
    tables = {symbol: list(dict.fromkeys(spans)) for symbol, spans in asked.items() if len(set(spans)) >= _TABLE}
    kept: list[tuple[int, Request]] = []
    for place, request in requests:
        symbol = request.args.get("symbol")
        if request.tool != "analyze_cipher" or symbol not in tables:
            kept.append((place, request))
        elif not any(each.tool == COMPARE and each.args["symbol"] == symbol for _, each in kept):
            kept.append((place, Request(COMPARE, {"symbol": symbol, "timeframes": tables[symbol]})))
    return kept


def _explained(place: int, tags: list[Tag], parts: list[_Part], shown: Shown, context: ReadingContext) -> bool:
    """Make a why-question into calls; a market or a mark that stands before it on its own belongs to it."""
    if explaining.asks_why_alone(tags) and parts and read_subject(moods.text_of(parts[-1].tags)).kind == "event":
        tags = [*tags, *parts.pop().tags]
    elif explaining.asks_of_nothing(tags, context):
        first, _ = example_assets(context)
        shown.question = shown.question or explaining.QUESTION.format(a=first)
        return True
    elif not explaining.asks(tags, context):
        return False
    part = _part(place, explaining.without_moment(tags), context, supposed=False)
    if not part.symbols and parts and parts[-1].bare and parts[-1].tool is None:
        before = parts.pop()
        part.symbols, part.timeframes = before.symbols, part.timeframes or before.timeframes
    unknown = [t for t in part.timeframes if not is_known(t)]
    if unknown:
        shown.question = shown.question or ask_timeframe(unknown[0])
        return True
    places = _combinations(part.tags, part.symbols or [None], part.timeframes or [None])
    made = explaining.requests(tags, places, context)
    shown.requests += [(place, request) for request in made]
    shown.mentioned = True
    return True


def _protects(tags: list[Tag]) -> bool:
    """True for "stop loss 2% on my btc": a price that protects a position, without an order to hold it."""
    if moods.is_question(tags) or topic_of(tags) == "create_alert":
        return False
    protecting = {"stop", "stop_loss", "take_profit", "trigger"}
    return any(role in protecting for role, _ in find_roles(tags).priced)


def _glossary(clause: Clause, shown: Shown, context: ReadingContext) -> bool:
    words = [t.text for t in clause.tags if t.kind == "word"]
    if not _DEFINING & set(words) or any(t.kind in {"symbol", "timeframe", "number"} for t in clause.tags):
        return False
    term = find_term(words)
    if term is None or {"my", "when", "me"} & (set(words) - {"tell"}) - ({"me"} if "explain" in words else set()):
        return False
    before = words[words.index(term.split()[0]) - 1] if term.split()[0] in words else ""
    if before == "the" and context.last_symbol and "mean" not in words:
        return False
    shown.replies.append(TERMS[term])
    shown.kind = "glossary"
    return True


def _part(place: int, tags: list[Tag], context: ReadingContext, *, supposed: bool) -> _Part:
    strong = [t for t in tags if t.kind == "symbol" and t.strong] or [t for t in tags if t.kind == "symbol"]
    symbols = list(dict.fromkeys(t.text for t in strong))
    tool = topic_of(tags)
    spans = _averaged(tags) or list(
        dict.fromkeys(
            t.text for index, t in enumerate(tags) if t.kind == "timeframe" and not _stretch(tags, index, tool)
        )
    )
    if supposed and tool not in _MARKET_TOOLS:
        tool = "analyze_cipher"
    if tool is None and moods.mentions_trading(tags) and symbols and moods.is_question(tags):
        tool = "analyze_cipher"
    if tool in {None, "analyze_cipher"} and not spans and _SEVERAL.search(moods.text_of(tags)):
        downward = re.search(r"\btop ?down\b", moods.text_of(tags)) is not None
        tool, spans = "analyze_cipher", [*(_TOP_DOWN if downward else _USUAL)]
    words = [t.text for t in tags if t.kind == "word"]
    if tool is None and symbols and _ABOUT_TO_BE & set(words[:2]):
        tool = "analyze_cipher"
    numbered = any(t.kind == "number" for t in tags)
    bare = not numbered and all(w in FILLERS | QUESTION_STARTS | _FOLLOWING | COLOURS for w in words)
    return _Part(
        place,
        tags,
        tool,
        symbols,
        spans,
        bare,
        named=bool(spans),
        lookback=_lookback(tags),
        asked=asked_period(tags, context),
    )


def _only_period(part: _Part) -> bool:
    """True for ", last week": a time by itself."""
    return part.asked.period is not None and part.tool is None and not part.symbols and not part.timeframes


def _stretch(tags: list[Tag], index: int, tool: str | None) -> bool:
    """True for the "30 days" of "profile of the last 30 days": how far back, not how long a candle is."""
    back = index > 0 and tags[index - 1].text in {"last", "past", "previous"}
    ago = index + 1 < len(tags) and tags[index + 1].text == "ago"
    counted = "composite" in {tag.text for tag in tags}
    # "the last 4h" may be a candle; "the last 4 hours" are a time.
    long = tags[index].text[-1] in "dwM" or " " in tags[index].raw
    return tool == _PROFILE and long and (back or ago or counted)


def _averaged(tags: list[Tag]) -> list[str]:
    """ "weekly VWAP" names the average since Monday, not weekly candles: the chart that this desk shows it on."""
    following = pairwise(tags)
    return [
        _AVERAGED_ON[t.text]
        for t, after in following
        if t.kind == "timeframe" and t.text in _AVERAGED_ON and after.text == "vwap"
    ]


def _lookback(tags: list[Tag]) -> int | None:
    """50 of "the last 50 candles", "50 4h candles" and "lookback 50"."""
    for index, tag in enumerate(tags):
        if tag.kind != "number" or tag.unit or tag.value is None or tag.value != int(tag.value):
            continue
        following = next((t.text for t in tags[index + 1 : index + 3] if t.kind != "timeframe"), "")
        if following in _CANDLES or (index and tags[index - 1].text == "lookback"):
            return int(tag.value)
    return None


def _share(parts: list[_Part]) -> None:
    """Let clauses of one message complete each other: tool, period, markets and timeframe."""
    for index, part in enumerate(parts[:-1]):
        # "poc and value area of btc last week": the market and the time are for both.
        following = parts[index + 1]
        if part.tool == following.tool == _PROFILE and not part.symbols and part.asked == AskedPeriod():
            part.asked = following.asked
    for index, part in enumerate(parts):
        if part.tool is None and (part.bare or part.timeframes or part.asked.period):
            before = [p for p in parts[:index] if p.tool in _MARKET_TOOLS]
            # A timeframe names no price: "xrp on 15m, and its price" asks for the panel as well.
            fitting = _TIMED_TOOLS if part.timeframes else _MARKET_TOOLS
            after = [p for p in parts[index + 1 :] if p.tool in fitting]
            near = before[-1] if before else after[0] if after else None
            part.tool = near.tool if near else None
            # "the asia session of btc and eth", "poc of btc and eth last week": the time is for both.
            if near and near.tool == _PROFILE and (part.asked == AskedPeriod() or near.asked.uncovered):
                part.asked = near.asked
            elif near and near.tool == _PROFILE and near.asked == AskedPeriod():
                near.asked = part.asked
    named = {t for p in parts for t in p.timeframes}
    for index, part in enumerate(parts):
        if not part.symbols and part.tool in _MARKET_TOOLS | {None}:
            before_symbols = [p.symbols for p in parts[:index] if p.symbols]
            after_symbols = [p.symbols for p in parts[index + 1 :] if p.symbols]
            part.symbols = before_symbols[-1] if before_symbols else after_symbols[0] if after_symbols else []
            # "BTC and ETH on 4h and 1d": the last timeframe is for both.
            if part.timeframes and any(p.symbols and not p.named for p in parts[:index]):
                part.symbols = list(dict.fromkeys(s for symbols in before_symbols for s in symbols))
        if not part.timeframes and len(named) == 1 and part.tool in _TIMED_TOOLS | {None}:
            part.timeframes = list(named)
        elif not part.timeframes and part.tool in _TIMED_TOOLS | {None}:
            nearby = [*reversed(parts[:index]), *parts[index + 1 :]]
            spans = next((p.timeframes for p in nearby if p.timeframes), [])
            part.timeframes = spans if len(spans) >= _TABLE else spans[-1:]


def _request(part: _Part, parts: list[_Part], shown: Shown, context: ReadingContext) -> None:
    tool = part.tool or _followed_up(part, parts, context)
    if tool is None:
        return
    if part.tool is None and tool == _PROFILE and context.last_period and part.asked == AskedPeriod():
        part.asked = AskedPeriod(dict(context.last_period))  # "last week's POC on btc", then "and eth?"
    shown.lead = shown.lead or (part.asked.uncovered if tool == _PROFILE else not_recorded(tool, part.tags))
    if tool == "analyze_cipher":
        shown.facts = tuple(dict.fromkeys([*shown.facts, *asked_facts(part.tags)]))
    if tool == _PROFILE:
        levels = asked_levels(part.tags, of_period=part.asked != AskedPeriod())
        shown.facts = tuple(dict.fromkeys([*shown.facts, *levels]))
    if tool in _MARKET_TOOLS:
        _market_request(part, tool, shown, context)
        return
    args: dict[str, Any] = {}
    text = moods.text_of(part.tags)
    symbol = part.symbols[0] if part.symbols else None
    if tool == "list_orders":
        args = {"status": order_status(part.tags)} | ({"symbol": symbol} if symbol else {})
    elif tool == REVIEW:
        args = {"symbol": symbol} if symbol else {}
    elif tool in {"create_alert", "scan_market"}:
        args = _named(symbol if tool == "create_alert" else None, part) | {"condition": text}
    elif tool == "generate_strategy":
        args = _named(symbol or context.last_symbol, part) | {"idea": text}
    elif tool == "backtest_strategy":
        args = _named(symbol, part)
    elif tool == "delete_alert":
        args = {"alert_id": next((t.text for t in part.tags if t.kind == "number"), "")}
    shown.requests.append((part.place, Request(tool, args)))


def _named(symbol: str | None, part: _Part) -> dict[str, Any]:
    named: dict[str, Any] = {"symbol": symbol} if symbol else {}
    return named | ({"timeframe": part.timeframes[0]} if part.timeframes else {})


def _followed_up(part: _Part, parts: list[_Part], context: ReadingContext) -> str | None:
    """The tool of a clause that names only a market or a timeframe: the thread's last one, else the panel."""
    unknown = [t.text for t in part.tags if t.kind == "word" and t.text not in VOCABULARY]
    if not (part.bare or (part.timeframes and part.symbols) or (part.timeframes and not unknown)):
        return None
    last = context.last_tool if context.last_tool in _MARKET_TOOLS else "analyze_cipher"
    timed = part.timeframes and last not in _TIMED_TOOLS and len(parts) >= 1
    return "analyze_cipher" if timed else last


def _market_request(part: _Part, tool: str, shown: Shown, context: ReadingContext) -> None:
    symbols = part.symbols or ([context.last_symbol] if context.last_symbol else [])
    if not symbols:
        first, second = example_assets(context)
        shown.question = shown.question or f"Which market? For example {first} or {second}."
        return
    again = list(context.last_timeframes) if part.tool is None and context.last_tool == COMPARE else []
    spans = part.timeframes or again or [context.last_timeframe or "1h"]
    unknown = [t for t in spans if not is_known(t)]
    if tool in _TIMED_TOOLS and unknown:
        shown.question = shown.question or ask_timeframe(unknown[0])
        return
    for symbol, span in _combinations(part.tags, symbols, spans):
        args: dict[str, Any] = {"symbol": symbol, "timeframe": span} if tool in _TIMED_TOOLS else {"symbol": symbol}
        if tool == _PROFILE and part.lookback is not None:
            args["lookback"] = part.lookback
        if tool == _PROFILE and part.asked.period is not None:
            args["period"] = part.asked.period
        shown.requests.append((part.place, Request(tool, args)))


def _combinations(
    tags: list[Tag], symbols: Sequence[str | None], spans: Sequence[str | None]
) -> list[tuple[str | None, str | None]]:
    """ "BTC 4h ETH 1d" pairs them; "BTC ETH 4h 1d" means every market on every timeframe."""
    kinds = [t.kind for t in tags if t.kind in {"symbol", "timeframe"}]
    if len(symbols) > 1 and len(symbols) == len(spans) and kinds == ["symbol", "timeframe"] * len(symbols):
        return list(zip(symbols, spans, strict=True))
    return [(symbol, span) for symbol in symbols for span in spans]
