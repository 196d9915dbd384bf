"""From a model's tool calls to work for the nodes: which node runs what, and with which arguments."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from pydantic import ValidationError

from agents.state import EvidenceRecord
from engines.domain.timeframe import TIMEFRAMES
from tools.orders import SCHEMAS

DEFAULT_TIMEFRAME: Final = "1h"
PROPOSALS: Final = frozenset(SCHEMAS)
_NOTHING: Final = frozenset({"null", "none", "undefined"})


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A model's calls sorted: those to carry out, and error messages for those that cannot be."""

    calls: tuple[dict[str, Any], ...]
    refusals: tuple[ToolMessage, ...]


def sort_calls(message: AIMessage, known: Collection[str], *, earlier: Sequence[AnyMessage]) -> Dispatch:
    """Separate calls of known tools from unknown, malformed and repeated ones.

    Args:
        earlier: the messages of this turn so far. The same order is proposed once in a turn, however
            often a model asks for it.
    """
    calls, refusals = [], []
    proposed = {_fingerprint(call) for call in _calls(earlier) if call["name"] in PROPOSALS}
    for call in message.tool_calls:
        name, call_id = call["name"], call["id"] or ""
        if name not in known:
            names = ", ".join(sorted(known))
            refusals.append(_refusal(call_id, name, f"There is no tool {name!r}. There are: {names}."))
        elif name in PROPOSALS and _fingerprint(dict(call)) in proposed:
            refusals.append(_refusal(call_id, name, "The same was already proposed in this turn; nothing was added."))
        else:
            proposed.add(_fingerprint(dict(call)))
            calls.append({"id": call_id, "name": name, "args": dict(call["args"])})
    for broken in message.invalid_tool_calls:
        why = "Its arguments are not valid JSON; send them again."
        refusals.append(_refusal(broken.get("id") or "", broken.get("name") or "", why))
    return Dispatch(tuple(calls), tuple(refusals))


def unified_symbol(text: str, symbols: Collection[str], quote: str) -> str:
    """A symbol as the market writes it: `btc`, `BTCUSDT` and `btc-usdt` are BTC/USDT.

    One that the market does not list comes back in unified form, for the market to refuse by name.
    """
    wanted = text.strip().upper().replace("-", "/").replace("_", "/")
    if wanted in symbols or "/" in wanted:
        return wanted
    if f"{wanted}/{quote}" in symbols:
        return f"{wanted}/{quote}"
    same = [symbol for symbol in symbols if symbol.replace("/", "") == wanted or symbol.partition("/")[0] == wanted]
    return same[0] if len(same) == 1 else f"{wanted}/{quote}"


def completed_call(
    call: Mapping[str, Any], *, symbols: Collection[str], quote: str, timeframe: str | None
) -> dict[str, Any]:
    """A call with its symbol in the market's form, and with `timeframe` (None: it takes none) where it was left out."""
    args = dict(call["args"])
    if call["name"] not in PROPOSALS:
        # Models write these words where they mean nothing at all; an order's are left for its own reader.
        args = {name: value for name, value in args.items() if str(value).strip().lower() not in _NOTHING}
    if isinstance(args.get("symbol"), str) and args["symbol"].strip():
        args["symbol"] = unified_symbol(args["symbol"], symbols, quote)
    if timeframe is not None and args.get("timeframe") in {None, ""}:
        args["timeframe"] = timeframe
    elif isinstance(args.get("timeframe"), str) and (found := _timeframe(args["timeframe"])):
        args["timeframe"] = found
    return {**call, "args": args}


def _timeframe(text: str) -> str | None:
    """`4h` of `4H`; none of `1M`, which is a month on every chart."""
    plain = text.strip()
    found = plain if plain.endswith("M") else plain.lower()
    return found if found in TIMEFRAMES else None


def last_timeframe(evidence: Sequence[EvidenceRecord]) -> str:
    """The timeframe the thread looked at last."""
    return next((record["timeframe"] for record in reversed(evidence) if record["timeframe"]), DEFAULT_TIMEFRAME)


def _calls(messages: Sequence[AnyMessage]) -> list[dict[str, Any]]:
    return [dict(call) for message in messages if isinstance(message, AIMessage) for call in message.tool_calls]


def _fingerprint(call: Mapping[str, Any]) -> str:
    """The same for the same proposal, however its numbers are written and whichever defaults are spelled out."""
    args: dict[str, Any] = call["args"]
    if call["name"] in SCHEMAS:
        # What does not fit the schema is refused by the order desk.
        with suppress(ValidationError):
            args = SCHEMAS[call["name"]].model_validate(args).model_dump()
    plain = {name: str(value.normalize()) if isinstance(value, Decimal) else value for name, value in args.items()}
    return json.dumps([call["name"], plain], sort_keys=True, default=str)


def _refusal(call_id: str, name: str, why: str) -> ToolMessage:
    return ToolMessage(content=f"Error: {why}", tool_call_id=call_id, name=name, status="error")
