"""What a finished tool call leaves behind: evidence for receipts, a message for the model, events for people."""

from __future__ import annotations

import asyncio
from typing import Any, Final
from urllib.parse import urlencode

from langchain_core.messages import ToolMessage

from agents.nodes.events import emit
from agents.nodes.way_out import way_out
from agents.quoted import quoted
from agents.receipts import qualified, render
from agents.state import EvidenceRecord, ToolTask, record_evidence
from engines.domain.evidence import Evidence
from engines.errors import QuantumTraderError
from engines.market.data import MarketData

REFUSAL: Final = "refusal"


def completed(task: ToolTask, evidence: Evidence) -> dict[str, Any]:
    """The state update of a call that measured something."""
    record = _record(task, evidence)
    chart = chart_artifact(record)
    if chart is not None:
        emit("artifact", chart)
    return recorded(task, record)


async def failed(task: ToolTask, error: QuantumTraderError, market: MarketData) -> dict[str, Any]:
    """The state update of a call that one of our errors ended; its figures can be quoted like any other."""
    now = await asyncio.to_thread(market.now)
    record = _record(task, _refusal(task, error, market, as_of=now.isoformat()))
    return _update(task, record, str(error), status="error")


def recorded(task: ToolTask, record: EvidenceRecord) -> dict[str, Any]:
    """The state update of a call whose evidence has its id."""
    return _update(task, record, f"{_readable(record)}\n\nReferences:\n{_references(record)}", status="success")


def chart_artifact(record: EvidenceRecord) -> dict[str, Any] | None:
    """The chart that belongs to evidence, as clients fetch it."""
    chart = record["chart"]
    if chart is None:
        return None
    symbol, timeframe = chart.get("symbol", record["symbol"]), chart.get("timeframe", record["timeframe"])
    # A profile of a time that is over comes with the chart of that time.
    as_of = chart.get("as_of", record["as_of"])
    query = {"symbol": symbol, "timeframe": timeframe, "as_of": as_of}
    # The levels in the picture and in the words come from the same candles.
    query |= {"limit": chart["limit"]} if "limit" in chart else {}
    return {
        "kind": "chart",
        "title": f"{symbol} {timeframe}",
        "symbol": symbol,
        "timeframe": timeframe,
        "as_of": as_of,
        "market": record["market"],
        "simulated": record["simulated"],
        "url": f"/v1/chart?{urlencode(query)}",
    }


def spoken_brief(record: EvidenceRecord) -> str:
    """One line of what was found, figures filled in."""
    return render(qualified(record["headline"], record["id"]), [record]).plain


def _record(task: ToolTask, evidence: Evidence) -> EvidenceRecord:
    return record_evidence(evidence, number=task["number"], tool_call_id=task["call"]["id"], turn=task["turn"])


def _update(task: ToolTask, record: EvidenceRecord, content: str, *, status: str) -> dict[str, Any]:
    call = task["call"]
    emit("tool_result", {"id": call["id"], "name": call["name"], "brief": spoken_brief(record), "evidence": record})
    message = ToolMessage(
        content=content,
        tool_call_id=call["id"],
        name=call["name"],
        artifact=dict(record),
        status="error" if status == "error" else "success",
    )
    return {"messages": [message], "evidence": [record]}


def _readable(record: EvidenceRecord) -> str:
    return qualified(f"{record['headline']}\n{record['brief']}", record["id"]).strip()


def _references(record: EvidenceRecord) -> str:
    """The names a model may refer to, with what each stands for."""
    head = f"[{record['id']}] {record['symbol'] or ''} {record['timeframe'] or ''}, as of {record['as_of']}"
    source = f"{record['market']}{' (simulated)' if record['simulated'] else ''}"
    lines = [
        f"{{{record['id']}.{name}}} = {value['text']} ({value['label']})" for name, value in record["values"].items()
    ]
    return "\n".join([f"{head}, market {source}", *lines])


def _refusal(task: ToolTask, error: QuantumTraderError, market: MarketData, *, as_of: str) -> Evidence:
    call = task["call"]
    headline, values = quoted(str(error), f"in the answer to {call['name']}")
    return Evidence(
        kind=REFUSAL,
        tool=call["name"],
        arguments=plain_arguments(call["args"]),
        symbol=str(call["args"]["symbol"]) if call["args"].get("symbol") else None,
        timeframe=None,
        as_of=as_of,
        market=market.name,
        simulated=market.simulated,
        headline=headline,
        brief="",
        values=values,
        parameters={"code": error.code},
        next_steps=way_out(error, call["name"], call["args"]),
    )


def plain_arguments(args: dict[str, Any]) -> dict[str, Any]:
    """A call's arguments as JSON data."""
    plain = (str, int, float, bool, type(None), list, dict)
    return {name: value if isinstance(value, plain) else str(value) for name, value in args.items()}
