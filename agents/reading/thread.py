"""What a thread already knows, replayed from its messages, so that nothing is kept anywhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from agents.reading import explaining
from agents.reading.reader import read
from agents.reading.types import COMPARE, ORDER_TOOLS, Reading, ReadingContext, Request

MAX_TURNS: Final = 20
# A longer message is only ever listed: it leaves nothing for later messages to refer to.
_MAX_REPLAYED: Final = 8_000
_KEEPS_PENDING: Final = frozenset({"glossary", "greeting", "thanks", "how_to_order", "help", "unavailable"})


def context_from_messages(
    messages: Sequence[BaseMessage],
    *,
    symbols: tuple[str, ...] = (),
    quote_currency: str = "USDT",
    tools: frozenset[str] = frozenset(),
    tickets: Iterable[tuple[str, str]] = (),
    positions: tuple[str, ...] = (),
    open_entries: tuple[tuple[str, str], ...] = (),
    now: datetime | None = None,
) -> ReadingContext:
    """The context in which the newest message of a thread is to be read.

    Replays the last `MAX_TURNS` earlier messages of the person and the tool calls that answered them; the same
    messages always give the same context. A system message may carry `additional_kwargs["desk"]` with `symbols`,
    `quote_currency`, `pending_tickets` ({label, text}), `positions`, `holdings`, `open_entries`, `market`, `simulated`,
    `account` and `limit`; what is given there wins.
    """
    context = ReadingContext(
        symbols=symbols,
        quote_currency=quote_currency,
        tools=tools,
        pending_tickets=tuple(tickets),
        positions=positions,
        open_entries=open_entries,
        now=now,
    )
    context = _with_desk(context, messages)
    turns = _turns(messages)
    for words, calls in turns[:-1][-MAX_TURNS:]:
        reading = read(words, context) if len(words) <= _MAX_REPLAYED else Reading(small_talk="long")
        context = after_turn(context, reading, calls)
    return context


def after_turn(context: ReadingContext, reading: Reading, calls: Sequence[Request] | None = None) -> ReadingContext:
    """The context after one turn; `calls` are the tool calls that were made, the reading's own when None."""
    made = list(reading.requests if calls is None else calls)
    for request in made:
        context = _after_request(context, request)
    pending = reading.pending_order
    waiting = context.pending_order
    if any(r.tool in ORDER_TOOLS for r in made):
        pending = None
    elif pending is None and waiting is not None and not reading.asks_for_order:
        # A look at the market between question and answer does not drop the order; anything else does.
        looked = bool(reading.requests) or (reading.question is not None) or reading.small_talk in _KEEPS_PENDING
        pending = replace(waiting, age=waiting.age + 1) if looked else None
    if pending is not None and pending.symbol is not None:
        context = replace(context, last_symbol=pending.symbol)
    return replace(context, pending_order=pending)


def _after_request(context: ReadingContext, request: Request) -> ReadingContext:
    symbol, timeframe = request.args.get("symbol"), request.args.get("timeframe")
    if request.tool == explaining.TOOL:
        said = tuple((name, value) for name, value in request.args.items() if isinstance(value, str))
        context = replace(context, last_explained=said)
    if request.tool == "analyze_volume_profile":
        period = request.args.get("period")
        given = period if isinstance(period, dict) else {}
        plain = tuple((name, value) for name, value in given.items() if isinstance(value, str | int))
        context = replace(context, last_period=plain)
    if request.tool == COMPARE and isinstance(request.args.get("timeframes"), list):
        context = replace(context, last_timeframes=tuple(map(str, request.args["timeframes"])))
    return replace(
        context,
        last_symbol=symbol if isinstance(symbol, str) and symbol else context.last_symbol,
        last_timeframe=timeframe if isinstance(timeframe, str) and timeframe else context.last_timeframe,
        last_tool=request.tool,
    )


def text_of_message(message: BaseMessage) -> str:
    """The words of a message, whatever parts it is made of."""
    content = message.content
    if isinstance(content, str):
        return content
    parts = [part if isinstance(part, str) else str(part.get("text", "")) for part in content]
    return "\n".join(p for p in parts if p)


def _turns(messages: Sequence[BaseMessage]) -> list[tuple[str, list[Request] | None]]:
    """Each of the person's messages with the tool calls that followed it."""
    turns: list[tuple[str, list[Request] | None]] = []
    for message in messages:
        if isinstance(message, HumanMessage):
            turns.append((text_of_message(message), None))
        elif isinstance(message, AIMessage) and message.tool_calls and turns:
            words, calls = turns[-1]
            made = [Request(call["name"], dict(call["args"])) for call in message.tool_calls]
            turns[-1] = (words, [*(calls or []), *made])
    return turns


def _with_desk(context: ReadingContext, messages: Sequence[BaseMessage]) -> ReadingContext:
    for message in messages:
        desk: Any = message.additional_kwargs.get("desk") if isinstance(message, SystemMessage) else None
        if not isinstance(desk, dict):
            continue
        tickets = desk.get("pending_tickets")
        context = replace(
            context,
            symbols=tuple(desk.get("symbols") or context.symbols),
            quote_currency=str(desk.get("quote_currency") or context.quote_currency),
            positions=tuple(desk.get("positions") or context.positions),
            holdings=tuple((str(s), str(q)) for s, q in dict(desk.get("holdings") or {}).items()),
            open_entries=tuple((str(s), str(o)) for s, o in desk.get("open_entries") or ()) or context.open_entries,
            limit=str(desk.get("limit") or context.limit),
            market=str(desk.get("market") or context.market),
            simulated=bool(desk.get("simulated", context.simulated)),
            account=str(desk.get("account") or context.account),
        )
        if tickets is not None:
            pairs = tuple((str(t.get("label", "")), str(t.get("text", ""))) for t in tickets)
            context = replace(context, pending_tickets=pairs)
    return context
